"""The page: what a run found as one HTML file, for one backend or for several side by side."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from cache_conformance.clause import Level
from cache_conformance.markdown import spans
from cache_conformance.report.comparison import drawings, tables
from cache_conformance.report.extra import MissingExtra as MissingExtra
from cache_conformance.report.extra import require
from cache_conformance.report.reading import (
    characteristics,
    environment,
    names,
    spaced,
    tally,
    verdicts,
    word,
    words,
)

TEMPLATE = "page.html.j2"
SYMBOLS = {
    "passed": "✓",
    "failed": "✗",
    "deviation": "≠",
    "known-failure": "✗",
    "fixed": "!",
    "not-applicable": "○",
    "blocked": "⊘",
    "unavailable": "?",
    "untested": "·",
    "error": "!",
}

Result = Mapping[str, Any]


def require_jinja() -> None:
    """Raise MissingExtra where the page cannot be written, before anything has run for it."""
    require("jinja2", "the HTML page")


@dataclass
class _Row:
    """A clause, and its results on each backend."""

    clause: str
    sentence: str
    docs: str
    cells: list[list[Result]]

    @property
    def level(self) -> str:
        """The strictest level that the clause has for one of the backends."""
        levels = {result["level"] for cell in self.cells for result in cell}
        return next(str(level) for level in Level if level in levels)

    @property
    def told(self) -> list[tuple[int, Result]]:
        """The results that have something to say, each with the number of its backend."""
        return [
            (number, result)
            for number, cell in enumerate(self.cells)
            for result in cell
            if result["message"] or result["repro"]
        ]


@dataclass
class _Chapter:
    """A chapter of the contract with the clauses that ran."""

    name: str
    rows: dict[str, _Row] = field(default_factory=dict)

    @property
    def tally(self) -> str:
        """How often the results of the chapter ended in each way."""
        return tally(r for row in self.rows.values() for cell in row.cells for r in cell)


def image(drawing: str) -> str:
    """Return an SVG as the address of an image, in which no script of it would run."""
    return f"data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}"


def page(report: Mapping[str, Any]) -> str:
    """Return the report as one HTML file, with a comparison where there is something to compare.

    Raises MissingExtra without Jinja2, and without matplotlib where something was measured.
    """
    require_jinja()
    from jinja2 import Environment, StrictUndefined

    engine = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    engine.filters |= {"word": word, "spaced": spaced, "spans": spans, "image": image}
    template = resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    backends = report["backends"]
    measured = any(backend.get("measurements") for backend in backends)
    results = [result for backend in backends for result in backend["results"]]
    return engine.from_string(template).render(
        report=report,
        backends=[
            {
                **backend,
                "name": name,
                "verdict": verdict,
                "environment": environment(report, backend),
                "tally": tally(backend["results"]),
            }
            for backend, name, verdict in zip(
                backends, names(report), verdicts(report), strict=True
            )
        ],
        comparison=tables(report) if len(backends) > 1 or measured else (),
        plots=drawings(report),
        chapters=_chapters(backends),
        characteristics=characteristics(report),
        choices={
            "level": [str(level) for level in Level if level in {r["level"] for r in results}],
            "outcome": list(words(results)),
            "api": sorted({result["api"] for result in results}, reverse=True),
        },
        symbols=SYMBOLS,
    )


def _chapters(backends: Sequence[Mapping[str, Any]]) -> list[_Chapter]:
    """Return the chapters, and in them the clauses, in the order in which the report has them."""
    chapters: dict[str, _Chapter] = {}
    for number, backend in enumerate(backends):
        for result in backend["results"]:
            name = result["chapter"]
            rows = chapters.setdefault(name, _Chapter(name)).rows
            row = rows.setdefault(
                result["clause"],
                _Row(result["clause"], result["sentence"], result["docs"], [[] for _ in backends]),
            )
            row.cells[number].append(result)
    return list(chapters.values())
