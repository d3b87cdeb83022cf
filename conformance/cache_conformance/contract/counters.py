"""Counters: incr and decr."""

from decimal import Decimal

from cache_conformance.clause import MAY, MUST, SHOULD, Audience, clause
from cache_conformance.vocabulary import (
    REFUSED,
    NotApplicable,
    after,
    attempt,
    raises,
    writes,
)

INCR = "#django.core.cache.cache.incr"
DECR = "#django.core.cache.cache.decr"
ADDS_DELTA = ("incr.adds-delta",)


@clause("incr.adds-delta", MUST, docs=INCR)
def incr_adds_delta(cache):
    """incr() adds delta, 1 unless given, to the stored integer and returns the new value."""
    cache.set("n", 41)
    assert cache.incr("n") == 42
    assert cache.incr("n", 10) == 52
    assert cache.incr("n", delta=8) == 60


@clause("incr.decr-subtracts-delta", MUST, docs=DECR)
def decr_subtracts_delta(cache):
    """decr() subtracts delta, 1 unless given, from the stored integer and returns the new value."""
    cache.set("n", 60)
    assert cache.decr("n") == 59
    assert cache.decr("n", 10) == 49
    assert cache.decr("n", delta=8) == 41


@clause("incr.new-value-is-stored", MUST, docs=INCR, requires=ADDS_DELTA)
def the_new_value_is_stored(cache):
    """After incr() or decr(), get() and get_many() return the very int that it returned."""
    for key, change in ("up", cache.incr), ("down", cache.decr):
        cache.set(key, 5)
        new = change(key, 2)
        assert type(new) is int
        stored = cache.get(key)
        assert stored == new
        assert type(stored) is int
        found = cache.get_many([key])
        assert found == {key: new}
        assert type(found[key]) is int


@clause("incr.writes-have-the-last-word", MUST, docs=INCR, requires=ADDS_DELTA)
def writes_have_the_last_word(cache):
    """What is stored, moved or removed after incr() and decr() counts, and not what they left."""
    for name, write in writes(cache):
        cache.set(name, 7)
        cache.incr(name)
        cache.decr(name, 5)
        if name in ("add", "get_or_set"):
            cache.delete(name)
            assert cache.get(name) is None
        write(name, 9)
        assert cache.get(name) == 9
        assert cache.get_many([name]) == {name: 9}
        assert cache.incr(name) == 10
    cache.incr_version("set")
    assert cache.get("set") is None
    cache.delete_many(["add"])
    assert cache.get("add") is None
    cache.set_many({"add": "v", "set": "v"})
    assert cache.get_many(["add", "set"]) == {"add": "v", "set": "v"}


@clause(
    "incr.missing-key-raises-valueerror",
    MUST,
    docs=INCR,
    audience=Audience.EVERY,
    requires=ADDS_DELTA,
)
def a_missing_key(cache):
    """incr() and decr() raise ValueError for a key that is not in the cache."""
    for operation in cache.incr, cache.decr:
        with raises(ValueError):
            operation("absent")
        with raises(ValueError):
            operation("absent", 0)
        with raises(ValueError):
            operation("absent", delta=-10)


@clause("incr.missing-key-stays-missing", MUST, docs=INCR, requires=ADDS_DELTA)
def a_missing_key_stays_missing(cache):
    """incr() and decr() create nothing where the key is not in the cache."""
    deltas = (1, 0, -1)
    for delta in deltas:
        attempt(cache.incr, f"incr-{delta}", delta)
        attempt(cache.decr, f"decr-{delta}", delta)
    assert (
        cache.get_many([f"{name}-{delta}" for name in ("incr", "decr") for delta in deltas]) == {}
    )


@clause("incr.negative-delta-reverses", MUST, docs=INCR, requires=ADDS_DELTA)
def a_negative_delta(cache):
    """A negative delta makes incr() subtract and decr() add."""
    cache.set("n", 52)
    assert cache.incr("n", -10) == 42
    assert cache.decr("n", -10) == 52
    assert cache.incr("n", delta=-1) == 51
    assert cache.decr("n", delta=-1) == 52
    assert cache.get("n") == 52


@clause("incr.zero-delta-returns-the-value", SHOULD, docs=INCR, requires=ADDS_DELTA)
def a_delta_of_zero(cache):
    """With a delta of zero incr() and decr() return the value and leave it as it is."""
    cache.set("n", 42)
    for operation in cache.incr, cache.decr:
        assert operation("n", 0) == 42
        assert operation("n", delta=0) == 42
    assert cache.get("n") == 42


