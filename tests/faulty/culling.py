"""Faults of culling."""

import pickle

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections

from faulty import breaks


@breaks("culling.max-entries-is-honoured-ignored-or-refused", says="max(entries) <= LIMIT + 1")
class CullsAtTwiceTheLimit(LocMemCache):
    """Lets the store grow past the limit, and loses entries all the same."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._max_entries += 4


@breaks(
    "culling.max-entries-is-honoured-ignored-or-refused", says="held_of_two < 1.5 * held_of_one"
)
class EachShardHoldsAll(LocMemCache):
    """Spreads its entries over eight parts, each of which may hold MAX_ENTRIES."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._max_entries *= 8


@breaks("culling.built-in-backends-cull", says="max(overflow(limited(alias)))")
class CountsItsOwnEntries(LocMemCache):
    """Compares MAX_ENTRIES with what this instance has written since it was full."""

    _written = 0

    def _cull(self):
        self._written += 1
        if self._written > self._max_entries:
            self._written = 0
            super()._cull()


@breaks("culling.never-exceeds-max-entries", says="len(left) <= FEW + 1")
class AddNeverCulls(LocMemCache):
    """Culls in set() alone."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        limit, self._max_entries = self._max_entries, 1_000_000
        try:
            return super().add(key, value, timeout, version)
        finally:
            self._max_entries = limit


@breaks("culling.keeps-up-to-max-entries", says="overflow(limited(alias), LIMIT)")
class CullsEarly(LocMemCache):
    """Culls when one more entry would fill the store."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        if len(self._cache) >= self._max_entries - 1:
            self._cull()
        super()._set(key, value, timeout)


@breaks("culling.rewriting-adds-no-entry", says="get('other') returned None")
class CountsWrites(LocMemCache):
    """Counts what it writes, and makes room when it has written MAX_ENTRIES times."""

    _written = 0

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        self._written += 1
        if self._written > self._max_entries and self._cache:
            oldest, _ = self._cache.popitem()
            del self._expire_info[oldest]
        super()._set(key, value, timeout)


@breaks("culling.keeps-a-thousand-entries", says="== 1_010")
class ThousandAtMost(LocMemCache):
    """Takes no MAX_ENTRIES above a bound of its own."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._max_entries = min(self._max_entries, 1_000)


@breaks("culling.max-entries-defaults-to-300", says="stored = ")
class DefaultOfAHundred(LocMemCache):
    """Has another default."""

    def __init__(self, name, params):
        super().__init__(name, params)
        if "MAX_ENTRIES" not in params.get("OPTIONS", {}):
            self._max_entries = 100


@breaks("culling.spares-the-newest-entry", says="returned None")
class CullsTheNewest(LocMemCache):
    """Writes first, and then evicts from the wrong end."""

    def _cull(self):
        pass

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        super()._set(key, value, timeout)
        while len(self._cache) > self._max_entries:
            newest, _ = self._cache.popitem(last=False)
            del self._expire_info[newest]


@breaks("culling.max-entries-below-one", says="get('k0') returned None")
class NothingFits(LocMemCache):
    """Stores nothing where nothing may be stored."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        if self._max_entries > 0:
            super()._set(key, value, timeout)


@breaks("culling.removes-its-share", says="removed - before * share")
class CullsOneByOne(LocMemCache):
    """Evicts the oldest entry alone, whatever CULL_FREQUENCY says."""

    def _cull(self):
        oldest, _ = self._cache.popitem()
        del self._expire_info[oldest]


