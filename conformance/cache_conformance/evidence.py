"""Tells a failure: what was expected, what came, and what had been done before."""

from __future__ import annotations

import ast
import inspect
import textwrap
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from cache_conformance.bounded import Hung, ProcessEnded, ThreadDied
from cache_conformance.counterexample import Counterexample
from cache_conformance.transcript import Call, Transcript, describe, show

SHOWN = 6


def evidence(
    error: BaseException, check: Callable[..., Any], transcript: Transcript, row: str | None
) -> str:
    """Return the message of a failed check, the summary on its first line."""
    if isinstance(error, Counterexample):
        return str(error)
    lines = []
    if isinstance(error, Hung | ThreadDied | ProcessEnded):
        notes = [note for note in transcript.last(1) if isinstance(note, Call)]
        during = f"{notes[-1]}: " if notes else ""
        lines.append(f"came: {during}{error}")
    else:
        place = _place(error, check)
        values = list(_values(place)) if place else []
        if expected := _wanted(place):
            lines.append(f"expected: {expected}")
        if came := _told(error, place, transcript):
            lines.append(f"came: {came}")
            lines += [f"where {value}" for value in values]
        else:
            lines.append(f"came: {', '.join(values) or 'it was not so'}")
    if row is not None:
        lines.append(f"where value = {row}")
    if done := transcript.last(SHOWN):
        lines.append("after: " + "; ".join(str(note) for note in done))
    return "\n".join(lines)


class _Place:
    """The statement of a check at which it stopped."""

    def __init__(self, statement: ast.stmt, source: str, first: int, variables: dict[str, Any]):
        self.statement = statement
        self.source = source
        self.lines = range(first, first + (statement.end_lineno or 0) - statement.lineno + 1)
        self.variables = variables

    def text(self, node: ast.AST) -> str:
        return " ".join((ast.get_source_segment(self.source, node) or "").split())


def _place(error: BaseException, check: Callable[..., Any]) -> _Place | None:
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == check.__code__.co_filename
    ]
    if not frames:
        return None
    frame, line = frames[-1]
    try:
        code = inspect.getsourcelines(frame.f_code)
    except OSError:
        return None
    source = textwrap.dedent("".join(code[0]))
    offset = code[1] - 1
    inside = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt)
        and node.lineno + offset <= line <= (node.end_lineno or node.lineno) + offset
    ]
    if not inside:
        return None
    promised = [node for node in inside if isinstance(node, ast.With) and _promises(node)]
    statement = promised[-1] if promised else max(inside, key=lambda node: node.lineno)
    return _Place(statement, source, statement.lineno + offset, dict(frame.f_locals))


def _promises(block: ast.With) -> bool:
    """Whether the block says which error its body must raise."""
    return "raises(" in ast.unparse(block.items[0].context_expr)


def _told(error: BaseException, place: _Place | None, transcript: Transcript) -> str:
    """Return what came: the error, and the operations of the statement that failed."""
    calls = [note for note in transcript.entries if isinstance(note, Call)]
    if place:
        calls = [call for call in calls if call.line in place.lines]
    came = "; ".join(str(call) for call in calls[-3:])
    if not isinstance(error, AssertionError):
        told = describe(error)
    elif place and isinstance(place.statement, ast.Assert) and not place.statement.msg:
        told = ""
    else:
        told = str(error).partition("\n")[0]
    return came if told in came else "; ".join(filter(None, [told, came]))


def _wanted(place: _Place | None) -> str:
    if place is None:
        return ""
    statement = place.statement
    if isinstance(statement, ast.Assert):
        return place.text(statement.test)
    if isinstance(statement, ast.With | ast.AsyncWith):
        first = statement.items[0].context_expr
        body = "; ".join(place.text(inner) for inner in statement.body)
        return f"{place.text(first)}: {body}"
    return place.text(statement)


def _values(place: _Place) -> Iterator[str]:
    """Yield the values of the variables that the statement names."""
    if isinstance(place.statement, ast.With | ast.Assert | ast.Expr):
        names = {node.id for node in ast.walk(place.statement) if isinstance(node, ast.Name)}
        for name in sorted(names & place.variables.keys()):
            value = place.variables[name]
            if not callable(value) and type(value).__name__ != "Face":
                yield f"{name} = {show(value)}"
