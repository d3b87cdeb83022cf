"""Runs trials so that their waits overlap: one wait serves every check that waits."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from functools import cache
from heapq import heappop, heappush
from itertools import count

from cache_conformance.bounded import BoundedThread
from cache_conformance.clause import Tier, contract
from cache_conformance.outcome import Outcome, Result
from cache_conformance.trial import Trial


class Phase(IntEnum):
    """The order in which trials run."""

    ROOT = 0
    ALONE = 1
    BULKY = 2
    ORDINARY = 3
    WAITING = 4
    LONG = 5
    LONG_WAITING = 6
    RACING = 7


def phase(trial: Trial) -> Phase:
    """Return when a trial runs.

    What others rest on comes first, what must be alone or is bulky comes before any wait, and what
    keeps the machine busy for seconds comes once all waits are over, whose checks it would make
    late. Races come last: on a store that others use too they might keep writers waiting for longer
    than these want to wait.
    """
    if trial.clause.alone and not trial.implementation.store.separable:
        return Phase.ALONE
    if trial.clause.bulky:
        return Phase.BULKY
    if trial.clause.races and not trial.implementation.store.separable:
        return Phase.RACING
    if trial.clause.tier is not Tier.CONTRACT:
        return Phase.LONG_WAITING if trial.clause.waits else Phase.LONG
    if trial.clause.waits:
        return Phase.WAITING
    return Phase.ROOT if trial.clause.id in _roots() else Phase.ORDINARY


@cache
def _roots() -> frozenset[str]:
    return frozenset(id for clause in contract() for id in clause.requires)


def _requirements(trial: Trial) -> tuple[str, ...]:
    """Return what the trial rests on: where it needs a store emptied, also that clear() empties."""
    if phase(trial) is Phase.ALONE:
        return (*trial.clause.requires, *trial.clause.requires_emptying)
    return trial.clause.requires


def _silently(*happened: object) -> None:
    """Tell nobody."""


class Timeline:
    """The trials of one run; :meth:`result` has each result ready as soon as it can be."""

    def __init__(
        self,
        trials: Sequence[Trial],
        bound: float,
        waiting: Callable[[int, float], None] | None = None,
        stepping: Callable[[Trial], None] | None = None,
    ) -> None:
        """``bound``: seconds that a step may take.

        ``waiting(checks, seconds)`` hears of each wait, ``stepping(trial)`` of each step.
        """
        self._trials = sorted(trials, key=phase)
        self._by_key = {(id(t.implementation), t.clause.id, t.api): t for t in trials}
        self._thread = BoundedThread(bound)
        self._waiting = waiting or _silently
        self._stepping = stepping or _silently
        self._begun: set[Phase] = set()
        self._pending: list[tuple[float, int, Trial]] = []
        self._turns = count()

    def result(self, trial: Trial) -> Result:
        """Return the result of ``trial``, once everything that comes before it has run."""
        if trial.result is None and phase(trial) is Phase.RACING:
            self._come_to_the_races()
        elif trial.result is None and phase(trial) >= Phase.LONG:
            self._come_to_the_long_ones()
        elif trial.result is None and phase(trial) >= Phase.ORDINARY:
            self._come_to_the_waits()
        self._resume_what_is_due()
        if trial.result is None and not trial.clause.waits:
            self._run(trial)
        while trial.result is None:
            self._wait_for(trial)
        if (culprit := self._culprit(trial)) and trial.result.outcome in _OVERRULED:
            trial.block(culprit)
        return trial.result

    def close(self) -> None:
        """Leave every check that still waits."""
        for trial in self._trials:
            if trial.waiting:
                trial.abandon()
        self._thread.close()

    def _run(self, trial: Trial) -> None:
        for base in self._bases(trial):
            if base.result is None and not base.clause.waits:
                self._run(base)
        if culprit := self._culprit(trial):
            trial.block(culprit)
        else:
            self._step(trial, trial.start)

    def _step(self, trial: Trial, step: Callable[[BoundedThread], None]) -> None:
        self._stepping(trial)
        try:
            step(self._thread)
        except Exception:
            trial.broke(traceback.format_exc())
        if trial.waiting:
            heappush(self._pending, (trial.due, next(self._turns), trial))

    def _culprit(self, trial: Trial) -> str | None:
        """Return the clause that ``trial`` rests on and that has failed, if there is one."""
        for base in self._bases(trial):
            if base.result and base.result.outcome in _BROKEN:
                return base.clause.id
        return None

    def _bases(self, trial: Trial) -> Iterator[Trial]:
        """Yield the trials that ``trial`` rests on, as far as they are part of the run."""
        for required in _requirements(trial):
            if base := self._by_key.get((id(trial.implementation), required, trial.api)):
                yield base

    def _come_to_the_waits(self) -> None:
        """Start every check that waits, after all that must come before any wait."""
        if Phase.WAITING not in self._begun:
            self._begun.add(Phase.WAITING)
            for trial in self._in(Phase.ROOT, Phase.ALONE, Phase.BULKY):
                self._run(trial)
            self._start_all(Phase.WAITING)

    def _come_to_the_long_ones(self) -> None:
        """Start every long check that waits, once all that is not long has ended."""
        if Phase.LONG not in self._begun:
            self._begun.add(Phase.LONG)
            self._end_all_before(Phase.LONG)
            self._start_all(Phase.LONG_WAITING)

    def _come_to_the_races(self) -> None:
        """End whatever is no race."""
        if Phase.RACING not in self._begun:
            self._begun.add(Phase.RACING)
            self._end_all_before(Phase.RACING)

    def _end_all_before(self, later: Phase) -> None:
        for trial in self._trials:
            if phase(trial) < later:
                self.result(trial)

    def _start_all(self, waiting: Phase) -> None:
        for trial in self._in(waiting):
            self._resume_what_is_due()
            self._run(trial)

    def _start_with_those_like_it(self, trial: Trial) -> None:
        """Start a check that waits; if it has missed its moment, with all others that have.

        One that comes late once more, or wants more room, has the time and the store for itself.
        """
        for other in [t for t in self._in(phase(trial)) if t.missed_its_moment] or [trial]:
            self._run(other)

    def _in(self, *phases: Phase) -> Iterator[Trial]:
        """Yield the trials of these phases that have no result yet."""
        for trial in self._trials:
            if phase(trial) in phases and trial.result is None:
                yield trial

    def _resume_what_is_due(self) -> None:
        while self._pending and self._pending[0][0] <= time.monotonic():
            trial = heappop(self._pending)[2]
            if trial.waiting:
                self._step(trial, trial.resume)

    def _wait_for(self, trial: Trial) -> None:
        if not trial.waiting:
            self._start_with_those_like_it(trial)
            return
        now = time.monotonic()
        if self._pending[0][0] > now:
            last = max(due for due, _, _ in self._pending)
            self._waiting(len(self._pending), last - now)
            time.sleep(self._pending[0][0] - now)
        self._resume_what_is_due()


_BROKEN = (Outcome.FAILED, Outcome.BLOCKED)
_OVERRULED = (Outcome.FAILED, Outcome.PASSED)
