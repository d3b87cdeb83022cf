"""A run of the contract on one or more implementations, without knowing who asked for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

from cache_conformance import environment
from cache_conformance.clause import Tier, contract
from cache_conformance.expectations import Expectations, shipped_with_the_kit
from cache_conformance.experiment import Experiment, trial
from cache_conformance.implementation import Implementation
from cache_conformance.outcome import Result
from cache_conformance.timeline import Timeline
from cache_conformance.trial import Trial

DEFAULT_BOUND = 30.0


def trials(implementation: Implementation, tiers: Sequence[Tier]) -> list[Trial]:
    """Return every trial of the clauses that hold, in the order of the contract."""
    return [
        trial(clause, api, implementation)
        for clause in contract()
        if clause.holds and clause.tier in tiers
        for api in clause.apis
    ]


class Run:
    """A context in which trials have results."""

    def __init__(
        self,
        selected: Sequence[Trial],
        expectations: Expectations | None = None,
        bound: float = DEFAULT_BOUND,
        waiting: Callable[[int, float], None] | None = None,
        stepping: Callable[[Trial], None] | None = None,
    ) -> None:
        """``bound``: seconds that one step of a check may take.

        ``waiting(checks, seconds)`` hears of each wait, ``stepping(trial)`` of each step.
        """
        self._implementations = {id(t.implementation): t.implementation for t in selected}
        self._needs_database = any(trial.clause.database for trial in selected)
        self._expectations = expectations or Expectations()
        for one in selected:
            if isinstance(one, Experiment):
                known = _known(one.implementation, self._expectations)
                one.known_example = known.example(one.clause.id, one.api, one.implementation.path)
        self._timeline = Timeline(selected, bound, waiting, stepping)
        self._context = ExitStack()

    def __enter__(self) -> Run:
        environment.configure()
        self._context.enter_context(
            environment.prepared(list(self._implementations.values()), self._needs_database)
        )
        self._context.callback(self._timeline.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._context.close()

    def result(self, trial: Trial) -> Result:
        """Return the result of ``trial``, known failures taken into account."""
        self._timeline.result(trial)
        return verdict(trial, self._expectations)


def verdict(trial: Trial, expectations: Expectations) -> Result:
    """Return the result of a trial that has ended, known failures taken into account."""
    assert trial.result is not None
    known = _known(trial.implementation, expectations)
    return known.judge(trial.result, trial.implementation.path)


def _known(implementation: Implementation, expectations: Expectations) -> Expectations:
    shipped = shipped_with_the_kit(implementation.path, implementation.place.get("target"))
    return shipped + expectations
