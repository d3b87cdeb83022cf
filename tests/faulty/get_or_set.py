"""Faults of get_or_set."""

from concurrent.futures import Future
from threading import Lock

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks

ABSENT = object()


@breaks("get-or-set.miss-stores-the-default", says="get('by-position') returned None")
class ReturnsAndDoesNotStore(LocMemCache):
    """Returns the default as get() does."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        return self.get(key, default() if callable(default) else default, version)


@breaks("get-or-set.miss-stores-the-default", says="aget_or_set('by-position', 'v') returned None")
class AsyncReturnsWhatItFound(LocMemCache):
    """Stores the default in aget_or_set() and returns what was there before."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = await self.aget(key, version=version)
        await super().aget_or_set(key, default, timeout, version)
        return found


@breaks("get-or-set.versions-are-computed-apart", says="found = ['one']")
class JoinsAnyVersion(LocMemCache):
    """Waits for the value that somebody computes for the key, of whichever version."""

    flights = {}  # noqa: RUF012

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        name = self.key_prefix, key
        if name in self.flights:
            return self.flights[name].result()
        flight = self.flights[name] = Future()
        try:
            flight.set_result(super().get_or_set(key, default, timeout, version))
        except BaseException as error:
            flight.set_exception(error)
        finally:
            del self.flights[name]
        return flight.result()


@breaks(
    "get-or-set.hit-returns-what-is-stored",
    says="get_or_set('k', 'default') returned 'default'",
)
class AlwaysSets(LocMemCache):
    """Stores the default without a look at what is there."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        self.set(key, default() if callable(default) else default, timeout, version)
        return self.get(key, version=version)


@breaks("get-or-set.hit-returns-what-is-stored", says="'default', 60) returned 'default'")
class ReturnsWhatItReplaces(LocMemCache):
    """Returns what is stored and writes the default over it."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        value = super().get_or_set(key, default, timeout, version)
        if not callable(default):
            self.set(key, default, timeout, version)
        return value


@breaks("get-or-set.one-version", says="get_or_set('k', 'two', 60, 2) returned 'one'")
class LooksAtItsOwnVersion(LocMemCache):
    """Looks at the version of the alias and stores under the one that is given."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = self.get(key, ABSENT)
        if found is not ABSENT:
            return found
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.callable-computes-the-value", says="AttributeError: 'function' object")
class NamesWhatItCalls(LocMemCache):
    """Notes ``default.__name__``, which not every callable has."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if callable(default) and not hasattr(default, "__qualname__"):
            raise AttributeError("'function' object expected")
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.callable-computes-the-value", says="get_or_set('k1', <class 'dict'>) returned")
class CallsFunctionsOnly(LocMemCache):
    """Takes a class for a value, as ``inspect.isfunction`` does."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(default, type):
            self.add(key, default, timeout, version)
            return self.get(key, default, version)
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.callable-is-called-once", says="default.calls == [((), {})]")
class CallsTwice(LocMemCache):
    """Calls for the value to store, and once more for the one to return."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if callable(default) and not self.has_key(key, version):
            self.add(key, default(), timeout, version)
            return default()
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.callable-is-called-once", says="uncached.calls == [((), {})]")
class AsyncCallsAgainForWhatIsGone(LocMemCache):
    """Calls once more in aget_or_set() where the value cannot be read back."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        value = await super().aget_or_set(key, default, timeout, version)
        if callable(default) and not await self.ahas_key(key, version):
            return default()
        return value


@breaks("get-or-set.callable-is-not-called-on-a-hit", says="calls = [")
class CallsFirst(LocMemCache):
    """Computes the value before it looks whether it is needed."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        default = default() if callable(default) else default
        return super().get_or_set(key, lambda: default, timeout, version)


@breaks("get-or-set.callable-is-not-called-on-a-hit", says="aget_or_set('k1'")
class AsyncCallsForNone(LocMemCache):
    """Computes the value in aget_or_set() once more where None is stored."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if callable(default) and await self.aget(key, version=version) is None:
            default = default()
            return await super().aget_or_set(key, lambda: default, timeout, version)
        return await super().aget_or_set(key, default, timeout, version)


@breaks("get-or-set.result-is-not-called", says="returned 'text'")
class CallsTheResult(LocMemCache):
    """Calls until there is nothing left to call."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        def settled():
            value = default
            while callable(value):
                value = value()
            return value

        return super().get_or_set(key, settled, timeout, version)


