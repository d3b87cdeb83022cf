"""A dead, frozen or unreachable cluster, and its return."""

import asyncio
import time
from contextlib import closing

import pytest
from cache_targets.port import ReservedPort
from django_hazelcast import HazelcastUnavailable
from real_caches import build, eventually

TIMEOUT = 1.0
BOUND = 8 * TIMEOUT
"""What a noisy machine may add; without a bound it would be minutes."""

OPERATIONS = {
    "get": lambda cache: cache.get("k"),
    "set": lambda cache: cache.set("k", 1),
    "add": lambda cache: cache.add("k", 1),
    "touch": lambda cache: cache.touch("k"),
    "delete": lambda cache: cache.delete("k"),
    "incr": lambda cache: cache.incr("k"),
    "incr_version": lambda cache: cache.incr_version("k"),
    "get_many": lambda cache: cache.get_many(["k", "l"]),
    "set_many": lambda cache: cache.set_many({"k": 1, "l": 2}),
    "delete_many": lambda cache: cache.delete_many(["k", "l"]),
    "clear": lambda cache: cache.clear(),
    "aget": lambda cache: asyncio.run(cache.aget("k")),
    "aset": lambda cache: asyncio.run(cache.aset("k", 1)),
    "aincr": lambda cache: asyncio.run(cache.aincr("k")),
    "aget_many": lambda cache: asyncio.run(cache.aget_many(["k", "l"])),
}


def at(location):
    return build(
        {"BACKEND": "django_hazelcast.HazelcastCache", "LOCATION": location},
        MAP_NAME="outages",
        TIMEOUT=TIMEOUT,
    )


def is_refused_in_time(cache, operation):
    before = time.monotonic()
    with pytest.raises(HazelcastUnavailable, match=r"'dev' at 127\.0\.0\.1"):
        operation(cache)
    return time.monotonic() - before < BOUND


@pytest.fixture
def cache(own_member):
    """A cache that has been in use when its member fails."""
    cache = at(own_member.location)
    assert eventually(lambda: works(cache))
    return cache


def works(cache):
    """Whether it writes and counts: also the lock that a frozen operation held is free again.

    A member that thaws still carries out what it was sent: a late `delete` or `clear` may take the
    key away in between.
    """
    try:
        cache.set("k", 0)
        return cache.incr("k") == 1 and cache.get("k") == 1
    except ValueError:
        return False


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_nobody_listens(operation):
    with closing(ReservedPort()) as port:
        assert is_refused_in_time(at(f"127.0.0.1:{port.number}"), operation)


def test_a_frozen_member_and_its_return(own_member, cache):
    own_member.pause()
    try:
        for operation in OPERATIONS.values():
            assert is_refused_in_time(cache, operation)
    finally:
        own_member.resume()
    assert eventually(lambda: works(cache))


def test_a_killed_member_and_its_return(own_member, cache):
    own_member.kill()
    for operation in OPERATIONS.values():
        assert is_refused_in_time(cache, operation)
    own_member.restart()
    assert eventually(lambda: works(cache))
    assert cache.incr("k") == 2
    assert asyncio.run(cache.aget("k")) == 2


def test_another_cluster_name_is_refused_in_time(own_member):
    cache = build(
        {"BACKEND": "django_hazelcast.HazelcastCache", "LOCATION": own_member.location},
        cluster_name="another",
        TIMEOUT=TIMEOUT,
    )
    for _ in range(2):
        with pytest.raises(HazelcastUnavailable, match="'another'"):
            cache.get("k")


def test_a_loop_is_not_blocked_while_the_cluster_is_away():
    async def main(cache):
        ticks = 0
        getting = asyncio.create_task(cache.aget("k"))
        while not getting.done():
            await asyncio.sleep(0.01)
            ticks += 1
        with pytest.raises(HazelcastUnavailable):
            await getting
        return ticks

    with closing(ReservedPort()) as port:
        assert asyncio.run(main(at(f"127.0.0.1:{port.number}"))) > 10
