"""Timeouts: how long an entry lives."""

import os
import time
import warnings
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from django.test import override_settings
from django.utils import timezone

from cache_conformance.another_process import observers
from cache_conformance.capability import CULLING
from cache_conformance.clause import EACH_OPERATION, MAY, MUST, SHOULD, SYNC_ONLY, clause
from cache_conformance.vocabulary import NotApplicable, after, attempt, before, raises, writes

TIMEOUT = "#django.core.cache.cache.set"
SETTING = "ref/settings/#timeout"
EXPIRY = ("timeout.entry-expires",)

PERMANENT, ABSENT = -1, -2
"""What Redis answers to TTL for a key that has no timeout, and for one that is not there."""

DAY = 24 * 60 * 60
YEAR = 365 * DAY

NAMES = ("set", "add", "set_many", "get_or_set")
KEYS = [
    (f"{name}-{way}", version)
    for name in NAMES
    for way, version in (("by-position", None), ("by-name", None), ("of-version-2", 2))
]


def store_in_every_way(cache, timeout):
    """Store an entry for each of ``KEYS``, in the way that the key names."""
    for name, write in writes(cache):
        write(f"{name}-by-position", "v", timeout)
        write(f"{name}-by-name", "v", timeout=timeout)
        write(f"{name}-of-version-2", "v", timeout, 2)


def found(cache):
    """Return those of ``KEYS`` that have an entry."""
    entries = {version: cache.get_many([key for key, _ in KEYS], version) for version in (None, 2)}
    return [key for key, version in KEYS if key in entries[version]]


@clause("timeout.entry-expires", MUST, docs=TIMEOUT)
def an_entry_expires(cache):
    """An entry is readable before its timeout and gone after it."""
    cache.set("k", "v", timeout=2)
    yield before(2)
    assert cache.get("k") == "v"
    yield after(2)
    assert cache.get("k") is None


@clause(
    "timeout.holds-whatever-use-tz-says",
    MUST,
    docs="ref/settings/#use-tz",
    apis=SYNC_ONLY,
    requires=(*EACH_OPERATION, *EXPIRY),
)
def a_timeout_holds_whatever_use_tz_says(alias):
    """A timeout is as long with the setting USE_TZ as without it."""
    for aware in True, False:
        with override_settings(USE_TZ=aware):
            cache = alias()
            cache.set(f"{aware}", "v", timeout=2)
            assert cache.get(f"{aware}") == "v"
            assert cache.add(f"{aware}", "other", timeout=2) is False
            assert cache.has_key(f"{aware}") is True
    yield after(2)
    for aware in True, False:
        with override_settings(USE_TZ=aware):
            cache = alias()
            assert cache.get(f"{aware}") is None
            assert cache.has_key(f"{aware}") is False


@clause(
    "timeout.draws-no-warning-with-use-tz",
    SHOULD,
    level_for_django=MUST,
    docs="topics/i18n/timezones/#interpretation-of-naive-datetime-objects",
    apis=SYNC_ONLY,
    requires=EACH_OPERATION,
)
def a_timeout_draws_no_warning_with_use_tz(alias):
    """With USE_TZ no timeout, also that of None, becomes a naive time that Django warns of."""
    with override_settings(USE_TZ=True), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        cache = alias()
        for name, write in writes(cache):
            write(name, "v", None)
            write(f"{name}-later", "v", 60)
            cache.touch(name, 60)
            cache.touch(name, None)
        cache.get_many(NAMES)
    warned = [str(warning.message) for warning in caught]
    assert warned == []


@contextmanager
def default_zone(name):
    """Within the block ``name`` is the TIME_ZONE of the settings, and so of the process."""
    before = os.environ.get("TZ")
    try:
        with override_settings(TIME_ZONE=name, USE_TZ=True):
            yield
    finally:
        if before is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = before
        if hasattr(time, "tzset"):
            time.tzset()


EAST, WEST = "Asia/Tokyo", "America/New_York"
JOURNEYS = [
    (kind, zone, *journey)
    for kind, zone in (("active", timezone.override), ("default", default_zone))
    for journey in ((EAST, WEST), (WEST, EAST))
]


