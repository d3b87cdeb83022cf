"""The implementation under test: the backend named on the command line, with its settings."""

from __future__ import annotations

import importlib.util
import secrets
import time
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.utils.module_loading import import_string

from cache_conformance.bounded import BoundedThread, Hung, ThreadDied
from cache_conformance.clause import Audience
from cache_conformance.controlled_server import DEFAULT_FAULT_BOUND, ControlledServer
from cache_conformance.effort import Effort
from cache_conformance.masking import masked
from cache_conformance.neighbour import sees
from cache_conformance.store import PATIENCE, STORE_OF_TARGET, Store, store_of
from cache_conformance.transcript import describe

if TYPE_CHECKING:
    from cache_conformance.capability import Capability

REQUIRED = ("add", "get", "set", "touch", "delete", "clear")
MADE_BY_THE_KIT = ("TIMEOUT", "VERSION", "KEY_PREFIX", "KEY_FUNCTION", "LOCATION", "BACKEND")
CULLING = ("MAX_ENTRIES", "CULL_FREQUENCY")
"""OPTIONS that are the kit's as well: those of the user would have checks evict each other."""
OURS = (*MADE_BY_THE_KIT, *CULLING, "OPTIONS")
"""What is not taken over from the user's entry, in capitals or in small letters."""

ENTRIES_OF_A_RUN = 5000
"""What the checks of a run write, and more."""
PROBE = 5.0
"""Seconds that writing so many entries may take: what a slow backend writes meanwhile suffices."""

_scopes = count(1)
_run = secrets.token_hex(3)


class UnusableBackend(Exception):
    """The backend cannot be tried at all; the message is one line that says why."""


def import_backend(path: str) -> type[BaseCache]:
    """Return the backend class at a dotted path. Raises UnusableBackend with one line."""
    try:
        backend = import_string(path)
    except ImportError as error:
        if _is_a_module(path):
            raise UnusableBackend(
                f"{path} is a module, not a class; name the backend class in it"
            ) from error
        raise UnusableBackend(f"cannot import {path}: {describe(error)}") from error
    except BaseException as error:
        raise UnusableBackend(f"importing {path} raises {describe(error)}") from error
    if not isinstance(backend, type):
        raise UnusableBackend(
            f"{path} is a {type(backend).__name__}, not a class; name the backend class itself"
        )
    return backend


def _loses_entries(cache: BaseCache) -> bool:
    began = time.monotonic()
    written = []
    for number in range(ENTRIES_OF_A_RUN):
        if time.monotonic() - began > PROBE:
            break
        cache.set(f"k{number}", number, 60)
        written.append(f"k{number}")
    lost = any(cache.get(key) is None for key in written[::10])
    cache.delete_many(written)
    cache.close()
    return lost


def _is_of_the_base(method: Any, name: str) -> bool:
    return getattr(method, "__func__", None) is getattr(BaseCache, name)


