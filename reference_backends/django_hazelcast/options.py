"""What a CACHES entry says about a Hazelcast cache."""

import re
import socket
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from hazelcast.config import Config
from hazelcast.errors import InvalidConfigurationError

from django_hazelcast.near_cache import NearCacheOptions
from django_hazelcast.serializers import PickleSerializer, Serializer

OWN = ("COMPRESSION", "MAP_NAME", "NEAR_CACHE", "SERIALIZER", "TIMEOUT")
"""The options of this backend; all others are arguments of `hazelcast.HazelcastClient`."""

_DECIDED = {
    "async_start": "the client always starts in the background",
    "cluster_members": "members are named by LOCATION",
    "invocation_timeout": "it follows from TIMEOUT",
    "lifecycle_listeners": "the backend listens itself",
    "near_caches": "the backend has its own, NEAR_CACHE",
    "reconnect_mode": "the client always connects again",
}
"""Arguments of the client that are not to be chosen, and why."""

_UNLESS_GIVEN = {
    "fail_on_indeterminate_operation_state": True,
    "redo_operation": True,
    "invocation_retry_pause": 0.1,
    "retry_max_backoff": 2.0,
    "socket_options": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
}
"""What the client takes where nothing is said: a write counts when it is backed up; what a dying
member has not answered is sent to its successor; a cluster that is back is noticed soon; and no
request is held back until the one before it is acknowledged."""

_CULLING = (
    "a client cannot bound a Hazelcast map; instead of MAX_ENTRIES and CULL_FREQUENCY, give the map"
    " {name!r} an `eviction` in the configuration of the members"
)


class Compression(Protocol):
    """What OPTIONS["COMPRESSION"] names: a module or an object, such as `zlib`."""

    def compress(self, data: bytes, /) -> bytes:
        """Return fewer bytes."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return the bytes that were compressed."""