@clause(
    "timeout.holds-in-any-time-zone",
    MUST,
    docs=TIMEOUT,
    apis=SYNC_ONLY,
    requires=(*EACH_OPERATION, *EXPIRY),
)
def a_timeout_holds_in_any_time_zone(alias):
    """A timeout is as long where an entry is written in one time zone and read in another."""
    try:
        ZoneInfo(EAST), ZoneInfo(WEST)
    except ZoneInfoNotFoundError as error:
        raise NotApplicable("this machine has no time zones, nor has the package tzdata") from error
    for kind, zone, here, there in JOURNEYS:
        with zone(here):
            alias().set_many({f"{kind}-{here}-hour": "v", f"{kind}-{here}-added": "v"}, 3600)
            alias().set(f"{kind}-{here}", "v", timeout=2)
        with zone(there):
            cache = alias()
            assert cache.get(f"{kind}-{here}-hour") == "v"
            assert cache.add(f"{kind}-{here}-added", "other", 3600) is False
    yield after(2)
    for kind, zone, here, there in JOURNEYS:
        with zone(there):
            cache = alias()
            assert cache.get(f"{kind}-{here}") is None
            assert cache.has_key(f"{kind}-{here}") is False


@clause("timeout.every-write-takes-one", MUST, docs=TIMEOUT, requires=EXPIRY)
def every_write_takes_a_timeout(cache):
    """set(), add(), set_many() and get_or_set() take a timeout, after which the entry is gone."""
    store_in_every_way(cache, 1)
    yield after(2)
    left = found(cache)
    assert left == []


@clause("timeout.entry-lives-its-time", MUST, docs=TIMEOUT)
def an_entry_lives_its_time(cache):
    """An entry stays for the seconds of its timeout, whichever operation stored it."""
    for name, write in writes(cache):
        write(name, "v", 3)
    yield before(3)
    assert cache.get_many(NAMES) == dict.fromkeys(NAMES, "v")


@clause(
    "timeout.set-many-applies-to-every-key",
    MUST,
    docs="#django.core.cache.cache.set_many",
    requires=EXPIRY,
)
def set_many_applies_its_timeout_to_every_key(cache):
    """The timeout of set_many() holds for each of its keys."""
    cache.set_many({"a": 1, "b": 2, "c": 3}, 1)
    cache.set_many({"d": 4, "e": 5, "f": 6}, 60)
    yield after(2)
    assert cache.get_many(["a", "b", "c", "d", "e", "f"]) == {"d": 4, "e": 5, "f": 6}


@clause("timeout.default-is-the-setting", MUST, docs=TIMEOUT, requires=EXPIRY)
def the_default_is_the_setting(alias):
    """A write without a timeout, or with DEFAULT_TIMEOUT, uses the TIMEOUT of the alias."""
    short, long = alias(TIMEOUT=1), alias(TIMEOUT=60)
    for name, write in writes(short):
        write(f"{name}-short", "v")
        write(f"{name}-given", "v", DEFAULT_TIMEOUT)
    for name, write in writes(long):
        write(f"{name}-long", "v")
    yield after(2)
    assert short.get_many([f"{name}-{end}" for name in NAMES for end in ("short", "given")]) == {}
    lasting = [f"{name}-long" for name in NAMES]
    assert short.get_many(lasting) == dict.fromkeys(lasting, "v")


@clause("timeout.none-is-forever", MUST, docs=TIMEOUT)
def none_is_forever(alias):
    """An entry with a timeout of None never expires, whatever the TIMEOUT of the alias."""
    cache = alias(TIMEOUT=1)
    store_in_every_way(cache, None)
    yield after(2)
    left = found(cache)
    missing = [key for key, _ in KEYS if key not in left]
    assert missing == []


@clause("timeout.zero-is-immediately-expired", MUST, docs=TIMEOUT)
def zero_is_immediately_expired(cache):
    """With a timeout of 0 no operation caches the value."""
    store_in_every_way(cache, 0)
    assert cache.has_key("set-by-position") is False
    assert cache.get("set-by-name") is None
    left = found(cache)
    assert left == []


