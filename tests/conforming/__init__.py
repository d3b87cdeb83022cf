"""Backends that differ visibly from Django's own and stay inside the contract.

They are the negative controls: none may fail a ``MUST``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


@dataclass(frozen=True)
class Variant:
    """A conforming backend; ``slow`` ones take minutes, so they run in ``ci/controls`` alone."""

    path: str
    slow: bool

    @property
    def name(self) -> str:
        """The name of its class."""
        return self.path.rpartition(".")[2]


variants: list[Variant] = []


def conforms(backend: type | None = None, *, slow: bool = False) -> Any:
    """Register the decorated backend class as one that stays inside the contract."""

    def register(backend: type) -> type:
        variants.append(Variant(f"{backend.__module__}.{backend.__qualname__}", slow))
        return backend

    return register if backend is None else register(backend)


def all_variants() -> list[Variant]:
    """Return every conforming backend, from every module."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return variants
