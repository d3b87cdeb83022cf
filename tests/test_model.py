"""The model is a cache that keeps the contract, and does step for step what LocMemCache does."""

import random
import time

import pytest
from cache_conformance import environment
from cache_conformance.clause import contract
from cache_conformance.explanation import CHAPTERS, Unplayable, explanation
from cache_conformance.model import Either, Model, Refused, Traits, Undecided, answer
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache

environment.configure()
STORES = {}


class ModelCache(BaseCache):
    """The model with the constructor of a backend, on the real clock."""

    def __init__(self, location, params):
        super().__init__(params)
        entries = STORES.setdefault(location, {})
        self._model = Model(
            Traits(granularity=0),
            time.time,
            timeout=self.default_timeout,
            prefix=self.key_prefix,
            version=self.version,
            entries=entries,
        )
        self._model._full = self._checked_key

    def _checked_key(self, key, version):
        return self.make_and_validate_key(key, version)

    def get(self, key, default=None, version=None):
        return self._model.get(key, default, version)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return self._model.set(key, value, timeout, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return self._model.add(key, value, timeout, version)

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return self._model.touch(key, timeout, version)

    def delete(self, key, version=None):
        found = self._model.delete(key, version)
        return found[0] if isinstance(found, Either) else found

    def incr(self, key, delta=1, version=None):
        return self._model.incr(key, delta, version)

    def incr_version(self, key, delta=1, version=None):
        return self._model.incr_version(key, delta, version)

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        return self._model.get_or_set(key, default, timeout, version)

    def has_key(self, key, version=None):
        return self._model.has_key(key, version)

    def clear(self):
        self._model.clear()


MODEL = "test_model.ModelCache"
OPERATIONS = "basic or timeout or touch or incr or version or get-or-set or many or clear"


def test_the_model_keeps_the_contract(kit):
    """Run as a backend, the model passes every clause that speaks about operations."""
    ended = kit(
        f"--cache-backend={MODEL}", "--cache-tier=contract", "--cache-allow-clear", "-k", OPERATIONS
    )
    failed = {c: r["message"] for c, r in ended.results.items() if r["outcome"] == "failed"}
    assert not failed
    assert ended.outcomes["passed"] > 300


KEYS = ("a", "b", 1, "1", "a:1", "")
VALUES = (None, 0, 1, -3, 7, 2.5, "", "text", b"x", [1, {"n": (2,)}], {"n": None})
TIMEOUTS = (DEFAULT_TIMEOUT, None, 0, -1, 1, 2, 5, 60)


def _steps(rng):
    """Yield random operations, with their arguments for a model and for a cache alike."""
    while True:
        key, value, timeout = rng.choice(KEYS), rng.choice(VALUES), rng.choice(TIMEOUTS)
        version = rng.choice((None, None, 1, 2))
        some = rng.sample(KEYS[:3], rng.randint(0, 3))
        delta = rng.choice((1, 1, 2, -1, 10, 0.5))
        yield rng.choice(
            (
                ("get", (key, "absent", version)),
                ("set", (key, value, timeout, version)),
                ("set", (key, rng.randint(0, 9), timeout, version)),
                ("add", (key, value, timeout, version)),
                ("get_or_set", (key, value, timeout, version)),
                ("get_or_set", (key, lambda value=value: value, timeout, version)),
                ("touch", (key, timeout, version)),
                ("delete", (key, version)),
                ("has_key", (key, version)),
                ("__contains__", (key,)),
                ("get_many", (some, version)),
                ("set_many", (dict.fromkeys(some, value), timeout, version)),
                ("delete_many", (some, version)),
                ("incr", (key, delta, version)),
                ("decr", (key, delta, version)),
                ("incr_version", (key, rng.choice((1, -1, 2)), version)),
                ("decr_version", (key, 1, version)),
                *([("clear", ())] if rng.random() < 0.02 else []),
            )
        )


@pytest.mark.parametrize("seed", range(5))
def test_the_model_does_what_locmemcache_does(seed, monkeypatch):
    """Thousands of random steps on three aliases of one store, with a clock set by hand."""
    rng = random.Random(seed)
    clock = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    settings = [{}, {"KEY_PREFIX": "p", "TIMEOUT": 3}, {"VERSION": 2, "TIMEOUT": None}]
    caches = [LocMemCache(f"model-{seed}", s) for s in settings]
    store = Model(Traits(granularity=0), lambda: clock[0])
    models = [
        store,
        store.alias(prefix="p", timeout=3),
        store.alias(version=2, timeout=None),
    ]
    told = []
    steps = _steps(rng)
    for _ in range(4000):
        number = rng.randrange(3)
        operation, args = next(steps)
        expected = answer(getattr(models[number], operation), *args)
        came = answer(getattr(caches[number], operation), *args)
        told.append((number, operation, args, str(expected), str(came)))
        assert expected.allows(came), told[-5:]
        if rng.random() < 0.1:
            clock[0] += rng.choice((0.5, 1, 3))
    errors = {expected for _, _, _, expected, _ in told if "raises" in expected}
    assert errors == {"raises ValueError", "raises an error"}


def test_what_differs_is_seen():
    """The comparison that proves the model would notice values of another type, and errors."""
    model = Model()
    model.set("n", 1)
    assert not answer(model.get, "n").allows(answer(lambda: True))
    assert not answer(model.get, "n").allows(answer(lambda: 1.0))
    assert not answer(model.incr, "absent").allows(answer({}.__getitem__, "absent"))
    assert not answer(model.incr, "absent").allows(answer(lambda: None))
    assert answer(model.incr, "n").error is None
    model.set("n", [1, {"a": (True,)}])
    assert answer(model.get, "n").allows(answer(lambda: [1, {"a": (True,)}]))
    assert not answer(model.get, "n").allows(answer(lambda: [1, {"a": (1,)}]))
    assert answer(model.incr, "n").error is Refused


def test_near_its_deadline_an_entry_is_undecided():
    clock = [0.0]
    model = Model(now=lambda: clock[0])
    model.set("k", "v", 3)
    assert model.get("k") == "v"
    for clock[0] in (2.5, 3.5):
        with pytest.raises(Undecided):
            model.get("k")
    clock[0] = 4.5
    assert model.get("k") is None


def test_the_model_keeps_every_clause_that_can_be_played_on_it():
    unplayable = set()
    for clause in contract():
        if clause.chapter in CHAPTERS:
            try:
                assert explanation(clause)
            except Unplayable:
                unplayable.add(clause.id)
    assert unplayable == {
        "basic.works-in-a-transaction",
        "clear.foreign-data",
        "clear.removes-other-prefixes",
        "clear.removes-thousands",
        "clear.spares-other-files",
        "clear.spares-other-stores",
        "get-or-set.nothing-stored-returns-the-default",
        "get-or-set.other-writer-wins",
        "get-or-set.versions-are-computed-apart",
        "many.a-thousand-pairs-are-all-stored",
        "many.hundreds-of-keys-are-all-seen-to",
        "many.set-many-timeout-is-for-all-of-a-thousand",
        "many.takes-thousands-of-keys",
        "timeout.long-ones-hold-to-the-end",
        "timeout.redis-counts-all-of-it",
    }
