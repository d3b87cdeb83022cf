"""Versions: one key, several entries, and moving an entry from one version to another."""

from cache_conformance.clause import EACH_OPERATION, MAY, MUST, SHOULD, Audience, clause
from cache_conformance.vocabulary import after, raises, writes

VERSIONING = "#cache-versioning"
INCR_VERSION = "source:django.core.cache.backends.base.BaseCache.incr_version"
SEPARATES = ("version.separates-entries",)
MOVES = ("version.incr-version-moves-the-entry",)


@clause("version.separates-entries", MUST, docs=VERSIONING)
def versions_separate_entries(cache):
    """One key under two versions is two entries."""
    cache.set("k", "first", version=1)
    cache.set("k", "second", version=2)
    assert cache.get("k", version=1) == "first"
    assert cache.get("k", version=2) == "second"
    assert cache.get("k", version=3) is None


@clause("version.default-is-one", MUST, docs="ref/settings/#version", requires=SEPARATES)
def the_default_version_is_one(cache):
    """Without a VERSION setting, entries are read and written under version 1."""
    cache.set("written", "v")
    assert cache.get("written", version=1) == "v"
    cache.set("read", "v", version=1)
    assert cache.get("read") == "v"


@clause(
    "version.default-is-the-setting", MUST, docs=VERSIONING, requires=(*SEPARATES, *EACH_OPERATION)
)
def the_default_version_is_the_setting(cache, alias):
    """Where no version is given, every operation works under the VERSION of its alias."""
    second = alias(VERSION=2)
    for name, write in writes(second):
        write(name, 1)
    names = ["set", "add", "set_many", "get_or_set"]
    assert cache.get_many(names, version=2) == dict.fromkeys(names, 1)
    assert cache.get_many(names) == {}
    assert second.get("set") == 1
    assert second.get_many(["set", "add"]) == {"set": 1, "add": 1}
    assert second.has_key("set") is True
    assert second.touch("set", 60) is True
    assert second.incr("set") == 2
    assert second.decr("set") == 1
    assert second.delete("set") is True
    second.delete_many(["add"])
    assert cache.get_many(["set", "add", "set_many"], version=2) == {"set_many": 1}


@clause(
    "version.none-is-the-default", MUST, docs=VERSIONING, requires=(*SEPARATES, *EACH_OPERATION)
)
def none_is_the_default(cache, alias):
    """version=None means the VERSION of the alias, for every operation."""
    second = alias(VERSION=2)
    works_under(second, None)
    second.set("k", "v", version=None)
    assert cache.get("k", version=2) == "v"
    assert second.incr_version("k", version=None) == 3
    assert cache.get("k", version=3) == "v"


def works_under(cache, version):
    """Each operation reads, changes and removes what another one wrote under ``version``."""
    cache.set("set", 1, version=version)
    assert cache.add("add", 2, version=version) is True
    cache.set_many({"set_many": 3}, version=version)
    assert cache.get_or_set("get_or_set", 4, version=version) == 4
    assert cache.get("set", version=version) == 1
    assert cache.get_many(["add", "set_many"], version=version) == {"add": 2, "set_many": 3}
    assert cache.has_key("get_or_set", version=version) is True
    assert cache.touch("set", 60, version=version) is True
    assert cache.incr("set", version=version) == 2
    assert cache.decr("set", version=version) == 1
    assert cache.delete("set", version=version) is True
    cache.delete_many(["add", "set_many"], version=version)
    assert cache.has_key("set", version=version) is False
    assert cache.get_many(["add", "set_many"], version=version) == {}


@clause("version.by-position", MUST, docs=VERSIONING, requires=(*SEPARATES, *EACH_OPERATION))
def the_version_by_position(cache):
    """Every operation takes the version also by position, as its last argument."""
    cache.set("set", 1, 60, 2)
    assert cache.add("add", 1, 60, 2) is True
    cache.set_many({"set_many": 1}, 60, 2)
    assert cache.get_or_set("get_or_set", 1, 60, 2) == 1
    names = ["set", "add", "set_many", "get_or_set"]
    assert cache.get_many(names) == {}
    assert cache.get_many(names, 2) == dict.fromkeys(names, 1)
    assert cache.get("set", None, 2) == 1
    assert cache.has_key("set", 2) is True
    assert cache.touch("set", 60, 2) is True
    assert cache.incr("set", 1, 2) == 2
    assert cache.decr("set", 1, 2) == 1
    assert cache.incr_version("set", 1, 2) == 3
    assert cache.decr_version("set", 1, 3) == 2
    assert cache.delete("set", 2) is True
    cache.delete_many(["add", "set_many"], 2)
    assert cache.get_many(names, 2) == {"get_or_set": 1}


