"""Faults of timeouts."""

import pickle
import random
import time
from datetime import UTC, datetime, timedelta
from math import ceil

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.db.models import DateTimeField
from django.utils import timezone

from faulty import breaks

DAY = 24 * 60 * 60
ABSENT = object()


@breaks("timeout.entry-expires", says="get('k') returned 'v'")
class KeepsForEver(LocMemCache):
    """Ignores every timeout."""

    def get_backend_timeout(self, timeout=None):
        return None


@breaks("timeout.every-write-takes-one", says="left = ['add-by-position', 'add-by-name'")
class AddForgetsTheTimeout(LocMemCache):
    """Does not pass the timeout of add() on."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return super().add(key, value, version=version)


@breaks("timeout.every-write-takes-one", says="left = ['set_many-by-position', 'set_many-by-name'")
class AsyncSetManyForgetsTheTimeout(LocMemCache):
    """Does not pass the timeout of aset_many() on."""

    async def aset_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            await self.aset(key, value, version=version)
        return []


@breaks(
    "timeout.every-write-takes-one",
    says="left = ['get_or_set-by-name', 'get_or_set-of-version-2'",
)
class GetOrSetHidesTheTimeout(LocMemCache):
    """Swallows the timeout of get_or_set() where it comes by name or with a version."""

    def get_or_set(self, key, default, *timeout, version=None, **options):
        if len(timeout) == 2:
            return super().get_or_set(key, default, version=timeout[1])
        return super().get_or_set(key, default, *timeout, version=version)


@breaks("timeout.entry-lives-its-time", says="{'add': 'v', 'get_or_set': 'v', 'set': 'v'}")
class SetManyCountsMilliseconds(LocMemCache):
    """Takes the timeout of set_many() for milliseconds."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout not in (DEFAULT_TIMEOUT, None):
            timeout = timeout / 1000
        return super().set_many(data, timeout, version)


@breaks("timeout.entry-lives-its-time", says="{'set': 'v', 'set_many': 'v'}")
class AddLosesASecondAndAHalf(LocMemCache):
    """Rounds the expiry of add() down, to a clock that ticks every two seconds."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout not in (DEFAULT_TIMEOUT, None):
            timeout = timeout - 1.9
        return super().add(key, value, timeout, version)


@breaks("timeout.set-many-applies-to-every-key", says="'a': 1, 'b': 2")
class SetManyExpiresTheLastKey(LocMemCache):
    """Writes all keys and gives the timeout to the one that the loop ended with."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            self.set(key, value, None, version)
        self.touch(key, timeout, version)
        return []


@breaks("timeout.default-is-the-setting", says="'add-short': 'v'")
class AddHasADefaultOfItsOwn(LocMemCache):
    """Lives 300 seconds after add() without a timeout, whatever TIMEOUT says."""

    def add(self, key, value, timeout=300, version=None):
        return super().add(key, value, timeout, version)


@breaks("timeout.default-is-the-setting", says="'set_many-short': 'v'")
class AsyncSetManyIsForEver(LocMemCache):
    """Takes an absent timeout of aset_many() for None."""

    async def aset_many(self, data, timeout=None, version=None):
        for key, value in data.items():
            await self.aset(key, value, timeout, version)
        return []


@breaks("timeout.none-is-forever", says="missing = ['set-by-position'")
class NoneIsTheDefault(LocMemCache):
    """Takes a timeout of None for an absent one."""

    def get_backend_timeout(self, timeout=None):
        return super().get_backend_timeout(DEFAULT_TIMEOUT if timeout is None else timeout)


@breaks("timeout.none-is-forever", says="missing = ['get_or_set-by-position'")
class GetOrSetDropsNone(LocMemCache):
    """Passes the timeout of get_or_set() on only where it is not None."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is None:
            timeout = DEFAULT_TIMEOUT
        return super().get_or_set(key, default, timeout, version)


@breaks(
    "timeout.zero-is-immediately-expired",
    says="has_key('set-by-position') returned True",
)
class ZeroIsForEver(LocMemCache):
    """Passes 0 on to a server for which it means that the entry never expires."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if type(timeout) is int and timeout == 0:
            return None
        return super().get_backend_timeout(timeout)


