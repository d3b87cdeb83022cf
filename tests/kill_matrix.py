"""The kill matrix: which clauses each faulty backend fails, as data and as a page."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cache_conformance.clause import ASYNC_ONLY, BOTH, SYNC_ONLY, Api, Clause, Tier, contract
from cache_conformance.contract_page import chapter_title
from cache_conformance.copied import Copy
from cache_conformance.expectations import shipped_with_the_kit
from cache_conformance.face import ASYNC_OPERATIONS
from django.utils.module_loading import import_string
from faulty import Fault, all_faults

DOCS = Path(__file__).resolve().parents[1] / "docs"
DATA = DOCS / "kill-matrix.json"
PAGE = DOCS / "kill-matrix.md"
MOST_NAMED = 6


def clauses() -> dict[str, Clause]:
    """Return the clauses of the matrix, by id.

    Those of the tier benchmark measure and cannot fail; those of the tier faults need a server of
    their own for each backend.
    """
    return {
        clause.id: clause
        for clause in contract()
        if clause.check is not None and clause.tier in (Tier.CONTRACT, Tier.CONCURRENCY)
    }


def backends() -> dict[str, list[Fault]]:
    """Return the seeded faults of each faulty backend, by its dotted path."""
    found: dict[str, list[Fault]] = {}
    known = clauses()
    for fault in all_faults():
        if fault.clause in known:
            found.setdefault(fault.path, []).append(fault)
    return found


@cache
def seeded_clauses() -> dict[str, set[str]]:
    """Return the clauses that were seeded into each faulty backend, by its dotted path."""
    return {path: {fault.clause for fault in faults} for path, faults in backends().items()}


def apis(path: str) -> tuple[Api, ...]:
    """Return the faces to try: the async one too where the fault can be there by itself.

    Elsewhere Django derives it from the sync one, and it would only show the same again.
    """
    apart = any(name in ASYNC_OPERATIONS for our in _our_classes(path) for name in vars(our))
    only_async = any(clauses()[fault.clause].apis == ASYNC_ONLY for fault in backends()[path])
    return BOTH if apart or only_async else SYNC_ONLY


def tiers(path: str) -> tuple[Tier, ...]:
    """Return the tiers to try: that of concurrency only for the faults that are seeded for it."""
    return tuple({Tier.CONTRACT, *(clauses()[fault.clause].tier for fault in backends()[path])})


def state_of_clause(clause: Clause) -> str:
    """Return a digest of the check, of the helpers it calls, and of what it rests on."""
    assert clause.check is not None
    helpers = Copy(clause, None).definitions
    return digest(inspect.getsource(clause.check), *helpers, *clause.requires)


def state_of_backend(path: str) -> str:
    """Return a digest of a faulty backend and of those that it derives from."""
    return digest(*map(inspect.getsource, _our_classes(path)))


def digest(*texts: str) -> str:
    """Return a short digest of some texts, which tells whether any of them has changed."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:10]


def base(path: str) -> str:
    """Return the dotted path of the backend that a faulty one is without its fault."""
    django = next(c for c in import_string(path).__mro__ if not c.__module__.startswith("faulty."))
    return f"{django.__module__}.{django.__qualname__}"


def inherited(path: str) -> set[str]:
    """Return the clauses that a faulty backend breaks without its fault: failures of its base."""
    known = shipped_with_the_kit(base(path)).known
    return {failure.clause for failure in known if failure.applies} - seeded_clauses()[path]


def _our_classes(path: str) -> list[type]:
    return [c for c in import_string(path).__mro__ if c.__module__.startswith("faulty.")]


