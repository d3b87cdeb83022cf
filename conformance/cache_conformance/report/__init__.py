"""Reports: what a run found, written for machines and for people."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import django

from cache_conformance import __version__
from cache_conformance.clause import registry
from cache_conformance.implementation import Implementation
from cache_conformance.masking import masked
from cache_conformance.outcome import Outcome, Result
from cache_conformance.report.badge import badge
from cache_conformance.report.page import page
from cache_conformance.report.summary import summary

SCHEMA = 1
Document = dict[str, Any]


class UnreadableReport(Exception):
    """A file is no complete report of this schema; the message is one line."""


def document(
    results: Sequence[tuple[Implementation, Sequence[Result]]], complete: bool
) -> Document:
    """Return the report of a run as plain data, schema 1, sealed by ``complete`` at its end."""
    return {
        "schema": SCHEMA,
        "kit": __version__,
        "environment": {
            "python": platform.python_version(),
            "django": django.get_version(),
            "platform": platform.platform(),
        },
        "backends": [_backend(implementation, found) for implementation, found in results],
        "complete": complete,
    }


def _backend(implementation: Implementation, results: Sequence[Result]) -> dict[str, Any]:
    counts = Counter(str(result.outcome) for result in results)
    order = {clause: number for number, clause in enumerate(registry)}
    results = sorted(results, key=lambda result: order[result.clause])
    return {
        "path": implementation.path,
        "config": masked(implementation.config),
        "target": implementation.target,
        "counts": {str(outcome): counts[outcome] for outcome in Outcome},
        "restarts": sum(result.restarts for result in results),
        "characteristics": characteristics(results),
        "measurements": [
            {"clause": result.clause, "api": result.api, **row}
            for result in results
            for row in result.measurements
        ],
        "results": [_result(result) for result in results],
    }


def _result(result: Result) -> dict[str, Any]:
    """Return a result with the sentence of its clause; what it measured stands elsewhere."""
    told = {**result.as_json(), "sentence": registry[result.clause].sentence}
    del told["measurements"]
    return told


def characteristics(results: Sequence[Result]) -> Mapping[str, Any]:
    """Return what was measured without a verdict, by the name of the characteristic."""
    found: dict[str, Any] = {}
    for result in results:
        name = registry[result.clause].characteristic
        if name and result.observed is not None:
            found.setdefault(name, result.observed)
    return dict(sorted(found.items()))


def as_json(report: Document) -> str:
    """Return the report as JSON."""
    return json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n"


def load(path: Path) -> Document:
    """Read a report that the kit wrote. Raises UnreadableReport with one line."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableReport(f"cannot read report {path}: {error}") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise UnreadableReport(f"{path} is not a report of schema {SCHEMA}")
    if report.get("complete") is not True:
        raise UnreadableReport(f"{path} is the report of a run that did not finish")
    return report


FORMATS: dict[str, Callable[[Document], str]] = {
    "json": as_json,
    "html": page,
    "md": summary,
    "badge": badge,
}
