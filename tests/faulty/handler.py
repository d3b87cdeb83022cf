"""Faults that show in the caches handler and the cache proxy."""

from collections import OrderedDict
from contextlib import suppress
from threading import get_ident
from weakref import WeakValueDictionary

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_started

from faulty import breaks


def forget():
    """Make the handler build the default cache anew."""
    with suppress(AttributeError):
        del caches["default"]


@breaks("handler.same-object-in-a-thread", says='caches["default"] is first')
class RenewsItselfAfterWrites(LocMemCache):
    """Has the handler build a new instance after each write."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        forget()


@breaks("handler.another-object-in-another-thread", says="mine is not theirs")
@breaks("handler.tasks-build-what-their-parent-has-not", says="first is not second")
@breaks("handler.all-builds-every-alias", says="instances[1] is not first")
@breaks("handler.override-closes-and-drops", says='caches["default"] is not before')
class Singleton(LocMemCache):
    """Is built once, and the same for every alias and thread."""

    _instance = None

    def __new__(cls, location, params):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance


@breaks("handler.threads-share-the-store", says="found = {}")
class StoreOfAThread(LocMemCache):
    """Has a store for each thread."""

    def __init__(self, name, params):
        super().__init__(f"{name}-{get_ident()}", params)


@breaks("handler.threads-share-the-store", says="'deleted': 2")
class DeletesInItsOwnThread(LocMemCache):
    """Marks as deleted what it has deleted, for itself alone."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.deleted = set()

    def delete(self, key, version=None):
        self.deleted.add(self.make_key(key, version))
        return True

    def get(self, key, default=None, version=None):
        if self.make_key(key, version) in self.deleted:
            return default
        return super().get(key, default, version)


class Entries:
    def __init__(self):
        self.values, self.expiry = OrderedDict(), {}


@breaks("handler.entries-outlive-instances", says="found = None")
class StoreOfItsInstances(LocMemCache):
    """Has a store that lives as long as an instance does, as a database in memory would."""

    stores = WeakValueDictionary()  # noqa: RUF012

    def __init__(self, name, params):
        super().__init__(name, params)
        self.entries = self.stores.setdefault(name, Entries())
        self._cache, self._expire_info = self.entries.values, self.entries.expiry


@breaks("handler.sync-and-async-code-share-the-instance", says="value = None")
class StoreOfAsyncCode(LocMemCache):
    """Has a client of its own for async code, with a store of its own."""

    async def aset(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(f"async-{key}", value, timeout, version)

    async def aget(self, key, default=None, version=None):
        return super().get(f"async-{key}", default, version)


@breaks("handler.tasks-share-what-their-parent-has", says="first is mine")
class RenewsItselfAfterAsyncReads(LocMemCache):
    """Has the handler build a new instance after each read in async code."""

    async def aget(self, key, default=None, version=None):
        forget()
        return await super().aget(key, default, version)


class EveryAlias(dict):
    def __contains__(self, alias):
        return True

    def __missing__(self, alias):
        return self["default"]


@breaks("handler.unknown-alias-raises", says="no InvalidCacheBackendError")
class StandsInForEveryAlias(LocMemCache):
    """Makes the handler give the default cache for every name."""

    def __init__(self, name, params):
        super().__init__(name, params)
        caches.settings = EveryAlias(caches.settings)


@breaks("handler.unimportable-backend-raises", says="MissingCache gave")
class HasOldNames(LocMemCache):
    """Has a module that takes every unknown name for an old name of the backend."""


def __getattr__(name):
    if name.endswith("Cache"):
        return HasOldNames
    raise AttributeError(name)


class Explains(type):
    def __call__(cls, location, params):
        try:
            return super().__call__(location, params)
        except Exception as error:
            raise ImproperlyConfigured(f"the cache cannot be built: {error}") from error


@breaks("handler.constructor-error-passes", says="came is error")
class ExplainsErrors(LocMemCache, metaclass=Explains):
    """Wraps each error of its constructor in another."""


@breaks("handler.iterates-over-aliases", says="names = ['default', 'other', 'tags']")
class AddsAnAlias(LocMemCache):
    """Adds an alias for its own use to the settings."""

    def __init__(self, name, params):
        super().__init__(name, params)
        caches.settings["tags"] = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}