FAR_APART = (1, 1 + 2**8, 1 + 2**15, 1 + 2**16, 1 + 2**31, 1 + 2**32, 20261130)


@clause("version.far-apart-ones-are-distinct", MUST, docs=VERSIONING, requires=SEPARATES)
def far_apart_versions_are_distinct(cache):
    """Versions separate entries however large they are, such as a date or 1 and 65537."""
    for version in FAR_APART:
        assert cache.get("k", version=version) is None
        cache.set("k", version, version=version)
    for version in FAR_APART:
        assert cache.get("k", version=version) == version
        assert cache.get_many(["k"], version=version) == {"k": version}
    for number, version in enumerate(FAR_APART, 1):
        cache.delete("k", version=version)
        assert cache.get("k", version=version) is None
        for other in FAR_APART[number:]:
            assert cache.get("k", version=other) == other


@clause("version.does-not-run-into-the-key", MUST, docs=VERSIONING, requires=SEPARATES)
def a_version_does_not_run_into_the_key(cache, alias):
    """The end of a version is not taken for the beginning of a key, nor a prefix for either."""
    cache.set("1k", "v", version=1)
    assert cache.get("k", version=11) is None
    alias(KEY_PREFIX=f"{cache.key_prefix}1").set("k", "v", version=1)
    assert cache.get("k", version=11) is None


@clause("version.limits-reads", MUST, docs=VERSIONING, requires=SEPARATES)
def reads_are_limited(cache):
    """get(), get_many() and has_key() see only the version that they are asked for."""
    cache.set("one", 1)
    cache.set("two", 2, version=2)
    assert cache.get("two") is None
    assert cache.get("one", "absent", version=2) == "absent"
    assert cache.has_key("two") is False
    assert cache.has_key("two", version=2) is True
    assert cache.has_key("one", version=2) is False
    assert cache.get_many(["one", "two"]) == {"one": 1}
    assert cache.get_many(["one", "two"], version=2) == {"two": 2}


@clause("version.limits-writes", MUST, docs=VERSIONING, requires=SEPARATES)
def writes_are_limited(cache):
    """set(), add(), set_many() and get_or_set() write under their version and no other."""
    names = ["set", "add", "set_many", "get_or_set"]
    for name, write in writes(cache):
        write(name, "second", version=2)
    assert cache.get_many(names) == {}
    cache.set_many(dict.fromkeys(names, "first"))
    for name, write in writes(cache):
        write(name, "third", version=3)
    for version, value in (1, "first"), (2, "second"), (3, "third"):
        assert cache.get_many(names, version=version) == dict.fromkeys(names, value)


@clause("version.limits-add", MUST, docs=VERSIONING, requires=(*SEPARATES, *EACH_OPERATION))
def add_is_limited(cache):
    """add() and get_or_set() look for an entry under their own version only."""
    cache.set("k", "first")
    assert cache.add("k", "second", version=2) is True
    assert cache.add("k", "again", version=2) is False
    assert cache.add("k", "again") is False
    assert cache.get("k", version=2) == "second"
    assert cache.get_or_set("k", "third", version=3) == "third"
    assert cache.get_or_set("k", "again", version=3) == "third"
    assert cache.get_or_set("k", "again") == "first"


@clause("version.limits-delete", MUST, docs=VERSIONING, requires=(*SEPARATES, *EACH_OPERATION))
def deletions_are_limited(cache):
    """delete() and delete_many() remove the entry of their version and no other."""
    for version in (1, 2):
        cache.set_many({"delete": version, "delete_many": version}, version=version)
    assert cache.delete("delete", version=2) is True
    cache.delete_many(["delete_many"], version=2)
    assert cache.get_many(["delete", "delete_many"], version=2) == {}
    assert cache.delete("delete", version=3) is False
    assert cache.get_many(["delete", "delete_many"]) == {"delete": 1, "delete_many": 1}


@clause("version.limits-touch", MUST, docs=VERSIONING, requires=(*SEPARATES, *EACH_OPERATION))
def touch_is_limited(cache):
    """touch() finds the entry of its version and changes the timeout of no other."""
    cache.set("k", "first")
    cache.set("k", "second", version=2)
    assert cache.touch("k", 60, version=3) is False
    assert cache.touch("k", 1, version=2) is True
    yield after(1)
    assert cache.get("k") == "first"
    assert cache.get("k", version=2) is None