@clause("timeout.zero-of-any-type", MUST, docs=TIMEOUT)
def zero_of_any_type(cache):
    """A timeout equal to 0 is one of 0, be it a float or False."""
    for zero in (0.0, False):
        for name, write in writes(cache):
            write(name, "v", zero)
        assert cache.get_many(NAMES) == {}


@clause("timeout.zero-removes-existing", MUST, docs=TIMEOUT)
def zero_removes_what_is_there(cache):
    """set() and set_many() with a timeout of 0 leave no older value behind."""
    for version in (None, 2):
        cache.set_many({"set": "old", "set_many": "old"}, None, version)
    cache.set("set", "new", 0)
    cache.set("set", "new", timeout=0, version=2)
    cache.set_many({"set_many": "new"}, 0)
    cache.set_many({"set_many": "new"}, timeout=0, version=2)
    assert cache.has_key("set") is False
    assert cache.get_many(["set", "set_many"]) == {}
    assert cache.get_many(["set", "set_many"], version=2) == {}


@clause("timeout.zero-add", MUST, docs="#django.core.cache.cache.add")
def add_with_a_timeout_of_zero(cache):
    """add() with a timeout of 0 stores nothing, and leaves a present key as it is."""
    cache.add("absent", "v", 0)
    cache.add("absent", "v", timeout=0)
    assert cache.get("absent") is None
    cache.set("present", "v")
    assert cache.add("present", "new", 0) is False
    assert cache.get("present") == "v"


@clause("timeout.zero-add-succeeds", SHOULD, docs="#django.core.cache.cache.add")
def add_with_a_timeout_of_zero_succeeds(cache):
    """add() with a timeout of 0 says True for an absent key, repeatedly: it is as if it expired."""
    assert cache.add("absent", "v", 0) is True
    assert cache.add("absent", "v", timeout=0) is True


@clause("timeout.negative-is-immediately-expired", SHOULD, docs=TIMEOUT)
def a_negative_timeout_is_immediately_expired(cache):
    """With a negative timeout no operation caches the value, as with 0."""
    for timeout in (-1, -100, -0.5):
        for name, write in writes(cache):
            write(name, "v", timeout)
        assert cache.get_many(NAMES) == {}


@clause("timeout.negative-removes-existing", SHOULD, docs=TIMEOUT)
def a_negative_timeout_removes_what_is_there(cache):
    """set() and set_many() with a negative timeout leave no older value behind, as with 0."""
    for timeout in (-1, -100, -0.5):
        cache.set_many({"set": "old", "set_many": "old"}, None)
        cache.set("set", "new", timeout)
        cache.set_many({"set_many": "new"}, timeout)
        assert cache.get_many(["set", "set_many"]) == {}


@clause("timeout.negative-add", SHOULD, docs="#django.core.cache.cache.add")
def add_with_a_negative_timeout(cache):
    """add() with a negative timeout succeeds for an absent key, repeatedly, as with 0."""
    cache.set("present", "v")
    for timeout in (-1, -100):
        assert cache.add("absent", "v", timeout) is True
        assert cache.add("absent", "v", timeout=timeout) is True
        assert cache.add("present", "new", timeout) is False
    assert cache.get("present") == "v"


@clause("timeout.float-is-accepted", MUST, docs=TIMEOUT)
def a_float_is_accepted(cache):
    """A timeout may be a float."""
    for name, write in writes(cache):
        write(name, "v", 100.2)
    assert cache.get_many(NAMES) == dict.fromkeys(NAMES, "v")


@clause("timeout.float-expires", MUST, docs=TIMEOUT, requires=EXPIRY)
def an_entry_with_a_float_expires(cache):
    """An entry whose timeout is a float is gone after it."""
    for name, write in writes(cache):
        write(name, "v", 1.5)
    yield after(2)
    assert cache.get_many(NAMES) == {}


@clause(
    "timeout.fraction",
    MAY,
    docs=TIMEOUT,
    requires=EXPIRY,
    characteristic="fractional-timeouts",
)
def the_fraction_of_a_timeout(cache):
    """The fraction of a timeout above 1 is honoured, or lost to a clock of whole seconds.

    The two entries are half a second apart: such a clock keeps one of them at most.
    """
    cache.set("early", "v", 1.7)
    yield before(1.8)
    cache.set("late", "v", 1.7)
    yield after(0.2)
    early = cache.has_key("early")
    yield after(0.7)
    late = cache.has_key("late")
    yield after(2)
    assert cache.get("early") is None
    return early and late


