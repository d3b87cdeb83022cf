"""close: the end of a request, not of the cache."""

from unittest.mock import Mock, call

from django.core.cache import CacheHandler

from cache_conformance.clause import EACH_OPERATION, MUST, SHOULD, Audience, clause
from cache_conformance.vocabulary import replaced

CLOSE = "#django.core.cache.cache.close"
BASE_CLOSE = "source:django.core.cache.backends.base.BaseCache.close"
REQUEST_END = "source:django.core.cache.close_caches"


@clause("close.at-any-time", MUST, docs=CLOSE, audience=Audience.EVERY, requires=())
def at_any_time(alias):
    """close() may be called before anything else, after use, and again."""
    cache = alias()
    cache.close()
    cache.close()
    cache.set("k", "v")
    cache.get("k")
    cache.close()
    cache.close()


@clause(
    "close.returns-none",
    SHOULD,
    docs=BASE_CLOSE,
    audience=Audience.EVERY,
    requires=("close.at-any-time",),
)
def returns_none(cache):
    """close() returns None."""
    assert cache.close() is None
    cache.get("k")
    assert cache.close() is None


@clause(
    "close.accepts-keyword-arguments",
    SHOULD,
    docs=BASE_CLOSE,
    audience=Audience.EVERY,
    requires=("close.at-any-time",),
)
def accepts_keyword_arguments(cache):
    """close() accepts any keyword arguments, as a receiver of a signal does."""
    cache.close(signal=1, sender=None)
    cache.get("k")
    cache.close(anything=object())


@clause("close.keeps-data", MUST, docs=REQUEST_END)
def keeps_data(cache):
    """close() removes nothing from the cache."""
    cache.set("k", "v")
    cache.set("forever", "v", timeout=None)
    cache.close()
    assert cache.get("k") == "v"
    cache.close()
    cache.close()
    assert cache.get_many(["k", "forever"]) == {"k": "v", "forever": "v"}


@clause("close.instance-works-again", MUST, docs=REQUEST_END, requires=EACH_OPERATION)
def instance_works_again(cache):
    """After close() every operation of the same instance works: later requests use it."""
    for _ in range(2):
        cache.set("n", 1)
        cache.close()
        cache.set("k", "v")
        cache.close()
        assert cache.get("k") == "v"
        cache.close()
        cache.add("added", "v")
        cache.close()
        assert cache.get_many(["k", "added"]) == {"k": "v", "added": "v"}
        cache.close()
        cache.set_many({"a": 1, "b": 2})
        cache.close()
        assert cache.has_key("a")
        cache.close()
        cache.touch("a", 60)
        cache.close()
        assert cache.incr("n") == 2
        cache.close()
        cache.delete("k")
        cache.close()
        assert cache.get_or_set("k", "w") == "w"
        cache.close()
        cache.delete_many(["added"])
        assert cache.get_many(["k", "added", "a", "b"]) == {"k": "w", "a": 1, "b": 2}


@clause(
    "close.aclose-runs-close",
    SHOULD,
    docs="source:django.core.cache.backends.base.BaseCache.aclose",
    level_for_django=MUST,
    audience=Audience.EVERY,
    django=">=6.1",
    requires=("close.at-any-time",),
)
async def aclose_runs_close(entry):
    """aclose() does what close() does: it calls it, with the same arguments."""
    backend = CacheHandler({"default": entry()})["default"]
    with replaced(backend, "close", Mock(wraps=backend.close)) as close:
        await backend.aclose()
        await backend.aclose(signal=1)
    closings = close.call_args_list
    assert closings == [call(), call(signal=1)]
