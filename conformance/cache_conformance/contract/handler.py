"""The caches handler, the cache proxy and the request signals."""

import gc
from asyncio import gather
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from unittest.mock import Mock, call, patch

from asgiref.sync import async_to_sync, sync_to_async
from django.core.cache import InvalidCacheBackendError, caches
from django.core.cache import cache as proxy
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_finished, request_started
from django.db import connections
from django.test.utils import override_settings

from cache_conformance.clause import EACH_OPERATION, MUST, SYNC_ONLY, Audience, clause
from cache_conformance.vocabulary import NotApplicable, raises, replaced

ACCESSING = "#accessing-the-cache"
CONTEXT = "source:django.utils.connection.BaseConnectionHandler"
CREATE_CONNECTION = "source:django.core.cache.CacheHandler.create_connection"
REQUESTS = "ref/signals/#request-started"
REQUEST_END = "source:django.core.cache.close_caches"
OVERRIDING = "topics/testing/tools/#overriding-settings"


@contextmanager
def configured(**aliases):
    """Make ``aliases`` the CACHES setting; afterwards forget them, even if their close() fails."""
    with override_settings(CACHES=aliases):
        try:
            yield
        finally:
            for alias in caches:
                with suppress(AttributeError):
                    del caches[alias]


def in_a_thread(function):
    """Return what ``function`` returns in a thread of its own."""

    def run():
        try:
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@clause(
    "handler.same-object-in-a-thread",
    MUST,
    docs=ACCESSING,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def same_object_in_a_thread(entry):
    """Repeated requests for an alias in one thread give the same object."""
    with configured(default=entry()):
        first = caches["default"]
        assert caches["default"] is first
        first.set("k", "v")
        first.get("k")
        assert caches["default"] is first


@clause(
    "handler.another-object-in-another-thread",
    MUST,
    docs=ACCESSING,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def another_object_in_another_thread(entry):
    """Each thread is given an instance of its own."""
    with configured(default=entry()):
        mine = caches["default"]
        theirs = in_a_thread(lambda: caches["default"])
        assert mine is not theirs


@clause("handler.threads-share-the-store", MUST, docs=ACCESSING, apis=SYNC_ONLY)
def threads_share_the_store(entry):
    """What one thread's instance writes or deletes, the instances of other threads see."""
    with configured(default=entry()):
        caches["default"].set_many({"mine": 1, "deleted": 2})
        found = in_a_thread(lambda: caches["default"].get_many(["mine", "deleted"]))
        assert found == {"mine": 1, "deleted": 2}
        in_a_thread(lambda: caches["default"].set("theirs", 3))
        in_a_thread(lambda: caches["default"].delete("deleted"))
        found = caches["default"].get_many(["mine", "theirs", "deleted"])
        assert found == {"mine": 1, "theirs": 3}


@clause("handler.entries-outlive-instances", MUST, docs=ACCESSING, apis=SYNC_ONLY)
def entries_outlive_instances(entry):
    """What a thread has stored is there after the thread and its instance have gone."""
    with configured(default=entry()):
        in_a_thread(lambda: caches["default"].set("k", "v"))
        gc.collect()
        found = in_a_thread(lambda: caches["default"].get("k"))
        assert found == "v"


@clause("handler.sync-and-async-code-share-the-instance", MUST, docs=CONTEXT)
async def sync_and_async_code_share_the_instance(entry):
    """sync_to_async() and async_to_sync() calls use the caller's instance, and it works in both."""

    def get_in_sync_code():
        return caches["default"], caches["default"].get("k")

    async def get_in_async_code():
        return caches["default"], await caches["default"].aget("k")

    with configured(default=entry()):
        mine = caches["default"]
        await mine.aset("k", "v")
        theirs, value = await sync_to_async(get_in_sync_code)()
        assert theirs is mine
        assert value == "v"
        theirs, value = await sync_to_async(async_to_sync(get_in_async_code))()
        assert theirs is mine
        assert value == "v"


async def default_in_a_task():
    """Return the instance that a task is given, after it has been used there."""
    await caches["default"].aget("k")
    return caches["default"]


@clause(
    "handler.tasks-share-what-their-parent-has",
    MUST,
    docs=CONTEXT,
    audience=Audience.EVERY,
    requires=(),
)
async def tasks_share_what_their_parent_has(entry):
    """Tasks use the instance of the code that starts them, if it has asked for the alias."""
    with configured(default=entry()):
        mine = caches["default"]
        first, second = await gather(default_in_a_task(), default_in_a_task())
        assert first is mine
        assert second is mine


@clause(
    "handler.tasks-build-what-their-parent-has-not",
    MUST,
    docs=CONTEXT,
    audience=Audience.EVERY,
    requires=(),
)
async def tasks_build_what_their_parent_has_not(entry):
    """Tasks build an instance each, if the code that starts them has not asked for the alias."""
    with configured(default=entry()):
        first, second = await gather(default_in_a_task(), default_in_a_task())
        assert first is not second


@clause(
    "handler.unknown-alias-raises",
    MUST,
    docs=ACCESSING,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def unknown_alias_raises(entry):
    """An alias that is not configured raises InvalidCacheBackendError."""
    assert issubclass(InvalidCacheBackendError, ImproperlyConfigured)
    with configured(default=entry()):
        caches["default"].get("k")
        with raises(InvalidCacheBackendError):
            caches["unknown"]


@clause(
    "handler.unimportable-backend-raises",
    MUST,
    docs=CREATE_CONNECTION,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def unimportable_backend_raises(entry, backend_class):
    """A BACKEND that cannot be imported raises InvalidCacheBackendError, which names it."""
    module = backend_class.__module__
    for path in (f"{module}.MissingCache", f"{module}_missing.Cache", "NoDotCache"):
        with configured(default=entry(BACKEND=path)):
            try:
                backend = caches["default"]
            except InvalidCacheBackendError as error:
                assert path in str(error)
            else:
                raise AssertionError(f"{path} gave {backend!r}")


class ConstructorError(Exception):
    """What a constructor raises."""


@clause(
    "handler.constructor-error-passes",
    MUST,
    docs=CREATE_CONNECTION,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def constructor_error_passes(entry, backend_class):
    """What the constructor of a backend raises reaches the caller as it is."""
    for error in (ConstructorError("wrong settings"), ImportError("no client library")):
        with (
            configured(default=entry()),
            patch.object(backend_class, "__init__", side_effect=error),
        ):
            try:
                caches["default"]
            except Exception as came:
                assert came is error
            else:
                raise AssertionError("the error is lost")


@clause(
    "handler.iterates-over-aliases",
    MUST,
    docs="source:django.utils.connection.BaseConnectionHandler.__iter__",
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def iterates_over_aliases(entry):
    """The caches iterate over the names of the aliases, and ``in`` tells whether one is there."""
    with configured(default=entry(), other=entry()):
        caches["default"].get("k")
        names = list(caches)
        assert names == ["default", "other"]
        assert "other" in caches
        assert "unknown" not in caches


@clause(
    "handler.all-builds-every-alias",
    MUST,
    docs="source:django.utils.connection.BaseConnectionHandler.all",
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def all_builds_every_alias(entry):
    """all() gives one instance for each alias and builds what is missing."""
    with configured(default=entry(), other=entry()):
        first = caches["default"]
        instances = caches.all()
        assert instances[0] is first
        assert instances[1] is caches["other"]
        assert instances[1] is not first
        assert len(instances) == 2


@clause(
    "handler.all-initialized-only-builds-none",
    MUST,
    docs="source:django.utils.connection.BaseConnectionHandler.all",
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def all_initialized_only_builds_none(entry):
    """all(initialized_only=True) gives the instances that there are in this thread."""
    with configured(default=entry(), other=entry()):
        instances = caches.all(initialized_only=True)
        assert instances == []
        used = caches["default"]
        used.get("k")
        instances = caches.all(initialized_only=True)
        assert len(instances) == 1
        assert instances[0] is used


@clause(
    "handler.close-all-builds-none",
    MUST,
    docs="releases/3.2.4/#bugfixes",
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def close_all_builds_none(entry):
    """close_all() closes the instances that there are, and builds none."""
    with configured(default=entry(), other=entry()):
        caches.close_all()
        instances = caches.all(initialized_only=True)
        assert instances == []
        used = caches["default"]
        with replaced(used, "close", Mock(wraps=used.close)) as close:
            caches.close_all()
        closings = close.call_args_list
        assert closings == [call()]
        instances = caches.all(initialized_only=True)
        assert len(instances) == 1
        assert instances[0] is used


@clause(
    "handler.proxy-forwards-attributes",
    MUST,
    docs=ACCESSING,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def proxy_forwards_attributes(entry):
    """Attributes of the cache proxy are those of caches["default"], to get, set and delete."""
    with configured(default=entry(VERSION=7)):
        assert proxy.version == 7
        require_attributes(caches["default"])
        proxy.mark = "mine"
        assert caches["default"].mark == "mine"
        assert not hasattr(in_a_thread(lambda: caches["default"]), "mark")
        del proxy.mark
        assert not hasattr(caches["default"], "mark")


def require_attributes(backend):
    try:
        backend.mark = None
    except AttributeError as error:
        raise NotApplicable(f"it takes no attributes: {error}") from error
    if not hasattr(backend, "mark"):
        raise NotApplicable("it has not the attributes that it takes")
    del backend.mark


@clause("handler.proxy-forwards-in", MUST, docs=ACCESSING, apis=SYNC_ONLY)
def proxy_forwards_in(entry):
    """``in`` asks the cache proxy for the keys of caches["default"]."""
    with configured(default=entry()):
        caches["default"].set("k", "v")
        assert "k" in proxy
        assert "absent" not in proxy


@clause(
    "handler.proxy-equals-the-default-cache",
    MUST,
    docs=ACCESSING,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def proxy_equals_the_default_cache(entry):
    """The cache proxy equals caches["default"]."""
    with configured(default=entry()):
        assert proxy == caches["default"]


@clause("handler.override-takes-effect-at-once", MUST, docs=OVERRIDING, apis=SYNC_ONLY)
def override_takes_effect_at_once(entry):
    """Overridden CACHES count at once for a cache that was imported and used before."""
    prefix = entry().get("KEY_PREFIX", "")
    with configured(default=entry()):
        proxy.set("k", "v")
        with configured(default=entry(KEY_PREFIX=prefix + "x", TIMEOUT=60)):
            assert proxy.get("k") is None
            assert proxy.default_timeout == 60
            proxy.set("k", "w")
        assert proxy.get("k") == "v"
        assert proxy.default_timeout == 300


@clause(
    "handler.override-closes-and-drops",
    MUST,
    docs="source:django.test.signals.clear_cache_handlers",
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def override_closes_and_drops(entry):
    """Overriding CACHES closes the instances of before, and they are not given out again."""
    with configured(default=entry()):
        before = caches["default"]
        with replaced(before, "close", Mock(wraps=before.close)) as close:
            with configured(default=entry()):
                closings = close.call_args_list
                assert closings == [call()]
                assert caches["default"] is not before
            assert caches["default"] is not before


@clause(
    "handler.request-end-closes",
    MUST,
    docs=REQUEST_END,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def request_end_closes(entry):
    """At the end of a request close() is called, without arguments, on what has been used."""
    with configured(default=entry(), other=entry()):
        used = caches["default"]
        used.get("k")
        with replaced(used, "close", Mock(wraps=used.close)) as close:
            request_finished.send(sender=None)
        closings = close.call_args_list
        assert closings == [call()]
        instances = caches.all(initialized_only=True)
        assert len(instances) == 1


@clause("handler.request-end-keeps-the-instance", MUST, docs=REQUEST_END, apis=SYNC_ONLY)
def request_end_keeps_the_instance(entry):
    """After the end of a request the alias gives the same instance, and it works."""
    with configured(default=entry()):
        before = caches["default"]
        before.set("k", "v")
        for _ in range(2):
            request_finished.send(sender=None)
            assert caches["default"] is before
            value = before.get("k")
            assert value == "v"
        before.set("k", "w")
        value = before.get("k")
        assert value == "w"


@clause("handler.request-start-keeps-data", MUST, docs=REQUESTS, apis=SYNC_ONLY)
def request_start_keeps_data(entry):
    """What a request has stored is there when the next one has started."""
    with configured(default=entry()):
        caches["default"].set("k", "v")
        for _ in range(2):
            request_started.send(sender=None)
            value = caches["default"].get("k")
            assert value == "v"


@clause(
    "handler.aliases-share-the-store", MUST, docs="#cache-key-prefixing", requires=EACH_OPERATION
)
def aliases_share_the_store(alias):
    """Aliases with the same settings share one store: what one does, the other sees."""
    first, second = alias(), alias()
    first.set_many({"k": 1, "deleted": 2})
    assert second.get_many(["k", "deleted"]) == {"k": 1, "deleted": 2}
    assert second.get("k") == 1
    assert second.incr("k") == 2
    assert first.get("k") == 2
    second.set("k", "v")
    assert first.get("k") == "v"
    assert first.get_many(["k"]) == {"k": "v"}
    assert second.add("k", "w") is False
    first.delete("deleted")
    assert second.get("deleted") is None
    assert second.has_key("deleted") is False
