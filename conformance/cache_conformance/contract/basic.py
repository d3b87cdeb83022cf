"""Basic usage: get, set, add, delete, has_key and ``in``."""

from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.utils.safestring import SafeString

from cache_conformance.clause import EACH_OPERATION, MAY, MUST, SHOULD, SYNC_ONLY, clause
from cache_conformance.vocabulary import after, attempt, before, key_for, raises, writes

GET = "#django.core.cache.cache.get"
SET = "#django.core.cache.cache.set"
ADD = "#django.core.cache.cache.add"
DELETE = "#django.core.cache.cache.delete"
HAS_KEY = "source:django.core.cache.backends.base.BaseCache.has_key"
CONTAINS = "source:django.core.cache.backends.base.BaseCache.__contains__"
BASIC_USAGE = "#basic-usage"
CONSISTENCY = "misc/design-philosophies/#cache-design-philosophy"

FALSY = {
    "none": None,
    "zero": 0,
    "float": 0.0,
    "false": False,
    "text": "",
    "bytes": b"",
    "list": [],
    "dict": {},
}
ODD_KEYS = (
    "*",
    "k?",
    "[k]",
    "%",
    "%s",
    "%(key)s",
    "%41",
    "_",
    "/etc/k",
    ".",
    "..",
    "../k",
    "~",
    "\\n",
    "'OR'1=1--",
    '"`',
    ";|&,",
    "k:1",
    "#$@!^+-",
    "{k}",
    "<k>",
    "(k=1)",
    "--",
    "None",
    "0",
)
COUNTS = (*EACH_OPERATION, "incr.new-value-is-stored")


@clause("basic.set-then-get", MUST, docs=GET, requires=())
def set_then_get(cache):
    """What set() stores, get() returns."""
    cache.set("k", "v")
    assert cache.get("k") == "v"


@clause("basic.absent-key-returns-the-default", MUST, docs=GET)
def absent_key_returns_the_default(cache):
    """get() of a key that is not in the cache returns the default, which is None unless given."""
    assert cache.get("absent") is None
    assert cache.get("absent", "d") == "d"
    assert cache.get("absent", default="d") == "d"
    assert cache.get("absent", default=None) is None
    assert cache.get("absent", False) is False
    assert cache.get("absent", "") == ""
    assert cache.get("absent", "d", 2) == "d"
    assert cache.get("absent", default="d", version=2) == "d"


@clause("basic.default-is-the-object-given", MUST, docs=GET)
def default_is_the_object_given(cache):
    """get() returns the very default that it was given: not a copy of it, nor what it returns."""
    for default in object(), [], lambda: "called":
        assert cache.get("absent", default) is default
    assert cache.get("absent", default=default) is default
    assert cache.get("absent", default, version=2) is default


@clause("basic.stored-value-beats-the-default", MUST, docs=GET)
def stored_value_beats_the_default(cache):
    """get() of a key that is in the cache ignores the default, also where None is stored."""
    cache.set_many({"k": "v", "none": None})
    cache.set("none", None, version=2)
    assert cache.get("k", "d") == "v"
    assert cache.get("none", "d") is None
    assert cache.get("none", default="d") is None
    assert cache.get("none", "d", version=2) is None


@clause("basic.set-replaces", MUST, docs=SET)
def set_replaces(cache):
    """set() replaces whatever the key held before, however it came there."""
    for value in "a long value", "short", None, 1:
        cache.set("k", value)
        assert cache.get("k", "absent") == value
    for name, write in writes(cache):
        write(name, "old", None)
        cache.set(name, "new")
        assert cache.get(name) == "new"
    cache.set("k", "old", version=2)
    cache.set("k", "new", version=2)
    assert cache.get("k", version=2) == "new"


@clause("basic.set-returns-none", SHOULD, docs=SET)
def set_returns_none(cache):
    """set() returns None, for a new key as for one that it replaces."""
    assert cache.set("k", "v") is None
    assert cache.set("k", "w", 60) is None
    assert cache.set("k", "w", timeout=None) is None
    assert cache.set("k", "w", version=2) is None


