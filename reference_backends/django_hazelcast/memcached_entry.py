"""An entry as a member keeps it that has come by the Memcached protocol.

It is Hazelcast's Java class `MemcacheEntry`, and this is its counterpart for the native client. The
member holds the whole answer to `get` ready in it.
"""

import operator
import time
from dataclasses import dataclass, replace
from typing import Self

from hazelcast.core import SimpleEntryView
from hazelcast.serialization.api import (
    IdentifiedDataSerializable,
    ObjectDataInput,
    ObjectDataOutput,
)

_FACTORY, _CLASS = -25, 0
"""Hazelcast's numbers for it, from the Java class `TextProtocolsDataSerializerHook`."""

_NEVER = 2**63 - 1
"""The moment at which an entry expires that is permanent, in milliseconds."""

_ROUNDING = 0.5
"""Seconds that are added to the time that is left. A member rounds the moment of expiry down to a
whole second, so it stays the same, however often the entry is written, where the clocks of member
and client differ by less than this."""


@dataclass
class MemcachedEntry(IdentifiedDataSerializable):
    """The key as the clients spell it, the value, and what their flags say of its type."""

    key: bytes = b""
    value: bytes = b""
    flags: int = 0

    @property
    def number(self) -> int:
        """The whole number that the digits of the value are. Raises `TypeError`."""
        if not self.value.isdigit():
            raise TypeError(f"only digits can be counted, and the value is {self.value[:40]!r}")
        return int(self.value)

    def counted(self, delta: int) -> Self:
        """Return the entry with a number that is larger by `delta`, but not below zero.

        Raises `TypeError` where one of the two is no whole number.
        """
        return replace(self, value=b"%d" % max(self.number + operator.index(delta), 0))

    def write_data(self, object_data_output: ObjectDataOutput) -> None:
        fields = (self.key, self.flags, len(self.value), self.value)
        answer = b"VALUE %b %d %d\r\n%b\r\n" % fields
        object_data_output.write_byte_array(bytearray(answer))
        object_data_output.write_byte_array(bytearray(self.value))
        object_data_output.write_int(self.flags)

    def read_data(self, object_data_input: ObjectDataInput) -> None:
        self.key = bytes(object_data_input.read_byte_array()).split(b" ", 2)[1]
        self.value = bytes(object_data_input.read_byte_array())
        self.flags = object_data_input.read_int()

    def get_factory_id(self) -> int:
        return _FACTORY

    def get_class_id(self) -> int:
        return _CLASS


FACTORIES = {_FACTORY: {_CLASS: MemcachedEntry}}
"""What `hazelcast.HazelcastClient` takes as `data_serializable_factories` to read such entries."""


def time_left(view: SimpleEntryView[str, MemcachedEntry]) -> float:
    """Return the seconds to write an entry for, so that it expires as before; 0 is for ever."""
    if view.expiration_time == _NEVER:
        return 0
    return max(view.expiration_time / 1000 - time.time() + _ROUNDING, 0.001)
