"""Faults of construction."""

import glob
import os
import re
import socket
import time
from contextlib import suppress

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.core.exceptions import ImproperlyConfigured

from faulty import breaks


@breaks("construction.location-and-params", says="KeyError: 'BACKEND'")
class ReadsItsPath(LocMemCache):
    """Looks for BACKEND in the settings that it is given."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.path = params["BACKEND"]


class FillsInLocation(type):
    def __call__(cls, location, params):
        return super().__call__(location or "main", params)


@breaks("construction.missing-location-is-empty", says="location = 'main'")
class HasADefaultLocation(LocMemCache, metaclass=FillsInLocation):
    """Replaces an empty LOCATION before its constructor sees it."""


@breaks("construction.location-may-hold-any-character", says="get('k') returned 'v'")
class GlobsItsDirectory(FileBasedCache):
    """Lists its files by a pattern that begins with LOCATION."""

    def _list_cache_files(self):
        return glob.glob(f"{self._dir}/*{self.cache_suffix}")


@breaks("construction.directory-is-made-again", says="set('k', 'w') raised FileNotFoundError")
class MakesItsDirectoryOnce(FileBasedCache):
    """Makes its directory when it is built, and not again."""

    def __init__(self, location, params):
        super().__init__(location, params)
        super()._createdir()

    def _createdir(self):
        pass


@breaks("construction.location-types", says="get('own') returned None")
class DisabledWithoutAName(LocMemCache):
    """Is silently switched off where LOCATION is no string."""

    def __init__(self, name, params):
        super().__init__(str(name), params)
        self.enabled = isinstance(name, str)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.enabled:
            super().set(key, value, timeout, version)


@breaks("construction.location-identifies-the-memory", says="get('k') returned 'there'")
class FoldsItsName(LocMemCache):
    """Takes LOCATION for the same in capitals."""

    def __init__(self, name, params):
        super().__init__(name.lower(), params)


class Server(LocMemCache):
    """What a server holds, under final keys."""

    def __init__(self, address):
        super().__init__(address, {"OPTIONS": {"MAX_ENTRIES": 1_000_000}})
        if "@" in address:
            raise PermissionError("no such user")

    def make_and_validate_key(self, key, version=None):
        return key

    def ttl(self, key):
        if not self.has_key(key):
            return -2
        end = self._expire_info[key]
        return -1 if end is None else round(end - time.time())


class MemoryClient:
    """The client of a RedisCache that keeps what its servers hold in this process."""

    reads = ("get", "get_many", "has_key")

    def __init__(self, servers, db=None):
        addresses = [f"{server}/{db}" if db else server for server in servers]
        self.leader, self.replica = Server(addresses[0]), Server(addresses[-1])

    def __getattr__(self, name):
        return getattr(self.replica if name in self.reads else self.leader, name)

    def get_client(self, key, *, write):
        return self.leader if write else self.replica


class MemoryRedis(RedisCache):
    client = MemoryClient

    def __init__(self, server, params):
        super().__init__(server, params)
        self._class = self.client


@breaks("construction.servers-as-a-list", says="serve_one_store")
class MakesAStringOfTheList(MemoryRedis):
    """Splits LOCATION as text, whatever it is."""

    def __init__(self, server, params):
        super().__init__(str(server), params)


@breaks("construction.servers-as-a-string", says="serve_one_store")
class KnowsOnlyCommas(MemoryRedis):
    """Does not split LOCATION at a semicolon."""

    def __init__(self, server, params):
        super().__init__(server.split(","), params)


@breaks("construction.servers-as-a-string", says="serve_one_store")
class KnowsOnlySemicolons(MemoryRedis):
    """Does not split LOCATION at a comma."""

    def __init__(self, server, params):
        super().__init__(server.split(";"), params)


class DeletesOnTheReplica(MemoryClient):
    reads = (*MemoryClient.reads, "delete_many")


@breaks("construction.redis-writes-to-the-first-server", says="'set_many': 'v'}")
class DeletesManyOnTheReplica(MemoryRedis):
    """Sends delete_many() where it sends what only reads."""

    client = DeletesOnTheReplica


class ReadsTheLeader(MemoryClient):
    reads = ()


@breaks("construction.redis-writes-to-the-first-server", says="returned 'v'")
class ReadsFromTheLeader(MemoryRedis):
    """Leaves its replicas idle."""

    client = ReadsTheLeader


@breaks("construction.redis-options-reach-the-client", says="get('k') returned 'there'")
class DropsItsOptions(MemoryRedis):
    """Builds its client without what OPTIONS hold."""

    def __init__(self, server, params):
        super().__init__(server, params)
        self._options = {}


@breaks(
    "construction.redis-credentials-reach-the-server",
    says="get('k') returned 'v'",
    config={"LOCATION": "redis://memory:6379"},
)
class DropsTheCredentials(MemoryRedis):
    """Connects to host and port alone."""

    def __init__(self, server, params):
        bare = server if isinstance(server, list) else re.sub("//[^/]*@", "//", server)
        super().__init__(bare, params)


@breaks("timeout.redis-counts-all-of-it", says="left = 86400")
class ExpiresWithinADay(MemoryRedis):
    """Keeps no entry for longer than a day."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        seconds = super().get_backend_timeout(timeout)
        return None if seconds is None else min(seconds, 24 * 60 * 60)


