"""Faults that show in what several workers are told at once."""

import asyncio
import time
from collections import defaultdict
from threading import Lock
from typing import ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks
from faulty.concurrency import ReadsThenWrites


@breaks("linearizability.counting", says="not atomic")
class CountsInTwoSteps(ReadsThenWrites):
    """Has an incr() of its own that reads, and writes then."""


@breaks("linearizability.set-get-delete", says="not explained")
class DeletesFirst(LocMemCache):
    """Deletes the old value before it writes the new one."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.delete(key, version)
        time.sleep(0.0001)
        super().set(key, value, timeout, version)


@breaks("linearizability.add", says="not explained")
class GivesUpWhenBusy(LocMemCache):
    """An add() that finds the entry busy says False, as if the key were there."""

    _busy: ClassVar = defaultdict(Lock)

    def get(self, key, default=None, version=None):
        with self._busy[key]:
            time.sleep(0.001)
            return super().get(key, default, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if not self._busy[key].acquire(blocking=False):
            return False
        try:
            return super().add(key, value, timeout, version)
        finally:
            self._busy[key].release()


@breaks("linearizability.incr", says="not explained")
class CountsWhatIsOnItsWay(LocMemCache):
    """Counts twice and takes one back, where others see the sum in between."""

    def incr(self, key, delta=1, version=None):
        super().incr(key, delta, version)
        super().incr(key, delta, version)
        return super().incr(key, -delta, version)


@breaks("linearizability.touch", says="not explained")
class TouchTakesAway(LocMemCache):
    """Takes the entry out to change it, and puts it back."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        value = self.get(key, self, version)
        if value is self:
            return False
        self.delete(key, version)
        time.sleep(0.0002)
        self.set(key, value, timeout, version)
        return True

    async def atouch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        value = await self.aget(key, self, version)
        if value is self:
            return False
        await self.adelete(key, version)
        await asyncio.sleep(0)
        await self.aset(key, value, timeout, version)
        return True


@breaks("linearizability.get-or-set", says="not explained")
class ForgetsTheLoser(LocMemCache):
    """Returns None to whom another writer was faster."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if self.has_key(key, version):
            return self.get(key, version=version)
        return default if self.add(key, default, timeout, version) else None