@dataclass(frozen=True)
class Options:
    """A CACHES entry, understood. Building it raises `ImproperlyConfigured` with one line."""

    backend: str
    location: Any
    params: dict[str, Any]

    def __post_init__(self) -> None:
        self._refuse_unknown()
        self._refuse_culling()
        try:
            Config.from_dict(self.client_arguments)
        except (InvalidConfigurationError, TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"OPTIONS of a Hazelcast cache: {error}") from error
        _ = self.timeout, self.near_cache, self.serializer, self.compression

    @cached_property
    def given(self) -> dict[str, Any]:
        """OPTIONS; `None` is none."""
        return self.params.get("OPTIONS") or {}

    @cached_property
    def timeout(self) -> float:
        """How long an operation may take, in seconds; 5 unless given."""
        timeout = self.given.get("TIMEOUT", 5)
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
            raise ImproperlyConfigured(
                f"OPTIONS['TIMEOUT'] is the seconds an operation may take, not {timeout!r}"
            )
        return float(timeout)

    @cached_property
    def members(self) -> list[str]:
        """The addresses that LOCATION names, as `host` or `host:port`."""
        return self._location[0]

    @cached_property
    def cluster(self) -> str:
        """The name and the members of the cluster, for messages."""
        where = f" at {', '.join(self.members)}" if self.members else ""
        return f"{self.given.get('cluster_name', 'dev')!r}{where}"

    @cached_property
    def map_name(self) -> str:
        """OPTIONS["MAP_NAME"], what follows a "/" in LOCATION, or the name of the alias.

        That is the first alias in the settings that has this backend, LOCATION and OPTIONS: such
        aliases share one store, as with all of Django's backends.
        """
        named = self.given.get("MAP_NAME") or self._location[1]
        if named:
            return str(named)
        for alias, entry in settings.CACHES.items():
            if (
                str(entry.get("BACKEND")).rpartition(".")[2] == self.backend
                and entry.get("LOCATION", "") == self.location
                and (entry.get("OPTIONS") or {}) == self.given
            ):
                return str(alias)
        return "default"

    @cached_property
    def client_arguments(self) -> dict[str, Any]:
        """The arguments for `hazelcast.HazelcastClient`; equal ones share one client."""
        arguments = {name: value for name, value in self.given.items() if name not in OWN}
        if self.members:
            arguments["cluster_members"] = self.members
        return {
            "connection_timeout": self.timeout,
            "operation_backup_timeout": min(0.4 * self.timeout, 2.0),
            **_UNLESS_GIVEN,
            **arguments,
            "invocation_timeout": self.timeout,
        }

    @cached_property
    def near_cache(self) -> NearCacheOptions | None:
        """`True`, or a dict of what differs from the defaults; `None` unless given."""
        given = self.given.get("NEAR_CACHE")
        if not given:
            return None
        valid = {field.name.upper(): field.name for field in fields(NearCacheOptions)}
        chosen = {} if given is True else dict(given)
        if unknown := chosen.keys() - valid.keys():
            raise ImproperlyConfigured(
                f"OPTIONS['NEAR_CACHE'] has no {_listed(unknown)}; valid are: {_listed(valid)}"
            )
        for name, value in chosen.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ImproperlyConfigured(
                    f"OPTIONS['NEAR_CACHE']['{name}'] is a number above 0, not {value!r}"
                )
        return NearCacheOptions(**{valid[name]: value for name, value in chosen.items()})

    @cached_property
    def serializer(self) -> Serializer:
        """An object, a class or the dotted path of one; pickle unless given."""
        given = self.given.get("SERIALIZER", PickleSerializer)
        serializer = _imported(given, "SERIALIZER") if isinstance(given, str) else given
        if isinstance(serializer, type):
            serializer = serializer()
        checked: Serializer = _checked(serializer, "SERIALIZER", "dumps", "loads")
        return checked

    @cached_property
    def compression(self) -> Compression | None:
        """A module or object, or the dotted path of one; `None` unless given."""
        given = self.given.get("COMPRESSION")
        if given is None:
            return None
        compression = _imported(given, "COMPRESSION") if isinstance(given, str) else given
        checked: Compression = _checked(compression, "COMPRESSION", "compress", "decompress")
        return checked

    @cached_property
    def _location(self) -> tuple[list[str], str]:
        """The members and the map that LOCATION names."""
        if not isinstance(self.location, str):
            return [str(member) for member in self.location or ()], ""
        members, _, name = self.location.partition("/")
        return [part.strip() for part in re.split("[;,]", members) if part.strip()], name

    def _refuse_unknown(self) -> None:
        client = {name for name, kind in vars(Config).items() if isinstance(kind, property)}
        for name, reason in _DECIDED.items():
            if name in self.given:
                raise ImproperlyConfigured(f"OPTIONS[{name!r}] cannot be chosen: {reason}")
        unknown = self.given.keys() - {*OWN, *client, "MAX_ENTRIES", "CULL_FREQUENCY"}
        if unknown:
            raise ImproperlyConfigured(
                f"OPTIONS of a Hazelcast cache has no {_listed(unknown)}; valid are {_listed(OWN)},"
                f" and for the client {_listed(client - _DECIDED.keys())}"
            )

    def _refuse_culling(self) -> None:
        reason = _CULLING.format(name=self.map_name)
        if self.given.keys() & {"MAX_ENTRIES", "CULL_FREQUENCY"}:
            raise ImproperlyConfigured(f"OPTIONS of a Hazelcast cache: {reason}")
        if self.params.keys() & {"max_entries", "cull_frequency"}:
            warnings.warn(f"max_entries and cull_frequency have no effect: {reason}", stacklevel=2)


def _imported(path: str, option: str) -> Any:
    try:
        return import_string(path) if "." in path else import_module(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"OPTIONS[{option!r}]: {error}") from error


def _checked(found: Any, option: str, *methods: str) -> Any:
    missing = [name for name in methods if not callable(getattr(found, name, None))]
    if missing:
        raise ImproperlyConfigured(f"OPTIONS[{option!r}] has no {_listed(missing)}: {found!r}")
    return found


def _listed(names: Iterable[object]) -> str:
    return ", ".join(sorted(str(name) for name in names))