@clause("version.limits-touch-that-prolongs", MUST, docs=VERSIONING, requires=SEPARATES)
def touch_prolongs_one_version(cache):
    """touch() prolongs the entry of its version and lets the others expire."""
    cache.set("k", "first", timeout=1)
    cache.set("k", "second", timeout=2, version=2)
    assert cache.touch("k", 60, version=2) is True
    yield after(2)
    assert cache.get("k") is None
    assert cache.get("k", version=2) == "second"


@clause("version.limits-incr", MUST, docs=VERSIONING, requires=(*SEPARATES, *EACH_OPERATION))
def counting_is_limited(cache):
    """incr() and decr() count the entry of their version and no other."""
    cache.set("n", 10)
    cache.set("n", 20, version=2)
    assert cache.incr("n", version=2) == 21
    assert cache.incr("n", 4, version=2) == 25
    assert cache.decr("n", version=2) == 24
    assert cache.decr("n", 4, version=2) == 20
    assert cache.get("n") == 10
    assert cache.incr("n") == 11
    assert cache.decr("n", 2) == 9
    assert cache.get("n", version=2) == 20
    for operation in cache.incr, cache.decr:
        with raises(ValueError):
            operation("n", version=3)


@clause("version.aliases-share-entries", MUST, docs=VERSIONING, requires=SEPARATES)
def aliases_share_entries(cache, alias):
    """Two aliases of one store with different VERSIONs meet where the version is given."""
    second = alias(VERSION=2)
    cache.set("first", 1)
    second.set("second", 2)
    assert second.get("first") is None
    assert second.get("first", version=1) == 1
    assert cache.get("second") is None
    assert cache.get("second", version=2) == 2
    second.set("first", 3, version=1)
    assert cache.get("first") == 3
    assert cache.delete("second", version=2) is True
    assert second.has_key("second") is False


@clause(
    "version.zero-and-negative-are-versions",
    SHOULD,
    docs=VERSIONING,
    requires=(*SEPARATES, *EACH_OPERATION),
)
def zero_and_negative_versions(cache):
    """Zero, a negative number and text are versions like any other."""
    cache.set("set", "default")
    works_under(cache, 0)
    assert cache.get("set") == "default"
    assert cache.get("get_or_set") is None
    for version in (-1, "2"):
        cache.set("k", version, version=version)
        assert cache.get("k", version=version) == version
    assert cache.get("k") is None


@clause("version.zero-may-be-the-setting", SHOULD, docs=VERSIONING, requires=SEPARATES)
def zero_as_the_setting(cache, alias):
    """VERSION may be 0 or negative."""
    cache.set("k", "default")
    for version in (0, -1):
        low = alias(VERSION=version)
        low.set("k", version)
        assert cache.get("k", version=version) == version
        assert low.get("k") == version
    assert cache.get("k") == "default"


@clause("version.text-is-the-number", SHOULD, docs=VERSIONING, requires=SEPARATES)
def text_is_the_number(cache):
    """With the default key function the version "2" is the version 2."""
    cache.set("k", "v", version=2)
    assert cache.get("k", version="2") == "v"
    cache.set("k", "new", version="2")
    assert cache.get("k", version=2) == "new"


@clause("version.incr-version-moves-the-entry", MUST, docs=VERSIONING, requires=SEPARATES)
def incr_version_moves_the_entry(cache):
    """incr_version() moves an entry one version up and returns the new version."""
    cache.set("user:1", "v", version=2)
    assert cache.incr_version("user:1", version=2) == 3
    assert cache.get("user:1", version=3) == "v"
    cache.set("default", "v")
    assert cache.incr_version("default") == 2
    assert cache.get("default", version=2) == "v"
    cache.set("large", "v" * 100_000)
    cache.incr_version("large")
    assert cache.get("large", version=2) == "v" * 100_000


@clause("version.decr-version-moves-the-entry", MUST, docs=VERSIONING, requires=SEPARATES)
def decr_version_moves_the_entry(cache):
    """decr_version() moves an entry one version down and returns the new version."""
    cache.set("user:1", "v", version=3)
    assert cache.decr_version("user:1", version=3) == 2
    assert cache.get("user:1", version=2) == "v"
    assert cache.decr_version("user:1", version=2) == 1
    assert cache.get("user:1") == "v"


