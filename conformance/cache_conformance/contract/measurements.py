"""Measurements, without a verdict: how fast the backend is, how large, and what it takes."""

import asyncio
import gc
import os
import time
import tracemalloc
from contextlib import suppress
from threading import Barrier, Thread

from django.db import connections

from cache_conformance.clause import MAY, SYNC_ONLY, Api, Tier, clause
from cache_conformance.footprint import bytes_held

USAGE = "#basic-usage"
PERFORMANCE = "topics/performance/#caching"
VALUE = b"v" * 100
RING = 100
FEWEST_CALLS = 5
FEWEST_ENTRIES = 1_000
PATIENCE = 5
HOUR = 3600
WEIGHED_SHARES = 15
BATCH = 100
PROBED_KEYS = (250, 500, 1_000, 10_000, 100_000)
PROBED_VALUES = (500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000)


class Timing:
    """Calls one operation after another, on the api that is measured, and times each call."""

    def __init__(self, experiment, entry):
        self.experiment = experiment
        self.entry = entry
        self.is_async = experiment.api is Api.ASYNC
        self.cache = experiment.build(entry(**roomy(experiment)))

    def operation(self, name):
        return getattr(self.cache, f"a{name}" if self.is_async else name)

    async def settled(self, result):
        return await result if self.is_async else result

    async def series(self, name, arguments, prepare=None):
        """Return how long each call took, in nanoseconds, for the share of one series.

        ``arguments(n)`` are those of call n, which ``prepare(n)`` has made possible before.
        """
        operation, took = self.operation(name), []
        until = time.monotonic() + self.experiment.share
        while (left := until - time.monotonic()) > 0 or len(took) < FEWEST_CALLS:
            if took and left < -PATIENCE:
                break
            self.experiment.goes_on()
            if prepare:
                await prepare(len(took))
            given = arguments(len(took))
            if self.is_async:
                began = time.perf_counter_ns()
                await operation(*given)
            else:
                began = time.perf_counter_ns()
                operation(*given)
            took.append(time.perf_counter_ns() - began)
        return took

    def note(self, name, took, **circumstances):
        self.experiment.note(
            operation=name,
            **circumstances,
            calls=len(took),
            p50=percentile(took, 50),
            p99=percentile(took, 99) if len(took) >= 100 else None,
        )

    def run(self, measuring):
        """Drive a coroutine: on the sync api nothing in it waits, and no event loop may run."""
        if self.is_async:
            asyncio.run(measuring)
            return
        with suppress(StopIteration):
            measuring.send(None)


def roomy(experiment):
    """The setting that lets a store of this process hold all that is measured."""
    room = 2 * experiment.effort.entries
    return {"max_entries": room} if experiment.implementation.store.separable else {}


def percentile(took, percent):
    """In microseconds."""
    ordered = sorted(took)
    return round(ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] / 1000, 2)


def powers_of_ten(least, most):
    """The powers of ten from ``least`` on, and ``most`` itself as the last."""
    found = []
    while least < most:
        found.append(least)
        least *= 10
    return [*found, most]


@clause("measurements.latency", MAY, docs=USAGE, tier=Tier.BENCHMARK)
def latency(experiment, entry):
    """How long each operation takes with a value of 100 bytes: the median, and 99 of 100 calls."""
    timing = Timing(experiment, entry)
    timing.run(each_operation(timing))


