"""Faults under concurrency."""

import os
import pickle
import time
from pathlib import Path

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


@breaks("concurrency.incr-may-be-atomic", says="0 < cache.get('n')".replace("'", '"'))
class CountsTwice(LocMemCache):
    """Counts again when it believes that its first attempt was lost."""

    def incr(self, key, delta=1, version=None):
        super().incr(key, delta, version)
        return super().incr(key, delta, version)


@breaks("concurrency.native-incr-is-atomic", says="sorted(chain.from_iterable(counts))")
class ReadsThenWrites(LocMemCache):
    """Reads and writes in two steps, to keep the remaining time."""

    def incr(self, key, delta=1, version=None):
        value = self.get(key, self, version)
        if value is self:
            raise ValueError(key)
        self._keep(self.make_key(key, version), value + delta)
        return value + delta

    def _keep(self, key, value):
        expiry = self._expire_info[key]
        self._set(key, self._pickled(value))
        self._expire_info[key] = expiry

    def _pickled(self, value):
        return pickle.dumps(value, self.pickle_protocol)


@breaks("concurrency.counting-revives-nothing", says="revived = {")
class LooksAndThenCounts(ReadsThenWrites):
    """Looks whether there is a counter, and then counts, from 0 where it has gone meanwhile."""

    def incr(self, key, delta=1, version=None):
        if not self.has_key(key, version):
            raise ValueError(key)
        made = self.make_key(key, version)
        with self._lock:
            value = pickle.loads(self._cache[made]) if made in self._cache else 0
            self._expire_info.setdefault(made, None)
            self._keep(made, value + delta)
        return value + delta


@breaks("concurrency.clear-beside-others", says="RuntimeError")
class CountsWithoutItsLock(LocMemCache):
    """Counts what it clears, for a log, while others write."""

    cleared = 0

    def clear(self):
        self.cleared += sum(not self._has_expired(key) for key in self._cache)
        super().clear()


@breaks("concurrency.clear-beside-others", says="FileNotFoundError")
class ClearsWhatWasThere(FileBasedCache):
    """Lists its files and removes each, though another thread may have done so."""

    def clear(self):
        for name in self._list_cache_files():
            os.remove(name)


@breaks("concurrency.threads-may-make-the-directory", says="FileExistsError")
class MakesItsDirectoryIfMissing(FileBasedCache):
    """Looks whether its directory is there, and makes it if not, whoever does so, too."""

    def _createdir(self):
        directory = Path(self._dir)
        missing = [each for each in (*directory.parents, directory) if not each.exists()]
        for each in sorted(missing):
            each.mkdir(0o700)


@breaks("concurrency.add-has-one-winner", says="winners in")
class LooksThenSets(LocMemCache):
    """Looks whether the key is there, and sets it if it was not."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.has_key(key, version):
            return False
        self.set(key, value, timeout, version)
        return True


@breaks("concurrency.delete-has-one-winner", says="deleted.count(True) <= 1")
class LooksThenDeletes(LocMemCache):
    """Looks whether the key is there, and removes it whatever became of it meanwhile."""

    def delete(self, key, version=None):
        found = self.has_key(key, version)
        super().delete(key, version)
        return found


@breaks("concurrency.delete-has-one-winner", says="FileNotFoundError")
class RemovesAFileThatIsGone(FileBasedCache):
    """Takes a file that was there a moment ago for one that still is."""

    def _delete(self, fname):
        if not os.path.exists(fname):
            return False
        time.sleep(0.001)
        os.remove(fname)
        return True


@breaks("concurrency.touch-keeps-a-newer-value", says="'old'")
class TouchGetsAndSets(LocMemCache):
    """Reads the value and stores it with the new timeout."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        value = self.get(key, self, version)
        if value is self:
            return False
        self.set(key, value, timeout, version)
        return True


@breaks("concurrency.expired-entry-gives-way", says='"new")')
class DeletesWhatHadExpired(LocMemCache):
    """Deletes an entry that was found expired, whatever is stored under its key by then."""

    def get(self, key, default=None, version=None):
        final_key = self.make_and_validate_key(key, version=version)
        with self._lock:
            expired = self._has_expired(final_key)
        if expired:
            self.delete(key, version)
            return default
        return super().get(key, default, version)


@breaks("concurrency.get-or-set-agrees", says="set(found)")
class SetsAndReturnsItsOwn(LocMemCache):
    """Sets its default and returns it, whatever another thread has stored meanwhile."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = self.get(key, self, version)
        if found is self:
            found = default() if callable(default) else default
            self.set(key, found, timeout, version)
        return found


@breaks("concurrency.set-is-whole", says="whole in found")
class SetsInPieces(LocMemCache):
    """Writes a large value in two pieces, where readers see the first alone."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if len(value) > 1000:
            super().set(key, value[:1000], timeout, version)
            time.sleep(0.001)
        super().set(key, value, timeout, version)


@breaks("concurrency.touch-leaves-value-whole", says="whole in found")
class TouchRewrites(TouchGetsAndSets, SetsInPieces):
    """Writes the value again when it is touched, in two pieces."""


@breaks("concurrency.set-many-may-show-halfway", says="pairs.keys()")
class DeletesFirst(LocMemCache):
    """Deletes the old values before it writes the new ones."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        self.delete_many(data, version)
        time.sleep(0.001)
        return super().set_many(data, timeout, version)


@breaks("concurrency.processes-may-share", says="found in")
@breaks("concurrency.entries-may-outlive-their-process", says="found in")
class OpensItsOwnFormat(FileBasedCache):
    """Cannot read what another process has written, and says so in the value."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, (os.getpid(), value), timeout, version)

    def get(self, key, default=None, version=None):
        found = super().get(key, self, version)
        if found is self:
            return default
        process, value = found
        return value if process == os.getpid() else found


@breaks("concurrency.transactions-may-take-writes-back", says='cache.get("k") == "new"')
class WritesOnCommit(LocMemCache):
    """Waits with its writes for the end of a transaction, and reads the old value meanwhile."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        from django.db import connections, transaction

        write = super().set
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block:
                transaction.on_commit(lambda: write(key, value, timeout, version), connection.alias)
                return
        write(key, value, timeout, version)

    get_many = BaseCache.get_many


@breaks("concurrency.add-has-one-winner-at-expiry", says="winners in")
class AddsOverTheExpired(LocMemCache):
    """Adds atomically where nothing is, and in two steps where an entry has expired."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        full = self.make_and_validate_key(key, version)
        with self._lock:
            expired = full in self._cache and self._has_expired(full)
        if not expired:
            return super().add(key, value, timeout, version)
        time.sleep(0.002)
        self.set(key, value, timeout, version)
        return True
