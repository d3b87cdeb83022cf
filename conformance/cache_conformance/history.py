"""Histories: what several workers did to one key at once, and what each was told, and when."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Sequence
from html import escape
from itertools import chain
from typing import Any, NamedTuple

from cache_conformance import threads
from cache_conformance.model import Answer, answer

NEVER = float("inf")


class Call(NamedTuple):
    """An operation that is to be made: its name, and its arguments."""

    operation: str
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.operation}({', '.join(map(repr, self.args))})"


class Event(NamedTuple):
    """A call of a worker, from ``start`` to ``end`` in nanoseconds of one clock.

    ``answer`` is None, and ``end`` is NEVER, where nobody knows whether the call had an effect.
    """

    worker: int
    call: Call
    start: float
    end: float = NEVER
    answer: Answer | None = None

    @property
    def is_read(self) -> bool:
        """Whether the call cannot change anything."""
        return self.call.operation in ("get", "has_key")

    def __str__(self) -> str:
        ending = "is not answered" if self.answer is None else str(self.answer)
        return f"worker {self.worker + 1}: {self.call} {ending}"


History = Sequence[Event]
Plan = Sequence[Sequence[Call]]
"""What each worker is to do, in turn."""


def perform(cache: Any, worker: int, calls: Sequence[Call]) -> list[Event]:
    """Make the calls one after another and return what was seen."""
    return [_seen(cache, worker, call) for call in calls]


def perform_at(cache: Any, worker: int, calls: Sequence[Call], start: float) -> list[Event]:
    """Make the calls from ``start`` on, in seconds of the monotonic clock of all processes."""
    while time.monotonic() < start:
        pass
    return perform(cache, worker, calls)


def _seen(cache: Any, worker: int, call: Call) -> Event:
    start = time.monotonic_ns()
    return _event(worker, call, start, answer(getattr(cache, call.operation), *call.args))


def _event(worker: int, call: Call, start: int, came: Answer) -> Event:
    if came.error is not None and "Timeout" in came.error.__name__:
        return Event(worker, call, start)
    return Event(worker, call, start, time.monotonic_ns(), came)


def by_threads(alias: Callable[[], Any], plans: Sequence[Plan]) -> list[History]:
    """Carry out each plan with a thread and a cache for each worker; return a history for each.

    Raises the first error that is none of an operation.
    """

    def working(worker: int) -> Callable[[Any, int], list[Event]]:
        return lambda cache, number: perform(cache, worker, plans[number][worker])

    moves = [working(worker) for worker in range(len(plans[0]))]
    raced = threads.race(alias, len(plans), moves)  # type: ignore[no-untyped-call]
    return [list(chain.from_iterable(seen)) for seen in raced]


async def by_tasks(cache: Any, plans: Sequence[Plan]) -> list[History]:
    """Carry out each plan with a task for each worker, all on one cache and one event loop."""

    async def work(worker: int, calls: Sequence[Call], seen: list[Event]) -> None:
        for call in calls:
            await asyncio.sleep(0)
            start = time.monotonic_ns()
            try:
                came = Answer(await getattr(cache, f"a{call.operation}")(*call.args))
            except Exception as error:
                came = Answer(error=type(error))
            seen.append(_event(worker, call, start, came))

    histories: list[History] = []
    for plan in plans:
        seen: list[Event] = []
        await asyncio.gather(*(work(worker, calls, seen) for worker, calls in enumerate(plan)))
        histories.append(seen)
    return histories


# A picture

ROW, BAR, MARGIN, WIDTH = 46, 22, 90, 860


def picture(history: History, title: str) -> str:
    """Return the history as an SVG image: a row for each worker, a bar for each call."""
    first = min(event.start for event in history)
    last = max([e.end for e in history if e.end != NEVER] + [e.start for e in history])
    workers = sorted({event.worker for event in history})
    height = ROW * len(workers) + 40

    def x(moment: float) -> float:
        span = max(last - first, 1)
        return MARGIN + (min(moment, last) - first) / span * (WIDTH - MARGIN - 10)

    rows = []
    for row, worker in enumerate(workers):
        top = 34 + row * ROW
        rows.append(f'<text class="worker" x="4" y="{top + 15}">worker {worker + 1}</text>')
        rows += [
            _bar(event, x(event.start), x(event.end), top)
            for event in history
            if event.worker == worker
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f'<text class="title" x="4" y="18">{escape(title)}</text>{"".join(rows)}</svg>'
    )


def _bar(event: Event, left: float, right: float, top: int) -> str:
    kind = "open" if event.answer is None else "read" if event.is_read else "write"
    label = escape(f"{event.call} {'?' if event.answer is None else _short(event.answer)}")
    return (
        f'<g><title>{escape(str(event))}</title><rect class="{kind}" x="{left:.1f}" y="{top}" '
        f'width="{max(right - left, 2):.1f}" height="{BAR}" rx="3"/>'
        f'<text x="{left:.1f}" y="{top + BAR + 12}">{label}</text></g>'
    )


def _short(came: Answer) -> str:
    return f"→ {came.value!r}" if came.error is None else came.error.__name__


STYLE = (
    "text{font:11px monospace;fill:#222}.title{font-weight:bold}"
    ".read{fill:#9cc4e4}.write{fill:#e8a87c}.open{fill:none;stroke:#888;stroke-dasharray:4}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)


# A script that shows it again

CALLS = """
PLAN = {plan}  # what each worker does


