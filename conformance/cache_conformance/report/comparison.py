"""Which caching option is best for whom: what the reports of several backends say, side by side."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from cache_conformance.report import plots
from cache_conformance.report.reading import NOT_MEASURED, names, shown, verdicts

Backend = Mapping[str, Any]
_TIME = "microseconds, median"
_PLOTTED = (
    ("value-size", "get", "bytes", "p50", "get() by size of the value", ("bytes", _TIME)),
    ("value-size", "set", "bytes", "p50", "set() by size of the value", ("bytes", _TIME)),
    ("many-keys", "get_many", "keys", "p50", "get_many() by keys", ("keys", _TIME)),
    ("many-keys", "set_many", "keys", "p50", "set_many() by keys", ("keys", _TIME)),
    (
        *("parallel", "mixed", "workers", "per_second"),
        *("Work of threads or tasks at once", ("threads or tasks", "operations in a second")),
    ),
)
"""Clause, operation, what both axes show, title, and what is written at the axes."""
TIMED = ("get", "set", "add", "delete", "touch", "incr", "get_many", "set_many")
ATOMIC = ("add", "incr", "incr-beside-set", "touch", "get-or-set", "set-get-delete")


@dataclass(frozen=True)
class Table:
    """Rows of text about the backends, one column for each of them after the first."""

    title: str
    remark: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Plot:
    """A drawing of figures; ``name`` is that of its file."""

    name: str
    title: str
    drawing: str


def tables(report: Mapping[str, Any]) -> list[Table]:
    """Return the answers of ``report``: conformance, guarantees, installation, speed and memory."""
    backends, header = report["backends"], names(report)
    told = [
        Table(
            "Conformance and guarantees",
            "Each answer is a verdict or a characteristic of the report, but for machines and the "
            "restart of a server, which are declared.",
            ["", *header],
            [
                ["Django's contract", *map(str, verdicts(report))],
                *_rows(backends, _GUARANTEES),
            ],
        ),
        Table("What must be installed", "", ["", *header], _rows(backends, {"Install": _install})),
    ]
    if any(backend.get("measurements") for backend in backends):
        told += [
            _latency(backends, header, api, percentile)
            for percentile in ("p50", "p99")
            for api in ("sync", "async")
        ]
        told.append(
            Table(
                "Memory of 10,000 entries of 100 bytes",
                "In the store as the store states it, and in the process that uses it.",
                ["", *header],
                _rows(backends, {"Store": _weight("store"), "Process": _weight("process")}),
            )
        )
    return told


def drawings(report: Mapping[str, Any]) -> list[Plot]:
    """Return the plots of what ``report`` measured, none where nothing was.

    Raises MissingExtra without matplotlib.
    """
    told = dict(zip(names(report), report["backends"], strict=True))
    drawn = []
    for api in ("sync", "async"):
        for clause, operation, x, y, title, axes in _PLOTTED:
            series = {name: _points(b, clause, operation, api, x, y) for name, b in told.items()}
            if any(series.values()):
                title = f"{title}, {api}"
                drawing = plots.lines(series, title, axes)
                drawn.append(Plot(f"{clause}-{operation}-{api}", title, drawing))
    return drawn


def _rows(backends: Iterable[Backend], questions: Mapping[str, Any]) -> list[Sequence[str]]:
    return [[title, *map(answer, backends)] for title, answer in questions.items()]


def _yes(name: str) -> Any:
    """Return the question whether a backend has the characteristic ``name``."""
    return lambda backend: shown(backend["characteristics"].get(name))


def _fact(name: str) -> Any:
    """Return the question for a declared fact: of the server, or else of the backend."""

    def answer(backend: Backend) -> str:
        of_backend, of_target = _facts_about(backend)
        return str(of_target.get(name) or of_backend.get(name) or "not declared")

    return answer


def _facts_about(backend: Backend) -> tuple[Mapping[str, str], Mapping[str, str]]:
    target = (backend["target"] or "").partition(" ")[0]
    return facts()["backend"].get(backend["path"], {}), facts()["target"].get(target, {})


def _install(backend: Backend) -> str:
    found = [fact["install"] for fact in _facts_about(backend) if "install" in fact]
    return "; ".join(found) or "not declared"


@cache
def facts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return what is declared about backends by dotted path, and about targets by name."""
    return tomllib.loads(resources.files(__package__).joinpath("facts.toml").read_text("utf-8"))


def _atomic(backend: Backend) -> str:
    """Name the operations that were atomic between threads, and those that were not."""
    found = {name: backend["characteristics"].get(f"atomic-{name}") for name in ATOMIC}
    if set(found.values()) == {None}:
        return NOT_MEASURED
    not_atomic = [name for name, value in found.items() if value is False]
    return f"all but {', '.join(not_atomic)}" if not_atomic else "yes"


def _granularity(backend: Backend) -> str:
    fine = backend["characteristics"].get("sub-second-timeouts")
    return {None: NOT_MEASURED, True: "below a second", False: "whole seconds"}[fine]


_GUARANTEES = {
    "Shared between processes": _yes("shared-between-processes"),
    "Shared between machines": _fact("machines"),
    "Survives a restart of its client": _yes("survives-client-restart"),
    "Survives a restart of the server": _fact("server-restart"),
    "Atomic between threads": _atomic,
    "Atomic between processes": _yes("atomic-across-processes"),
    "Time granularity": _granularity,
    "Native async": _yes("native-async"),
    "MAX_ENTRIES": _yes("max-entries"),
    "Longest key": _yes("longest-key"),
    "Largest value": _yes("largest-value"),
}


def _latency(backends: Iterable[Backend], header: Sequence[str], api: str, figure: str) -> Table:
    def timed(operation: str) -> Any:
        def answer(backend: Backend) -> str:
            for row in _measured(backend, "latency", api):
                if row["operation"] == operation:
                    return NOT_MEASURED if row[figure] is None else f"{row[figure]:,.0f}"
            return NOT_MEASURED

        return answer

    titles = {"p50": "half of all calls", "p99": "99 of 100 calls"}
    return Table(
        f"Microseconds in which {titles[figure]} end, {api}",
        "A value of 100 bytes; ten keys for the operations on many.",
        ["", *header],
        _rows(backends, {f"{operation}()": timed(operation) for operation in TIMED}),
    )


def _weight(part: str) -> Any:
    def answer(backend: Backend) -> str:
        for row in _measured(backend, "memory", "sync"):
            held = row[f"{part}_per_10000"]
            return "not to be had" if held is None else f"{held / 1e6:.1f} MB"
        return NOT_MEASURED

    return answer


def _points(
    backend: Backend, clause: str, operation: str, api: str, x: str, y: str
) -> list[tuple[float, float]]:
    return [
        (row[x], row[y]) for row in _measured(backend, clause, api) if row["operation"] == operation
    ]


def _measured(backend: Backend, clause: str, api: str) -> list[Mapping[str, Any]]:
    return [
        row
        for row in backend.get("measurements", [])
        if row["clause"] == f"measurements.{clause}" and row["api"] == api
    ]
