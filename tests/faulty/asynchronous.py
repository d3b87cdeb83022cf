"""Faults of the async API."""

import asyncio
import warnings
from functools import partial

from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache, CacheKeyWarning
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections

from faulty import breaks


@breaks("async.takes-a-hundred-calls-at-once", says="no connection is free")
class HasFiftyConnections(LocMemCache):
    """Has no more than fifty connections for its event loop, and waits for none of them."""

    _busy = 0

    async def aget(self, key, default=None, version=None):
        if self._busy == 50:
            raise ConnectionError("no connection is free")
        self._busy += 1
        try:
            await asyncio.sleep(0)
            return self.get(key, default, version)
        finally:
            self._busy -= 1


@breaks("async.every-operation-has-a-variant", says="aget_many")
class PlainGetMany(LocMemCache):
    """Forgets the async before its def."""

    def aget_many(self, keys, version=None):
        return self.get_many(keys, version)


@breaks("async.same-arguments", says="too many positional arguments")
class NoVersion(LocMemCache):
    """Leaves out an argument that its author never uses."""

    async def atouch(self, key, timeout=DEFAULT_TIMEOUT):
        return await sync_to_async(self.touch)(key, timeout)


@breaks("async.same-arguments", says="default ==")
class OtherDefault(LocMemCache):
    """Has another default for an argument."""

    async def aset(self, key, value, timeout=None, version=None):
        return await super().aset(key, value, timeout, version)


