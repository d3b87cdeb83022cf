"""The contract as a program: what each operation returns, raises and changes.

It is the one place where the meaning of the operations is written down as code. The sequences of
:mod:`cache_conformance.stateful` and the histories of :mod:`cache_conformance.linearizability`
are judged by it, :mod:`cache_conformance.explanation` shows a clause by it, and it is itself a
cache that keeps the whole contract.

https://docs.djangoproject.com/en/stable/topics/cache/#basic-usage
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from django.core.cache.backends.base import DEFAULT_TIMEOUT

GONE = float("-inf")
"""The deadline of an entry that was stored with a timeout of 0 or below."""


class BelowZero(StrEnum):
    """What a counter does that would sink below zero."""

    GOES_ON = "goes on"
    STOPS = "stops at zero"
    RAISES = "raises"


@dataclass(frozen=True)
class Traits:
    """Where backends may differ, and how this one does.

    ``granularity``: the seconds around a deadline in which an entry may be there or gone.
    ``counter_limit``: the largest integer that incr() counts exactly, None where there is none.
    ``adds_nothing``: add() of an absent key with a timeout of 0 or below returns True.
    ``touches_expired``, ``touches_permanent``: touch() of an entry that has expired, and
    touch(key, None) of one that never does, keep their promises. They have clauses of their own;
    where a backend breaks one of these, everything else can still be compared.
    """

    granularity: float = 1.0
    below_zero: BelowZero = BelowZero.GOES_ON
    counts_negatives: bool = True
    counts_floats: bool = True
    counter_limit: int | None = None
    incr_keeps_timeout: bool = True
    move_keeps_timeout: bool = False
    adds_nothing: bool = True
    touches_expired: bool = True
    touches_permanent: bool = True


SILENT = frozenset(("set", "set_many", "delete_many", "clear", "close"))
"""Operations whose results are clauses of their own: an experiment asks only that they return."""
ANYTHING = object()
"""A result that does not matter."""


class Entry(NamedTuple):
    """A value, and the second of the clock at which it is gone; None for never."""

    value: Any
    deadline: float | None


class Either(tuple[Any, ...]):
    """Results each of which is right."""


class Pairs(dict[Any, Any]):
    """A result for which any dictionary will do, whatever its class."""


class Refused(Exception):
    """The operation raises; which error is the backend's affair."""


class Undecided(Exception):
    """The contract leaves the answer open, as for an entry that is close to its deadline."""


