"""What HazelcastCache costs beside the raw client, and beside other backends, from one run.

Calls that are compared take turns one by one, so that a busy machine slows all of them alike.
"""

import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
from cache_conformance.environment import configure
from cache_conformance.markdown import table
from cache_conformance.report.plots import lines
from cache_targets import start
from django.core.cache import CacheHandler
from hazelcast.future import combine_futures

BUILTIN = "django.core.cache.backends"
SIDE_BY_SIDE = {
    "LocMemCache": (f"{BUILTIN}.locmem.LocMemCache", None),
    "PyMemcacheCache": (f"{BUILTIN}.memcached.PyMemcacheCache", "memcached"),
    "RedisCache": (f"{BUILTIN}.redis.RedisCache", "redis"),
    "django-redis": ("django_redis.cache.RedisCache", "redis"),
    "HazelcastCache": ("django_hazelcast.HazelcastCache", "hazelcast"),
}
SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
KEYS = (1, 10, 100, 1_000)
HUNDRED = [f"k{n}" for n in range(100)]
VALUE = b"v" * 100
HOUR = 3600
THREADS = 8
RACES = 5
SERIES = 9
Call = Callable[[], Any]


def medians(calls: Mapping[str, Call], rounds: int) -> dict[str, float]:
    """Return the median of each of ``calls`` in microseconds; each round makes every call once."""
    took: dict[str, list[int]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for number in range(rounds):
        turn = list(calls.items())
        for name, call in turn if number % 2 else reversed(turn):
            began = time.perf_counter_ns()
            call()
            took[name].append(time.perf_counter_ns() - began)
    return {name: statistics.median(times) / 1000 for name, times in took.items()}


def servers(running: ExitStack) -> dict[str, str]:
    """Start the servers, and return where they are, by name."""
    names = sorted({target for _, target in SIDE_BY_SIDE.values() if target})
    return {name: str(running.enter_context(start(name)).location) for name in names}


def caches(places: Mapping[str, str]) -> dict[str, Any]:
    """Return the caches by name, one with a near cache among them."""
    entries: dict[str, dict[str, Any]] = {
        name: {"BACKEND": path, "LOCATION": places.get(target or "", "")}
        for name, (path, target) in SIDE_BY_SIDE.items()
    }
    entries["LocMemCache"]["OPTIONS"] = {"MAX_ENTRIES": 10_000}
    entries["near cache"] = {**entries["HazelcastCache"], "OPTIONS": {"NEAR_CACHE": True}}
    entries["default"] = entries["LocMemCache"]
    handler = CacheHandler(entries)
    return {name: handler[name] for name in entries}


def over_the_raw_client(cache: Any, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the medians of the backend and of its own client, for each kind of call.

    It is the same client, as the calls of two differ by a tenth for reasons of their connections.
    Each kind is measured in series with the others in between; the middle one counts.
    """
    raw = cache._store._client.store("raw", None).opened().result()
    stored = bytearray(VALUE)
    hundred = dict.fromkeys(HUNDRED, VALUE)
    cache.set_many({"k": VALUE, **hundred}, HOUR)
    combine_futures([raw.set(key, stored, HOUR) for key in ("k", *HUNDRED)]).result()
    pairs: dict[str, tuple[Call, Call]] = {
        "get": (lambda: cache.get("k"), lambda: raw.get("k").result()),
        "set": (
            lambda: cache.set("k", VALUE, HOUR),
            lambda: raw.set("k", stored, HOUR).result(),
        ),
        "delete": (lambda: cache.delete("d"), lambda: raw.remove("d").result()),
        "get_many of 100": (
            lambda: cache.get_many(HUNDRED),
            lambda: raw.get_all(HUNDRED).result(),
        ),
        "set_many of 100": (
            lambda: cache.set_many(hundred, HOUR),
            lambda: combine_futures([raw.set(k, stored, HOUR) for k in HUNDRED]).result(),
        ),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in pairs}
    for _ in range(SERIES):
        for name, (ours, theirs) in pairs.items():
            took = medians({"ours": ours, "theirs": theirs}, max(rounds // SERIES, 1))
            found[name].append((took["ours"], took["theirs"]))
    return {name: _middle(series) for name, series in found.items()}


def _middle(series: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the figures whose ratio is the median, so that a moment of noise decides nothing."""
    return sorted(series, key=lambda pair: pair[0] / pair[1])[len(series) // 2]


def counting(cache: Any, rounds: int) -> tuple[float, float]:
    """Return the microseconds of one incr(): alone, and of 8 threads on one key."""
    cache.set("n", 0, HOUR)
    each = max(rounds // THREADS, 1)
    alone, together = [], []
    for _ in range(RACES):
        alone.append(_counted(cache, 1, each * THREADS))
        together.append(_counted(cache, THREADS, each))
    if cache.get("n") != 2 * RACES * each * THREADS:
        raise SystemExit("incr() has lost a count")
    return statistics.median(alone), statistics.median(together)


def _counted(cache: Any, threads: int, each: int) -> float:
    def count() -> None:
        for _ in range(each):
            cache.incr("n")

    counters = [threading.Thread(target=count) for _ in range(threads)]
    began = time.perf_counter()
    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()
    return (time.perf_counter() - began) * 1e6 / (threads * each)


def near_by(near: Any, redis: Any, rounds: int) -> tuple[float, float]:
    """Return the medians of a hit in the near cache and of RedisCache.get()."""
    for cache in near, redis:
        cache.set("near", VALUE, HOUR)
        cache.get("near")
    took = medians({"near": lambda: near.get("near"), "redis": lambda: redis.get("near")}, rounds)
    return took["near"], took["redis"]


def side_by_side(found: Mapping[str, Any], rounds: int) -> dict[str, dict[str, list[Any]]]:
    """Return the points of each plot, by its title and by the name of the backend."""
    plots: dict[str, dict[str, list[Any]]] = {}
    for size in SIZES:
        value, times = os.urandom(size), max(rounds // (1 + size // 10_000), 5)
        for title, call in (
            ("set() by bytes", lambda c, value=value: c.set("s", value, HOUR)),
            ("get() by bytes", lambda c: c.get("s")),
        ):
            _take(plots, title, size, _kept(found, value), call, times)
    for number in KEYS:
        data = {f"m{n}": VALUE for n in range(number)}
        for title, call in (
            ("set_many() by keys", lambda c, data=data: c.set_many(data, HOUR)),
            ("get_many() by keys", lambda c, data=data: c.get_many(data)),
        ):
            _take(plots, title, number, found, call, max(rounds // number, 5))
    return plots


def _kept(found: Mapping[str, Any], value: bytes) -> dict[str, Any]:
    """Return the caches that take the value: Memcached refuses what is too large."""
    kept = {}
    for name, cache in found.items():
        cache.set("s", value, HOUR)
        if cache.get("s") == value:
            kept[name] = cache
    return kept


def _take(
    plots: dict[str, dict[str, list[Any]]],
    title: str,
    x: int,
    found: Mapping[str, Any],
    call: Callable[[Any], Any],
    rounds: int,
) -> None:
    calls = {name: (lambda cache=cache: call(cache)) for name, cache in found.items()}
    for name, median in medians(calls, rounds).items():
        plots.setdefault(title, {}).setdefault(name, []).append((x, median))


def ratios(found: Mapping[str, Any], rounds: int) -> list[list[str]]:
    """Return a row for each ratio: what, its two figures, the ratio, its bound, if it holds."""
    ours = found["HazelcastCache"]
    rows = []
    for name, (mine, raw) in over_the_raw_client(ours, rounds).items():
        most = 1.15 if "many" in name else 1.10
        rows.append(_row(f"`{name}`: backend, raw client", mine, raw, mine / raw, f"≤ {most:.2f}"))
    alone, together = counting(ours, rounds)
    title = f"`incr` of one key: {THREADS} threads, alone"
    rows.append(_row(title, together, alone, together / alone, "≤ 1.50"))
    near, redis = near_by(found["near cache"], found["RedisCache"], rounds)
    title = "`get`: `RedisCache`, hit in the near cache"
    rows.append(_row(title, redis, near, redis / near, "≥ 8.00"))
    return rows


def _row(title: str, first: float, second: float, ratio: float, bound: str) -> list[str]:
    sign, limit = bound.split()
    holds = ratio <= float(limit) if sign == "≤" else ratio >= float(limit)
    figures = [f"{first:,.1f}", f"{second:,.1f}", f"{ratio:.2f}", bound]
    return [title, *figures, "yes" if holds else "**no**"]


def page(
    rows: Sequence[Sequence[str]], plots: Mapping[str, Mapping[str, Any]], folder: str, rounds: int
) -> str:
    """Return the figures as Markdown."""
    load = " ".join(f"{average:.0f}" for average in os.getloadavg())
    told = (
        f"Django {django.get_version()}, Python {platform.python_version()}, {os.cpu_count()} "
        f"processors, one member on the same machine, whose load was {load}. Medians of up to "
        f"{rounds} calls in microseconds. The raw client is the backend's own, called by hand. "
        "Calls that are compared took turns one by one, those of the raw client in "
        f"{SERIES} series of which the one with the middle ratio counts: compare the ratios. "
        "Renew with `ci/bench hazelcast --output docs/hazelcast-speed.md`."
    )
    parts = [
        "# Speed of HazelcastCache",
        told,
        table(["what", "first", "second", "ratio", "bound", "holds"], rows),
    ]
    for title, series in plots.items():
        xs = sorted({x for points in series.values() for x, _ in points})
        cells = []
        for name, points in series.items():
            shown = dict(points)
            cells.append([name, *(f"{shown[x]:,.0f}" if x in shown else "refused" for x in xs)])
        parts += [
            f"## {title}",
            f"![{title}, a line for each backend]({folder}/{_file(title)})",
            table(["", *(f"{x:,}" for x in xs)], cells),
        ]
    return "\n\n".join(parts) + "\n"


def _file(title: str) -> str:
    return title.replace("()", "").replace(" ", "-").replace("_", "-") + ".svg"


def run(rounds: int, output: Path | None) -> str:
    """Measure, write the plots beside ``output``, and return the page."""
    configure()
    with ExitStack() as running:
        places = servers(running)
        found = caches(places)
        rows = ratios(found, rounds)
        plots = side_by_side({name: found[name] for name in SIDE_BY_SIDE}, rounds)
    folder = output.with_suffix("") if output else Path("plots")
    if output:
        folder.mkdir(exist_ok=True)
        for title, series in plots.items():
            axes = title.rpartition(" ")[2], "microseconds, median"
            (folder / _file(title)).write_text(lines(series, title, axes), encoding="utf-8")
    return page(rows, plots, folder.name, rounds)
