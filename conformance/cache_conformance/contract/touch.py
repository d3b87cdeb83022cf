"""touch: a new timeout for what is there."""

from django.core.cache.backends.base import DEFAULT_TIMEOUT

from cache_conformance.clause import MUST, SHOULD, clause
from cache_conformance.vocabulary import after, before, writes

TOUCH = "#django.core.cache.cache.touch"
TOUCHES = ("touch.present-key-returns-true",)
EXPIRY = (*TOUCHES, "timeout.entry-expires")

DAY = 24 * 60 * 60


@clause("touch.present-key-returns-true", MUST, docs=TOUCH)
def touch_of_a_present_key(cache):
    """touch() returns True for a key that is there, whichever operation stored it."""
    for name, write in writes(cache):
        write(name, "v", 60)
        assert cache.touch(name, 60) is True
    assert cache.touch("set", timeout=60) is True
    assert cache.touch("set") is True
    names = ["set", "add", "set_many", "get_or_set"]
    assert cache.get_many(names) == dict.fromkeys(names, "v")


@clause("touch.later-expiry", MUST, docs=TOUCH, requires=TOUCHES)
def touch_makes_an_entry_live_longer(cache):
    """touch() makes an entry live longer than it would have."""
    cache.set_many({"by-position": "v", "by-name": "v"}, 2)
    assert cache.touch("by-position", 60) is True
    assert cache.touch(key="by-name", timeout=60) is True
    yield after(2)
    assert cache.get("by-position") == "v"
    assert cache.get("by-name") == "v"


@clause("touch.earlier-expiry", MUST, docs=TOUCH, requires=EXPIRY)
def touch_makes_an_entry_live_shorter(cache):
    """touch() makes an entry live shorter than it would have."""
    cache.set_many({"by-position": "v", "by-name": "v"}, 60)
    assert cache.touch("by-position", 1) is True
    assert cache.touch(key="by-name", timeout=1) is True
    yield after(2)
    assert cache.get("by-position") is None
    assert cache.has_key("by-name") is False


@clause("touch.counts-from-now", MUST, docs=TOUCH, requires=TOUCHES)
def the_timeout_of_touch_counts_from_now(cache):
    """The timeout that touch() gives begins when it is called, not when the entry was stored."""
    cache.set("k", "v", 60)
    yield before(3)
    assert cache.touch("k", 2) is True
    yield before(3.7)
    assert cache.get("k") == "v"


@clause("touch.default-is-the-setting", MUST, docs=TOUCH, requires=EXPIRY)
def the_default_of_touch_is_the_setting(alias):
    """touch() without a timeout, or with DEFAULT_TIMEOUT, uses the TIMEOUT of the alias."""
    short, long, forever = alias(TIMEOUT=1), alias(TIMEOUT=60), alias(TIMEOUT=None)
    short.set_many({"short": "v", "short-given": "v"}, 60)
    long.set_many({"long": "v", "long-given": "v", "forever": "v"}, 2)
    assert short.touch("short") is True
    assert short.touch("short-given", DEFAULT_TIMEOUT) is True
    assert long.touch("long") is True
    assert long.touch("long-given", timeout=DEFAULT_TIMEOUT) is True
    assert forever.touch("forever") is True
    yield after(2)
    assert short.get("short") is None
    assert short.get("short-given") is None
    assert long.get_many(["long", "long-given"]) == {"long": "v", "long-given": "v"}
    assert forever.get("forever") == "v"


@clause("touch.absent-key-returns-false", MUST, docs=TOUCH)
def touch_of_an_absent_key(cache):
    """touch() returns False for an absent key, whatever the timeout, and creates nothing."""
    assert cache.touch("absent") is False
    assert cache.touch("absent", 60) is False
    assert cache.touch("absent", None) is False
    assert cache.touch("absent", 0) is False
    assert cache.touch("absent", timeout=60) is False
    assert cache.has_key("absent") is False
    cache.set("deleted", "v")
    cache.delete("deleted")
    assert cache.touch("deleted") is False
    assert cache.touch("deleted", None) is False
    assert cache.get_many(["absent", "deleted"]) == {}


@clause("touch.none-is-forever", MUST, docs=TOUCH, requires=TOUCHES)
def touch_with_none(cache):
    """touch() with a timeout of None makes an entry permanent that would have expired."""
    cache.set_many({"by-position": "v", "by-name": "v"}, 2)
    assert cache.touch("by-position", None) is True
    assert cache.touch("by-name", timeout=None) is True
    yield after(2)
    assert cache.get("by-position") == "v"
    assert cache.get("by-name") == "v"


@clause("touch.none-on-permanent-key-returns-true", MUST, docs=TOUCH, requires=TOUCHES)
def touch_with_none_of_a_permanent_key(cache):
    """touch() with a timeout of None returns True for an entry that is permanent already."""
    cache.set("k", "v", None)
    assert cache.touch("k", None) is True
    assert cache.get("k") == "v"


@clause("touch.permanent-key-can-expire", MUST, docs=TOUCH, requires=EXPIRY)
def touch_of_a_permanent_key(cache):
    """touch() with a timeout makes a permanent entry expire."""
    cache.set("k", "v", None)
    assert cache.touch("k", 1) is True
    yield after(2)
    assert cache.get("k") is None


