"""Threads and processes at once: one store, and what is atomic on it."""

import os
import pickle
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from threading import get_ident

from django.core.cache.backends.filebased import FileBasedCache
from django.db import router, transaction

from cache_conformance.another_process import ended, last_error, running
from cache_conformance.clause import (
    MAY,
    MUST,
    SHOULD,
    SYNC_ONLY,
    Tier,
    clause,
    untested,
)
from cache_conformance.threads import race
from cache_conformance.vocabulary import NotApplicable, after, at, overrides

BASE = "source:django.core.cache.backends.base.BaseCache"
INCR = "#django.core.cache.cache.incr"
ADD = "#django.core.cache.cache.add"
DELETE = "#django.core.cache.cache.delete"
ACCESS = "#accessing-the-cache"
BASIC_USAGE = "#basic-usage"
LARGE = 50_000
TOUCHES = 6
KEYS = 6
SMALL = 100
"""How many entries a race may need room for, where a lost one is a failure."""


def half(racers):
    """Return how many of the racers are of one of two kinds, at least one."""
    return (racers + 1) // 2


def keys_of(number):
    """Return the keys of a round."""
    return [f"{number}-{n}" for n in range(KEYS)]


def store(cache, rounds, value, *timeout):
    """Store a value under each key of all rounds."""
    keys = chain.from_iterable(map(keys_of, range(rounds)))
    cache.set_many(dict.fromkeys(keys, value), *timeout)


def write_new(mine, number):
    """Store a new value under each key of a round."""
    for key in keys_of(number):
        mine.set(key, "new")


@clause(
    "concurrency.incr-may-be-atomic",
    MAY,
    docs=INCR,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    characteristic="atomic-incr",
    races=True,
)
def incr_may_be_atomic(cache, alias, rounds, racers):
    """incr() may be atomic, or a read and a write between which another thread's count is lost."""
    cache.set("n", 0)
    race(alias, rounds, [lambda mine, _: mine.incr("n")] * racers)
    assert 0 < cache.get("n") <= racers * rounds
    return cache.get("n") == racers * rounds


