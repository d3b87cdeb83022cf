"""Faults of touch."""

import time

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks

DAY = 24 * 60 * 60


class Touching(LocMemCache):
    """Offers the expiry of an entry to faults of touch()."""

    def expiry(self, key, version=None):
        return self._expire_info.get(self.make_key(key, version), -1)

    def expire_at(self, key, moment, version=None):
        self._expire_info[self.make_key(key, version)] = moment


@breaks("touch.present-key-returns-true", says="touch('set', 60) returned None")
class TouchReturnsNothing(LocMemCache):
    """Sets the expiry and forgets to say so."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        super().touch(key, timeout, version)


@breaks("touch.present-key-returns-true", says="touch('set', timeout=60) returned 1")
class TouchCountsRows(LocMemCache):
    """Returns how many rows were updated, where the timeout comes by name."""

    def touch(self, key, *positional, **named):
        touched = super().touch(key, *positional, **named)
        return int(touched) if named else touched


@breaks("touch.present-key-returns-true", says="atouch('set_many', 60) returned False")
class AsyncTouchFindsNoBatches(LocMemCache):
    """Does not find in atouch() what aset_many() stored."""

    async def atouch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return key != "set_many" and await super().atouch(key, timeout, version)


@breaks("touch.later-expiry", says="get('by-position') returned None")
class TouchOnlyShortens(Touching):
    """Lets an entry live no longer than it was stored for."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        before = self.expiry(key, version)
        touched = super().touch(key, timeout, version)
        after = self.expiry(key, version)
        if touched and before and after and before < after:
            self.expire_at(key, before, version)
        return touched


@breaks("touch.later-expiry", says="aget('by-name') returned None")
class AsyncTouchOnlyFindsTheKey(Touching):
    """Says that atouch() found the entry and does no more, where the timeout comes by name."""

    async def atouch(self, key, *positional, **named):
        if set(named) == {"timeout"} and named["timeout"]:
            return await self.ahas_key(key)
        return await super().atouch(key, *positional, **named)


@breaks("touch.earlier-expiry", says="get('by-position') returned 'v'")
class TouchOnlyProlongs(Touching):
    """Never lets an entry live shorter than it would have."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        before = self.expiry(key, version)
        touched = super().touch(key, timeout, version)
        after = self.expiry(key, version)
        if touched and before and after and time.time() < after < before:
            self.expire_at(key, before, version)
        return touched


@breaks("touch.earlier-expiry", says="get('by-position') returned 'v'")
class TouchAdds(Touching):
    """Adds the timeout to the time that the entry has left."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        before = self.expiry(key, version)
        touched = super().touch(key, timeout, version)
        if touched and before and timeout and timeout != DEFAULT_TIMEOUT and timeout > 0:
            self.expire_at(key, before + timeout, version)
        return touched


@breaks("touch.counts-from-now", says="get('k') returned None")
class TouchCountsFromTheStart(Touching):
    """Adds the timeout to the moment at which the entry was stored."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        vars(self).setdefault("began", {})[self.make_key(key, version)] = time.time()

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        touched = super().touch(key, timeout, version)
        began = vars(self).get("began", {}).get(self.make_key(key, version))
        if touched and began and timeout and timeout != DEFAULT_TIMEOUT:
            self.expire_at(key, began + timeout, version)
        return touched


@breaks("touch.default-is-the-setting", says="get('short') returned 'v'")
class TouchKeepsWithoutATimeout(LocMemCache):
    """Leaves the expiry alone where touch() is given none."""

    def touch(self, key, timeout=None, version=None):
        if timeout is None:
            return self.has_key(key, version)
        return super().touch(key, timeout, version)


@breaks("touch.default-is-the-setting", says="aget('short') returned 'v'")
class AsyncTouchHasADefaultOfItsOwn(LocMemCache):
    """Lives 300 seconds after atouch() without a timeout, whatever TIMEOUT says."""

    async def atouch(self, key, timeout=300, version=None):
        return await super().atouch(key, timeout, version)


@breaks("touch.default-is-the-setting", says="get('forever') returned None")
class TouchHasNoDefaultOfNone(Touching):
    """Leaves the expiry alone where TIMEOUT is None."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is DEFAULT_TIMEOUT and self.default_timeout is None:
            return self.has_key(key, version)
        return super().touch(key, timeout, version)


