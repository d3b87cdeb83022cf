"""The checker of histories: it condemns what is wrong, and nothing else.

``HISTORIES=10000 pytest tests/test_linearizability.py`` races that many histories of a correct
backend; without it a few hundred.
"""

import os
import random
from itertools import permutations

import pytest
from cache_conformance import environment
from cache_conformance.history import Call, Event, by_threads, picture, race
from cache_conformance.linearizability import (
    ADD,
    COUNTING,
    FAMILIES,
    GET_OR_SET,
    INCR,
    PLAIN,
    TOUCH,
    by_key,
    is_linearizable,
    shortest,
    verdict,
)
from cache_conformance.model import Answer, Model, answer, demanded
from django.core.cache.backends.locmem import LocMemCache

environment.configure()
HISTORIES = int(os.environ.get("HISTORIES", "300"))


def event(worker, start, end, operation, *args, gives=None, raises=None):
    return Event(worker, Call(operation, ("k", *args)), start, end, Answer(gives, raises))


def unanswered(worker, start, operation, *args):
    return Event(worker, Call(operation, ("k", *args)), start)


KNOWN_BAD = {
    "a stale read": (
        PLAIN,
        [event(0, 0, 1, "set", 1), event(1, 2, 3, "get", gives=None)],
    ),
    "a value that nobody stored": (
        PLAIN,
        [event(0, 0, 9, "set", 1), event(1, 2, 3, "get", gives=2)],
    ),
    "a value that comes and goes": (
        PLAIN,
        [
            event(0, 0, 9, "set", 1),
            event(1, 1, 2, "get", gives=1),
            event(1, 3, 4, "get", gives=None),
        ],
    ),
    "two readers that disagree about the order of two writes": (
        PLAIN,
        [
            event(0, 0, 9, "set", 1),
            event(1, 0, 9, "set", 2),
            event(2, 1, 2, "get", gives=1),
            event(2, 3, 4, "get", gives=2),
            event(3, 5, 6, "get", gives=1),
        ],
    ),
    "two deletes of one entry": (
        PLAIN,
        [
            event(0, 0, 1, "set", 1),
            event(0, 2, 5, "delete", gives=True),
            event(1, 2, 5, "delete", gives=True),
        ],
    ),
    "two winners of add": (
        ADD,
        [event(0, 0, 5, "add", 1, gives=True), event(1, 1, 4, "add", 2, gives=True)],
    ),
    "an add that fails for no reason": (ADD, [event(0, 0, 5, "add", 1, gives=False)]),
    "a lost count": (
        INCR,
        [event(0, 0, 5, "incr", 1, gives=1001), event(1, 1, 4, "incr", 1, gives=1001)],
    ),
    "a count that is undone": (
        COUNTING,
        [event(0, 0, 5, "incr", 1, gives=1001), event(1, 6, 7, "get", gives=1000)],
    ),
    "a touch that brings an old value back": (
        TOUCH,
        [
            event(0, 0, 9, "touch", 60, gives=True),
            event(1, 1, 2, "set", 2),
            event(1, 10, 11, "get", gives=1),
        ],
    ),
    "two defaults": (
        GET_OR_SET,
        [event(0, 0, 5, "get_or_set", 1, gives=1), event(1, 1, 4, "get_or_set", 2, gives=2)],
    ),
    "an error in place of a value": (PLAIN, [event(0, 0, 1, "get", raises=EOFError)]),
}


@pytest.mark.parametrize("name", KNOWN_BAD)
def test_known_bad_histories_are_condemned(name):
    family, history = KNOWN_BAD[name]
    assert not family.is_atomic(history)


@pytest.mark.parametrize(
    ("name", "explained"),
    [
        ("two winners of add", True),
        ("a lost count", True),
        ("a touch that brings an old value back", True),
        ("two defaults", True),
        ("two deletes of one entry", True),
        ("a stale read", False),
        ("a value that nobody stored", False),
        ("an add that fails for no reason", False),
        ("a count that is undone", False),
        ("an error in place of a value", False),
    ],
)
def test_reads_and_writes_in_turn_explain_a_race_and_no_more(name, explained):
    family, history = KNOWN_BAD[name]
    assert family.is_explained(history) is explained


def test_a_call_without_an_answer_may_have_happened_or_not():
    lost = unanswered(0, 0, "set", 1)
    for found in (None, 1):
        assert PLAIN.is_atomic([lost, event(1, 5, 6, "get", gives=found)])
    late = [event(1, 5, 6, "get", gives=None), event(1, 7, 8, "get", gives=1)]
    assert PLAIN.is_atomic([lost, *late])
    undone = [event(1, 5, 6, "get", gives=1), event(1, 7, 8, "get", gives=None)]
    assert not PLAIN.is_atomic([lost, *undone])
    assert not PLAIN.is_atomic([unanswered(0, 7, "set", 1), event(1, 5, 6, "get", gives=1)])


