"""The contract as a document: every clause, chapter by chapter, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module, resources
from itertools import groupby
from operator import attrgetter

from cache_conformance import expectations
from cache_conformance.clause import Clause, Level, contract
from cache_conformance.expectations import KnownFailure
from cache_conformance.markdown import code, escaped, link, spans, table

DJANGO = "6.1"
RENEW = "cache-conformance list --markdown > docs/contract.md"


def contract_page() -> str:
    """Return the contract as Markdown, the same whichever Django is installed."""
    clauses = contract()
    deviations = known_deviations()
    chapters = [(name, list(found)) for name, found in groupby(clauses, attrgetter("chapter"))]
    parts = [
        f"<!-- Written by: {RENEW} -->",
        "# The contract",
        _introduction(clauses),
        "\n".join(
            f"- [{_prose(chapter_title(name))}](#{name}): {len(found)}" for name, found in chapters
        ),
    ]
    for name, found in chapters:
        parts += [
            f'<a id="{name}"></a>',
            f"## {_prose(chapter_title(name))}",
            table(
                ["Clause", "Level", "Api", "Promise", "Remarks"],
                [_row(clause, deviations.get(clause.id, [])) for clause in found],
            ),
        ]
    return "\n\n".join(parts) + "\n"


def chapter_title(name: str) -> str:
    """Return the title of a chapter: what its module says about itself."""
    module = import_module(f"cache_conformance.contract.{name}")
    return (module.__doc__ or name).partition("\n")[0].rstrip(".")


def known_deviations() -> dict[str, list[tuple[str, KnownFailure]]]:
    """Return for each clause the backends of Django that are expected to fail it, and why."""
    contract()
    found: dict[str, list[tuple[str, KnownFailure]]] = {}
    files = resources.files(expectations).iterdir()
    for path in sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")):
        for known in expectations.shipped_with_the_kit(path).known:
            found.setdefault(known.clause, []).append((path, known))
    return found


def versions(clause: Clause) -> str:
    """Return the versions of Django in which ``clause`` holds."""
    return f"Django {clause.django}" if clause.django else "every supported version of Django"


def levels(clause: Clause) -> str:
    """Return the level of ``clause``, and the level for Django's own backends if it differs."""
    if clause.level_for_django in (None, clause.level):
        return str(clause.level)
    return f"{clause.level} ({clause.level_for_django} for Django's own)"


def deviation(path: str, known: KnownFailure) -> str:
    """Return which backend of Django deviates, and where it does."""
    where = ", ".join(filter(None, [known.api, *known.when]))
    return path.rpartition(".")[2] + (f" ({where})" if where else "")


def documented_at(clause: Clause) -> str:
    """Return where Django 6.1 makes the promise; lines of its source differ between patches."""
    return clause.url_for(DJANGO).partition("#L")[0]


def _introduction(clauses: Sequence[Clause]) -> str:
    by_level = Counter(clause.level for clause in clauses)
    counts = ", ".join(f"{by_level[level]} {level}" for level in Level)
    without = sum(clause.check is None for clause in clauses)
    return (
        f"{len(clauses)} clauses ({counts}), {without} of them without a check. Each links to "
        f"where Django {DJANGO} makes the promise: its documentation, or the tag {DJANGO} of its "
        f"source (patch releases have tags of their own, such as {DJANGO}.1). The remarks name the "
        "versions in which a clause holds, where it is not all of them, and those of Django's own "
        "backends that are known to deviate."
    )


def _row(clause: Clause, deviations: Sequence[tuple[str, KnownFailure]]) -> list[str]:
    return [
        f'<a id="{clause.id}"></a>{code(clause.id)}',
        escaped(levels(clause)),
        ", ".join(clause.apis),
        f"{_prose(clause.sentence)} {link('Source', documented_at(clause))}",
        "<br>".join(_remarks(clause, deviations)),
    ]


def _remarks(clause: Clause, deviations: Sequence[tuple[str, KnownFailure]]) -> Iterator[str]:
    if clause.django:
        yield escaped(f"Holds in {versions(clause)}.")
    if clause.untested:
        yield f"Not tried: {_prose(clause.untested)}"
    if deviations:
        yield f"Deviating: {escaped(', '.join(deviation(*known) for known in deviations))}."


def _prose(text: str) -> str:
    return "".join(
        escaped(words) + (code(quoted) if quoted else "") for words, quoted in spans(text)
    )
