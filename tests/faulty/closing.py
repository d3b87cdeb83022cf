"""Faults of close."""

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


class Connected(LocMemCache):
    """Has a connection once it has been used."""

    connection = None

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.connection = self.connection or "connected"
        super().set(key, value, timeout, version)


@breaks("close.at-any-time", says="AttributeError")
class ClosesWhatItHasNot(Connected):
    """Closes its connection also where it has none yet."""

    def close(self, **kwargs):
        self.connection.upper()


@breaks("close.at-any-time", says="AttributeError")
class ClosesOnce(LocMemCache):
    """Removes its client in close(), which the second close() misses."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.client = "client"

    def close(self, **kwargs):
        del self.client


@breaks("close.at-any-time", says="aclose() raised RuntimeError")
class AsyncClosesOnce(LocMemCache):
    """Lets aclose() be called once."""

    closed = False

    async def aclose(self, **kwargs):
        if self.closed:
            raise RuntimeError("already closed")
        self.closed = True


@breaks("close.returns-none", says="close() returned True")
class CloseSaysWhetherItWorked(LocMemCache):
    """Returns True from close()."""

    def close(self, **kwargs):
        return True


@breaks("close.returns-none", says="aclose() returned True")
class AsyncCloseSaysWhetherItWorked(LocMemCache):
    """Returns True from aclose()."""

    async def aclose(self, **kwargs):
        return True


@breaks("close.accepts-keyword-arguments", says="TypeError")
class CloseTakesNothing(LocMemCache):
    """Has a close() without arguments."""

    def close(self):
        pass


@breaks("close.accepts-keyword-arguments", says="aclose(signal=1, sender=None) raised TypeError")
class AsyncCloseTakesNothing(LocMemCache):
    """Has an aclose() without arguments."""

    async def aclose(self):
        pass


@breaks("close.keeps-data", says="get('k') returned None")
class CloseClears(LocMemCache):
    """Clears the cache in close()."""

    def close(self, **kwargs):
        self.clear()


@breaks("close.keeps-data", says="get_many(['k', 'forever']) returned {'k': 'v'}")
class CloseDropsPermanentEntries(LocMemCache):
    """Removes entries without an expiry in close()."""

    def close(self, **kwargs):
        for key, expiry in list(self._expire_info.items()):
            if expiry is None:
                self._delete(key)


@breaks("close.instance-works-again", says="raised ConnectionError: the pipeline is closed")
class KeepsItsPipeline(LocMemCache):
    """Opens a pipeline for its first batch, and keeps it when it was closed."""

    pipeline = None

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        self.pipeline = self.pipeline or "open"
        if self.pipeline == "closed":
            raise ConnectionError("the pipeline is closed")
        return super().set_many(data, timeout, version)

    def close(self, **kwargs):
        self.pipeline = self.pipeline and "closed"


@breaks("close.instance-works-again", says="incr('n') raised RuntimeError")
class OnlyIncrDoesNotReconnect(Connected):
    """Opens its connection in every operation but incr()."""

    def incr(self, key, delta=1, version=None):
        if self.connection == "closed":
            raise RuntimeError("the connection is closed")
        return super().incr(key, delta, version)

    def close(self, **kwargs):
        self.connection = "closed"


@breaks("close.instance-works-again", says="returned {'a': 1, 'added': 'v', 'b': 2, 'k': 'w'}")
class BatchesAreLostAfterClose(LocMemCache):
    """Hands delete_many() to a worker that close() has stopped."""

    stopped = False

    def close(self, **kwargs):
        self.stopped = True

    def delete_many(self, keys, version=None):
        if not self.stopped:
            super().delete_many(keys, version)


@breaks("close.instance-works-again", says="aget('k') returned None")
class AsyncIsClosedForGood(LocMemCache):
    """Reads nothing in async code once it was closed there."""

    closed = False

    async def aclose(self, **kwargs):
        self.closed = True

    async def aget(self, key, default=None, version=None):
        return default if self.closed else await super().aget(key, default, version)


@breaks("close.aclose-runs-close", says="closings = []", django=">=6.1")
class AsyncCloseDoesNothing(LocMemCache):
    """Has the aclose() of Django before 6.1."""

    async def aclose(self, **kwargs):
        pass


@breaks("close.aclose-runs-close", says="closings = [call(), call()]", django=">=6.1")
class AsyncCloseDropsArguments(LocMemCache):
    """Does not pass on the arguments of aclose()."""

    async def aclose(self, **kwargs):
        await super().aclose()
