"""Exact timeouts, and the server's own time to live, which bounds the memory."""

import time

import pytest
from real_caches import expire

FOREVER = 2**63 - 1
WRITES = {
    "set": lambda cache, timeout: cache.set("k", 1, timeout),
    "add": lambda cache, timeout: cache.add("k", 1, timeout),
    "set_many": lambda cache, timeout: cache.set_many({"k": 1}, timeout),
    "get_or_set": lambda cache, timeout: cache.get_or_set("k", 1, timeout),
    "touch": lambda cache, timeout: (cache.set("k", 1, None), cache.touch("k", timeout)),
}


@pytest.fixture(autouse=True)
def connected(cache):
    """To connect may take longer than the shortest timeouts here."""
    cache.get("k")


def time_to_live(entries, key=":1:k"):
    """The seconds for which the server keeps an entry."""
    milliseconds = entries.get_entry_view(key).ttl
    return None if milliseconds == FOREVER else milliseconds / 1000


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("timeout", [0.9, 1, 2.5, 60, 40 * 86400, 3 * 10**9])
def test_every_write_gives_the_server_a_longer_life(cache, entries, write, timeout):
    write(cache, timeout)
    assert cache.get("k") == 1
    assert time_to_live(entries) >= min(timeout, 2**31 - 2)
    assert time_to_live(entries) <= timeout + 2


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_an_entry_without_timeout_is_permanent_on_the_server(cache, entries, write):
    write(cache, None)
    assert time_to_live(entries) is None


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("timeout", [0, -1, -0.5])
def test_a_timeout_of_zero_or_less_leaves_nothing(cache, entries, write, timeout):
    write(cache, timeout)
    assert entries.size() == 0


@pytest.mark.parametrize("timeout", [0.8, 1, 1.6])
def test_an_entry_lives_exactly_as_long_as_it_was_told(cache, timeout):
    before = time.time()
    cache.set("k", "v", timeout)
    written = time.time()
    last_seen = before
    while time.time() < written + timeout + 0.1:
        asked = time.time()
        found = cache.get("k")
        if found == "v":
            last_seen = asked
            assert asked < written + timeout
        else:
            assert time.time() >= before + timeout
        time.sleep(0.01)
    assert last_seen > before


def test_counting_keeps_the_life(cache, entries):
    cache.set("k", 1, 60)
    cache.incr("k", 5)
    assert 59 <= time_to_live(entries) <= 62
    cache.set("k", 1, None)
    cache.decr("k")
    assert time_to_live(entries) is None


def test_moving_keeps_the_life(cache, entries):
    cache.set("k", 1, 60)
    cache.incr_version("k")
    assert 59 <= time_to_live(entries, ":2:k") <= 62
    assert entries.get(":1:k") is None


def expired_but_held(cache, entries):
    """An entry whose time is over, and which the server still has."""
    cache.set("k", 7, 60)
    expire(entries, ":1:k")


ABSENT = {
    "get": lambda cache: cache.get("k", "absent") == "absent",
    "has_key": lambda cache: cache.has_key("k") is False,
    "get_many": lambda cache: cache.get_many(["k"]) == {},
    "add": lambda cache: cache.add("k", 8) is True and cache.get("k") == 8,
    "add for no time": lambda cache: cache.add("k", 8, 0) is True,
    "touch": lambda cache: cache.touch("k", 60) is False,
    "delete": lambda cache: cache.delete("k") is False,
    "get_or_set": lambda cache: cache.get_or_set("k", 9) == 9,
}


@pytest.mark.parametrize("absent", ABSENT.values(), ids=ABSENT)
def test_an_expired_entry_that_the_server_holds_is_absent(cache, entries, absent):
    expired_but_held(cache, entries)
    assert absent(cache)


@pytest.mark.parametrize("name", ["incr", "decr", "incr_version", "decr_version"])
def test_an_expired_entry_that_the_server_holds_cannot_be_changed(cache, entries, name):
    expired_but_held(cache, entries)
    with pytest.raises(ValueError, match="'k'"):
        getattr(cache, name)("k")
    assert cache.get("k", version=2) is None


def test_the_server_frees_what_has_expired(cache, entries):
    cache.set_many({f"k{number}": number for number in range(20)}, 0.5)
    assert entries.size() == 20
    time.sleep(3.5)
    assert not any(entries.contains_key(f":1:k{number}") for number in range(20))
