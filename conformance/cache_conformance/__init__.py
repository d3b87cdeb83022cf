"""The conformance kit for Django cache backends.

Its doors for programs are here: :func:`run` and :class:`CacheConformance`. They are imported when
they are first used, so that ``import cache_conformance`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cache_conformance.options import BadOption
    from cache_conformance.outcome import Outcome, Result
    from cache_conformance.program import run
    from cache_conformance.results import Results
    from cache_conformance.suite import CacheConformance

__version__ = "0.1.0"
__all__ = ["BadOption", "CacheConformance", "Outcome", "Result", "Results", "run"]

_HOMES = {
    "BadOption": "options",
    "CacheConformance": "suite",
    "Outcome": "outcome",
    "Result": "outcome",
    "Results": "results",
    "run": "program",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
