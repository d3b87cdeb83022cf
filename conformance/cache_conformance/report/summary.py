"""The summary: what a run found, in Markdown, for the page that a CI service shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cache_conformance.clause import Level
from cache_conformance.markdown import code, escaped, folded, link, table
from cache_conformance.outcome import Outcome
from cache_conformance.report.reading import (
    DEVIATION,
    Standing,
    Verdict,
    characteristics,
    counted,
    environment,
    names,
    spaced,
    tally,
    verdicts,
    word,
)

SIGNS = {
    Standing.CONFORMS: "✅",
    Standing.KNOWN: "⚠️",
    Standing.UNPROVED: "❔",
    Standing.FAILS: "❌",
}
LINES_SHOWN = 2
LONGEST_LINE = 200

Results = Sequence[Mapping[str, Any]]


def summary(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    told = list(zip(names(report), report["backends"], verdicts(report), strict=True))
    parts = ["## Django cache conformance"]
    if not report["complete"]:
        parts.append("**The run did not finish; what follows is a part of it.**")
    if len(told) > 1:
        parts.append(_overview(told))
    for name, backend, verdict in told:
        parts += [
            f"### {SIGNS[verdict.standing]} {escaped(name)} {verdict}",
            _origin(report, backend),
            *_findings(backend["results"]),
        ]
    if measured := characteristics(report):
        rows = [[code(name), *map(escaped, values)] for name, values in measured.items()]
        header = ["Characteristic", *(escaped(name) for name, _, _ in told)]
        parts.append(
            folded(f"{len(rows)} characteristics, measured without a verdict", table(header, rows))
        )
    return "\n\n".join(parts) + "\n"


def _overview(told: Iterable[tuple[str, Mapping[str, Any], Verdict]]) -> str:
    return table(
        ["Backend", "Verdict", "Outcomes"],
        [
            [
                escaped(name),
                f"{SIGNS[verdict.standing]} {verdict}",
                tally(backend["results"]),
            ]
            for name, backend, verdict in told
        ],
    )


def _origin(report: Mapping[str, Any], backend: Mapping[str, Any]) -> str:
    place = environment(report, backend)
    target = f" on {escaped(backend['target'])}" if backend["target"] else ""
    versions = escaped(f"Django {place['django']}, Python {place['python']}, kit {report['kit']}")
    return f"{code(backend['path'])}{target}, {versions}<br>\n{tally(backend['results'])}"


def _findings(results: Results) -> Iterator[str]:
    """Yield what is to be told about the results that did not pass, the gravest first."""
    by_word: dict[str, list[Mapping[str, Any]]] = {}
    for result in results:
        by_word.setdefault(word(result), []).append(result)
    if failures := by_word.get(Outcome.FAILED):
        yield _failures(failures)
    if errors := by_word.get(Outcome.ERROR):
        yield "The kit itself broke on these clauses; please report it."
        yield _failures(errors)
    if fixed := by_word.get(Outcome.FIXED):
        yield "Known failures that are none any more:"
        yield "\n".join(f"- {_who(result)}: {_first_lines(result)}" for result in fixed)
    if unavailable := by_word.get(Outcome.UNAVAILABLE):
        yield "The server could not be had:"
        yield _reasons(unavailable)
    if deviations := by_word.get(DEVIATION):
        yield folded(
            f"{counted(len(deviations), 'deviation')} below {Level.MUST}", _failures(deviations)
        )
    if expected := by_word.get(Outcome.KNOWN_FAILURE):
        reasons = "\n".join(f"- {_who(result)}: {_first_lines(result, 1)}" for result in expected)
        yield folded(counted(len(expected), "known failure"), reasons)
    for outcome in Outcome.BLOCKED, Outcome.NOT_APPLICABLE, Outcome.UNTESTED:
        if found := by_word.get(outcome):
            yield folded(f"{len(found)} {spaced(outcome)}", _reasons(found))


def _failures(results: Results) -> str:
    return table(
        ["Clause", "Api", "Level", "What happened", "Promised in"],
        [
            [
                code(result["clause"]),
                result["api"],
                result["level"],
                _first_lines(result),
                link("documentation", result["docs"]),
            ]
            for result in results
        ],
    )


def _who(result: Mapping[str, Any]) -> str:
    return f"{code(result['clause'])} ({result['api']}, {result['level']})"


def _first_lines(result: Mapping[str, Any], number: int = LINES_SHOWN) -> str:
    lines = [line for line in result["message"].splitlines() if line.strip()]
    return "<br>".join(code(_shortened(line)) for line in lines[:number])


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def _reasons(results: Results) -> str:
    """Return each reason once, with the clauses that it holds for."""
    clauses: dict[str, dict[str, None]] = {}
    for result in results:
        reason = result["message"].partition("\n")[0] or "no reason was given"
        clauses.setdefault(reason, {})[result["clause"]] = None
    return "\n".join(
        f"- {counted(len(found), 'clause')}: {code(_shortened(reason))}: "
        + ", ".join(map(code, found))
        for reason, found in clauses.items()
    )
