"""Faults that show in BaseCache's own methods, and faults of the dummy backend."""

import inspect
import pickle
from copy import deepcopy

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


@breaks("extending.six-methods-are-provided", says="touch('k') raised NotImplementedError")
class HasNoTouch(LocMemCache):
    """Does not provide touch()."""

    touch = BaseCache.touch


@breaks("extending.six-methods-are-provided", says="is not BaseCache.clear")
class HasNoClear(LocMemCache):
    """Does not provide clear()."""

    clear = BaseCache.clear


@breaks("extending.six-methods-suffice", says="returned {'a': 1, 'absent': <object")
@breaks("extending.six-methods-suffice-for-in", says='"absent" not in cache')
class GetCopiesTheDefault(LocMemCache):
    """Returns a copy of the default from get()."""

    def get(self, key, default=None, version=None):
        return deepcopy(super().get(key, default, version))


@breaks("extending.six-methods-suffice", says="get_many(['a', 'b', 'absent']) returned {'a': 1}")
@breaks("extending.six-methods-suffice-for-in", says='"k" in cache')
class GetTakesNoneForAbsent(LocMemCache):
    """Gives the default for an entry that holds None."""

    def get(self, key, default=None, version=None):
        value = super().get(key, None, version)
        return default if value is None else value


@breaks("extending.six-methods-suffice", says="get_or_set('c'")
class AddNeedsATimeout(LocMemCache):
    """Adds nothing where the timeout is the default one."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is DEFAULT_TIMEOUT:
            raise TypeError("a timeout is needed")
        return super().add(key, value, timeout, version)


@breaks("extending.six-methods-suffice-for-versions", says="get('k') returned None")
class DeleteForgetsTheVersion(LocMemCache):
    """Deletes the current version of a key, whichever is asked for."""

    def delete(self, key, version=None):
        return super().delete(key)


@breaks("extending.decr-uses-incr", says='"incr" in used')
class DecrOfItsOwn(LocMemCache):
    """Implements decr() beside incr()."""

    def decr(self, key, delta=1, version=None):
        return LocMemCache.incr(self, key, -delta, version)

    async def adecr(self, key, delta=1, version=None):
        return await LocMemCache.aincr(self, key, -delta, version)


@breaks("extending.decr-version-uses-incr-version", says='"incr_version" in used')
class DecrVersionOfItsOwn(LocMemCache):
    """Implements decr_version() beside incr_version()."""

    def decr_version(self, key, delta=1, version=None):
        return LocMemCache.incr_version(self, key, -delta, version)


@breaks("extending.decr-version-uses-incr-version", says='"incr_version" in used')
class AsyncDecrVersionOfItsOwn(LocMemCache):
    """Implements adecr_version() beside aincr_version()."""

    async def adecr_version(self, key, delta=1, version=None):
        version = version or self.version
        await self.aset(key, await self.aget(key, version=version), version=version - delta)
        await self.adelete(key, version=version)
        return version - delta


@breaks("extending.in-uses-has-key", says='"has_key" in used')
class ContainsOfItsOwn(LocMemCache):
    """Implements ``in`` beside has_key()."""

    def __contains__(self, key):
        return self.get(key, self) is not self


@breaks("extending.function-on-the-instance", says="TypeError")
class WantsMethods(LocMemCache):
    """Raises TypeError where get_many() is no method."""

    async def aget_many(self, keys, version=None):
        if not inspect.ismethod(self.get_many):
            raise TypeError("get_many must be a method")
        return await super().aget_many(keys, version)


@breaks("dummy.stores-nothing", says="get('get_or_set') returned 'v'")
class DummyKeepsDefaults(DummyCache):
    """Stores what get_or_set() is given."""

    def __init__(self, host, params):
        super().__init__(host, params)
        self.kept = {}

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        self.kept[key] = default
        return super().get_or_set(key, default, timeout, version)

    def get(self, key, default=None, version=None):
        return self.kept.get(key, super().get(key, default, version))


@breaks("dummy.stores-nothing", says="aget('set') returned 'v'")
class AsyncDummyStores(DummyCache):
    """Stores in async code."""

    def __init__(self, host, params):
        super().__init__(host, params)
        self.kept = {}

    async def aset(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.kept[key] = value

    async def aget(self, key, default=None, version=None):
        return self.kept.get(key, default)


@breaks("dummy.set-returns-none", says="set('k', 'v') returned True")
class DummySetReturnsTrue(DummyCache):
    """Says that set() has worked."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        return True


