"""The async API."""

import asyncio
import inspect
import threading
import warnings
from contextlib import suppress
from contextvars import ContextVar

from asgiref.sync import async_to_sync, sync_to_async
from django.core.cache.backends.base import BaseCache, CacheKeyWarning
from django.core.exceptions import SynchronousOnlyOperation
from django.db import router, transaction

from cache_conformance.clause import (
    ASYNC_ONLY,
    EACH_OPERATION,
    MAY,
    MUST,
    SHOULD,
    SYNC_ONLY,
    Audience,
    Tier,
    clause,
)
from cache_conformance.vocabulary import NotApplicable, after, attempt, built, overrides

ASYNC = "#asynchronous-support"
BASE = "source:django.core.cache.backends.base.BaseCache"
INCR = "#django.core.cache.cache.incr"
SHARES = ("async.shares-entries-with-sync",)
COUNTS = ("async.counters-agree",)


def calls(key):
    """Every operation but clear(), with the arguments that it cannot do without."""
    return {
        "set": (key, 1),
        "get": (key,),
        "add": (key, 1),
        "touch": (key,),
        "has_key": (key,),
        "incr": (key,),
        "decr": (key,),
        "get_many": ([key],),
        "set_many": ({key: 1},),
        "get_or_set": (key, 1),
        "incr_version": (key,),
        "decr_version": (key,),
        "delete": (key,),
        "delete_many": ([key],),
        "close": (),
    }


class Awaited:
    """A cache on which ``get(...)`` is ``aget(...)``, to be awaited."""

    def __init__(self, cache):
        self.cache = cache

    def __getattr__(self, name):
        return getattr(self.cache, f"a{name}")


class Called:
    """A cache on which ``get(...)``, to be awaited, calls ``get(...)`` outside the event loop."""

    def __init__(self, cache):
        self.cache = cache

    def __getattr__(self, name):
        return sync_to_async(getattr(self.cache, name))


class Unpicklable:
    def __reduce__(self):
        raise TypeError("it cannot be pickled")


async def outcome(step):
    """Return the result of a step with its type, or the type of its error."""
    try:
        result = await step
    except Exception as error:
        return type(error)
    return dict if isinstance(result, dict) else type(result), result


async def outcomes(cache, alias, scenario):
    """Return what the steps of a scenario give when called, and what they give when awaited."""
    called, awaited = Called(cache), Awaited(alias(KEY_PREFIX=cache.key_prefix + "x"))
    return (
        [await outcome(step) async for step in scenario(called)],
        [await outcome(step) async for step in scenario(awaited)],
    )


def backwards(key, prefix, version):
    return f"{prefix}:{version}:{key}"[::-1]


SETTINGS = (
    {},
    {"VERSION": 3},
    {"KEY_FUNCTION": backwards},
)


@clause(
    "async.every-operation-has-a-variant",
    MUST,
    docs=ASYNC,
    audience=Audience.EVERY,
    requires=(),
)
async def every_operation_has_a_variant(backend_class, entry):
    """Each of the sixteen operations has an async variant, with an a before its name."""
    cache = built(backend_class, entry())
    for name, arguments in calls("k").items():
        variant = getattr(cache, f"a{name}")(*arguments)
        assert inspect.isawaitable(variant), f"a{name}() cannot be awaited"
        with suppress(ValueError):
            await variant
    assert callable(cache.aclear)


@clause("async.same-arguments", MUST, docs=ASYNC, audience=Audience.EVERY, requires=())
async def variants_take_the_same_arguments(backend_class, entry):
    """Each async variant takes the arguments of its sync twin, with the same defaults."""
    cache = built(backend_class, entry())
    for name in (*calls("k"), "clear"):
        twin = inspect.signature(getattr(cache, name)).parameters
        variant = inspect.signature(getattr(cache, f"a{name}"))
        documented = inspect.signature(getattr(BaseCache({}), name)).parameters.values()
        positional = [p.name for p in documented if p.kind is p.POSITIONAL_OR_KEYWORD]
        variant.bind(*positional)
        variant.bind(*positional[:1], **dict.fromkeys(positional[1:]))
        for parameter in twin.keys() & variant.parameters.keys():
            assert variant.parameters[parameter].default == twin[parameter].default