def do(mine, key, calls):
    found, times = [], []
    for operation, *args in calls:
        start = time.monotonic_ns()
        try:
            found.append(repr(getattr(mine, operation)(key, *args)))
        except Exception as error:
            found.append(type(error).__name__)
        times.append((start, time.monotonic_ns()))
    return found, times


def in_turn(order, key):
    {begin}
    left = [iter(calls) for calls in PLAN]
    found = [[] for _ in PLAN]
    for worker in order:
        found[worker] += do(cache, key, [next(left[worker])])[0]
    return found, do(cache, key, [("get",)])[0]
"""
THREADS = f"""

{inspect.getsource(threads.make_way)}

def at_once(keys):
    done = [[None for _ in PLAN] for _ in keys]
    barrier = Barrier(len(PLAN))

    def work(worker):
        mine = alias()
        sys.settrace(make_way)
        for number, key in enumerate(keys):
            barrier.wait()
            done[number][worker] = do(mine, key, PLAN[worker])
        mine.close()

    threads = [Thread(target=work, args=(n,)) for n in range(len(PLAN))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


sys.setswitchinterval(1e-5)
"""
PROCESSES = """

def work(job):
    worker, keys, start = job
    mine = alias()
    random.seed()
    done = []
    for number, key in enumerate(keys):
        late = random.random() * random.choice((0, 1e-3))  # at one moment, and at several
        while time.monotonic() < start + number * 2e-3 + late:
            pass
        done.append(do(mine, key, PLAN[worker]))
    return done


def at_once(keys):
    start = time.monotonic() + 0.02
    return zip(*pool.map(work, [(n, keys, start) for n in range(len(PLAN))], chunksize=1))


pool = get_context("fork").Pool(len(PLAN))
"""
COMPARED = """

def fits(order, times):
    left = [iter(some) for some in times]
    inside = [next(left[worker]) for worker in order]
    return all(a[0] <= b[1] for n, a in enumerate(inside) for b in inside[n:])


def orders(left):
    if not any(left):
        yield ()
    for worker, number in enumerate(left):
        if number:
            rest = [*left[:worker], number - 1, *left[worker + 1 :]]
            yield from ((worker, *order) for order in orders(rest))


# what the calls give when they are made one after another, in every order
possible = {{order: in_turn(order, "turn") for order in orders(list(map(len, PLAN)))}}
for batch in range({batches}):
    keys = [f"race-{{batch}}-{{number}}" for number in range(50)]
    for key in keys:
        {begin}
    for key, done in zip(keys, at_once(keys)):
        found = [some for some, _ in done], do(cache, key, [("get",)])[0]
        times = [some for _, some in done]
        fitting = [outcome for order, outcome in possible.items() if fits(order, times)]
        assert found in fitting, f"no order: {{found}}"
    cache.delete_many(keys)
"""
RACE_IMPORTS = {
    "import random",
    "import sys",
    "import time",
    "from threading import Barrier, Thread",
}
FORKED_RACE_IMPORTS = {
    "import random",
    "import time",
    "from multiprocessing import get_context",
}


def race(history: History, initial: Any) -> str:
    """Return statements that repeat the calls of threads until no order explains the outcome."""
    return _filled(CALLS + THREADS + COMPARED, history, initial, batches=40)


def forked_race(history: History, initial: Any) -> str:
    """Return statements that repeat the calls of processes until no order explains the outcome."""
    return _filled(CALLS + PROCESSES + COMPARED, history, initial, batches=80)


def _filled(template: str, history: History, initial: Any, batches: int) -> str:
    workers = sorted({event.worker for event in history})
    plan = [
        [
            (event.call.operation, *event.call.args[1:])
            for event in sorted(history, key=lambda event: event.start)
            if event.worker == worker
        ]
        for worker in workers
    ]
    begin = "cache.delete(key)" if initial is None else f"cache.set(key, {initial!r}, None)"
    return template.format(plan=plan, begin=begin, batches=batches)
