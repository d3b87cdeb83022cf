"""A clause is one promise of Django's cache contract; the registry holds all of them."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import django
from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from cache_conformance.capability import Capability

DOCUMENTATION = "https://docs.djangoproject.com/en"
SOURCE = "https://github.com/django/django/blob"

Check = Callable[..., Any]
AnyCheck = TypeVar("AnyCheck", bound=Check)


class Level(StrEnum):
    """How binding a clause is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"

    @property
    def rank(self) -> int:
        """0 for MUST, 1 for SHOULD, 2 for MAY."""
        return list(Level).index(self)


class Api(StrEnum):
    """The face of a backend that a check drives."""

    SYNC = "sync"
    ASYNC = "async"


class Tier(StrEnum):
    """A group of clauses that one decides to run, by what they cost."""

    CONTRACT = "contract"
    CONCURRENCY = "concurrency"
    FAULTS = "faults"
    BENCHMARK = "benchmark"


class Audience(StrEnum):
    """The backends that a clause speaks about."""

    STORING = "backends that store"
    DUMMY = "backends that store nothing"
    EVERY = "every backend"


MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
BOTH = (Api.SYNC, Api.ASYNC)
SYNC_ONLY = (Api.SYNC,)
ASYNC_ONLY = (Api.ASYNC,)
ROOT = "basic.set-then-get"
CLEARS = "clear.removes-every-entry"
SNAPSHOTS = "data.stored-values-are-snapshots"
EMPTIES = (CLEARS, "clear.removes-other-prefixes")
EACH_OPERATION = (
    ROOT,
    "basic.add-stores-an-absent-key",
    "basic.add-keeps-a-present-key",
    "basic.delete-removes",
    "basic.delete-returns-true",
    "basic.delete-of-an-absent-key-returns-false",
    "basic.has-key-of-a-present-key",
    "touch.present-key-returns-true",
    "touch.absent-key-returns-false",
    "many.get-many-returns-present-keys",
    "many.set-many-stores-every-pair",
    "many.delete-many-removes-keys",
    "get-or-set.miss-stores-the-default",
    "incr.adds-delta",
    "incr.decr-subtracts-delta",
    "incr.missing-key-raises-valueerror",
)
"""What a clause rests on whose check tries every operation under some circumstance."""


@dataclass(frozen=True)
class Clause:
    """One promise: what it says, how binding it is, where it is made, and the check that tries it.

    ``docs`` is a page of Django's documentation (``topics/cache/#anchor``) or a dotted name of
    Django's source (``source:django.core.cache.backends.base.BaseCache.get_or_set``).
    """

    id: str
    level: Level
    sentence: str
    docs: str
    chapter: str
    check: Check | None
    apis: tuple[Api, ...] = BOTH
    tier: Tier = Tier.CONTRACT
    audience: Audience = Audience.STORING
    derived_from: tuple[type, ...] = ()
    level_for_django: Level | None = None
    django: SpecifierSet = field(default_factory=SpecifierSet)
    requires: tuple[str, ...] = ()
    needs: tuple[Capability, ...] = ()
    each: Sequence[Any] | None = None
    alone: bool = False
    bulky: bool = False
    races: bool = False
    database: bool = False
    characteristic: str | None = None
    untested: str | None = None

    @property
    def families(self) -> str:
        """The names of the backends in ``derived_from``."""
        return ", ".join(family.__name__ for family in self.derived_from)

    @property
    def requires_emptying(self) -> tuple[str, ...]:
        """What it rests on besides, on a store that others use too and that it needs empty."""
        return EMPTIES if self.alone and self.chapter != "clear" else ()

    @cached_property
    def waits(self) -> bool:
        """Whether the check lets time pass: it is a generator that the timeline resumes."""
        return inspect.isgeneratorfunction(self.check) or inspect.isasyncgenfunction(self.check)

    @cached_property
    def awaits(self) -> bool:
        """Whether the check is written with ``async def``, for the async face alone."""
        return inspect.iscoroutinefunction(self.check) or inspect.isasyncgenfunction(self.check)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of what the check asks for."""
        return tuple(inspect.signature(self.check).parameters) if self.check else ()

    @cached_property
    def holds(self) -> bool:
        """Whether the clause is part of the contract of the Django that is installed."""
        return self.django.contains(django.get_version(), prereleases=True)

    @property
    def url(self) -> str:
        """Where Django makes the promise, for the version that is installed."""
        return self.url_for(django.get_version())

    def url_for(self, version: str) -> str:
        """Where Django ``version`` ("6.1.3") makes the promise."""
        if self.docs.startswith("source:"):
            path, line = _source_location(self.docs.removeprefix("source:"))
            anchor = f"#L{line}" if line and version == django.get_version() else ""
            return f"{SOURCE}/{version}/{path}{anchor}"
        return f"{DOCUMENTATION}/{'.'.join(version.split('.')[:2])}/{self.docs}"


@cache
def _source_location(dotted: str) -> tuple[str, int | None]:
    """Return path and line of a dotted name such as ``django.utils.cache.learn_cache_key``."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        path = "/".join(parts[:cut])
        path += "/__init__.py" if hasattr(found, "__path__") else ".py"
        if cut == len(parts):
            return path, None
        for name in parts[cut:]:
            found = getattr(found, name)
        return path, inspect.findsource(inspect.unwrap(found))[1] + 1
    raise LookupError(f"{dotted} is not part of Django {django.get_version()}")


