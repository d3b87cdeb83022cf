"""Something that a backend may have or not have; a clause about it applies only where it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

CULLING = (DatabaseCache, FileBasedCache, LocMemCache)


@dataclass(frozen=True)
class Capability:
    """``name`` stands in reports, ``sentence`` completes "the backend ...".

    ``probe(alias)`` tells whether the backend has it, where ``alias(**settings)`` builds a cache.
    """

    name: str
    sentence: str
    probe: Callable[[Callable[..., Any]], bool]


def _culls(alias: Callable[..., Any]) -> bool:
    try:
        cache = alias(OPTIONS={"MAX_ENTRIES": 10})
        for number in range(25):
            cache.set(f"probe-{number}", number)
        return bool(sum(cache.has_key(f"probe-{number}") for number in range(25)) < 25)
    except Exception:
        return False


def _heeds_frequency(alias: Callable[..., Any]) -> bool:
    """Whether a cull removes more or less by CULL_FREQUENCY, an option of Django's own backends."""
    if isinstance(alias()._backend, CULLING):
        return True

    def left(frequency: int) -> int:
        cache = alias(OPTIONS={"MAX_ENTRIES": 24, "CULL_FREQUENCY": frequency})
        cache.clear()
        for number in range(25):
            cache.set(f"probe-{number}", number)
        return sum(cache.has_key(f"probe-{number}") for number in range(25))

    return left(2) != left(4)


CULLS = Capability("culls", "honours MAX_ENTRIES and evicts entries beyond it", _culls)
HEEDS_FREQUENCY = Capability(
    "heeds-cull-frequency", "removes a share of its entries by CULL_FREQUENCY", _heeds_frequency
)
