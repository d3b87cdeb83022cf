"""Processes, forks, signals and cancellations: what becomes of entries and of open connections."""

import asyncio
import os
import pickle
import random
import signal
import time
from contextlib import suppress
from threading import Thread

from cache_conformance import linearizability as families
from cache_conformance.another_process import ended, observers, running
from cache_conformance.clause import (
    ASYNC_ONLY,
    EACH_OPERATION,
    MAY,
    MUST,
    SHOULD,
    SYNC_ONLY,
    Api,
    Tier,
    clause,
)
from cache_conformance.counterexample import Counterexample
from cache_conformance.history import FORKED_RACE_IMPORTS, forked_race, picture
from cache_conformance.linearizability import verdict
from cache_conformance.reproduction import script_of
from cache_conformance.threads import race
from cache_conformance.vocabulary import NotApplicable, at

ACCESS = "#accessing-the-cache"
LOCAL = "#local-memory-caching"
GET = "#django.core.cache.cache.get"
SIGNALS = "source:django.core.cache.close_caches"

PERFORM = """
from cache_conformance.history import perform_at

def perform(*args):
    return perform_at(cache, *args)
"""


def require_shared(cache, ask):
    """Leave the clause where another process has a cache of its own, as with local memory."""
    markers = {f"marker{number}": number for number in range(20)}
    cache.set_many(markers, 60)
    found = ask("get_many", list(markers))
    assert found in (markers, {})
    if not found:
        raise NotApplicable("another process does not see its entries: each has a cache of its own")


@clause("processes.writes-are-visible", MUST, docs=LOCAL, apis=SYNC_ONLY, tier=Tier.CONCURRENCY)
def writes_are_visible(cache, entry):
    """Where processes share a store, each sees what the other has written, once it is written."""
    with observers(entry()) as (ask,):
        require_shared(cache, ask)
        cache.set("set", "old", 60)
        assert ask("get", "set") == "old"
        cache.set("set", "new", 60)
        assert ask("get", "set") == "new"
        assert ask("add", "set", "theirs") is False
        assert ask("add", "add", 1) is True
        assert cache.add("add", 2) is False
        assert cache.incr("add") == 2
        assert ask("incr", "add") == 3
        assert cache.get("add") == 3
        cache.set_many({"a": 1, "b": [2]}, 60)
        assert ask("get_many", ["a", "b"]) == {"a": 1, "b": [2]}
        assert ask("touch", "a", None) is True
        assert ask("delete", "a") is True
        assert cache.get("a") is None
        assert cache.delete("b") is True
        assert ask("has_key", "b") is False
        assert ask("get_or_set", "b", "theirs", 60) == "theirs"
        assert cache.get_or_set("b", "ours") == "theirs"
        assert cache.incr_version("b") == 2
        assert ask("get", "b") is None
        assert ask("get", "b", None, 2) == "theirs"


@clause(
    "processes.entries-outlive-their-writer",
    MUST,
    docs=LOCAL,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
)
def entries_outlive_their_writer(cache, entry):
    """Where processes share a store, what one has written is there when it has been killed."""
    with observers(entry()) as (ask,):
        require_shared(cache, ask)
        ask("set", "k", {"n": (1, None)}, 60)
        assert ask("incr", "n", 1) != 1
        ask("set", "n", 41, None)
        assert ask("incr", "n") == 42
    assert cache.get_many(["k", "n"]) == {"k": {"n": (1, None)}, "n": 42}
    with observers(entry()) as (ask,):
        assert ask("get_many", ["k", "n"]) == {"k": {"n": (1, None)}, "n": 42}


def by_processes(asks, plans):
    """Carry out each plan with a process for each worker; return a history for each."""
    return [at_once(asks, plan) for plan in plans]