@breaks("culling.removes-its-share", says="where value = 2")
class AlwaysAThird(LocMemCache):
    """Does not read CULL_FREQUENCY."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._cull_frequency = self._cull_frequency and 3


@breaks("culling.removes-its-share", says="removed - before * share")
class DeletesTheRemainder(DatabaseCache):
    """Takes the remainder of the division by CULL_FREQUENCY for its quotient."""

    def _cull(self, db, cursor, now, num):
        table = connections[db].ops.quote_name(self._table)
        first = f"SELECT cache_key FROM {table} ORDER BY cache_key LIMIT {num % 3}"
        cursor.execute(f"DELETE FROM {table} WHERE cache_key IN ({first})")


@breaks("culling.removes-its-share", says="where value = None")
class AQuarterByDefault(LocMemCache):
    """Has a default of its own for CULL_FREQUENCY."""

    def __init__(self, name, params):
        super().__init__(name, params)
        if "CULL_FREQUENCY" not in params.get("OPTIONS", {}):
            self._cull_frequency = 4


@breaks("culling.frequency-zero-empties-the-store", says="culled = []")
class ZeroSwitchesCullingOff(LocMemCache):
    """Culls nothing where CULL_FREQUENCY is 0."""

    def _cull(self):
        if self._cull_frequency != 0:
            super()._cull()


@breaks("culling.frequency-zero-empties-the-store", says="culled")
class ZeroIsDefault(LocMemCache):
    """Takes a CULL_FREQUENCY of 0 for the default."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._cull_frequency = self._cull_frequency or 3


@breaks("culling.permanent-entries-count", says="timeout=None")
class PermanentAreExempt(LocMemCache):
    """Counts and evicts only what can expire."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        limit = self._max_entries
        self._max_entries += sum(expiry is None for expiry in self._expire_info.values())
        super()._set(key, value, timeout)
        self._max_entries = limit


@breaks("culling.versions-and-prefixes-share-the-limit", says="sum(left)")
class CountsItsVersion(LocMemCache):
    """Counts the entries whose key begins like the one that is written."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        limit, start = self._max_entries, key.rpartition(":")[0]
        self._max_entries += sum(not other.startswith(start) for other in self._cache)
        super()._set(key, value, timeout)
        self._max_entries = limit


@breaks("culling.reading-evicts-nothing", says="touch(")
class RefusedAddCulls(LocMemCache):
    """Makes room before it knows whether the key is there."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if len(self._cache) >= self._max_entries:
            oldest, _ = self._cache.popitem()
            del self._expire_info[oldest]
        return super().add(key, value, timeout, version)


@breaks("culling.victims", says="value == key")
class ShiftsValues(LocMemCache):
    """Reuses the slot of an entry that it has evicted while another still points to it."""

    def _cull(self):
        super()._cull()
        oldest, newest = next(reversed(self._cache)), next(iter(self._cache))
        self._cache[oldest] = self._cache[newest]


@breaks("culling.locmem-forgets-the-least-recently-used", says="where value = 'get'")
class FirstInFirstOut(LocMemCache):
    """Does not note in get() that the entry was used."""

    def get(self, key, default=None, version=None):
        key = self.make_and_validate_key(key, version=version)
        with self._lock:
            if self._has_expired(key):
                self._delete(key)
                return default
            pickled = self._cache[key]
        return pickle.loads(pickled)


@breaks("culling.overwriting-at-the-limit", says="get('k5')")
class KeepsTheOldValue(LocMemCache):
    """Refuses every write while the store is full."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if len(self._cache) < self._max_entries or not self.has_key(key, version):
            super().set(key, value, timeout, version)


@breaks("culling.expired-entries-may-count", says="'expired")
class FullStoresKeepExpired(LocMemCache):
    """Overwrites the expiry of an entry when it evicts another."""

    def _cull(self):
        super()._cull()
        self._expire_info.update(dict.fromkeys(self._cache))


@breaks("culling.odd-frequencies", says="min(entries) > 0")
class NegativeDropsAll(LocMemCache):
    """Empties the store after the write where CULL_FREQUENCY makes no sense."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        super()._set(key, value, timeout)
        if self._cull_frequency < 0 and len(self._cache) >= self._max_entries:
            self._cache.clear()
            self._expire_info.clear()


@breaks("culling.threads-may-cull-at-once", says="RuntimeError")
class LooksForRoomWithoutTheLock(LocMemCache):
    """Looks through the entries for expired ones, at the limit, before it takes the lock."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        expired = []
        if len(self._cache) >= self._max_entries:
            expired.extend(full for full in self._cache if self._has_expired(full))
        with self._lock:
            for full in expired:
                self._delete(full)
        super().set(key, value, timeout, version)