@clause(
    "timeout.below-one-second",
    MAY,
    docs=TIMEOUT,
    requires=EXPIRY,
    characteristic="sub-second-timeouts",
)
def a_timeout_below_one_second(cache):
    """A timeout between 0 and 1 is honoured, or treated as 0.

    The two entries are half a second apart: a clock of whole seconds keeps one of them at most.
    """
    cache.set("early", "v", 0.5)
    early = cache.has_key("early")
    yield before(1.8)
    cache.set("late", "v", 0.5)
    late = cache.has_key("late")
    yield after(2)
    assert cache.get("early") is None
    assert cache.get("late") is None
    return early and late


@clause("timeout.below-one-second-ends", MUST, docs=TIMEOUT, requires=EXPIRY)
def timeouts_below_one_second_end(cache):
    """A timeout between 0 and 1 is not for ever, whatever it is cut to."""
    cache.set("touch", "v", 60)
    touched = attempt(cache.touch, "touch", 0.5)
    for name, write in writes(cache):
        attempt(write, name, "v", 0.5)
    yield after(2)
    assert cache.get_many(NAMES) == {}
    if touched is True:
        assert cache.get("touch") is None


@clause("timeout.thirty-days", MUST, docs=TIMEOUT)
def thirty_days(cache, alias):
    """Timeouts up to 30 days and beyond, where memcached wants a date, store the value."""
    for timeout in (30 * DAY, 30 * DAY + 1):
        for name, write in writes(cache):
            write(f"{name}-{timeout}", "v", timeout)
        alias(TIMEOUT=timeout).set(f"default-{timeout}", "v")
        keys = [f"{name}-{timeout}" for name in (*NAMES, "default")]
        assert cache.get_many(keys) == dict.fromkeys(keys, "v")


@clause("timeout.one-year", MUST, docs=TIMEOUT)
def one_year(cache):
    """A timeout of a year stores the value."""
    for name, write in writes(cache):
        write(name, "v", YEAR)
    assert cache.get_many(NAMES) == dict.fromkeys(NAMES, "v")


@clause("timeout.ten-years", MUST, docs=TIMEOUT)
def ten_years(cache):
    """A timeout of ten years stores the value."""
    for name, write in writes(cache):
        write(name, "v", 10 * YEAR)
    assert cache.get_many(NAMES) == dict.fromkeys(NAMES, "v")


JUST_ABOVE = {
    "2**31 microseconds": 2_148,
    "an hour": 3_601,
    "2**32 microseconds": 4_295,
    "2**16 seconds": 65_537,
    "a day": 86_401,
    "2**31 milliseconds": 2_147_484,
    "2**32 milliseconds": 4_294_968,
}


@clause("timeout.does-not-wrap", MUST, docs=TIMEOUT)
def a_timeout_does_not_wrap(cache):
    """A timeout just above an hour, a day or what 16, 31 or 32 bits hold does not start anew."""
    keys = [f"{name}-{timeout}" for name in NAMES for timeout in JUST_ABOVE.values()]
    for name, write in writes(cache):
        for timeout in JUST_ABOVE.values():
            write(f"{name}-{timeout}", "v", timeout)
    yield after(2)
    left = cache.get_many(keys)
    missing = [key for key in keys if key not in left]
    assert missing == []


LONG = (90, 3_700, DAY + 100, 31 * DAY, YEAR, 10 * YEAR)


CLOCK = """
from datetime import timedelta
from django.core.cache import caches
from django.utils import timezone

ahead = 0
real_time, real_time_ns, real_now = time.time, time.time_ns, timezone.now
ours = {
    real_time: lambda: real_time() + ahead,
    real_time_ns: lambda: real_time_ns() + ahead * 1_000_000_000,
    real_now: lambda: real_now() + timedelta(seconds=ahead),
}
modules = {sys.modules[base.__module__] for base in type(caches["default"]).__mro__}
for module in {time, timezone, *modules}:
    for name, value in list(vars(module).items()):
        for real in ours:
            if value is real:
                setattr(module, name, ours[real])

def put_forward(seconds):
    global ahead
    ahead = seconds

caches.settings["lasting"] = {**caches.settings["default"], "TIMEOUT": None}

def by_lasting(operation, *args):
    return getattr(caches["lasting"], operation)(*args)
"""
"""A backend finds the time in the module time, in Django's timezone or under a name of its own."""