def at_once(asks, plan):
    start = time.monotonic() + 0.003
    seen = []

    def work(worker):
        seen.extend(asks[worker]("perform", worker, plan[worker], start))

    threads = [Thread(target=work, args=(n,)) for n in range(len(plan))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


@clause(
    "processes.operations-may-be-atomic",
    MAY,
    docs="#django.core.cache.cache.incr",
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    characteristic="atomic-across-processes",
    races=True,
)
def operations_may_be_atomic(cache, entry, experiment):
    """Operations of several processes at once are atomic, or read at one moment and write then."""
    effort = experiment.effort
    rng = random.Random(effort.seed)
    atomic = []
    with observers(entry(), effort.workers, PERFORM) as asks:
        require_shared(cache, asks[0])
        for family in families.FAMILIES:
            keys = [[f"x{n}", f"y{n}"] for n in range(effort.histories)]
            cache.delete_many([key for pair in keys for key in pair])
            if family.initial is not None:
                cache.set_many({key: family.initial for pair in keys for key in pair}, None)
            plans = [family.plan(rng, pair, effort.workers, 4) for pair in keys]
            found = verdict(family, by_processes(asks, plans))
            if found.is_atomic:
                atomic.append(family.name)
                continue
            experiment.show(str(found), picture(found.offence, f"{family.name} is not atomic"))
            if not found.is_explained:
                body = forked_race(found.context, family.initial)
                script = script_of(
                    experiment.clause,
                    Api.SYNC,
                    experiment.implementation,
                    body,
                    FORKED_RACE_IMPORTS,
                )
                raise Counterexample(f"came: {found}", script=script)
    return "; ".join(atomic) or "none"


FORK = """
def use(name):
    for number in range(60):
        key = f"{name}-{number % 3}"
        cache.set(key, f"{key} {number}", 60)
        found = cache.get(key)
        if found != f"{key} {number}":
            say(f"{key}:{found}".replace(" ", "_"))
            return 3
    return 0

cache.set("before", "fork", 60)
children = []
for number in range(3):
    child = os.fork()
    if not child:
        signal.alarm(4)  # ends a process that hangs
        try:
            inherited = cache.get("before") in ("fork", None)  # its cache may be a new one
            status = use(f"child{number}") or not inherited
        except Exception as error:
            say(type(error).__name__)
            status = 4
        os._exit(status)
    children.append(child)
signal.alarm(5)
status = use("parent")
for child in children:
    status = status or os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
os._exit(status)
"""


@clause(
    "processes.fork-with-an-open-connection",
    SHOULD,
    docs=ACCESS,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
)
def fork_with_an_open_connection(entry):
    """A cache that was used before os.fork() works in the parent and its children at once."""
    if not hasattr(os, "fork"):
        raise NotApplicable("this platform has no fork")
    with running(entry(), FORK) as process:
        status, said = ended(process)
    assert said == []
    assert status not in (None, -signal.SIGALRM), "it hangs"
    assert status == 0


FORKED = """
child = os.fork()
if not child:
    cache.set("forked", "v", 60)
    os._exit(0)
os.waitpid(child, 0)
cache.set("here", "v", 60)
say(cache.get("forked"))
"""


@clause(
    "processes.what-forks-share-all-share",
    SHOULD,
    level_for_django=MUST,
    docs=ACCESS,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
)
def what_forks_share_all_share(cache, entry):
    """What is shared by processes that were forked is shared with a new interpreter as well."""
    if not hasattr(os, "fork"):
        raise NotApplicable("this platform has no fork")
    with running(entry(), FORKED) as process:
        status, said = ended(process)
    assert status == 0
    if said != ["v"]:
        raise NotApplicable("even a forked process has a cache of its own")
    assert cache.get("here") == "v"


EXIT = """
sys.stdin.buffer.read()
cache.set("k", "v", 60)
used = threading.Thread(target=lambda: cache.get("k"))
used.start()
used.join()
say(cache.get("k"))
signal.alarm(6)  # ends an interpreter that does not end
sys.exit(7)
"""


@clause(
    "processes.exit-with-an-open-connection",
    MUST,
    docs=SIGNALS,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
)
def exit_with_an_open_connection(entry):
    """An interpreter that has used the cache, and has not closed it, ends when it is told to."""
    with running(entry(), EXIT) as process:
        yield at(1)
        status, said = ended(process)
    assert said == ["v"]
    assert status not in (None, -signal.SIGALRM), "it hangs at exit"
    assert status == 7


SIGNALLED = """
sys.stdin.buffer.read()
cache.set_many({"main": "m", "handler": "h"}, 60)

def end(word, status):
    try:
        say(word)
    finally:
        os._exit(status)

def handle(number, frame):
    if cache.get("handler") != "h":
        end("crossed", 3)
    signal.setitimer(signal.ITIMER_REAL, interval)

interval = 0
signal.signal(signal.SIGALRM, handle)
signal.raise_signal(signal.SIGALRM)
say("idle")
watch = threading.Timer(1.5, end, ("hangs", 4))
watch.daemon = True
watch.start()
interval = 0.002
signal.setitimer(signal.ITIMER_REAL, interval)
until = time.monotonic() + 0.3
try:
    while time.monotonic() < until:
        if cache.get("main") != "m":
            end("crossed", 3)
except Exception:
    end("raises", 5)
end("works", 0)
"""


@clause(
    "processes.signal-handler-may-use-it",
    MAY,
    docs=ACCESS,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    characteristic="in-signal-handlers",
)
def signal_handler_may_use_it(entry):
    """A signal handler can use the cache; where it interrupts an operation it may hang or raise."""
    if not hasattr(signal, "setitimer"):
        raise NotApplicable("this platform has no timer that signals")
    with running(entry(), SIGNALLED) as process:
        yield at(1)
        _, said = ended(process)
    assert said[:1] == ["idle"]
    assert said[1:] in (["works"], ["hangs"], ["raises"])
    return said[1]


@clause(
    "processes.alias-may-be-pickled",
    MAY,
    docs=ACCESS,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    characteristic="can-be-pickled",
)
def alias_may_be_pickled(alias, entry, backend_class):
    """An alias can be pickled, and its copy then has the same entries, or pickling it raises."""
    cache = backend_class(entry().pop("LOCATION", ""), {**entry()})
    cache.set("k", "v", 60)
    try:
        copied = pickle.loads(pickle.dumps(cache))
    except Exception:
        assert cache.get("k") == "v"
        return False
    assert copied.get("k") == "v"
    copied.set("k", "from the copy", 60)
    assert cache.get("k") == "from the copy"
    return True


class Unhurried:
    """A value that lets other threads go first while it is pickled, and while it is unpickled."""

    def __init__(self, owner):
        self.owner = owner

    def __getstate__(self):
        time.sleep(0.001)
        return self.owner

    def __setstate__(self, owner):
        time.sleep(0.001)
        self.owner = owner


@clause(
    "processes.threads-keep-apart",
    MUST,
    docs=ACCESS,
    apis=SYNC_ONLY,
    tier=Tier.CONCURRENCY,
    requires=(*EACH_OPERATION, "data.objects-survive"),
    races=True,
)
def threads_keep_apart(cache, alias, rounds, racers):
    """Threads with an alias each share one store, and none gets the value or reply of another."""
    kept = {f"kept{owner}": owner for owner in range(racers)}
    cache.set_many(kept, 60)

    def of(owner):
        def write_and_read(mine, number):
            mine.set(f"one{owner}", Unhurried(owner), 60)
            mine.set_many({f"many{owner}": Unhurried(owner)}, 60)
            written = mine.get_many([f"one{owner}", f"many{owner}"])
            assert {value.owner for value in written.values()} <= {owner}
            names = [f"kept{owner}", f"kept{(owner + number) % racers}"]
            assert mine.get_many(names) == {name: kept[name] for name in names}
            assert mine.get(names[1]) == kept[names[1]]

        return write_and_read

    race(alias, rounds, [of(owner) for owner in range(racers)])


async def interrupted(cache, rounds):
    """Cancel a read after less and more of it has been done, and read another key at once."""
    await cache.aset_many({f"k{n}": f"v{n}" for n in range(rounds)}, 60)
    for number in range(rounds):
        reading = asyncio.ensure_future(cache.aget(f"k{number}"))
        await asyncio.sleep(number % 4 * 0.0002)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            assert await reading == f"v{number}"
        other = (number + 1) % rounds
        assert await cache.aget(f"k{other}") == f"v{other}"
    found = await cache.aget_many([f"k{n}" for n in range(rounds)])
    assert found == {f"k{n}": f"v{n}" for n in range(rounds)}


@clause(
    "processes.cancelled-read-leaves-no-reply",
    MUST,
    docs=GET,
    apis=ASYNC_ONLY,
    tier=Tier.CONCURRENCY,
)
async def cancelled_read_leaves_no_reply(cache, rounds):
    """After an aget() was cancelled, later calls of the same event loop get their own values."""
    await interrupted(cache, 3 * rounds)


@clause(
    "processes.cancelled-get-or-set-keeps-nobody-waiting",
    MUST,
    docs="#django.core.cache.cache.get_or_set",
    apis=ASYNC_ONLY,
    tier=Tier.CONCURRENCY,
)
async def cancelled_get_or_set_keeps_nobody_waiting(cache, rounds):
    """After an aget_or_set() was cancelled, the next one of the same key has its value."""
    for number in range(rounds):
        computing = asyncio.ensure_future(cache.aget_or_set(f"k{number}", "v"))
        await asyncio.sleep(number % 4 * 0.0002)
        computing.cancel()
        with suppress(asyncio.CancelledError):
            await computing
        assert await cache.aget_or_set(f"k{number}", "v") == "v"


@clause(
    "processes.cancelled-loop-leaves-no-reply",
    MUST,
    docs=GET,
    apis=ASYNC_ONLY,
    tier=Tier.CONCURRENCY,
)
def cancelled_loop_leaves_no_reply(cache, rounds):
    """After a loop has ended in the middle of an aget(), the next loop gets its own values."""
    asyncio.run(interrupted(cache, rounds))

    async def left_behind(cache):
        await cache.aset_many({"one": 1, "two": 2}, 60)
        reading = asyncio.ensure_future(cache.aget("one"))
        await asyncio.sleep(0)
        return reading

    async def read(cache):
        assert [await cache.aget(key) for key in ("two", "one")] == [2, 1]

    for _ in range(rounds):
        asyncio.run(left_behind(cache))
        asyncio.run(read(cache))
    asyncio.run(interrupted(cache, rounds))