@breaks("get-or-set.none-is-stored", says="get('given', 'default') returned 'default'")
class DoesNotStoreNone(LocMemCache):
    """Does not cache None, as Django 1.11 did not."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return value is not None and super().add(key, value, timeout, version)


@breaks("get-or-set.none-is-stored", says="get('computed', 'default') returned 'default'")
class DoesNotStoreAComputedNone(LocMemCache):
    """Takes None from a callable for "no result"."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = self.get(key, ABSENT, version)
        if found is ABSENT and callable(default):
            default = default()
            if default is None:
                return None
            return super().get_or_set(key, lambda: default, timeout, version)
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.false-value-is-a-hit", says="where value = None")
class NoneIsAMiss(LocMemCache):
    """Takes None that is stored for an absent entry."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if self.get(key, version=version) is None:
            self.delete(key, version)
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.false-value-is-a-hit", says="where value = 0")
class FalseIsAMiss(LocMemCache):
    """Writes ``self.get(key) or default``."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = self.get(key, ABSENT, version)
        if found is not None and not found:
            self.delete(key, version)
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.default-is-required", says="get_or_set('k') returned None")
class DefaultOfNone(LocMemCache):
    """Gives the default a default."""

    def get_or_set(self, key, default=None, timeout=DEFAULT_TIMEOUT, version=None):
        return super().get_or_set(key, default, timeout, version)


@breaks(
    "get-or-set.timeout-applies-on-a-miss",
    says="returned {'short-by-name': 'v', 'short-by-position': 'v'",
)
class ForgetsTheTimeout(LocMemCache):
    """Does not pass the timeout on."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        return super().get_or_set(key, default, version=version)


@breaks("get-or-set.timeout-applies-on-a-miss", says="returned {'short-computed': 'v'}")
class ForgetsTheTimeoutOfACallable(LocMemCache):
    """Does not pass the timeout on where the default is called."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if callable(default):
            timeout = DEFAULT_TIMEOUT
        return super().get_or_set(key, default, timeout, version)


@breaks(
    "get-or-set.timeout-applies-on-a-miss",
    says="returned {'computed-default': 'v', 'default': 'v'}",
)
class AsyncHasADefaultOfItsOwn(LocMemCache):
    """Lives 300 seconds after aget_or_set() without a timeout, whatever TIMEOUT says."""

    async def aget_or_set(self, key, default, timeout=300, version=None):
        return await super().aget_or_set(key, default, timeout, version)


@breaks("get-or-set.timeout-is-ignored-on-a-hit", says="'not-longer': 'v'")
class TouchesOnAHit(LocMemCache):
    """Gives the entry the timeout, be it new or not."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        value = super().get_or_set(key, default, timeout, version)
        self.touch(key, timeout, version)
        return value


@breaks(
    "get-or-set.timeout-is-ignored-on-a-hit",
    says="returned {'not-shorter': 'v', 'still-forever': 'v'}",
)
class ZeroRemovesOnAHit(LocMemCache):
    """Removes the entry where the timeout is 0, be it new or not."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        value = super().get_or_set(key, default, timeout, version)
        if timeout == 0:
            self.delete(key, version)
        return value


@breaks("get-or-set.timeout-is-ignored-on-a-hit", says="returned {'not-by-default': 'v'}")
class AsyncSlides(LocMemCache):
    """Refreshes an entry that aget_or_set() without a timeout finds."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        value = await super().aget_or_set(key, default, timeout, version)
        if timeout is DEFAULT_TIMEOUT:
            await self.atouch(key, timeout, version)
        return value


@breaks("get-or-set.expired-entry-is-a-miss", says="get('given') returned None")
class AddsNextToTheExpired(LocMemCache):
    """Stores by add(), which takes an entry that has expired for one that is there."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        made = self.make_key(key, version)
        if made in self._cache and self._has_expired(made):
            return default() if callable(default) else default
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.expired-entry-is-a-miss", says="aget_or_set('given', 'new', 60) returned 'old'")
class AsyncServesTheExpired(LocMemCache):
    """Serves an entry that has expired once more, while aget_or_set() stores the new one."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        stale = key == "given" and self.make_key(key, version) in self._cache
        value = await super().aget_or_set(key, default, timeout, version)
        return "old" if stale else value


@breaks(
    "get-or-set.zero-timeout-returns-the-default",
    says="get_or_set('given', 'v', 0) returned None",
)
class ReadsBackWithoutADefault(LocMemCache):
    """Returns what it can read back, which is nothing where the timeout is 0."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        value = super().get_or_set(key, default, timeout, version)
        return None if timeout == 0 else value