@clause("basic.add-stores-an-absent-key", MUST, docs=ADD)
def add_stores_an_absent_key(cache):
    """add() stores the value of a key that is not in the cache, and returns True."""
    assert cache.add("k", "v") is True
    assert cache.add("timed", "v", 60) is True
    assert cache.add("permanent", "v", timeout=None) is True
    assert cache.add("k", "second", version=2) is True
    assert cache.get("missed") is None
    assert cache.add("missed", None) is True
    found = cache.get_many(["k", "timed", "permanent", "missed"])
    assert found == {"k": "v", "timed": "v", "permanent": "v", "missed": None}
    assert cache.get("k", version=2) == "second"


@clause(
    "basic.add-keeps-a-present-key", MUST, docs=ADD, requires=["basic.add-stores-an-absent-key"]
)
def add_keeps_a_present_key(cache):
    """add() of a key that is in the cache changes nothing and returns False."""
    for name, write in writes(cache):
        write(name, "old")
        assert cache.add(name, "new") is False
    cache.set("permanent", "old", None)
    assert cache.add("permanent", "new", 60) is False
    names = ["set", "add", "set_many", "get_or_set", "permanent"]
    assert cache.get_many(names) == dict.fromkeys(names, "old")
    cache.set("k", "old", version=2)
    assert cache.add("k", "new", version=2) is False
    assert cache.get("k", version=2) == "old"


@clause("basic.add-keeps-a-falsy-value", MUST, docs=ADD)
def add_keeps_a_falsy_value(cache):
    """add() does not take a stored None, 0, False or empty value for an absent key."""
    cache.set_many(FALSY)
    for key in FALSY:
        assert cache.add(key, "new") is False
    assert cache.get_many(FALSY) == FALSY


@clause(
    "basic.refused-add-does-not-prolong",
    MUST,
    docs=ADD,
    requires=["basic.add-keeps-a-present-key"],
)
def refused_add_does_not_prolong(cache):
    """An add() that is refused does not let the entry live longer."""
    cache.set_many({"longer": "old", "default": "old", "forever": "old"}, 2)
    assert cache.add("longer", "new", 60) is False
    assert cache.add("default", "new") is False
    assert cache.add("forever", "new", timeout=None) is False
    yield after(2)
    assert cache.has_key("longer") is False
    assert cache.has_key("default") is False
    assert cache.has_key("forever") is False


@clause(
    "basic.refused-add-does-not-shorten",
    MUST,
    docs=ADD,
    requires=["basic.add-keeps-a-present-key"],
)
def refused_add_does_not_shorten(cache):
    """An add() that is refused does not let the entry die earlier."""
    cache.set_many({"timed": "old", "zero": "old"}, 60)
    cache.set("permanent", "old", None)
    assert cache.add("timed", "new", 1) is False
    assert cache.add("zero", "new", 0) is False
    assert cache.add("permanent", "new", timeout=1) is False
    yield after(1)
    assert cache.get("timed") == "old"
    assert cache.get_many(["zero", "permanent"]) == {"zero": "old", "permanent": "old"}


@clause("basic.add-after-delete", MUST, docs=ADD, requires=["basic.add-stores-an-absent-key"])
def add_after_delete(cache):
    """add() stores a key again that was deleted."""
    assert cache.add("k", "first") is True
    cache.delete("k")
    assert cache.add("k", "second") is True
    assert cache.get("k") == "second"
    cache.delete_many(["k"])
    assert cache.add("k", "third") is True
    assert cache.get("k") == "third"


@clause(
    "basic.add-after-clear",
    MUST,
    docs=ADD,
    requires=["basic.add-stores-an-absent-key"],
    alone=True,
)
def add_after_clear(cache):
    """add() stores a key again that went with clear()."""
    assert cache.add("k", "first") is True
    cache.clear()
    assert cache.add("k", "second") is True
    assert cache.get("k") == "second"


