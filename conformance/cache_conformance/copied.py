"""Copies source: the body of a check, and the definitions and imports that it needs."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from cache_conformance import vocabulary
from cache_conformance.clause import Clause

KIT = __name__.partition(".")[0]
WAIT = re.compile(r"yield (at|before|after|soon_after)\(([\d.]+)\)")


class Copy:
    """The body of a check, with what it needs from its module and from elsewhere."""

    def __init__(self, clause: Clause, row: int | None) -> None:
        """``row``: the row of the clause's table that ``value`` stands for, if it has one."""
        check = clause.check
        assert check is not None
        self.definitions: list[str] = []
        self.imports: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        module = sys.modules[check.__module__]
        self.body = _body(check, module)
        if row is not None:
            self.body = f"{self._row(clause, module, row)}\n{self.body}"
        self._need(module, ast.parse(_inside_a_function(self.body)))

    def _row(self, clause: Clause, module: ModuleType, row: int) -> str:
        table: ast.expr | None = _table(clause, module)
        name = table.id if isinstance(table, ast.Name) else ""
        if name:
            table = _assigned(module, name)
        if isinstance(table, ast.Tuple | ast.List) and len(table.elts) == len(clause.each or ()):
            return f"value = {ast.get_source_segment(_text(module), table.elts[row])}"
        return f"value = {name}[{row}]"

    def _need(self, module: ModuleType, tree: ast.AST) -> None:
        for name in _names(tree):
            self._define(module, name)

    def _define(self, module: ModuleType, name: str) -> None:
        if (module.__name__, name) in self._seen:
            return
        self._seen.add((module.__name__, name))
        if name in (definitions := _definitions(module)):
            node = definitions[name]
            self._need(module, node)
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            lines = _text(module).splitlines()[first - 1 : node.end_lineno]
            simple = isinstance(node, ast.Assign | ast.AnnAssign)
            self.definitions.append("\n".join(lines) + ("" if simple else "\n\n"))
        elif name in (imported := _imported(module)):
            origin, original = imported[name]
            if origin.partition(".")[0] == KIT and original:
                self._define(sys.modules[origin], original)
            else:
                self.imports.add(_import_line(origin, original, name))


def _table(clause: Clause, module: ModuleType) -> ast.expr:
    """Return what stands behind ``each=`` in the decorator of the check."""
    assert clause.check is not None
    check = _definitions(module)[clause.check.__name__]
    assert isinstance(check, ast.FunctionDef | ast.AsyncFunctionDef)
    for decorator in check.decorator_list:
        if isinstance(decorator, ast.Call):
            for keyword in decorator.keywords:
                if keyword.arg == "each":
                    return keyword.value
    raise LookupError(f"{clause.id} has no table")


def _assigned(module: ModuleType, name: str) -> ast.expr | None:
    node = _definitions(module)[name]
    return node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None


def is_plain(body: str) -> bool:
    """Whether the statements can stand outside a function."""
    tree = ast.parse(_inside_a_function(body))
    return not any(isinstance(node, ast.Return | ast.Nonlocal) for node in ast.walk(tree))


def _inside_a_function(body: str) -> str:
    return "async def check():\n" + textwrap.indent(body, "    ")


def _body(check: Callable[..., Any], module: ModuleType) -> str:
    """Return the statements of the check, its docstring left out and its waits as sleeps."""
    node = _definitions(module)[check.__name__]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = _text(module).splitlines()[statements[0].lineno - 1 : node.end_lineno]
    body = textwrap.dedent("\n".join(lines))
    body = _waits_as_sleep(body, isinstance(node, ast.AsyncFunctionDef))
    last = statements[-1]
    if isinstance(last, ast.Return) and last.value is not None:
        cut = body.rindex("return ")
        body = body[:cut] + f"print({body[cut + len('return ') :]})"
    return body


def _waits_as_sleep(source: str, coroutine: bool) -> str:
    """Replace ``yield after(2)`` by the sleep that leads to that moment of the check."""
    reached = 0.0

    def sleep(match: re.Match[str]) -> str:
        nonlocal reached
        moment = getattr(vocabulary, match[1])(float(match[2]))
        pause, reached = moment.due - reached, moment.due
        return f"{'await asyncio' if coroutine else 'time'}.sleep({max(pause, 0):.2f})"

    return WAIT.sub(sleep, source)


def _import_line(origin: str, original: str | None, name: str) -> str:
    if original is None:
        return f"import {origin}" + (f" as {name}" if name != origin.partition(".")[0] else "")
    return f"from {origin} import {original}" + (f" as {name}" if name != original else "")


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
            yield node.id


@cache
def _text(module: ModuleType) -> str:
    return inspect.getsource(module)


@cache
def _definitions(module: ModuleType) -> dict[str, ast.stmt]:
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(_text(module)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {name: node for target in node.targets for name in _names(target)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


@cache
def _imported(module: ModuleType) -> dict[str, tuple[str, str | None]]:
    found: dict[str, tuple[str, str | None]] = {}
    for node in ast.parse(_text(module)).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (alias.name, None)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, alias.name)
    return found