def _is_a_module(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except (ImportError, ValueError):
        return False


@dataclass
class Implementation:
    """A backend class with the rest of its ``CACHES`` entry, and the store it is tried on."""

    path: str
    config: dict[str, Any]
    backend: type[BaseCache]
    store: Store
    allow_clear: bool = False
    place: dict[str, Any] = field(default_factory=dict)
    unavailable: str | None = None
    capabilities: dict[Capability, bool] = field(default_factory=dict)
    effort: Effort = field(default_factory=Effort)
    fault_bound: float = DEFAULT_FAULT_BOUND

    @classmethod
    def of(
        cls, path: str, config: dict[str, Any] | None = None, *, allow_clear: bool = False
    ) -> Implementation:
        """Import the class at ``path`` and choose its store. Raises UnusableBackend."""
        backend = import_backend(path)
        config = dict(config or {})
        kind = store_of(backend)
        given = config.get("LOCATION", "")
        try:
            store = kind(given, owned=kind.separable or kind.needs_database)
        except (OSError, TypeError) as error:
            raise UnusableBackend(
                f"{path} has no store at LOCATION {masked(given)!r}: {describe(error)}"
            ) from error
        return cls(path, config, backend, store, allow_clear=allow_clear)

    @property
    def wants_target(self) -> str | None:
        """The name of the target to start for this backend, None if it has what it needs."""
        return None if self.store.given else self.store.target

    @property
    def is_djangos_own(self) -> bool:
        """Whether the backend is one of those that Django ships."""
        return self.backend.__module__.startswith("django.core.cache.backends.")

    @property
    def audience(self) -> Audience:
        """Whether the backend stores, or is the dummy that stores nothing."""
        return Audience.DUMMY if issubclass(self.backend, DummyCache) else Audience.STORING

    @cached_property
    def may_clear(self) -> bool:
        """Whether the store holds nobody else's data, or the user allowed to clear it."""
        return self.allow_clear or self.store.owned or self._lives_in_this_process()

    def _lives_in_this_process(self) -> bool:
        """Whether an entry that is here is absent in another process, as in a dictionary."""
        entry = self.entry(self.new_scope())
        try:
            cache = self.build(entry)
            cache.set("neighbour", "here", 60)
            return cache.get("neighbour") == "here" and not sees(entry, "neighbour")
        except Exception:
            return False

    @cached_property
    def evicts(self) -> bool:
        """Whether the checks drive out each other's entries, as the store has no room for all."""
        if type(self.store) is not Store:
            return False
        try:
            return _loses_entries(self.build(self.entry(self.new_scope())))
        except Exception:
            return False

    def answers(self) -> bool:
        """Whether an operation comes to an end at all, as without a server it should not."""
        reading = BoundedThread(PATIENCE)
        try:
            step = reading.run(
                lambda: self.build(self.entry(self.new_scope())).get("k"), lambda: None
            )
        except (Hung, ThreadDied):
            return False
        finally:
            reading.close()
        return step.error is None

    def take_place(self, place: dict[str, Any]) -> None:
        """Use the target that was started at ``place``, which is plain data."""
        self.place = place
        if place.get("location") is not None:
            kind = STORE_OF_TARGET.get(place["target"], Store)
            self.store = kind(place["location"], place["owned"])

    @cached_property
    def server(self) -> ControlledServer:
        """The server of the clauses about faults, one like the target."""
        return ControlledServer(self.place, self.fault_bound)

    @property
    def target(self) -> str | None:
        """The target and its provider, such as "redis (process)"; None without a target."""
        return f"{self.place['target']} ({self.place['provider']})" if self.place else None

    @property
    def by_hand(self) -> str | None:
        """The command line with which a person starts such a target."""
        return self.place.get("by_hand")

    @property
    def database(self) -> dict[str, Any] | None:
        """The ``DATABASES`` entry of the target, where it is a database."""
        return self.place.get("database")

    def new_scope(self) -> str:
        """Return a prefix that no other check of any run uses."""
        return f"{_run}-{next(_scopes)}"

    def entry(self, scope: str, **overrides: Any) -> dict[str, Any]:
        """Return a ``CACHES`` entry whose keys begin with ``scope``, with ``overrides`` on top."""
        given = self.config.get("OPTIONS", {})
        options = {name: given[name] for name in given if name not in CULLING}
        options |= overrides.pop("OPTIONS", {})
        entry: dict[str, Any] = {
            "BACKEND": self.path,
            **{key: value for key, value in self.config.items() if key.upper() not in OURS},
            "LOCATION": self.store.location(scope),
            "KEY_PREFIX": scope,
        }
        if "MAX_ENTRIES" not in options:
            entry |= self.store.settings()
        if options:
            entry["OPTIONS"] = options
        return entry | overrides

    def build(self, entry: dict[str, Any]) -> BaseCache:
        """Build the backend as Django does. Raises whatever its constructor raises.

        The handler is asked to create, not for its item: it would keep that in the context.
        """
        return CacheHandler({"default": entry}).create_connection("default")

    def try_to_build(self) -> None:
        """Build the backend once. Raises UnusableBackend if the constructor fails.

        It also does where the instance, wherever it has them from, has no methods of a cache.
        """
        try:
            cache = self.build(self.entry("constructed"))
        except ImportError as error:
            raise UnusableBackend(
                f"{self.path} needs {error.name or error}, which is not installed: "
                "pip install 'django-cache-conformance[targets]' brings the clients of Django's "
                "own backends"
            ) from error
        except BaseException as error:
            raise UnusableBackend(
                f"{self.path} cannot be built from LOCATION and its settings: {describe(error)}"
            ) from error
        methods = {name: getattr(cache, name, None) for name in REQUIRED}
        missing = [name for name in REQUIRED if not callable(methods[name])]
        if missing:
            raise UnusableBackend(
                f"{self.path} is not a cache backend: it has no {', '.join(missing)}"
            )
        if all(_is_of_the_base(method, name) for name, method in methods.items()):
            raise UnusableBackend(f"{self.path} implements none of {', '.join(REQUIRED)}")