@breaks("async.basic-operations-agree", says="awaited == called")
class AddReturnsNothing(LocMemCache):
    """Forgets to return what add() returned."""

    async def aadd(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        await super().aadd(key, value, timeout, version)


@breaks("async.many-operations-agree", says="awaited == called")
class AGetManyForgetsVersion(LocMemCache):
    """Reads all keys at once, in the default version."""

    async def aget_many(self, keys, version=None):
        keys = list(keys)
        values = await asyncio.gather(*(self.aget(key, self) for key in keys))
        return {key: v for key, v in zip(keys, values, strict=True) if v is not self}


@breaks("async.get-or-set-agrees", says="awaited == called")
class AGetOrSetDropsNone(LocMemCache):
    """Takes a stored None for a missing key."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = await self.aget(key, version=version)
        if found is None:
            found = default() if callable(default) else default
            await self.aset(key, found, timeout, version)
        return found


@breaks("async.counters-agree", says="awaited == called")
class AIncrStartsAtZero(LocMemCache):
    """Counts from zero where the key is absent."""

    async def aincr(self, key, delta=1, version=None):
        await self.aadd(key, 0, version=version)
        return await super().aincr(key, delta, version)


@breaks("async.version-changes-agree", says="awaited == called")
class KeepsTheOldVersion(LocMemCache):
    """Copies the entry to the new version, and leaves the old one."""

    async def aincr_version(self, key, delta=1, version=None):
        version = self.version if version is None else version
        found = await self.aget(key, self, version=version)
        if found is self:
            raise ValueError(key)
        await self.aset(key, found, version=version + delta)
        return version + delta


@breaks("async.shares-entries-with-sync", says="VERSION")
class FixedVersion(LocMemCache):
    """Has native operations that put version 1 in every key."""

    async def aget(self, key, default=None, version=None):
        return await super().aget(key, default, version or 1)

    async def aset(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return await super().aset(key, value, timeout, version or 1)


@breaks("async.validates-keys-alike", says="aget")
class DoesNotValidate(LocMemCache):
    """Makes the key in its native operation, and does not validate it."""

    async def aget(self, key, default=None, version=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CacheKeyWarning)
            return self.get(key, default, version)


@breaks("async.variants-use-sync-overrides", says="'get_many'", django=">=6.1")
class LoopsOverKeys(LocMemCache):
    """Brings the loop of Django 5.2 along."""

    async def aget_many(self, keys, version=None):
        found = {key: await self.aget(key, self, version) for key in keys}
        return {key: value for key, value in found.items() if value is not self}


@breaks("async.variants-use-native-ones", says="adecr()")
class ADecrInAThread(LocMemCache):
    """Calls decr() in a thread, although adecr() would use aincr()."""

    async def adecr(self, key, delta=1, version=None):
        return await sync_to_async(self.decr)(key, delta, version)


@breaks("async.aget-leaves-the-loop-free", says="all(waits)")
class BlocksTheLoop(LocMemCache):
    """Calls the sync operation where it is."""

    async def aget(self, key, default=None, version=None):
        return self.get(key, default, version)


def in_a_pool(name):
    """An async variant that calls the operation on a thread of the event loop's pool."""

    async def variant(self, *args, **kwargs):
        operation = partial(getattr(self, name), *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(None, operation)

    return variant


@breaks("async.context-variables-reach-the-key-function", says="aadd('add', 'second') returned")
class LeavesTheContextBehind(LocMemCache):
    """Calls its sync operations on threads that know nothing of the task's context."""

    aget, aset, aadd = in_a_pool("get"), in_a_pool("set"), in_a_pool("add")
    atouch, adelete = in_a_pool("touch"), in_a_pool("delete")
    aincr, adecr = in_a_pool("incr"), in_a_pool("decr")
    aget_many, aset_many = in_a_pool("get_many"), in_a_pool("set_many")
    ahas_key, adelete_many = in_a_pool("has_key"), in_a_pool("delete_many")
    aget_or_set = in_a_pool("get_or_set")


@breaks("async.concurrent-calls-keep-apart", says="== values")
class OneReplyForAll(LocMemCache):
    """Keeps the reply on the instance while another task may send its request."""

    async def aget(self, key, default=None, version=None):
        self.reply = self.get(key, default, version)
        await asyncio.sleep(0)
        return self.reply


@breaks("async.every-loop-may-be-busy", says="bound to a different event loop")
class LocksItsFirstLoop(LocMemCache):
    """Counts under a lock that belongs to the event loop in which a task has first waited."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.counting = asyncio.Lock()

    async def aincr(self, key, delta=1, version=None):
        async with self.counting:
            await asyncio.sleep(0)
            return await super().aincr(key, delta, version)


@breaks("async.takes-part-in-transactions-alike", says='undone(awaited, "set", "n", 2)')
class WritesOnAnyThread(DatabaseCache):
    """Writes on a thread of the event loop's pool, which has a connection of its own."""

    async def aset(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        await asyncio.to_thread(self._set_and_disconnect, key, value, timeout, version)

    def _set_and_disconnect(self, *args):
        self.set(*args)
        connections.close_all()


@breaks("async.concurrent-aadd-has-one-winner", says="winners in ([], [await cache.aget(key)])")
class LooksThenSets(LocMemCache):
    """Looks whether the key is there, and sets it if it was not."""

    async def aadd(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if await self.ahas_key(key, version):
            return False
        await self.aset(key, value, timeout, version)
        return True


@breaks("async.concurrent-aget-or-set-agrees", says="set(found)")
class SetsAndReturnsItsOwn(LocMemCache):
    """Sets its default and returns it, whatever another task has stored meanwhile."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = await self.aget(key, self, version)
        if found is self:
            found = default() if callable(default) else default
            await self.aset(key, found, timeout, version)
        return found


class TwoSteps(LocMemCache):
    """Reads and writes in its async increment, though incr() is one step."""

    async def aincr(self, key, delta=1, version=None):
        value = await self.aget(key, self, version)
        if value is self:
            raise ValueError(key)
        await self.aset(key, value + delta, version=version)
        return value + delta


breaks("async.aincr-is-as-atomic-as-incr", says="sorted(counts)")(TwoSteps)
breaks("async.aincr-treats-expiry-as-incr", says="left_by_async == left_by_sync")(TwoSteps)


@breaks("async.adecr-treats-zero-as-decr", says="awaited == called")
class ADecrStopsAtZero(LocMemCache):
    """Stops at zero, which its decr() does not."""

    async def adecr(self, key, delta=1, version=None):
        value = await self.aget(key, 0, version)
        return await self.aincr(key, -min(delta, value), version)


@breaks("async.aincr-treats-wrong-types-as-incr", says="awaited == called")
class AIncrConverts(LocMemCache):
    """Raises an error of its own for what is no number."""

    async def aincr(self, key, delta=1, version=None):
        try:
            return await super().aincr(key, delta, version)
        except TypeError as error:
            raise RuntimeError("value is not an integer") from error


@breaks("async.coroutine-function-as-default", says="aget('k')")
class StoresARepr(LocMemCache):
    """Stores what a coroutine looks like before it notices that this makes no sense."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if asyncio.iscoroutinefunction(default):
            await self.aset(key, str(default), timeout, version)
            raise TypeError("the default is a coroutine function")
        return await super().aget_or_set(key, default, timeout, version)


@breaks("async.sync-calls-inside-the-loop", says="found ==")
class MissesInsideTheLoop(LocMemCache):
    """Answers every sync call inside a running loop with a miss."""

    def get(self, key, default=None, version=None):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return super().get(key, default, version)
        return default

    get_many = BaseCache.get_many