@clause("basic.add-after-expiry", MUST, docs=ADD, requires=["basic.add-stores-an-absent-key"])
def add_after_expiry(cache):
    """As soon as has_key() or get() says that a key has expired, add() stores it again."""
    cache.set_many({f"{name}-{moment}": "old" for name in ("has", "get") for moment in "123"}, 1)
    yield before(2)
    add_if_expired(cache, "1")
    yield after(0)
    add_if_expired(cache, "2")
    yield after(1)
    assert cache.has_key("has-3") is False
    add_if_expired(cache, "3")


def add_if_expired(cache, moment):
    if not cache.has_key(f"has-{moment}"):
        assert cache.add(f"has-{moment}", "new") is True
        assert cache.get(f"has-{moment}") == "new"
    if cache.get(f"get-{moment}") is None:
        assert cache.add(f"get-{moment}", "new") is True
        assert cache.get(f"get-{moment}") == "new"


@clause("basic.delete-removes", MUST, docs=DELETE)
def delete_removes(cache):
    """delete() removes the key, however it came into the cache, and nothing else."""
    cache.set("other", "v")
    for name, write in writes(cache):
        write(name, "v")
        cache.delete(name)
        assert cache.get(name) is None
    cache.set("permanent", "v", None)
    cache.delete("permanent")
    assert cache.get_many(["permanent", "other"]) == {"other": "v"}
    cache.set("other", "second", version=2)
    cache.delete("other", version=2)
    assert cache.get("other", version=2) is None
    assert cache.get("other") == "v"


@clause("basic.delete-returns-true", MUST, docs=DELETE)
def delete_returns_true(cache):
    """delete() returns True for a key that is in the cache, whatever its value."""
    pairs = {"k": "v", **FALSY}
    cache.set_many(pairs)
    for key in pairs:
        assert cache.delete(key) is True
    cache.set("k", None, version=2)
    assert cache.delete("k", 2) is True


@clause("basic.delete-of-an-absent-key-returns-false", MUST, docs=DELETE)
def delete_of_an_absent_key_returns_false(cache):
    """delete() of a key that is not in the cache returns False, and raises nothing."""
    assert cache.delete("absent") is False
    cache.set("k", "v")
    assert cache.delete("k", version=2) is False
    cache.delete("k")
    assert cache.delete("k") is False
    cache.set("k", "v")
    cache.delete_many(["k"])
    assert cache.delete("k") is False


@clause("basic.delete-of-an-expired-key", MAY, docs=DELETE, characteristic="delete-of-expired-key")
def delete_of_an_expired_key(cache):
    """delete() of a key that has expired unseen returns True or False, and the key stays gone."""
    cache.set("k", "v", 1)
    yield after(1)
    deleted = cache.delete("k")
    assert deleted is True or deleted is False
    assert cache.get("k") is None
    return deleted


@clause("basic.has-key-of-a-present-key", MUST, docs=HAS_KEY)
def has_key_of_a_present_key(cache):
    """has_key() returns True for a key that is in the cache, whatever its value."""
    pairs = {"k": "v", **FALSY}
    cache.set_many(pairs)
    for key in pairs:
        assert cache.has_key(key) is True
    cache.set("second", None, None, 2)
    assert cache.has_key("second", version=2) is True


@clause("basic.has-key-of-an-absent-key", MUST, docs=HAS_KEY)
def has_key_of_an_absent_key(cache):
    """has_key() returns False for a key that is not in the cache."""
    assert cache.has_key("absent") is False
    cache.set("k", "v")
    assert cache.has_key("k", version=2) is False
    cache.delete("k")
    assert cache.has_key("k") is False


@clause("basic.in-agrees-with-has-key", MUST, docs=CONTAINS, apis=SYNC_ONLY)
def in_agrees_with_has_key(cache, alias):
    """``key in cache`` tells what has_key() tells about the version of the alias."""
    cache.set_many({"k": "v", "none": None, "zero": 0})
    assert "k" in cache
    assert "none" in cache
    assert "zero" in cache
    assert "absent" not in cache
    cache.delete("k")
    assert "k" not in cache
    cache.set("k", None, version=2)
    assert "k" not in cache
    assert "k" in alias(VERSION=2)


