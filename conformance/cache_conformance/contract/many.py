"""get_many, set_many and delete_many."""

from collections import ChainMap, OrderedDict, UserDict
from collections.abc import Mapping
from contextlib import contextmanager
from types import MappingProxyType

from cache_conformance.clause import MAY, MUST, SHOULD, SYNC_ONLY, clause
from cache_conformance.vocabulary import NotApplicable, after, attempt, before, overrides

GET_MANY = "#django.core.cache.cache.get_many"
SET_MANY = "#django.core.cache.cache.set_many"
DELETE_MANY = "#django.core.cache.cache.delete_many"
READS = ("many.get-many-returns-present-keys",)
BY_KEYS = ("get_many", "aget_many", "delete_many", "adelete_many")
WRITES = ("many.set-many-stores-every-pair",)
DELETES = ("many.delete-many-removes-keys",)


def view(keys):
    return dict.fromkeys(keys).keys()


def generator(keys):
    yield from keys


def each_twice(keys):
    return [*keys, *keys]


def each_two_at_a_time(keys):
    return [key for key in keys for _ in range(2)]


class Pairs(Mapping):
    """A mapping that has no more than the abstract methods ask for."""

    def __init__(self, pairs):
        self.pairs = dict(pairs)

    def __getitem__(self, key):
        return self.pairs[key]

    def __iter__(self):
        return iter(self.pairs)

    def __len__(self):
        return len(self.pairs)


COLLECTIONS = (list, tuple, set, dict.fromkeys, view)
ITERABLES = (list, tuple, set, dict.fromkeys, view, iter, generator, each_twice, each_two_at_a_time)
ITERATORS = (iter, generator)
MAPPINGS = (MappingProxyType, UserDict, ChainMap, Pairs)


@clause("many.get-many-returns-present-keys", MUST, docs=GET_MANY)
def get_many_returns_present_keys(cache):
    """get_many() returns a dictionary of the keys it is asked for that are in the cache."""
    cache.set("a", 1)
    cache.set("b", "two")
    cache.set("c", 3)
    found = cache.get_many(["a", "absent", "b"])
    assert isinstance(found, dict)
    assert found == {"a": 1, "b": "two"}


@clause("many.get-many-returns-empty-dict", MUST, docs=GET_MANY)
def get_many_returns_an_empty_dict(cache):
    """get_many() returns an empty dictionary if none of the keys is in the cache."""
    found = cache.get_many(["absent", "missing"])
    assert isinstance(found, dict)
    assert found == {}


@clause("many.get-many-takes-any-iterable", MUST, docs=GET_MANY, requires=READS)
def get_many_takes_any_iterable(cache):
    """The keys of get_many() may come in any iterable, which may name a key twice."""
    cache.set_many({"a": 1, "b": 2})
    for kind in ITERABLES:
        assert cache.get_many(kind(["a", "absent", "b"])) == {"a": 1, "b": 2}


@clause("many.get-many-takes-version", MUST, docs=GET_MANY, requires=READS)
def get_many_takes_a_version(cache):
    """get_many() reads the version that it is given, by position or by name."""
    cache.set_many({"a": "first", "b": "first"})
    cache.set("a", "second", version=2)
    assert cache.get_many(["a", "b"], version=2) == {"a": "second"}
    assert cache.get_many(["a", "b"], 2) == {"a": "second"}
    assert cache.get_many(["a", "b"]) == {"a": "first", "b": "first"}


@clause("many.get-many-includes-none", MUST, docs=GET_MANY, requires=READS)
def get_many_includes_none(cache):
    """A stored None is part of what get_many() returns, and so is every other false value."""
    pairs = {"none": None, "zero": 0, "false": False, "text": "", "list": []}
    cache.set_many(pairs)
    assert cache.get_many([*pairs, "absent"]) == pairs


@clause("many.get-many-leaves-out-expired", MUST, docs=GET_MANY, requires=READS)
def get_many_leaves_out_expired_entries(cache):
    """get_many() leaves out entries that have expired."""
    cache.set("brief", 1, timeout=1)
    cache.set_many({"also-brief": 2}, timeout=1)
    cache.set("long", 3, timeout=60)
    yield after(1)
    assert cache.get_many(["brief", "also-brief", "long"]) == {"long": 3}


@clause("many.get-many-of-nothing", SHOULD, docs=GET_MANY, requires=READS)
def get_many_of_nothing(cache):
    """get_many() returns an empty dictionary for an empty iterable of any kind."""
    for kind in ITERABLES:
        found = cache.get_many(kind(()))
        assert isinstance(found, dict)
        assert found == {}


