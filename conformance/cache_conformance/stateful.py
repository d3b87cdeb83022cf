"""Random sequences of operations that drive a backend and the model side by side.

Hypothesis chooses the sequences. What needs time to pass is kept until every sequence has come to
its wait, so that one wait serves them all; and a failing sequence is made shorter by trying all
its parts at once, around one wait.

https://hypothesis.readthedocs.io/en/latest/stateful.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any

from cache_conformance.counterexample import Counterexample
from cache_conformance.effort import Effort
from cache_conformance.model import Traits
from cache_conformance.sequence import (
    ALIASES,
    PAUSE,
    SHORT,
    WAIT,
    Computed,
    Late,
    Mismatch,
    Once,
    Play,
    Step,
    shown,
    statements,
    written,
)
from cache_conformance.traits import traits_of, usable_keys, usable_values
from cache_conformance.vocabulary import Moment

KEYS = ("k", "other", 1, "1", "a:1", "ключ", "x" * 180, "with space", "", 2.5)
VALUES = (
    *(None, 0, 1, 9, -7, 2**40, 2.5, True, False),
    *("", "text", "ü" * 40, b"", b"\x00\xff", (1, "t"), [1, [2]], {"a": {"b": None}}),
)
CHOOSER = "PlainChooser"
DELTAS = (1, 1, 3, 10, -2)


class Search:
    """The sequences of one trial."""

    def __init__(
        self,
        alias: Callable[..., Any],
        prefix: str,
        effort: Effort,
        location: Callable[[str], Any] | None,
        has_in: bool,
    ) -> None:
        """``has_in``: the face has the operator ``in``; for the rest see :class:`Play`."""
        self._alias = alias
        self._prefix = prefix
        self._effort = effort
        self._location = location
        self._has_in = has_in
        self._traits: Traits = traits_of(alias)
        cache = alias()
        self.keys = usable_keys(cache, KEYS)
        self.values = usable_values(cache, VALUES)
        self._began = time.monotonic()

    def play(self, steps: Sequence[Step] = ()) -> Play:
        """Return the sequence, ready to begin."""
        return Play(self._alias, self._prefix, self._traits, steps, self._location)

    def replay(self, steps: Sequence[Step]) -> Generator[Moment, None, Play | None]:
        """Play one known sequence; return it if it fails still."""
        failing = yield from self._failing([self.play(steps)])
        return failing[0] if failing else None

    def find(self, waits: bool) -> Generator[Moment, None, Play | None]:
        """Play random sequences; return a short one that fails, None if none does.

        One that fails after a wait must fail twice: on a busy machine an entry may expire early.
        """
        waiting: list[Play] = []
        found = self._generated(waits, waiting)
        if found is None:
            failing = yield from self._failing(waiting)
            found = min(failing, key=lambda play: len(play.steps), default=None)
            if found is not None:
                found = yield from self.replay([step for step, _ in found.steps])
        for play in waiting:
            play.close()
        return (yield from self._shortened(found)) if found else None

    def _generated(self, waits: bool, waiting: list[Play]) -> Play | None:
        """Let Hypothesis play sequences; return one that fails, put those that wait aside."""
        from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
        from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
        from hypothesis.stateful import run_state_machine_as_test

        AVAILABLE_PROVIDERS[CHOOSER] = f"cache_conformance.chooser.{CHOOSER}"

        found: list[Play] = []
        machine = seed(self._effort.seed)(_machine(self, waits, self._has_in, waiting, found))
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=self._effort.examples,
                    stateful_step_count=self._effort.steps,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                    verbosity=Verbosity.quiet,
                    backend=CHOOSER,
                    database=None,
                    deadline=None,
                ),
            )
        except Exception:
            if not found:
                raise
        return found[0] if found else None

    def _failing(self, plays: Sequence[Play]) -> Generator[Moment, None, list[Play]]:
        """Play all to their ends, around waits that they share; return those that fail."""
        failing: list[Play] = []
        plays = [play for play in plays if not _fails(play.go_on, play, failing)]
        while plays := [play for play in plays if play.waits]:
            yield Moment(time.monotonic() - self._began + PAUSE)
            plays = [play for play in plays if not _fails(play.resume, play, failing)]
        return failing

    def _shortened(self, play: Play) -> Generator[Moment, None, Play]:
        """Leave out steps as long as the sequence fails without them, and time allows."""
        until = time.monotonic() + self._effort.shrinking
        while time.monotonic() < until:
            steps = [step for step, _ in play.steps]
            candidates = [self.play(part) for part in _parts(steps)]
            failing = yield from self._failing(candidates)
            for candidate in candidates:
                candidate.close()
            if not failing:
                break
            play = min(failing, key=lambda play: len(play.steps))
        return play


def _parts(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Yield what may be left of a failing sequence: at first little, then all but a piece."""
    *earlier, last = steps
    positions = [n for n, step in enumerate(earlier) if step != WAIT]
    for size in range(min(3, len(positions))):
        for kept in combinations(positions, size):
            yield [s for n, s in enumerate(earlier) if n in kept or s == WAIT] + [last]
    length = len(earlier) // 2
    while length:
        for start in range(0, len(earlier), length):
            yield [*earlier[:start], *earlier[start + length :], last]
        length //= 2


def _fails(go: Callable[[], None], play: Play, failing: list[Play]) -> bool:
    with suppress(Late):
        try:
            go()
        except Mismatch:
            failing.append(play)
            return True
    return False