@breaks("handler.all-initialized-only-builds-none", says="len(instances) == 1")
class BuildsItsFallback(LocMemCache):
    """Builds every other alias when it is built, to fall back on it."""

    building = False

    def __init__(self, name, params):
        super().__init__(name, params)
        if not BuildsItsFallback.building:
            BuildsItsFallback.building = True
            try:
                self.fallbacks = [caches[alias] for alias in caches if alias != "default"]
            finally:
                BuildsItsFallback.building = False


@breaks("handler.close-all-builds-none", says="len(instances) == 1")
@breaks("handler.request-end-closes", says="len(instances) == 1")
class ClosesEveryAlias(LocMemCache):
    """Looks at all aliases in close(), also at those that nobody has used."""

    def close(self, **kwargs):
        self.others = [other for other in caches.all() if other is not self]


@breaks("handler.proxy-forwards-attributes", says="not hasattr(in_a_thread")
class Borg(LocMemCache):
    """Shares all attributes between its instances."""

    _shared = {}  # noqa: RUF012 - the fault

    def __init__(self, name, params):
        self.__dict__ = self._shared
        super().__init__(name, params)


@breaks("handler.proxy-forwards-in", says='"k" in proxy')
class LooksForTheBareKey(LocMemCache):
    """Looks in the store for the key as it is, without prefix and version."""

    def __contains__(self, key):
        return key in self._cache


@breaks("handler.proxy-equals-the-default-cache", says='proxy == caches["default"]')
class EqualsNothing(LocMemCache):
    """Compares what is never the same."""

    __hash__ = LocMemCache.__hash__

    def __eq__(self, other):
        return object() is other


@breaks("handler.override-takes-effect-at-once", says='proxy.get("k") is None')
class ReadsSettingsOnce(LocMemCache):
    """Keeps the first settings that it was given for all instances."""

    _settings = None

    def __init__(self, name, params):
        cls = type(self)
        cls._settings = cls._settings or params
        super().__init__(name, cls._settings)


@breaks("handler.request-end-closes", says="TypeError")
@breaks("handler.close-all-builds-none", says="TypeError")
@breaks("handler.override-closes-and-drops", says="TypeError")
class CloseIsAReceiver(LocMemCache):
    """Wants the sender of the signal as an argument of close()."""

    def close(self, sender, **kwargs):
        pass


@breaks("handler.request-end-keeps-the-instance", says='caches["default"] is before')
class ForgetsItselfAtClose(LocMemCache):
    """Has the handler build a new instance after close()."""

    def close(self, **kwargs):
        forget()


@breaks("handler.request-end-keeps-the-instance", says="value = None")
class DisabledByClose(LocMemCache):
    """Finds nothing any more once it was closed."""

    closed = False

    def close(self, **kwargs):
        self.closed = True

    def get(self, key, default=None, version=None):
        return default if self.closed else super().get(key, default, version)


@breaks("handler.request-start-keeps-data", says="value = None")
class CachesOneRequest(LocMemCache):
    """Keeps what it stores for one request, and drops it when the next one starts."""

    def __init__(self, name, params):
        super().__init__(name, params)
        request_started.connect(self.begin)

    def begin(self, **kwargs):
        self.clear()


@breaks("handler.aliases-share-the-store", says="get('k') returned 2")
class RemembersReads(LocMemCache):
    """Keeps what it has read, and does not ask the store again."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.known = {}

    def get(self, key, default=None, version=None):
        made = self.make_key(key, version)
        if made not in self.known:
            value = super().get(key, self.known, version)
            if value is self.known:
                return default
            self.known[made] = value
        return self.known[made]

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.known.pop(self.make_key(key, version), None)
        super().set(key, value, timeout, version)


@breaks("handler.aliases-share-the-store", says="aget('deleted') returned 2")
class AsyncReadsComeFromMemory(LocMemCache):
    """Keeps what it has written, and aget() looks there first."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.written = {}

    async def aset_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        self.written.update({key: data[key] for key in data if key == "deleted"})
        return await super().aset_many(data, timeout, version)

    async def adelete(self, key, version=None):
        return await super().adelete(key, version)

    async def aget_many(self, keys, version=None):
        found = await super().aget_many(keys, version)
        self.written.update({key: found[key] for key in found if key == "deleted"})
        return found

    async def aget(self, key, default=None, version=None):
        return self.written.get(key, await super().aget(key, default, version))
