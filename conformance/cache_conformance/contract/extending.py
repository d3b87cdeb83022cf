"""Writing a backend: what BaseCache does with the six methods, and the dummy backend."""

import warnings

from django.core.cache import InvalidCacheKey
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache, CacheKeyWarning

from cache_conformance.clause import MAY, MUST, SHOULD, SYNC_ONLY, Audience, clause
from cache_conformance.vocabulary import built, importable, raises, writes

BASE_CACHE = "source:django.core.cache.backends.base.BaseCache"
DUMMY = "#dummy-caching-for-development"


@clause(
    "extending.six-methods-are-provided",
    MUST,
    docs=BASE_CACHE,
    audience=Audience.EVERY,
    requires=(),
)
def six_methods_are_provided(cache, backend_class, entry):
    """A backend provides add, get, set, touch, delete and clear, which BaseCache leaves open."""
    base = BaseCache({})
    for operation, *arguments in (
        (base.add, "k", "v"),
        (base.get, "k"),
        (base.set, "k", "v"),
        (base.touch, "k"),
        (base.delete, "k"),
        (base.clear,),
    ):
        with raises(NotImplementedError):
            operation(*arguments)
    cache.add("k", "v")
    cache.get("k")
    cache.set("k", "v")
    cache.touch("k")
    cache.delete("k")
    clear = built(backend_class, entry()).clear
    assert getattr(clear, "__func__", None) is not BaseCache.clear


class SixMethods(BaseCache):
    """The six methods of ``backend_class``; all others are those of BaseCache."""

    backend_class: type[BaseCache]

    def __init__(self, location, params):
        super().__init__(params)
        self.six = self.backend_class(location, params)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return self.six.add(key, value, timeout=timeout, version=version)

    def get(self, key, default=None, version=None):
        return self.six.get(key, default, version=version)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.six.set(key, value, timeout=timeout, version=version)

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return self.six.touch(key, timeout=timeout, version=version)

    def delete(self, key, version=None):
        return self.six.delete(key, version=version)

    def clear(self):
        self.six.clear()


def with_six_methods(alias, backend_class):
    """Return a cache that has no methods of its own but the six of ``backend_class``."""
    minimal = type("Minimal", (SixMethods,), {"backend_class": backend_class})
    return alias(BACKEND=importable(minimal))


@clause("extending.six-methods-suffice", MUST, docs=BASE_CACHE)
def six_methods_suffice(alias, backend_class):
    """The other methods of BaseCache work from a backend's six alone."""
    cache = with_six_methods(alias, backend_class)
    assert cache.set_many({"a": 1, "b": None}) == []
    assert cache.get_many(["a", "b", "absent"]) == {"a": 1, "b": None}
    assert cache.has_key("b") is True
    assert cache.has_key("absent") is False
    assert cache.get_or_set("a", 2) == 1
    assert cache.get_or_set("c", lambda: 3) == 3
    assert cache.incr("a", 4) == 5
    assert cache.decr("a", 2) == 3
    with raises(ValueError):
        cache.incr("absent")
    cache.delete_many(["b", "c"])
    assert cache.get_many(["a", "b", "c"]) == {"a": 3}
    cache.close()
    assert cache.get("a") == 3


@clause("extending.six-methods-suffice-for-versions", MUST, docs=BASE_CACHE)
def six_methods_suffice_for_versions(alias, backend_class):
    """incr_version() and decr_version() of BaseCache work from a backend's six methods alone."""
    cache = with_six_methods(alias, backend_class)
    cache.set("k", "v")
    assert cache.incr_version("k", 2) == cache.version + 2
    assert cache.get("k") is None
    assert cache.get("k", version=cache.version + 2) == "v"
    assert cache.decr_version("k", 2, version=cache.version + 2) == cache.version
    assert cache.get("k") == "v"
    with raises(ValueError):
        cache.incr_version("absent")


@clause("extending.six-methods-suffice-for-in", MUST, docs=BASE_CACHE, apis=SYNC_ONLY)
def six_methods_suffice_for_in(alias, backend_class):
    """``in`` of BaseCache works from a backend's six methods alone."""
    cache = with_six_methods(alias, backend_class)
    cache.set("k", None)
    assert "k" in cache
    assert "absent" not in cache