async def basic_steps(cache):
    await cache.set("k", [1, "v"])
    await cache.set("k", "second", version=2)
    yield cache.get("k")
    yield cache.get("k", version=2)
    yield cache.get("absent")
    yield cache.get("absent", "default")
    yield cache.add("k", "other")
    yield cache.add("added", "v", 60)
    yield cache.has_key("added")
    yield cache.has_key("absent")
    yield cache.touch("added", 60)
    yield cache.touch("absent")
    yield cache.delete("added")
    yield cache.delete("added")
    yield cache.delete("k", version=2)
    yield cache.get("k")
    yield cache.set("unpicklable", Unpicklable())


@clause("async.basic-operations-agree", MUST, docs=ASYNC)
async def basic_operations_agree(cache, alias):
    """The variants of get, set, add, delete, has_key and touch give the results of their twins."""
    called, awaited = await outcomes(cache, alias, basic_steps)
    assert awaited == called


async def many_steps(cache):
    await cache.set_many({"a": 1, "none": None})
    await cache.set_many({"a": 2, "b": 2}, 60, 2)
    await cache.set_many({"brief": 1}, timeout=0)
    await cache.set_many({})
    yield cache.get_many(iter(["a", "none", "absent", "brief"]))
    yield cache.get_many(["a", "b"], version=2)
    yield cache.get_many([])
    await cache.delete_many(["a"], version=2)
    await cache.delete_many(key for key in ["none"])
    await cache.delete_many([])
    yield cache.get_many(["a", "none"])
    yield cache.get_many(["a", "b"], 2)


@clause("async.many-operations-agree", MUST, docs=ASYNC)
async def many_operations_agree(cache, alias):
    """aget_many, aset_many and adelete_many give the results of their sync twins."""
    called, awaited = await outcomes(cache, alias, many_steps)
    assert awaited == called


async def get_or_set_steps(cache):
    yield cache.get_or_set("plain", 1)
    yield cache.get_or_set("plain", 2)
    yield cache.get_or_set("made", lambda: 3)
    yield cache.get_or_set("made", lambda: 4)
    yield cache.get_or_set("none", None)
    yield cache.get_or_set("none", 5)
    yield cache.get_or_set("brief", 6, 0)
    yield cache.get_or_set("brief", 7, timeout=0)
    yield cache.get_or_set("plain", 8, 60, 2)
    yield cache.get("plain")
    yield cache.get("plain", version=2)


@clause("async.get-or-set-agrees", MUST, docs=ASYNC)
async def get_or_set_agrees(cache, alias):
    """aget_or_set gives the result of get_or_set, for plain values and for callables."""
    called, awaited = await outcomes(cache, alias, get_or_set_steps)
    assert awaited == called


async def counter_steps(cache):
    await cache.set("n", 7)
    await cache.set("n", 20, version=2)
    yield cache.incr("n")
    yield cache.incr("n", 10)
    yield cache.incr("n", -2)
    yield cache.decr("n")
    yield cache.decr("n", delta=5)
    yield cache.incr("n", version=2)
    yield cache.decr("n", 3, 2)
    yield cache.get("n")
    yield cache.incr("absent")
    yield cache.decr("absent")


@clause("async.counters-agree", MUST, docs=ASYNC)
async def counters_agree(cache, alias):
    """The variants of incr and decr return the new number and refuse absent keys as these do."""
    called, awaited = await outcomes(cache, alias, counter_steps)
    assert awaited == called


async def version_steps(cache):
    await cache.set("k", "v")
    yield cache.incr_version("k")
    yield cache.get("k")
    yield cache.get("k", version=2)
    yield cache.incr_version("k", 3, 2)
    yield cache.decr_version("k", version=5)
    yield cache.decr_version("k", delta=2, version=4)
    yield cache.get("k", version=2)
    yield cache.incr_version("absent")
    yield cache.decr_version("absent", version=2)


