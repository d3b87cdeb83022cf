"""Faults of counters."""

import time
from collections import defaultdict

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


class Rewriting(LocMemCache):
    """Counts by reading and writing again; ``total`` is where a fault goes."""

    def total(self, value, delta):
        return value + delta

    def incr(self, key, delta=1, version=None):
        value = self.get(key, self._missing_key, version=version)
        if value is self._missing_key:
            raise ValueError(f"Key '{key}' not found")
        new = self.total(value, delta)
        self.set(key, new, version=version)
        return new


@breaks("incr.adds-delta", says="incr('n', 10) returned 43")
class AddsOne(LocMemCache):
    """Adds one, whatever delta is."""

    def incr(self, key, delta=1, version=None):
        return super().incr(key, version=version)


@breaks("incr.adds-delta", says="unexpected keyword argument 'delta'")
class CallsItAmount(LocMemCache):
    """Has another name for delta."""

    def incr(self, key, amount=1, version=None):
        return super().incr(key, amount, version)


@breaks("incr.decr-subtracts-delta", says="decr('n') returned 61")
class DecrAdds(LocMemCache):
    """Lets decr() add."""

    def decr(self, key, delta=1, version=None):
        return self.incr(key, delta, version)


@breaks("incr.decr-subtracts-delta", says="decr('n', delta=8) returned 48")
class DecrTakesDeltaByPosition(LocMemCache):
    """Has decr() overlook delta where it is given by name."""

    def decr(self, key, *args, version=None, **kwargs):
        return self.incr(key, -args[0] if args else -1, version)


@breaks("incr.new-value-is-stored", says="'7'")
class StoresText(Rewriting):
    """Stores the new value as text."""

    def set(self, key, value, *args, **kwargs):
        super().set(key, str(value) if value != 5 else value, *args, **kwargs)


@breaks("incr.new-value-is-stored", says="returned {'up': '7'}")
class GetManyGivesText(LocMemCache):
    """Forgets in get_many() that counters are stored as text."""

    def get_many(self, keys, version=None):
        return {key: str(value) for key, value in super().get_many(keys, version).items()}


@breaks("incr.new-value-is-stored", says="returned 3.0")
class DecrReturnsFloat(LocMemCache):
    """Returns a float from decr()."""

    def decr(self, key, delta=1, version=None):
        return float(self.incr(key, -delta, version))


@breaks("incr.missing-key-raises-valueerror", says="incr('absent') returned 1")
class StartsAtZero(LocMemCache):
    """Counts a missing key from zero, as the INCR of Redis does."""

    def incr(self, key, delta=1, version=None):
        self.add(key, 0, version=version)
        return super().incr(key, delta, version)


@breaks("incr.missing-key-raises-valueerror", says="KeyError")
class RaisesKeyError(LocMemCache):
    """Raises the KeyError of its dictionary."""

    def incr(self, key, delta=1, version=None):
        if not self.has_key(key, version):
            raise KeyError(key)
        return super().incr(key, delta, version)


@breaks("incr.missing-key-raises-valueerror", says="incr('absent', 0) returned None")
class NothingToAdd(LocMemCache):
    """Looks for the key only where there is something to add."""

    def incr(self, key, delta=1, version=None):
        if delta == 0:
            return self.get(key, version=version)
        return super().incr(key, delta, version)


@breaks("incr.missing-key-stays-missing", says="'incr-1': 1")
class CountsThenLooks(LocMemCache):
    """Counts first and finds out afterwards that there was nothing."""

    def incr(self, key, delta=1, version=None):
        is_new = self.add(key, 0, version=version)
        new = super().incr(key, delta, version)
        if is_new:
            raise ValueError(f"Key '{key}' not found")
        return new


@breaks("incr.negative-delta-reverses", says="incr('n', -10) returned 62")
class UnsignedDelta(LocMemCache):
    """Has no sign for delta."""

    def incr(self, key, delta=1, version=None):
        return super().incr(key, abs(delta), version)

    def decr(self, key, delta=1, version=None):
        return super().incr(key, -abs(delta), version)


