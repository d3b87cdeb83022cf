"""Where a backend keeps its entries, and how the kit keeps its own apart from everybody else's."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cache_conformance.database import TABLE
from cache_conformance.masking import masked

MANY_ENTRIES = 1_000_000
FAR_FROM_DEFAULTS = 9
"""A database of Redis that no backend uses unless it is told to; some begin at 0, others at 1."""
LAST = 15
"""The last database of a Redis server that is configured as usual."""

PATIENCE = 5.0
"""Seconds to wait for a server that may not be there."""

MEMORY = "/dev/shm"  # noqa: S108  (mkdtemp makes the directories in it)
ROOM = 2**30
"""Bytes that must be free there, many times what the checks leave behind."""


class Store:
    """The store that LOCATION names, shared by all checks; nothing is known about it."""

    target: str | None = None
    needs_database = False
    separable = False

    def __init__(self, location: Any, owned: bool) -> None:
        self.given = location
        self.owned = owned

    def location(self, scope: str) -> Any:
        """Return the LOCATION for the checks in ``scope``; None leaves the key out."""
        return self.given

    def another_location(self, scope: str) -> Any:
        """Return the LOCATION of a second store, or None where the kit cannot name one."""
        return None

    def settings(self) -> dict[str, Any]:
        """Return what the ``CACHES`` entry needs so that checks do not evict each other."""
        return {"max_entries": MANY_ENTRIES}

    def location_in_a_script(self) -> str:
        """Return the expression that a reproduction uses as LOCATION, "" for none."""
        return repr(masked(self.given)) if self.given else ""

    def another_location_in_a_script(self) -> str:
        """Return the expression that a reproduction uses as LOCATION of a second store."""
        return repr(masked(self.another_location("repro")))

    def keep_on_disk(self) -> None:
        """Have the entries from now on where a site has them, for their speed is measured."""

    def silence(self) -> str | None:
        """Return which server is not there, None where one is, or where there is none to ask."""
        return None

    def close(self) -> None:
        """Remove what the kit has left behind."""


class MemoryStore(Store):
    """A dictionary of this process, one for each LOCATION."""

    separable = True

    def location(self, scope: str) -> Any:
        return f"{self.given or 'conformance'}-{scope}-a"

    def another_location(self, scope: str) -> Any:
        """Return a LOCATION that differs by the case of one letter."""
        return f"{self.given or 'conformance'}-{scope}-A"

    def settings(self) -> dict[str, Any]:
        return {}

    def location_in_a_script(self) -> str:
        return repr(masked(self.location("repro")))


class DirectoryStore(Store):
    """A directory, one for each LOCATION: a new one below the one that was given.

    Where none was given it is in memory if it can be: the verdicts are the same, and a run on ext4
    takes half as long again, which looks past all inodes freed in the last seconds for a free one.
    """

    separable = True

    def __init__(self, location: Any, owned: bool) -> None:
        super().__init__(location, owned)
        self._made = ExitStack()
        if location:
            Path(location).mkdir(parents=True, exist_ok=True)
        self.root = self._new_directory(location or _directory_in_memory())

    def location(self, scope: str) -> Any:
        return str(Path(self.root, scope))

    def another_location(self, scope: str) -> Any:
        return f"{self.location(scope)}-other"

    def settings(self) -> dict[str, Any]:
        return {}

    def location_in_a_script(self) -> str:
        return "tempfile.mkdtemp()"

    def keep_on_disk(self) -> None:
        if not self.given and Path(self.root).is_relative_to(MEMORY):
            self.root = self._new_directory(None)

    def close(self) -> None:
        self._made.close()

    def _new_directory(self, parent: str | None) -> str:
        made = tempfile.mkdtemp(prefix="cache-conformance-", dir=parent)
        self._made.callback(shutil.rmtree, made, ignore_errors=True)
        return made


class DatabaseStore(Store):
    """A table of the kit's own database."""

    needs_database = True

    def location(self, scope: str) -> Any:
        return TABLE

    def another_location(self, scope: str) -> Any:
        return f"{TABLE}_other"

    def location_in_a_script(self) -> str:
        return repr(TABLE)


class ServedStore(Store):
    """The store of a server, or of one of several, which LOCATION names by host and port."""

    def silence(self) -> str | None:
        silent = None
        for host, port in _addresses(self.given):
            try:
                create_connection((host, port), PATIENCE).close()
            except OSError as error:
                silent = f"nothing answers at {host}:{port}: {error.strerror or error}"
            else:
                return None
        return silent


