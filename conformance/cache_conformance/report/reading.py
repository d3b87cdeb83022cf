"""What the reports for people read from a report: the verdict, the names, the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cache_conformance.clause import Level
from cache_conformance.outcome import Outcome

DEVIATION = "deviation"
NOT_MEASURED = "not measured"


class Standing(StrEnum):
    """What a verdict amounts to."""

    CONFORMS = "conforms"
    KNOWN = "known"
    UNPROVED = "unproved"
    FAILS = "fails"


@dataclass(frozen=True)
class Verdict:
    """How many MUST clauses a backend keeps, breaks, breaks as expected and was not tried on.

    ``behind``: how many were not tried because they rest on one that breaks as expected.
    """

    kept: int
    broken: int
    known: int
    behind: int
    untried: int
    complete: bool

    @classmethod
    def of(cls, backend: Mapping[str, Any], complete: bool) -> Verdict:
        """Return the verdict on one backend of a report. A clause counts once for all its apis."""
        outcomes: dict[str, set[str]] = {}
        for result in backend["results"]:
            if result["level"] == Level.MUST:
                outcomes.setdefault(result["clause"], set()).add(result["outcome"])
        worst = Counter(_worst(found) for found in outcomes.values())
        known, blocked = worst[Outcome.KNOWN_FAILURE], worst[Outcome.BLOCKED]
        behind = blocked if known else 0
        return cls(
            kept=worst[Outcome.PASSED],
            broken=worst[Outcome.FAILED],
            known=known,
            behind=behind,
            untried=worst[Outcome.ERROR] + blocked - behind,
            complete=complete,
        )

    @property
    def applicable(self) -> int:
        """How many MUST clauses speak about this backend."""
        return self.kept + self.broken + self.known + self.behind + self.untried

    @property
    def standing(self) -> Standing:
        """What the verdict amounts to."""
        if self.broken:
            return Standing.FAILS
        if not self.complete or self.untried or not self.applicable:
            return Standing.UNPROVED
        return Standing.KNOWN if self.known else Standing.CONFORMS

    def __str__(self) -> str:
        if self.broken:
            return f"fails {_must_clauses(self.broken)}"
        if not self.complete:
            return "is unproved: the run did not finish"
        if self.untried:
            return f"is unproved: {_must_clauses(self.untried)} could not be tried"
        if not self.applicable:
            return "is unproved: no MUST clause ran"
        if self.known:
            behind = f"; {self.behind} more not tried behind that" if self.behind else ""
            return f"fails {_must_clauses(self.known)}, as expected{behind}"
        return f"conforms to all {_must_clauses(self.kept)}"


def _worst(outcomes: set[str]) -> Outcome | None:
    """Return what the outcomes of one clause amount to, None where it does not apply."""
    if Outcome.FAILED in outcomes:
        return Outcome.FAILED
    if Outcome.KNOWN_FAILURE in outcomes:
        return Outcome.KNOWN_FAILURE
    if outcomes & {Outcome.ERROR, Outcome.UNAVAILABLE}:
        return Outcome.ERROR
    if Outcome.BLOCKED in outcomes:
        return Outcome.BLOCKED
    return Outcome.PASSED if outcomes & {Outcome.PASSED, Outcome.FIXED} else None


def counted(number: int, noun: str) -> str:
    """Return "1 clause" or "2 clauses"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _must_clauses(number: int) -> str:
    return counted(number, "MUST clause")


def verdicts(report: Mapping[str, Any]) -> list[Verdict]:
    """Return the verdict on each backend of ``report``."""
    return [Verdict.of(backend, report["complete"]) for backend in report["backends"]]


def word(result: Mapping[str, Any]) -> str:
    """Return how ``result`` is called: a failure below MUST is a deviation."""
    if result["outcome"] == Outcome.FAILED and result["level"] != Level.MUST:
        return DEVIATION
    return str(result["outcome"])


def words(results: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how often ``results`` ended in each way, in the order of :class:`Outcome`."""
    counts = Counter(word(result) for result in results)
    ways = (Outcome.PASSED, Outcome.FAILED, DEVIATION, *list(Outcome)[2:])
    return {str(way): counts[way] for way in ways if counts[way]}


def tally(results: Iterable[Mapping[str, Any]]) -> str:
    """Return how often ``results`` ended in each way, as one reads it aloud."""
    nouns = (DEVIATION, Outcome.KNOWN_FAILURE, Outcome.ERROR)
    told = [
        counted(number, spaced(way)) if way in nouns else f"{number} {spaced(way)}"
        for way, number in words(results).items()
    ]
    return ", ".join(told) or "nothing ran"


def spaced(name: str) -> str:
    """Return a name of the report as words: "not-applicable", "get_or_set"."""
    return name.replace("-", " ").replace("_", " ")


def environment(report: Mapping[str, Any], backend: Mapping[str, Any]) -> Mapping[str, str]:
    """Return where ``backend`` ran; in a merged report each backend says so itself."""
    found: Mapping[str, str] = backend.get("environment", report["environment"])
    return found


def names(report: Mapping[str, Any]) -> list[str]:
    """Return the name that each backend was given, or the shortest that no other one has."""
    backends = report["backends"]
    short = [backend["path"].rpartition(".")[2] for backend in backends]
    versions = [
        "Django {django}, Python {python}".format(**environment(report, backend))
        for backend in backends
    ]
    longer = [f"{name}, {place}" for name, place in zip(short, versions, strict=True)]
    return [
        backend.get("name")
        or next(
            (choice[n] for choice in (short, longer) if choice.count(choice[n]) == 1),
            f"{backend['path']} #{n + 1}",
        )
        for n, backend in enumerate(backends)
    ]


def characteristics(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return each characteristic with what was measured of each backend."""
    measured = [backend["characteristics"] for backend in report["backends"]]
    found = sorted({name for values in measured for name in values})
    return {name: [shown(values.get(name)) for values in measured] for name in found}


def shown(value: object) -> str:
    """Return what was measured of a characteristic, as one says it."""
    if value is None:
        return NOT_MEASURED
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
