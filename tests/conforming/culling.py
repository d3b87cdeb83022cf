"""Backends that make room in other ways, or never have to."""

import random
from math import inf

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


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
