"""An entry as Hazelcast keeps it: the moment at which it expires, then the serialized value.

Hazelcast counts the life of an entry in whole seconds and may drop it up to a second early, so the
exact moment stands in the entry itself, in seconds since the epoch, and the server is given a
longer life, which only bounds the memory that the entry takes. One byte says whether the value is
compressed. All this is an array of bytes, which Hazelcast keeps as it is.
"""

import math
import struct
import time

FOREVER = math.inf
"""When an entry expires that has no timeout."""

_EXPIRY = struct.Struct(">d")
_HEADER = struct.Struct(">d?")
_LONGEST_LIFE = 2**31 - 2
"""The most seconds that Hazelcast takes for a time to live; it drops such an entry never."""


def pack(body: bytes, expires: float, compressed: bool = False) -> bytearray:
    """Return the entry of a serialized value."""
    return bytearray().join((_HEADER.pack(expires, compressed), body))


def unpack(entry: bytearray) -> tuple[bytes, bool]:
    """Return the serialized value of an entry, and whether it is compressed."""
    return bytes(memoryview(entry)[_HEADER.size :]), bool(entry[_EXPIRY.size])


def expiry(entry: bytearray) -> float:
    """Return the moment at which an entry expires."""
    moment: float = _EXPIRY.unpack_from(entry)[0]
    return moment


def expiring_at(moment: float, entry: bytearray) -> bytearray:
    """Return the same value with another moment of expiry."""
    return bytearray().join((_EXPIRY.pack(moment), memoryview(entry)[_EXPIRY.size :]))


def has_passed(moment: float) -> bool:
    """Whether an entry that expires at this moment is gone."""
    return moment <= time.time()


def is_alive(entry: bytearray | None) -> bool:
    """Whether the server has sent an entry, and it has not expired."""
    return entry is not None and not has_passed(expiry(entry))


def time_to_live(moment: float) -> int:
    """Return the whole seconds for which the server keeps an entry; 0 is for ever."""
    if moment == FOREVER:
        return 0
    return min(max(math.ceil(moment - time.time()), 0) + 1, _LONGEST_LIFE)
