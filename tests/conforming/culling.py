"""Backends that make room in other ways, or never have to."""

import pickle
import random
import time
from collections import OrderedDict, defaultdict
from math import inf
from threading import RLock

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms

STORES = defaultdict(OrderedDict)


class Evicting(LocMemCache):
    """Culls its share of the entries, in the order that :meth:`victims` gives."""

    def victims(self):
        """Return the keys, those that go first in front."""
        return list(self._cache)

    def _cull(self):
        if self._cull_frequency == 0:
            self._cache.clear()
            self._expire_info.clear()
            return
        for key in self.victims()[: len(self._cache) // self._cull_frequency]:
            self._delete(key)


@conforms
class EvictsAtRandom(Evicting):
    """Culls whatever it finds."""

    def victims(self):
        return random.sample(list(self._cache), len(self._cache))


@conforms
class EvictsNewestFirst(Evicting):
    """Culls what was used last, and spares the entry for which it makes room."""


@conforms
class EvictsSoonestToExpire(Evicting):
    """Culls what would expire first, and permanent entries last."""

    def victims(self):
        return sorted(self._cache, key=lambda key: self._expire_info[key] or inf)


@conforms
class OverwritesInPlace(Evicting):
    """Makes room for new keys only."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        if key in self._cache:
            self._cache[key] = value
            self._cache.move_to_end(key, last=False)
            self._expire_info[key] = self.get_backend_timeout(timeout)
        else:
            super()._set(key, value, timeout)


@conforms
class NeverCulls(LocMemCache):
    """Ignores MAX_ENTRIES, as memcached and Redis do."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._max_entries = inf


@conforms
class BoundedByBytes(LocMemCache):
    """Knows no number of entries, and evicts the oldest above eight megabytes."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._max_entries = inf

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        super()._set(key, value, timeout)
        while sum(map(len, self._cache.values())) > 8_500_000:
            self._delete(next(reversed(self._cache)))


@conforms
class EvictsOneByOne(BaseCache):
    """Is no LocMemCache, drops one entry for each that is too many, and has no CULL_FREQUENCY."""

    lock = RLock()

    def __init__(self, name, params):
        super().__init__(params)
        self.entries = STORES[name]

    def _living(self, key):
        expiry, pickled = self.entries.get(key, (0, None))
        if expiry > time.time():
            self.entries.move_to_end(key)
            return pickled
        self.entries.pop(key, None)
        return None

    def _expiry(self, timeout):
        timeout = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return inf if timeout is None else time.time() + timeout

    def get(self, key, default=None, version=None):
        key = self.make_and_validate_key(key, version)
        with self.lock:
            pickled = self._living(key)
        return default if pickled is None else pickle.loads(pickled)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_validate_key(key, version)
        pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        with self.lock:
            self.entries.pop(key, None)
            while len(self.entries) >= max(self._max_entries, 1):
                self.entries.popitem(last=False)
            self.entries[key] = self._expiry(timeout), pickled

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with self.lock:
            if self._living(self.make_and_validate_key(key, version)) is not None:
                return False
            self.set(key, value, timeout, version)
            return True

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_validate_key(key, version)
        with self.lock:
            if (pickled := self._living(key)) is None:
                return False
            self.entries[key] = self._expiry(timeout), pickled
            return True

    def delete(self, key, version=None):
        key = self.make_and_validate_key(key, version)
        with self.lock:
            return self._living(key) is not None and bool(self.entries.pop(key))

    def incr(self, key, delta=1, version=None):
        with self.lock:
            value = self.get(key, self, version)
            if value is self:
                raise ValueError(f"Key {key!r} not found")
            expiry, _ = self.entries[self.make_and_validate_key(key, version)]
            self.set(key, value + delta, expiry - time.time(), version)
            return value + delta

    def clear(self):
        with self.lock:
            self.entries.clear()


@conforms
class EvictsAfterwards(EvictsOneByOne):
    """Stores first and then drops whatever it finds, the newest entry like any other."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with self.lock:
            limit, self._max_entries = self._max_entries, inf
            try:
                super().set(key, value, timeout, version)
            finally:
                self._max_entries = limit
            while len(self.entries) > max(limit, 1):
                del self.entries[random.choice(list(self.entries))]


@conforms(slow=True)
class HasLittleRoom(EvictsOneByOne):
    """Keeps a thousand entries, whatever it is told, and stores many pairs at once."""

    ROOM = 1000

    def __init__(self, name, params):
        super().__init__(name, params)
        self._max_entries = min(self._max_entries, self.ROOM)

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        with self.lock:
            return super().set_many(data, timeout, version)