@clause("many.get-many-order", MAY, docs=GET_MANY, requires=READS, characteristic="get-many-order")
def get_many_has_no_order(cache):
    """The result of get_many() may be in the order of the keys asked for, or in any other."""
    cache.set_many({"b": 2, "c": 3, "a": 1})
    found = cache.get_many(["c", "b", "a"])
    assert found == {"a": 1, "b": 2, "c": 3}
    return "as asked" if list(found) == ["c", "b", "a"] else "another"


@clause(
    "many.get-many-of-none", MAY, docs=GET_MANY, requires=READS, characteristic="get-many-of-none"
)
def get_many_of_none(cache):
    """get_many(None) may be refused with an error, or find nothing."""
    cache.set("k", "v")
    try:
        found = cache.get_many(None)
    except Exception:
        return "refused"
    assert found == {}
    return "empty"


@clause("many.set-many-stores-every-pair", MUST, docs=SET_MANY)
def set_many_stores_every_pair(cache):
    """set_many() stores every key-value pair of a dictionary, in place of older values."""
    cache.set("b", "old")
    cache.set_many({"a": 1, "b": "two", "c": None})
    assert cache.get("a") == 1
    assert cache.get("b") == "two"
    assert cache.get("c", "default") is None
    cache.set_many(OrderedDict(d=[4], e=5))
    assert cache.get("d") == [4]
    assert cache.get("e") == 5


@clause("many.set-many-takes-any-mapping", SHOULD, docs=SET_MANY, requires=WRITES)
def set_many_takes_any_mapping(cache):
    """set_many() takes the pairs from any mapping, which need not be a dict."""
    for number, kind in enumerate(MAPPINGS):
        cache.set_many(kind({"a": number, "b": -number}))
        assert cache.get_many(["a", "b"]) == {"a": number, "b": -number}


@clause("many.set-many-returns-empty-list", MUST, docs="releases/2.0/#cache", requires=WRITES)
def set_many_returns_an_empty_list(cache):
    """set_many() returns a list of the keys that it could not store: an empty one on success."""
    for pairs in ({"a": 1, "b": 2}, {"a": 3}, {}):
        failed = cache.set_many(pairs)
        assert type(failed) is list
        assert failed == []


@clause("many.set-many-timeout-is-for-every-pair", MUST, docs=SET_MANY, requires=WRITES)
def set_many_takes_a_timeout(cache, alias):
    """The timeout of set_many(), given by position, by name or by TIMEOUT, holds for every pair."""
    cache.set_many({"a": 1, "b": 2}, 2)
    cache.set_many({"c": 3, "d": 4}, timeout=2)
    alias(TIMEOUT=2).set_many({"e": 5, "f": 6})
    alias(TIMEOUT=1).set_many({"g": 7, "h": 8}, None)
    yield before(2)
    assert len(cache.get_many("abcdef")) == 6
    yield after(2)
    assert cache.get_many("abcdefgh") == {"g": 7, "h": 8}


@clause("many.set-many-zero-timeout", MUST, docs=SET_MANY, requires=WRITES)
def set_many_with_timeout_zero(cache):
    """set_many() with a timeout of 0 caches none of the values."""
    cache.set_many({"a": 1, "b": 2}, 0)
    cache.set_many({"c": 3, "d": 4}, timeout=0)
    assert cache.has_key("a") is False
    assert cache.get_many("abcd") == {}


@clause(
    "many.set-many-timeout-in-the-past",
    SHOULD,
    docs="source:django.core.cache.backends.base.BaseCache.get_backend_timeout",
    requires=WRITES,
)
def set_many_with_a_timeout_in_the_past(cache):
    """After set_many() with a timeout of 0 or less, neither new nor old values are there."""
    for timeout in (0, -1, -60):
        cache.set("old", "value")
        cache.set_many({"new": 1, "old": 2}, timeout)
        assert cache.get_many(["new", "old"]) == {}


@clause("many.set-many-version-is-for-every-pair", MUST, docs="#cache-versioning", requires=WRITES)
def set_many_takes_a_version(cache, alias):
    """The version of set_many(), given by position, by name or by VERSION, holds for every pair."""
    cache.set_many({"a": 2, "b": 2}, 60, 2)
    cache.set_many({"c": 3, "d": 3}, version=3)
    alias(VERSION=4).set_many({"e": 4, "f": 4})
    assert cache.get_many("abcdef", version=2) == {"a": 2, "b": 2}
    assert cache.get_many("abcdef", version=3) == {"c": 3, "d": 3}
    assert cache.get_many("abcdef", version=4) == {"e": 4, "f": 4}
    assert cache.get_many("abcdef") == {}


