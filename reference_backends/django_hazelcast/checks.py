"""System checks of the CACHES entries; the app "django_hazelcast" in INSTALLED_APPS brings them."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.core.exceptions import ImproperlyConfigured

from django_hazelcast.options import Options

_BACKENDS = (
    "django_hazelcast.HazelcastCache",
    "django_hazelcast.backend.HazelcastCache",
)


@register(Tags.caches)
def check_caches(*, app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Look at each CACHES entry of a Hazelcast cache; see `docs/django-hazelcast.md`."""
    understood: dict[str, Options] = {}
    messages: list[CheckMessage] = []
    for alias, entry in settings.CACHES.items():
        if entry.get("BACKEND") in _BACKENDS:
            try:
                understood[alias] = _options(entry)
            except ImproperlyConfigured as error:
                messages.append(
                    checks.Error(f"CACHES[{alias!r}]: {error}", id="django_hazelcast.E001")
                )
    messages += _unlocated(understood)
    messages += _unreadable(understood)
    return messages


@register(Tags.caches, deploy=True)
def check_credentials(
    *, app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn of passwords that are sent in the clear."""
    return [
        checks.Warning(
            f"CACHES[{alias!r}] sends its credentials without TLS.",
            hint='Set "ssl_enabled" in OPTIONS.',
            id="django_hazelcast.W003",
        )
        for alias, entry in settings.CACHES.items()
        if entry.get("BACKEND") in _BACKENDS
        and {"creds_password", "token_provider"} & (entry.get("OPTIONS") or {}).keys()
        and not (entry.get("OPTIONS") or {}).get("ssl_enabled")
    ]


def _options(entry: dict[str, Any]) -> Options:
    params = {name: entry[name] for name in entry if name not in ("BACKEND", "LOCATION")}
    return Options("HazelcastCache", entry.get("LOCATION", ""), params)


def _unlocated(understood: dict[str, Options]) -> Iterator[CheckMessage]:
    for alias, options in understood.items():
        if not options.members and "cloud_discovery_token" not in options.given:
            yield checks.Warning(
                f"CACHES[{alias!r}] names no member, so that one on this machine is looked for.",
                hint='Set LOCATION to "host:port" of one or more members.',
                id="django_hazelcast.W001",
            )


def _unreadable(understood: dict[str, Options]) -> Iterator[CheckMessage]:
    """Warn of aliases that share a map and cannot read what the other has written."""
    first: dict[tuple[str, str], str] = {}
    for alias, options in understood.items():
        other = first.setdefault((options.cluster, options.map_name), alias)
        if _format(options) != _format(understood[other]):
            yield checks.Warning(
                f"CACHES[{alias!r}] and CACHES[{other!r}] share the map {options.map_name!r}, and"
                " write their values in different ways.",
                hint="Give them one SERIALIZER and COMPRESSION, or a MAP_NAME each.",
                id="django_hazelcast.W002",
            )


def _format(options: Options) -> tuple[Any, Any]:
    return type(options.serializer), options.compression
