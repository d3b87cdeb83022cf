"""Known failures: what a backend is expected to break, why, and on which versions."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from cache_conformance import sequence
from cache_conformance.clause import registry
from cache_conformance.outcome import Outcome, Result

KINDS = ("bug", "unsupported", "planned")
FIELDS = ("clause", "api", "backend", "kind", "reason", "link", "when", "intermittent", "example")


class InvalidExpectations(Exception):
    """An expectations file cannot be used; the message is one line that says where and why."""


@dataclass(frozen=True)
class KnownFailure:
    """One clause that is expected to fail.

    ``api``: only on this face; None for both. ``backend``: only for this dotted path.
    ``when``: requirements such as ``django<6.0`` that must all hold.
    ``intermittent``: a race that does not show in every run, so that a pass proves nothing.
    ``example``: the sequence of operations that shows it, tried in place of random ones.
    """

    clause: str
    kind: str
    reason: str
    link: str = ""
    api: str | None = None
    backend: str | None = None
    when: tuple[str, ...] = ()
    intermittent: bool = False
    example: str = ""

    @cached_property
    def applies(self) -> bool:
        """Whether the versions that are installed are those the failure was seen on."""
        return all(_installed(Requirement(condition)) for condition in self.when)

    def concerns(self, clause: str, api: str, backend: str) -> bool:
        """Whether this known failure speaks about a clause on one api of a backend."""
        return (
            clause == self.clause
            and self.api in (None, api)
            and self.backend in (None, backend)
            and self.applies
        )


@dataclass(frozen=True)
class Expectations:
    """The known failures that hold for a run."""

    known: tuple[KnownFailure, ...] = ()

    def __add__(self, other: Expectations) -> Expectations:
        return Expectations(self.known + other.known)

    def example(self, clause: str, api: str, backend: str) -> str:
        """Return the stored example of what is known to fail, "" where there is none."""
        found = (
            entry.example
            for entry in self.known
            if entry.example and entry.concerns(clause, api, backend)
        )
        return next(found, "")

    def judge(self, result: Result, backend: str) -> Result:
        """Return ``result`` as it counts: a known failure, or fixed where it passes."""
        known = next(
            (entry for entry in self.known if entry.concerns(result.clause, result.api, backend)),
            None,
        )
        if known is None:
            return result
        why = f"{known.kind}: {known.reason}" + (f" ({known.link})" if known.link else "")
        if result.outcome is Outcome.FAILED:
            return replace(
                result, outcome=Outcome.KNOWN_FAILURE, message=f"{why}\n{result.message}"
            )
        if result.outcome is Outcome.PASSED and not known.intermittent:
            return replace(
                result,
                outcome=Outcome.FIXED,
                message=f"it passes, so remove it from the expectations ({why})",
            )
        return result


def read(path: Path) -> Expectations:
    """Read an expectations file. Raises InvalidExpectations with one line."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidExpectations(f"cannot read expectations {path}: {error}") from error


@cache
def shipped_with_the_kit(backend: str, target: str | None = None) -> Expectations:
    """Return the known failures of one of Django's own backends, none for any other.

    With those that it has on ``target`` alone, such as "postgresql".
    """
    names = [backend] if target is None else [backend, f"{backend} on {target}"]
    files = [resources.files(__name__) / f"{name}.toml" for name in names]
    shipped = (parse(f.read_text(encoding="utf-8"), f.name) for f in files if f.is_file())
    return sum(shipped, start=Expectations())


def parse(text: str, origin: str) -> Expectations:
    """Read expectations from TOML. Raises InvalidExpectations, which names ``origin``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidExpectations(f"{origin} is not TOML: {error}") from error
    entries = document.pop("known-failure", [])
    if document or not isinstance(entries, list):
        found = ", ".join(sorted(document)) or "something else"
        raise InvalidExpectations(f"{origin}: only [[known-failure]] is known, not {found}")
    return Expectations(tuple(_entry(entry, origin) for entry in entries))


def _entry(entry: Any, origin: str) -> KnownFailure:
    name = entry.get("clause")
    place = f"{origin}: {name or 'an entry without a clause'}"
    if name not in registry:
        raise InvalidExpectations(f"{place}: there is no such clause; see cache-conformance list")
    if unknown := sorted(entry.keys() - set(FIELDS)):
        raise InvalidExpectations(
            f"{place}: unknown {', '.join(unknown)}; known: {', '.join(FIELDS)}"
        )
    if entry.get("kind") not in KINDS:
        raise InvalidExpectations(f"{place}: kind is one of {', '.join(KINDS)}")
    if not str(entry.get("reason", "")).strip():
        raise InvalidExpectations(f"{place}: a known failure needs its reason")
    if entry.get("api") not in (None, "sync", "async"):
        raise InvalidExpectations(f"{place}: api is sync or async")
    try:
        sequence.read(str(entry.get("example", "")))
    except ValueError as error:
        raise InvalidExpectations(f"{place}: example: {error}") from error
    when = entry.get("when", [])
    when = (when,) if isinstance(when, str) else tuple(when)
    for condition in when:
        try:
            Requirement(condition)
        except InvalidRequirement as error:
            raise InvalidExpectations(
                f"{place}: {condition!r} is no requirement like 'django<6.0'"
            ) from error
    return KnownFailure(**{**entry, "when": when})


def _installed(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def write(results: Iterable[tuple[str, Result]], backends: Sequence[str]) -> str:
    """Return the first baseline: every failure of ``(backend, result)`` as a known failure."""
    lines = ["# Known failures. Give each a reason that convinces you, and a link."]
    for backend, result in results:
        if result.outcome is not Outcome.FAILED:
            continue
        came = result.message.replace("\n", "; ")
        lines += [
            "",
            "[[known-failure]]",
            f"clause = {json.dumps(result.clause)}",
            f"api = {json.dumps(result.api)}",
            *([f"backend = {json.dumps(backend)}"] if len(backends) > 1 else []),
            'kind = "bug"',
            f"reason = {json.dumps(came, ensure_ascii=True)}",
            *([f"example = {json.dumps(result.example)}"] if result.example else []),
        ]
    return "\n".join(lines) + "\n"