@breaks("incr.zero-delta-returns-the-value", says="incr('n', 0) returned 43")
class ZeroIsNoDelta(LocMemCache):
    """Takes a delta of zero for none at all."""

    def incr(self, key, delta=None, version=None):
        return super().incr(key, delta or 1, version)


@breaks("incr.zero-is-a-value", says="ValueError")
class ZeroIsMissing(Rewriting):
    """Takes a stored zero for a missing key."""

    def incr(self, key, delta=1, version=None):
        value = self.get(key, version=version)
        if not value:
            raise ValueError(f"Key '{key}' not found")
        self.set(key, value + delta, version=version)
        return value + delta


@breaks("incr.zero-is-a-value", says="get('n') returned None")
class DeletesAtZero(LocMemCache):
    """Deletes a counter that has come down to zero."""

    def incr(self, key, delta=1, version=None):
        new = super().incr(key, delta, version)
        if new == 0:
            self.delete(key, version)
        return new


@breaks("incr.counts-however-stored", says="TypeError")
class SetManyStoresText(LocMemCache):
    """Stores text in set_many()."""

    def set_many(self, data, *args, **kwargs):
        return super().set_many({key: str(data[key]) for key in data}, *args, **kwargs)


@breaks("incr.counts-however-stored", says="TypeError")
class AddPicklesIntegers(LocMemCache):
    """Stores in add() what incr() cannot read."""

    def add(self, key, value, *args, **kwargs):
        return super().add(key, repr(value).encode(), *args, **kwargs)


@breaks("incr.counts-after-touch", says="TypeError")
class TouchStoresText(LocMemCache):
    """Writes the value again in touch(), as text."""

    def touch(self, key, *args, **kwargs):
        self.set(key, str(self.get(key)), *args, **kwargs)
        return True


@breaks("incr.large-integers-are-exact", says="returned 9007199254740992")
class CountsInFloats(Rewriting):
    """Counts in floats, as a script in Lua does."""

    def total(self, value, delta):
        return int(float(value) + delta)


@breaks("incr.large-integers-are-exact", says="incr('delta', 2147483647)")
class SixteenBitDelta(LocMemCache):
    """Keeps 16 bits of delta."""

    def incr(self, key, delta=1, version=None):
        return super().incr(key, delta % 2**15 if delta > 0 else delta, version)


@breaks("incr.digits-may-grow-or-shrink", says="get('n') returned 990")
class OverwritesDigits(LocMemCache):
    """Writes the new digits over the old ones and leaves what is behind them."""

    def incr(self, key, delta=1, version=None):
        old = str(self.get(key, version=version))
        new = super().incr(key, delta, version)
        self.set(key, int(str(new) + old[len(str(new)) :]), version=version)
        return new


@breaks("incr.not-a-number-raises", says="incr('none') returned 1")
class CountsAnything(Rewriting):
    """Counts from zero where it finds something else."""

    def total(self, value, delta):
        return value + delta if isinstance(value, int) else delta


@breaks("incr.not-a-number-raises", says="incr('none') returned None")
class IgnoresWhatItCannotCount(LocMemCache):
    """Does nothing where it finds something else."""

    def incr(self, key, delta=1, version=None):
        try:
            return super().incr(key, delta, version)
        except TypeError:
            return None


@breaks("incr.failure-changes-nothing", says="returned {}")
class TakesOutFirst(LocMemCache):
    """Takes the value out before it counts."""

    def incr(self, key, delta=1, version=None):
        value = self.get(key, self._missing_key, version=version)
        if value is self._missing_key or not self.delete(key, version):
            raise ValueError(f"Key '{key}' not found")
        self.set(key, value + delta, version=version)
        return value + delta


@breaks("incr.keeps-a-short-timeout", says="get('up') returned 2")
class CountersArePermanent(LocMemCache):
    """Writes a counter again without a timeout."""

    def incr(self, key, delta=1, version=None):
        new = super().incr(key, delta, version)
        self.set(key, new, timeout=None, version=version)
        return new