class MemcachedStore(ServedStore):
    """A memcached server, which has no finer store than the whole of itself."""

    target = "memcached"

    def settings(self) -> dict[str, Any]:
        return {}

    def location_in_a_script(self) -> str:
        return _server("127.0.0.1:11211") if self.owned else super().location_in_a_script()


class HazelcastMemcachedStore(MemcachedStore):
    """A Hazelcast server that is spoken to as one of memcached."""

    target = "hazelcast-memcached"

    def location_in_a_script(self) -> str:
        return _server("127.0.0.1:5701") if self.owned else super().location_in_a_script()


class RedisStore(ServedStore):
    """A numbered database of a Redis server."""

    target = "redis"

    def another_location(self, scope: str) -> Any:
        if not isinstance(self.given, str):
            return None
        parts = urlsplit(self.given)
        number = parts.path.strip("/")
        if parts.query or (number and not number.isdecimal()):
            return None  # a socket, or a database that the query names
        if not number:
            other = FAR_FROM_DEFAULTS
        else:
            other = int(number) + 1 if int(number) < LAST else int(number) - 1
        return urlunsplit(parts._replace(path=f"/{other}"))

    def settings(self) -> dict[str, Any]:
        return {}

    def location_in_a_script(self) -> str:
        return _server("redis://127.0.0.1:6379") if self.owned else super().location_in_a_script()

    def another_location_in_a_script(self) -> str:
        if self.owned:
            return f'CONFIG["LOCATION"] + "/{FAR_FROM_DEFAULTS}"'
        return super().another_location_in_a_script()


class HazelcastStore(ServedStore):
    """A map of a Hazelcast cluster."""

    target = "hazelcast"

    def another_location(self, scope: str) -> Any:
        return f"{self.given.partition('/')[0]}/other" if isinstance(self.given, str) else None

    def settings(self) -> dict[str, Any]:
        return {}

    def location_in_a_script(self) -> str:
        return _server("127.0.0.1:5701") if self.owned else super().location_in_a_script()

    def another_location_in_a_script(self) -> str:
        return (
            'CONFIG["LOCATION"] + "/other"'
            if self.owned
            else super().another_location_in_a_script()
        )


def _directory_in_memory() -> str | None:
    """Return a directory whose files are on no disk, None where there is none with room.

    Whoever sets TMPDIR has chosen another.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= ROOM else None


def _addresses(location: Any) -> Iterator[tuple[str, int]]:
    """Yield what servers LOCATION names by host and port, in a list, in one text or as URLs."""
    for servers in [location] if isinstance(location, str) else location or ():
        for server in re.split("[;,]", str(servers)):
            parts = urlsplit(server if "//" in server else f"//{server}")
            with suppress(ValueError):
                if parts.hostname and parts.port:
                    yield parts.hostname, parts.port


def _server(usual: str) -> str:
    return f"os.environ.get('CACHE_LOCATION', {usual!r})"


STORES: dict[str, type[Store]] = {
    "django.core.cache.backends.dummy.DummyCache": MemoryStore,
    "django.core.cache.backends.locmem.LocMemCache": MemoryStore,
    "django.core.cache.backends.filebased.FileBasedCache": DirectoryStore,
    "django.core.cache.backends.db.DatabaseCache": DatabaseStore,
    "django.core.cache.backends.memcached.BaseMemcachedCache": MemcachedStore,
    "django.core.cache.backends.redis.RedisCache": RedisStore,
    "django_hazelcast.backend.HazelcastCache": HazelcastStore,
    "django_hazelcast.memcached.HazelcastMemcachedCache": HazelcastMemcachedStore,
}


STORE_OF_TARGET: dict[str, type[Store]] = {
    "hazelcast": HazelcastStore,
    "hazelcast-memcached": HazelcastMemcachedStore,
    "memcached": MemcachedStore,
    "redis": RedisStore,
    "valkey": RedisStore,
}


def store_of(backend: type) -> type[Store]:
    """Return the kind of store that a backend class, or the class it derives from, uses."""
    for base in backend.__mro__:
        if kind := STORES.get(f"{base.__module__}.{base.__qualname__}"):
            return kind
    return Store
