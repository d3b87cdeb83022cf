"""Culling: MAX_ENTRIES and CULL_FREQUENCY."""

from threading import get_ident

from django.core.cache import CacheHandler
from django.core.cache.backends.locmem import LocMemCache

from cache_conformance.capability import CULLING, CULLS, HEEDS_FREQUENCY
from cache_conformance.clause import MAY, MUST, SHOULD, SYNC_ONLY, Tier, clause
from cache_conformance.threads import race
from cache_conformance.vocabulary import writes

ARGUMENTS = "#cache-arguments"
BOUND = ("culling.never-exceeds-max-entries",)
LIMIT = 12
FEW = 4
MANY = 24


def limited(alias, limit=LIMIT, frequency=None, **settings):
    """Build a cache that may hold ``limit`` entries."""
    options = {"MAX_ENTRIES": limit}
    if frequency is not None:
        options["CULL_FREQUENCY"] = frequency
    return alias(OPTIONS=options, **settings)


def overflow(cache, count=LIMIT + 6):
    """Write ``count`` entries, and yield how many there are after each."""
    left = []
    for number in range(count):
        cache.set(f"k{number}", number)
        left = [*cache.get_many([*left, f"k{number}"])]
        yield len(left)


def culls(cache, limit):
    """Overflow the cache, and yield ``(entries before, entries removed)`` for each cull."""
    before = 0
    for entries in overflow(cache, limit + 6):
        if entries <= before:
            yield before, before + 1 - entries
        before = entries


def held(cache):
    """Return how many of a hundred entries an empty cache has in the end."""
    cache.clear()
    keys = [f"k{number}" for number in range(100)]
    for key in keys:
        cache.set(key, "v")
    return len(cache.get_many(keys))


@clause(
    "culling.max-entries-is-honoured-ignored-or-refused",
    SHOULD,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    alone=True,
    characteristic="max-entries",
)
def max_entries_is_honoured_ignored_or_refused(alias):
    """A backend honours MAX_ENTRIES, keeps every entry as if it was not given, or refuses it."""
    try:
        cache = limited(alias)
        cache.set("k0", 0)
    except Exception:
        return "refused"
    entries = list(overflow(cache))
    if entries != list(range(1, len(entries) + 1)):
        assert max(entries) <= LIMIT + 1
        return "honoured"
    held_of_one, held_of_two = (held(limited(alias, limit)) for limit in (1, 2))
    assert held_of_two < 1.5 * held_of_one
    return "ignored"


@clause(
    "culling.built-in-backends-cull",
    SHOULD,
    derived_from=CULLING,
    level_for_django=MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    alone=True,
)
def built_in_backends_cull(alias):
    """LocMemCache, FileBasedCache, DatabaseCache and what derives from them honour MAX_ENTRIES."""
    assert max(overflow(limited(alias))) <= LIMIT + 1


@clause("culling.never-exceeds-max-entries", MUST, docs=ARGUMENTS, needs=(CULLS,), alone=True)
def entries_never_exceed_max_entries(alias):
    """However entries are written, there are never more than MAX_ENTRIES and the newest one."""
    cache = limited(alias, FEW)
    left = []
    for name, write in writes(cache):
        for number in range(FEW + 2):
            write(f"{name}-{number}", number)
            left = [*cache.get_many([*left, f"{name}-{number}"])]
            assert len(left) <= FEW + 1


@clause(
    "culling.keeps-up-to-max-entries",
    MUST,
    docs=ARGUMENTS,
    needs=(CULLS,),
    alone=True,
)
def entries_up_to_max_entries_are_kept(alias):
    """No entry is culled before there are MAX_ENTRIES of them."""
    assert list(overflow(limited(alias), LIMIT)) == list(range(1, LIMIT + 1))


@clause(
    "culling.keeps-a-thousand-entries",
    SHOULD,
    level_for_django=MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=("many.set-many-stores-every-pair",),
    needs=(CULLS,),
    alone=True,
    bulky=True,
)
def a_thousand_entries_are_kept(alias):
    """MAX_ENTRIES may be as large as a million: none of a thousand entries is culled."""
    cache = limited(alias, 1_000_000)
    pairs = {f"k{number}": number for number in range(1_010)}
    cache.set_many(pairs)
    assert len(cache.get_many(pairs)) == 1_010


@clause(
    "culling.threads-may-cull-at-once",
    MUST,
    docs="#local-memory-caching",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    requires=BOUND,
    needs=(CULLS,),
    alone=True,
)
def threads_may_cull_at_once(alias, rounds, racers):
    """Threads that write beyond MAX_ENTRIES at one moment all get through."""

    def fill(mine, number):
        for n in range(FEW):
            mine.set(f"{get_ident()}-{number}-{n}", n)
            mine.add(f"{get_ident()}-{number}-{n}-added", n)

    race(lambda: limited(alias, FEW), rounds, [fill] * racers)
    assert any(overflow(limited(alias, FEW)))


