"""Faults: the server is killed, paused, restarted, cut off or slow, and the backend lives on.

Each fault happens once. Meanwhile every operation is called on both faces, each call by a user of
its own: a thread with an alias that has been connected before. Afterwards each user goes on with
the same alias. What the users of a face have met is an account, and each clause asks one thing of
it.
"""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from cache_conformance.clause import MAY, MUST, SHOULD, Tier, clause
from cache_conformance.vocabulary import REFUSED, attempt

USAGE = "#basic-usage"
MANY = "#django.core.cache.cache.set_many"
INCR = "#django.core.cache.cache.incr"
ACCESS = "#accessing-the-cache"
MEMCACHED = "source:django.core.cache.backends.memcached.BaseMemcachedCache"
BASE = "source:django.core.cache.backends.base.BaseCache"

HANGS = "hangs"
PAUSE = 0.1


def text(age, key):
    """Return a value that tells its key, and is long enough to be cut in two."""
    return f"{age} {key} " * 40


OLD = {key: text("old", key) for key in ("get", "set", "many-a", "many-b", "touch", "delete")}
OLDER = {key: text("older", key) for key in OLD}
NEW = {key: text("new", key) for key in ("set", "add", "default", "many-a", "many-b")}
PAIR = {key: NEW[key] for key in ("many-a", "many-b")}
COUNTED = 41
KEYS = sorted({*OLD, *NEW, "count"})

CALLS = {
    "get": lambda cache: cache.get("get"),
    "get-default": lambda cache: cache.get("get", "default"),
    "has_key": lambda cache: cache.has_key("get"),
    "get_many": lambda cache: cache.get_many(["get", "touch"]),
    "set": lambda cache: cache.set("set", NEW["set"], 600),
    "add": lambda cache: cache.add("add", NEW["add"], 600),
    "get_or_set": lambda cache: cache.get_or_set("default", NEW["default"], 600),
    "set_many": lambda cache: cache.set_many(PAIR, 600),
    "incr": lambda cache: cache.incr("count"),
    "touch": lambda cache: cache.touch("touch", 600),
    "delete": lambda cache: cache.delete("delete"),
}

RIGHT = {
    "get": (OLD["get"], None),
    "get-default": (OLD["get"], "default"),
    "get_or_set": (NEW["default"], None),
}
"""What reads may answer, by call, unless they raise."""


class Account(NamedTuple):
    """What users have met: answers by operation, ``(key, value)`` afterwards, who is still lost."""

    during: dict[str, Any]
    seen: list[tuple[str, Any]]
    lost: dict[str, Any]

    @property
    def hung(self):
        """The operations that gave no answer within the bound."""
        return [name for name, answer in self.during.items() if answer is HANGS]

    @property
    def wrong_answers(self):
        """The operations that gave another key's value, or one that was never stored."""
        wrong = {
            name: self.during[name]
            for name, right in RIGHT.items()
            if self.during[name] not in (*right, REFUSED, HANGS)
        }
        many = self.during["get_many"]
        if many not in (REFUSED, HANGS) and not (
            isinstance(many, dict) and many.items() <= OLD.items()
        ):
            wrong["get_many"] = many
        return wrong

    @property
    def wrong_values(self):
        """What was read under a key afterwards, and neither is its last nor its newest value."""
        return [
            (key, value)
            for key, value in self.seen
            if value not in (OLD.get(key), NEW.get(key), None, REFUSED)
            and (key != "count" or type(value) is not int)
            and value != text("after", key)
        ]

    @property
    def stored(self):
        """What operations have acknowledged to have stored, by key."""
        said = self.during
        stored = {}
        if said["set"] not in (REFUSED, HANGS):
            stored["set"] = NEW["set"]
        if said["add"] is True:
            stored["add"] = NEW["add"]
        if isinstance(said["set_many"], list):
            stored |= {key: PAIR[key] for key in PAIR if key not in said["set_many"]}
        if type(said["incr"]) is int:
            stored["count"] = said["incr"]
        if said["delete"] is True:
            stored["delete"] = None
        return stored

    def forgotten(self, *also):
        """Return what was acknowledged and is something else now; ``also``: what it may be."""
        return [
            (key, value)
            for key, value in self.seen
            if key in self.stored and value not in (self.stored[key], REFUSED, *also)
        ]


