"""get_or_set."""

from functools import partial
from threading import Thread

from django.core.cache import CacheHandler

from cache_conformance.clause import MUST, SHOULD, SYNC_ONLY, Audience, clause
from cache_conformance.vocabulary import NotApplicable, after, importable, raises

GET_OR_SET = "#django.core.cache.cache.get_or_set"
SOURCE = "source:django.core.cache.backends.base.BaseCache.get_or_set"
MISS = ("get-or-set.miss-stores-the-default",)
EXPIRY = (*MISS, "timeout.entry-expires")


class Counted:
    """A callable that notes the arguments of each call."""

    def __init__(self, result):
        self.result = result
        self.calls = []

    def __call__(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        return self.result


@clause("get-or-set.miss-stores-the-default", MUST, docs=GET_OR_SET)
def a_miss_stores_the_default(cache):
    """For a key that is not there get_or_set() stores the default and returns it."""
    assert cache.get_or_set("by-position", "v") == "v"
    assert cache.get("by-position") == "v"
    assert cache.get_or_set(key="by-name", default="v") == "v"
    assert cache.get("by-name") == "v"


@clause("get-or-set.hit-returns-what-is-stored", MUST, docs=GET_OR_SET)
def a_hit_returns_what_is_stored(cache):
    """For a key that is there get_or_set() returns what is stored and writes nothing."""
    cache.set("k", "stored")
    assert cache.get_or_set("k", "default") == "stored"
    assert cache.get_or_set("k", "default", 60) == "stored"
    assert cache.get("k") == "stored"


@clause("get-or-set.one-version", MUST, docs="#cache-versioning", requires=MISS)
def get_or_set_of_one_version(cache):
    """get_or_set() with a version looks at that version and stores there."""
    cache.set("k", "one")
    assert cache.get_or_set("k", "two", 60, 2) == "two"
    assert cache.get_or_set("k", "other", version=2) == "two"
    assert cache.get("k", version=2) == "two"
    assert cache.get("k") == "one"


def text():
    """A function to compute a value with."""
    return "text"


CALLABLES = (
    text,
    dict,
    Counted("counted"),
    partial(int, "7"),
    "a method".title,
)


@clause("get-or-set.callable-computes-the-value", MUST, docs=GET_OR_SET)
def a_callable_computes_the_value(cache):
    """A default that can be called, of whatever kind, is called for the value to store."""
    computed = {}
    for number, default in enumerate(CALLABLES):
        computed[f"k{number}"] = default()
        assert cache.get_or_set(f"k{number}", default) == default()
    assert cache.get_many(computed) == computed


@clause("get-or-set.callable-is-called-once", MUST, docs=GET_OR_SET, requires=MISS)
def a_callable_is_called_once(cache):
    """A miss calls a callable default exactly once, without arguments."""
    default = Counted("v")
    cache.get_or_set("k", default)
    assert default.calls == [((), {})]
    with_timeout = Counted("v")
    cache.get_or_set("with-timeout", with_timeout, 60, version=2)
    assert with_timeout.calls == [((), {})]
    uncached = Counted("v")
    assert cache.get_or_set("uncached", uncached, timeout=0) == "v"
    assert uncached.calls == [((), {})]


@clause("get-or-set.callable-is-not-called-on-a-hit", MUST, docs=GET_OR_SET)
def a_callable_is_not_called_on_a_hit(cache):
    """A hit, be it None or false, does not call a callable default."""
    stored = {"k0": "v", "k1": None, "k2": 0, "k3": "", "k4": []}
    cache.set_many(stored)
    for key in stored:
        default = Counted("default")
        cache.get_or_set(key, default)
        calls = default.calls
        assert calls == []


@clause("get-or-set.result-is-not-called", MUST, docs=GET_OR_SET, requires=MISS)
def what_a_callable_returns_is_not_called(cache):
    """What a callable default returns is the value, even if it can be called itself."""
    assert cache.get_or_set("k", lambda: text) is text
    assert cache.get("k") is text
    assert cache.get_or_set("k", "default") is text


@clause("get-or-set.none-is-stored", MUST, docs="releases/3.2/#miscellaneous", requires=MISS)
def none_is_stored(cache):
    """None, given or computed, is stored like any other value, and found the next time."""
    assert cache.get_or_set("given", None) is None
    assert cache.get("given", "default") is None
    assert cache.get_or_set("computed", lambda: None) is None
    assert cache.get("computed", "default") is None
    assert cache.get_or_set("computed", "default") is None


FALSE_VALUES = {
    "none": None,
    "zero": 0,
    "float": 0.0,
    "text": "",
    "false": False,
    "bytes": b"",
    "tuple": (),
    "list": [],
    "dict": {},
}


@clause("get-or-set.false-value-is-a-hit", MUST, docs="releases/3.2/#miscellaneous")
def a_false_value_is_a_hit(cache):
    """A stored value that is false, such as 0 or None, is a hit."""
    cache.set_many(FALSE_VALUES)
    for key, value in FALSE_VALUES.items():
        assert cache.get_or_set(key, "default") == value
    assert cache.get_many(FALSE_VALUES) == FALSE_VALUES


@clause("get-or-set.default-is-required", MUST, docs=GET_OR_SET, audience=Audience.EVERY)
def the_default_is_required(cache):
    """get_or_set() without a default raises TypeError."""
    with raises(TypeError):
        cache.get_or_set("k")
    with raises(TypeError):
        cache.get_or_set("k", timeout=60, version=1)


@clause("get-or-set.timeout-applies-on-a-miss", MUST, docs=SOURCE, requires=EXPIRY)
def the_timeout_applies_on_a_miss(alias):
    """The timeout of get_or_set() is that of the entry it stores; without one TIMEOUT is."""
    cache = alias(TIMEOUT=1)
    cache.get_or_set("default", "v")
    cache.get_or_set("computed-default", lambda: "v")
    cache.get_or_set("by-position", "v", 60)
    cache.get_or_set("by-name", "v", timeout=60)
    cache.get_or_set("computed", lambda: "v", 60)
    cache.get_or_set("forever", "v", None)
    long = alias(TIMEOUT=60)
    long.get_or_set("short-by-position", "v", 1)
    long.get_or_set("short-by-name", "v", timeout=1)
    long.get_or_set("short-computed", lambda: "v", 1)
    yield after(2)
    short = ["short-by-position", "short-by-name", "short-computed"]
    assert cache.get_many(["default", "computed-default", *short]) == {}
    lasting = ["by-position", "by-name", "computed", "forever"]
    assert cache.get_many(lasting) == dict.fromkeys(lasting, "v")


@clause("get-or-set.timeout-is-ignored-on-a-hit", MUST, docs=SOURCE, requires=EXPIRY)
def the_timeout_is_ignored_on_a_hit(cache):
    """The timeout of get_or_set() does not change an entry that is there already."""
    brief = ["not-longer", "not-forever", "not-by-default"]
    cache.set_many(dict.fromkeys(brief, "v"), 2)
    cache.set_many({"not-shorter": "v", "not-removed": "v"}, 60)
    cache.set("still-forever", "v", None)
    cache.get_or_set("not-longer", "new", 60)
    cache.get_or_set("not-forever", "new", None)
    cache.get_or_set("not-by-default", "new")
    cache.get_or_set("not-shorter", "new", 1)
    cache.get_or_set("not-removed", "new", timeout=0)
    cache.get_or_set("still-forever", "new", timeout=1)
    yield after(2)
    assert cache.get_many(brief) == {}
    lasting = ["not-shorter", "not-removed", "still-forever"]
    assert cache.get_many(lasting) == dict.fromkeys(lasting, "v")


@clause("get-or-set.expired-entry-is-a-miss", MUST, docs=SOURCE, requires=EXPIRY)
def an_expired_entry_is_a_miss(cache):
    """get_or_set() stores and returns the default where the entry has expired."""
    cache.set_many({"given": "old", "computed": "old"}, 1)
    yield after(2)
    assert cache.get_or_set("given", "new", 60) == "new"
    assert cache.get("given") == "new"
    default = Counted("new")
    assert cache.get_or_set("computed", default, None) == "new"
    assert default.calls == [((), {})]
    assert cache.get("computed") == "new"


@clause("get-or-set.zero-timeout-returns-the-default", MUST, docs=SOURCE, requires=MISS)
def a_timeout_of_zero_returns_the_default(cache, alias):
    """With a timeout of 0 get_or_set() returns the default and stores nothing."""
    for zero in (0, 0.0):
        assert cache.get_or_set("given", "v", zero) == "v"
        assert cache.get_or_set("computed", lambda: "v", timeout=zero) == "v"
        assert cache.has_key("given") is False
        assert cache.has_key("computed") is False
    uncached = alias(TIMEOUT=0)
    assert uncached.get_or_set("default", "v") == "v"
    assert uncached.has_key("default") is False


@clause("get-or-set.negative-timeout-returns-the-default", SHOULD, docs=SOURCE, requires=MISS)
def a_negative_timeout_returns_the_default(cache):
    """With a negative timeout get_or_set() returns the default and stores nothing."""
    for timeout in (-1, -100, -0.5):
        assert cache.get_or_set("given", "v", timeout) == "v"
        assert cache.has_key("given") is False
    assert cache.get_or_set("computed", lambda: "v", timeout=-1) == "v"
    assert cache.has_key("computed") is False


ERRORS = (
    KeyError("k"),
    LookupError("l"),
    ValueError("v"),
    AttributeError("a"),
    TypeError("t"),
    OSError("o"),
    ConnectionError("c"),
    TimeoutError("timed out"),
    EOFError("e"),
)


@clause("get-or-set.exception-propagates", SHOULD, docs=SOURCE, requires=MISS)
def an_exception_of_the_callable_propagates(cache):
    """Whatever a callable default raises propagates, nothing is stored, the key stays usable."""

    def fails():
        raise error

    for error in ERRORS:
        try:
            cache.get_or_set("k", fails)
        except type(error) as caught:
            assert caught is error
        else:
            raise AssertionError("the exception of the callable was lost")
        assert cache.has_key("k") is False
    assert cache.get_or_set("k", "v") == "v"


@clause(
    "get-or-set.default-may-use-the-cache",
    MUST,
    docs=GET_OR_SET,
    apis=SYNC_ONLY,
    requires=MISS,
)
def a_default_may_use_the_cache(cache):
    """A callable default may itself use the cache: get(), set() and get_or_set() of other keys."""

    def outer():
        cache.set("written", "w")
        return cache.get("written") + cache.get_or_set("inner", inner)

    def inner():
        return cache.get_or_set("innermost", lambda: "i") + cache.get("stored")

    cache.set("stored", "s")
    assert cache.get_or_set("outer", outer) == "wis"
    found = cache.get_many(["outer", "inner", "innermost", "written"])
    assert found == {"outer": "wis", "inner": "is", "innermost": "i", "written": "w"}


@clause("get-or-set.other-writer-wins", MUST, docs="releases/1.9.5/#bugfixes", requires=MISS)
def another_writer_wins(cache, entry):
    """If another writer stores the key after the miss, get_or_set() returns and keeps its value."""
    other = CacheHandler({"default": entry()})["default"]
    writer = Thread(target=other.set, args=("k", "theirs"))

    def slow():
        writer.start()
        writer.join(timeout=1)
        return None if writer.is_alive() else "ours"

    found = cache.get_or_set("k", slow)
    if found is None:
        raise NotApplicable("no other writer can store the key while the default is computed")
    assert found == "theirs"
    assert cache.get("k") == "theirs"


@clause("get-or-set.versions-are-computed-apart", MUST, docs="#cache-versioning", requires=MISS)
def versions_are_computed_apart(cache, entry):
    """While one version of a key is computed, get_or_set() of another one has its own value."""
    other = CacheHandler({"default": entry()})["default"]
    found = []
    reader = Thread(target=lambda: found.append(other.get_or_set("k", "two", version=2)))

    def slow():
        reader.start()
        reader.join(timeout=0.2)
        return "one"

    assert cache.get_or_set("k", slow) == "one"
    reader.join()
    assert found == ["two"]


@clause(
    "get-or-set.nothing-stored-returns-the-default",
    MUST,
    docs="releases/1.9.5/#bugfixes",
    audience=Audience.EVERY,
)
def nothing_stored_returns_the_default(alias, backend_class):
    """get_or_set() returns the default even if it cannot be stored and read back."""

    class Refusing(backend_class):
        def add(self, *args, **kwargs):
            return False

        async def aadd(self, *args, **kwargs):
            return False

    cache = alias(BACKEND=importable(Refusing))
    assert cache.get_or_set("given", "v") == "v"
    assert cache.get_or_set("computed", lambda: "v") == "v"
