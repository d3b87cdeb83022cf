"""What the contract answers, operation by operation: a check that is played on the model."""

from __future__ import annotations

import inspect
import warnings
from collections import deque
from collections.abc import Iterator
from typing import Any

from cache_conformance.clause import Api, Clause
from cache_conformance.face import Face
from cache_conformance.model import Either, Model, Traits
from cache_conformance.transcript import Transcript, Wait

CHAPTERS = frozenset(
    ("basic", "timeouts", "touch", "counters", "versions", "many", "get_or_set", "clear")
)
"""The chapters about what operations return, raise and change, which is what the model knows."""
SETTINGS = {"TIMEOUT": "timeout", "KEY_PREFIX": "prefix", "VERSION": "version"}
"""The settings that the model knows, and what it calls them."""


class Unplayable(Exception):
    """The check asks for something that the model is without."""


def explanation(clause: Clause) -> list[str]:
    """Return what the check does to the model and what the model answers, a line each.

    A check that is tried on a table is played on its first row, one that lets time pass in no
    time. Raises Unplayable where the check is about more than the operations of a cache, and
    AssertionError where the model does not keep the clause.
    """
    known = clause.chapter in CHAPTERS and set(clause.parameters) <= {"cache", "alias", "value"}
    if clause.check is None or clause.database or clause.derived_from or not known:
        raise Unplayable(clause.id)
    stage = _Stage(clause)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stage.play()
    return [str(note) for note in stage.transcript.entries]


class _Decided(Model):
    """The model, with one answer where several are right."""

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Remove the entry, and tell whether there was one that had not expired."""
        answers = super().delete(key, version)
        return bool(answers[0]) if isinstance(answers, Either) else answers

    def make_key(self, key: Any, version: int | None = None) -> str:
        """Return the final key."""
        return self._full(key, version)


class _Stage:
    """The model, with a clock of its own."""

    def __init__(self, clause: Clause) -> None:
        self._clause = clause
        self._clock = 0.0
        self._store = _Decided(Traits(granularity=0), lambda: self._clock)
        self.transcript = Transcript(deque())

    def play(self) -> None:
        """Call the check, and let time pass when it waits."""
        assert self._clause.check is not None
        each = self._clause.each
        given = {"alias": self.alias, "value": each[0] if each else None}
        if "cache" in self._clause.parameters:
            given["cache"] = self.alias()
        played = self._clause.check(**{name: given[name] for name in self._clause.parameters})
        if inspect.iscoroutine(played):
            played.close()
            raise Unplayable("the model has no async face")
        if inspect.isgenerator(played):
            self._pass_time(played)

    def alias(self, **settings: Any) -> Face:
        """Return the model with these settings."""
        if unknown := settings.keys() - SETTINGS.keys():
            raise Unplayable(f"the model has no {', '.join(unknown)}")
        model = self._store.alias(**{SETTINGS[name]: value for name, value in settings.items()})
        return Face(model, Api.SYNC, self.transcript)

    def _pass_time(self, moments: Iterator[Any]) -> None:
        for moment in moments:
            self.transcript.entries.append(Wait(moment.due - self._clock))
            self._clock = moment.due
