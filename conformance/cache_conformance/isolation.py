"""Runs each implementation in a process of its own: side by side, and safe from its crashes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, NoReturn

from asgiref.sync import SyncToAsync

from cache_conformance import surroundings
from cache_conformance.execution import Run, verdict
from cache_conformance.expectations import Expectations
from cache_conformance.outcome import Result
from cache_conformance.trial import Trial

TIDYING_BOUND = 10.0
"""Seconds that a process may take to remove what it has made once it is to end."""

NOTHING = -1

_processes = multiprocessing.get_context("fork")


class IsolatedRun:
    """A context in which trials have results, as :class:`Run`, with a process for each backend.

    The process is forked from this one, so it finds Django as the project has configured it, and
    this one keeps Django as it is.
    """

    def __init__(
        self,
        selected: Sequence[Trial],
        expectations: Expectations,
        bound: float,
        waiting: Callable[[int, float], None] = lambda checks, seconds: None,
    ) -> None:
        """``bound``: seconds that one step of a check may take.

        ``waiting(checks, seconds)`` hears of each wait.
        """

        def work(
            trials: Sequence[Trial], send: Callable[[Any], None], under_way: Callable[[int], None]
        ) -> None:
            numbers = {id(trial): number for number, trial in enumerate(trials)}
            run = Run(
                trials,
                expectations,
                bound,
                waiting=lambda checks, seconds: send(("waiting", checks, seconds)),
                stepping=lambda trial: under_way(numbers[id(trial)]),
            )
            unfinished = [trial for trial in trials if trial.result is None]
            with surroundings.around(), run:
                for trial in unfinished:
                    run.result(trial)
                    send(("result", numbers[id(trial)], trial.result))

        self._expectations = expectations
        trials_of: dict[int, list[Trial]] = {}
        for trial in selected:
            trials_of.setdefault(id(trial.implementation), []).append(trial)
        self._workers = [_Worker(trials, work, waiting) for trials in trials_of.values()]

    def __enter__(self) -> IsolatedRun:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.ask_to_end()
        for worker in self._workers:
            worker.stop()

    def result(self, trial: Trial) -> Result:
        """Return the result of ``trial``, known failures taken into account."""
        while trial.result is None:
            busy: dict[Any, _Worker] = {
                worker.messages: worker for worker in self._workers if worker.busy
            }
            for messages in wait(busy):
                busy[messages].receive()
        return verdict(trial, self._expectations)


class _Worker:
    """The process of one implementation, begun anew without the trial in which it crashed."""

    def __init__(
        self,
        trials: Sequence[Trial],
        work: Callable[[Sequence[Trial], Callable[[Any], None], Callable[[int], None]], None],
        waiting: Callable[[int, float], None],
    ) -> None:
        self._trials = trials
        self._work = work
        self._waiting = waiting
        # in shared memory: a message for each step would wake the other process for nothing
        self._current = _processes.Value("i", NOTHING, lock=False)
        self._left = len(trials)

    def start(self) -> None:
        """Fork the process, which tries what has no result yet."""
        self.messages, sending = _processes.Pipe(duplex=False)
        self._process = _processes.Process(target=self._serve, args=(sending,))
        with warnings.catch_warnings():
            # a worker of pytest-xdist has threads, none of which the new process needs
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        sending.close()

    def ask_to_end(self) -> None:
        """Have a process that is not done yet tidy up and end."""
        if self.busy:
            self._process.terminate()

    def stop(self) -> None:
        """Wait until the process has tidied up, and end it whatever hangs in it."""
        self._process.join(TIDYING_BOUND)
        self._process.kill()
        self._process.join()
        self.messages.close()

    @property
    def busy(self) -> bool:
        """Whether some trial has no result yet."""
        return self._left > 0

    def receive(self) -> None:
        """Take the next message, or notice that the process has ended."""
        try:
            message = self.messages.recv()
        except EOFError:
            self._end_of_the_process()
        else:
            self._take(*message)

    def _serve(self, sending: Connection[Any, Any]) -> None:
        self._parent = os.getppid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        warnings.simplefilter("ignore")
        _leave_in_good_order_at_sigterm()
        gc.freeze()  # what Django and pytest have made so far is not looked through again
        # sync_to_async() has its one thread in the process that was forked, and would wait for it
        SyncToAsync.single_thread_executor = ThreadPoolExecutor(max_workers=1)
        # pytest's own hook would keep what the error holds, an open client of the backend say
        sys.unraisablehook = _unheard
        with suppress(BrokenPipeError):
            try:
                self._work(self._trials, sending.send, self._begin)
            except SystemExit:
                pass
            except Exception:
                sending.send(("broken", traceback.format_exc()))
        for child in _processes.active_children():  # such as the server of a backend's Manager
            child.terminate()
        os._exit(0)  # at once: a hung thread would keep the process alive

    def _begin(self, number: int) -> None:
        if os.getppid() != self._parent:
            raise SystemExit  # it was killed, and nobody waits for the results any more
        self._current.value = number

    def _take(self, kind: str, *content: Any) -> None:
        if kind == "result":
            number, result = content
            self._trials[number].result = result
            self._left -= 1
        elif kind == "waiting":
            self._waiting(*content)
        else:
            self._give_up(*content)

    def _end_of_the_process(self) -> None:
        """Lay the end of the process to the trial that was under way, and try the others."""
        self._process.join()
        how = _told(self._process.exitcode)
        current = self._current.value
        if current == NOTHING:
            self._give_up(f"{how} before it tried anything")
            return
        self._trials[current].crashed(how)
        self._left -= 1
        self._current.value = NOTHING
        self.messages.close()
        self.start()

    def _give_up(self, why: str) -> None:
        for trial in self._trials:
            if trial.result is None:
                trial.broke(why)
        self._left = 0


def _leave_in_good_order_at_sigterm() -> None:
    """Have this process leave its blocks, and what it may fork end where it stands."""
    process = os.getpid()

    def leave(number: int, frame: object) -> NoReturn:
        if os.getpid() != process:
            os._exit(128 + number)
        raise SystemExit

    signal.signal(signal.SIGTERM, leave)


def _unheard(error: object) -> None:
    """Leave alone an error that Python itself cannot raise, as in a destructor."""


def _told(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process was ended with status {code}"
