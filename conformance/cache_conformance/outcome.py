"""How the trial of a clause ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cache_conformance.clause import Level


class Outcome(StrEnum):
    """Every way in which the trial of a clause can end."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN_FAILURE = "known-failure"
    FIXED = "fixed"
    NOT_APPLICABLE = "not-applicable"
    BLOCKED = "blocked"
    UNAVAILABLE = "unavailable"
    UNTESTED = "untested"
    ERROR = "error"


@dataclass(frozen=True)
class Result:
    """The outcome of one clause on one api of one backend, as it stands in every report."""

    clause: str
    chapter: str
    level: str
    api: str
    outcome: Outcome
    message: str = ""
    docs: str = ""
    repro: str = ""
    seconds: float = 0.0
    observed: str | bool | int | float | None = None
    restarts: int = 0
    drawing: str = ""
    example: str = ""
    measurements: list[dict[str, Any]] = field(default_factory=list, hash=False)

    def fails(self, level: str = Level.MUST) -> bool:
        """Whether the result fails a run at ``level`` ("must", "should" or "may").

        Known failures that pass, and errors of the kit itself, fail every run.
        Raises ValueError for another level.
        """
        lowest = Level(level.upper())
        if self.outcome in (Outcome.FIXED, Outcome.ERROR):
            return True
        return self.outcome is Outcome.FAILED and Level(self.level).rank <= lowest.rank

    def deviates(self, level: str = Level.MUST) -> bool:
        """Whether the clause is broken, and its own level is below that of the run."""
        return self.outcome is Outcome.FAILED and not self.fails(level)

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {**vars(self), "outcome": str(self.outcome), "seconds": round(self.seconds, 4)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Result:
        """Return the result that ``as_json`` wrote. Raises KeyError, TypeError or ValueError."""
        return cls(**{**data, "outcome": Outcome(data["outcome"])})