@clause("incr.zero-is-a-value", MUST, docs=INCR, requires=ADDS_DELTA)
def zero_is_a_value(cache):
    """A counter that stands at zero is there: it is counted from, counted to and read."""
    cache.set("n", 0)
    assert cache.incr("n") == 1
    assert cache.decr("n") == 0
    assert cache.get("n") == 0
    assert cache.has_key("n") is True
    assert cache.incr("n", 3) == 3
    assert cache.incr("n", -3) == 0
    assert cache.incr("n") == 1


@clause("incr.counts-however-stored", MUST, docs=INCR, requires=ADDS_DELTA)
def counts_however_stored(cache):
    """An integer can be counted whichever operation stored it: set, add, set_many, get_or_set."""
    for name, write in writes(cache):
        write(name, 41)
        assert cache.incr(name) == 42
    cache.get_or_set("called", lambda: 41)
    assert cache.decr("called") == 40


@clause("incr.counts-after-touch", MUST, docs="#django.core.cache.cache.touch", requires=ADDS_DELTA)
def counts_after_touch(cache):
    """An integer whose timeout touch() has changed can still be counted."""
    cache.set("n", 41)
    for timeout in (60, None):
        cache.touch("n", timeout)
        assert cache.incr("n") == 42
        assert cache.decr("n") == 41


@clause("incr.large-integers-are-exact", MUST, docs=INCR, requires=ADDS_DELTA)
def large_integers(cache):
    """Results up to 2**63 - 1 are exact, for deltas up to 2**31 - 1."""
    cache.set_many({"float": 2**53, "signed": 2**63 - 2, "delta": 2})
    assert cache.incr("float") == 2**53 + 1
    assert cache.incr("signed") == 2**63 - 1
    assert cache.get_many(["float", "signed"]) == {"float": 2**53 + 1, "signed": 2**63 - 1}
    assert cache.decr("signed") == 2**63 - 2
    assert cache.incr("delta", 2**31 - 1) == 2**31 + 1
    assert cache.decr("delta", 2**31 - 1) == 2


@clause("incr.digits-may-grow-or-shrink", MUST, docs=INCR, requires=ADDS_DELTA)
def the_number_of_digits(cache):
    """A result is right also where it has more or fewer digits than the value before."""
    cache.set("n", 99)
    assert cache.incr("n") == 100
    assert cache.get("n") == 100
    assert cache.decr("n") == 99
    assert cache.get("n") == 99
    assert cache.decr("n", 90) == 9
    assert cache.get_many(["n"]) == {"n": 9}


NOT_NUMBERS = {
    "none": None,
    "text": "abc",
    "empty": "",
    "list": [1],
    "dict": {"n": 1},
}


@clause("incr.not-a-number-raises", MUST, docs=INCR, requires=ADDS_DELTA)
def a_value_that_is_not_a_number(cache):
    """incr() and decr() raise an error where the stored value is not a number."""
    cache.set_many(NOT_NUMBERS)
    for key in NOT_NUMBERS:
        with raises(Exception):
            cache.incr(key)
        with raises(Exception):
            cache.decr(key, 5)


@clause("incr.failure-changes-nothing", MUST, docs=INCR, requires=ADDS_DELTA)
def a_failure_changes_nothing(cache):
    """A value that cannot be counted is still the same after incr() and decr() have failed."""
    cache.set_many(NOT_NUMBERS)
    for key in NOT_NUMBERS:
        attempt(cache.incr, key)
        attempt(cache.decr, key)
    assert cache.get_many(NOT_NUMBERS) == NOT_NUMBERS


@clause("incr.keeps-a-short-timeout", SHOULD, docs=INCR, requires=ADDS_DELTA)
def keeps_a_short_timeout(alias):
    """An entry that incr() or decr() changes still expires when it would have."""
    cache = alias(TIMEOUT=60)
    cache.set_many({"up": 1, "down": 3}, timeout=2)
    assert cache.incr("up") == 2
    assert cache.decr("down") == 2
    for unusual, value in ("fraction", 1.5), ("large", 2**63 - 1):
        attempt(cache.set, unusual, value, 2)
        attempt(cache.incr, unusual)
    yield after(2)
    assert cache.get("up") is None
    assert cache.get("down") is None
    assert cache.get_many(["fraction", "large"]) == {}


@clause("incr.keeps-a-long-timeout", SHOULD, docs=INCR, requires=ADDS_DELTA)
def keeps_a_long_timeout(alias):
    """incr() and decr() do not cut the life of an entry down to TIMEOUT."""
    nothing_lasts = alias(TIMEOUT=0)
    nothing_lasts.set("counted", 1, timeout=60)
    nothing_lasts.incr("counted")
    assert nothing_lasts.get("counted") == 2
    cache = alias(TIMEOUT=1)
    cache.set_many({"up": 1, "down": 3}, timeout=60)
    cache.set_many({"permanent-up": 1, "permanent-down": 3}, timeout=None)
    keys = []
    for start in ("", "permanent-"):
        keys += [f"{start}up", f"{start}down"]
        cache.incr(f"{start}up")
        cache.decr(f"{start}down")
    yield after(1)
    assert cache.get_many(keys) == dict.fromkeys(keys, 2)


