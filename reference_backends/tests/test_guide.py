"""The steps of docs/memcached-to-hazelcast.md, with the settings that stand there."""

import ast
import re
from pathlib import Path

import pytest
from cache_targets import start
from django.contrib.sessions.backends.cache import SessionStore
from django.test import override_settings

GUIDE = Path(__file__).parents[2] / "docs" / "memcached-to-hazelcast.md"
STEPS = [
    ast.literal_eval(block.removeprefix("CACHES = "))
    for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
]


@pytest.fixture(scope="module")
def locations():
    """Where the servers of the guide really are."""
    with start("memcached") as memcached, start("hazelcast-memcached") as hazelcast:
        yield {"127.0.0.1:11211": memcached.location, "127.0.0.1:5701": hazelcast.location}


@pytest.mark.parametrize("step", STEPS, ids=["memcached", "1", "2", "3"])
def test_the_site_works_at_each_step(locations, step):
    caches = {
        alias: {**entry, "LOCATION": locations[entry["LOCATION"]]} for alias, entry in step.items()
    }
    with override_settings(CACHES=caches):
        from django.core.cache import cache

        cache.clear()
        assert cache.get("k") is None
        cache.set("k", {"a": [1]}, 60)
        assert cache.get("k") == {"a": [1]}
        assert cache.add("k", 1) is False
        cache.set_many({"a": 1, "ж": 2})
        assert cache.get_many(["a", "ж", "absent"]) == {"a": 1, "ж": 2}
        assert cache.incr("a", 5) == 6
        assert cache.get("a") == 6
        assert cache.touch("k", 0) is True
        assert cache.get("k") is None
        cache.set("none", 1, 0)
        assert cache.has_key("none") is False
        session = SessionStore()
        session["user"] = 7
        session.save()
        assert SessionStore(session.session_key)["user"] == 7
        cache.clear()
        assert cache.get("a") is None


def test_the_last_steps_share_what_they_cached(locations):
    """Steps 2 and 3 are one cache: the near cache changes nothing that is stored."""
    native, near = (step["default"] for step in STEPS[2:])
    assert {**native, "OPTIONS": near["OPTIONS"]} == near


@pytest.mark.parametrize("step", STEPS[1:], ids=["1", "2", "3"])
def test_counters_keep_their_timeout_on_hazelcast(locations, step):
    from real_caches import build

    cache = build({**step["default"], "LOCATION": locations["127.0.0.1:5701"]})
    cache.set("n", 1, 60)
    cache.incr("n")
    key = cache.make_and_validate_key("n")
    assert cache._store.entries.get_entry_view(key).result().ttl <= 62_000