@clause("basic.reading-does-not-prolong", MUST, docs=SET)
def reading_does_not_prolong(cache):
    """get(), get_many(), has_key() and get_or_set() do not let an entry live longer."""
    cache.set_many(dict.fromkeys(["get", "get_many", "has_key", "get_or_set"], "old"), 2)
    yield before(3)
    cache.get("get")
    cache.get_many(["get_many"])
    cache.has_key("has_key")
    cache.get_or_set("get_or_set", "new", 60)
    yield after(2)
    assert cache.has_key("has_key") is False
    assert cache.get("get") is None
    assert cache.get_many(["get_many"]) == {}
    assert cache.get("get_or_set") != "old"


@clause("basic.in-does-not-prolong", MUST, docs=SET, apis=SYNC_ONLY)
def in_does_not_prolong(cache):
    """``key in cache`` does not let an entry live longer."""
    cache.set("k", "v", 2)
    yield before(3)
    "k" in cache  # noqa: B015
    yield after(2)
    assert "k" not in cache


@clause("basic.parameters-by-name", MUST, docs=BASIC_USAGE, requires=EACH_OPERATION)
def parameters_by_name(cache):
    """Every operation takes its parameters by the names that Django gives them."""
    cache.set(key="k", value=1, timeout=60, version=2)
    assert cache.get(key="k", default="d", version=2) == 1
    assert cache.has_key(key="k", version=2) is True
    assert cache.touch(key="k", timeout=60, version=2) is True
    assert cache.add(key="k", value=0, timeout=60, version=2) is False
    assert cache.get_or_set(key="k", default=0, timeout=60, version=2) == 1
    assert cache.incr(key="k", delta=4, version=2) == 5
    assert cache.decr(key="k", delta=2, version=2) == 3
    assert cache.incr_version(key="k", delta=3, version=2) == 5
    assert cache.decr_version(key="k", delta=1, version=5) == 4
    assert cache.delete(key="k", version=4) is True
    cache.set_many(data={"k": 1}, timeout=60, version=2)
    assert cache.get_many(keys=["k"], version=2) == {"k": 1}
    cache.delete_many(keys=["k"], version=2)
    assert cache.get("k", version=2) is None


@clause("basic.parameters-by-position", MUST, docs=BASIC_USAGE, requires=EACH_OPERATION)
def parameters_by_position(cache):
    """Every operation takes its parameters in the order in which Django declares them."""
    cache.set("k", 1, 60, 2)
    assert cache.get("k", "d", 2) == 1
    assert cache.has_key("k", 2) is True
    assert cache.touch("k", 60, 2) is True
    assert cache.add("k", 0, 60, 2) is False
    assert cache.get_or_set("k", 0, 60, 2) == 1
    assert cache.incr("k", 4, 2) == 5
    assert cache.decr("k", 2, 2) == 3
    assert cache.incr_version("k", 3, 2) == 5
    assert cache.decr_version("k", 1, 5) == 4
    assert cache.delete("k", 4) is True
    cache.set_many({"k": 1}, 60, 2)
    assert cache.get_many(["k"], 2) == {"k": 1}
    cache.delete_many(["k"], 2)
    assert cache.get("k", version=2) is None


@clause("basic.writes-are-seen-at-once", MUST, docs=BASIC_USAGE)
def writes_are_seen_at_once(cache):
    """What was just written is what the next read of the same cache sees."""
    for number in range(2):
        cache.set("k", number)
        assert cache.get("k") == number
        cache.delete("k")
        assert cache.get("k") is None
        cache.add("k", -number)
        assert cache.get_many(["k"]) == {"k": -number}
        cache.delete_many(["k"])
        assert cache.has_key("k") is False


@contextmanager
def a_transaction():
    """Within the block the sessions' database is the default one too, and has a transaction."""
    from django.contrib.sessions.models import Session

    default = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connections[router.db_for_write(Session)]
    try:
        with transaction.atomic():
            yield
    finally:
        connections[DEFAULT_DB_ALIAS] = default


