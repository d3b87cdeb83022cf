"""Histories of workers at once: which operations happen at one moment, and which in parts."""

import random
from itertools import count

from cache_conformance import linearizability as families
from cache_conformance.clause import MAY, MUST, SHOULD, SYNC_ONLY, Api, Tier, clause
from cache_conformance.counterexample import Counterexample
from cache_conformance.face import run
from cache_conformance.history import RACE_IMPORTS, by_tasks, by_threads, picture, race
from cache_conformance.linearizability import verdict
from cache_conformance.reproduction import script_of
from cache_conformance.vocabulary import NotApplicable, overrides

BASE = "source:django.core.cache.backends.base.BaseCache"
INCR = "#django.core.cache.cache.incr"
_numbers = count()


def judged(family, alias, experiment):
    """Race the family on fresh keys, with threads or with tasks; return the verdict.

    Raises Counterexample where the histories are neither atomic nor made of reads and writes.
    """
    effort = experiment.effort
    rng = random.Random(f"{effort.seed} {family.name}")
    keys = [[f"h{next(_numbers)}", f"h{next(_numbers)}"] for _ in range(effort.histories)]
    plans = [family.plan(rng, pair, effort.workers, 4) for pair in keys]
    cache = alias()
    if family.initial is not None:
        cache.set_many({key: family.initial for pair in keys for key in pair}, None)
    if experiment.api is Api.ASYNC:
        found = verdict(family, run(by_tasks(cache, plans)))
    else:
        found = verdict(family, by_threads(alias, plans))
    if not found.is_atomic:
        experiment.show(str(found), picture(found.offence, f"{family.name} is not atomic"))
    return found


def refuted(found, experiment):
    body = race(found.context, found.family.initial)
    script = script_of(experiment.clause, Api.SYNC, experiment.implementation, body, RACE_IMPORTS)
    return Counterexample(f"came: {found}", script=script)


def atomic_or_in_parts(family, alias, experiment):
    found = judged(family, alias, experiment)
    if not found.is_explained:
        raise refuted(found, experiment)
    return found.is_atomic


@clause(
    "linearizability.counting",
    SHOULD,
    level_for_django=MUST,
    docs=INCR,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    requires=("incr.adds-delta",),
    races=True,
)
def counting_is_atomic(alias, backend_class, experiment):
    """Where a backend has an increment of its own, incr() and decr() of threads are atomic."""
    if not overrides(backend_class, "incr"):
        raise NotApplicable("its incr() is the get() and set() of BaseCache")
    found = judged(families.COUNTING, alias, experiment)
    if not found.is_atomic:
        raise refuted(found, experiment)


@clause(
    "linearizability.set-get-delete",
    MAY,
    docs="#basic-usage",
    tier=Tier.CONCURRENCY,
    characteristic="atomic-set-get-delete",
    races=True,
)
def racing_set_get_and_delete(alias, experiment):
    """On one key set(), get() and delete() may be atomic, or delete() look first, remove then."""
    return atomic_or_in_parts(families.PLAIN, alias, experiment)


@clause(
    "linearizability.add",
    MAY,
    docs="#django.core.cache.cache.add",
    tier=Tier.CONCURRENCY,
    characteristic="atomic-add",
    races=True,
)
def racing_add(alias, experiment):
    """An add() may be atomic, or look first and write then, so that a second one overwrites it."""
    return atomic_or_in_parts(families.ADD, alias, experiment)


@clause(
    "linearizability.incr",
    MAY,
    docs=INCR,
    tier=Tier.CONCURRENCY,
    requires=("incr.adds-delta",),
    characteristic="atomic-incr-beside-set",
    races=True,
)
def racing_incr(alias, experiment):
    """Beside set(), incr() and decr() may be atomic, or read first and write then."""
    return atomic_or_in_parts(families.INCR, alias, experiment)


@clause(
    "linearizability.touch",
    MAY,
    docs="#django.core.cache.cache.touch",
    tier=Tier.CONCURRENCY,
    characteristic="atomic-touch",
    races=True,
)
def racing_touch(alias, experiment):
    """Beside set(), touch() may be atomic, or read the value and write it again."""
    return atomic_or_in_parts(families.TOUCH, alias, experiment)


@clause(
    "linearizability.get-or-set",
    MAY,
    docs=f"{BASE}.get_or_set",
    tier=Tier.CONCURRENCY,
    characteristic="atomic-get-or-set",
    races=True,
)
def racing_get_or_set(alias, experiment):
    """Where nobody deletes, get_or_set() may be atomic, or read, write and read again."""
    return atomic_or_in_parts(families.GET_OR_SET, alias, experiment)
