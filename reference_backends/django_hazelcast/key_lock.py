"""Hazelcast's lock on one key of a map, for operations that read an entry and then write it.

Hazelcast locks belong to a thread of a client, but the tasks of an event loop share one thread.
So each lock here has an owner of its own, and the requests under it name that owner; this is the
one place that builds requests itself and does not leave it to the client's `Map`.

The lock is leased for a part of the time that an operation may take, so that the key of a client
that has crashed is free before others give up; and a client that was frozen meanwhile sends no
write any more, so that it does not overwrite what others have written since.
"""

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from hazelcast.core import SimpleEntryView
from hazelcast.errors import HazelcastError
from hazelcast.future import Future
from hazelcast.protocol.codec import (
    map_delete_codec,
    map_get_codec,
    map_get_entry_view_codec,
    map_set_codec,
    map_try_lock_codec,
    map_unlock_codec,
)
from hazelcast.proxy.map import Map

from django_hazelcast.entry import is_alive
from django_hazelcast.errors import HazelcastUnavailable
from django_hazelcast.operation import Operation

LEASE = 0.8
"""How long the server holds the lock for us at most, as a part of an operation's time."""
_ATTEMPT = 0.2
"""How long one request for the lock waits; the lease begins within this time of the request."""
_USE = 0.4
"""How long after that request a write is still sent; the rest of the lease is for it to arrive."""

_owners = itertools.count(1)


class KeyLock:
    """The lock on a key, free again when it is released, or the context is left before that."""

    def __init__(self, entries: Map[str, Any], key: str, timeout: float) -> None:
        """`timeout` is the time in seconds that the whole operation may take."""
        self._entries = entries
        self._key = entries._to_data(key)
        self._timeout = timeout
        self._writable_until = 0.0
        self._owner = next(_owners)
        self._under_way: Future[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unlock as soon as the last request is answered, where the operation has not done it."""
        if self._under_way is not None:
            self._under_way.continue_with(lambda _: self._unlock())

    def acquired(self) -> Operation[None]:
        """Wait for the lock, for as long as the operation has time."""
        granted = False
        while not granted:
            self._writable_until = time.monotonic() + _USE * self._timeout
            request = map_try_lock_codec.encode_request(
                self._entries.name,
                self._key,
                self._owner,
                round(LEASE * self._timeout * 1000),
                round(_ATTEMPT * self._timeout * 1000),
                self._reference(),
            )
            granted = yield self._send(request, map_try_lock_codec.decode_response)

    def living_entry(self) -> Operation[bytearray | None]:
        """Wait for the lock, and return the entry, `None` where there is none or it has expired."""
        yield from self.acquired()
        entry = yield self.get()
        return entry if is_alive(entry) else None

    def get(self) -> Future[bytearray | None]:
        """Read the entry."""
        request = map_get_codec.encode_request(self._entries.name, self._key, self._owner)
        return self._send(
            request,
            lambda message: self._entries._to_object(map_get_codec.decode_response(message)),
        )

    def view(self) -> Future[SimpleEntryView[str, Any] | None]:
        """Read the entry, and the moment at which the server lets it expire."""
        request = map_get_entry_view_codec.encode_request(
            self._entries.name, self._key, self._owner
        )
        return self._send(request, self._viewed)

    def set(self, entry: Any, time_to_live: float) -> Future[None]:
        """Write the entry, for the server to keep for `time_to_live` seconds; 0 is for ever."""
        self._check_time()
        return self._send(
            map_set_codec.encode_request(
                self._entries.name,
                self._key,
                self._entries._to_data(entry),
                self._owner,
                round(time_to_live * 1000),
            )
        )

    def delete(self) -> Future[None]:
        """Remove the entry."""
        self._check_time()
        return self._send(
            map_delete_codec.encode_request(self._entries.name, self._key, self._owner)
        )

    def released(self) -> Operation[None]:
        """Unlock, and wait until it is done: a process that ends then leaves no key locked.

        What goes wrong meanwhile changes nothing of what was written, and the lease ends anyway.
        """
        self._under_way = None
        with suppress(HazelcastError, HazelcastUnavailable):
            yield self._unlock()

    def _check_time(self) -> None:
        if time.monotonic() > self._writable_until:
            raise HazelcastUnavailable("the lock on the key is too old to write under it")

    def _send(
        self, request: Any, decode: Callable[[Any], Any] = lambda message: None
    ) -> Future[Any]:
        self._under_way = self._entries._invoke_on_key(request, self._key, decode)
        return self._under_way

    def _viewed(self, message: Any) -> SimpleEntryView[str, Any] | None:
        view: SimpleEntryView[str, Any] | None
        view = map_get_entry_view_codec.decode_response(message)["response"]
        if view is not None:
            view.value = self._entries._to_object(view.value)
        return view

    def _unlock(self) -> Future[None]:
        """Unlock; where the lock was not granted, or its lease is over, the server refuses."""
        request = map_unlock_codec.encode_request(
            self._entries.name, self._key, self._owner, self._reference()
        )
        answer: Future[None] = self._entries._invoke_on_key(request, self._key)
        return answer

    def _reference(self) -> int:
        """Return the number by which the server knows a request that is sent again."""
        number: int = self._entries._reference_id_generator.get_and_increment()
        return number
