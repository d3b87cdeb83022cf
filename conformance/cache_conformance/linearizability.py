"""Tells whether a history could have come from operations that each happen at one moment.

The search is that of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with the
memory of Lowe (Testing for Linearizability, 2017): it takes the calls in every order that the
clock allows, asks the model for the answer, and never looks twice at the same calls with the same
entries. An operation of several steps is searched in the same way, each step at its own moment.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from cache_conformance.history import NEVER, Call, Event, History, Plan
from cache_conformance.model import Entry, Model, Traits, answer, demanded

ABSENT = "absent"
Entries = tuple[tuple[str, Entry], ...]
Step = Callable[[Model, Any, tuple[Any, ...]], Any]
"""A part of an operation: takes what the part before has found, and the arguments."""
IN_ONE: Mapping[str, Sequence[Step]] = MappingProxyType({})


def _whole(operation: str) -> Step:
    return lambda model, found, args: getattr(model, operation)(*args)


def _read(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    return model.get(args[0], ABSENT)


def _read_a_counter(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    model.incr(args[0], 0)
    return model.get(args[0])


def _write_the_sum(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    model.set(args[0], found + (args[1] if len(args) > 1 else 1))
    return model.get(args[0])


def _write_the_rest(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    return _write_the_sum(model, found, (args[0], -args[1] if len(args) > 1 else -1))


def _write_if_absent(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    if found == ABSENT:
        model.set(args[0], args[1])
    return found == ABSENT


def _write_again(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    if found != ABSENT:
        model.set(args[0], found, args[1])
    return found != ABSENT


def _remove_if_found(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    model.delete(args[0])
    return found != ABSENT


def _read_or_own(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    return model.get(*args)


def _write_unless_hit(model: Model, found: Any, args: tuple[Any, ...]) -> Any:
    if found == ABSENT:
        model.set(args[0], args[1])
    return found


IN_PARTS: Mapping[str, Sequence[Step]] = {
    "incr": (_read_a_counter, _write_the_sum),
    "decr": (_read_a_counter, _write_the_rest),
    "add": (_read, _write_if_absent),
    "touch": (_read, _write_again),
    "delete": (_read, _remove_if_found),
    "get_or_set": (_read, _write_unless_hit, _read_or_own),
}
"""The operations as a backend makes them that has no such command: it reads, and writes then.

