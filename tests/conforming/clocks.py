"""Backends whose clocks are coarse, or wrong, by less than the contract leaves open."""

import time
from math import ceil, floor

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


class Clocked(LocMemCache):
    """Puts the moment of expiry through :meth:`moved`, unless it has passed already."""

    def moved(self, moment):
        """Return when an entry really expires, in seconds of the epoch."""
        return moment

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        moment = super().get_backend_timeout(timeout)
        return moment if moment is None or moment <= time.time() else self.moved(moment)


@conforms
class WholeSecondsDown(Clocked):
    """Forgets the fraction of the second in which an entry expires."""

    def moved(self, moment):
        return floor(moment)


@conforms
class WholeSecondsUp(Clocked):
    """Keeps an entry to the end of the second in which it expires."""

    def moved(self, moment):
        return ceil(moment)


@conforms
class WholeSecondsOfTimeout(LocMemCache):
    """Takes a timeout in whole seconds, and so 0.5 for 0."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return super().get_backend_timeout(None if timeout is None else int(timeout))


@conforms
class EvenTimeouts(LocMemCache):
    """Rounds a timeout up to an even number of seconds."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        if timeout is not None and timeout > 0:
            timeout = ceil(timeout / 2) * 2
        return super().get_backend_timeout(timeout)


@conforms
class TwoSecondsRounded(Clocked):
    """Expires an entry at the even second that is nearest."""

    def moved(self, moment):
        return round(moment / 2) * 2


@conforms
class SweepsEverySecond(LocMemCache):
    """Finds out which entries have expired once a second."""

    swept = 0.0

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        moment = super().get_backend_timeout(timeout)
        return moment if moment is None or moment > time.time() else 0

    def _has_expired(self, key):
        if time.time() - self.swept >= 1:
            self.swept = time.time()
        expiry = self._expire_info.get(key, -1)
        return expiry is not None and expiry <= self.swept


@conforms
class ClockBehind(Clocked):
    """Has a clock that runs 0.2 s behind."""

    def moved(self, moment):
        return moment + 0.2


@conforms
class ClockAhead(Clocked):
    """Has a clock that runs 0.2 s ahead."""

    def moved(self, moment):
        return moment - 0.2
