"""Faults of clear."""

from pathlib import Path

from django.core.cache.backends import locmem
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


@breaks("clear.removes-every-entry", says="get('permanent') returned 2")
class ClearsWhatExpires(LocMemCache):
    """Deletes the rows whose expiry lies before the end of time."""

    def clear(self):
        for key, expiry in list(self._expire_info.items()):
            if expiry is not None:
                self._delete(key)


@breaks("clear.removes-every-entry", says="aget('brief') returned 1")
class AsyncClearDoesNothing(LocMemCache):
    """Has an aclear() that nobody wrote."""

    async def aclear(self):
        pass


@breaks("clear.removes-other-versions", says="version=2")
class ClearsItsVersion(LocMemCache):
    """Deletes the keys that begin like its own, version included."""

    def clear(self):
        _clear_keys(self, lambda key: f":{self.version}:" in key)


@breaks("clear.removes-other-prefixes", says="get('k') returned 'v'")
class ClearsItsPrefix(LocMemCache):
    """Deletes the keys that begin with its own prefix."""

    def clear(self):
        _clear_keys(self, lambda key: key.startswith(f"{self.key_prefix}:"))


def _clear_keys(cache, mine):
    for key in [key for key in cache._cache if mine(key)]:
        cache._delete(key)


@breaks("clear.removes-thousands", says="returned {'k4-192': 'v'")
class ClearsOnePage(LocMemCache):
    """Deletes the keys that its store lists in one request: the first thousand."""

    def clear(self):
        for key in list(self._expire_info)[:1000]:
            self._delete(key)


@breaks("clear.leaves-no-trace", says="add('add', 'new') returned False")
class RemembersAddedKeys(LocMemCache):
    """Keeps a set of known keys for add(), which clear() does not know of."""

    known = set()  # noqa: RUF012

    def set(self, key, *args, **kwargs):
        super().set(key, *args, **kwargs)
        self.known.add(self.make_key(key))

    def add(self, key, *args, **kwargs):
        return self.make_key(key) not in self.known and super().add(key, *args, **kwargs)


@breaks("clear.empty-store-is-harmless", says="KeyError")
class ClearsOnce(LocMemCache):
    """Drops the store itself, which the second time is not there."""

    def clear(self):
        if not self._cache:
            raise KeyError("the table does not exist")
        super().clear()


@breaks("clear.spares-other-stores", says="get('k') returned None")
class ClearsEveryStore(LocMemCache):
    """Empties all stores of the process."""

    def clear(self):
        for name, store in locmem._caches.items():
            store.clear()
            locmem._expire_info[name].clear()


@breaks("clear.returns-anything", says="isinstance(returned, int)")
class ClearReturnsItself(LocMemCache):
    """Returns the cache, to be called on."""

    def clear(self):
        super().clear()
        return self


@breaks("clear.spares-other-files", says="lost = ['notes.txt', 'djcache']")
class ClearsTheDirectory(FileBasedCache):
    """Removes whatever file is in its directory."""

    def clear(self):
        for path in Path(self._dir).glob("[!.]*"):
            if path.is_file():
                path.unlink()