@clause("async.version-changes-agree", MUST, docs=ASYNC)
async def version_changes_agree(cache, alias):
    """aincr_version and adecr_version give the results of their sync twins."""
    called, awaited = await outcomes(cache, alias, version_steps)
    assert awaited == called


@clause(
    "async.shares-entries-with-sync",
    MUST,
    docs=BASE,
    each=SETTINGS,
)
async def variants_share_entries_with_sync(alias, value):
    """Sync and async calls read and write the same entries."""
    cache = alias(**value)
    called, awaited = Called(cache), Awaited(cache)
    for writer, reader in ((called, awaited), (awaited, called)):
        await writer.set("set", {"a": (1, None)})
        await writer.set("version", "second", version=2)
        await writer.add("add", b"\x00bytes")
        await writer.set_many({"many": 1.5})
        await writer.get_or_set("get_or_set", "v")
        assert await reader.get("set") == {"a": (1, None)}
        assert await reader.get("version", version=2) == "second"
        assert await reader.add("add", "other") is False
        assert await reader.has_key("many") is True
        assert await reader.get_many(["add", "many"]) == {"add": b"\x00bytes", "many": 1.5}
        assert await reader.get_or_set("get_or_set", "other") == "v"
        assert await reader.touch("set", 60) is True
        await reader.delete_many(["set", "add", "many"])
        assert await writer.get("set") is None
        assert await writer.delete("get_or_set") is True
        assert await reader.has_key("get_or_set") is False


async def complaints(cache):
    """Return what each operation says about a bad key: its error, and whether it warns."""
    found = {}
    for name, arguments in calls("a bad key").items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", CacheKeyWarning)
            try:
                await getattr(cache, name)(*arguments)
            except Exception as error:
                found[name] = type(error)
        found[f"{name} warns"] = bool(caught)
    return found


@clause("async.validates-keys-alike", MUST, docs="#cache-warnings", requires=SHARES)
async def variants_validate_keys_alike(cache, alias):
    """A key that a sync operation warns about or refuses is treated alike by its variant."""
    called = await complaints(Called(cache))
    awaited = await complaints(Awaited(alias(KEY_PREFIX=cache.key_prefix + "x")))
    for name in called.keys() | awaited.keys():
        assert awaited.get(name) == called.get(name), name


@clause(
    "async.variants-use-sync-overrides",
    SHOULD,
    level_for_django=MUST,
    docs=f"{BASE}.aget_many",
    django=">=6.1",
    each=(
        "get_many",
        "set_many",
        "delete_many",
        "get_or_set",
        "has_key",
        "incr",
        "incr_version",
        "close",
    ),
)
async def variants_use_sync_overrides(backend_class, entry, value):
    """Where a subclass overrides a sync operation, the async variant uses that override."""
    if overrides(backend_class, "aget"):
        raise NotApplicable("its async operations are not made from its sync ones")
    overriding = type("Overriding", (backend_class,), {value: lambda *_, **__: "overridden"})
    cache, arguments = built(overriding, entry()), calls("k")[value]
    if attempt(getattr(cache, value), *arguments) != "overridden":
        raise NotApplicable(f"its instances do not use a {value}() of a subclass")
    returned = await getattr(cache, f"a{value}")(*arguments)
    assert returned == "overridden"


DERIVED = {
    "decr": "incr",
    "decr_version": "incr_version",
    "get_many": "get",
    "has_key": "get",
    "set_many": "set",
    "incr": "set",
    "incr_version": "set",
    "delete_many": "delete",
    "get_or_set": "add",
}


