"""What holds between threads, tasks, processes and clients."""

import asyncio
import os
import signal
import threading
import time
from contextlib import suppress

import pytest
from django_hazelcast.key_lock import KeyLock
from real_caches import build, eventually, expire, process, together

FOREVER = 2**63 - 1


def test_threads_lose_no_count_and_keep_the_timeout(entry, cache, entries):
    cache.set("n", 0, 60)
    together(*[lambda: [build(entry).incr("n") for _ in range(25)]] * 8)
    assert cache.get("n") == 200
    assert entries.get_entry_view(":1:n").ttl <= 62_000


def test_tasks_of_one_loop_lose_no_count_and_keep_the_timeout(cache, entries):
    cache.set("n", 0, 60)

    async def main():
        await asyncio.gather(*(cache.aincr("n") for _ in range(100)))

    asyncio.run(main())
    assert cache.get("n") == 100
    assert entries.get_entry_view(":1:n").ttl <= 62_000


def test_threads_and_tasks_count_the_same(cache):
    cache.set("n", 0)

    async def tasks():
        await asyncio.gather(*(cache.aincr("n") for _ in range(50)))

    together(lambda: asyncio.run(tasks()), lambda: [cache.incr("n") for _ in range(50)])
    assert cache.get("n") == 100


def test_processes_lose_no_count(entry, cache):
    cache.set("n", 0, 600)
    counting = "for _ in range(100): cache.incr('n')"
    children = [process(entry, counting) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0] * 4
    assert cache.get("n") == 400


def test_one_of_many_adds(cache):
    for number in range(10):
        added = together(*[lambda n=number, v=v: cache.add(f"k{n}", v) and v for v in range(1, 9)])
        assert [value for value in added if value] == [cache.get(f"k{number}")]


def test_one_of_many_adds_over_an_expired_entry(cache, entries):
    for number in range(10):
        key = f"k{number}"
        cache.set(key, "old", 60)
        expire(entries, f":1:{key}")
        added = together(*[lambda k=key, v=v: cache.add(k, v) and v for v in range(1, 9)])
        assert [value for value in added if value] == [cache.get(key)]


def test_all_get_what_one_of_them_set(cache):
    for number in range(10):
        found = together(*[lambda n=number, v=v: cache.get_or_set(f"k{n}", v) for v in range(8)])
        assert set(found) == {cache.get(f"k{number}")}


def test_a_delete_is_told_to_one(cache):
    for _ in range(20):
        cache.set("k", 1)
        assert sorted(together(*[lambda: cache.delete("k")] * 4)) == [False, False, False, True]


def test_a_newer_value_is_neither_lost_nor_shortened(cache, entries):
    """Somebody counts, touches and adds; what another sets last has the last word."""
    for number in range(40):
        cache.set("k", 0, 100)

        def change():
            cache.touch("k", 50)
            cache.add("k", -1, 50)
            with suppress(ValueError):
                cache.incr("k")

        together(change, change, lambda n=number: cache.set("k", 1000 * (n + 1), 500))
        value = cache.get("k")
        assert 1000 * (number + 1) <= value <= 1000 * (number + 1) + 2
        touched_last = entries.get_entry_view(":1:k").ttl <= 52_000
        assert touched_last or entries.get_entry_view(":1:k").ttl > 400_000


def test_set_is_never_overwritten_by_an_older_count(cache):
    """A count that began before a set either comes before it or counts on from it."""
    stop = threading.Event()

    def count():
        while not stop.is_set():
            cache.incr("n")

    cache.set("n", 0)
    counting = threading.Thread(target=count)
    counting.start()
    try:
        for base in range(10_000, 1_000_000, 20_000):
            cache.set("n", base)
            assert cache.get("n") >= base
    finally:
        stop.set()
        counting.join()


def test_a_frozen_process_does_not_overwrite_what_others_wrote(entry, cache):
    """A process is stopped amid a count for longer than its lock lives; then it goes on."""
    cache.set("n", 0)
    frozen = process(
        {**entry, "OPTIONS": {**entry["OPTIONS"], "TIMEOUT": 2}},
        """
from django_hazelcast.key_lock import KeyLock
from django_hazelcast import HazelcastUnavailable
read = KeyLock.set
def slow(self, *args):
    print("read", flush=True)
    sys.stdin.readline()
    return read(self, *args)
KeyLock.set = slow
try:
    cache.incr("n")
except HazelcastUnavailable:
    print("refused", flush=True)
""",
    )
    assert frozen.stdout.readline() == "read\n"
    os.kill(frozen.pid, signal.SIGSTOP)
    cache.set("n", 100, 60)
    os.kill(frozen.pid, signal.SIGCONT)
    frozen.stdin.write("\n")
    frozen.stdin.flush()
    assert frozen.stdout.readline() == "refused\n"
    assert cache.get("n") == 100