@breaks("touch.absent-key-returns-false", says="touch('absent') returned True")
class TouchAlwaysSucceeds(LocMemCache):
    """Does not look whether the entry is there."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        super().touch(key, timeout, version)
        return True


@breaks("touch.absent-key-returns-false", says="touch('absent', None) returned True")
class TouchOfNoneCreates(LocMemCache):
    """Rewrites the entry in touch() with None, be there one or not."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is None:
            self.set(key, self.get(key, version=version), None, version)
            return True
        return super().touch(key, timeout, version)


@breaks("touch.absent-key-returns-false", says="touch('deleted') returned True")
class TouchRemembersTheDeleted(LocMemCache):
    """Keeps the expiry of a deleted entry, and has touch() look at the expiries alone."""

    def delete(self, key, version=None):
        vars(self).setdefault("deleted", set()).add(self.make_key(key, version))
        return super().delete(key, version)

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        known = self.make_key(key, version) in vars(self).get("deleted", set())
        return super().touch(key, timeout, version) or known


@breaks("touch.none-is-forever", says="get('by-position') returned None")
class TouchOfNoneChangesNothing(LocMemCache):
    """Takes a timeout of None for "as it is"."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is None:
            return self.has_key(key, version)
        return super().touch(key, timeout, version)


@breaks("touch.none-on-permanent-key-returns-true", says="touch('k', None) returned False")
class TouchReturnsWhetherItChanged(Touching):
    """Returns what PERSIST of Redis does: whether there was an expiry to remove."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is None and self.expiry(key, version) is None:
            return False
        return super().touch(key, timeout, version)


@breaks("touch.permanent-key-can-expire", says="get('k') returned 'v'")
class PermanentIsPermanent(Touching):
    """Leaves an entry without an expiry alone."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout and self.expiry(key, version) is None:
            return True
        return super().touch(key, timeout, version)


@breaks("touch.zero-removes", says="get('expiring') returned 'v'")
class TouchOfZeroIsForEver(LocMemCache):
    """Passes 0 on to a server for which it means that the entry never expires."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return super().touch(key, None if timeout == 0 else timeout, version)


@breaks("touch.zero-removes", says="touch('expiring', 0) returned False")
class TouchOfZeroIsNoSuccess(LocMemCache):
    """Returns whether the entry is there after touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return super().touch(key, timeout, version) and self.has_key(key, version)


@breaks("touch.zero-removes", says="touch('expiring', 0.0) returned True; get('expiring') returned")
class TouchKnowsZeroByIdentity(LocMemCache):
    """Writes ``timeout is 0`` in touch(), and 0.0 then means that the entry never expires."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, float) and timeout == 0:
            timeout = None
        return super().touch(key, timeout, version)


@breaks("touch.zero-removes", says="add('expiring', 'new') returned False")
class AddFindsWhatTouchRemoved(LocMemCache):
    """Has add() look for the key of an entry that touch() has let expire."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.make_key(key, version) in self._cache:
            return False
        return super().add(key, value, timeout, version)

    def get(self, key, default=None, version=None):
        gone = self._has_expired(self.make_key(key, version))
        return default if gone else super().get(key, default, version)

    def has_key(self, key, version=None):
        return not self._has_expired(self.make_key(key, version))


@breaks("touch.keeps-the-value", says="'integer': '7'")
class TouchWritesText(LocMemCache):
    """Reads the number that is stored and writes it back as text."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        value = self.get(key, version=version)
        if type(value) is int:
            self.set(key, str(value), version=version)
        return super().touch(key, timeout, version)


@breaks("touch.keeps-the-value", says="kept == VALUES")
class TouchCuts(LocMemCache):
    """Writes back the first 64 KiB of what is stored."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        value = self.get(key, version=version)
        if isinstance(value, bytes):
            self.set(key, value[: 64 * 1024], version=version)
        return super().touch(key, timeout, version)


@breaks(
    "touch.keeps-the-value",
    says="touch('none', 50) returned False",
)
class TouchTakesNoneForAbsent(LocMemCache):
    """Asks ``get(key) is None`` to learn whether the entry is there."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if self.get(key, version=version) is None:
            return False
        return super().touch(key, timeout, version)