@clause(
    "timeout.long-ones-hold-to-the-end",
    MUST,
    docs=TIMEOUT,
    apis=SYNC_ONLY,
    derived_from=CULLING,
    requires=(*EXPIRY, *EACH_OPERATION),
)
def long_timeouts_hold_to_the_end(entry):
    """A timeout of minutes, days or years is neither cut short nor drawn out, and None has no end.

    None is what an operation is given, or the TIMEOUT that it falls back to. The clock is put
    forward, in a process of its own.
    """
    began = time.monotonic()
    with observers(entry(TIMEOUT=LONG[1]), also=CLOCK) as (ask,):
        ask("set", "clock", "v", 60)
        ask("set", "default", "v")
        ask("set", "given-set", "v", None)
        ask("add", "given-add", "v", None)
        ask("set_many", {"given-set_many": "v"}, None)
        ask("get_or_set", "given-get_or_set", "v", None)
        ask("set", "given-touch", "v", 60)
        ask("touch", "given-touch", None)
        ask("by_lasting", "set", "default-set", "v")
        ask("by_lasting", "add", "default-add", "v")
        ask("by_lasting", "set_many", {"default-set_many": "v"})
        ask("by_lasting", "get_or_set", "default-get_or_set", "v")
        ask("set", "default-touch", "v", 60)
        ask("by_lasting", "touch", "default-touch")
        ask("set", "touch", "v", 60)
        ask("touch", "touch", LONG[-1])
        for timeout in LONG:
            ask("set", f"set-{timeout}", "v", timeout)
            ask("add", f"add-{timeout}", "v", timeout)
            ask("set_many", {f"set_many-{timeout}": "v"}, timeout)
            ask("get_or_set", f"get_or_set-{timeout}", "v", timeout)
        slack = 3 + time.monotonic() - began
        ask("put_forward", 60 + slack)
        if ask("get", "clock") is not None:
            raise NotApplicable("the kit cannot put its clock forward")
        for timeout in LONG:
            keys = [f"{name}-{timeout}" for name in NAMES]
            keys += {LONG[1]: ["default"], LONG[-1]: ["touch"]}.get(timeout, [])
            ask("put_forward", timeout - slack)
            left = ask("get_many", keys)
            early = [key for key in keys if key not in left]
            ask("put_forward", timeout + slack)
            late = list(ask("get_many", keys))
            assert early == []
            assert late == []
        ask("put_forward", 20 * YEAR)
        lasting = [f"{way}-{name}" for way in ("given", "default") for name in (*NAMES, "touch")]
        left = ask("get_many", lasting)
        ended = [key for key in lasting if key not in left]
        assert ended == []


def seconds_left(cache, key):
    """Return how long the server will keep the entry."""
    final = cache.make_and_validate_key(key)
    try:
        client = cache._cache.get_client(final, write=True)
    except (AttributeError, TypeError) as error:
        raise NotApplicable("it has not the client of Django's RedisCache") from error
    left = client.ttl(final)
    if left == ABSENT:
        raise NotApplicable("it keeps its entries under other keys than their final ones")
    return left


@clause(
    "timeout.redis-counts-all-of-it",
    MUST,
    docs=TIMEOUT,
    derived_from=(RedisCache,),
    requires=EXPIRY,
)
def redis_counts_all_of_it(cache, alias):
    """The server is told of every second of a timeout, and of no timeout where there is none."""
    began = time.monotonic()
    for timeout in (*LONG, None):
        alias(TIMEOUT=timeout).set(f"default-{timeout}", "v")
        for name, write in writes(cache):
            write(f"{name}-{timeout}", "v", timeout)
    for timeout in (*LONG, None):
        for name in (*NAMES, "default"):
            left = seconds_left(cache, f"{name}-{timeout}")
            if timeout is None:
                assert left == PERMANENT
            else:
                assert left >= timeout - 3 - (time.monotonic() - began)


