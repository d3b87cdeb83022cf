"""A sample of faults that authors of backends have really made, one in each class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache


class TakesNoneForAMiss(LocMemCache):
    """get() takes a stored None for an absent key."""

    breaks = "basic.stored-value-beats-the-default"

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        value = super().get(key, None, version)
        return default if value is None else value


class TouchRevives(LocMemCache):
    """touch() does not ask whether the entry has expired."""

    breaks = "touch.expired-key-returns-false"

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        made = self.make_and_validate_key(key, version=version)
        if made not in self._cache:
            return False
        self._expire_info[made] = self.get_backend_timeout(timeout)
        return True


class ZeroIsForever(LocMemCache):
    """A timeout of 0 means no expiry, as it does to memcached."""

    breaks = "timeout.zero-is-immediately-expired"

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> Any:
        return super().get_backend_timeout(None if timeout == 0 else timeout)


class NoneIsTheDefault(LocMemCache):
    """A timeout of None means that none was given."""

    breaks = "timeout.none-is-forever"

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> Any:
        return super().get_backend_timeout(DEFAULT_TIMEOUT if timeout is None else timeout)


class NeverExpires(LocMemCache):
    """The expiry is stored and not looked at."""

    breaks = "timeout.entry-expires"

    def _has_expired(self, key: str) -> bool:
        return key not in self._cache


class AddOverwrites(LocMemCache):
    """add() is set()."""

    breaks = "basic.add-keeps-a-present-key"

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        self.set(key, value, timeout, version)
        return True


class IncrStartsAtZero(LocMemCache):
    """incr() of an absent key begins to count, as a Redis command does."""

    breaks = "incr.missing-key-raises-valueerror"

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        self.add(key, 0, version=version)
        return super().incr(key, delta, version)


class IncrForgetsTheTimeout(LocMemCache):
    """incr() writes the number with the default timeout."""

    breaks = "incr.keeps-a-short-timeout"

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> Any:
        number = super().incr(key, delta, version)
        self.set(key, number, version=version)
        return number


class GetManyReturnsAll(LocMemCache):
    """get_many() has an entry for every key, None where there is none."""

    breaks = "many.get-many-returns-present-keys"

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        return {key: self.get(key, version=version) for key in keys}


class IgnoresTheVersion(LocMemCache):
    """delete() looks at the default version."""

    breaks = "version.limits-delete"

    def delete(self, key: Any, version: Any = None) -> bool:
        return super().delete(key)


class SharesMutableValues(LocMemCache):
    """Values are kept, and handed out, as the very objects."""

    breaks = "data.stored-values-are-snapshots"

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        self.objects: dict[Any, Any] = {}

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        super().set(key, value, timeout, version)
        self.objects[self.make_key(key, version)] = value

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        found = super().get(key, default, version)
        return found if found is default else self.objects.get(self.make_key(key, version), found)


class ClearsItsPrefixOnly(LocMemCache):
    """clear() leaves the entries of other prefixes."""

    breaks = "clear.removes-other-prefixes"

    def clear(self) -> None:
        for key in [key for key in self._cache if key.startswith(f"{self.key_prefix}:")]:
            self._delete(key)


class AsyncForgetsTheVersion(LocMemCache):
    """A native aget() leaves the version out, where get() has it."""

    breaks = "version.limits-reads"

    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self.get(key, default)