@breaks("touch.keeps-a-counter", says="incr('k') raised TypeError")
class TouchSpoilsCounters(LocMemCache):
    """Writes a touched counter in a form that get() can read and incr() cannot."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        vars(self).setdefault("touched", set()).add(key)
        return super().touch(key, timeout, version)

    def incr(self, key, delta=1, version=None):
        if key in vars(self).get("touched", ()):
            raise TypeError("not a counter")
        return super().incr(key, delta, version)


@breaks("touch.negative-removes", says="AllocationError")
class TouchRefusesTheNegative(LocMemCache):
    """Raises the error of its client library for a negative timeout."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, int | float) and timeout < 0:
            raise MemoryError("AllocationError: error 17 from memcached_touch")
        return super().touch(key, timeout, version)


@breaks("touch.negative-removes", says="get('k') returned 'v'")
class TouchOfANegativeIsForEver(LocMemCache):
    """Takes a negative timeout for "never"."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, int | float) and timeout < 0:
            timeout = None
        return super().touch(key, timeout, version)


@breaks("touch.below-one-second", says="get('k') returned 'v'")
class TouchCutsToForEver(LocMemCache):
    """Cuts the timeout to whole seconds and hands the 0 to a server for which it means for ever."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, float) and 0 < timeout < 1:
            timeout = None
        return super().touch(key, timeout, version)


@breaks("touch.float-is-accepted", says="TypeError: timeout must be an int")
class TouchTakesWholeSecondsOnly(LocMemCache):
    """Refuses a float."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, float) and timeout > 1:
            raise TypeError("timeout must be an int")
        return super().touch(key, timeout, version)


@breaks(
    "touch.thirty-days", says="touch('given', 2592001) returned True; get('given') returned None"
)
@breaks("touch.one-year", says="get('k') returned None")
class TouchDoesNotSendADate(LocMemCache):
    """Turns long timeouts into a date for memcached, but not those of touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        long = isinstance(timeout, int) and timeout > 30 * DAY
        return super().touch(key, timeout - time.time() if long else timeout, version)


@breaks("touch.thirty-days", says="get('default') returned None")
class TouchDoesNotSendADateByDefault(LocMemCache):
    """Turns a long timeout into a date for memcached, but not a TIMEOUT for touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is DEFAULT_TIMEOUT and (self.default_timeout or 0) > 30 * DAY:
            timeout = self.default_timeout - time.time()
        return super().touch(key, timeout, version)


@breaks("touch.set-has-the-last-word", says="get('shorter') returned 'new'")
class TouchHasTheLastWord(LocMemCache):
    """Keeps the expiry that touch() gave apart from the entry, where a later set() leaves it."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        vars(self).setdefault("touched", {})[self.make_key(key, version)] = timeout
        return super().touch(key, timeout, version)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        timeout = vars(self).get("touched", {}).get(self.make_key(key, version), timeout)
        super().set(key, value, timeout, version)


@breaks("touch.expired-key-returns-false", says="touch('default') returned True")
class TouchRevives(Touching):
    """Updates the expiry of whatever is stored, as an UPDATE without a look at it does."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if self.make_key(key, version) not in self._cache:
            return False
        self.expire_at(key, self.get_backend_timeout(timeout), version)
        return True


@breaks("touch.expired-key-returns-false", says="touch('none', None) returned True")
class TouchOfNoneRevives(TouchRevives):
    """Does so only where the timeout is None."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is None:
            return super().touch(key, None, version)
        return LocMemCache.touch(self, key, timeout, version)


@breaks("touch.expired-key-returns-false", says="returned {'none': 'v', 'seconds': 'v'}")
class TouchRevivesInSilence(TouchRevives):
    """Says that the entry has expired and brings it back all the same."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        expired = self._has_expired(self.make_key(key, version))
        if timeout is DEFAULT_TIMEOUT:
            return LocMemCache.touch(self, key, timeout, version)
        return super().touch(key, timeout, version) and not expired


@breaks("touch.reading-does-not-prolong", says="get('get') returned 'v'")
class ReadingRenewsWhatWasTouched(LocMemCache):
    """Takes what was touched for what is wanted, and gives it the whole TIMEOUT at each reading."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        self._wanted().add(self.make_key(key, version))
        return super().touch(key, timeout, version)

    def get(self, key, default=None, version=None):
        if self.make_key(key, version) in self._wanted():
            super().touch(key, version=version)
        return super().get(key, default, version)

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        self._wanted().discard(key)
        super()._set(key, value, timeout)

    def _wanted(self):
        return self.__dict__.setdefault("_touched", set())