@breaks("construction.default-timeout-is-300", says="default_timeout = 3600")
class AnHourByDefault(LocMemCache):
    """Has a default timeout of its own."""

    def __init__(self, name, params):
        super().__init__(name, {"TIMEOUT": 3600, **params})


@breaks("construction.timeout-counts-from-the-write", says="get('set') returned None")
class KnowsItsExpiryEarly(LocMemCache):
    """Works out when an entry without a timeout expires as it is built, and not as it writes."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.expiry = super().get_backend_timeout()

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        return self.expiry if timeout is DEFAULT_TIMEOUT else super().get_backend_timeout(timeout)


@breaks("construction.timeout-is-the-default", says="get('add') returned 'v'")
class AddHasAnotherDefault(LocMemCache):
    """Takes the default timeout of add() from its signature."""

    def add(self, key, value, timeout=60, version=None):
        return super().add(key, value, timeout, version)


@breaks("construction.timeout-is-the-default", says="get('touch') returned 'v'")
class TouchHasAnotherDefault(LocMemCache):
    """Takes the default timeout of touch() from its signature."""

    def touch(self, key, timeout=300, version=None):
        return super().touch(key, timeout, version)


@breaks("construction.timeout-is-the-default", says="aget('set_many') returned 'v'")
class AsyncSetManyHasAnotherDefault(LocMemCache):
    """Takes the default timeout of aset_many() from its signature."""

    async def aset_many(self, data, timeout=300, version=None):
        return await super().aset_many(data, timeout, version)


@breaks("construction.timeout-none-never-expires", says="cache.default_timeout is None")
@breaks("construction.timeout-zero-stores-nothing", says="cache.default_timeout == 0")
class FalseTimeoutIsNoTimeout(LocMemCache):
    """Takes a TIMEOUT of None or 0 for a missing one."""

    def __init__(self, name, params):
        super().__init__(name, {**params, "TIMEOUT": params.get("TIMEOUT") or 300})


@breaks("construction.timeout-none-never-expires", says="get('touch') returned None")
class TouchKeepsExpiryWithoutTimeout(LocMemCache):
    """Leaves the expiry alone in touch() where the default timeout is None."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is DEFAULT_TIMEOUT and self.default_timeout is None:
            return self.has_key(key, version)
        return super().touch(key, timeout, version)