async def each_operation(timing):
    async def make(name, *arguments):
        return await timing.settled(timing.operation(name)(*arguments))

    def key(number):
        return f"k{number % RING}"

    async def absent(number):
        await make("delete", key(number))

    async def present(number):
        await make("set", key(number), VALUE, HOUR)

    for number in range(RING):
        await present(number)
        await make("set", f"count{number}", 1, HOUR)
        await make("set", f"moving{number}", VALUE, HOUR)
    assert await make("get", "k0") == VALUE, "what was stored does not come back"

    ten = [f"k{number}" for number in range(10)]
    for name, arguments, prepare in (
        ("get", lambda n: (key(n),), None),
        ("has_key", lambda n: (key(n),), None),
        ("get_or_set", lambda n: (key(n), VALUE, HOUR), None),
        ("get_many", lambda n: (ten,), None),
        ("set", lambda n: (key(n), VALUE, HOUR), None),
        ("set_many", lambda n: (dict.fromkeys(ten, VALUE), HOUR), None),
        ("touch", lambda n: (key(n), HOUR), None),
        ("incr", lambda n: (f"count{n % RING}",), None),
        ("incr_version", lambda n: (f"moving{n % RING}", 1, 1 + n // RING), None),
        ("add", lambda n: (key(n), VALUE, HOUR), absent),
        ("delete", lambda n: (key(n),), present),
        ("delete_many", lambda n: (ten,), None),
    ):
        timing.note(name, await timing.series(name, arguments, prepare))


@clause("measurements.many-keys", MAY, docs=USAGE, tier=Tier.BENCHMARK)
def many_keys(experiment, entry):
    """How long get_many(), set_many() and delete_many() take, from one key to a thousand."""
    timing = Timing(experiment, entry)
    timing.run(from_one_key_on(timing))


async def from_one_key_on(timing):
    for number in powers_of_ten(1, timing.experiment.effort.keys):
        keys = [f"k{n}" for n in range(number)]
        data = dict.fromkeys(keys, VALUE)

        async def present(_, data=data):
            await timing.settled(timing.operation("set_many")(data, HOUR))

        for name, given, prepare in (
            ("set_many", (data, HOUR), None),
            ("get_many", (keys,), None),
            ("delete_many", (keys,), present),
        ):
            took = await timing.series(name, lambda _, given=given: given, prepare)
            timing.note(name, took, keys=number)


@clause("measurements.value-size", MAY, docs=USAGE, tier=Tier.BENCHMARK)
def value_size(experiment, entry):
    """How long set() and get() take with values from ten bytes to a megabyte."""
    timing = Timing(experiment, entry)
    timing.run(from_ten_bytes_on(timing))


async def from_ten_bytes_on(timing):
    for size in powers_of_ten(10, timing.experiment.effort.size):
        value = os.urandom(size)
        try:
            took = await timing.series("set", lambda _, value=value: ("k", value, HOUR))
        except Exception:
            break  # a value that is refused is no measurement
        if await timing.settled(timing.operation("get")("k")) != value:
            break
        timing.note("set", took, bytes=size)
        timing.note("get", await timing.series("get", lambda _: ("k",)), bytes=size)
    await timing.settled(timing.operation("delete")("k"))


@clause("measurements.parallel", MAY, docs=PERFORMANCE, tier=Tier.BENCHMARK)
def parallel(experiment, entry):
    """How many operations in a second 1 to 16 threads or tasks have done, 9 get() to one set()."""
    measured = tasks_at_once if experiment.api is Api.ASYNC else threads_at_once
    workers = 1
    while workers <= experiment.effort.parallel:
        done, seconds = measured(experiment, entry, workers)
        experiment.note(operation="mixed", workers=workers, per_second=round(done / seconds))
        workers *= 2


def threads_at_once(experiment, entry, workers):
    """How many operations were done, and in how many seconds."""
    barrier, done, errors = Barrier(workers, timeout=20), [0] * workers, []

    def work(position):
        try:
            cache = experiment.build(entry(**roomy(experiment)))
            cache.set(f"k{position}", VALUE, HOUR)
            barrier.wait()
            until = time.monotonic() + experiment.share
            while time.monotonic() < until:
                cache.set(f"k{position}", VALUE, HOUR)
                for _ in range(9):
                    cache.get(f"k{position}")
                done[position] += 10
        except Exception as error:
            errors.append(error)
            barrier.abort()
        finally:
            connections.close_all()

    threads = [Thread(target=work, args=(n,), daemon=True) for n in range(workers)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(done), time.monotonic() - began


def tasks_at_once(experiment, entry, workers):
    """How many operations were done, and in how many seconds."""
    cache = experiment.build(entry(**roomy(experiment)))

    async def work(position, until):
        done = 0
        while time.monotonic() < until:
            await cache.aset(f"k{position}", VALUE, HOUR)
            for _ in range(9):
                await cache.aget(f"k{position}")
            done += 10
            await asyncio.sleep(0)
        return done

    async def work_at_once():
        await cache.aset("k", VALUE, HOUR)
        began = time.monotonic()
        until = began + experiment.share
        done = await asyncio.gather(*(work(n, until) for n in range(workers)))
        return sum(done), time.monotonic() - began

    return asyncio.run(work_at_once())


@clause("measurements.memory", MAY, docs=PERFORMANCE, apis=SYNC_ONLY, tier=Tier.BENCHMARK)
def memory(experiment, entry):
    """How much 10,000 entries of 100 bytes take, in the store and in the process."""
    cache = experiment.build(entry(**roomy(experiment)))
    store = experiment.implementation.store
    cache.set("first", VALUE, HOUR)
    store_before = bytes_held(store)
    stored = 0
    until = time.monotonic() + WEIGHED_SHARES * experiment.share
    gc.collect()
    tracemalloc.start()
    try:
        process_before = tracemalloc.get_traced_memory()[0]
        while stored < experiment.effort.entries:
            if stored >= FEWEST_ENTRIES and time.monotonic() >= until:
                break
            experiment.goes_on()
            batch = min(BATCH, experiment.effort.entries - stored)
            cache.set_many({f"k{stored + n}": os.urandom(100) for n in range(batch)}, HOUR)
            stored += batch
        gc.collect()
        in_process = tracemalloc.get_traced_memory()[0] - process_before
    finally:
        tracemalloc.stop()
    store_after = bytes_held(store)
    in_store = None if None in (store_before, store_after) else store_after - store_before
    assert cache.has_key(f"k{stored - 1}"), "the last of the entries is not there"
    experiment.note(
        operation="weigh",
        entries=stored,
        process_per_10000=round(in_process * 10_000 / stored),
        store_per_10000=None if in_store is None else round(in_store * 10_000 / stored),
    )


@clause(
    "measurements.longest-key",
    MAY,
    docs="#cache-key-warnings",
    apis=SYNC_ONLY,
    tier=Tier.BENCHMARK,
    characteristic="longest-key",
)
def longest_key(cache, experiment):
    """How many characters a key may have with its prefix, of those lengths that are tried."""
    prefix = len(cache.make_key(""))
    kept = [n for n in PROBED_KEYS if comes_back(cache, "k" * (n - prefix), "v")]
    return most_of(kept, PROBED_KEYS, "characters")


@clause(
    "measurements.largest-value",
    MAY,
    docs=USAGE,
    apis=SYNC_ONLY,
    tier=Tier.BENCHMARK,
    characteristic="largest-value",
)
def largest_value(cache, experiment):
    """How many bytes a value may have, of those sizes that are tried."""
    kept = [size for size in PROBED_VALUES if comes_back(cache, "k", os.urandom(size))]
    cache.delete("k")
    return most_of(kept, PROBED_VALUES, "bytes")


def comes_back(cache, key, value):
    try:
        cache.set(key, value, HOUR)
        return cache.get(key) == value
    except Exception:
        return False


def most_of(kept, probed, unit):
    """The largest that was kept, as one says it."""
    if not kept:
        return f"under {probed[0]:,} {unit}"
    return f"{max(kept):,} {unit}{' or more' if max(kept) == probed[-1] else ''}"
