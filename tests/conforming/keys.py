"""Backends that treat awkward keys in other ways than a warning."""

import hashlib
from urllib.parse import quote

from django.core.cache.backends.base import InvalidCacheKey, memcache_key_warnings
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


@conforms
class NeverWarns(LocMemCache):
    """Takes every key and does not say that memcached would not."""

    def validate_key(self, key):
        pass


@conforms
class RefusesBadKeys(LocMemCache):
    """Raises InvalidCacheKey where others warn."""

    def validate_key(self, key):
        for warning in memcache_key_warnings(key):
            raise InvalidCacheKey(warning)


@conforms
class RefusesLongKeysOnly(LocMemCache):
    """Has a column of 250 characters for the key, which may hold any of them."""

    def validate_key(self, key):
        if len(key) > 250:
            raise InvalidCacheKey(f"the key has {len(key)} characters, and 250 fit")
        super().validate_key(key)


@conforms
class Digests(LocMemCache):
    """Keeps a digest of the final key in place of the key."""

    def make_and_validate_key(self, key, version=None):
        made = super().make_and_validate_key(key, version)
        return hashlib.sha256(made.encode("utf-8", "surrogatepass")).hexdigest()


@conforms
class Quotes(LocMemCache):
    """Quotes the final key for a store that wants ASCII."""

    def make_and_validate_key(self, key, version=None):
        made = super().make_and_validate_key(key, version)
        return quote(made, safe="", errors="surrogatepass")


@conforms
class StoreOfItsClass(LocMemCache):
    """Keeps the stores of backends apart by the names of their classes."""

    def __init__(self, name, params):
        super().__init__(f"{type(self).__name__} {name}", params)
