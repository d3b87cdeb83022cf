"""Faults that show in sessions."""

import json
from typing import ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


@breaks("session.is-loaded-as-it-was-saved", says="CreateError")
@breaks("session.asynchronous-methods-work", says="CreateError")
class AddsWithoutAWord(LocMemCache):
    """Returns nothing from add()."""

    def add(self, key, value, timeout=300, version=None):
        super().add(key, value, timeout, version)


@breaks("session.is-loaded-as-it-was-saved", says="data == BASKET")
class StoresFlatDictionaries(LocMemCache):
    """Stores a dictionary as a hash of strings."""

    def set(self, key, value, timeout=300, version=None):
        if isinstance(value, dict):
            value = {name: json.dumps(item) for name, item in value.items()}
        super().set(key, value, timeout, version)


@breaks("session.unsaved-changes-stay-out", says="'basket': [1, 2")
class KeepsTheObjectsThemselves(LocMemCache):
    """Stores and returns references instead of copies."""

    objects: ClassVar[dict] = {}

    def add(self, key, value, timeout=300, version=None):
        return self.objects.setdefault(self.make_key(key, version), value) is value

    def set(self, key, value, timeout=300, version=None):
        self.objects[self.make_key(key, version)] = value

    def get(self, key, default=None, version=None):
        return self.objects.get(self.make_key(key, version), default)

    def has_key(self, key, version=None):
        return self.make_key(key, version) in self.objects


@breaks("session.is-created-with-add", says="not backend.add")
@breaks("session.creation-tries-other-keys", says="session_key == proposed[2]")
class AddsOverEntries(LocMemCache):
    """Overwrites with add() and is content."""

    def add(self, key, value, timeout=300, version=None):
        self.set(key, value, timeout, version)
        return True


@breaks("session.creation-gives-up", says="loaded = {}")
@breaks("session.loading-survives-errors-of-get", says="CacheSession(key).load()")
class StoresEmptyDictionaries(LocMemCache):
    """Empties a dictionary on its way in, wherever it holds something."""

    def add(self, key, value, timeout=300, version=None):
        return super().add(key, type(value)(), timeout, version)

    def set(self, key, value, timeout=300, version=None):
        super().set(key, type(value)(), timeout, version)


@breaks("session.deleted-one-is-not-revived", says="no UpdateError")
@breaks("session.deleted-one-is-not-revived-asynchronously", says="no UpdateError")
@breaks("session.delete-removes-it", says="cached == [None, None]")
@breaks("session.flush-removes-it", says="left is None")
@breaks("session.cycle-key-moves-it", says="left is None")
class DeletesInTheBackground(LocMemCache):
    """Says that it has deleted an entry and leaves that for later."""

    def delete(self, key, version=None):
        return self.has_key(key, version)


@breaks("session.unknown-key-loads-empty", says="session.session_key is None")
class FindsSomethingEmpty(LocMemCache):
    """Returns an empty dictionary for a missing key."""

    def get(self, key, default=None, version=None):
        return super().get(key, {} if default is None else default, version)


@breaks("session.unusable-key-loads-empty", says="data = {'name': 'Zoe'}")
class CutsKeys(LocMemCache):
    """Keeps the beginning of a key, as a narrow column does."""

    def make_key(self, key, version=None):
        return super().make_key(key[:64], version)


@breaks("session.unusable-key-loads-empty", says="data = {'name': 'Zoe'}")
class StripsKeys(LocMemCache):
    """Strips the whitespace from keys."""

    def make_key(self, key, version=None):
        return super().make_key(key, version).strip()


@breaks("session.expires-with-its-age", says="loaded_names(keys) == [None, None]")
class AddsForTheDefault(LocMemCache):
    """Forgets the timeout in add()."""

    def add(self, key, value, timeout=300, version=None):
        return super().add(key, value, version=version)


@breaks("session.saving-again-renews-its-age", says="loaded_names(keys)")
class KeepsTheFirstExpiry(LocMemCache):
    """Leaves the expiry of an entry alone when it is overwritten."""

    def _set(self, key, value, timeout=300):
        expiry = self._expire_info.get(key)
        super()._set(key, value, timeout)
        if expiry is not None:
            self._expire_info[key] = expiry


@breaks("session.age-may-be-months", says="names = [None, 'Zoe']")
class TakesMonthsForADate(LocMemCache):
    """Hands a long timeout to memcached, which takes it for a date in 1970."""

    def get_backend_timeout(self, timeout=300):
        return timeout if timeout and timeout > 2592000 else super().get_backend_timeout(timeout)


@breaks("session.expiry-of-zero-lives-for-the-cookie-age", says="loaded_names(brief)")
class RoundsUpToMinutes(LocMemCache):
    """Counts in minutes."""

    def get_backend_timeout(self, timeout=300):
        return super().get_backend_timeout(timeout and max(timeout, 60))


@breaks("session.exists-tells-whether-a-key-is-taken", says="there")
class LooksForBareKeys(LocMemCache):
    """Looks for a key without its prefix and version."""

    def has_key(self, key, version=None):
        return key in self._cache


@breaks("session.deleting-an-absent-one-is-silent", says="KeyError")
class MissesWhatItDeletes(LocMemCache):
    """Raises KeyError when there is nothing to delete."""

    def delete(self, key, version=None):
        if not super().delete(key, version):
            raise KeyError(key)
        return True


@breaks("session.alias-setting-chooses-the-cache", says="entries = [{'name': 'Zoe'}")
class IgnoresThePrefix(LocMemCache):
    """Builds its keys without KEY_PREFIX."""

    def make_key(self, key, version=None):
        return f"{version or self.version}:{key}"


@breaks("session.cached-db-writes-the-database-first", says="cached = {'name': 'Zoe'}")
@breaks("session.cached-db-refills-the-cache", says="cached = None")
class KeepsTheFirstValue(LocMemCache):
    """Takes set() for add(), and for the memory of a key that it has deleted."""

    known: ClassVar[set] = set()

    def set(self, key, value, timeout=300, version=None):
        if (made := self.make_key(key, version)) not in self.known:
            self.known.add(made)
            super().set(key, value, timeout, version)


@breaks("session.cached-db-survives-a-failing-set", says="cached = None")
class ForgetsDictionaries(LocMemCache):
    """Loses every dictionary."""

    def get(self, key, default=None, version=None):
        value = super().get(key, default, version)
        return default if isinstance(value, dict) else value


@breaks(
    "session.cached-db-refills-for-the-remaining-age", says="in_the_cache(CachedDatabaseSession"
)
class NeverExpires(LocMemCache):
    """Ignores every timeout."""

    def get_backend_timeout(self, timeout=None):
        return None


@breaks("session.asynchronous-methods-work", says="can't be used in 'await'")
class AnswersAtOnce(LocMemCache):
    """Returns from aset() what should be awaited."""

    def aset(self, key, value, timeout=300, version=None):
        return self.set(key, value, timeout, version)


@breaks("session.asynchronous-methods-work", says="not await engine().aexists(first)")
@breaks("session.cached-db-asynchronous-methods-work", says="not await engine().aexists(first)")
class DeletesAsynchronouslyInTheBackground(LocMemCache):
    """Says that adelete() has deleted an entry and leaves that for later."""

    async def adelete(self, key, version=None):
        return await self.ahas_key(key, version)


@breaks("session.expiry-may-be-past", says="ValueError: the timeout is negative")
class RefusesThePast(LocMemCache):
    """Refuses a timeout below 0."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout is not DEFAULT_TIMEOUT and timeout is not None and timeout < 0:
            raise ValueError("the timeout is negative")
        return super().get_backend_timeout(timeout)