@clause(
    "many.set-many-names-failed-keys",
    MAY,
    docs=SET_MANY,
    requires=("many.set-many-returns-empty-list",),
    bulky=True,
    characteristic="set-many-of-two-megabytes",
)
def set_many_names_failed_keys(cache):
    """For what it cannot store, set_many() may raise an error or name the caller's key."""
    large = b"x" * 2**21
    try:
        failed = cache.set_many({"small": "v", "large": large})
    except Exception:
        return "raised"
    assert failed in ([], ["large"])
    assert cache.get("small") == "v"
    found = cache.get("large")
    assert found == (large if found and not failed else None)
    return "stored" if found else "named" if failed else "lost"


class Unpicklable:
    def __reduce__(self):
        raise TypeError("it cannot be pickled")


@clause(
    "many.set-many-may-stop-halfway",
    MAY,
    docs="source:django.core.cache.backends.base.BaseCache.set_many",
    requires=WRITES,
    characteristic="set-many-that-fails",
)
def set_many_may_stop_halfway(cache):
    """If one pair cannot be stored, set_many() may keep the pairs before it or none at all."""
    cache.set("a", "old")
    try:
        failed = cache.set_many({"a": "new", "b": Unpicklable()})
    except Exception:
        found = cache.get("a")
        assert found in ("new", "old")
        assert cache.get("b") is None
        return "keeps the others" if found == "new" else "keeps none"
    assert failed == ["b"]
    assert cache.get("a") == "new"
    return "names the key"


@clause(
    "many.failed-set-many-leaves-nothing-behind",
    MUST,
    docs=SET_MANY,
    requires=(*WRITES, "basic.delete-removes"),
)
def failed_set_many_leaves_nothing_behind(cache):
    """What a set_many() that failed was to store is not stored by a later operation."""
    attempt(cache.set_many, {"a": "failed", "b": Unpicklable()})
    cache.set("a", "new")
    cache.set_many({"c": 1})
    assert cache.get("a") == "new"
    attempt(cache.set_many, {"a": "failed", "b": Unpicklable()})
    cache.delete("a")
    cache.set_many({"c": 2})
    assert cache.get("a") is None
    assert cache.get("c") == 2


@clause("many.delete-many-removes-keys", MUST, docs=DELETE_MANY)
def delete_many_removes_keys(cache):
    """delete_many() removes the keys that it is given, ignores absent ones and spares others."""
    cache.set_many(dict.fromkeys("abc", "v"))
    cache.delete_many(["a", "absent", "c"])
    assert cache.get("a") is None
    assert cache.get("b") == "v"
    assert cache.get("c") is None


@clause("many.delete-many-returns-none", SHOULD, docs=DELETE_MANY, requires=DELETES)
def delete_many_returns_none(cache):
    """delete_many() returns None, whatever it found."""
    cache.set("a", "v")
    assert cache.delete_many(["a", "absent"]) is None
    assert cache.delete_many(["absent"]) is None
    assert cache.delete_many([]) is None


@clause("many.delete-many-takes-any-iterable", MUST, docs=DELETE_MANY, requires=DELETES)
def delete_many_takes_any_iterable(cache):
    """The keys of delete_many() may come in any iterable, which may name a key twice."""
    cache.set("c", "v")
    for kind in ITERABLES:
        cache.set_many({"a": "v", "b": "v"})
        cache.delete_many(kind(["a", "absent", "b"]))
        assert cache.get_many("abc") == {"c": "v"}


@clause("many.delete-many-takes-version", MUST, docs=DELETE_MANY, requires=DELETES)
def delete_many_takes_a_version(cache):
    """delete_many() removes the version that it is given, by position or by name, and no other."""
    cache.set_many({"a": "first", "b": "first"})
    cache.set_many({"a": "second", "b": "second"}, version=2)
    cache.delete_many(["a"], version=2)
    cache.delete_many(["b"], 2)
    assert cache.get_many("ab", version=2) == {}
    assert cache.get_many("ab") == {"a": "first", "b": "first"}


@clause("many.delete-many-of-nothing", MUST, docs=DELETE_MANY, requires=DELETES)
def delete_many_of_nothing(cache):
    """delete_many() of an empty list, or of another empty collection, does nothing."""
    cache.set("k", "v")
    for kind in COLLECTIONS:
        cache.delete_many(kind(()))
    assert cache.get("k") == "v"