def test_keys_are_judged_apart():
    other = Event(1, Call("get", ("other",)), 2, 3, Answer(None))
    history = [event(0, 0, 1, "set", 1), other]
    assert [len(part) for part in by_key(history)] == [1, 1]
    assert PLAIN.is_atomic(history)


def simulated(family, rng, workers=3, calls=3):
    """Return a history of a perfect cache: each call has its moment between start and end."""
    plan = family.plan(rng, ["k"], workers, calls)
    model = Model()
    if family.initial is not None:
        model.set("k", family.initial, None)
    waiting = [[*some] for some in plan]
    ends = [0.0] * workers
    moments = []
    for worker, some in enumerate(waiting):
        for call in some:
            start = ends[worker] + rng.random()
            moment = start + rng.random() * 3
            ends[worker] = moment + rng.random() * 3
            moments.append((moment, worker, call, start, ends[worker]))
    return [
        Event(worker, call, start, end, answer(getattr(model, call.operation), *call.args))
        for _, worker, call, start, end in sorted(moments, key=lambda m: m[0])
    ]


def spoilt(history, rng):
    """Return the history with another answer somewhere, which may or may not be wrong."""
    number = rng.randrange(len(history))
    answers = [other.answer for other in history if other.call.operation == "get"]
    answers += [Answer(True), Answer(False), Answer(None)]
    changed = [*history]
    changed[number] = history[number]._replace(answer=rng.choice(answers))
    return changed


def by_trying_every_order(family, history):
    """Return what the search must return, found without its cleverness."""
    for order in permutations(history):
        moment = 0.0
        model = Model()
        if family.initial is not None:
            model.set("k", family.initial, None)
        for one in order:
            moment = max(moment, one.start)
            came = answer(getattr(model, one.call.operation), *one.call.args)
            if moment > one.end or not demanded(one.call.operation, came).allows(one.answer):
                break
        else:
            return True
    return False


@pytest.mark.parametrize("family", [*FAMILIES, COUNTING], ids=lambda f: f.name)
def test_histories_of_a_perfect_cache_are_never_condemned(family):
    rng = random.Random(1)
    for _ in range(HISTORIES // 3):
        history = simulated(family, rng)
        assert family.is_atomic(history), history
        assert family.is_explained(history), history


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_the_search_agrees_with_trying_every_order(family):
    rng = random.Random(2)
    verdicts = set()
    for _ in range(HISTORIES // 2):
        history = spoilt(simulated(family, rng, workers=3, calls=2), rng)
        expected = by_trying_every_order(family, history)
        verdicts.add(expected)
        assert family.is_atomic(history) is expected, history
    assert verdicts == {True, False}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_the_shortest_part_is_still_wrong(family):
    rng = random.Random(3)
    found = 0
    while found < 10:
        history = spoilt(simulated(family, rng), rng)
        if family.is_atomic(history):
            continue
        found += 1
        part = family.offence(history)
        assert not family.is_atomic(part)
        assert len(part) <= len(history)
        assert all(e.answer is None or e in history for e in part)


def test_shortest_keeps_what_is_needed():
    _, history = KNOWN_BAD["a lost count"]
    noise = [event(2, n + 0.1, n + 0.2, "get", gives=1000) for n in (-9, -8)]
    late = [event(0, 20, 21, "set", 7)]
    part = shortest([*noise, *history, *late], lambda rest: not INCR.is_atomic(rest))
    assert sorted(part) == sorted(history)


def raced(backend, family, histories=30, seed=4):
    rng = random.Random(seed)
    caches = [backend(f"{backend.__name__}-{family.name}", {"max_entries": 10**6})]
    keys = [[f"{n}a", f"{n}b"] for n in range(histories)]
    if family.initial is not None:
        caches[0].set_many({key: family.initial for pair in keys for key in pair}, None)
    plans = [family.plan(rng, pair, 3, 4) for pair in keys]
    return by_threads(lambda: caches[0], plans)


@pytest.mark.parametrize("family", [*FAMILIES, COUNTING], ids=lambda f: f.name)
def test_a_correct_backend_is_atomic(family):
    histories = raced(LocMemCache, family, histories=HISTORIES // 6 + 1)
    found = verdict(family, histories)
    assert found.is_atomic, str(found)
    assert found.tried == HISTORIES // 6 + 1


def test_a_picture_and_a_script():
    _, history = KNOWN_BAD["a lost count"]
    drawn = picture([*history, unanswered(2, 3, "set", "<&>")], "a <lost> count")
    assert drawn.count("<rect") == 3
    assert "incr(&#x27;k&#x27;, 1) → 1001" in drawn
    assert "<lost>" not in drawn
    assert "&lt;&amp;&gt;" in drawn
    compile(race(history, 1000), "script", "exec")


def test_an_empty_history_is_linearizable():
    assert is_linearizable([], {})