@breaks("get-or-set.zero-timeout-returns-the-default", says="has_key('given') returned True")
class ZeroIsTheDefault(LocMemCache):
    """Writes ``timeout or DEFAULT_TIMEOUT``."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout == 0:
            timeout = DEFAULT_TIMEOUT
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.negative-timeout-returns-the-default", says="has_key('given') returned True")
class NegativeIsForEver(LocMemCache):
    """Takes a negative timeout for "never"."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(timeout, int | float) and timeout < 0:
            timeout = None
        return super().get_or_set(key, default, timeout, version)


@breaks("get-or-set.exception-propagates", says="the exception of the callable was lost")
class TakesKeyErrorForAMiss(LocMemCache):
    """Catches KeyError around more than its own look-up."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            return super().get_or_set(key, default, timeout, version)
        except KeyError:
            return None


@breaks("get-or-set.exception-propagates", says="caught is error")
class WrapsTheException(LocMemCache):
    """Raises an exception of its own in place of the callable's."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            return super().get_or_set(key, default, timeout, version)
        except ValueError as error:
            raise ValueError(f"{key} could not be computed") from error


@breaks("get-or-set.exception-propagates", says="has_key('k') returned True")
class LeavesAPlaceholder(LocMemCache):
    """Reserves the key before it calls, and leaves the reservation behind."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            return super().get_or_set(key, default, timeout, version)
        except Exception:
            self.add(key, "being computed", timeout, version)
            raise


@breaks("get-or-set.exception-propagates", says="the exception of the callable was lost")
class AwayForTheDefaultToo(LocMemCache):
    """Takes a ConnectionError for one of its server, which is to count as a miss."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            return super().get_or_set(key, default, timeout, version)
        except ConnectionError:
            return None


@breaks("get-or-set.default-may-use-the-cache", says="TimeoutError: another default is computed")
class ComputesOneAtATime(LocMemCache):
    """Holds one lock for all keys while a default is computed."""

    computing = Lock()

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if not self.computing.acquire(timeout=0.1):
            raise TimeoutError("another default is computed")
        try:
            return super().get_or_set(key, default, timeout, version)
        finally:
            self.computing.release()


@breaks("get-or-set.other-writer-wins", says="returned 'ours'")
class OverwritesTheOther(LocMemCache):
    """Stores by set(), where add() would have seen the other's value."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = self.get(key, ABSENT, version)
        if found is not ABSENT:
            return found
        value = default() if callable(default) else default
        self.set(key, value, timeout, version)
        return value


@breaks("get-or-set.other-writer-wins", says="aget_or_set('k'")
class AsyncReturnsItsOwn(LocMemCache):
    """Keeps the other's value and returns its own in aget_or_set()."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = await self.aget(key, ABSENT, version)
        if found is not ABSENT:
            return found
        value = default() if callable(default) else default
        await self.aadd(key, value, timeout, version)
        return value


@breaks(
    "get-or-set.nothing-stored-returns-the-default",
    says="get_or_set('given', 'v') returned None",
)
class ReturnsWhatAddStored(LocMemCache):
    """Reads back after add(), and has nothing to return where that stored nothing."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = self.get(key, ABSENT, version)
        if found is not ABSENT:
            return found
        self.add(key, default() if callable(default) else default, timeout, version)
        return self.get(key, version=version)


@breaks(
    "get-or-set.nothing-stored-returns-the-default",
    says="aget_or_set('given', 'v') raised RuntimeError",
)
class AsyncInsistsOnStoring(LocMemCache):
    """Raises in aget_or_set() where aadd() did not store."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = await self.aget(key, ABSENT, version)
        if found is not ABSENT:
            return found
        value = default() if callable(default) else default
        if not await self.aadd(key, value, timeout, version):
            raise RuntimeError("not stored")
        return await self.aget(key, value, version)