@clause("async.variants-use-native-ones", SHOULD, docs=f"{BASE}.adecr")
async def variants_use_native_ones(backend_class, entry):
    """Where a subclass defines a native aget, aset or aincr, the variants made from them use it."""
    for name, base in DERIVED.items():
        if overrides(backend_class, name) or overrides(backend_class, f"a{base}"):
            continue
        used = []

        async def native(cache, *args, used=used, base=base, **kwargs):
            used.append(base)
            return await sync_to_async(getattr(cache, base))(*args, **kwargs)

        cache = built(type("Native", (backend_class,), {f"a{base}": native}), entry())
        if getattr(getattr(cache, f"a{base}"), "__func__", None) is not native:
            raise NotApplicable(f"its instances do not use an a{base}() of a subclass")
        if name != "get_or_set":
            await sync_to_async(cache.set)(name, 1)
        await getattr(cache, f"a{name}")(*calls(name)[name])
        assert base in used, f"a{name}() has not used a{base}()"


@clause(
    "async.aget-leaves-the-loop-free",
    SHOULD,
    docs=f"{BASE}.aget",
    characteristic="native-async",
)
async def aget_leaves_the_loop_free(backend_class, entry):
    """aget() is native, or calls get() in a thread: other tasks run while it waits."""
    released, waits = threading.Event(), []

    def get(*_, **__):
        waits.append(released.wait(0.3))

    cache = built(type("Slow", (backend_class,), {"get": get, "get_many": get}), entry())
    reading = asyncio.ensure_future(cache.aget("k"))
    await asyncio.sleep(0)
    released.set()
    await reading
    assert all(waits)
    return not waits


TENANT = ContextVar("tenant", default="nobody")


def by_tenant(key, key_prefix, version):
    """A key function that puts a context variable into the final key."""
    return f"{key_prefix}:{version}:{TENANT.get()}:{key}"


async def writes_as(tenant, cache):
    """Write as one tenant, with every operation that stores."""
    TENANT.set(tenant)
    await cache.aset("set", tenant)
    await cache.aset("n", 1)
    assert await cache.aadd("add", tenant) is True
    await cache.aset_many({"set_many": tenant})
    assert await cache.aget_or_set("get_or_set", tenant) == tenant


async def works_as(tenant, cache):
    """Read and change as one tenant what this tenant has written, and nothing else."""
    TENANT.set(tenant)
    assert await cache.aget("set") == tenant
    assert await cache.aget_many(["add", "set_many"]) == {"add": tenant, "set_many": tenant}
    assert await cache.ahas_key("get_or_set") is True
    assert await cache.atouch("set", 60) is True
    assert await cache.aincr("n") == 2
    assert await cache.adecr("n", 2) == 0
    assert await cache.adelete("set") is True
    await cache.adelete_many(["add"])
    assert await cache.aget_many(["set", "add", "set_many"]) == {"set_many": tenant}


@clause(
    "async.context-variables-reach-the-key-function",
    SHOULD,
    level_for_django=MUST,
    docs="topics/async/#asgiref.sync.sync_to_async",
    requires=("key.function-names-the-entry",),
)
async def context_variables_reach_the_key_function(alias):
    """A key function sees the context variables of the task that awaits the operation."""
    cache = alias(KEY_FUNCTION=by_tenant)
    tenants = "first", "second"
    for tenant in tenants:
        await asyncio.create_task(writes_as(tenant, cache))
    assert await cache.aget("set") is None
    for tenant in tenants:
        await asyncio.create_task(works_as(tenant, cache))


@clause(
    "async.takes-a-hundred-calls-at-once",
    SHOULD,
    level_for_django=MUST,
    docs=ASYNC,
    requires=("async.basic-operations-agree",),
)
async def takes_a_hundred_calls_at_once(cache):
    """A hundred tasks may await operations at once, however many connections the backend has."""
    keys = [f"k{number}" for number in range(100)]
    await asyncio.gather(*(cache.aset(key, key) for key in keys))
    found = await asyncio.gather(*(cache.aget(key) for key in keys))
    assert found == keys


@clause("async.concurrent-calls-keep-apart", MUST, docs=ASYNC, tier=Tier.CONCURRENCY)
async def concurrent_calls_keep_apart(cache, racers):
    """Async operations may be awaited concurrently, and each gets its own answer."""

    async def task(number):
        await cache.aset(f"k{number}", f"value {number}")
        return await cache.aget(f"k{number}")

    values = [f"value {number}" for number in range(racers)]
    assert await asyncio.gather(*(task(number) for number in range(racers))) == values
    reading = (cache.aget(f"k{number}") for number in range(racers))
    assert await asyncio.gather(*reading) == values


