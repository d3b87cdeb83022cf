"""clear: everything in one store and nothing elsewhere."""

from pathlib import Path

from django.core.cache.backends.filebased import FileBasedCache

from cache_conformance.clause import (
    CLEARS,
    EACH_OPERATION,
    MAY,
    MUST,
    SHOULD,
    SYNC_ONLY,
    clause,
    untested,
)
from cache_conformance.vocabulary import NotApplicable, raises

CLEAR = "#django.core.cache.cache.clear"


def backwards(key, prefix, version):
    return f"{prefix}:{version}:{key}"[::-1]


@clause(CLEARS, MUST, docs=CLEAR, alone=True)
def clear_removes_every_entry(cache, alias):
    """clear() removes every entry, however it was written and even if it never expires."""
    other = alias()
    cache.set("brief", 1, timeout=60)
    cache.set("permanent", 2, timeout=None)
    cache.add("added", 3)
    cache.set_many({"one-of-many": 4, "two-of-many": 5})
    other.get_or_set("by-another", 6)
    keys = ["brief", "permanent", "added", "one-of-many", "two-of-many", "by-another"]
    cache.clear()
    for key in keys:
        assert cache.get(key) is None
        assert other.get(key) is None


@clause("clear.removes-other-versions", MUST, docs=CLEAR, requires=(CLEARS,), alone=True)
def clear_removes_other_versions(cache, alias):
    """clear() removes the entries of every version."""
    cache.set("a", "v", version=2)
    alias(VERSION=3).set("b", "v", timeout=None)
    cache.clear()
    assert cache.get("a", version=2) is None
    assert cache.get("b", version=3) is None


@clause("clear.removes-other-prefixes", MUST, docs=CLEAR, requires=(CLEARS,), alone=True)
def clear_removes_other_prefixes(cache, alias):
    """clear() removes what was stored with another KEY_PREFIX or another KEY_FUNCTION."""
    prefixed = alias(KEY_PREFIX=cache.key_prefix + "x")
    unlike = alias(KEY_PREFIX="unlike")
    transformed = alias(KEY_FUNCTION=backwards)
    for other in prefixed, unlike, transformed:
        other.set("k", "v")
        other.set("permanent", "v", timeout=None)
    cache.clear()
    for other in prefixed, unlike, transformed:
        assert other.get("k") is None
        assert other.get("permanent") is None


@clause(
    "clear.removes-thousands",
    MUST,
    docs=CLEAR,
    apis=SYNC_ONLY,
    requires=(CLEARS, "many.set-many-stores-every-pair"),
    alone=True,
    bulky=True,
)
def clear_removes_thousands(alias):
    """clear() removes every entry, however many there are."""
    cache = alias(max_entries=1_000_000)
    pages = [[f"k{page}-{number}" for number in range(202)] for page in range(5)]
    for names in pages:
        cache.set_many(dict.fromkeys(names, "v"))
    cache.clear()
    for names in pages:
        assert cache.get_many(names) == {}


@clause("clear.leaves-no-trace", MUST, docs=CLEAR, requires=(CLEARS, *EACH_OPERATION), alone=True)
def clear_leaves_no_trace(cache):
    """After clear() the keys are absent for every operation, and can be added again."""
    keys = "get", "has_key", "delete", "touch", "incr", "decr", "add", "get_or_set", "incr_version"
    for key in keys:
        cache.set(key, 1)
    cache.clear()
    assert cache.get("get", "default") == "default"
    assert cache.get_many(["get"]) == {}
    assert cache.has_key("has_key") is False
    assert cache.delete("delete") is False
    assert cache.touch("touch") is False
    with raises(ValueError):
        cache.incr("incr")
    with raises(ValueError):
        cache.decr("decr")
    with raises(ValueError):
        cache.incr_version("incr_version")
    assert cache.add("add", "new") is True
    assert cache.get("add") == "new"
    assert cache.get_or_set("get_or_set", "new") == "new"


@clause("clear.empty-store-is-harmless", MUST, docs=CLEAR, requires=(CLEARS,), alone=True)
def clearing_an_empty_store_is_harmless(cache):
    """clear() may be called on an empty store, and any number of times."""
    cache.clear()
    cache.clear()
    cache.set("k", "v")
    assert cache.get("k") == "v"
    cache.clear()
    cache.clear()
    assert cache.get("k") is None


@clause(
    "clear.spares-other-stores",
    MUST,
    docs="ref/settings/#location",
    requires=(CLEARS, "construction.location-identifies-the-memory"),
    alone=True,
)
def clear_spares_other_stores(cache, other_store):
    """clear() leaves the stores at other LOCATIONs alone."""
    other = other_store()
    other.set("k", "elsewhere")
    other.set("permanent", "elsewhere", timeout=None)
    cache.set("k", "here")
    cache.clear()
    assert cache.get("k") is None
    assert other.get("k") == "elsewhere"
    assert other.get("permanent") == "elsewhere"


@clause(
    "clear.spares-other-files",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs="source:django.core.cache.backends.filebased.FileBasedCache._list_cache_files",
    apis=SYNC_ONLY,
    requires=(CLEARS,),
    alone=True,
)
def clear_spares_other_files(alias, entry):
    """A file in the directory of a file-based cache that is no entry is no business of clear()."""
    directory = Path(entry()["LOCATION"], "shared")
    cache = alias(LOCATION=str(directory))
    cache.set("k", "v")
    if not directory.is_dir():
        raise NotApplicable("it makes no directory of that name")
    others = [directory / name for name in ("notes.txt", "djcache", ".keep")]
    for other in others:
        other.write_text("not a cache entry")
    cache.clear()
    assert cache.get("k") is None
    lost = [other.name for other in others if not other.exists()]
    assert lost == []


@clause(
    "clear.returns-anything",
    MAY,
    docs=CLEAR,
    requires=(CLEARS,),
    alone=True,
    characteristic="clear-returns",
)
def clear_returns_anything(cache):
    """clear() may return None, whether it succeeded, or how many entries it removed."""
    cache.set("k", "v")
    returned = cache.clear()
    assert returned is None or isinstance(returned, int)
    return str(returned)


untested(
    "clear.foreign-data",
    MAY,
    "clear() may remove data in its store that was not written through Django, or keep it.",
    docs=CLEAR,
    why="to put data past Django into a store takes that store's own client, "
    "and no check is written for one backend",
)
