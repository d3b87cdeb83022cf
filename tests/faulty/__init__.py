"""Backends with exactly one seeded fault each: the proof that a check can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar


@dataclass(frozen=True)
class Fault:
    """A faulty backend, the clause that it breaks, and words that the failure must contain."""

    path: str
    clause: str
    says: str
    config: dict[str, Any]
    django: str


Backend = TypeVar("Backend", bound=type)

_seeded: list[Fault] = []


def breaks(
    clause: str, *, says: str, config: dict[str, Any] | None = None, django: str = ""
) -> Callable[[Backend], Backend]:
    """Register the decorated backend class as one that breaks ``clause``.

    ``says``: words of the failure's message that name the fault. ``django``: the versions on which
    the clause exists, such as ">=6.1".
    """

    def register(backend: Backend) -> Backend:
        path = f"{backend.__module__}.{backend.__qualname__}"
        _seeded.append(Fault(path, clause, says, config or {}, django))
        return backend

    return register


def all_faults() -> list[Fault]:
    """Return every fault, from every chapter."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return _seeded