async def busy(cache, loop):
    """Await the operations concurrently."""

    async def task(number):
        key = f"{loop}-{number}"
        await cache.aset(key, number)
        assert await cache.aget(key) == number
        assert await cache.aadd(key, 0) is False
        assert await cache.atouch(key, 60) is True
        assert await cache.aget_or_set(key, 0) == number
        await cache.aset_many({key: number})
        assert await cache.aget_many([key]) == {key: number}
        assert await cache.aincr(key) == number + 1
        assert await cache.adelete(key) is True
        await cache.adelete_many([key])
        assert await cache.ahas_key(key) is False

    await asyncio.gather(*(task(number) for number in range(4)))


@clause("async.every-loop-may-be-busy", MUST, docs=ASYNC, apis=ASYNC_ONLY, requires=EACH_OPERATION)
def every_loop_may_be_busy(cache):
    """Operations may be awaited concurrently in one event loop after another."""
    for loop in "first", "second", "third":
        asyncio.run(busy(cache, loop))


@clause(
    "async.takes-part-in-transactions-alike",
    SHOULD,
    level_for_django=MUST,
    docs="topics/async/#asgiref.sync.sync_to_async",
    apis=SYNC_ONLY,
    database=True,
    requires=EACH_OPERATION,
)
def takes_part_in_transactions_alike(cache):
    """Where a database transaction takes back what sync operations write, it does so with async."""
    from django.contrib.sessions.models import Session

    database = router.db_for_write(Session)

    def awaited(name, *args):
        return async_to_sync(getattr(cache, f"a{name}"))(*args)

    def undone(operation, *args):
        with transaction.atomic(using=database):
            operation(*args)
            transaction.set_rollback(True, using=database)
        return cache.get("n") == 1 and cache.get("absent") is None

    cache.set("n", 1)
    if not undone(cache.set, "n", 2):
        raise NotApplicable("its entries take no part in the transactions of a database")
    with transaction.atomic(using=database):
        cache.set("n", 2)
        assert awaited("get", "n") == 2
        assert awaited("get_many", ["n"]) == {"n": 2}
        assert awaited("get_or_set", "n", 3) == 2
        cache.delete("n")
        assert awaited("has_key", "n") is False
        transaction.set_rollback(True, using=database)
    assert undone(awaited, "set", "n", 2)
    assert undone(awaited, "add", "absent", 2)
    assert undone(awaited, "touch", "n", 0)
    assert undone(awaited, "incr", "n")
    assert undone(awaited, "set_many", {"n": 2, "absent": 2})
    assert undone(awaited, "get_or_set", "absent", 2)
    assert undone(awaited, "delete", "n")
    assert undone(awaited, "delete_many", ["n"])


@clause(
    "async.concurrent-aadd-has-one-winner",
    SHOULD,
    level_for_django=MUST,
    docs="#django.core.cache.cache.add",
    tier=Tier.CONCURRENCY,
)
async def concurrent_aadd_has_one_winner(cache, rounds, racers):
    """Of several tasks that add one absent key, at most one is told True, and its value stays."""
    for key in [f"k{number}" for number in range(rounds)]:
        added = await asyncio.gather(*(cache.aadd(key, number) for number in range(racers)))
        winners = [number for number, won in enumerate(added) if won]
        assert winners in ([], [await cache.aget(key)])


@clause(
    "async.concurrent-aget-or-set-agrees",
    SHOULD,
    docs=f"{BASE}.aget_or_set",
    tier=Tier.CONCURRENCY,
)
async def concurrent_aget_or_set_agrees(cache, rounds, racers):
    """Tasks that call aget_or_set() on one absent key all get the value that stays stored."""
    for key in [f"k{number}" for number in range(rounds)]:
        found = await asyncio.gather(*(cache.aget_or_set(key, n) for n in range(racers)))
        assert set(found) == {await cache.aget(key)}


