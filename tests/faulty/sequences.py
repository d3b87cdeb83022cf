"""Faults that no single operation shows, only one after another."""

import pickle
import time

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


@breaks("sequences.agree-with-the-model", says="returns")
class RemembersDeletions(LocMemCache):
    """Ignores an add() of a key that was deleted after a touch()."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._touched = set()
        self._buried = set()

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        self._touched.add(self.make_key(key, version))
        return super().touch(key, timeout, version)

    def delete(self, key, version=None):
        full = self.make_key(key, version)
        if full in self._touched:
            self._buried.add(full)
        return super().delete(key, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.make_key(key, version) in self._buried:
            return False
        return super().add(key, value, timeout, version)


@breaks("sequences.agree-as-time-passes", says="returns")
class ForgetsWhatTouchGave(LocMemCache):
    """An entry to which touch() gave a timeout never expires."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._touched = set()
        self._begun = time.time() + 1

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is not DEFAULT_TIMEOUT and timeout:
            self._touched.add(self.make_key(key, version))
        return super().touch(key, timeout, version)

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        self._touched.discard(key)
        super()._set(key, value, timeout)

    def _has_expired(self, key):
        expiry = self._expire_info.get(key, -1)
        if key in self._touched and expiry is not None and expiry > self._begun:
            return False
        return super()._has_expired(key)


@breaks("sequences.agree-with-the-model", says="version")
class MovesTheDefault(LocMemCache):
    """Once an entry has been moved, reads the version that it was moved to by default."""

    def incr_version(self, key, delta=1, version=None):
        moved = super().incr_version(key, delta, version)
        self.version = moved
        return moved


@breaks("sequences.agree-with-the-model", says="returns")
class CountsInAField(LocMemCache):
    """Keeps counters beside the entries, where delete() does not find them."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._counters = {}

    def incr(self, key, delta=1, version=None):
        full = self.make_key(key, version)
        if full not in self._counters or not self.has_key(key, version):
            self._counters[full] = super().incr(key, delta, version)
        else:
            self._counters[full] += delta
            self._keep(full, self._counters[full])
        return self._counters[full]

    def _keep(self, full, total):
        expiry = self._expire_info[full]
        self._set(full, pickle.dumps(total, self.pickle_protocol))
        self._expire_info[full] = expiry


@breaks("sequences.agree-as-time-passes", says="returns")
class AddsBesideTheExpired(LocMemCache):
    """An add() where an expired entry is still stored keeps the old deadline."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        full = self.make_and_validate_key(key, version)
        old = self._expire_info.get(full)
        added = super().add(key, value, timeout, version)
        if added and old is not None and old > self._begun:
            self._expire_info[full] = old
        return added

    def __init__(self, name, params):
        super().__init__(name, params)
        self._begun = time.time() + 1
