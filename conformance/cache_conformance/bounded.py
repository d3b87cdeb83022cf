"""Runs a step of a check so that nothing it does can stop the run: hang, exit, kill its thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

HANGS_BEFORE_IMPATIENCE = 3
IMPATIENCE = 10
MOST_BOUNDS = 10
"""How often the bound a step may take in all, while its operations come back."""


class Hung(Exception):
    """The step did not come back in time; its thread was left behind."""


class ThreadDied(Exception):
    """The thread that ran the step ended without a result."""


class ProcessEnded(Exception):
    """The process that ran the step ended without a result."""


class Step:
    """One call of a function without arguments, and how it ended."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Call the function and keep its result or its error."""
        try:
            self.result = self.function()
        except BaseException as error:
            self.error = error
        self.done.set()


class BoundedThread:
    """One thread that runs steps in turn, replaced by a new one when a step hangs."""

    def __init__(self, bound: float) -> None:
        """``bound``: the seconds for which a step may give no sign."""
        self.bound = bound
        self.hangs = 0
        self._queue: SimpleQueue[Step | None] | None = None
        self._thread: threading.Thread | None = None

    def run(self, function: Callable[[], Any], sign: Callable[[], object]) -> Step:
        """Return the step with the result of ``function()`` or its error, SystemExit included.

        ``sign``: what changes whenever the step gets on, so that a slow backend is not taken for
        one that hangs. Raises Hung after the bound, which shrinks once a backend has hung a few
        times, and ThreadDied if the step ended its thread.
        """
        step = Step(function)
        queue, thread = self._living_thread()
        queue.put(step)
        bound = self.bound / (IMPATIENCE if self.hangs >= HANGS_BEFORE_IMPATIENCE else 1)
        waited = in_all = 0.0
        seen = sign()
        glance = min(0.25, bound)
        while not step.done.wait(glance):
            in_all += glance
            waited = waited + glance if sign() == seen else 0.0
            seen = sign()
            if not thread.is_alive() and not step.done.is_set():
                raise ThreadDied("the thread that ran it has ended")
            if waited >= bound or in_all >= MOST_BOUNDS * bound:
                self.hangs += 1
                self._queue = None
                raise Hung(
                    f"no answer within {bound:g} s"
                    if waited >= bound
                    else f"no end within {in_all:g} s"
                )
        return step

    def close(self) -> None:
        """Let the thread end."""
        if self._queue is not None:
            self._queue.put(None)
            self._queue = None

    def _living_thread(self) -> tuple[SimpleQueue[Step | None], threading.Thread]:
        if self._queue is None or self._thread is None or not self._thread.is_alive():
            self._queue = SimpleQueue()
            self._thread = threading.Thread(
                target=_work, args=(self._queue,), name="cache-conformance", daemon=True
            )
            self._thread.start()
        return self._queue, self._thread


def _work(queue: SimpleQueue[Step | None]) -> None:
    while (step := queue.get()) is not None:
        step.run()