https://docs.djangoproject.com/en/stable/topics/cache/#django.core.cache.cache.incr says so of
incr(); for the others it is what ``BaseCache`` does, or what a subclass writes first.
"""


def is_linearizable(
    history: History, entries: Mapping[str, Entry], parts: Mapping[str, Sequence[Step]] = IN_ONE
) -> bool:
    """Whether some order of the calls, each within its time, gives every answer of the history.

    ``entries``: what is stored at the beginning. ``parts``: operations that take several moments.
    """
    return _Search(history, parts).succeeds(tuple(entries.items()))


class _Search:
    """The search through the orders of one history."""

    def __init__(self, history: History, parts: Mapping[str, Sequence[Step]]) -> None:
        self._history = history
        self._steps = [
            parts.get(event.call.operation) or (_whole(event.call.operation),) for event in history
        ]
        self._complete = [len(steps) for steps in self._steps]

    def succeeds(self, entries: Entries) -> bool:
        start = ((0, None),) * len(self._history)
        seen = {(start, entries)}
        stack = [(start, entries)]
        while stack:
            progress, entries = stack.pop()
            if self._is_explained(progress):
                return True
            for position in self._possible(progress):
                following = self._take(position, progress, entries)
                if following is not None and following not in seen:
                    seen.add(following)
                    stack.append(following)
        return False

    def _is_explained(self, progress: tuple[tuple[int, Any], ...]) -> bool:
        return all(
            done == complete or event.answer is None
            for (done, _), complete, event in zip(
                progress, self._complete, self._history, strict=True
            )
        )

    def _possible(self, progress: tuple[tuple[int, Any], ...]) -> list[int]:
        """Return the calls that can go on now: none that began after another had to end."""
        unfinished = [n for n, (done, _) in enumerate(progress) if done < self._complete[n]]
        first_end = min((self._history[n].end for n in unfinished), default=NEVER)
        return [n for n in unfinished if self._history[n].start <= first_end]

    def _take(
        self, position: int, progress: tuple[tuple[int, Any], ...], entries: Entries
    ) -> tuple[tuple[tuple[int, Any], ...], Entries] | None:
        """Let one call take its next step; None where the history contradicts its answer."""
        event = self._history[position]
        done, found = progress[position]
        model = Model(Traits(), entries=dict(entries))
        came = answer(self._steps[position][done], model, found, event.call.args)
        done = self._complete[position] if came.error else done + 1
        if done == self._complete[position]:
            demand = demanded(event.call.operation, came)
            if event.answer is not None and not demand.allows(event.answer):
                return None
            found = None
        else:
            found = came.value
        after = (*progress[:position], (done, found), *progress[position + 1 :])
        return after, tuple(model.entries.items())


# The shortest history that shows it


def shortest(history: History, fails: Callable[[History], bool]) -> History:
    """Return the least of a history that still ``fails``: its beginning, without needless reads.

    What is cut off at the end leaves the calls under way without an answer; so whatever explains
    the whole history explains the part, and the part condemns no more than the whole.
    """
    ends = sorted(event.end for event in history if event.end != NEVER)
    for end in ends:
        part = [_as_known_at(end, event) for event in history if event.start <= end]
        if fails(part):
            history = part
            break
    for event in list(history):
        if event.is_read or event.answer is None:
            rest = [other for other in history if other is not event]
            if fails(rest):
                history = rest
    return history


def _as_known_at(moment: float, event: Event) -> Event:
    return event if event.end <= moment else event._replace(end=NEVER, answer=None)


# Families of operations


@dataclass(frozen=True)
class Family:
    """Operations that are tried together.

    ``initial``: the value of a key at the beginning, None for a key that is absent.
    ``arguments``: what each operation takes beside the key, with how often it is chosen.
    """

    name: str
    initial: int | None
    arguments: Mapping[str, tuple[int, Callable[[random.Random, int], tuple[Any, ...]]]]

    def plan(self, rng: random.Random, keys: Sequence[str], workers: int, calls: int) -> Plan:
        """Return what each worker is to do; a number that is stored is stored only once."""
        return [
            [self._call(rng, rng.choice(keys), 100 * (worker + 1) + n) for n in range(calls)]
            for worker in range(workers)
        ]

    def _call(self, rng: random.Random, key: str, number: int) -> Call:
        weights = [weight for weight, _ in self.arguments.values()]
        (operation,) = rng.choices(list(self.arguments), weights)
        return Call(operation, (key, *self.arguments[operation][1](rng, number)))

    def is_atomic(self, history: History) -> bool:
        """Whether each call of the history may have happened at one moment."""
        return all(is_linearizable(part, self._entries(part)) for part in by_key(history))

    def is_explained(self, history: History) -> bool:
        """Whether the history is one of calls that read at one moment and write at another."""
        return all(is_linearizable(part, self._entries(part), IN_PARTS) for part in by_key(history))

    def offence(self, history: History) -> History:
        """Return the shortest part, on one key, that shows why the history is not atomic."""
        holds = self.is_atomic if self.is_explained(history) else self.is_explained
        parts = [part for part in by_key(history) if not holds(part)]
        return min((shortest(part, lambda rest: not holds(rest)) for part in parts), key=len)

    def _entries(self, history: History) -> dict[str, Entry]:
        model = Model()
        if self.initial is not None:
            model.set(history[0].call.args[0], self.initial, None)
        return model.entries


def by_key(history: History) -> list[History]:
    """Return the history of each key alone."""
    found: dict[str, list[Event]] = {}
    for event in history:
        found.setdefault(event.call.args[0], []).append(event)
    return list(found.values())


def _nothing(rng: random.Random, number: int) -> tuple[Any, ...]:
    return ()


def _its_number(rng: random.Random, number: int) -> tuple[Any, ...]:
    return (number,)


def _a_delta(rng: random.Random, number: int) -> tuple[Any, ...]:
    return (rng.randint(1, 3),)


def _a_timeout(rng: random.Random, number: int) -> tuple[Any, ...]:
    return (rng.choice((60, 600)),)


GET = {"get": (2, _nothing)}
SET = {"set": (2, _its_number)}
DELETE = {"delete": (1, _nothing)}
COUNT = {"incr": (3, _a_delta), "decr": (2, _a_delta)}

PLAIN = Family("set, get and delete", None, {**SET, **GET, **DELETE})
ADD = Family("add", None, {"add": (4, _its_number), **GET, **DELETE})
COUNTING = Family("incr and decr", 1000, {**COUNT, **GET})
INCR = Family("incr", 1000, {**COUNT, **GET, **SET})
TOUCH = Family("touch", 1, {"touch": (4, _a_timeout), **GET, **SET})
GET_OR_SET = Family("get_or_set", None, {"get_or_set": (4, _its_number), **GET})
FAMILIES = (PLAIN, ADD, INCR, TOUCH, GET_OR_SET)


@dataclass(frozen=True)
class Verdict:
    """What many histories of a family show.

    ``offence``: the shortest history against it; ``context``: that with all that went on meanwhile.
    """

    family: Family
    tried: int
    offence: History = ()
    context: History = ()
    is_explained: bool = True

    @property
    def is_atomic(self) -> bool:
        """Whether every history could have come from operations that happen at one moment."""
        return not self.offence

    def __str__(self) -> str:
        if self.is_atomic:
            return f"{self.family.name}: atomic in all {self.tried} histories"
        how = "read at one moment and written at another" if self.is_explained else "not explained"
        return f"{self.family.name}: not atomic, {how}:\n" + "\n".join(map(str, self.offence))


def verdict(family: Family, histories: Sequence[History]) -> Verdict:
    """Judge the histories of a family, and keep the shortest of the worst."""
    offending = [history for history in histories if not family.is_atomic(history)]
    if not offending:
        return Verdict(family, len(histories))
    inexplicable = [history for history in offending if not family.is_explained(history)]
    worst = min(
        ((family.offence(history), history) for history in inexplicable or offending),
        key=lambda found: len(found[0]),
    )
    offence = sorted(worst[0], key=lambda event: event.start)
    return Verdict(
        family,
        len(histories),
        offence,
        _context(offence, worst[1]),
        is_explained=not inexplicable,
    )


def _context(offence: History, history: History) -> History:
    """Return the calls on the key of the offence that began before its last answer."""
    key = offence[0].call.args[0]
    last = max(event.end for event in offence if event.end != NEVER)
    return [event for event in history if event.call.args[0] == key and event.start <= last]