@breaks("dummy.get-returns-default", says="get('k', default=<object")
class DummyLosesNamedDefault(DummyCache):
    """Takes the default by position alone."""

    def get(self, key, *default, version=None, **kwargs):
        return super().get(key, *default, version=version)


@breaks("dummy.add-returns-true", says="returned False")
class DummyAddReturnsFalse(DummyCache):
    """Says that add() has stored nothing."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().add(key, value, timeout, version)
        return False


@breaks("dummy.touch-returns-false", says="touch('k') returned None")
class DummyTouchReturnsNone(DummyCache):
    """Says nothing in touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        super().touch(key, timeout, version)


@breaks("dummy.delete-returns-false", says="delete('k') returned True")
class DummyDeleteReturnsTrue(DummyCache):
    """Says that delete() has worked."""

    def delete(self, key, version=None):
        super().delete(key, version)
        return True


@breaks("dummy.has-key-returns-false", says="has_key('k') returned 0")
class DummyHasKeyCounts(DummyCache):
    """Returns a count from has_key()."""

    def has_key(self, key, version=None):
        return int(super().has_key(key, version))


@breaks("dummy.contains-nothing", says='"k" not in cache')
class DummyContainsEverything(DummyCache):
    """Has every key."""

    def __contains__(self, key):
        return True


@breaks("dummy.get-many-is-empty", says="get_many(['a', 'b']) returned {'a': None, 'b': None}")
class DummyGetManyNamesKeys(DummyCache):
    """Gives None for each key in get_many()."""

    def get_many(self, keys, version=None):
        return dict.fromkeys(keys)


@breaks("dummy.set-many-is-empty", says="set_many({'a': 1, 'b': 2}) returned ['a', 'b']")
class DummySetManyFails(DummyCache):
    """Says that every key has failed in set_many()."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        super().set_many(data, timeout, version)
        return list(data)


@breaks("dummy.incr-raises-valueerror", says="no ValueError")
class DummyCounts(DummyCache):
    """Counts from 0 in incr()."""

    def incr(self, key, delta=1, version=None):
        return delta


@breaks("dummy.incr-raises-valueerror", says="decr('n') returned 0")
class DummyDecrStopsAtZero(DummyCache):
    """Returns 0 from decr()."""

    def decr(self, key, delta=1, version=None):
        return 0


@breaks("dummy.incr-version-raises-valueerror", says="no ValueError")
class DummyMovesVersions(DummyCache):
    """Returns a new version from incr_version()."""

    def incr_version(self, key, delta=1, version=None):
        return (version or self.version) + delta


@breaks("dummy.get-or-set-returns-default", says="get_or_set('k'")
class DummyGetOrSetReturnsNone(DummyCache):
    """Finds nothing in get_or_set()."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        return self.get(key, version=version)


@breaks("dummy.accepts-unpicklable-values", says="raised")
class DummyPickles(DummyCache):
    """Pickles what set() is given."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        pickle.dumps(value)
        super().set(key, value, timeout, version)


@breaks("dummy.clear-does-nothing", says="clear() returned True")
class DummyClearReturnsTrue(DummyCache):
    """Says that clear() has worked."""

    def clear(self):
        return True


@breaks("dummy.validates-keys", says="complains(cache.touch, key)")
class DummyTouchesAnyKey(DummyCache):
    """Does not look at the key in touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return False


@breaks("dummy.validates-keys", says='complains(cache.set_many, {key: "v"})')
class DummySetsAnyBatch(DummyCache):
    """Does not look at the keys in set_many()."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return []

    async def aset_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return []