def fate(cache, key, timeout):
    """Return what becomes of an entry with an unusual timeout."""
    try:
        cache.set(key, "v", timeout)
    except Exception:
        return "refused"
    return {"v": "kept", None: "dropped"}[cache.get(key)]


@clause("timeout.beyond-the-clock", MAY, docs=TIMEOUT, characteristic="far-timeouts")
def a_timeout_beyond_the_clock(cache):
    """A timeout too long for the backend's clock is kept, dropped or refused, and does no harm."""
    fates = {
        "100-years": fate(cache, "100-years", 100 * YEAR),
        "2**40": fate(cache, "2**40", 2**40),
        "2**63": fate(cache, "2**63", 2**63),
        "infinity": fate(cache, "infinity", float("inf")),
    }
    cache.set("k", "v", 60)
    assert cache.get("k") == "v"
    return ", ".join(f"{timeout} {end}" for timeout, end in fates.items())


@clause("timeout.not-a-number", MAY, docs=TIMEOUT, characteristic="timeouts-not-numbers")
def a_timeout_that_is_not_a_number(cache):
    """A timeout that is not a number is taken or refused, and does no harm."""
    fates = {
        "str": fate(cache, "str", "2"),
        "timedelta": fate(cache, "timedelta", timedelta(seconds=60)),
        "Decimal": fate(cache, "Decimal", Decimal(60)),
    }
    cache.set("k", "v", 60)
    assert cache.get("k") == "v"
    return ", ".join(f"{kind} {end}" for kind, end in fates.items())


@clause("timeout.refused", MAY, docs=TIMEOUT, characteristic="left-by-a-refused-timeout")
def what_a_refused_timeout_leaves(cache):
    """A write whose timeout is refused leaves the old value, the new one or nothing."""
    cache.set("k", "old")
    try:
        cache.set("k", "new", "soon")
    except Exception:
        left = cache.get("k")
        assert left in ("old", "new", None)
        return left or "nothing"
    return "not refused"


@clause("timeout.set-replaces-expiry", MUST, docs=TIMEOUT, requires=EXPIRY)
def set_replaces_the_expiry(cache):
    """set() and set_many() replace the expiry of an entry, be the new one earlier or later."""
    for name in "set", "set_many":
        cache.set_many({f"{name}-longer": "old", f"{name}-forever": "old"}, 2)
        cache.set(f"{name}-unchanged", "same", 2)
        cache.set(f"{name}-shorter", "old", 60)
        cache.set(f"{name}-no-longer-forever", "old", None)
    cache.set("set-longer", "new", 60)
    cache.set("set-unchanged", "same", 60)
    cache.set("set-forever", "new", None)
    cache.set("set-shorter", "new", 1)
    cache.set("set-no-longer-forever", "new", 1)
    cache.set_many({"set_many-longer": "new", "set_many-unchanged": "same"}, 60)
    cache.set_many({"set_many-forever": "new"}, None)
    cache.set_many({"set_many-shorter": "new", "set_many-no-longer-forever": "new"}, 1)
    yield after(2)
    for name in "set", "set_many":
        lasting = {f"{name}-longer": "new", f"{name}-forever": "new", f"{name}-unchanged": "same"}
        gone = [f"{name}-shorter", f"{name}-no-longer-forever"]
        assert cache.get_many([*lasting, *gone]) == lasting


@clause("timeout.holds-for-every-instance", MUST, docs=TIMEOUT, requires=EXPIRY)
def the_timeout_holds_for_every_instance(cache, alias):
    """An entry expires for each instance of a cache, also for one that has read it before."""
    reader = alias()
    cache.set("written", "v", 2)
    cache.set("touched", "v", 60)
    reader.get("written")
    reader.get("touched")
    cache.touch("touched", 2)
    yield after(2)
    assert reader.get("written") is None
    assert reader.get("touched") is None