@breaks("incr.keeps-a-short-timeout", says="returned {'fraction': 2.5}")
class FractionsArePermanent(LocMemCache):
    """Leaves integers to the store, and writes any other number again, without a timeout."""

    def incr(self, key, delta=1, version=None):
        new = super().incr(key, delta, version)
        if isinstance(new, float):
            self.set(key, new, timeout=None, version=version)
        return new


@breaks("incr.overflow-keeps-the-entry", says="get('n') returned None")
class WritesTheTimeLeft(LocMemCache):
    """Writes what has over 63 bits with the time that is left: -1 for an entry without an end."""

    def incr(self, key, delta=1, version=None):
        new = super().incr(key, delta, version)
        if new >= 2**63:
            expiry = self._expire_info[self.make_key(key, version)]
            left = -1 if expiry is None else expiry - time.time()
            self.set(key, new, left, version)
        return new


@breaks("incr.keeps-a-short-timeout", says="get('down') returned 2")
class DecrResetsTheTimeout(LocMemCache):
    """Resets the timeout in decr()."""

    def decr(self, key, delta=1, version=None):
        new = super().decr(key, delta, version)
        self.touch(key, version=version)
        return new


@breaks("incr.keeps-a-long-timeout", says="get('counted') returned None")
class ResetsTheTimeout(LocMemCache):
    """Counts with what BaseCache offers, which sets the key anew."""

    incr = BaseCache.incr


@breaks("incr.keeps-a-long-timeout", says="returned {'down': 2, 'up': 2}")
class LosesPermanence(LocMemCache):
    """Gives a permanent counter the default timeout."""

    def incr(self, key, delta=1, version=None):
        new = super().incr(key, delta, version)
        if self._expire_info[self.make_key(key, version)] is None:
            self.touch(key, version=version)
        return new


@breaks("incr.below-zero", says="decr('down', 5) returned 18446744073709551612")
class WrapsBelowZero(Rewriting):
    """Counts in unsigned integers, without a floor."""

    def total(self, value, delta):
        return (value + delta) % 2**64


@breaks("incr.below-zero", says="incr('up', -5) returned -4")
class FloorOfDecr(LocMemCache):
    """Stops at zero in decr(), and goes on in incr() with a negative delta."""

    def decr(self, key, delta=1, version=None):
        new = super().decr(key, delta, version)
        return new if new >= 0 else self.incr(key, -new, version)


@breaks("incr.negative-value", says="incr('up') returned 6")
class LosesTheSign(Rewriting):
    """Reads a counter without its sign."""

    def total(self, value, delta):
        return abs(value) + delta


@breaks("incr.overflow", says="10000000000000000905969664")
class RoundsLargeCounters(Rewriting):
    """Counts in floats past 64 bits."""

    def total(self, value, delta):
        return value + delta if value < 2**64 else int(float(value) + delta)


@breaks("incr.unusual-numbers", says="incr('float', 1) returned 2")
class CutsFloats(Rewriting):
    """Counts whole numbers and cuts everything else down to them."""

    def total(self, value, delta):
        return int(value) + int(delta)


_counted = defaultdict(dict)


@breaks("incr.writes-have-the-last-word", says="get('set_many') returned 3")
class CountsInATableOfItsOwn(LocMemCache):
    """Keeps what incr() has counted in a table that set_many() does not know of."""

    @property
    def counted(self):
        return _counted[id(self._cache)]

    def incr(self, key, delta=1, version=None):
        new = super().incr(key, delta, version)
        self.counted[self.make_key(key, version)] = new
        return new

    def get(self, key, default=None, version=None):
        if not self.has_key(key, version):
            return default
        return self.counted.get(self.make_key(key, version), super().get(key, default, version))

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        self.counted.pop(key, None)
        super()._set(key, value, timeout)

    def _delete(self, key):
        self.counted.pop(key, None)
        return super()._delete(key)

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        counted = dict(self.counted)
        failed = super().set_many(data, timeout, version)
        self.counted.update(counted)
        return failed