def recording(backend_class, name, used):
    """Return the backend with an override of ``name``, sync and async, that notes its use."""

    def override(self, *args, **kwargs):
        used.append(name)
        return getattr(super(overriding, self), name)(*args, **kwargs)

    async def async_override(self, *args, **kwargs):
        used.append(name)
        return await getattr(super(overriding, self), f"a{name}")(*args, **kwargs)

    overriding = type("Overriding", (backend_class,), {name: override, f"a{name}": async_override})
    return overriding


@clause("extending.decr-uses-incr", SHOULD, docs=f"{BASE_CACHE}.decr", level_for_django=MUST)
def decr_uses_incr(alias, backend_class):
    """decr() goes through incr(), so that overriding incr() is enough."""
    used = []
    cache = alias(BACKEND=importable(recording(backend_class, "incr", used)))
    cache.set("n", 5)
    assert cache.decr("n", 2) == 3
    assert "incr" in used


@clause(
    "extending.decr-version-uses-incr-version",
    SHOULD,
    docs=f"{BASE_CACHE}.decr_version",
    level_for_django=MUST,
)
def decr_version_uses_incr_version(alias, backend_class):
    """decr_version() goes through incr_version(), so that overriding that is enough."""
    used = []
    cache = alias(BACKEND=importable(recording(backend_class, "incr_version", used)))
    cache.set("k", "v", version=2)
    assert cache.decr_version("k", version=2) == 1
    assert "incr_version" in used


@clause(
    "extending.in-uses-has-key",
    SHOULD,
    docs=f"{BASE_CACHE}.__contains__",
    level_for_django=MUST,
    apis=SYNC_ONLY,
)
def in_uses_has_key(alias, backend_class):
    """``in`` goes through has_key(), so that overriding has_key() is enough."""
    used = []
    cache = alias(BACKEND=importable(recording(backend_class, "has_key", used)))
    cache.set("k", "v")
    assert "k" in cache
    assert "has_key" in used


@clause(
    "extending.function-on-the-instance",
    MAY,
    docs=f"{BASE_CACHE}.aget_many",
    characteristic="function-on-the-instance",
)
async def function_on_the_instance(cache):
    """A function set as get_many() on an instance is called, ignored or refused by aget_many().

    From Django 6.1 BaseCache refuses it with AttributeError: only a method has a ``__func__``.
    """
    await cache.aset("k", "stored")
    try:
        cache.get_many = lambda keys, version=None: {"k": "replaced"}
        found = await cache.aget_many(["k"])
    except AttributeError:
        return "refused"
    assert found in ({"k": "replaced"}, {"k": "stored"})
    return "called" if found == {"k": "replaced"} else "ignored"