@clause("timeout.default-replaces-expiry", MUST, docs=TIMEOUT, requires=EXPIRY)
def the_default_replaces_the_expiry(alias):
    """A set() without a timeout gives an entry the TIMEOUT of the alias, whatever it had before."""
    short, long = alias(TIMEOUT=1), alias(TIMEOUT=60)
    short.set("from-60-to-1", "old", 60)
    short.set("from-none-to-1", "old", None)
    long.set("from-2-to-60", "old", 2)
    short.set("from-60-to-1", "new")
    short.set("from-none-to-1", "new")
    long.set("from-2-to-60", "new")
    yield after(2)
    assert short.get("from-60-to-1") is None
    assert short.get("from-none-to-1") is None
    assert long.get("from-2-to-60") == "new"


# An entry that has expired stays in most stores until somebody looks at it. In each of the checks
# below the operation that it names is the first to do so.


@clause("timeout.expired-entry-is-not-read", MUST, docs=TIMEOUT, requires=EXPIRY)
def an_expired_entry_is_not_read(cache):
    """get(), get_many() and has_key() do not find an entry that has expired."""
    cache.set_many(dict.fromkeys(["get", "get-default", "get_many", "has_key"], "v"), 1)
    cache.set("alive", "v", 60)
    cache.set("of-version-2", "v", 1, version=2)
    yield after(2)
    assert cache.get("get") is None
    assert cache.get("get-default", "default") == "default"
    assert cache.get_many(["get_many", "alive"]) == {"alive": "v"}
    assert cache.has_key("has_key") is False
    assert cache.has_key("of-version-2", version=2) is False


@clause(
    "timeout.expired-entry-is-not-in",
    MUST,
    docs="source:django.core.cache.backends.base.BaseCache.__contains__",
    apis=SYNC_ONLY,
    requires=EXPIRY,
)
def an_expired_entry_is_not_in(cache):
    """The operator ``in`` does not find an entry that has expired, be it at once or later."""
    cache.set("expired", "v", 1)
    cache.set("zero", "v", 0)
    assert "zero" not in cache
    yield after(2)
    assert "expired" not in cache


@clause(
    "timeout.expired-entry-can-be-added",
    MUST,
    docs="#django.core.cache.cache.add",
    requires=EXPIRY,
)
def an_expired_entry_can_be_added(cache):
    """add() stores a value for a key whose entry has expired and returns True."""
    cache.set("k", "old", 1)
    cache.set("of-version-2", "old", 1, version=2)
    yield after(2)
    assert cache.add("k", "new", 60) is True
    assert cache.get("k") == "new"
    assert cache.add("of-version-2", "new", None, version=2) is True
    assert cache.get("of-version-2", version=2) == "new"


@clause("timeout.expired-entry-can-be-set", MUST, docs=TIMEOUT, requires=EXPIRY)
def an_expired_entry_can_be_set(cache):
    """set() and set_many() store a value for a key whose entry has expired."""
    cache.set_many({"set": "old", "set_many": "old"}, 1)
    yield after(2)
    cache.set("set", "new", 60)
    assert cache.get("set") == "new"
    cache.set_many({"set_many": "new"}, 60)
    assert cache.get("set_many") == "new"


@clause(
    "timeout.expired-entry-can-be-deleted",
    MUST,
    docs="#django.core.cache.cache.delete",
    requires=EXPIRY,
)
def an_expired_entry_can_be_deleted(cache):
    """delete() and delete_many() accept a key whose entry has expired."""
    cache.set_many({"delete": "v", "delete_many": "v"}, 1)
    yield after(2)
    assert type(cache.delete("delete")) is bool
    cache.delete_many(["delete_many"])
    assert cache.get_many(["delete", "delete_many"]) == {}


@clause(
    "timeout.expired-counter-is-gone",
    MUST,
    docs="#django.core.cache.cache.incr",
    requires=EXPIRY,
)
def an_expired_counter_is_gone(cache):
    """incr() and decr() raise ValueError for a counter that has expired."""
    cache.set_many({"incr": 1, "decr": 1}, 1)
    yield after(2)
    with raises(ValueError):
        cache.incr("incr")
    with raises(ValueError):
        cache.decr("decr")
    assert cache.get_many(["incr", "decr"]) == {}
