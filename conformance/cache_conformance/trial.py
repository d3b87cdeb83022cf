"""The trial of one clause on one api of one implementation."""

from __future__ import annotations

import inspect
import time
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from django.core.cache.backends.base import BaseCache

from cache_conformance import reproduction
from cache_conformance.bounded import BoundedThread, Hung, ProcessEnded, ThreadDied
from cache_conformance.capability import Capability
from cache_conformance.clause import Api, Audience, Clause, Level, Tier
from cache_conformance.environment import forget_caches
from cache_conformance.evidence import evidence
from cache_conformance.face import Face, run
from cache_conformance.implementation import Implementation
from cache_conformance.outcome import Outcome, Result
from cache_conformance.transcript import Transcript, show
from cache_conformance.vocabulary import Moment, NotApplicable

MOST_RESTARTS = 3
SHORTEST_LIFE = 1.0
"""Seconds for which whatever a check stores, and looks at without a wait, is sure to be there."""
SPARES_THE_STORE = (
    "it clears the store, which may hold other data; allow it with --cache-allow-clear"
)


class Trial:
    """One clause, one api, one implementation; ``result`` is None until it has ended."""

    def __init__(self, clause: Clause, api: Api, implementation: Implementation) -> None:
        self.clause = clause
        self.api = api
        self.implementation = implementation
        self.result: Result | None = None
        self.restarts = 0
        self._tried_again = False
        self.moment: Moment | None = None
        self._steps: Iterator[Any] | None = None
        self._started = 0.0
        self._written = 0.0
        self._late = False
        self._came_late = False
        self._spent = 0.0
        self._transcript = Transcript()
        self._row: int | None = None
        self._built: list[BaseCache] = []

    @property
    def id(self) -> str:
        """The id of the test: the clause and the api."""
        return f"{self.clause.id}[{self.api}]"

    @property
    def level(self) -> Level:
        """The level of the clause for this implementation."""
        if self.implementation.is_djangos_own and self.clause.level_for_django:
            return self.clause.level_for_django
        return self.clause.level

    @property
    def value(self) -> Any:
        """The row of the clause's table that is being tried."""
        table = self.clause.each
        return None if table is None or self._row is None else table[self._row]

    @property
    def due(self) -> float:
        """When the check goes on, in seconds of the monotonic clock."""
        assert self.moment is not None
        origin = self._written if self.moment.once_written else self._started
        return origin + self.moment.due

    @property
    def waiting(self) -> bool:
        """Whether the check has begun and waits for its next moment."""
        return self.moment is not None and self.result is None

    @property
    def missed_its_moment(self) -> bool:
        """Whether the check came late, for the first time, and has not begun anew yet."""
        return self._late and self.restarts == 1 and not self.moment and not self.result

    def unfit(self) -> str | None:
        """Return why the clause does not apply, None where it does."""
        if self.clause.audience not in (Audience.EVERY, self.implementation.audience):
            return f"it is about {self.clause.audience}, and this backend is not one"
        families = self.clause.derived_from
        if families and not issubclass(self.implementation.backend, families):
            return f"it is about {self.clause.families}, and this backend is not built on one"
        return None

    def start(self, thread: BoundedThread) -> None:
        """Run the check to its first wait, or to its end."""
        self._transcript = Transcript()
        self._started = time.monotonic()
        self._late = self._came_late = False
        if self.clause.untested is not None:
            self._end(Outcome.UNTESTED, self.clause.untested)
        elif self.implementation.unavailable is not None:
            self._end(Outcome.UNAVAILABLE, self.implementation.unavailable)
        elif reason := self.unfit():
            self._end(Outcome.NOT_APPLICABLE, reason)
        else:
            self._advance(thread, self._begin)
            self._written = time.monotonic()

    def resume(self, thread: BoundedThread) -> None:
        """Run the check from its wait to the next one, or to its end."""
        assert self._steps is not None
        steps = self._steps
        self._transcript.waited()
        self._came_late = self._came_late or self._overdue()
        self._advance(thread, lambda: _next(steps))

    def block(self, culprit: str) -> None:
        """End the trial because the clause ``culprit``, which it rests on, has failed."""
        self.abandon()
        self._end(Outcome.BLOCKED, f"it rests on {culprit}, which failed")

    def crashed(self, how: str) -> None:
        """End the trial because its process has ended."""
        self._fail(ProcessEnded(how))

    def broke(self, why: str) -> None:
        """End the trial because the kit itself went wrong."""
        self.abandon()
        self._end(Outcome.ERROR, f"the kit broke: {why}")

    def abandon(self) -> None:
        """Close a check that will not be resumed."""
        if isinstance(self._steps, types.GeneratorType) and not self._steps.gi_running:
            self._steps.close()
        self._steps = self.moment = None

    def _advance(self, thread: BoundedThread, step: Callable[[], Any]) -> None:
        began = time.monotonic()
        try:
            ended = thread.run(lambda: self._and_close(step), self._sign)
        except (Hung, ThreadDied) as problem:
            self._spent += time.monotonic() - began
            self._fail(problem)
            return
        took = time.monotonic() - began
        self._spent += took
        self._late = self._late or self._overdue()
        forget_caches()
        if isinstance(ended.error, NotApplicable):
            self._end(Outcome.NOT_APPLICABLE, str(ended.error))
        elif ended.error is not None:
            self._fail_unless_void(thread, ended.error, took)
        elif isinstance(ended.result, Moment):
            self.moment = ended.result
        elif self._came_late and self.restarts < MOST_RESTARTS:
            self._begin_anew()
        else:
            self._end(Outcome.PASSED, observed=ended.result)

    def _sign(self) -> float:
        """Return what changes whenever the check gets on."""
        return self._transcript.latest

    def _and_close(self, step: Callable[[], Any]) -> Any:
        """Run a step, and close what the check has built unless it goes on later."""
        moment = None
        try:
            moment = step()
            return moment
        finally:
            if not isinstance(moment, Moment):
                self._close_what_was_built()

    def _close_what_was_built(self) -> None:
        while self._built:
            with suppress(Exception):
                self._built.pop().close()

    def _fail_unless_void(self, thread: BoundedThread, error: BaseException, took: float) -> None:
        """Fail, or have the timeline begin anew where the backend is not to blame."""
        if self._late:
            if self.restarts == MOST_RESTARTS:
                times = f"{self.restarts + 1} times in a row"
                self._end(Outcome.ERROR, f"this machine was too busy to look in time, {times}")
                return
        elif self._tried_again or not (
            self._stood_still(error, took) or self._may_be_driven_out(thread)
        ):
            self._fail(error)
            return
        else:
            self._tried_again = True
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Leave the check where it is, to be started once more."""
        self.restarts += 1
        self.abandon()

    def _overdue(self) -> bool:
        """Whether the deadline of the step has passed."""
        if self.moment is None or self.moment.deadline is None:
            return False
        return time.monotonic() - self._started > self.moment.deadline

    def _stood_still(self, error: BaseException, took: float) -> bool:
        """Whether an entry may have expired before the step came to look at it, or to count it."""
        if self.clause.tier is not Tier.CONTRACT:
            return False
        return isinstance(error, AssertionError | ValueError) and took >= SHORTEST_LIFE

    def _may_be_driven_out(self, thread: BoundedThread) -> bool:
        """Whether the entries of the check may have made room for those of others."""
        try:
            thread.run(lambda: self.implementation.evicts, self._sign)
        except (Hung, ThreadDied):
            self.implementation.evicts = False
        return self.implementation.evicts

    def _begin(self) -> Any:
        """Call the check; runs on the bounded thread."""
        check = self.clause.check
        assert check is not None
        arguments = _Arguments(self, self._transcript)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.clause.alone and not self.implementation.may_clear:
                raise NotApplicable(SPARES_THE_STORE)
            for capability in self.clause.needs:
                if not self._has(capability):
                    raise NotApplicable(f"the backend has not the capability {capability.name}")
            if self.clause.each is not None:
                for row in range(len(self.clause.each)):
                    self._row = row
                    self._transcript.entries.clear()
                    self._call(check, _Arguments(self, self._transcript))
                    self._close_what_was_built()
                return None
            outcome = self._call(check, arguments)
        if inspect.isasyncgen(outcome):
            outcome = _driven(outcome)
        if inspect.isgenerator(outcome):
            self._steps = outcome
            return _next(outcome)
        return outcome

    def _call(self, check: Callable[..., Any], arguments: _Arguments) -> Any:
        self._empty_the_store(arguments)
        outcome = check(**{name: arguments[name] for name in self.clause.parameters})
        return run(outcome) if inspect.iscoroutine(outcome) else outcome

    def _empty_the_store(self, arguments: _Arguments) -> None:
        """Remove what other checks have left, where the clause is about the store as a whole."""
        if self.clause.alone and not self.implementation.store.separable:
            self.build(arguments.entry()).clear()

    def build(self, entry: dict[str, Any]) -> BaseCache:
        """Build the backend for the check, which is closed when the check has ended."""
        cache = self.implementation.build(entry)
        self._built.append(cache)
        return cache

    def _has(self, capability: Capability) -> bool:
        known = self.implementation.capabilities
        if capability not in known:
            arguments = _Arguments(self, Transcript())
            self._empty_the_store(arguments)
            known[capability] = capability.probe(arguments.alias)
        return known[capability]

    def _fail(self, error: BaseException) -> None:
        assert self.clause.check is not None
        row = None if self._row is None else show(self.value)
        told = evidence(error, self.clause.check, self._transcript, row)
        self._end(Outcome.FAILED, told)

    def _end(self, outcome: Outcome, message: str = "", observed: Any = None) -> None:
        self._steps = None
        self.moment = None
        self.result = Result(
            clause=self.clause.id,
            chapter=self.clause.chapter,
            level=str(self.level),
            api=str(self.api),
            outcome=outcome,
            message=message,
            docs=self.clause.url,
            repro=self._script() if outcome is Outcome.FAILED else "",
            seconds=self._spent,
            observed=observed if isinstance(observed, str | bool | int | float) else None,
            restarts=self.restarts,
        )

    def _script(self) -> str:
        return reproduction.script(self.clause, self.api, self.implementation, self._row)


class _Arguments:
    """What a check may ask for by the name of a parameter."""

    def __init__(self, trial: Trial, transcript: Transcript) -> None:
        self._trial = trial
        self._scope = trial.implementation.new_scope()
        self._transcript = transcript

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    @property
    def cache(self) -> Face:
        """The backend, built with the settings that the kit gives it."""
        return self.alias()

    @property
    def value(self) -> Any:
        """The row of the clause's table that is tried now."""
        return self._trial.value

    @property
    def backend_class(self) -> type:
        """The class under test."""
        return self._trial.implementation.backend

    @property
    def rounds(self) -> int:
        """How often the one race of the clause is repeated."""
        return self._trial.implementation.effort.rounds

    @property
    def racers(self) -> int:
        """How many threads or tasks take part in that race."""
        return self._trial.implementation.effort.racers

    def entry(self, **overrides: Any) -> dict[str, Any]:
        """A ``CACHES`` entry on the same store, with ``overrides`` on top."""
        return self._trial.implementation.entry(self._scope, **overrides)

    def alias(self, **overrides: Any) -> Face:
        """The backend built once more on the same store, with ``overrides`` in its settings."""
        return self.face(Api.SYNC if self._trial.clause.awaits else self._trial.api, **overrides)

    def face(self, api: Api, **overrides: Any) -> Face:
        """The backend built once more, to be driven on this api."""
        return Face(self._trial.build(self.entry(**overrides)), api, self._transcript)

    def other_location(self) -> Any:
        """The LOCATION of a second store."""
        location = self._trial.implementation.store.another_location(self._scope)
        if location is None:
            raise NotApplicable("the kit cannot name a second store for this backend")
        return location

    def other_store(self) -> Face:
        """The backend built on a second store."""
        return self.alias(LOCATION=self.other_location())


def _next(steps: Iterator[Any]) -> Any:
    """Run a step without letting the warnings of the backend out.

    Returns the moment until which the check waits, or what it has returned at its end.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return next(steps)
        except StopIteration as end:
            return end.value


def _driven(steps: Any) -> Iterator[Moment]:
    """Turn an async generator into a plain one that runs on this thread's event loop."""
    while True:
        try:
            yield run(steps.__anext__())
        except StopAsyncIteration:
            return