def accounts(fault, location, aliases, bound):
    """Have every operation called during the fault, and return the account of each api."""
    users = {}
    for version, (api, alias) in enumerate(aliases.items(), 1):
        settings = {"LOCATION": location, "VERSION": version}
        before = alias(**settings)
        before.set_many(OLDER, 600)
        before.set_many({**OLD, "count": COUNTED}, 600)
        for name in CALLS:
            users[api, name] = ThreadPoolExecutor(1), alias(**settings)
    wait([thread.submit(cache.get, "get") for thread, cache in users.values()])
    with fault():
        calls = {
            user: thread.submit(attempt, CALLS[user[1]], cache)
            for user, (thread, cache) in users.items()
        }
        wait(calls.values(), bound)
        answers = {user: call.result() if call.done() else HANGS for user, call in calls.items()}
    visits = {
        user: thread.submit(visited, cache, "-".join(user), bound)
        for user, (thread, cache) in users.items()
    }
    wait(visits.values(), 2 * bound)
    for thread, _ in users.values():
        thread.shutdown(wait=False)
    return {api: account(api, answers, visits) for api in aliases}


def account(api, answers, visits):
    """Return what the users of one face have met."""
    told = [(name, visit) for (face, name), visit in visits.items() if face == api]
    ends = {name: visit.result()[-1] if visit.done() else HANGS for name, visit in told}
    return Account(
        during={name: answer for (face, name), answer in answers.items() if face == api},
        seen=[pair for _, visit in told if visit.done() for pair in visit.result()],
        lost={name: end for name, end in ends.items() if not is_well(end)},
    )


def visited(cache, key, bound):
    """Write and read with the same alias until it works again, then read everything else."""
    seen = []
    until = time.monotonic() + bound
    while not seen or not is_well(seen[-1]):
        attempt(cache.set, key, text("after", key), 600)
        seen.append((key, attempt(cache.get, key)))
        if time.monotonic() > until:
            return seen
        time.sleep(PAUSE)
    return [*seen, *((name, attempt(cache.get, name)) for name in KEYS), seen[-1]]


def is_well(end):
    """Whether the user has read in the end what it had written."""
    return end is not HANGS and end[1] == text("after", end[0])


def told(fault, server, aliases):
    """Return the account of a fault for each api."""
    through = server.location if fault in ("killed", "paused") else server.proxied_location
    return server.once(fault, lambda harm: accounts(harm, through(), aliases, server.bound))


@clause("faults.killed-does-not-hang", SHOULD, docs=f"{BASE}.get", tier=Tier.FAULTS)
def killed_does_not_hang(server, aliases, api):
    """With its server killed, every operation returns or raises within a bound."""
    hung = told("killed", server, aliases)[api].hung
    assert hung == [], f"no answer within {server.bound:g} s: {', '.join(hung)}"


@clause("faults.killed-stores-nothing", SHOULD, docs=INCR, tier=Tier.FAULTS)
def killed_stores_nothing(server, aliases, api):
    """With its server killed, add() is not True and incr() gives no number, as nothing is there."""
    said = told("killed", server, aliases)[api].during
    added, number = said["add"], said["incr"]
    assert added is not True
    assert number in (REFUSED, HANGS)


@clause("faults.killed-set-many-reports", SHOULD, docs=MANY, tier=Tier.FAULTS)
def killed_set_many_reports(server, aliases, api):
    """With its server killed, set_many() raises, or returns every key as one that failed."""
    failed = told("killed", server, aliases)[api].during["set_many"]
    assert failed in (REFUSED, HANGS, [*PAIR], [*reversed(PAIR)])


@clause("faults.restarted-is-used-again", SHOULD, docs=ACCESS, tier=Tier.FAULTS)
def restarted_is_used_again(server, aliases, api):
    """Once its server runs again on the same port, the same alias works again within a bound."""
    lost = told("killed", server, aliases)[api].lost
    assert lost == {}


@clause("faults.restarted-has-own-values", MUST, docs=USAGE, tier=Tier.FAULTS)
def restarted_has_own_values(server, aliases, api):
    """After an empty restart a key is absent or has its own last value, never another one."""
    met = told("killed", server, aliases)[api]
    answers, values = met.wrong_answers, met.wrong_values
    assert answers == {}
    assert values == []
    forgotten = met.forgotten(None)
    assert forgotten == []


@clause("faults.paused-does-not-hang", SHOULD, docs=f"{BASE}.get", tier=Tier.FAULTS)
def paused_does_not_hang(server, aliases, api):
    """With its server frozen, every operation returns or raises within a bound."""
    hung = told("paused", server, aliases)[api].hung
    assert hung == [], f"no answer within {server.bound:g} s: {', '.join(hung)}"


@clause("faults.paused-set-many-reports", SHOULD, docs=MANY, tier=Tier.FAULTS)
def paused_set_many_reports(server, aliases, api):
    """With its server frozen, set_many() raises, or returns every key as one that failed."""
    failed = told("paused", server, aliases)[api].during["set_many"]
    assert failed in (REFUSED, HANGS, [*PAIR], [*reversed(PAIR)])


