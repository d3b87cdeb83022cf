"""An entry as Hazelcast keeps it: the moment at which it expires, then the serialized value.

Hazelcast counts the life of an entry in whole seconds and may drop it up to a second early, so the
exact moment stands in the entry itself, and the server is given a longer life, which only bounds
the memory that the entry takes.
"""

import math
import struct
import time
from typing import NamedTuple, Self

FOREVER = math.inf

_HEADER = struct.Struct(">dB")
_LONGEST_LIFE = 2**31 - 2
"""The most seconds that Hazelcast takes for a time to live; it drops such an entry never."""


class Entry(NamedTuple):
    """A serialized value and the moment at which it expires, in seconds since the epoch."""

    expires: float
    body: bytes
    compressed: bool = False

    @classmethod
    def unpack(cls, stored: bytearray) -> Self:
        """Read what `pack` has made."""
        expires, compressed = _HEADER.unpack_from(stored)
        return cls(expires, bytes(memoryview(stored)[_HEADER.size :]), compressed)

    def pack(self) -> bytearray:
        """Return the entry as an array of bytes, which Hazelcast keeps as it is."""
        return bytearray().join((_HEADER.pack(self.expires, self.compressed), self.body))

    def expiring_at(self, expires: float) -> Self:
        """Return the same value with another moment of expiry."""
        return self._replace(expires=expires)


def moment_after(timeout: float | None) -> float:
    """Return the moment that is `timeout` seconds from now; `None` is for ever."""
    return FOREVER if timeout is None else time.time() + timeout


def has_passed(moment: float) -> bool:
    """Whether an entry that expires at this moment is gone."""
    return moment <= time.time()


def is_alive(stored: bytearray | None) -> bool:
    """Whether the server has sent an entry, and it has not expired."""
    return stored is not None and not has_passed(_HEADER.unpack_from(stored)[0])


def time_to_live(expires: float) -> int:
    """Return the whole seconds for which the server keeps an entry; 0 is for ever."""
    if expires == FOREVER:
        return 0
    return min(max(math.ceil(expires - time.time()), 0) + 1, _LONGEST_LIFE)