BELOW_ZERO = {-4: "go on", 0: "stop at zero", REFUSED: "raise"}


@clause(
    "incr.below-zero", MAY, docs=DECR, requires=ADDS_DELTA, characteristic="counters-below-zero"
)
def below_zero(cache):
    """Below zero a counter goes on, stops at zero, or raises and keeps its value."""
    cache.set("down", 1)
    result = attempt(cache.decr, "down", 5)
    assert result in BELOW_ZERO
    assert cache.get("down") == (1 if result == REFUSED else result)
    cache.set("up", 1)
    assert attempt(cache.incr, "up", -5) == result
    assert cache.get("up") == cache.get("down")
    return BELOW_ZERO[result]


@clause(
    "incr.negative-value", MAY, docs=INCR, requires=ADDS_DELTA, characteristic="negative-counters"
)
def a_negative_value(cache):
    """A negative integer can be counted, or incr() and decr() raise and keep it."""
    cache.set("up", -5)
    up = attempt(cache.incr, "up")
    assert up in (-4, REFUSED)
    assert cache.get("up") == (-5 if up == REFUSED else -4)
    cache.set("down", -5)
    down = attempt(cache.decr, "down")
    assert down in (-6, REFUSED)
    assert cache.get("down") == (-5 if down == REFUSED else -6)
    return REFUSED not in (up, down)


LIMITS = (
    ("2**63 - 1", 2**63 - 1, 1),
    ("2**64 - 1", 2**64 - 1, 1),
    ("10**25", 10**25, 1),
    ("a delta of 2**63", 1, 2**63),
)


@clause("incr.overflow", MAY, docs=INCR, requires=ADDS_DELTA, characteristic="counter-limit")
def overflow(cache):
    """Past the integers of its store a counter is exact, wraps, stops at the limit, or raises."""
    inexact = []
    for name, value, delta in LIMITS:
        key = f"{value}+{delta}"
        if attempt(cache.set, key, value) == REFUSED:
            inexact.append(name)
            continue
        exact = value + delta
        result = attempt(cache.incr, key, delta)
        wrapped = exact % 2**64, (exact + 2**63) % 2**64 - 2**63
        assert result in (exact, *wrapped, 2**63 - 1, 2**64 - 1, REFUSED)
        assert cache.get(key) == (value if result == REFUSED else result)
        if result != exact:
            inexact.append(name)
    return inexact[0] if inexact else "none"


@clause(
    "incr.overflow-keeps-the-entry",
    MUST,
    docs=INCR,
    requires=(*ADDS_DELTA, "incr.new-value-is-stored"),
)
def overflow_keeps_the_entry(cache):
    """incr() past 63 bits, whatever becomes of the number, leaves an entry that never expires."""
    if attempt(cache.set, "n", 2**63 - 1, None) == REFUSED:
        raise NotApplicable("it stores no integers of 63 bits")
    for _ in range(2):
        attempt(cache.incr, "n")
        assert cache.get("n") is not None


class Whole(int):
    """An int by another name."""


UNUSUAL = (
    ("float", 1.5, 1, 2.5),
    ("bool", True, 1, 2),
    ("Decimal", Decimal("1.5"), 1, Decimal("2.5")),
    ("int subclass", Whole(1), 1, 2),
    ("text", "10", 1, 11),
    ("float delta", 1, 1.5, 2.5),
    ("bool delta", 1, True, 2),
    ("text delta", 1, "1", 2),
)


@clause(
    "incr.unusual-numbers", MAY, docs=INCR, requires=ADDS_DELTA, characteristic="unusual-counters"
)
def unusual_numbers(cache):
    """A value or delta that is no plain int is counted, or incr() raises and keeps the value."""
    cache.set_many({name.replace(" ", "-"): value for name, value, _, _ in UNUSUAL})
    kept, counted = {}, {}
    for name, value, delta, total in UNUSUAL:
        key = name.replace(" ", "-")
        result = attempt(cache.incr, key, delta)
        assert result in (total, REFUSED)
        if result == REFUSED:
            kept[key] = value
        else:
            counted[key] = total
    assert cache.get_many(kept) == kept
    found = cache.get_many(counted)
    for key, total in counted.items():
        assert found.get(key) in (total, str(total))
    return ", ".join(key.replace("-", " ") for key in counted) or "none"