class Matrix:
    """For each pair of a faulty backend and a clause: did the clause fail, and in which state."""

    def __init__(self) -> None:
        stored = json.loads(DATA.read_text()) if DATA.exists() else {}
        self.clauses: dict[str, str] = stored.get("clauses", {})
        self.backends: dict[str, str] = stored.get("backends", {})
        self.failed: dict[str, list[str]] = stored.get("failed", {})
        self.renewed: dict[str, str] = stored.get("renewed", {})
        """While new clauses are tried: the backends that have met them, and in which state."""

    def save(self) -> None:
        """Write the data, each backend and each clause on a line."""
        tables: dict[str, dict[str, Any]] = {
            "clauses": self.clauses,
            "backends": self.backends,
            "failed": self.failed,
            "renewed": self.renewed,
        }
        written = []
        for name, table in tables.items():
            if not table:
                continue
            rows = [f"{json.dumps(key)}: {json.dumps(table[key])}" for key in sorted(table)]
            written.append(f'"{name}": {{\n' + ",\n".join(rows) + "\n}")
        DATA.write_text("{\n" + ",\n".join(written) + "\n}\n")

    def forget_what_changed(self) -> None:
        """Drop the backends and clauses that are gone or are not what they were."""
        states = {path: state_of_backend(path) for path in backends()}
        self.backends = {p: s for p, s in self.backends.items() if states.get(p) == s}
        checks = {id: state_of_clause(clause) for id, clause in clauses().items()}
        self.clauses = {id: s for id, s in self.clauses.items() if checks.get(id) == s}
        self.failed = {
            path: [id for id in ids if id in self.clauses or path in self.renewed]
            for path, ids in self.failed.items()
            if path in self.backends
        }

    def add(self, path: str, failed: set[str]) -> None:
        """Add clauses that a backend fails by its fault, in the order of the contract."""
        by_its_fault = (failed | set(self.failed.get(path, []))) - inherited(path)
        self.failed[path] = [id for id in clauses() if id in by_its_fault]

    def killers(self, clause: str) -> list[str]:
        """Return the faulty backends that fail the clause."""
        return sorted(path for path, ids in self.failed.items() if clause in ids)


def page(matrix: Matrix) -> str:
    """Return the matrix for people, in Markdown."""
    return "\n".join(_lines(matrix)) + "\n"


def _lines(matrix: Matrix) -> Iterator[str]:
    seeded = backends()
    known = clauses()
    pairs = sum(map(len, matrix.failed.values()))
    yield "# The kill matrix"
    yield ""
    yield (
        "Every faulty backend of `tests/faulty/` holds one seeded fault, and every clause has at "
        f"least one that it must catch. {len(matrix.failed)} faulty backends were tried against "
        f"{len(matrix.clauses)} clauses; {pairs} pairs failed. The async face was tried where the "
        "fault may be there alone (elsewhere Django derives it from the sync one), the tier of "
        "concurrency with the faults that are seeded for it. `ci/kill-matrix` renews the data, "
        "`docs/kill-matrix.json`, and this page; what has not changed is not run again."
    )
    yield ""
    yield (
        "A fault is seen by other clauses than its own where their checks need what it breaks. "
        "Each of them passes on the backend of Django that the faulty one is built on, so that it "
        "is the fault that makes it fail: a test runs these backends and compares. *through* "
        "names the methods that the faulty backend replaces."
    )
    for chapter in dict.fromkeys(clause.chapter for clause in known.values()):
        own = {id: clause for id, clause in known.items() if clause.chapter == chapter}
        yield from ("", f"## {chapter_title(chapter)}", "")
        yield "| clause | caught by it: seeded for it | others |"
        yield "|---|---|---|"
        for id in own:
            killers = matrix.killers(id)
            mine = [path for path in killers if any(f.clause == id for f in seeded[path])]
            yield f"| `{id}` | {_names(mine)} | {len(killers) - len(mine)} |"
        paths = [path for path in seeded if path.startswith(f"faulty.{chapter}.")]
        if not paths:
            continue
        yield from (
            "",
            "| faulty backend | its fault | also fails | through |",
            "|---|---|---|---|",
        )
        for path in paths:
            yield _row(path, seeded[path], matrix.failed.get(path, []))


def _row(path: str, faults: list[Fault], failed: list[str]) -> str:
    others = [id for id in failed if id not in {fault.clause for fault in faults}]
    sentence = (import_string(path).__doc__ or "").partition("\n")[0]
    through = ", ".join(f"`{name}`" for name in overridden(path)) if others else ""
    return f"| {_name(path)} | {sentence} | {_ids(others)} | {through} |"


def _ids(ids: list[str]) -> str:
    if len(ids) <= MOST_NAMED:
        return ", ".join(f"`{id}`" for id in ids)
    families = Counter(id.partition(".")[0] for id in ids)
    return f"{len(ids)}: " + ", ".join(f"{family} {n}" for family, n in families.most_common())


def _names(paths: Iterable[str]) -> str:
    return ", ".join(map(_name, paths))


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def overridden(path: str) -> list[str]:
    """Return the operations and helpers that a faulty backend replaces."""
    names = {name for our in _our_classes(path) for name in vars(our)}
    methods = {name for name in names if not re.fullmatch(r"__(?!init|contains).*__", name)}
    return sorted(methods)
