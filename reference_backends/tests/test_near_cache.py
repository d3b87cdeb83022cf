"""The near cache: fast, never late, and told of every change."""

import threading
import time

import pytest
from real_caches import build, eventually, process


@pytest.fixture
def near(entry):
    """A cache with a near cache; `cache` is one without, as another process would have."""
    return build(entry, NEAR_CACHE=True)


@pytest.fixture
def requests(near, monkeypatch):
    """The keys that are read from the cluster."""
    near.get("open")
    entries, asked = near._store.entries, []
    get, get_all = entries.get, entries.get_all
    monkeypatch.setattr(entries, "get", lambda key: asked.append(key) or get(key))
    monkeypatch.setattr(entries, "get_all", lambda keys: asked.extend(keys) or get_all(keys))
    return asked


def settled(near, requests, key):
    """Read a key until it is kept: news of its own writing may come after the first reading."""

    def is_kept():
        time.sleep(0.2)
        near.get(key)
        return near._store.near_cache.get(f":1:{key}") is not None

    assert eventually(is_kept)
    requests.clear()


def test_a_hit_asks_nobody(near, requests):
    near.set("k", "v")
    settled(near, requests, "k")
    assert [near.get("k") for _ in range(3)] == ["v"] * 3
    assert near.has_key("k")
    assert near.get_many(["k"]) == {"k": "v"}
    assert requests == []


def test_many_are_read_near_by_where_they_are(near, requests):
    near.set_many({"a": 1, "b": 2})
    settled(near, requests, "a")
    assert near.get_many(["a", "b", "absent"]) == {"a": 1, "b": 2}
    assert requests == [":1:b", ":1:absent"]


@pytest.mark.parametrize("timeout", [0.3, 1, 1.5])
def test_it_never_serves_late(near, timeout):
    near.set("k", "v", timeout)
    written = time.time()
    while time.time() < written + timeout + 0.3:
        asked = time.time()
        if near.get("k") is not None:
            assert asked < written + timeout


def test_its_own_writes_are_seen_at_once(near):
    for number in range(200):
        near.set("k", number)
        assert near.get("k") == number
        assert near.incr("k") == number + 1
        assert near.get("k") == number + 1
    near.delete("k")
    assert near.get("k") is None
    near.add("k", 1)
    assert near.get("k") == 1
    near.set_many({"k": 2})
    assert near.get("k") == 2
    near.delete_many(["k"])
    assert near.get("k") is None


CHANGES = {
    "set": (lambda cache: cache.set("k", "new"), "new"),
    "set_many": (lambda cache: cache.set_many({"k": "new"}), "new"),
    "delete": (lambda cache: cache.delete("k"), None),
    "clear": (lambda cache: cache.clear(), None),
    "touch": (lambda cache: cache.touch("k", 0), None),
    "incr_version": (lambda cache: cache.incr_version("k"), None),
}


@pytest.mark.parametrize(("change", "value"), CHANGES.values(), ids=CHANGES)
def test_what_others_change_is_noticed(near, cache, change, value):
    cache.set("k", "old")
    assert near.get("k") == "old"
    change(cache)
    assert eventually(lambda: near.get("k") == value)


def test_what_other_processes_change_is_noticed(near, entry):
    near.set("k", "old")
    assert near.get("k") == "old"
    assert process(entry, "cache.set('k', 'new')").wait(30) == 0
    assert eventually(lambda: near.get("k") == "new")


def test_a_value_that_was_overwritten_on_its_way_is_not_kept(near, cache):
    """Readers and a writer of other clients: in the end all see what was written last."""
    stop = threading.Event()

    def read():
        while not stop.is_set():
            near.get("k")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(300):
        cache.set("k", number)
    stop.set()
    for reader in readers:
        reader.join()
    assert eventually(lambda: near.get("k") == 299)


def test_it_holds_no_more_than_its_size(entry):
    near = build(entry, NEAR_CACHE={"SIZE": 3})
    near.set_many({f"k{number}": number for number in range(10)})

    def read():
        near.get_many([f"k{number}" for number in range(10)])
        assert len(near._store.near_cache._entries) <= 3
        return len(near._store.near_cache._entries) == 3

    assert eventually(read)


def test_it_reads_again_what_is_too_old(entry):
    near = build(entry, NEAR_CACHE={"MAX_AGE": 0.2})
    near.set("k", "v")
    assert eventually(lambda: near.get("k") and near._store.near_cache.get(":1:k") is not None)
    assert eventually(lambda: near._store.near_cache.get(":1:k") is None)
    assert near.get("k") == "v"


def test_what_was_read_is_a_copy(near):
    near.set("k", [1])
    near.get("k").append(2)
    assert near.get("k") == [1]


def test_an_outage_empties_it(own_member):
    near = build(
        {"BACKEND": "django_hazelcast.HazelcastCache", "LOCATION": own_member.location},
        NEAR_CACHE=True,
    )
    near.set("k", "v", None)
    assert near.get("k") == "v"
    own_member.restart()
    assert eventually(lambda: near._store.near_cache.get(":1:k") is None)
    assert eventually(lambda: near.get("k") is None)