@clause(
    "basic.works-in-a-transaction",
    MUST,
    docs=GET,
    apis=SYNC_ONLY,
    database=True,
    requires=COUNTS,
)
def works_in_a_transaction(cache):
    """Inside a database transaction every operation works at once, and its effect outlasts it."""
    cache.set_many({"delete": 1, "delete_many": 1})
    with a_transaction():
        for name, write in writes(cache):
            write(name, 1)
            assert cache.get(name) == 1
        assert cache.has_key("set") is True
        assert cache.get_many(["add", "set_many"]) == {"add": 1, "set_many": 1}
        assert cache.add("set", 2) is False
        assert cache.touch("set", 60) is True
        assert cache.incr("set", 4) == 5
        assert cache.decr("add") == 0
        assert cache.delete("delete") is True
        cache.delete_many(["delete_many"])
        assert cache.get_many(["delete", "delete_many"]) == {}
    names = ["set", "add", "set_many", "get_or_set", "delete", "delete_many"]
    assert cache.get_many(names) == {"set": 5, "add": 0, "set_many": 1, "get_or_set": 1}


@clause("basic.errors-use-nothing-up", MUST, docs=BASIC_USAGE, requires=COUNTS)
def errors_use_nothing_up(cache):
    """However many operations have raised an error, every operation works afterwards."""
    for _ in range(60):
        attempt(cache.incr, "absent")
        attempt(cache.set, "refused", lambda: None)
    for _ in range(20):
        attempt(cache.incr_version, "absent")
    cache.set("k", 1)
    assert cache.get("k") == 1
    assert cache.incr("k") == 2
    assert cache.incr_version("k") == 2
    assert cache.touch("k", version=2) is True
    assert cache.delete("k", version=2) is True
    assert cache.add("k", "v") is True
    assert cache.has_key("k") is True
    assert cache.get_or_set("k", "default") == "v"
    cache.set_many({"a": 1, "b": 2})
    cache.delete_many(["a"])
    assert cache.get_many(["a", "b"]) == {"b": 2}
    with raises(ValueError):
        cache.incr("absent")


@clause("basic.odd-keys-work", MUST, docs=CONSISTENCY)
def odd_keys_work(cache):
    """No character that the key rules allow has a special meaning in a key."""
    for key in ODD_KEYS:
        cache.set(key, [key])
    assert cache.get_many(ODD_KEYS) == {key: [key] for key in ODD_KEYS}
    cache.delete_many(ODD_KEYS)
    assert cache.get_many(ODD_KEYS) == {}


class Name(str):
    """A key of a class of its own."""

    __slots__ = ()


@clause("basic.subclass-of-str-is-a-key", MUST, docs=SET, requires=EACH_OPERATION)
def subclass_of_str_is_a_key(cache):
    """An instance of a subclass of str, such as a SafeString, is the key that its text is."""
    for key, text in (SafeString("safe"), "safe"), (Name("own"), "own"):
        cache.set(key, "v")
        assert cache.get(text) == "v"
        assert cache.add(key, "w") is False
        assert cache.touch(key, 60) is True
        assert cache.has_key(key) is True
        assert cache.get_many([key]) == {text: "v"}
        assert cache.get_or_set(key, "w") == "v"
        cache.set_many({key: 1})
        assert cache.incr(key) == 2
        assert cache.delete(key) is True
        cache.set(text, "v")
        cache.delete_many([key])
        assert cache.get(text) is None


@clause("basic.keys-are-not-patterns", MUST, docs=CONSISTENCY)
def keys_are_not_patterns(cache):
    """A key names itself alone: none matches others, as a pattern or a path would."""
    cache.set_many({"ab": 1, "abc": 2, "A": 3, "a*": 4})
    for key in "a?", "*", "a%", "[a]b", "a.", "x/../ab", "%41":
        assert cache.get(key) is None
        assert cache.delete(key) is False
    assert cache.get_many(["a?", "ab*", "a.*", "./ab"]) == {}
    cache.delete_many(["a_", "*", "a%", "./ab", "ab/"])
    assert cache.get_many(["ab", "abc", "A", "a*"]) == {"ab": 1, "abc": 2, "A": 3, "a*": 4}