@breaks(
    "timeout.zero-is-immediately-expired",
    says="left = ['add-by-position'",
)
class AddTakesZeroForTheDefault(LocMemCache):
    """Writes ``timeout or default`` in add()."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is not None:
            timeout = timeout or DEFAULT_TIMEOUT
        return super().add(key, value, timeout, version)


@breaks("timeout.zero-of-any-type", says="set('set', 'v', 0.0)")
class FloatZeroIsForEver(LocMemCache):
    """Takes 0.0 for "no timeout", though it knows what 0 means."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if isinstance(timeout, float) and timeout == 0:
            return None
        return super().get_backend_timeout(timeout)


@breaks("timeout.zero-of-any-type", says="set('set', 'v', False)")
class FalseIsForEver(LocMemCache):
    """Takes False for "no timeout"."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        return None if timeout is False else super().get_backend_timeout(timeout)


@breaks("timeout.zero-removes-existing", says="has_key('set') returned True")
class SetOfZeroDoesNothing(LocMemCache):
    """Returns from set() at once where there is nothing to cache."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout != 0:
            super().set(key, value, timeout, version)


@breaks("timeout.zero-removes-existing", says="{'set_many': 'old'}")
class AsyncSetManyOfZeroDoesNothing(LocMemCache):
    """Returns from aset_many() at once where there is nothing to cache."""

    async def aset_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout == 0:
            return []
        return await super().aset_many(data, timeout, version)


@breaks("timeout.zero-add-succeeds", says="add('absent', 'v', 0) returned False")
class AddOfZeroStoresNothing(LocMemCache):
    """Says that add() stored nothing, which is true, but not what is asked."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return timeout != 0 and super().add(key, value, timeout, version)


@breaks("timeout.zero-add", says="add('present', 'new', 0) returned True")
class AddOfZeroDeletes(LocMemCache):
    """Has add() share with set() the branch that deletes where the timeout is 0."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout == 0:
            self.delete(key, version)
            return True
        return super().add(key, value, timeout, version)


@breaks("timeout.negative-is-immediately-expired", says="'set': 'v'")
class NegativeIsForEver(LocMemCache):
    """Takes a negative timeout for "never"."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if isinstance(timeout, int | float) and timeout < 0:
            return None
        return super().get_backend_timeout(timeout)


@breaks("timeout.negative-removes-existing", says="returned {'set_many': 'old'}")
class SetManyOfANegativeDoesNothing(LocMemCache):
    """Returns from set_many() at once where the timeout is negative."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, int | float) and timeout < 0:
            return []
        return super().set_many(data, timeout, version)


@breaks("timeout.negative-add", says="add('absent', 'v', -1) returned False")
class AddOfANegativeFails(LocMemCache):
    """Refuses add() with a negative timeout."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, int | float) and timeout < 0:
            return False
        return super().add(key, value, timeout, version)


@breaks("timeout.float-is-accepted", says="TypeError: timeout must be an int")
class WholeSecondsOnly(LocMemCache):
    """Refuses a float."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if isinstance(timeout, float) and timeout > 1:
            raise TypeError("timeout must be an int")
        return super().get_backend_timeout(timeout)


@breaks("timeout.float-expires", says="'set': 'v'")
@breaks("timeout.fraction", says="get('early') returned 'v'")
class FloatsNeverExpire(LocMemCache):
    """Sets an expiry only where the timeout is an int."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if isinstance(timeout, float):
            return None
        return super().get_backend_timeout(timeout)


@breaks("timeout.below-one-second", says="get('early') returned 'v'")
class HalfASecondIsForEver(LocMemCache):
    """Cuts the timeout to whole seconds and hands the 0 to a server for which it means for ever."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if isinstance(timeout, float) and 0 < timeout < 1:
            return None
        return super().get_backend_timeout(timeout)


