"""Backends that answer more than they are asked, where Django documents no answer."""

from collections import OrderedDict

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


@conforms
class SetReturnsTrue(LocMemCache):
    """Tells that set() has stored the value."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        return True


@conforms
class SetReturnsTheValue(LocMemCache):
    """Hands back what set() has stored."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        return value


@conforms
class DeleteManyCounts(LocMemCache):
    """Tells how many entries delete_many() has found."""

    def delete_many(self, keys, version=None):
        return sum(self.delete(key, version) for key in list(keys))


@conforms
class AnswersInOrder(LocMemCache):
    """Gives get_many()'s answer as an ordered dictionary."""

    def get_many(self, keys, version=None):
        return OrderedDict(sorted(super().get_many(keys, version).items(), key=str))


@conforms
class AddOfNothingSaysFalse(LocMemCache):
    """Says of add() with a timeout of 0 or below that nothing was stored."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        timeout = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        added = super().add(key, value, timeout, version)
        return added and (timeout is None or timeout > 0)


@conforms
class ClearReturnsTrue(LocMemCache):
    """Tells that clear() has emptied the store."""

    def clear(self):
        super().clear()
        return True


@conforms
class TakesMoreArguments(LocMemCache):
    """Has parameters of its own behind those that Django documents, and a method beside them."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None, *, only_if_present=False):
        if not only_if_present or self.has_key(key, version):
            super().set(key, value, timeout, version)

    def get(self, key, default=None, version=None, *, touch_for=None):
        if touch_for is not None:
            self.touch(key, touch_for, version)
        return super().get(key, default, version)

    def keys(self):
        return list(self._cache)