@clause("touch.zero-removes", MUST, docs=TOUCH, requires=TOUCHES)
def touch_with_zero(cache):
    """touch() with a timeout of 0 returns True and the key is free at once."""
    for zero in (0, 0.0, False):
        cache.set("expiring", "v", 60)
        assert cache.touch("expiring", zero) is True
        assert cache.get("expiring") is None
        assert cache.add("expiring", "new") is True
    cache.set("permanent", "v", None)
    assert cache.touch("permanent", 0) is True
    assert cache.has_key("permanent") is False


VALUES = {
    "text": "",
    "bytes": b"bytes",
    "integer": 7,
    "float": 2.5,
    "none": None,
    "dict": {"a": {"b": (1, [2])}},
    "large": b"large" * 20_000,
}


@clause("touch.keeps-the-value", MUST, docs=TOUCH, requires=TOUCHES)
def touch_keeps_the_value(cache):
    """touch() changes neither the value nor its type."""
    cache.set_many(VALUES, 60)
    for key in VALUES:
        assert cache.touch(key, 50) is True
        assert cache.touch(key, None) is True
    kept = cache.get_many(VALUES)
    assert kept == VALUES
    assert [type(kept[key]) for key in VALUES] == [type(value) for value in VALUES.values()]


@clause("touch.keeps-a-counter", MUST, docs=TOUCH, requires=(*TOUCHES, "incr.adds-delta"))
def touch_keeps_a_counter(cache):
    """A counter counts on after touch()."""
    cache.set("k", 5, 60)
    assert cache.touch("k", 50) is True
    assert cache.incr("k") == 6
    assert cache.touch("k", None) is True
    assert cache.decr("k", 2) == 4


@clause("touch.negative-removes", SHOULD, docs=TOUCH, requires=TOUCHES)
def touch_with_a_negative_timeout(cache):
    """touch() with a negative timeout returns True and the entry is gone, as with 0."""
    for timeout in (-1, -100, -0.5):
        cache.set("k", "v", 60)
        assert cache.touch("k", timeout) is True
        assert cache.get("k") is None
    assert cache.touch("absent", -1) is False
    assert cache.has_key("absent") is False


@clause("touch.below-one-second", SHOULD, docs=TOUCH, requires=EXPIRY)
def touch_with_a_timeout_below_one_second(cache):
    """touch() with a timeout below one second returns True and the entry expires soon."""
    cache.set("k", "v", 60)
    assert cache.touch("k", 0.4) is True
    yield after(1)
    assert cache.get("k") is None


@clause("touch.float-is-accepted", MUST, docs=TOUCH, requires=TOUCHES)
def touch_with_a_float(cache):
    """The timeout of touch() may be a float, after which the entry is gone."""
    cache.set("long", "v", 2)
    cache.set("short", "v", 60)
    assert cache.touch("long", 100.2) is True
    assert cache.touch("short", 1.5) is True
    yield after(2)
    assert cache.get_many(["long", "short"]) == {"long": "v"}


@clause("touch.thirty-days", MUST, docs=TOUCH, requires=TOUCHES)
def touch_with_thirty_days(cache, alias):
    """touch() takes timeouts up to 30 days and beyond, where memcached wants a date."""
    cache.set_many({"given": "v", "default": "v"}, 60)
    for timeout in (30 * DAY, 30 * DAY + 1):
        assert cache.touch("given", timeout) is True
        assert cache.get("given") == "v"
        assert alias(TIMEOUT=timeout).touch("default") is True
        assert cache.get("default") == "v"


@clause("touch.one-year", MUST, docs=TOUCH, requires=TOUCHES)
def touch_with_a_year(cache):
    """touch() takes a timeout of a year."""
    cache.set("k", "v", 60)
    assert cache.touch("k", 365 * DAY) is True
    assert cache.get("k") == "v"


@clause("touch.set-has-the-last-word", MUST, docs=TOUCH, requires=EXPIRY)
def set_after_touch(cache):
    """A set() after touch() replaces the expiry that touch() gave."""
    cache.set_many({"shorter": "old", "longer": "old"}, 60)
    cache.touch("shorter", None)
    cache.set("shorter", "new", 1)
    cache.touch("longer", 2)
    cache.set("longer", "new", 60)
    yield after(2)
    assert cache.get("shorter") is None
    assert cache.get("longer") == "new"


def read_in_each_way(cache):
    cache.get("get")
    cache.get_many(["get_many"])
    cache.has_key("has_key")


@clause("touch.reading-does-not-prolong", MUST, docs=TOUCH, requires=EXPIRY)
def reading_what_was_touched(cache):
    """Reading does not let an entry live longer than the timeout that touch() gave."""
    cache.set_many({"get": "v", "get_many": "v", "has_key": "v"}, 60)
    for key in ("get", "get_many", "has_key"):
        cache.touch(key, 2)
    yield before(2)
    read_in_each_way(cache)
    yield before(3)
    read_in_each_way(cache)
    yield after(2)
    assert cache.get("get") is None
    assert cache.get_many(["get_many"]) == {}
    assert cache.has_key("has_key") is False


@clause("touch.expired-key-returns-false", MUST, docs=TOUCH, requires=EXPIRY)
def touch_of_an_expired_key(cache):
    """touch() returns False for an entry that has expired, and does not bring it back."""
    cache.set_many({"default": "v", "seconds": "v", "none": "v"}, 1)
    cache.set("of-version-2", "v", 1, version=2)
    yield after(2)
    assert cache.touch("default") is False
    assert cache.touch("seconds", 60) is False
    assert cache.touch("none", None) is False
    assert cache.touch("of-version-2", 60, version=2) is False
    assert cache.get_many(["default", "seconds", "none"]) == {}
    assert cache.get("of-version-2", version=2) is None