@breaks("construction.timeout-none-never-expires", says="get('explicit') returned 'v'")
class NoneWinsOverArguments(LocMemCache):
    """With TIMEOUT=None nothing expires, not even what has a timeout."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        return super().get_backend_timeout(timeout) if self.default_timeout is not None else None


@breaks("construction.timeout-zero-stores-nothing", says="get('old') returned 'v'")
class ZeroSkipsTheWrite(LocMemCache):
    """Does nothing in set() where TIMEOUT is 0, so that the old entry stays."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is not DEFAULT_TIMEOUT or self.default_timeout != 0:
            super().set(key, value, timeout, version)


@breaks("construction.timeout-zero-stores-nothing", says="aget('get_or_set') returned 'v'")
class AsyncGetOrSetTakesZeroForNone(LocMemCache):
    """Stores for ever in aget_or_set() where TIMEOUT is 0."""

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout or None
        return await super().aget_or_set(key, default, timeout, version)


@breaks("construction.timeout-zero-stores-nothing", says="returned None")
class ZeroSwitchesOff(LocMemCache):
    """Stores nothing at all where TIMEOUT is 0."""

    def get_backend_timeout(self, timeout=DEFAULT_TIMEOUT):
        return super().get_backend_timeout(timeout if self.default_timeout else 0)


@breaks("construction.timeout-zero-touch-expires", says="get('k') returned 'v'")
class TouchTakesZeroForNone(LocMemCache):
    """Makes an entry permanent in touch() where TIMEOUT is 0."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout or None
        return super().touch(key, timeout, version)


@breaks("construction.negative-timeout-stores-nothing", says="get('old') returned 'w'")
class NegativeIsForever(LocMemCache):
    """Takes a negative TIMEOUT for "never expires", as some servers do."""

    def __init__(self, name, params):
        super().__init__(name, params)
        if self.default_timeout is not None and self.default_timeout < 0:
            self.default_timeout = None


@breaks("construction.timeout-is-made-an-integer", says="default_timeout = '60'")
class TakesTimeoutAsItIs(LocMemCache):
    """Keeps TIMEOUT as the settings have it."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.default_timeout = params.get("TIMEOUT", 300)


@breaks("construction.timeout-is-made-an-integer", says="ValueError")
class FailsOnBadTimeout(LocMemCache):
    """Lets int() fail on a TIMEOUT that is no number."""

    def __init__(self, name, params):
        super().__init__(name, {**params, "TIMEOUT": int(params.get("TIMEOUT", 300))})


@breaks("construction.culling-options-are-made-integers", says="TypeError")
class TakesMaxEntriesAsItIs(LocMemCache):
    """Keeps MAX_ENTRIES as the settings have it."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._max_entries = params.get("OPTIONS", {}).get("MAX_ENTRIES", 300)


@breaks("construction.culling-options-are-made-integers", says="ValueError")
class FailsOnBadCullFrequency(LocMemCache):
    """Lets int() fail on a CULL_FREQUENCY that is no number."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._cull_frequency = int(params.get("OPTIONS", {}).get("CULL_FREQUENCY", 3))


class UpperCaseOnly(LocMemCache):
    """Does not know the lower-case names of settings."""

    def __init__(self, name, params):
        super().__init__(name, {key: params[key] for key in params if key.isupper()})


@breaks("construction.lower-case-timeout-wins", says="default_timeout = 9")
class IgnoresLowerCaseTimeout(UpperCaseOnly):
    """Does not know the setting timeout."""


@breaks("construction.lower-case-culling-settings-win", says="entries_left_of_25(small, ")
class IgnoresLowerCaseMaxEntries(UpperCaseOnly):
    """Does not know the setting max_entries."""


@breaks("construction.unknown-settings-are-ignored", says="unknown setting FOO")
class RefusesUnknownSettings(LocMemCache):
    """Takes a setting that it does not know for a typing error."""

    def __init__(self, name, params):
        super().__init__(name, params)
        for setting in params:
            if setting not in ("TIMEOUT", "OPTIONS", "KEY_PREFIX", "VERSION", "KEY_FUNCTION"):
                raise ImproperlyConfigured(f"unknown setting {setting}")