@clause("version.move-leaves-nothing-behind", MUST, docs=VERSIONING, requires=MOVES)
def a_move_leaves_nothing_behind(cache, alias):
    """A moved entry is absent from its old version, whatever prefix and VERSION the alias has."""
    for mover in cache, alias(KEY_PREFIX=f"{cache.key_prefix}x:y", VERSION=2):
        mover.set_many({"up": "v", "down": "v"}, version=5)
        mover.incr_version("up", version=5)
        mover.decr_version("down", version=5)
        assert mover.get("up", version=5) is None
        assert mover.has_key("down", version=5) is False
        assert mover.get("up", version=6) == "v"
        assert mover.get("down", version=4) == "v"


@clause("version.move-leaves-other-entries", MUST, docs=VERSIONING, requires=MOVES)
def a_move_leaves_other_entries(cache, alias):
    """Moving one key changes neither other keys nor the same key under another prefix."""
    other = alias(KEY_PREFIX=f"{cache.key_prefix}x")
    pairs = dict.fromkeys(["up", "down", "bystander"], "v")
    cache.set_many(pairs, version=5)
    other.set_many(pairs, version=5)
    cache.incr_version("up", version=5)
    assert cache.get("bystander", version=5) == "v"
    cache.decr_version("down", version=5)
    assert cache.get_many(pairs, version=5) == {"bystander": "v"}
    assert other.get_many(pairs, version=5) == pairs
    for version in (4, 6):
        assert cache.get("bystander", version=version) is None
        assert other.get_many(pairs, version=version) == {}


@clause("version.move-starts-at-the-default", MUST, docs=VERSIONING, requires=MOVES)
def a_move_starts_at_the_default(alias):
    """Without a version, an entry is moved from the VERSION of the alias."""
    fifth = alias(VERSION=5)
    fifth.set("k", "v")
    assert fifth.incr_version("k") == 6
    assert fifth.get("k") is None
    assert fifth.get("k", version=6) == "v"
    fifth.set("k", "w")
    assert fifth.decr_version("k") == 4
    assert fifth.get("k") is None
    assert fifth.get("k", version=4) == "w"


@clause("version.move-adds-delta", MUST, docs=INCR_VERSION, requires=MOVES)
def a_move_by_delta(cache):
    """incr_version() adds delta to the version and decr_version() subtracts it, also negative."""
    cache.set("k", "v", version=2)
    assert cache.incr_version("k", 3, version=2) == 5
    assert cache.get("k", version=5) == "v"
    assert cache.decr_version("k", delta=2, version=5) == 3
    assert cache.get("k", version=3) == "v"
    assert cache.incr_version("k", delta=-2, version=3) == 1
    assert cache.get("k") == "v"
    assert cache.decr_version("k", -5) == 6
    assert cache.get("k", version=6) == "v"
    assert cache.get("k", version=1) is None


@clause(
    "version.move-of-a-missing-key-raises-valueerror",
    MUST,
    docs=INCR_VERSION,
    audience=Audience.EVERY,
    requires=MOVES,
)
def a_move_of_a_missing_key(cache):
    """incr_version() and decr_version() raise ValueError for a key absent from that version."""
    cache.set("k", "v")
    for move in cache.incr_version, cache.decr_version:
        with raises(ValueError):
            move("absent")
        with raises(ValueError):
            move("absent", 3)
        with raises(ValueError):
            move("k", version=2)
        with raises(ValueError):
            move("k", delta=2, version=3)


@clause("version.move-of-an-expired-key-raises-valueerror", MUST, docs=INCR_VERSION, requires=MOVES)
def a_move_of_an_expired_key(cache):
    """incr_version() and decr_version() raise ValueError for an entry that has expired."""
    cache.set_many({"up": "v", "down": "v"}, timeout=1)
    yield after(1)
    with raises(ValueError):
        cache.incr_version("up")
    assert cache.has_key("up", version=2) is False
    with raises(ValueError):
        cache.decr_version("down")
    assert cache.has_key("down", version=0) is False


FALSE_VALUES = {
    "none": None,
    "zero": 0,
    "text": "",
    "list": [],
}


@clause("version.none-is-moved", MUST, docs="releases/3.2/#miscellaneous", requires=MOVES)
def none_is_moved(cache):
    """A stored None, or another value that is false, is moved like any value."""
    cache.set_many(FALSE_VALUES)
    for key in FALSE_VALUES:
        assert cache.incr_version(key) == 2
    assert cache.get_many(FALSE_VALUES, version=2) == FALSE_VALUES
    for key in FALSE_VALUES:
        assert cache.decr_version(key, version=2) == 1
    assert cache.get_many(FALSE_VALUES) == FALSE_VALUES


