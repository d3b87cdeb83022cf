"""Backends with attributes of an unusual kind."""

from cache_conformance.face import ASYNC_OPERATIONS, OPERATIONS
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


@conforms
class Frozen(LocMemCache):
    """Takes no attributes once it is built."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.built = True

    def __setattr__(self, name, value):
        if "built" in vars(self):
            raise AttributeError(f"{name} cannot be set")
        super().__setattr__(name, value)


def another_cache(cache, name, params):
    """Return a cache on which another one rests that makes the keys of both."""
    other = LocMemCache(name, params)
    other.make_key = cache.make_key
    return other


@conforms
class MethodsOfTheInstance(BaseCache):
    """Is given its methods when it is built."""

    def __init__(self, name, params):
        super().__init__(params)
        other = another_cache(self, name, params)
        for operation in OPERATIONS | ASYNC_OPERATIONS:
            setattr(self, operation, getattr(other, operation))


@conforms
class Delegates(BaseCache):
    """Has another cache answer what BaseCache could have answered."""

    def __init__(self, name, params):
        super().__init__(params)
        self.other = another_cache(self, name, params)

    def __getattribute__(self, name):
        if name in OPERATIONS | ASYNC_OPERATIONS:
            return getattr(self.other, name)
        return super().__getattribute__(name)