@clause("culling.rewriting-adds-no-entry", MUST, docs=ARGUMENTS, needs=(CULLS,), alone=True)
def rewriting_adds_no_entry(alias):
    """An entry that is written again and again is one entry: no other is culled for it."""
    cache = limited(alias)
    cache.set("other", "v")
    for number in range(2 * LIMIT):
        cache.set("k", number)
    assert cache.get("other") == "v"


@clause(
    "culling.max-entries-defaults-to-300",
    SHOULD,
    level_for_django=MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=BOUND,
    needs=(CULLS,),
    alone=True,
)
def max_entries_defaults_to_300(entry):
    """Where MAX_ENTRIES is not given, it is 300."""
    settings = {name: value for name, value in entry().items() if name != "max_entries"}
    options = settings.get("OPTIONS", {})
    settings["OPTIONS"] = {name: options[name] for name in options if name != "MAX_ENTRIES"}
    cache = CacheHandler({"default": settings})["default"]
    keys = [f"k{number}" for number in range(302)]
    for key in keys[:300]:
        cache.set(key, "v")
    stored = len(cache.get_many(keys))
    assert stored == 300
    for key in keys[300:]:
        cache.set(key, "v")
    stored = len(cache.get_many(keys))
    assert stored <= 301


@clause(
    "culling.spares-the-newest-entry",
    SHOULD,
    level_for_django=MUST,
    docs=ARGUMENTS,
    requires=BOUND,
    needs=(CULLS,),
    alone=True,
)
def the_newest_entry_survives_its_own_cull(alias):
    """An entry is there right after it was written, also if its writing made room for it."""
    cache = limited(alias, FEW)
    for name, write in writes(cache):
        for number in range(FEW + 2):
            write(f"{name}-{number}", number)
            assert cache.get(f"{name}-{number}") == number


@clause(
    "culling.max-entries-below-one",
    SHOULD,
    docs="source:django.core.cache.backends.base.BaseCache",
    apis=SYNC_ONLY,
    needs=(CULLS,),
    alone=True,
    each=(0, -1),
)
def max_entries_below_one(alias, value):
    """Where MAX_ENTRIES is 0 or negative, the entry just written is there all the same."""
    cache = limited(alias, value)
    for number in range(3):
        cache.set(f"k{number}", number)
        assert cache.get(f"k{number}") == number


@clause(
    "culling.removes-its-share",
    MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=BOUND,
    needs=(CULLS, HEEDS_FREQUENCY),
    alone=True,
    each=(None, 2, 4),
)
def a_cull_removes_its_share(alias, value):
    """A cull removes about 1 / CULL_FREQUENCY of the entries, a third where it is not given."""
    share = 1 / (value or 3)
    seen = list(culls(limited(alias, MANY, value), MANY))
    assert len(seen) > 0
    for before, removed in seen:
        assert abs(removed - before * share) <= 1


@clause(
    "culling.frequency-zero-empties-the-store",
    MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=BOUND,
    needs=(CULLS, HEEDS_FREQUENCY),
    alone=True,
)
def frequency_zero_empties_the_store(alias):
    """Where CULL_FREQUENCY is 0, the whole cache is dumped when MAX_ENTRIES is reached."""
    entries = list(overflow(limited(alias, frequency=0)))
    culled = [count for written, count in enumerate(entries, 1) if count != written]
    assert culled[:1] in ([0], [1])


@clause(
    "culling.permanent-entries-count",
    MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=BOUND,
    needs=(CULLS,),
    alone=True,
)
def permanent_entries_count(alias):
    """Entries that never expire count towards MAX_ENTRIES and are culled like others."""
    cache = limited(alias)
    keys = [f"k{number}" for number in range(2 * LIMIT)]
    for key in keys:
        cache.set(key, "v", timeout=None)
    assert len(cache.get_many(keys)) <= LIMIT + 1


@clause(
    "culling.versions-and-prefixes-share-the-limit",
    MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=BOUND,
    needs=(CULLS,),
    alone=True,
)
def versions_and_prefixes_share_the_limit(cache, alias):
    """MAX_ENTRIES is for the whole store: the versions of a key count, and so do all prefixes."""
    mine = limited(alias)
    theirs = limited(alias, KEY_PREFIX=cache.key_prefix + "x")
    versions = range(1, LIMIT + 1)
    for version in versions:
        mine.set("k", "v", version=version)
        theirs.set("k", "v", version=version)
    left = [c.has_key("k", version=version) for c in (mine, theirs) for version in versions]
    assert sum(left) <= LIMIT + 1


