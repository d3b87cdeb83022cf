"""Rewrites a check that drives the sync face into the statements that drive the async one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cache_conformance.face import OPERATIONS

BUILDERS = frozenset(("alias", "other_store"))
CLOSED_TO_AWAIT = (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.GeneratorExp)


def awaited(source: str) -> str | None:
    """Return ``source`` with ``await cache.aget(...)`` for each ``cache.get(...)``.

    None where that cannot be said, as in a lambda or where an operation is passed on.
    """
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    caches = {"cache", *_names_of_caches(tree)}
    insertions: list[tuple[int, int, str]] = []
    for node in ast.walk(tree):
        if not _is_cache(node, caches) or isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        attribute = parents[node]
        call = parents.get(attribute)
        if not isinstance(attribute, ast.Attribute):
            if isinstance(node, ast.Name):
                return None
            continue
        if attribute.attr not in OPERATIONS:
            continue
        if not isinstance(call, ast.Call) or call.func is not attribute or _closed(call, parents):
            return None
        wrapped = isinstance(parents.get(call), ast.Attribute | ast.Subscript)
        insertions += _insertions(attribute, call, wrapped)
    return _inserted(source, insertions)


def _names_of_caches(tree: ast.AST) -> Iterator[str]:
    """Yield the variables that hold what ``alias()`` or ``other_store()`` has built."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(_is_cache(n, set()) for n in ast.walk(node.value)):
            for target in node.targets:
                yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))


def _is_cache(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in BUILDERS
    return isinstance(node, ast.Name) and node.id in names


def _closed(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    while node in parents:
        node = parents[node]
        if isinstance(node, CLOSED_TO_AWAIT):
            return True
    return False


def _insertions(
    attribute: ast.Attribute, call: ast.Call, wrapped: bool
) -> Iterator[tuple[int, int, str]]:
    yield call.lineno, call.col_offset, "(await " if wrapped else "await "
    end = attribute.end_col_offset or 0
    yield attribute.end_lineno or 0, end - len(attribute.attr), "a"
    if wrapped:
        yield call.end_lineno or 0, call.end_col_offset or 0, ")"


def _inserted(source: str, insertions: list[tuple[int, int, str]]) -> str:
    lines = [line.encode() for line in source.splitlines()]
    for line, column, text in sorted(insertions, reverse=True):
        before = lines[line - 1]
        lines[line - 1] = before[:column] + text.encode() + before[column:]
    return "\n".join(line.decode() for line in lines)