def _machine(
    search: Search, waits: bool, has_in: bool, waiting: list[Play], found: list[Play]
) -> Any:
    """Return the state machine whose rules are the operations, each with its usual arguments."""
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

    alias = st.integers(0, 3)
    key = st.integers(0, 3)
    keys = st.lists(key, max_size=3, unique=True)
    value = st.one_of(st.integers(0, 12), st.sampled_from(search.values))
    words = st.sampled_from([(), (), (), (), (("version", 2),)])
    timed = st.sampled_from(
        [(), *[(("timeout", seconds),) for seconds in (SHORT, SHORT, 3600, None, 0)]]
    )

    class Sequences(RuleBasedStateMachine):
        """One sequence; every rule makes one operation on both sides."""

        def __init__(self) -> None:
            super().__init__()
            self.play = search.play()
            self.late = False

        @initialize(
            aliases=st.lists(st.sampled_from(list(ALIASES)), min_size=1, max_size=2),
            keys=st.lists(st.sampled_from(search.keys), min_size=1, max_size=2, unique_by=str),
            value=value,
            until_the_wait=st.integers(0, 6),
        )
        def begins_with_few(
            self, aliases: list[str], keys: list[Any], value: Any, until_the_wait: int
        ) -> None:
            self.aliases, self.keys = aliases, keys
            self.until_the_wait = until_the_wait if waits else -1
            self.step(0, "set_many", dict.fromkeys(keys, value), words=(("timeout", SHORT),))

        def step(self, alias: int, operation: str, *args: Any, words: Any = ()) -> None:
            if self.late:
                return
            name = self.aliases[alias % len(self.aliases)]
            try:
                self.play.add(Step(name, operation, args, words))
                if self.until_the_wait == 0:
                    self.play.add(WAIT)
                self.until_the_wait -= 1
            except Late:
                self.late = True
            except Mismatch:
                found.append(self.play)
                raise

        def one(self, number: int) -> Any:
            return self.keys[number % len(self.keys)]

        def some(self, numbers: list[int]) -> Any:
            return list(dict.fromkeys(map(self.one, numbers)))

        @rule(alias=alias, key=key, value=value, timed=timed, words=words)
        def sets(self, alias: int, key: int, value: Any, timed: Any, words: Any) -> None:
            self.step(alias, "set", self.one(key), value, words=timed + words)

        @rule(alias=alias, key=key, value=value, timed=timed, words=words)
        def adds(self, alias: int, key: int, value: Any, timed: Any, words: Any) -> None:
            self.step(alias, "add", self.one(key), value, words=timed + words)

        @rule(
            alias=alias,
            key=key,
            value=st.one_of(value, value.map(Computed)),
            timed=timed,
            words=words,
        )
        def gets_or_sets(self, alias: int, key: int, value: Any, timed: Any, words: Any) -> None:
            self.step(alias, "get_or_set", self.one(key), value, words=timed + words)

        @rule(alias=alias, keys=keys, value=value, timed=timed, words=words)
        def sets_many(
            self, alias: int, keys: list[int], value: Any, timed: Any, words: Any
        ) -> None:
            pairs = dict.fromkeys(self.some(keys), value)
            self.step(alias, "set_many", pairs, words=timed + words)

        @rule(alias=alias, key=key, words=words)
        def gets(self, alias: int, key: int, words: Any) -> None:
            self.step(alias, "get", self.one(key), "absent", words=words)

        @rule(alias=alias, key=key, words=words)
        def looks(self, alias: int, key: int, words: Any) -> None:
            operation = "in" if has_in and not words else "has_key"
            self.step(alias, operation, self.one(key), words=words)

        @rule(alias=alias, keys=keys.filter(bool), words=words)
        def gets_many(self, alias: int, keys: list[int], words: Any) -> None:
            self.step(alias, "get_many", Once(self.some(keys)), words=words)

        @rule(alias=alias, key=key, words=words)
        def deletes(self, alias: int, key: int, words: Any) -> None:
            self.step(alias, "delete", self.one(key), words=words)

        @rule(alias=alias, keys=keys.filter(bool), words=words)
        def deletes_many(self, alias: int, keys: list[int], words: Any) -> None:
            self.step(alias, "delete_many", Once(self.some(keys)), words=words)

        @rule(alias=alias, key=key, timed=timed, words=words)
        def touches(self, alias: int, key: int, timed: Any, words: Any) -> None:
            self.step(alias, "touch", self.one(key), words=timed + words)

        @rule(
            alias=alias,
            operation=st.sampled_from(["incr", "decr"]),
            key=key,
            delta=st.sampled_from(DELTAS),
            words=words,
        )
        def counts(self, alias: int, operation: str, key: int, delta: int, words: Any) -> None:
            args = [] if delta == 1 else [delta]
            self.step(alias, operation, self.one(key), *args, words=words)

        @rule(alias=alias, key=key, words=words)
        def moves_up(self, alias: int, key: int, words: Any) -> None:
            self.step(alias, "incr_version", self.one(key), words=words)

        @rule(alias=alias, key=key, words=words)
        def moves_down(self, alias: int, key: int, words: Any) -> None:
            self.step(alias, "decr_version", self.one(key), words=words)

        @rule(alias=alias, operation=st.sampled_from(["close"] * 4 + ["clear"]))
        def closes_or_clears(self, alias: int, operation: str) -> None:
            self.step(alias, operation)

        def teardown(self) -> None:
            if self.play.waits and not self.late and not found:
                waiting.append(self.play)
            else:
                self.play.close()

    return Sequences


def counterexample(play: Play, script: Callable[[str], str]) -> Counterexample:
    """Return what to raise for a failing sequence; ``script(statements)`` makes a script of it."""
    steps = [step for step, _ in play.steps]
    return Counterexample(
        shown(play.steps, play.came),
        script=script(statements(play.steps)),
        example=written(steps),
    )