@clause("version.permanent-entries-are-moved", MUST, docs=VERSIONING, requires=MOVES)
def permanent_entries_are_moved(cache):
    """An entry that never expires is moved like any other."""
    cache.set("up", "v", timeout=None)
    assert cache.incr_version("up") == 2
    assert cache.get("up", version=2) == "v"
    cache.set("down", "v", timeout=None, version=2)
    assert cache.decr_version("down", version=2) == 1
    assert cache.get("down") == "v"


@clause("version.moved-value-keeps-its-type", MUST, docs=VERSIONING, requires=MOVES)
def a_moved_value_keeps_its_type(cache):
    """A moved value is the same in type, and a moved integer still counts."""
    cache.set("dict", {"tuple": (1, 2.5, None), "text": "é"})
    cache.incr_version("dict")
    assert cache.get("dict", version=2) == {"tuple": (1, 2.5, None), "text": "é"}
    cache.set("n", 41)
    cache.incr_version("n")
    assert type(cache.get("n", version=2)) is int
    assert cache.incr("n", version=2) == 42


@clause("version.move-replaces-what-is-there", SHOULD, docs=INCR_VERSION, requires=MOVES)
def a_move_replaces_what_is_there(cache):
    """An entry that the target version already has is overwritten."""
    cache.set("k", "first")
    cache.set("k", "second", version=2)
    assert cache.incr_version("k") == 2
    assert cache.get("k", version=2) == "first"
    cache.set("k", "third")
    assert cache.decr_version("k", version=2) == 1
    assert cache.get("k") == "first"


@clause("version.move-reaches-zero-and-below", SHOULD, docs=INCR_VERSION, requires=MOVES)
def a_move_to_zero_and_below(cache):
    """decr_version() reaches version 0 and the negative ones."""
    cache.set("k", "v", version=2)
    assert cache.decr_version("k", 2, version=2) == 0
    assert cache.get("k", version=0) == "v"
    assert cache.decr_version("k", version=0) == -1
    assert cache.get("k", version=-1) == "v"
    assert cache.incr_version("k", version=-1) == 0
    assert cache.get("k", version=0) == "v"


@clause(
    "version.move-and-timeout",
    MAY,
    docs=INCR_VERSION,
    requires=MOVES,
    characteristic="timeout-of-a-moved-entry",
)
def the_timeout_of_a_moved_entry(alias):
    """Moving an entry either resets its timeout to TIMEOUT or keeps the remaining time."""
    short, long = alias(TIMEOUT=1), alias(TIMEOUT=60)
    short.set_many({"up": "v", "down": "v"}, timeout=None)
    assert short.incr_version("up") == 2
    assert short.decr_version("down") == 0
    long.set_many({"up": "v", "down": "v"}, timeout=2, version=5)
    assert long.incr_version("up", version=5) == 6
    assert long.decr_version("down", version=5) == 4
    yield after(2)
    permanent = short.has_key("up", version=2), short.has_key("down", version=0)
    prolonged = long.has_key("up", version=6), long.has_key("down", version=4)
    assert permanent in ((True, True), (False, False))
    assert prolonged == ((False, False) if all(permanent) else (True, True))
    return "kept" if all(permanent) else "reset to TIMEOUT"


@clause(
    "version.move-by-zero",
    MAY,
    docs=INCR_VERSION,
    requires=MOVES,
    characteristic="moving-a-version-by-zero",
)
def a_move_by_zero(cache):
    """With a delta of zero incr_version() keeps the entry, deletes it, or raises and keeps it."""
    cache.set("k", "v")
    try:
        assert cache.incr_version("k", 0) == 1
    except ValueError:
        assert cache.get("k") == "v"
        return "raises"
    kept = cache.get("k", "deleted")
    assert kept in ("v", "deleted")
    return "keeps the entry" if kept == "v" else "deletes the entry"


@clause(
    "version.text-cannot-move",
    MAY,
    docs=INCR_VERSION,
    requires=MOVES,
    characteristic="moving-a-text-version",
)
def a_text_version(alias):
    """An entry under a version that is text is moved, or incr_version() raises and keeps it."""
    named = alias(VERSION="alpha")
    named.set("k", "v")
    assert named.get("k") == "v"
    try:
        new = named.incr_version("k")
    except Exception:
        assert named.get("k") == "v"
        return "raises"
    assert named.get("k", version=new) == "v"
    return "moves"
