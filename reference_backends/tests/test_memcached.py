"""HazelcastMemcachedCache, which makes up for what a member does with the Memcached protocol."""

import asyncio
import time

import pymemcache
import pytest
from cache_targets import start
from django_hazelcast import HazelcastUnavailable
from django_hazelcast.key_lock import KeyLock
from django_hazelcast.operation import complete
from pymemcache.exceptions import MemcacheError, MemcacheUnexpectedCloseError
from real_caches import build, process, together

STOCK = "django.core.cache.backends.memcached.PyMemcacheCache"
OURS = "django_hazelcast.HazelcastMemcachedCache"
FOREVER = 2**63 - 1
N = "=3A1=3An"
"""How the key "n" is spelled on the wire."""


@pytest.fixture(scope="module")
def port():
    with start("hazelcast-memcached") as target:
        yield target


@pytest.fixture
def cache(port):
    cache = build({"BACKEND": OURS, "LOCATION": port.location})
    cache.clear()
    return cache


@pytest.fixture
def stock(port):
    return build({"BACKEND": STOCK, "LOCATION": port.location, "OPTIONS": {"timeout": 5}})


@pytest.fixture
def entries(cache):
    """The map itself, as the cache's own native client sees it."""
    return cache._store.opened().result().blocking()


@pytest.fixture
def foreign(port):
    """A Memcached client that knows nothing of Django, nor of types."""
    client = pymemcache.Client(port.location, timeout=5, default_noreply=False)
    yield client
    client.close()


@pytest.mark.parametrize("timeout", [0, -1, -0.5])
def test_no_time_is_no_entry(cache, timeout):
    cache.set("k", 1, None)
    cache.set("k", 2, timeout)
    assert cache.get("k") is None
    assert cache.add("k", 1, timeout) is True
    assert cache.has_key("k") is False
    cache.set_many({"k": 1}, timeout)
    assert cache.get("k") is None
    cache.set("k", 1, None)
    assert cache.add("k", 2, timeout) is False
    assert cache.touch("k", timeout) is True
    assert cache.touch("k", timeout) is False


def test_the_stock_backend_would_keep_it_for_ever(stock):
    stock.set("kept", 1, 0)
    time.sleep(1.1)
    assert stock.get("kept") == 1


def test_clear_empties_the_cache(cache, stock):
    cache.set("k", 1)
    cache.clear()
    assert cache.get("k") is None
    with pytest.raises(MemcacheError):
        stock.clear()


@pytest.mark.parametrize(
    "key", ["a:b", "100%", "%41", "a+b", "=3D", "==x", "é", "ключ", "🗝️", "k" * 240, "é" * 120]
)
def test_keys_that_a_member_would_misread(cache, key):
    cache.set_many({key: 1, "other": 2})
    assert cache.incr(key) == 2
    assert cache.get_many([key, "other"]) == {key: 2, "other": 2}
    assert cache.delete(key) is True
    assert cache.get(key) is None


def test_keys_that_a_member_would_confuse(cache):
    keys = ["a+b", "a%2Bb", "a=2Bb", "a%20b", "A", "a", "%41", "=41"]
    cache.set_many({key: key for key in keys})
    assert cache.get_many(keys) == {key: key for key in keys}


def test_many_long_keys_are_asked_for_in_several_commands(cache, stock):
    keys = [f"{number:03}".ljust(240, "k") for number in range(600)]
    cache.set_many(dict.fromkeys(keys, "v"), 60)
    assert cache.get_many(iter(keys)) == dict.fromkeys(keys, "v")
    with pytest.raises(MemcacheUnexpectedCloseError):
        stock.get_many(keys)


def test_an_entry_that_is_counted_expires_when_it_would_have(cache):
    cache.set_many({"up": 1, "down": 3, "awaited": 1}, 2)
    assert cache.incr("up") == cache.decr("down") == asyncio.run(cache.aincr("awaited")) == 2
    time.sleep(2.1)
    assert cache.get_many(["up", "down", "awaited"]) == {}


def test_a_member_would_make_it_permanent(foreign):
    foreign.set("n", b"1", 2)
    foreign.incr("n", 1)
    time.sleep(2.1)
    assert foreign.get("n") == b"2"


@pytest.mark.parametrize("timeout", [60, 40 * 24 * 3600, None])
def test_counting_does_not_move_the_moment_of_expiry(cache, entries, timeout):
    cache.set("n", 0, timeout)
    before = entries.get_entry_view(N).expiration_time
    assert (before == FOREVER) is (timeout is None)
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        cache.incr("n")
    assert entries.get_entry_view(N).expiration_time == before


def test_threads_lose_no_count_beside_other_clients(port, cache):
    """Others count the same key by the Memcached protocol, and set another."""
    cache.set("n", 0)

    def count():
        mine = build({"BACKEND": OURS, "LOCATION": port.location})
        for _ in range(100):
            mine.incr("n")

    def count_and_set():
        other = pymemcache.Client(port.location, timeout=5, default_noreply=False)
        for number in range(100):
            other.incr(N, 1)
            other.set("m", b"%d" % number)

    together(*[count] * 8, count_and_set)
    assert cache.get("n") == 900