@clause("dummy.stores-nothing", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_stores_nothing(cache):
    """After any write to the dummy backend the key is still absent."""
    for name, write in writes(cache):
        write(name, "v", timeout=60)
        assert cache.get(name) is None
        assert cache.get(name, version=2) is None


@clause("dummy.set-returns-none", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_set_returns_none(cache):
    """set() of the dummy backend returns None."""
    assert cache.set("k", "v") is None
    assert cache.set("k", "v", 60, 2) is None


@clause("dummy.get-returns-default", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_get_returns_default(cache):
    """get() of the dummy backend returns the default, the very object."""
    default = object()
    cache.set("k", "v")
    assert cache.get("k", default) is default
    assert cache.get("k", default=default, version=2) is default
    assert cache.get("k") is None


@clause("dummy.add-returns-true", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_add_returns_true(cache):
    """add() to the dummy backend returns True every time."""
    cache.set("k", "v")
    for _ in range(2):
        assert cache.add("k", "v", timeout=60) is True


@clause("dummy.touch-returns-false", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_touch_returns_false(cache):
    """touch() of the dummy backend returns False."""
    cache.set("k", "v")
    assert cache.touch("k") is False
    assert cache.touch("k", timeout=None, version=2) is False


@clause("dummy.delete-returns-false", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_delete_returns_false(cache):
    """delete() of the dummy backend returns False, delete_many() None."""
    cache.set("k", "v")
    assert cache.delete("k") is False
    assert cache.delete("k", version=2) is False
    assert cache.delete_many(["k", "absent"]) is None


@clause("dummy.has-key-returns-false", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_has_key_returns_false(cache):
    """has_key() of the dummy backend returns False."""
    cache.set("k", "v")
    assert cache.has_key("k") is False
    assert cache.has_key("k", version=2) is False


@clause(
    "dummy.contains-nothing",
    MUST,
    docs=DUMMY,
    apis=SYNC_ONLY,
    audience=Audience.DUMMY,
    requires=(),
)
def dummy_contains_nothing(cache):
    """No key is ``in`` the dummy backend."""
    cache.set("k", "v")
    assert "k" not in cache


@clause("dummy.get-many-is-empty", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_get_many_is_empty(cache):
    """get_many() of the dummy backend returns an empty dict."""
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b"]) == {}
    assert cache.get_many(iter(["a"]), version=2) == {}


@clause("dummy.set-many-is-empty", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_set_many_is_empty(cache):
    """set_many() of the dummy backend returns an empty list: no key has failed."""
    assert cache.set_many({"a": 1, "b": 2}) == []
    assert cache.set_many({"a": 1}, timeout=2, version=2) == []


@clause("dummy.incr-raises-valueerror", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_incr_raises_valueerror(cache):
    """incr() and decr() of the dummy backend raise ValueError."""
    cache.set("n", 1)
    for operation in (cache.incr, cache.decr):
        with raises(ValueError):
            operation("n")
        with raises(ValueError):
            operation("n", -1, version=2)


@clause(
    "dummy.incr-version-raises-valueerror",
    MUST,
    docs=DUMMY,
    audience=Audience.DUMMY,
    requires=(),
)
def dummy_incr_version_raises_valueerror(cache):
    """incr_version() and decr_version() of the dummy backend raise ValueError."""
    cache.set("k", "v")
    for operation in (cache.incr_version, cache.decr_version):
        with raises(ValueError):
            operation("k")
        with raises(ValueError):
            operation("k", 2, version=2)


@clause("dummy.get-or-set-returns-default", MUST, docs=DUMMY, audience=Audience.DUMMY, requires=())
def dummy_get_or_set_returns_default(cache):
    """get_or_set() of the dummy backend returns the default, or what the callable returns."""
    default = object()
    assert cache.get_or_set("k", default) is default
    assert cache.get_or_set("k", lambda: default, timeout=60) is default
    assert cache.get_or_set("k", None) is None


@clause(
    "dummy.accepts-unpicklable-values",
    MUST,
    docs=DUMMY,
    audience=Audience.DUMMY,
    requires=(),
)
def dummy_accepts_unpicklable_values(cache):
    """The dummy backend takes values that cannot be pickled."""
    cache.set("k", lambda: None)
    assert cache.add("k", lambda: None) is True
    assert cache.set_many({"k": lambda: None}) == []


@clause(
    "dummy.clear-does-nothing",
    MUST,
    docs=DUMMY,
    audience=Audience.DUMMY,
    requires=(),
    alone=True,
)
def dummy_clear_does_nothing(cache):
    """clear() of the dummy backend returns None."""
    cache.set("k", "v")
    assert cache.clear() is None


def complains(operation, *arguments):
    """Whether ``operation`` warns of its key, or refuses it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            operation(*arguments)
        except InvalidCacheKey:
            return True
        except ValueError as error:
            if not caught:
                raise error
    return any(issubclass(warning.category, CacheKeyWarning) for warning in caught)


@clause(
    "dummy.validates-keys", MUST, docs="#cache-key-warnings", audience=Audience.DUMMY, requires=()
)
def dummy_validates_keys(cache):
    """The dummy backend warns of keys that memcached would refuse, as the others do."""
    for key in ("a key with spaces", "k" * 251):
        assert complains(cache.get, key)
        assert complains(cache.set, key, "v")
        assert complains(cache.add, key, "v")
        assert complains(cache.touch, key)
        assert complains(cache.delete, key)
        assert complains(cache.has_key, key)
        assert complains(cache.get_many, [key])
        assert complains(cache.set_many, {key: "v"})
        assert complains(cache.delete_many, [key])
        assert complains(cache.get_or_set, key, "v")
        assert complains(cache.incr, key)
        assert complains(cache.incr_version, key)
    assert not complains(cache.get, "k")