def test_a_killed_process_holds_no_key_for_long(entry, cache):
    cache.set("n", 1, 60)
    holder = process(
        {**entry, "OPTIONS": {**entry["OPTIONS"], "TIMEOUT": 3}},
        """
from django_hazelcast.key_lock import KeyLock
def dying(self, *args):
    print("locked", flush=True)
    time.sleep(60)
KeyLock.set = dying
cache.incr("n")
""",
    )
    assert holder.stdout.readline() == "locked\n"
    holder.kill()
    assert cache.incr("n") == 2
    holder.wait()


@pytest.mark.parametrize(
    "operation",
    ["incr('n')", "touch('n', 60)", "touch('n', -1)", "add('old', 1)", "incr_version('n')"],
)
def test_a_process_that_ends_after_an_operation_leaves_no_key_locked(
    entry, cache, entries, operation
):
    cache.set_many({"n": 1, "old": 1}, 60)
    expire(entries, ":1:old")
    child = process(entry, f"cache.{operation}; os._exit(7)")
    assert child.wait(30) == 7
    assert not [key for key in (":1:n", ":1:old") if entries.is_locked(key)]


def test_a_count_of_nothing_leaves_no_key_locked(entry, entries):
    child = process(entry, "try: cache.incr('n')\nexcept ValueError: os._exit(7)")
    assert child.wait(30) == 7
    assert not entries.is_locked(":1:n")


@pytest.mark.parametrize("operation", ["incr('n')", "touch('n', 60)", "set('n', 5, 60)"])
def test_a_crash_between_any_two_steps_leaves_no_entry_for_ever(entry, cache, entries, operation):
    """The process dies after each request that it sends, one after the other."""
    cache.set("n", 1, 60)
    for step in range(1, 6):
        child = process(
            {**entry, "OPTIONS": {**entry["OPTIONS"], "TIMEOUT": 1}},
            f"""
from hazelcast.invocation import InvocationService
cache.get("n")
sent, invoke = 0, InvocationService.invoke
def dying(self, invocation):
    global sent
    invoke(self, invocation)
    sent += 1
    if sent == {step}:
        time.sleep(0.05)
        os._exit(9)
InvocationService.invoke = dying
cache.{operation}
""",
        )
        child.wait(60)
        assert entries.get_entry_view(":1:n").ttl < FOREVER
        assert cache.touch("n", 60) is True


def test_a_cancelled_operation_leaves_no_lock(cache, entries):
    cache.set("n", 0, 60)

    async def main():
        for delay in range(40):
            task = asyncio.create_task(cache.aincr("n"))
            await asyncio.sleep(delay / 10_000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled() or task.result() > 0
        return await cache.aincr("n")

    assert 1 <= asyncio.run(main()) <= 41
    assert eventually(lambda: not entries.is_locked(":1:n"))


def test_a_cancelled_wait_for_a_lock_does_not_get_it_later(cache, entries):
    cache.set("n", 0, 60)
    entries.lock(":1:n")

    async def main():
        task = asyncio.create_task(cache.aincr("n"))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        entries.unlock(":1:n")

    asyncio.run(main())
    assert eventually(lambda: not entries.is_locked(":1:n"))
    assert cache.incr("n") == 1


def test_cancelled_operations_cross_no_answers(cache):
    cache.set_many({f"k{number}": number for number in range(50)})

    async def main():
        for _ in range(10):
            tasks = [asyncio.create_task(cache.aget(f"k{number}")) for number in range(50)]
            await asyncio.sleep(0.0005)
            for task in tasks[::2]:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            for number, value in enumerate(found):
                assert value == number or isinstance(value, asyncio.CancelledError)
            assert found[1::2] == list(range(1, 50, 2))

    asyncio.run(main())


def test_the_event_loop_goes_on_while_the_cache_works(cache, entries):
    cache.set("n", 0, 60)
    entries.lock(":1:n")

    async def main():
        before = threading.active_count()
        task = asyncio.create_task(cache.aincr("n"))
        ticks = 0
        while ticks < 20:
            await asyncio.sleep(0.005)
            ticks += 1
        assert not task.done()
        assert threading.active_count() == before
        entries.unlock(":1:n")
        return await task

    assert asyncio.run(main()) == 1


def test_locks_of_one_thread_are_apart(cache):
    """Two operations on one thread do not enter each other's lock."""
    cache.set("k", 1)
    store = cache._store.entries
    first, second = KeyLock(store, ":1:k", 5), KeyLock(store, ":1:k", 5)
    with first, second:
        assert next(first.acquired()).result() is True
        waiting = next(second.acquired())
        time.sleep(0.2)
        assert not waiting.done()
