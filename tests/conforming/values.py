"""Backends that hold less than LocMemCache does, or hold it in another form."""

import pickle
from contextlib import contextmanager

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms

LEAST, MOST = -(2**63), 2**63 - 1


class Limited(LocMemCache):
    """Asks :meth:`check` before it stores a value."""

    def check(self, value):
        """Raise an error for a value that does not fit."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.check(value)
        super().set(key, value, timeout, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.check(value)
        return super().add(key, value, timeout, version)

    def incr(self, key, delta=1, version=None):
        value = self.get(key, version=version)
        if value is not None:
            self.check(value + delta)
        return super().incr(key, delta, version)


@conforms
class SixtyFourBits(Limited):
    """Raises OverflowError for an integer of more than 64 bits."""

    def check(self, value):
        if type(value) is int and not LEAST <= value <= MOST:
            raise OverflowError(f"{value} has more than 64 bits")


@conforms
class OldPickle(LocMemCache):
    """Pickles so that Python 2 could read it."""

    pickle_protocol = 2


@conforms
class StopsAtZero(LocMemCache):
    """Lets decr() end at 0, as memcached does."""

    def incr(self, key, delta=1, version=None):
        number = super().incr(key, delta, version)
        return number if number >= 0 else super().incr(key, -number, version)


@conforms
class CountsIntegersOnly(LocMemCache):
    """Refuses incr() of a float, or by a float, with the TypeError of its server."""

    def incr(self, key, delta=1, version=None):
        if isinstance(delta, float) or isinstance(self.get(key, version=version), float):
            raise TypeError("only integers are counted")
        return super().incr(key, delta, version)


@conforms
class RefusesLargeValues(LocMemCache):
    """Raises for a value whose pickle is over a megabyte, and drops the one it was to replace."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        if len(value) > 1_000_000:
            self._delete(key)
            raise ValueError(f"{len(value)} bytes are more than fit")
        super()._set(key, value, timeout)


@conforms
class DropsLargeValues(LocMemCache):
    """Does not keep a value whose pickle is over a megabyte, as memcached does by default."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        super()._set(key, value, -1 if len(value) > 1_000_000 else timeout)


@conforms
class OlderPickles(LocMemCache):
    """Pickles for readers that are on an older Python."""

    pickle_protocol = 4


@contextmanager
def one_error():
    """Raise TypeError for whatever pickle raises."""
    try:
        yield
    except (pickle.PickleError, AttributeError) as error:
        raise TypeError("this value cannot be stored") from error


@conforms
class RefusesWithTypeError(LocMemCache):
    """Refuses what cannot be pickled with the same error each time."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with one_error():
            super().set(key, value, timeout, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with one_error():
            return super().add(key, value, timeout, version)