registry: dict[str, Clause] = {}


def clause(
    id: str,
    level: Level,
    *,
    docs: str,
    apis: Iterable[Api] | None = None,
    tier: Tier = Tier.CONTRACT,
    audience: Audience = Audience.STORING,
    derived_from: Iterable[type] = (),
    level_for_django: Level | None = None,
    django: str = "",
    requires: Iterable[str] | None = None,
    needs: Iterable[Capability] = (),
    each: Sequence[Any] | None = None,
    alone: bool = False,
    bulky: bool = False,
    races: bool = False,
    database: bool = False,
    characteristic: str | None = None,
) -> Callable[[AnyCheck], AnyCheck]:
    """Register the decorated check as the one that tries the clause ``id``.

    The sentence of the clause is the check's docstring, its chapter the check's module.

    ``docs``: see :class:`Clause`; an anchor alone (``#...``) is on Django's page about the cache.
    ``apis``: the faces to drive; both, unless the check is a coroutine function (async only).
    ``derived_from``: the backends of which the promise is made, with those built on them; any.
    ``level_for_django``: the level for Django's own backends, where it differs.
    ``django``: the versions in which the clause holds, such as ``">=6.1"``.
    ``requires``: ids of clauses without which this one proves nothing; the root unless given.
    ``needs``: capabilities without which the clause does not apply.
    ``each``: a table whose rows reach the check one at a time, as its argument ``value``.
    ``alone``: the check clears or overfills the store, so nothing else may be under way.
    ``bulky``: the check stores megabytes or thousands of entries, which takes long and before
    which a full store may evict what others wait for.
    ``races``: writers compete in the check, which may keep others from the store.
    ``database``: the check uses sessions or models, so it needs the kit's own database.
    ``characteristic``: the name under which the report shows what the check returns.
    """

    def register(check: AnyCheck) -> AnyCheck:
        asynchronous = inspect.iscoroutinefunction(check) or inspect.isasyncgenfunction(check)
        _enter(
            Clause(
                id=id,
                level=level,
                sentence=" ".join((check.__doc__ or "").split()),
                docs=f"topics/cache/{docs}" if docs.startswith("#") else docs,
                chapter=check.__module__.rpartition(".")[2],
                check=check,
                apis=tuple(apis) if apis else ASYNC_ONLY if asynchronous else BOTH,
                tier=tier,
                audience=audience,
                derived_from=tuple(derived_from),
                level_for_django=level_for_django,
                django=SpecifierSet(django),
                requires=(ROOT,) if requires is None else tuple(requires),
                needs=tuple(needs),
                each=each,
                alone=alone,
                bulky=bulky,
                races=races,
                database=database,
                characteristic=characteristic,
            )
        )
        return check

    return register


def untested(
    id: str,
    level: Level,
    sentence: str,
    *,
    docs: str,
    why: str,
    tier: Tier = Tier.CONTRACT,
) -> None:
    """Register a clause that has no check, and say ``why`` it has none."""
    chapter = sys._getframe(1).f_globals["__name__"].rpartition(".")[2]
    docs = f"topics/cache/{docs}" if docs.startswith("#") else docs
    _enter(
        Clause(
            id, level, sentence, docs, chapter, check=None, apis=SYNC_ONLY, tier=tier, untested=why
        )
    )


def _enter(entry: Clause) -> None:
    if entry.id in registry:
        raise ValueError(f"two clauses are called {entry.id}")
    if entry.each is not None and entry.waits:
        raise ValueError(f"{entry.id} has a table, so its check cannot wait")
    if not entry.sentence:
        raise ValueError(f"the check of {entry.id} has no docstring to say what it promises")
    registry[entry.id] = entry


def contract() -> list[Clause]:
    """Return every clause, in the order in which the chapters stand in the contract."""
    importlib.import_module("cache_conformance.contract")
    return list(registry.values())