@clause("async.aincr-is-as-atomic-as-incr", SHOULD, docs=INCR, tier=Tier.CONCURRENCY)
async def aincr_is_as_atomic_as_incr(cache, backend_class, rounds, racers):
    """Where incr() is the backend's own, each aincr() and adecr() of concurrent tasks counts."""
    if not overrides(backend_class, "incr") and not overrides(backend_class, "aincr"):
        raise NotApplicable("its incr() is the get() and set() of BaseCache")
    await cache.aset("n", 0)
    for number in range(rounds):
        counts = await asyncio.gather(*(cache.aincr("n") for _ in range(racers)))
        assert sorted(counts) == [number * racers + n for n in range(1, racers + 1)]
    await asyncio.gather(*(cache.adecr("n") for _ in range(racers)))
    assert await cache.aget("n") == (rounds - 1) * racers


@clause("async.aincr-treats-expiry-as-incr", SHOULD, docs=f"{BASE}.aincr")
async def aincr_treats_the_expiry_as_incr(cache, alias):
    """aincr() and adecr() keep or renew the remaining time of a key as incr() and decr() do."""
    called = Called(alias(TIMEOUT=1))
    awaited = Awaited(alias(TIMEOUT=1, KEY_PREFIX=cache.key_prefix + "x"))
    for kind in called, awaited:
        await kind.set("up", 1, 60)
        await kind.incr("up")
        await kind.set("down", 9, 60)
        await kind.decr("down")
    yield after(1)
    left_by_sync = [await called.has_key(key) for key in ("up", "down")]
    left_by_async = [await awaited.has_key(key) for key in ("up", "down")]
    assert left_by_async == left_by_sync


async def floor_steps(cache):
    await cache.set("n", 2)
    yield cache.decr("n", 5)
    yield cache.get("n")
    yield cache.incr("n", -5)
    yield cache.get("n")


@clause("async.adecr-treats-zero-as-decr", SHOULD, docs=f"{BASE}.adecr", requires=COUNTS)
async def adecr_treats_zero_as_decr(cache, alias):
    """adecr() goes below zero, or stops there, just as decr() does."""
    called, awaited = await outcomes(cache, alias, floor_steps)
    assert awaited == called


async def wrong_type_steps(cache):
    await cache.set("text", "seven")
    await cache.set("list", [7])
    yield cache.incr("text")
    yield cache.decr("text")
    yield cache.incr("list")
    yield cache.get("text")
    yield cache.get("list")


@clause("async.aincr-treats-wrong-types-as-incr", SHOULD, docs=f"{BASE}.aincr", requires=COUNTS)
async def aincr_treats_wrong_types_as_incr(cache, alias):
    """aincr() and adecr() of what is no number fail with the error of incr() and decr()."""
    called, awaited = await outcomes(cache, alias, wrong_type_steps)
    assert awaited == called


@clause(
    "async.coroutine-function-as-default",
    MAY,
    docs=f"{BASE}.aget_or_set",
    characteristic="coroutine-function-as-default",
)
async def a_coroutine_function_as_default(cache):
    """aget_or_set() may refuse a coroutine function as default, or await it."""

    async def default():
        return "awaited"

    try:
        found = await cache.aget_or_set("k", default)
    except Exception:
        assert await cache.aget("k") is None
        return "refused"
    assert found == "awaited"
    assert await cache.aget("k") == "awaited"
    return "awaited"


@clause(
    "async.sync-calls-inside-the-loop",
    MAY,
    docs="topics/async/#async-safety",
    characteristic="sync-calls-inside-the-loop",
)
async def sync_calls_inside_the_loop(cache):
    """A sync operation, or in, inside a running event loop may work, or be refused."""
    await cache.aset("k", "v")
    try:
        found, present = cache.get("k"), "k" in cache
    except (RuntimeError, SynchronousOnlyOperation):
        return "refused"
    assert found == "v"
    assert present is True
    return "answered"