class ThirtyTwoBits(LocMemCache):
    """Keeps the timeout in 32 bits, as a number of small units."""

    units = 1

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout == DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        if timeout and timeout < 2**62:
            timeout = (ceil(timeout * self.units) + 2**31) % 2**32 - 2**31
            timeout = timeout / self.units
        return super().get_backend_timeout(timeout)


@breaks("timeout.thirty-days", says="returned {}")
class Milliseconds(ThirtyTwoBits):
    """Counts milliseconds, which overflow after 24 days."""

    units = 1000


@breaks("timeout.thirty-days", says="where keys = ['set-2592001'")
class NotADate(LocMemCache):
    """Sends a timeout above 30 days to a server that takes it for a date, long past."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if isinstance(timeout, int) and timeout > 30 * DAY:
            return timeout
        return super().get_backend_timeout(timeout)


@breaks("timeout.thirty-days", says="'set_many-2592001': 'v'}")
class TheSettingIsNotADate(LocMemCache):
    """Turns a timeout above 30 days into a date, but not the one of the settings."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout == DEFAULT_TIMEOUT and self.default_timeout > 30 * DAY:
            return self.default_timeout
        return super().get_backend_timeout(timeout)


@breaks("timeout.one-year", says="returned {}")
class Centiseconds(ThirtyTwoBits):
    """Counts hundredths of a second, which overflow after 248 days."""

    units = 100


@breaks("timeout.ten-years", says="returned {}")
class Deciseconds(ThirtyTwoBits):
    """Counts tenths of a second, which overflow after 6.8 years."""

    units = 10


@breaks("timeout.beyond-the-clock", says="get('k') returned None")
@breaks("timeout.not-a-number", says="get('k') returned None")
class OutOfStep(LocMemCache):
    """Reads the error of a refused timeout as the answer to the next question."""

    out_of_step = False

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, float | str):
            self.out_of_step = True
            raise ValueError("out of range")
        super().set(key, value, timeout, version)

    def get(self, key, default=None, version=None):
        return default if self.out_of_step else super().get(key, default, version)


@breaks("timeout.refused", says="get('k') returned ('new', 'soon')")
class KeepsThePair(LocMemCache):
    """Keeps value and timeout together, and finds too late that the timeout will not do."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, str):
            super().set(key, (value, timeout), None, version)
            raise TypeError("timeout must be a number")
        super().set(key, value, timeout, version)


@breaks("timeout.set-replaces-expiry", says="returned {'set-forever': 'new', 'set-longer': 'new'}")
class WritesChangesAlone(LocMemCache):
    """Saves itself the write where the value is what is there already."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout == 0 or self.get(key, ABSENT, version) != value:
            super().set(key, value, timeout, version)


@breaks("timeout.holds-for-every-instance", says="get('written') returned 'v'")
class KeepsWhatOthersWrote(LocMemCache):
    """Keeps what it has read of others' writing, until another writing takes its place."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._own, self._read = set(), {}

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self._own.add(self.make_key(key, version))
        super().set(key, value, timeout, version)

    def get(self, key, default=None, version=None):
        made = self.make_key(key, version)
        read = self._read.get(made)
        if read is not None and self._cache.get(made) is read:
            return pickle.loads(read)
        found = super().get(key, ABSENT, version)
        if found is ABSENT:
            return default
        if made not in self._own:
            self._read[made] = self._cache[made]
        return found


@breaks("timeout.set-replaces-expiry", says="returned {'set-shorter': 'new'}")
class SetKeepsTheExpiry(LocMemCache):
    """Replaces the value of an entry that is there and leaves its expiry."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        expiry = self._expire_info.get(self.make_key(key, version), -1)
        super().set(key, value, timeout, version)
        if expiry is not None and expiry > 0 and timeout not in (0, DEFAULT_TIMEOUT):
            self._expire_info[self.make_key(key, version)] = expiry


