"""Backends that wait for others, keep entries beside those of their users, or speak meanwhile."""

import atexit
import time
from collections import defaultdict
from threading import RLock
from typing import ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


@conforms
class ComputesOnce(LocMemCache):
    """Lets nobody else write a key while its default is computed."""

    _locks: ClassVar = defaultdict(RLock)

    def _lock_of(self, key, version):
        return self._locks[self.make_key(key, version)]

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with self._lock_of(key, version):
            super().set(key, value, timeout, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with self._lock_of(key, version):
            return super().add(key, value, timeout, version)

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        with self._lock_of(key, version):
            return super().get_or_set(key, default, timeout, version)


@conforms
class NotesWhenItWrites(LocMemCache):
    """Keeps the time of each set() under another key, which it makes as its user's."""

    _written: ClassVar = {}

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        self._written[self.make_key(f"{key}.written", version)] = time.time()


@conforms
class SaysHowItGoes(LocMemCache):
    """Prints when it is first used, and at the end of its process."""

    _speaks = False

    def get(self, key, default=None, version=None):
        if not SaysHowItGoes._speaks:
            SaysHowItGoes._speaks = True
            print("in use", flush=True)
            atexit.register(print, "used", flush=True)
        return super().get(key, default, version)


@conforms
class TellsTenantsApart(LocMemCache):
    """Puts the name of its schema before every final key."""

    def make_key(self, key, version=None):
        return f"public:{super().make_key(key, version)}"
