"""The cache backend on Hazelcast's own protocol."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, MEMCACHE_MAX_KEY_LENGTH, BaseCache
from hazelcast.errors import HazelcastError
from hazelcast.future import Future, combine_futures

from django_hazelcast.clients import client_for
from django_hazelcast.entry import (
    FOREVER,
    expiring_at,
    expiry,
    has_passed,
    is_alive,
    pack,
    time_to_live,
    unpack,
)
from django_hazelcast.errors import HazelcastUnavailable
from django_hazelcast.key_lock import KeyLock
from django_hazelcast.operation import Operation, Result, acomplete, backed_up, complete
from django_hazelcast.options import Options

_COMPRESSED_FROM = 1024
"""The least bytes that are worth compressing."""


class HazelcastCache(BaseCache):
    """A cache in one map of a Hazelcast cluster.

    LOCATION names the members, OPTIONS the map and the client's arguments; see `options.py`. Every
    operation raises `HazelcastUnavailable` where the cluster does not answer in OPTIONS["TIMEOUT"]
    seconds.
    """

    def __init__(self, location: Any, params: dict[str, Any]) -> None:
        """Raises `ImproperlyConfigured`. Connects to nothing."""
        super().__init__(params)
        options = Options(type(self).__name__, location, params)
        self._timeout = options.timeout
        self._cluster = options.cluster
        self._serializer = options.serializer
        self._compression = options.compression
        self._store = client_for(options.client_arguments).store(
            options.map_name, options.near_cache
        )

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._run(self._get(self.make_and_validate_key(key, version=version), default))

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return await self._arun(
            self._get(self.make_and_validate_key(key, version=version), default)
        )

    def has_key(self, key: Any, version: Any = None) -> bool:
        return self._run(self._has_key(self.make_and_validate_key(key, version=version)))

    async def ahas_key(self, key: Any, version: Any = None) -> bool:
        return await self._arun(self._has_key(self.make_and_validate_key(key, version=version)))

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        key = self.make_and_validate_key(key, version=version)
        self._run(self._set(key, self._packed(value, self._expiry(timeout))))

    async def aset(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        key = self.make_and_validate_key(key, version=version)
        await self._arun(self._set(key, self._packed(value, self._expiry(timeout))))

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        key = self.make_and_validate_key(key, version=version)
        return self._run(self._add(key, self._packed(value, self._expiry(timeout))))

    async def aadd(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        key = self.make_and_validate_key(key, version=version)
        return await self._arun(self._add(key, self._packed(value, self._expiry(timeout))))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        key = self.make_and_validate_key(key, version=version)
        return self._run(self._touch(key, self._expiry(timeout)))

    async def atouch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        key = self.make_and_validate_key(key, version=version)
        return await self._arun(self._touch(key, self._expiry(timeout)))

    def delete(self, key: Any, version: Any = None) -> bool:
        return self._run(self._delete(self.make_and_validate_key(key, version=version)))

    async def adelete(self, key: Any, version: Any = None) -> bool:
        return await self._arun(self._delete(self.make_and_validate_key(key, version=version)))

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return self._run(self._incr(key, self.make_and_validate_key(key, version=version), delta))

    async def aincr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return await self._arun(
            self._incr(key, self.make_and_validate_key(key, version=version), delta)
        )

    def incr_version(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return self._run(self._incr_version(key, delta, version))

    async def aincr_version(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return await self._arun(self._incr_version(key, delta, version))

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        return self._run(self._get_many(self._final_keys(keys, version)))

    async def aget_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        return await self._arun(self._get_many(self._final_keys(keys, version)))

    def set_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        return self._run(self._set_many(data, self._final_keys(data, version), timeout))

    async def aset_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> list[Any]:
        return await self._arun(self._set_many(data, self._final_keys(data, version), timeout))

    def delete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        self._run(self._delete_many(self._final_keys(keys, version)))

    async def adelete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        await self._arun(self._delete_many(self._final_keys(keys, version)))

    def clear(self) -> None:
        self._run(self._clear())

    async def aclear(self) -> None:
        await self._arun(self._clear())

    # What the operations do, for both APIs: see `operation.py`.

    def _get(self, key: str, default: Any) -> Operation[Any]:
        entry = yield from self._read(key)
        return default if entry is None else self._value(entry)

    def _has_key(self, key: str) -> Operation[bool]:
        return (yield from self._read(key)) is not None

    def _read(self, key: str) -> Operation[bytearray | None]:
        """Read a living entry, from near by or from the cluster."""
        near_cache = self._store.near_cache
        if near_cache is None:
            entry = yield (self._store.entries or (yield self._store.opened())).get(key)
        else:
            entry = near_cache.get(key)
            if entry is not None:
                return entry
            entries = self._store.entries or (yield self._store.opened())
            token = near_cache.await_answer(key)
            entry = None
            try:
                entry = yield entries.get(key)
            finally:
                near_cache.keep(key, token, entry)
        return entry if is_alive(entry) else None

    def _set(self, key: str, entry: bytearray) -> Operation[None]:
        entries = self._store.entries or (yield self._store.opened())
        try:
            if is_alive(entry):
                yield from self._write(entries.set, entry, key)
            else:
                yield entries.delete(key)
        finally:
            self._forget(key)

    def _write(
        self, write: Callable[..., Future[None]], entry: bytearray, *key: str
    ) -> Operation[None]:
        """Write an entry until it is backed up, each time for as long as it has then to live."""
        yield from backed_up(lambda: write(*key, entry, time_to_live(expiry(entry))))

    def _add(self, key: str, entry: bytearray) -> Operation[bool]:
        if not is_alive(entry):
            return not (yield from self._has_key(key))
        entries = self._store.entries or (yield self._store.opened())
        try:
            there = yield entries.put_if_absent(key, entry, time_to_live(expiry(entry)))
            if there is None or is_alive(there):
                return there is None
            with KeyLock(entries, key, self._timeout) as lock:
                is_free = (yield from lock.living_entry()) is None
                if is_free:
                    yield from self._write(lock.set, entry)
                yield from lock.released()
                return is_free
        finally:
            self._forget(key)

    def _touch(self, key: str, expires: float) -> Operation[bool]:
        entries = self._store.entries or (yield self._store.opened())
        try:
            with KeyLock(entries, key, self._timeout) as lock:
                entry = yield from lock.living_entry()
                if entry is not None and has_passed(expires):
                    yield lock.delete()
                elif entry is not None:
                    yield from self._write(lock.set, expiring_at(expires, entry))
                yield from lock.released()
                return entry is not None
        finally:
            self._forget(key)

    def _delete(self, key: str) -> Operation[bool]:
        entries = self._store.entries or (yield self._store.opened())
        try:
            return is_alive((yield entries.remove(key)))
        finally:
            self._forget(key)

    def _incr(self, name: Any, key: str, delta: int) -> Operation[int]:
        entries = self._store.entries or (yield self._store.opened())
        try:
            with KeyLock(entries, key, self._timeout) as lock:
                entry = yield from lock.living_entry()
                if entry is not None:
                    count: int = self._value(entry) + delta
                    yield from self._write(lock.set, self._packed(count, expiry(entry)))
                yield from lock.released()
                if entry is None:
                    raise ValueError(f"Key {name!r} not found")
                return count
        finally:
            self._forget(key)

    def _incr_version(self, name: Any, delta: int, version: Any) -> Operation[int]:
        version = self.version if version is None else version
        old = self.make_and_validate_key(name, version=version)
        moved: int = version + delta
        new = self.make_and_validate_key(name, version=moved)
        entries = self._store.entries or (yield self._store.opened())
        try:
            with KeyLock(entries, old, self._timeout) as lock:
                entry = yield from lock.living_entry()
                if entry is not None and new != old:
                    yield from self._write(entries.set, entry, new)
                    yield lock.delete()
                yield from lock.released()
                if entry is None:
                    raise ValueError(f"Key {name!r} not found")
                return moved
        finally:
            self._forget(old, new)

    def _get_many(self, names: dict[str, Any]) -> Operation[dict[Any, Any]]:
        found = yield from self._read_many(names)
        return {names[key]: self._value(entry) for key, entry in found.items()}

    def _read_many(self, keys: Iterable[str]) -> Operation[dict[str, bytearray]]:
        """Read the living entries of many keys, from near by or from the cluster."""
        near_cache = self._store.near_cache
        if near_cache is None:
            found = yield (self._store.entries or (yield self._store.opened())).get_all(list(keys))
        else:
            near = {key: entry for key in keys if (entry := near_cache.get(key)) is not None}
            entries = self._store.entries or (yield self._store.opened())
            tokens = {key: near_cache.await_answer(key) for key in keys if key not in near}
            found = {}
            try:
                found = yield entries.get_all(list(tokens))
            finally:
                for key, token in tokens.items():
                    near_cache.keep(key, token, found.get(key))
            found |= near
        return {key: entry for key, entry in found.items() if is_alive(entry)}

    def _set_many(
        self, data: Mapping[Any, Any], names: dict[str, Any], timeout: Any
    ) -> Operation[list[Any]]:
        expires = self._expiry(timeout)
        packed = {key: self._packed(data[name], expires) for key, name in names.items()}
        if has_passed(expires):
            yield from self._delete_many(names)
            return []
        entries = self._store.entries or (yield self._store.opened())
        life = time_to_live(expires)
        writes = {key: entries.set(key, entry, life) for key, entry in packed.items()}
        yield from self._all_done(writes)
        return [names[key] for key, write in writes.items() if not write.is_success()]

    def _delete_many(self, keys: Iterable[str]) -> Operation[None]:
        entries = self._store.entries or (yield self._store.opened())
        deletions = {key: entries.delete(key) for key in keys}
        yield from self._all_done(deletions)
        yield from deletions.values()

    def _all_done(self, requests: dict[str, Future[None]]) -> Operation[None]:
        """Wait for many requests. Raises what one of them raises where none succeeds."""
        try:
            yield combine_futures(list(requests.values()))
        except (HazelcastError, HazelcastUnavailable):
            if not any(request.is_success() for request in requests.values()):
                raise
        finally:
            self._forget(*requests)

    def _clear(self) -> Operation[None]:
        entries = self._store.entries or (yield self._store.opened())
        try:
            yield entries.clear()
        finally:
            if self._store.near_cache is not None:
                self._store.near_cache.clear()

    def validate_key(self, key: Any) -> None:
        """Warn of keys that Memcached could not take; most are seen at a glance to be portable."""
        if not (
            isinstance(key, str)
            and key.isascii()
            and key.isprintable()
            and " " not in key
            and len(key) <= MEMCACHE_MAX_KEY_LENGTH
        ):
            super().validate_key(key)

    def _forget(self, *keys: str) -> None:
        """Drop what has changed from the near cache, where there is one."""
        if self._store.near_cache is not None:
            self._store.near_cache.forget(*keys)

    def _run(self, operation: Operation[Result]) -> Result:
        return complete(operation, self._timeout, self._cluster)

    async def _arun(self, operation: Operation[Result]) -> Result:
        return await acomplete(operation, self._timeout, self._cluster)

    def _final_keys(self, keys: Iterable[Any], version: Any) -> dict[str, Any]:
        """Return the caller's keys by the final keys that they make."""
        return {self.make_and_validate_key(key, version=version): key for key in keys}

    def _expiry(self, timeout: Any) -> float:
        """Return the moment at which an entry expires that is written now."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return FOREVER if timeout is None else time.time() + timeout

    def _packed(self, value: Any, expires: float) -> bytearray:
        """Serialize a value, and compress what is worth it."""
        body = self._serializer.dumps(value)
        if self._compression is None or len(body) < _COMPRESSED_FROM:
            return pack(body, expires)
        return pack(self._compression.compress(body), expires, compressed=True)

    def _value(self, entry: bytearray) -> Any:
        """Return the value of an entry."""
        body, is_compressed = unpack(entry)
        if not is_compressed:
            return self._serializer.loads(body)
        if self._compression is None:
            raise ValueError("the entry is compressed, and OPTIONS has no COMPRESSION to read it")
        return self._serializer.loads(self._compression.decompress(body))