class Model:
    """The cache of one alias. Keys, values and results are those of Django's ``BaseCache``.

    Timeouts are in seconds, None for never; ``now()`` gives the seconds of the clock.
    """

    def __init__(
        self,
        traits: Traits | None = None,
        now: Callable[[], float] = lambda: 0.0,
        *,
        timeout: float | None = 300,
        prefix: str = "",
        version: int = 1,
        entries: dict[str, Entry] | None = None,
    ) -> None:
        self.traits = traits or Traits()
        self.entries: dict[str, Entry] = {} if entries is None else entries
        self._now = now
        self._timeout = timeout
        self.key_prefix = prefix
        self.version = version

    def alias(self, *, timeout: float | None = 300, prefix: str = "", version: int = 1) -> Model:
        """Return another alias of the same store."""
        return type(self)(
            self.traits,
            self._now,
            timeout=timeout,
            prefix=prefix,
            version=version,
            entries=self.entries,
        )

    # Reading

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the value, ``default`` where the key is absent."""
        entry = self._find(self._full(key, version))
        return default if entry is None else deepcopy(entry.value)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> Pairs:
        """Return the values of the keys that are there."""
        there = (key for key in keys if self.has_key(key, version))
        return Pairs((key, self.get(key, version=version)) for key in there)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Whether the key is there."""
        return self._find(self._full(key, version)) is not None

    def __contains__(self, key: Any) -> bool:
        return self.has_key(key)

    # Writing

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Store the value, whatever was there; a timeout of 0 or below leaves nothing."""
        self._put(self._full(key, version), value, self._deadline(timeout))

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Store the value where the key is absent, and tell whether it was."""
        if self.has_key(key, version):
            return False
        self.set(key, value, timeout, version)
        return self.traits.adds_nothing or self._deadline(timeout) != GONE

    def set_many(
        self, data: Mapping[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[Any]:
        """Store every pair; the result names those that could not be stored, here none."""
        for key, value in data.items():
            self.set(key, value, timeout, version)
        return []

    def get_or_set(
        self, key: Any, default: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> Any:
        """Return what is there; where nothing is, store ``default``, called if it can be.

        While a callable computes, another writer may come first, and then has the last word.
        """
        if not self.has_key(key, version):
            default = default() if callable(default) else default
            self.add(key, default, timeout, version)
        return self.get(key, default, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Give the entry another timeout, and tell whether there is one."""
        full = self._full(key, version)
        entry = self._find(full)
        deadline = self._deadline(timeout)
        if entry is None:
            if full in self.entries and not self.traits.touches_expired:
                raise Undecided(f"{full} has expired")
            return False
        if entry.deadline is deadline is None and not self.traits.touches_permanent:
            raise Undecided(f"{full} never expires")
        self._put(full, entry.value, deadline)
        return True

    def delete(self, key: Any, version: int | None = None) -> bool | Either:
        """Remove the entry, and tell whether there was one; one that has expired may count."""
        full = self._full(key, version)
        found = self._find(full) is not None
        removed = self.entries.pop(full, None) is not None
        return found if found == removed else Either((found, removed))

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        """Remove the entries of the keys."""
        for key in keys:
            self.delete(key, version)

    def clear(self) -> None:
        """Remove every entry of the store, of every prefix and version."""
        self.entries.clear()

    def close(self) -> None:
        """Change nothing."""

    # Counting

    def incr(self, key: Any, delta: Any = 1, version: int | None = None) -> Any:
        """Add to a number and return the sum. Raises ValueError where the key is absent."""
        full = self._full(key, version)
        entry = self._find(full)
        if entry is None:
            raise ValueError(f"{key!r} is absent")
        total = self._sum(entry.value, delta)
        kept = self.traits.incr_keeps_timeout
        self._put(full, total, entry.deadline if kept else self._deadline(DEFAULT_TIMEOUT))
        return total

    def decr(self, key: Any, delta: Any = 1, version: int | None = None) -> Any:
        """Subtract from a number and return the rest. Raises ValueError where it is absent."""
        return self.incr(key, -delta, version)

    def _sum(self, value: Any, delta: Any) -> Any:
        traits = self.traits
        if isinstance(value, bool):
            raise Undecided("a bool may count as a number")
        if not isinstance(value, int | float):
            raise Refused(f"{value!r} is no number")
        if isinstance(value, float) or isinstance(delta, float):
            if not traits.counts_floats:
                raise Refused(f"{value!r} is no integer")
            return value + delta
        if value < 0 and not traits.counts_negatives:
            raise Refused(f"{value!r} is below zero")
        total = value + delta
        if traits.counter_limit is not None and abs(total) > traits.counter_limit:
            raise Undecided(f"{total} is past {traits.counter_limit}")
        if total < 0 and traits.below_zero is BelowZero.RAISES:
            raise Refused(f"{total} is below zero")
        return max(total, 0) if traits.below_zero is BelowZero.STOPS else total

    # Versions

    def incr_version(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Move the entry to another version and return it. Raises ValueError where absent."""
        source = self.version if version is None else version
        entry = self._find(self._full(key, source))
        if entry is None:
            raise ValueError(f"{key!r} is absent")
        kept = self.traits.move_keeps_timeout
        deadline = entry.deadline if kept else self._deadline(DEFAULT_TIMEOUT)
        self._put(self._full(key, source + delta), entry.value, deadline)
        self.entries.pop(self._full(key, source))
        return source + delta

    def decr_version(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Move the entry ``delta`` versions down. Raises ValueError where it is absent."""
        return self.incr_version(key, -delta, version)

    # Entries

    def _full(self, key: Any, version: int | None) -> str:
        return f"{self.key_prefix}:{self.version if version is None else version}:{key}"

    def _find(self, full: str) -> Entry | None:
        entry = self.entries.get(full)
        if entry is None or entry.deadline is None:
            return entry
        left = entry.deadline - self._now()
        if abs(left) < self.traits.granularity:
            raise Undecided(f"{full} has {left:.2f} s left")
        return entry if left > 0 else None

    def _put(self, full: str, value: Any, deadline: float | None) -> None:
        self.entries[full] = Entry(deepcopy(value), deadline)

    def _deadline(self, timeout: Any) -> float | None:
        timeout = self._timeout if timeout is DEFAULT_TIMEOUT else timeout
        if timeout is None:
            return None
        return self._now() + timeout if timeout > 0 else GONE


class Answer(NamedTuple):
    """How an operation ended: with a value, or with an error."""

    value: Any = None
    error: type[BaseException] | None = None

    def allows(self, other: Answer) -> bool:
        """Whether a backend may answer ``other`` where the model answers this."""
        if self.error is None or other.error is None:
            if self.value is ANYTHING:
                return self.error is other.error
            choices = self.value if isinstance(self.value, Either) else (self.value,)
            return self.error is other.error and any(same(c, other.value) for c in choices)
        return self.error is Refused or issubclass(other.error, self.error)

    def __str__(self) -> str:
        if self.value is ANYTHING:
            return "returns"
        if self.error is None:
            choices = self.value if isinstance(self.value, Either) else (self.value,)
            return "returns " + " or ".join(map(repr, choices))
        return "raises " + ("an error" if self.error is Refused else self.error.__name__)


def answer(operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Answer:
    """Call the operation and return how it ended. Raises Undecided if the model does."""
    try:
        return Answer(operation(*args, **kwargs))
    except Undecided:
        raise
    except Exception as error:
        return Answer(error=type(error))


def demanded(operation: str, came: Answer) -> Answer:
    """Return what an experiment demands where the model has answered ``came``."""
    silent = came.error is None and operation in SILENT
    return came._replace(value=ANYTHING) if silent else came


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same types, all the way down."""
    if type(one) is not type(other) and not (type(one) is Pairs and isinstance(other, dict)):
        return False
    if isinstance(one, dict):
        return _keys(one) == _keys(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _keys(mapping: Mapping[Any, Any]) -> frozenset[tuple[type, Any]]:
    return frozenset((type(key), key) for key in mapping)