@clause(
    "concurrency.native-incr-is-atomic",
    SHOULD,
    level_for_django=MUST,
    docs=INCR,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def native_incr_is_atomic(cache, alias, backend_class, rounds, racers):
    """Where a backend has an increment of its own, incr() and decr() lose no count of a thread."""
    if not overrides(backend_class, "incr"):
        raise NotApplicable("its incr() is the get() and set() of BaseCache")
    cache.set("n", 0)
    counts = race(alias, rounds, [lambda mine, _: mine.incr("n")] * racers)
    assert sorted(chain.from_iterable(counts)) == list(range(1, racers * rounds + 1))
    up, down = (lambda mine, _: mine.incr("n", 3)), (lambda mine, _: mine.decr("n", 3))
    cache.set("n", 1_000_000)
    race(alias, rounds, [up, down] * half(racers))
    assert cache.get("n") == 1_000_000


@clause(
    "concurrency.counting-revives-nothing",
    SHOULD,
    docs=INCR,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def counting_revives_nothing(cache, alias, rounds, racers):
    """incr() of a counter that another thread deletes raises, and does not begin a new one at 0."""

    def count(mine, number):
        for key in keys_of(number):
            with suppress(ValueError):
                mine.incr(key)

    def delete(mine, number):
        for key in keys_of(number):
            mine.delete(key)

    store(cache, rounds, 1_000_000)
    race(alias, rounds, [delete] + [count] * half(racers))
    for number in range(rounds):
        left = cache.get_many(keys_of(number))
        revived = {key: count for key, count in left.items() if count < 1_000_000}
        assert revived == {}


@clause(
    "concurrency.clear-beside-others",
    MUST,
    docs="#local-memory-caching",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    alone=True,
    races=True,
)
def clear_beside_others(cache, alias, rounds, racers):
    """While threads clear the cache, others write, read and delete as if nothing happened."""

    def use(mine, number):
        own = [f"{get_ident()}-{key}" for key in keys_of(number)]
        for key in own:
            mine.set(key, "v")
        found = [mine.get(key) for key in own]
        mine.get_many(own)
        mine.delete(own[0])
        return found

    def clear(mine, _):
        mine.clear()

    for returned in race(alias, rounds, [clear] * 2 + [use] * half(racers)):
        for found in returned[2:]:
            assert set(found) <= {None, "v"}
    cache.clear()
    cache.set("k", "v")
    assert cache.get("k") == "v"


@clause(
    "concurrency.threads-may-make-the-directory",
    MUST,
    derived_from=(FileBasedCache,),
    docs="#filesystem-caching",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def threads_may_make_the_directory(alias, entry, rounds, racers):
    """Several threads may be the first to write to a directory that is not there."""
    above = entry()["LOCATION"]

    def write_first(_, number):
        caches = [alias(LOCATION=str(Path(above, name))) for name in keys_of(number)]
        for mine in caches:
            mine.set(f"{get_ident()}", "v")
        return [mine.get(f"{get_ident()}") for mine in caches]

    for found in chain.from_iterable(race(alias, rounds, [write_first] * racers)):
        assert set(found) == {"v"}


@clause(
    "concurrency.add-has-one-winner",
    SHOULD,
    docs=ADD,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def add_has_one_winner(cache, alias, rounds, racers):
    """Of several threads that add one absent key, at most one is told True, and its value stays."""

    def add(mine, number):
        return [get_ident() if mine.add(key, get_ident()) else None for key in keys_of(number)]

    for number, added in enumerate(race(alias, rounds, [add] * racers)):
        for key, told in zip(keys_of(number), zip(*added, strict=True), strict=True):
            winners = [winner for winner in told if winner]
            assert winners in ([], [cache.get(key)])


@clause(
    "concurrency.add-has-one-winner-at-expiry",
    SHOULD,
    docs=ADD,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    requires=("basic.add-stores-an-absent-key", "timeout.entry-expires"),
    races=True,
)
def add_has_one_winner_at_expiry(cache, alias, rounds, racers):
    """Of several threads that add one expired key, at most one is told True, and its value stays.

    Each adds the keys of a round in one order, so that they meet at one of them at least.
    """

    def add(mine, number):
        return [mine.add(key, get_ident()) for key in keys_of(number)], get_ident()

    few = min(rounds, SMALL // KEYS)
    store(cache, few, "old", 1)
    yield after(1)
    for number, answers in enumerate(race(alias, few, [add] * racers)):
        stored = cache.get_many(keys_of(number))
        for n, key in enumerate(keys_of(number)):
            winners = [winner for added, winner in answers if added[n]]
            assert winners in ([], [stored.get(key)])


@clause(
    "concurrency.delete-has-one-winner",
    SHOULD,
    docs=DELETE,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def delete_has_one_winner(cache, alias, rounds, racers):
    """Of several threads that delete one key, at most one is told True, and none sees an error."""

    def delete(mine, number):
        return [mine.delete(key) for key in keys_of(number)]

    store(cache, rounds, "old")
    for answers in race(alias, rounds, [delete] * racers):
        for deleted in zip(*answers, strict=True):
            assert deleted.count(True) <= 1


@clause(
    "concurrency.get-or-set-agrees",
    SHOULD,
    docs=f"{BASE}.get_or_set",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def get_or_set_agrees(cache, alias, rounds, racers):
    """Threads that call get_or_set() on one absent key all get the value that stays stored."""

    def get_or_set(mine, number):
        return mine.get_or_set(f"k{number}", get_ident)

    for number, found in enumerate(race(alias, rounds, [get_or_set] * racers)):
        assert set(found) == {cache.get(f"k{number}")}


@clause(
    "concurrency.set-is-whole",
    SHOULD,
    docs=f"{BASE}.set",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def set_is_whole(cache, alias, rounds, racers):
    """While a thread sets a key, a reader never sees half a value: the old, the new, or none."""
    values = [os.urandom(LARGE), os.urandom(LARGE), None]

    def write(mine, number):
        mine.set("k", values[number % 2])

    def read(mine, _):
        return [mine.get("k") in values for _ in range(4)]

    cache.set("k", values[0])
    for found in race(alias, rounds, [write] + [read] * half(racers)):
        assert all(all(whole) for whole in found[1:])


@clause(
    "concurrency.touch-leaves-value-whole",
    SHOULD,
    docs="#django.core.cache.cache.touch",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def touch_leaves_the_value_whole(cache, alias, rounds, racers):
    """A reader sees the value, whole, while another thread touches the key."""
    value = os.urandom(20_000)

    def touch(mine, _):
        for timeout in [60, None] * TOUCHES:
            mine.touch("k", timeout)

    def read(mine, _):
        return [mine.get("k") == value for _ in range(TOUCHES)]

    cache.set("k", value)
    for found in race(alias, rounds, [touch, touch] + [read] * half(racers)):
        assert all(all(whole) for whole in found[2:])


@clause(
    "concurrency.touch-keeps-a-newer-value",
    SHOULD,
    docs="#django.core.cache.cache.touch",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def touch_keeps_a_newer_value(cache, alias, rounds, racers):
    """A value that is stored while other threads touch the key stays stored."""

    def touch(mine, number):
        for key in keys_of(number):
            mine.touch(key, 60)

    store(cache, rounds, "old")
    race(alias, rounds, [write_new] + [touch] * half(racers))
    for number in range(rounds):
        assert "old" not in cache.get_many(keys_of(number)).values()


@clause(
    "concurrency.expired-entry-gives-way",
    SHOULD,
    docs=BASIC_USAGE,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def expired_entry_gives_way(cache, alias, rounds, racers):
    """A value that is stored while other threads find the old one expired stays stored."""

    def read(mine, number):
        for key in keys_of(number):
            (mine.get, mine.has_key, lambda key: mine.get_many([key]))[number % 3](key)

    rounds = min(rounds, SMALL // KEYS)
    store(cache, rounds, "old")
    if any(len(cache.get_many(keys_of(number))) < KEYS for number in range(rounds)):
        raise NotApplicable("it has no room for what the race would store")
    store(cache, rounds, "old", 1)
    yield after(1)
    race(alias, rounds, [write_new] + [read] * half(racers))
    for number in range(rounds):
        assert cache.get_many(keys_of(number)) == dict.fromkeys(keys_of(number), "new")


@clause(
    "concurrency.set-many-may-show-halfway",
    MAY,
    docs=f"{BASE}.set_many",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    races=True,
)
def set_many_may_show_halfway(cache, alias, rounds, racers):
    """While set_many() writes, a reader may see new values beside old ones, but no others."""

    def write(mine, number):
        mine.set_many({"a": number, "b": number})

    def read(mine, _):
        return mine.get_many(["a", "b"])

    cache.set_many({"a": -1, "b": -1})
    for number, found in enumerate(race(alias, rounds, [write] + [read] * half(racers))):
        for pairs in found[1:]:
            assert pairs.keys() == {"a", "b"}
            assert set(pairs.values()) <= {number - 1, number}


VISIT = """
read, write = pickle.load(sys.stdin.buffer)
found = cache.get(read)
cache.set(write, "v", 60)
cache.close()
if found is not None:
    say(found)
"""


@contextmanager
def visitor(entry, read="from-the-parent", write="from-the-visitor"):
    """Have a new process read an entry and write another; give ``has_read()``, what it has read."""
    with running(entry, VISIT) as process:

        def has_read():
            status, said = ended(process, pickle.dumps((read, write)))
            assert status == 0, last_error(process)
            return " ".join(said) or None

        yield has_read


@clause(
    "concurrency.processes-may-share",
    MAY,
    docs="#local-memory-caching",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    characteristic="shared-between-processes",
)
def processes_may_share(cache, entry):
    """Another process sees the same entries, both ways, or has a cache of its own."""
    cache.set("from-the-parent", "v", 60)
    with visitor(entry()) as has_read:
        yield at(1)
        found = has_read()
    assert found in ("v", None)
    assert cache.get("from-the-visitor") == found
    return found == "v"


@clause(
    "concurrency.entries-may-outlive-their-process",
    MAY,
    docs="#local-memory-caching",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    characteristic="survives-client-restart",
)
def entries_may_outlive_their_process(entry):
    """An entry is there for a new process when the one that wrote it has ended, or is gone."""
    with visitor(entry(), write="left") as has_read:
        yield at(1)
        assert has_read() is None
    with visitor(entry(), read="left") as has_read:
        yield at(2)
        found = has_read()
    assert found in ("v", None)
    return found == "v"


@clause(
    "concurrency.transactions-may-take-writes-back",
    MAY,
    docs="#database-caching",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    database=True,
    characteristic="rolled-back-with-the-database",
)
def transactions_may_take_writes_back(cache):
    """A write inside a database transaction may be undone when the transaction is rolled back."""
    from django.contrib.sessions.models import Session

    database = router.db_for_write(Session)
    cache.set("k", "old")
    with transaction.atomic(using=database):
        cache.set("k", "new")
        assert cache.get("k") == "new"
        transaction.set_rollback(True, using=database)
    assert cache.get("k") in ("old", "new")
    return cache.get("k") == "old"


untested(
    "concurrency.sequences-may-interleave",
    MAY,
    "incr_version(), and whatever reads first and writes then, need not be atomic.",
    docs=f"{BASE}.incr_version",
    why="nothing is promised that could fail, and whether a race shows is chance",
    tier=Tier.CONCURRENCY,
)

untested(
    "concurrency.one-instance-in-several-threads",
    MAY,
    "One instance need not serve several threads at once, as caches gives each thread its own.",
    docs=ACCESS,
    why="the clients of memcached hang or crash the whole process when threads share one instance",
    tier=Tier.CONCURRENCY,
)