@breaks("timeout.set-replaces-expiry", says="returned {'set_many-longer': 'new', 'set_many-unch")
class SetManyOfNoneKeepsTheExpiry(LocMemCache):
    """Does not clear the expiry of an entry where set_many() has none to give."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        expiries = {key: self._expire_info.get(self.make_key(key, version)) for key in data}
        super().set_many(data, timeout, version)
        if timeout is None:
            for key, expiry in expiries.items():
                self._expire_info[self.make_key(key, version)] = expiry
        return []


@breaks("timeout.default-replaces-expiry", says="get('from-60-to-1') returned 'new'")
class DefaultKeepsTheExpiry(LocMemCache):
    """Uses TIMEOUT only for an entry that is new."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        made = self.make_key(key, version)
        known, expiry = made in self._expire_info, self._expire_info.get(made)
        super().set(key, value, timeout, version)
        if timeout is DEFAULT_TIMEOUT and known:
            self._expire_info[made] = expiry


class KeepsTheExpired(LocMemCache):
    """Offers what is stored to faults that forget to look at its expiry."""

    def stored(self, key, version=None):
        return self.make_key(key, version) in self._cache

    def value(self, key, version=None):
        return pickle.loads(self._cache[self.make_key(key, version)])


@breaks("timeout.expired-entry-is-not-read", says="has_key('has_key') returned True")
class HasKeyFindsTheExpired(KeepsTheExpired):
    """Looks for the key alone in has_key()."""

    def has_key(self, key, version=None):
        return self.stored(key, version)


@breaks("timeout.expired-entry-is-not-read", says="returned {'alive': 'v', 'get_many': 'v'}")
class GetManyFindsTheExpired(KeepsTheExpired):
    """Looks for the keys alone in get_many()."""

    def get_many(self, keys, version=None):
        return {key: self.value(key, version) for key in keys if self.stored(key, version)}


@breaks("timeout.expired-entry-is-not-in", says="__contains__('zero') returned True")
class InFindsTheExpired(KeepsTheExpired):
    """Looks for the key alone in ``in``."""

    def __contains__(self, key):
        return self.stored(key)


@breaks("timeout.expired-entry-can-be-added", says="add('k', 'new', 60) returned False")
class AddFindsTheExpired(KeepsTheExpired):
    """Looks for the key alone in add()."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return not self.stored(key, version) and super().add(key, value, timeout, version)


@breaks("timeout.expired-entry-can-be-set", says="get('set') returned None")
class PrunesAfterWriting(KeepsTheExpired):
    """Finds an expired entry in set(), writes, and then removes what it found."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        expired = self.stored(key, version) and self._has_expired(self.make_key(key, version))
        super().set(key, value, timeout, version)
        if expired:
            self.delete(key, version)


@breaks("timeout.expired-entry-can-be-deleted", says="delete('delete') raised KeyError")
class DeletesTwice(KeepsTheExpired):
    """Prunes an expired entry before it is deleted, which then fails."""

    def delete(self, key, version=None):
        if self.stored(key, version) and self._has_expired(self.make_key(key, version)):
            super().delete(key, version)
            raise KeyError(key)
        return super().delete(key, version)


@breaks("timeout.does-not-wrap", says="missing = ['set-4294968'")
class CountsMillisecondsIn32Bits(LocMemCache):
    """Counts the milliseconds of a timeout in 32 bits."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout not in (DEFAULT_TIMEOUT, None):
            timeout = timeout * 1000 % 2**32 / 1000
        return super().get_backend_timeout(timeout)


@breaks("timeout.does-not-wrap", says="missing = ['set-86401'")
class TakesTheSecondsOfATimedelta(LocMemCache):
    """Makes a timedelta of a timeout, and loses its days."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout not in (DEFAULT_TIMEOUT, None):
            timeout = timedelta(seconds=timeout).seconds
        return super().get_backend_timeout(timeout)


@breaks("timeout.holds-whatever-use-tz-says", says="can't compare offset-naive and offset-aware")
class ExpectsAwareTimes(LocMemCache):
    """Compares the moment of expiry with Django's now(), which has a zone only with USE_TZ."""

    def _has_expired(self, key):
        expiry = self._expire_info.get(key, 0)
        return expiry is not None and datetime.fromtimestamp(expiry, UTC) <= timezone.now()


