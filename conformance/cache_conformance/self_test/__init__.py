"""Shows that the kit, as it is installed here, catches faults and accuses nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from cache_conformance import environment
from cache_conformance.clause import Api, Tier
from cache_conformance.execution import DEFAULT_BOUND, trials
from cache_conformance.expectations import Expectations
from cache_conformance.implementation import Implementation
from cache_conformance.isolation import IsolatedRun
from cache_conformance.outcome import Outcome, Result
from cache_conformance.trial import Trial


@dataclass(frozen=True)
class Finding:
    """What the kit made of one backend of the sample."""

    backend: str
    sentence: str
    right: bool
    told: str

    def __str__(self) -> str:
        verdict = "right" if self.right else "WRONG"
        return f"{verdict}  {self.backend}: {self.sentence}\n       {self.told}"


def run() -> Iterator[Finding]:
    """Try the sample, all of it side by side, and yield what the kit made of each backend.

    A faulty backend meets the clause that it breaks, on both apis; a conforming one meets the
    whole contract on the sync api. It takes some ten seconds.
    """
    environment.configure()
    faulty = {cls: _trials(cls, cls.breaks) for cls in _sample("faulty")}
    conforming = {cls: _trials(cls) for cls in _sample("conforming")}
    everything = [t for found in (*faulty.values(), *conforming.values()) for t in found]
    with IsolatedRun(everything, Expectations(), DEFAULT_BOUND) as isolated:
        for trial in everything:
            isolated.result(trial)
    for cls, found in faulty.items():
        caught = any(_result(trial).outcome is Outcome.FAILED for trial in found)
        yield _finding(cls, caught, f"{cls.breaks} {'fails' if caught else 'does not fail'}")
    for cls, found in conforming.items():
        accused = [trial.id for trial in found if _result(trial).fails()]
        yield _finding(cls, not accused, f"accused of {', '.join(accused) or 'nothing'}")


def summary(findings: list[Finding], began: float) -> str:
    """Return how many verdicts were right; ``began``: a moment of the monotonic clock."""
    right = sum(finding.right for finding in findings)
    return f"{right} of {len(findings)} verdicts are right, in {time.monotonic() - began:.1f} s"


def _sample(kind: str) -> list[Any]:
    module: ModuleType = import_module(f"{__name__}.{kind}")
    return [
        cls
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == module.__name__
    ]


def _trials(cls: type, only: str | None = None) -> list[Trial]:
    path = f"{cls.__module__}.{cls.__qualname__}"
    every = trials(Implementation.of(path, allow_clear=True), [Tier.CONTRACT])
    if only is None:
        return [trial for trial in every if trial.api is Api.SYNC]
    return [trial for trial in every if trial.clause.id == only]


def _result(trial: Trial) -> Result:
    assert trial.result is not None
    return trial.result


def _finding(cls: type, right: bool, told: str) -> Finding:
    return Finding(cls.__name__, (cls.__doc__ or "").partition("\n")[0], right, told)