@breaks("construction.unknown-options", says="get('k') returned None")
class FailsSilently(LocMemCache):
    """Loses every write where its OPTIONS are not understood."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if not self.misunderstood:
            super().set(key, value, timeout, version)

    def __init__(self, name, params):
        super().__init__(name, params)
        self.misunderstood = params.get("OPTIONS", {}).keys() - {"MAX_ENTRIES", "CULL_FREQUENCY"}


@breaks("construction.options-none", says='cache.get("k") == "v"')
class NoneSwitchesOff(LocMemCache):
    """Stores nothing where OPTIONS is None."""

    def __init__(self, name, params):
        self.enabled = params.get("OPTIONS", {}) is not None
        super().__init__(name, {**params, "OPTIONS": params.get("OPTIONS") or {}})

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.enabled:
            super().set(key, value, timeout, version)


def connect(location):
    """Open a connection to the server that LOCATION names."""
    host, port = re.match(r"([\w.]+):(\d+)", location).groups()
    return socket.create_connection((host, int(port)), timeout=1)


@breaks(
    "construction.opens-no-connection",
    says="ConnectionRefusedError",
    config={"LOCATION": "127.0.0.1:6379"},
)
class ConnectsAtOnce(LocMemCache):
    """Connects to its server when it is built."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.connection = connect(name)


@breaks(
    "construction.opens-no-connection",
    says="no TimeoutError",
    config={"LOCATION": "127.0.0.1:6379"},
)
class TriesToConnectAtOnce(LocMemCache):
    """Connects to its server when it is built, if that is there."""

    def __init__(self, name, params):
        super().__init__(name, params)
        with suppress(OSError):
            self.connection = connect(name)


@breaks("construction.leaves-settings-alone", says="settings == before")
class WritesDefaultsIntoOptions(LocMemCache):
    """Completes the OPTIONS of the settings."""

    def __init__(self, name, params):
        super().__init__(name, params)
        params.get("OPTIONS", {}).setdefault("serializer", "pickle")


@breaks("construction.leaves-settings-alone", says="settings == before")
class CountsInOptions(LocMemCache):
    """Takes notes in the OPTIONS of the settings, long after it was built."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.options = params.get("OPTIONS", {})

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.options["writes"] = self.options.get("writes", 0) + 1
        super().set(key, value, timeout, version)


@breaks("construction.leaves-options-alone", says="settings == before")
class TakesOptionsOut(LocMemCache):
    """Pops its own entries from OPTIONS, and passes the rest to a client."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.options = params.get("OPTIONS", {})
        self.options.pop("MAX_ENTRIES", None)


@breaks("construction.made-directories-are-private", says="mode = '0o755'")
class LeavesDirectoriesToTheUmask(FileBasedCache):
    """Makes its directory as any other."""

    def _createdir(self):
        os.makedirs(self._dir, exist_ok=True)


@breaks("construction.made-directories-are-private", says="mode = '0o755'")
class ClosesTheLastDirectoryAlone(FileBasedCache):
    """Gives a mode to makedirs(), which uses it for the last directory alone (CVE-2020-24584)."""

    def _createdir(self):
        os.makedirs(self._dir, 0o700, exist_ok=True)


@breaks("construction.umask-stays", says="changes = [call(63)")
class MakesItsDirectoryUnderAnUmask(FileBasedCache):
    """Changes the umask while it makes its directory, also for other threads (CVE-2026-25674)."""

    def _createdir(self):
        usual = os.umask(0o077)
        try:
            os.makedirs(self._dir, 0o700, exist_ok=True)
        finally:
            os.umask(usual)


@breaks("construction.directory-stays-where-it-is", says="get('k') returned None")
class TakesItsDirectoryAsItIs(FileBasedCache):
    """Does not make its directory's path absolute."""

    def __init__(self, directory, params):
        super().__init__(directory, params)
        self._dir = directory
