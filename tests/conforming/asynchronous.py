"""Backends whose async face is more than what Django makes of the sync one."""

import asyncio
import time
import warnings

from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.utils.asyncio import async_unsafe

from conforming import conforms

FACE = ("aget", "aset", "aadd", "adelete", "atouch", "ahas_key", "aincr", "aget_many", "aclear")


@conforms
class ReadsManyNatively(LocMemCache):
    """Has one native operation, which asks for all keys at once."""

    async def aget_many(self, keys, version=None):
        return self.get_many(keys, version)


@conforms
class ClosesAPool(LocMemCache):
    """Has a pool of the event loop to close in aclose()."""

    async def aclose(self, **kwargs):
        await asyncio.sleep(0)
        self.close(**kwargs)


@conforms
class LooksThenAdds(LocMemCache):
    """Looks before it adds, as FileBasedCache does, and awaits on any thread."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.has_key(key, version):
            return False
        time.sleep(0.0005)
        self.set(key, value, timeout, version)
        return True

    async def aadd(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        add = sync_to_async(self.add, thread_sensitive=False)
        return await add(key, value, timeout, version)


@conforms
class RefusesEventLoops(LocMemCache):
    """Has Django refuse each sync operation in a running event loop, close() too."""

    add = async_unsafe(LocMemCache.add)
    get = async_unsafe(LocMemCache.get)
    set = async_unsafe(LocMemCache.set)
    touch = async_unsafe(LocMemCache.touch)
    delete = async_unsafe(LocMemCache.delete)
    has_key = async_unsafe(LocMemCache.has_key)
    incr = async_unsafe(LocMemCache.incr)
    clear = async_unsafe(LocMemCache.clear)
    close = async_unsafe(LocMemCache.close)


@conforms
class RecommendsAsync(LocMemCache):
    """Warns whoever calls set() that aset() is better."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        warnings.warn("aset() would not block", PendingDeprecationWarning, stacklevel=2)
        super().set(key, value, timeout, version)

    async def aset(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)


def as_tasks(backend):
    """Have each async operation start at once, as a task, where Django has coroutines."""
    for name in FACE:
        setattr(backend, name, started(getattr(LocMemCache, name)))
    return backend


def started(operation):
    """Return the operation as a plain method that returns a task."""

    def starts(self, *args, **kwargs):
        return asyncio.get_running_loop().create_task(operation(self, *args, **kwargs))

    return starts


@conforms
@as_tasks
class ReturnsTasks(LocMemCache):
    """Can be awaited, and is no coroutine."""


class Ordered(dict):
    """A dictionary that promises its order."""


@conforms
class AnswersInOrderWhenCalled(LocMemCache):
    """Gives an ordered dictionary where it is called, and a plain one where it is awaited."""

    def get_many(self, keys, version=None):
        return Ordered(super().get_many(keys, version))

    async def aget_many(self, keys, version=None):
        return dict(super().get_many(keys, version))
