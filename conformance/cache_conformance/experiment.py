"""The trial of a clause that is tried by many random sequences or histories."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cache_conformance.bounded import BoundedThread
from cache_conformance.clause import Api, Clause, Tier
from cache_conformance.counterexample import Counterexample
from cache_conformance.effort import Effort
from cache_conformance.fault_trial import FaultTrial
from cache_conformance.implementation import Implementation
from cache_conformance.outcome import Outcome
from cache_conformance.trial import Trial

SERIES = 100
"""How many series of equal calls the whole tier has, more or less."""


class Experiment(Trial):
    """A trial whose check gets the argument ``experiment``: this trial.

    ``known_example``: the stored example of a known failure, which is tried in place of others.
    """

    known_example = ""
    remark = ""
    drawing = ""
    _found: Counterexample | None = None

    @property
    def effort(self) -> Effort:
        """How much may be tried."""
        return self.implementation.effort

    def show(self, remark: str, drawing: str) -> None:
        """Show in the reports what was found, also where the clause passes."""
        self.remark, self.drawing = remark, drawing

    def _call(self, check: Callable[..., Any], arguments: Any) -> Any:
        given = [name for name in self.clause.parameters if name != "experiment"]
        return check(**{name: arguments[name] for name in given}, experiment=self)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Counterexample):
            self._found = error
        super()._fail(error)

    def _script(self) -> str:
        return self._found.script if self._found else super()._script()

    def _end(self, outcome: Outcome, message: str = "", observed: Any = None) -> None:
        super()._end(outcome, message, observed)
        assert self.result is not None
        self.result = replace(
            self.result,
            message=message or self.remark,
            drawing=self.drawing,
            example=self._found.example if self._found else "",
        )


class Measurement(Experiment):
    """An experiment that times or weighs the backend, while no other measurement is under way.

    ``rows`` are the figures, as plain data for the report.
    """

    def __init__(self, clause: Clause, api: Api, implementation: Implementation) -> None:
        super().__init__(clause, api, implementation)
        self.rows: list[dict[str, Any]] = []

    @property
    def share(self) -> float:
        """The seconds for which one series of equal calls is measured."""
        return self.effort.measuring / SERIES

    def note(self, **figures: Any) -> None:
        """Add figures to the report."""
        self.rows.append(figures)

    def goes_on(self) -> None:
        """Give a sign of life, so that a slow backend is not taken for one that hangs."""
        self._transcript.latest = time.monotonic()

    def start(self, thread: BoundedThread) -> None:
        """Measure once no other process of this user measures on this machine."""
        self.rows.clear()
        self.implementation.store.keep_on_disk()
        with _the_machine_to_itself():
            super().start(thread)

    def _script(self) -> str:
        return ""

    def _end(self, outcome: Outcome, message: str = "", observed: Any = None) -> None:
        super()._end(outcome, message, observed)
        assert self.result is not None
        self.result = replace(self.result, measurements=self.rows)


@contextmanager
def _the_machine_to_itself() -> Iterator[None]:
    """Hold a lock that ends with this process, whatever becomes of it."""
    path = Path(tempfile.gettempdir(), f"cache-conformance-{os.getuid()}.measuring")
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def trial(clause: Clause, api: Api, implementation: Implementation) -> Trial:
    """Return the trial of a clause, of the kind that its tier and its check ask for."""
    if clause.tier is Tier.BENCHMARK:
        return Measurement(clause, api, implementation)
    if clause.tier is Tier.FAULTS:
        return FaultTrial(clause, api, implementation)
    kind = Experiment if "experiment" in clause.parameters else Trial
    return kind(clause, api, implementation)