@clause("basic.keys-differ-anywhere", MUST, docs=CONSISTENCY)
def keys_differ_anywhere(cache):
    """Long keys that differ in one character, wherever it stands, are different keys."""
    longest = key_for(cache, 250)
    places = {*range(0, len(longest), 8), len(longest) - 1}
    pairs = {f"{longest[:place]}x{longest[place + 1 :]}": f"at {place}" for place in places}
    cache.set_many(pairs)
    assert cache.get_many([longest, *pairs]) == pairs
    assert cache.get(longest) is None
    for key, value in pairs.items():
        assert cache.get(key) == value


COLLISIONS = ("plumless", "buckeroo"), ("Aa", "BB"), ("aca", "bab")


@clause("basic.keys-of-one-checksum-are-distinct", MUST, docs=CONSISTENCY)
def keys_of_one_checksum_are_distinct(cache):
    """Keys that share their CRC-32, their hashCode in Java or their Adler-32 are different keys."""
    for first, second in COLLISIONS:
        cache.set(first, 1)
        assert cache.get(second) is None
        cache.add(second, 2)
        assert cache.get_many([first, second]) == {first: 1, second: 2}
        cache.delete(second)
        assert cache.get(first) == 1


OF_THE_BACKEND = (
    ":ttl",
    ":expires",
    ":expiry",
    ":expire",
    ":timeout",
    ":lock",
    ".lock",
    "_lock",
    ":meta",
    ":version",
    ":1",
)


@clause("basic.related-keys-are-left-alone", MUST, docs=CONSISTENCY, requires=COUNTS)
def related_keys_are_left_alone(cache):
    """A key that a backend might want for itself, such as "k:ttl", is a key like any other."""
    for name, write in writes(cache):
        related = {f"{name}{end}": end for end in OF_THE_BACKEND}
        cache.set_many(related)
        write(name, 1, 60)
        assert cache.get_many(related) == related
        assert cache.touch(name, 60) is True
        assert cache.incr(name) == 2
        assert cache.decr(name) == 1
        assert cache.get_many(related) == related
        cache.delete_many(related)
        assert cache.get(name) == 1
        cache.set_many(related)
        assert cache.get(name) == 1
        assert cache.delete(name) is True
        assert cache.get_many(related) == related


@clause("basic.keys-differ-by-case", SHOULD, docs=CONSISTENCY)
def keys_differ_by_case(cache):
    """Keys that differ in upper and lower case are different keys."""
    pairs = {"key": 1, "Key": 2, "KEY": 3, "stra\u00dfe": 4, "strasse": 5}
    cache.set_many(pairs)
    assert cache.get("key") == 1
    assert cache.delete("kEY") is False
    assert cache.get_many([*pairs, "kEy"]) == pairs


@clause("basic.keys-are-not-normalised", SHOULD, docs=CONSISTENCY)
def keys_are_not_normalised(cache):
    """Keys that differ in their Unicode code points are different keys, however they look."""
    pairs = {"\u00e9": "composed", "e\u0301": "decomposed", "\uff21": "wide"}
    cache.set_many(pairs)
    assert cache.get("\u00e9") == "composed"
    assert cache.get_many([*pairs, "e", "A"]) == pairs


@clause("basic.empty-key", SHOULD, docs=CONSISTENCY)
def empty_key(cache):
    """The empty string is a key like any other."""
    assert cache.get("") is None
    cache.set("", "v")
    assert cache.get("") == "v"
    assert cache.add("", "new") is False
    assert cache.get_many([""]) == {"": "v"}
    assert cache.delete("") is True
    assert cache.has_key("") is False


@clause("basic.integer-key", MAY, docs=BASIC_USAGE, characteristic="integer-keys")
def integer_key(cache):
    """A key that is not a str works, alike or unlike its text, or is refused with an error."""
    try:
        cache.set(1, "v")
    except (TypeError, ValueError, AttributeError):
        return "refused"
    assert cache.get(1) == "v"
    return "the same key as '1'" if cache.get("1") == "v" else "another key than '1'"
