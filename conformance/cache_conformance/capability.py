"""Something that a backend may have or not have; a clause about it applies only where it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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


CULLS = Capability("culls", "honours MAX_ENTRIES and evicts entries beyond it", _culls)