@breaks("timeout.draws-no-warning-with-use-tz", says="received a naive datetime (9999-12-31")
class TakesNoneForTheLastMoment(LocMemCache):
    """Has a model's field for the moment of expiry, which gets the last one there is for None."""

    expires = DateTimeField(name="expires")

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout is None:
            self.expires.get_prep_value(datetime.max)
        return super().get_backend_timeout(timeout)


class KeepsNaiveTimes(LocMemCache):
    """Keeps the moment of expiry as a naive time, and compares it with ``now()``."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        expiry = super().get_backend_timeout(timeout)
        return None if expiry is None else expiry + self.now() - time.time()

    def _has_expired(self, key):
        expiry = self._expire_info.get(key, -1)
        return expiry is not None and expiry <= self.now()


@breaks("timeout.holds-in-any-time-zone", says="get('active-America/New_York-hour') returned None")
class KeepsTimesOfTheActiveZone(KeepsNaiveTimes):
    """Keeps the moment of expiry as a naive time of the active zone."""

    def now(self):
        return timezone.make_naive(datetime.now(UTC)).replace(tzinfo=UTC).timestamp()


@breaks("timeout.holds-in-any-time-zone", says="get('default-America/New_York-hour') returned None")
class KeepsLocalTimes(KeepsNaiveTimes):
    """Keeps the moment of expiry as a naive time of the process's zone."""

    def now(self):
        return datetime.now().replace(tzinfo=UTC).timestamp()


@breaks("timeout.expired-counter-is-gone", says="incr('incr') returned 2")
class CountsOn(KeepsTheExpired):
    """Counts on with an expired counter."""

    def incr(self, key, delta=1, version=None):
        if not self.stored(key, version):
            raise ValueError(key)
        number = self.value(key, version) + delta
        self.set(key, number, version=version)
        return number


class KeepsAnother(LocMemCache):
    """Keeps an entry for a time of its own."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        if timeout == DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return super().get_backend_timeout(self.time_for(timeout))


@breaks("timeout.long-ones-hold-to-the-end", says="early = ['set-86500', 'add-86500'")
class ExpiresWithinADay(KeepsAnother):
    """Keeps no entry for longer than a day."""

    def time_for(self, timeout):
        return None if timeout is None else min(timeout, DAY)


@breaks("timeout.long-ones-hold-to-the-end", says="early = ['set-3700', 'add-3700'")
class SpreadsExpiry(KeepsAnother):
    """Takes up to a tenth from a long timeout, so that not all entries expire at once."""

    def time_for(self, timeout):
        return timeout and (timeout if timeout < 300 else timeout * random.uniform(0.9, 0.95))


@breaks("timeout.long-ones-hold-to-the-end", says="late = ['set-90', 'add-90'")
class RoundsUpToMinutes(KeepsAnother):
    """Keeps an entry until the end of its last minute."""

    def time_for(self, timeout):
        return timeout and (timeout if timeout < 60 else ceil(timeout / 60) * 60)


@breaks("timeout.long-ones-hold-to-the-end", says="ended = ['given-set'")
class ForgetsAfterAYear(KeepsAnother):
    """Takes a year for ever."""

    def time_for(self, timeout):
        return 365 * DAY if timeout is None else timeout


@breaks("timeout.long-ones-hold-to-the-end", says="ended = ['default-touch']")
class TouchesForFiveMinutes(LocMemCache):
    """Takes a TIMEOUT of None for none that is set, where touch() falls back to it."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is DEFAULT_TIMEOUT:
            timeout = 300 if self.default_timeout is None else self.default_timeout
        return super().touch(key, timeout, version)


@breaks("timeout.below-one-second-ends", says="returned {'add': 'v'")
class AddsHalfASecondForEver(LocMemCache):
    """Cuts the timeout of add() to whole seconds, of which the server takes 0 for for ever."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, float) and 0 < timeout < 1:
            timeout = None
        return super().add(key, value, timeout, version)