def test_processes_lose_no_count_and_keep_the_timeout(port, cache, entries):
    cache.set("n", 0, 60)
    before = entries.get_entry_view(N).expiration_time
    entry = {"BACKEND": OURS, "LOCATION": port.location}
    children = [process(entry, "for _ in range(50): cache.incr('n')") for _ in range(3)]
    assert [child.wait(60) for child in children] == [0] * 3
    assert cache.get("n") == 150
    assert entries.get_entry_view(N).expiration_time == before


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda other: other.set(N, b"7"), b"7"),
        (lambda other: other.incr(N, 7), b"8"),
        (lambda other: other.delete(N), None),
        (lambda other: other.touch(N, 60), b"1"),
    ],
    ids=["set", "incr", "delete", "touch"],
)
def test_other_clients_wait_while_it_counts(cache, foreign, change, left):
    """What they do comes after the count, so that neither is lost."""
    cache.set("n", 0)
    lock = KeyLock(cache._store.opened().result(), N, 5)
    view = complete(locked_view(lock), 5, "dev")

    def finish():
        time.sleep(0.3)
        lock.set(view.value.counted(1), 0).result()
        written = time.monotonic()
        complete(lock.released(), 5, "dev")
        return written

    def other():
        assert change(foreign)
        return time.monotonic()

    written, changed = together(finish, other)
    assert changed > written
    assert foreign.get(N) == left


def locked_view(lock):
    yield from lock.acquired()
    return (yield lock.view())


def test_other_clients_go_on_with_what_was_counted(cache, foreign):
    cache.set("n", 98, 60)
    assert cache.incr("n") == 99
    assert foreign.get(N) == b"99"
    assert cache.incr("n") == 100
    assert foreign.get_many([N]) == {N: b"100"}
    assert foreign.incr(N, 5) == 105
    assert cache.decr("n", 96) == 9
    assert foreign.decr(N, 1) == 8
    assert cache.get("n") == 8
    assert foreign.touch(N, 60) is True
    assert foreign.append(N, b"0") is True
    assert cache.incr("n") == 81
    assert foreign.prepend(N, b"1") is True
    assert foreign.get(N) == b"181"
    assert foreign.delete(N) is True
    assert cache.get("n") is None


def test_what_other_clients_have_stored_is_counted(cache, foreign):
    foreign.set(N, b"9", 60, flags=1 << 15)
    assert cache.incr("n") == 10
    assert foreign.raw_command(f"get {N}", b"END\r\n").splitlines() == [
        f"VALUE {N} {1 << 15} 2".encode(),
        b"10",
    ]


def test_a_counter_stops_at_zero_as_with_memcached(cache):
    cache.set("n", 3)
    assert cache.decr("n", 5) == 0
    assert cache.get("n") == 0
    assert cache.incr("n", -1) == 0


def test_a_counter_has_no_upper_limit(cache):
    cache.set("n", 2**64 - 1)
    assert cache.incr("n", 2**64) == 2**65 - 1
    assert cache.get("n") == 2**65 - 1


@pytest.mark.parametrize("value", ["abc", "", "1_0", "+1", " 1", -5, 1.5, True, None, [1], b"\xb2"])
def test_what_is_no_whole_number_is_not_counted(cache, entries, value):
    cache.set("n", value)
    with pytest.raises(TypeError):
        cache.incr("n")
    assert cache.get("n") == value
    assert not entries.is_locked(N)


@pytest.mark.parametrize("delta", [1.5, "1", None])
def test_a_delta_that_is_no_whole_number_is_refused(cache, delta):
    cache.set("n", 1)
    with pytest.raises(TypeError):
        cache.incr("n", delta)
    assert cache.get("n") == 1


def test_a_missing_key_is_told_as_it_was_given(cache):
    with pytest.raises(ValueError, match=r"^Key 'absent' not found$"):
        cache.incr("absent")


@pytest.mark.parametrize("key", ["n", "absent"])
def test_a_process_that_ends_after_counting_leaves_no_key_locked(port, cache, entries, key):
    cache.set("n", 1, 60)
    before = entries.get_entry_view(N).expiration_time
    child = process(
        {"BACKEND": OURS, "LOCATION": port.location},
        f"try: cache.incr('{key}')\nexcept ValueError: os._exit(7)\nos._exit(7)",
    )
    assert child.wait(30) == 7
    assert not any(entries.is_locked(f"=3A1=3A{name}") for name in ("n", "absent"))
    assert entries.get_entry_view(N).expiration_time == before


def test_counting_and_clearing_wait_as_long_as_the_client(port, cache):
    cache.set("n", 1)
    hasty = build({"BACKEND": OURS, "LOCATION": port.location, "OPTIONS": {"timeout": 1}})
    hasty.incr("n")
    port.pause()
    try:
        for operation in lambda: hasty.incr("n"), hasty.clear:
            started = time.monotonic()
            with pytest.raises(HazelcastUnavailable):
                operation()
            assert 0.5 < time.monotonic() - started < 3
    finally:
        port.resume()


def test_the_cluster_name_may_be_given(port):
    cache = build({"BACKEND": OURS, "LOCATION": port.location, "OPTIONS": {"cluster_name": "dev"}})
    cache.set("k", 1)
    cache.clear()
    assert cache.get("k") is None
