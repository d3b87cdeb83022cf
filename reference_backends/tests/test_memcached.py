"""HazelcastMemcachedCache: what it makes up for, and what the protocol cannot do."""

import time

import pytest
from cache_targets import start
from pymemcache.exceptions import MemcacheError
from real_caches import build

STOCK = "django.core.cache.backends.memcached.PyMemcacheCache"
OURS = "django_hazelcast.HazelcastMemcachedCache"


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


def test_counting_makes_an_entry_permanent(cache):
    """What the protocol cannot do; it stands in the expectations file."""
    cache.set("n", 1, 1)
    cache.incr("n")
    time.sleep(2.2)
    assert cache.get("n") == 2


def test_the_cluster_name_may_be_given(port):
    cache = build({"BACKEND": OURS, "LOCATION": port.location, "OPTIONS": {"cluster_name": "dev"}})
    cache.set("k", 1)
    cache.clear()
    assert cache.get("k") is None
