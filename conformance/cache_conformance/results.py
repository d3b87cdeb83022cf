"""What a run found on one backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cache_conformance import report
from cache_conformance.clause import Level, Tier, contract
from cache_conformance.expectations import shipped_with_the_kit
from cache_conformance.implementation import Implementation
from cache_conformance.outcome import Outcome, Result
from cache_conformance.trial import SPARES_THE_STORE

TRIED = (Outcome.PASSED, Outcome.FAILED, Outcome.KNOWN_FAILURE, Outcome.FIXED)


@dataclass
class Results:
    """The results of one backend; iterating yields each :class:`~.outcome.Result`.

    ``complete`` is False where the run was ended before all its clauses were tried.
    """

    implementation: Implementation
    tiers: tuple[Tier, ...]
    found: list[Result] = field(default_factory=list)
    complete: bool = True

    def __iter__(self) -> Iterator[Result]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How often each outcome occurred, outcomes that never did left out."""
        return dict(Counter(result.outcome for result in self))

    def failures(self, level: str = Level.MUST) -> list[Result]:
        """Return the results that fail a run at ``level`` ("must", "should" or "may").

        Beside broken clauses these are known failures that pass and errors of the kit itself.
        Raises ValueError for another level.
        """
        return [result for result in self if result.fails(level)]

    def conforms(self, level: str = Level.MUST) -> bool:
        """Whether pytest would end with status 0 at ``--cache-level=LEVEL``.

        Nothing has failed at ``level``, every server was there, and some MUST clause was tried.
        """
        return self.complete and self.proved and not self.unavailable and not self.failures(level)

    @property
    def proved(self) -> bool:
        """Whether some MUST clause was tried; whether anything was, where the tiers have none."""
        binding = any(c.level is Level.MUST and c.tier in self.tiers for c in contract())
        return any(r.outcome in TRIED and (r.level == Level.MUST or not binding) for r in self)

    @property
    def unavailable(self) -> list[str]:
        """Why servers that the backend needs could not be had, each reason once."""
        return sorted({r.message for r in self if r.outcome is Outcome.UNAVAILABLE})

    @property
    def coverage(self) -> tuple[int, int]:
        """How many clauses were tried, and how many there are in the tiers."""
        tried = {result.clause for result in self if result.outcome in TRIED}
        return len(tried), sum(c.holds and c.tier in self.tiers for c in contract())

    @property
    def remarks(self) -> list[str]:
        """What a reader of a summary should know beside the counts."""
        return [*self._anew(), *self._left_out(), *self._inherited(), *self.unavailable]

    def _anew(self) -> Iterator[str]:
        if restarts := sum(result.restarts for result in self):
            yield (
                f"{restarts} times a check was begun anew: the machine was too busy to look in "
                "time, or the store has no room for the entries of all checks"
            )

    def _left_out(self) -> Iterator[str]:
        if spared := sum(result.message == SPARES_THE_STORE for result in self):
            yield (
                f"{spared} checks that would clear the store were left out, as it may hold other "
                "data: allow them with --cache-allow-clear"
            )

    def _inherited(self) -> Iterator[str]:
        """Say what the backend of Django that this one is built on is known to fail as well."""
        failed = [result for result in self if result.outcome is Outcome.FAILED]
        for base in self.implementation.backend.__mro__[1:]:
            path = f"{base.__module__}.{base.__qualname__}"
            known = shipped_with_the_kit(path, self.implementation.place.get("target")).known
            clauses = dict.fromkeys(
                r.clause for r in failed if any(k.concerns(r.clause, r.api, path) for k in known)
            )
            if clauses:
                yield f"Django's own {base.__name__} fails some of it, too: {', '.join(clauses)}"

    @property
    def document(self) -> report.Document:
        """The report as plain data, as the JSON report has it."""
        return report.document([(self.implementation, self.found)], self.complete)

    def write(self, kind: str, path: str | Path) -> None:
        """Write a report: ``kind`` is "json", "html", "md" or "badge".

        Raises ValueError for another kind, ``cache_conformance.report.extra.MissingExtra`` where
        the page needs a package that is not installed, and OSError where ``path`` cannot be
        written.
        """
        if kind not in report.FORMATS:
            raise ValueError(f"{kind} is no report: choose from {', '.join(report.FORMATS)}")
        Path(path).write_text(report.FORMATS[kind](self.document), encoding="utf-8")