@clause(
    "culling.reading-evicts-nothing",
    SHOULD,
    docs="source:django.core.cache.backends.base.BaseCache",
    requires=("culling.keeps-up-to-max-entries",),
    needs=(CULLS,),
    alone=True,
)
def reading_evicts_nothing(alias):
    """At MAX_ENTRIES, get, has_key, touch, a refused add and delete evict no living entry."""
    cache = limited(alias)
    keys = [f"k{number}" for number in range(LIMIT)]
    for key in keys:
        cache.set(key, "v")
    for key in keys:
        cache.get(key)
        cache.has_key(key)
        assert cache.touch(key, 60) is True
        assert cache.add(key, "other") is False
    cache.get("absent")
    cache.touch("absent")
    cache.delete("absent")
    assert cache.get_many(keys) == dict.fromkeys(keys, "v")
    cache.delete(keys[0])
    assert cache.get_many(keys) == dict.fromkeys(keys[1:], "v")


@clause(
    "culling.victims",
    MAY,
    docs="#local-memory-caching",
    apis=SYNC_ONLY,
    requires=BOUND,
    needs=(CULLS,),
    alone=True,
    characteristic="culls-first",
)
def victims_are_the_backends_choice(alias):
    """Which entries a cull removes is for the backend to choose; the others keep their values."""
    cache = limited(alias)
    keys = [f"k{letter}" for letter in "lkjihgfedcba"]
    for key in keys:
        cache.set(key, key)
    cache.get(keys[0])
    cache.get(keys[1])
    cache.set("kz", "kz")
    cache.set("kzz", "kzz")
    found = cache.get_many(keys)
    assert all(value == key for key, value in found.items())
    gone = [key for key in keys if key not in found]
    return {
        (): "nothing",
        tuple(keys[: len(gone)]): "the oldest",
        tuple(keys[2 : len(gone) + 2]): "the least recently used",
        tuple(keys[-len(gone) :]): "the lowest keys",
    }.get(tuple(gone), "in another order")


@clause(
    "culling.locmem-forgets-the-least-recently-used",
    SHOULD,
    derived_from=(LocMemCache,),
    level_for_django=MUST,
    docs="#local-memory-caching",
    requires=("culling.keeps-up-to-max-entries",),
    needs=(CULLS,),
    alone=True,
    each=("get", "set", "incr"),
)
def the_least_recently_used_goes_first(alias, value):
    """A cull of LocMemCache removes what has not been used for longest, by get, set or incr."""
    cache = limited(alias, FEW, frequency=2)
    keys = [f"k{number}" for number in range(FEW)]
    for key in keys[:-1]:
        cache.set(key, 0)
    if value == "get":
        cache.get("k0")
    elif value == "set":
        cache.set("k0", 0)
    else:
        cache.incr("k0")
    cache.set(keys[-1], 0)
    cache.set("new", 0)
    assert [*cache.get_many(keys)] == ["k0", keys[-1]]


@clause(
    "culling.overwriting-at-the-limit",
    MAY,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=("culling.keeps-up-to-max-entries",),
    needs=(CULLS,),
    alone=True,
    characteristic="overwriting-evicts-others",
)
def overwriting_at_the_limit(alias):
    """At MAX_ENTRIES, to overwrite an entry may evict others, but never the one just written."""
    cache = limited(alias)
    keys = [f"k{number}" for number in range(LIMIT)]
    for key in keys:
        cache.set(key, "old")
    for number in range(3):
        cache.set("k5", number)
        assert cache.get("k5") == number
    return len(cache.get_many(keys)) < LIMIT


@clause(
    "culling.expired-entries-may-count",
    MAY,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    requires=BOUND,
    needs=(CULLS,),
    alone=True,
    characteristic="expired-entries-count",
)
def expired_entries_may_count(alias):
    """Entries written with a timeout of 0 may count until they are removed, but are not there."""
    cache = limited(alias)
    living = [f"k{number}" for number in range(LIMIT // 2)]
    for key in living:
        cache.set(key, "v")
    expired = [f"expired{number}" for number in range(LIMIT)]
    for key in expired:
        cache.set(key, "v", timeout=0)
    assert cache.get_many(expired) == {}
    return len(cache.get_many(living)) < len(living)


@clause(
    "culling.odd-frequencies",
    MAY,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    needs=(CULLS,),
    alone=True,
    characteristic="odd-cull-frequencies",
)
def odd_frequencies(alias):
    """A CULL_FREQUENCY of 1, above MAX_ENTRIES or negative may switch culling off or be refused."""
    return ", ".join(f"{odd}: {effect(alias, odd)}" for odd in (1, 100, -2))


def effect(alias, frequency):
    """Tell what a CULL_FREQUENCY does; the newest entry must be there where it is accepted."""
    try:
        odd = limited(alias, frequency=frequency)
        odd.clear()
        entries = list(overflow(odd))
    except Exception:
        return "refused"
    assert min(entries) > 0
    newest = len(entries) - 1
    assert odd.get(f"k{newest}") == newest
    return "no culling" if entries[-1] == len(entries) else "culls"
