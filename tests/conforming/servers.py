"""Backends that start processes of their own."""

import pickle
import subprocess
from functools import cache
from multiprocessing import get_context
from multiprocessing.managers import BaseManager

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


class Server(BaseManager):
    """A process that keeps the entries of the process that has started it."""


class Entries(LocMemCache):
    """What keeps the entries on the server; their keys come as the client has made them."""

    def make_and_validate_key(self, key, version=None):
        return key


Server.register(
    "entries", Entries, exposed=("get", "set", "add", "touch", "incr", "has_key", "delete", "clear")
)


@cache
def server():
    """Return the server, started when it is first wanted."""
    started = Server(ctx=get_context("spawn"))
    started.start()
    return started


@conforms
class StartsItsServer(BaseCache):
    """Keeps its entries in a process that it has started, integers as such for incr()."""

    def __init__(self, name, params):
        super().__init__(params)
        options = {"MAX_ENTRIES": self._max_entries, "CULL_FREQUENCY": self._cull_frequency}
        self._entries = server().entries(name, {"OPTIONS": options})

    def _timeout(self, timeout):
        return self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout

    def _dumped(self, value):
        return value if type(value) is int else pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    def get(self, key, default=None, version=None):
        found = self._entries.get(self.make_and_validate_key(key, version))
        if found is None:
            return default
        return found if type(found) is int else pickle.loads(found)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_validate_key(key, version)
        self._entries.set(key, self._dumped(value), self._timeout(timeout))

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_validate_key(key, version)
        return self._entries.add(key, self._dumped(value), self._timeout(timeout))

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_validate_key(key, version)
        return self._entries.touch(key, self._timeout(timeout))

    def incr(self, key, delta=1, version=None):
        return self._entries.incr(self.make_and_validate_key(key, version), delta)

    def has_key(self, key, version=None):
        return self._entries.has_key(self.make_and_validate_key(key, version))

    def delete(self, key, version=None):
        return self._entries.delete(self.make_and_validate_key(key, version))

    def clear(self):
        self._entries.clear()


@cache
def helper():
    """Return a process that ends half a minute after it was first wanted."""
    return subprocess.Popen(["sleep", "30"], start_new_session=True)


@conforms
class LeavesAHelperBehind(LocMemCache):
    """Starts a process that outlives its own by half a minute, with the same standard streams."""

    def __init__(self, name, params):
        super().__init__(name, params)
        helper()
