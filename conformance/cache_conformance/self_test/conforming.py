"""A sample of backends that differ visibly from LocMemCache and break no promise."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.core.cache.backends.base import (
    DEFAULT_TIMEOUT,
    InvalidCacheKey,
    memcache_key_warnings,
)
from django.core.cache.backends.locmem import LocMemCache


class SetReturnsTrue(LocMemCache):
    """set() tells that it has stored the value."""

    def set(  # type: ignore[override]
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        super().set(key, value, timeout, version)
        return True


class RefusesBadKeys(LocMemCache):
    """A key that memcached cannot take draws an error in place of a warning."""

    def validate_key(self, key: str) -> None:
        for warning in memcache_key_warnings(key):
            raise InvalidCacheKey(warning)


class WholeSeconds(LocMemCache):
    """Timeouts are rounded up to whole seconds."""

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> Any:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return super().get_backend_timeout(None if seconds is None else ceil(seconds))