@clause("faults.resumed-is-used-again", SHOULD, docs=ACCESS, tier=Tier.FAULTS)
def resumed_is_used_again(server, aliases, api):
    """Once its server goes on, the same alias works again within a bound."""
    lost = told("paused", server, aliases)[api].lost
    assert lost == {}


@clause("faults.resumed-has-own-values", MUST, docs=USAGE, tier=Tier.FAULTS)
def resumed_has_own_values(server, aliases, api):
    """After a pause no read gets the late reply to another one, or a value that was replaced."""
    met = told("paused", server, aliases)[api]
    answers, values = met.wrong_answers, met.wrong_values
    assert answers == {}
    assert values == []


@clause("faults.resumed-has-acknowledged-writes", SHOULD, docs=f"{MEMCACHED}.set", tier=Tier.FAULTS)
def resumed_has_acknowledged_writes(server, aliases, api):
    """What a write has acknowledged during a pause is there after it."""
    forgotten = told("paused", server, aliases)[api].forgotten()
    assert forgotten == []


@clause("faults.cut-reply-does-not-hang", SHOULD, docs=f"{BASE}.get", tier=Tier.FAULTS)
def cut_reply_does_not_hang(server, aliases, api):
    """With a connection that ends in the middle of a reply, each operation returns or raises."""
    hung = told("cut", server, aliases)[api].hung
    assert hung == [], f"no answer within {server.bound:g} s: {', '.join(hung)}"


@clause("faults.cut-connection-is-replaced", SHOULD, docs=ACCESS, tier=Tier.FAULTS)
def cut_connection_is_replaced(server, aliases, api):
    """After a connection has ended in the middle of a reply, the same alias works again."""
    lost = told("cut", server, aliases)[api].lost
    assert lost == {}


@clause("faults.cut-reply-is-no-value", MUST, docs=USAGE, tier=Tier.FAULTS)
def cut_reply_is_no_value(server, aliases, api):
    """Half a reply is never taken for a value, nor its other half for the next reply."""
    met = told("cut", server, aliases)[api]
    answers, values = met.wrong_answers, met.wrong_values
    assert answers == {}
    assert values == []


@clause("faults.cut-has-acknowledged-writes", SHOULD, docs=f"{MEMCACHED}.set", tier=Tier.FAULTS)
def cut_has_acknowledged_writes(server, aliases, api):
    """What a write has acknowledged although its connection was cut is there afterwards."""
    forgotten = told("cut", server, aliases)[api].forgotten()
    assert forgotten == []


@clause("faults.cut-incr-counts-once", SHOULD, docs=INCR, tier=Tier.FAULTS)
def cut_incr_counts_once(server, aliases, api):
    """An incr() whose reply was cut has counted once or not at all, also where it was retried."""
    met = told("cut", server, aliases)[api]
    numbers = [met.during["incr"], *(value for key, value in met.seen if key == "count")]
    counted = [number for number in numbers if type(number) is int]
    assert set(counted) <= {COUNTED, COUNTED + 1}


@clause("faults.slow-reply-is-whole", MUST, docs=USAGE, tier=Tier.FAULTS)
def slow_reply_is_whole(server, aliases, api):
    """A reply that comes late and in pieces is its own call's, whole, or that call has failed."""
    met = told("slow", server, aliases)[api]
    answers, values = met.wrong_answers, met.wrong_values
    assert answers == {}
    assert values == []


@clause("faults.slow-does-not-hang", SHOULD, docs=f"{BASE}.get", tier=Tier.FAULTS)
def slow_does_not_hang(server, aliases, api):
    """With replies that come late and in pieces, each operation returns or raises."""
    hung = told("slow", server, aliases)[api].hung
    assert hung == [], f"no answer within {server.bound:g} s: {', '.join(hung)}"


@clause("faults.slow-has-acknowledged-writes", SHOULD, docs=f"{MEMCACHED}.set", tier=Tier.FAULTS)
def slow_has_acknowledged_writes(server, aliases, api):
    """What a write has acknowledged late is there afterwards."""
    forgotten = told("slow", server, aliases)[api].forgotten()
    assert forgotten == []


@clause(
    "faults.read-without-a-server",
    MAY,
    docs=BASE,
    tier=Tier.FAULTS,
    characteristic="without-its-server",
)
def read_without_a_server(server, aliases, api):
    """With its server killed, get() may raise, or answer as for a key that is absent."""
    met = told("killed", server, aliases)[api].during["get"]
    assert met in (REFUSED, HANGS, None, OLD["get"])
    return {REFUSED: "raises", HANGS: "hangs", None: "misses"}.get(met, "answers")
