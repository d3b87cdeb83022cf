"""The guide: which caching option is best for whom, as a page of Markdown for documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cache_conformance.markdown import code, escaped, link, table
from cache_conformance.outcome import Outcome
from cache_conformance.report.comparison import Plot, tables
from cache_conformance.report.reading import counted, environment, names, spaced, verdicts, word


def guide(report: Mapping[str, Any], plots: Mapping[str, Plot]) -> str:
    """Return the page, with ``plots`` by the address under which the page finds them."""
    parts = ["# Which cache", _origin(report)]
    advised = list(zip(names(report), report["backends"], verdicts(report), strict=True))
    for name, backend, verdict in advised:
        if advice := backend.get("advice"):
            parts += [
                f"## {escaped(name)}",
                f"{code(backend['path'])} {verdict}.",
                *_advice(backend, advice),
            ]
    for found in tables(report):
        rows = [[escaped(cell) for cell in row] for row in found.rows]
        parts += [f"## {found.title}", found.remark, table(list(map(escaped, found.header)), rows)]
    if plots:
        parts.append("## Plots")
    parts += [f"![{plot.title}]({address})" for address, plot in plots.items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _origin(report: Mapping[str, Any]) -> str:
    places = [environment(report, backend) for backend in report["backends"]]
    versions = dict.fromkeys(f"Django {p['django']}, Python {p['python']}" for p in places)
    anew = sum(backend["restarts"] for backend in report["backends"])
    busy = (
        f" {counted(anew, 'check')} began anew, as the machine was too busy to look in time or a "
        "store had no room for the entries of all: doubt failures of races and waits, and figures, "
        "until a quiet machine has shown them."
    )
    return (
        f"Written by `cache-conformance compare` {report['kit']} from its reports "
        f"({'; '.join(versions)}). All figures are from one machine: compare their ratios."
        f"{busy if anew else ''}"
    )


def _advice(backend: Mapping[str, Any], advice: Mapping[str, Any]) -> Iterator[str]:
    yield f"**Take it** {escaped(advice['take'])}"
    yield f"**It costs** {escaped(advice['costs'])}"
    lines = [
        f"- {escaped(one['says'])} {_evidence(backend, one['clause'])}" for one in advice["lacks"]
    ]
    if lines:
        yield "**It does not promise**"
        yield "\n".join(lines)


def _evidence(backend: Mapping[str, Any], clause: str) -> str:
    """Return what the report has about ``clause``, with where Django speaks of it."""
    found = [result for result in backend["results"] if result["clause"] == clause]
    told = dict.fromkeys(
        spaced(word(result)) if result["outcome"] != Outcome.PASSED else f"{result['observed']}"
        for result in found
    )
    return f"({link(code(clause), found[0]['docs'])}: {escaped(', '.join(told))})"