@clause("many.delete-many-of-an-empty-iterator", SHOULD, docs=DELETE_MANY, requires=DELETES)
def delete_many_of_an_empty_iterator(cache):
    """delete_many() of an iterator or a generator that yields nothing does nothing."""
    cache.set("k", "v")
    for kind in ITERATORS:
        cache.delete_many(kind(()))
    assert cache.get("k") == "v"


@clause("many.arguments-stay-as-they-are", SHOULD, docs=SET_MANY)
def arguments_stay_as_they_are(cache):
    """The many-operations leave the caller's list, dictionary and values as they are."""
    keys, pairs = ["a", "a", "absent", "b"], {"a": [1], "b": {"c": 2}}
    cache.set_many(pairs)
    cache.get_many(keys)
    cache.delete_many(keys)
    assert keys == ["a", "a", "absent", "b"]
    assert pairs == {"a": [1], "b": {"c": 2}}


@clause(
    "many.takes-thousands-of-keys",
    SHOULD,
    docs=GET_MANY,
    apis=SYNC_ONLY,
    requires=(*READS, *WRITES),
    bulky=True,
)
def takes_thousands_of_keys(alias):
    """The many-operations take thousands of keys, and hundreds of pairs, at once."""
    cache = alias(max_entries=1_000_000)
    pairs = {f"k{number}": number for number in range(200)}
    names = [f"k{number}" for number in range(5_050)]
    cache.set_many(pairs)
    assert cache.get_many(names) == pairs
    cache.delete_many(names[:2_550])
    assert cache.get_many(pairs) == {}


@clause(
    "many.hundreds-of-keys-are-all-seen-to",
    MUST,
    docs=GET_MANY,
    requires=(*READS, *WRITES, *DELETES),
    bulky=True,
)
def hundreds_of_keys_are_all_seen_to(cache, backend_class):
    """Where get_many() and delete_many() take hundreds of keys, they leave none of them out."""
    own = sends_batches(backend_class, *BY_KEYS)
    names = [f"k{number}" for number in range(1050 if own else 105)]
    edges = [*names[::100], *names[99::100], names[-1]]
    pairs = {name: name for name in edges}
    cache.set_many(pairs)
    with taken("get_many", names):
        found = cache.get_many(names)
    assert found == pairs
    with taken("delete_many", names):
        cache.delete_many(names)
    assert cache.get_many(edges) == {}


@clause(
    "many.a-thousand-pairs-are-all-stored",
    MUST,
    docs=SET_MANY,
    requires=(*READS, *WRITES),
    bulky=True,
)
def a_thousand_pairs_are_all_stored(alias, backend_class):
    """Where set_many() takes a thousand pairs, it stores every one of them."""
    cache = alias(max_entries=1_000_000)
    own = sends_batches(backend_class, "set_many", "aset_many")
    names = [f"k{number}" for number in range(1050 if own else 105)]
    with taken("set_many", names):
        failed = cache.set_many({name: name for name in names})
    if failed:
        raise NotApplicable(f"set_many() says that {len(failed)} pairs are not stored")
    found = cache.get_many(names[::10])
    lost = [name for name in names[::10] if found.get(name) != name]
    if lost and not has_room(cache, names):
        raise NotApplicable(f"it has no room for {len(names)} entries")
    assert lost == []


@clause(
    "many.set-many-timeout-is-for-all-of-a-thousand",
    MUST,
    docs=SET_MANY,
    requires=("many.set-many-timeout-is-for-every-pair", "many.a-thousand-pairs-are-all-stored"),
)
def all_of_a_thousand_pairs_expire(alias, backend_class):
    """Where set_many() takes a thousand pairs, its timeout holds for every one of them."""
    cache = alias(max_entries=1_000_000)
    own = sends_batches(backend_class, "set_many", "aset_many")
    names = [f"k{number}" for number in range(1050 if own else 105)]
    with taken("set_many", names):
        cache.set_many(dict.fromkeys(names, "v"), 1)
    yield after(1)
    assert cache.get_many(names) == {}


def has_room(cache, names):
    """Whether entries that are stored one by one are all there in the end."""
    for name in names:
        cache.set(name, name)
    return all(cache.has_key(name) for name in names)


def sends_batches(backend_class, *methods):
    """Whether a method of its own may cut many keys; BaseCache's send each key by itself."""
    return any(overrides(backend_class, name) for name in methods)


@contextmanager
def taken(operation, keys):
    """Have the clause not apply where an operation refuses so many keys."""
    try:
        yield
    except Exception as error:
        raise NotApplicable(f"{operation}() refuses {len(keys)} keys: {error!r}") from error
