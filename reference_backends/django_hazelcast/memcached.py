"""The cache backend on the Memcached protocol of a Hazelcast member.

For projects that come from Memcached and want to change nothing but LOCATION. Hazelcast answers
some commands differently, and this backend makes up for that: it counts and clears by Hazelcast's
own protocol, on the same port. What remains: timeouts count whole seconds.
"""

import hashlib
import math
import os
import pickle
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.memcached import PyMemcacheCache

from django_hazelcast.clients import client_for
from django_hazelcast.key_lock import KeyLock
from django_hazelcast.memcached_entry import FACTORIES, MemcachedEntry, time_left
from django_hazelcast.operation import Operation, backed_up, complete
from django_hazelcast.options import Options

_MAP = "hz_memcache_default"
"""The map in which a member keeps what comes by the Memcached protocol under keys without ":"."""

_LONGEST_KEY = 250
_KEYS_OF_A_COMMAND = 256
"""A member closes the connection on a command of 64 KiB, which 261 of the longest keys make."""
_TIMEOUT = 5
"""Seconds to wait for a member unless OPTIONS says otherwise; pymemcache would wait for ever."""

_SAFE = "!\"#$&'()*,/;<>?@[\\]^`{|}"
"""The characters that stand for themselves, besides letters, digits, "-", ".", "_" and "~"."""


class _Serde:
    """Text and integers as they are, all else pickled; what cannot be read is an error.

    pymemcache's own returns `None` for it, which Django cannot tell from a stored `None`.
    """

    def serialize(self, key: Any, value: Any) -> tuple[Any, int]:
        from pymemcache.serde import pickle_serde

        wire: tuple[Any, int] = pickle_serde.serialize(key, value)
        return wire

    def deserialize(self, key: Any, value: bytes, flags: int) -> Any:
        from pymemcache.serde import FLAG_PICKLE, pickle_serde

        if flags & FLAG_PICKLE:
            return pickle.loads(value)
        return pickle_serde.deserialize(key, value, flags)


class HazelcastMemcachedCache(PyMemcacheCache):
    """Django's `PyMemcacheCache`, conforming on Hazelcast's Memcached port.

    LOCATION and OPTIONS are those of `PyMemcacheCache`, and `cluster_name` where it is not "dev".
    It waits 5 s for a member that does not answer, unless they have another `timeout`.
    """

    _class: Any
    _options: dict[str, Any]

    def __init__(self, location: Any, params: dict[str, Any]) -> None:
        options = dict(params.get("OPTIONS") or {})
        cluster_name = options.pop("cluster_name", "dev")
        ours = {"serde": _Serde(), "connect_timeout": _TIMEOUT, "timeout": _TIMEOUT}
        super().__init__(location, {**params, "OPTIONS": {**ours, **options}})
        self._client_of: int | None = None
        self._native = Options(
            type(self).__name__,
            location,
            {
                "OPTIONS": {
                    "cluster_name": cluster_name,
                    "data_serializable_factories": FACTORIES,
                    "MAP_NAME": _MAP,
                    "TIMEOUT": options.get("timeout") or _TIMEOUT,
                }
            },
        )
        client = client_for(self._native.client_arguments)
        self._store = client.store(self._native.map_name, None)

    @property
    def _cache(self) -> Any:
        """The client of this process: a child that is forked must not take its parent's answers."""
        if self._client_of != os.getpid():
            self._client = self._class(self.client_servers, **self._options)
            self._client_of = os.getpid()
        return self._client

    def make_and_validate_key(self, key: Any, version: Any = None) -> str:
        """Return the key for the wire, which spells out what a member has another meaning for.

        A member takes what precedes a colon for the name of a map, decodes "%" and "+" as in a URL,
        and confuses keys beyond ASCII. A key that becomes too long gives way to its digest.
        """
        final = super().make_and_validate_key(key, version=version)
        spelled = quote(final, safe=_SAFE).replace("%", "=")
        if len(spelled) <= _LONGEST_KEY:
            return spelled
        return f"=={hashlib.sha256(spelled.encode()).hexdigest()}"

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> int:
        """Return a timeout for the wire, in whole seconds; a part of one counts as one."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        seconds = super().get_backend_timeout(None if timeout is None else math.ceil(timeout))
        return int(seconds or 0)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        if self._is_over(timeout):
            self.delete(key, version=version)
        else:
            super().set(key, value, timeout, version)

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        wanted = list(keys)
        found: dict[Any, Any] = {}
        for start in range(0, len(wanted), _KEYS_OF_A_COMMAND):
            found |= super().get_many(wanted[start : start + _KEYS_OF_A_COMMAND], version)
        return found

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        if self._is_over(timeout):
            return not self.has_key(key, version=version)
        return bool(super().add(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        if self._is_over(timeout):
            return self.delete(key, version=version)
        return super().touch(key, timeout, version)

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Add to a number as Memcached does, which counts all digits, and not below zero.

        A member's own `incr` makes the entry permanent; here it expires when it would have. Raises
        `ValueError` where there is no entry, `TypeError` where its value or `delta` is no whole
        number, and `HazelcastUnavailable`.
        """
        final = self.make_and_validate_key(key, version=version)
        return complete(self._incr(key, final, delta), self._native.timeout, self._native.cluster)

    def set_many(
        self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        if self._is_over(timeout):
            self.delete_many(data, version=version)
            return []
        return super().set_many(data, timeout, version)

    def clear(self) -> None:
        """Empty the map; a member does not serve `flush_all`. Raises `HazelcastUnavailable`."""
        complete(self._clear(), self._native.timeout, self._native.cluster)

    # Django's own do the same from 6.1 on; before, they do not ask the sync ones.

    async def aincr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return await sync_to_async(self.incr)(key, delta, version)

    async def aset_many(
        self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        return await sync_to_async(self.set_many)(data, timeout, version)

    async def adelete_many(self, keys: Any, version: Any = None) -> None:
        return await sync_to_async(self.delete_many)(keys, version)

    def _incr(self, name: Any, key: str, delta: int) -> Operation[int]:
        entries = self._store.entries or (yield self._store.opened())
        with KeyLock(entries, key, self._native.timeout) as lock:
            yield from lock.acquired()
            view = yield lock.view()
            if view is not None:
                entry: MemcachedEntry = view.value.counted(delta)
                yield from backed_up(lambda: lock.set(entry, time_left(view)))
            yield from lock.released()
            if view is None:
                raise ValueError(f"Key {name!r} not found")
            return entry.number

    def _clear(self) -> Operation[None]:
        entries = self._store.entries or (yield self._store.opened())
        yield entries.clear()

    def _is_over(self, timeout: Any) -> bool:
        """Whether an entry with this timeout is gone at once; a member would keep it for ever."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return timeout is not None and timeout <= 0
