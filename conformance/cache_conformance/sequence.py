"""Sequences of operations on several aliases of one store, played on a backend and on the model."""

from __future__ import annotations

import ast
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple

from cache_conformance.model import (
    ANYTHING,
    Answer,
    Either,
    Model,
    Refused,
    Traits,
    Undecided,
    answer,
    demanded,
)

SHORT = 2
"""The timeout, in seconds, of the entries that a wait outlives."""
PAUSE = 3.1
"""The wait, in seconds: after it an entry with a timeout of SHORT must be gone."""
IN_TIME = 0.8
"""The seconds within which a sequence must get from one wait to the next to prove anything."""

ALIASES: dict[str, dict[str, Any]] = {
    "cache": {},
    "brief": {"TIMEOUT": SHORT},
    "prefixed": {"KEY_PREFIX": "-other", "TIMEOUT": None},
    "second": {"VERSION": 2},
}
_scopes = count()


class Once(tuple[Any, ...]):
    """Keys that are passed as a generator."""


class Computed(NamedTuple):
    """A value that is passed as a callable."""

    value: Any


class Step(NamedTuple):
    """One operation of one alias; ``operation`` is "wait" where time passes instead."""

    alias: str
    operation: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    def make(self, cache: Any) -> Any:
        """Call the operation of the cache."""
        args = [_passed(arg) for arg in self.args]
        if self.operation == "in":
            return args[0] in cache
        return getattr(cache, self.operation)(*args, **dict(self.kwargs))

    def __str__(self) -> str:
        if self.operation == "wait":
            return f"time.sleep({PAUSE})"
        args = [_written(arg) for arg in self.args]
        if self.operation == "in":
            return f"{args[0]} in {self.alias}"
        args += [f"{name}={value!r}" for name, value in self.kwargs]
        return f"{self.alias}.{self.operation}({', '.join(args)})"


WAIT = Step("", "wait")


def _passed(arg: Any) -> Any:
    if isinstance(arg, Once):
        return (key for key in arg)
    if isinstance(arg, Computed):
        return lambda: arg.value
    return arg


def _written(arg: Any) -> str:
    if isinstance(arg, Once):
        return f"(key for key in {list(arg)!r})"
    if isinstance(arg, Computed):
        return f"lambda: {arg.value!r}"
    return repr(arg)


def written(steps: Iterable[Step]) -> str:
    """Return the steps as statements, one a line."""
    return "\n".join(map(str, steps))


def read(text: str) -> list[Step]:
    """Return the steps that :func:`written` has written. Raises ValueError for anything else."""
    try:
        return [_step(line) for line in text.strip().splitlines()]
    except (SyntaxError, AttributeError, TypeError) as error:
        raise ValueError(f"this is no sequence of operations: {error}") from error


def _step(line: str) -> Step:
    node: Any = ast.parse(line.strip(), mode="eval").body
    if isinstance(node, ast.Compare):
        step = Step(ast.unparse(node.comparators[0]), "in", (ast.literal_eval(node.left),))
    elif ast.unparse(node.func) == "time.sleep":
        return WAIT
    else:
        kwargs = tuple((word.arg, ast.literal_eval(word.value)) for word in node.keywords)
        args = tuple(_read(arg) for arg in node.args)
        step = Step(ast.unparse(node.func.value), node.func.attr, args, kwargs)
    if step.alias not in ALIASES:
        raise ValueError(f"{line.strip()!r} is on none of {', '.join(ALIASES)}")
    return step


def _read(node: ast.expr) -> Any:
    if isinstance(node, ast.GeneratorExp):
        return Once(ast.literal_eval(node.generators[0].iter))
    if isinstance(node, ast.Lambda):
        return Computed(ast.literal_eval(node.body))
    return ast.literal_eval(node)


class Late(Exception):
    """The machine was too busy to look in time, so what came proves nothing."""


class Mismatch(Exception):
    """The backend has answered what the model does not allow."""


class Played(NamedTuple):
    """A step that was made, and what the model answered."""

    step: Step
    expected: Answer


class Play:
    """A sequence under way, on fresh keys of the backend and of the model."""

    def __init__(
        self,
        alias: Callable[..., Any],
        prefix: str,
        traits: Traits,
        steps: Sequence[Step] = (),
        location: Callable[[str], Any] | None = None,
    ) -> None:
        """``prefix``: what the keys of the backend begin with.

        ``location(name)``: the LOCATION of a store for this sequence alone, which it may clear;
        None where there is one store for all.
        """
        self._alias = alias
        self._prefix = f"{prefix}-{next(_scopes)}"
        self._store = {} if location is None else {"LOCATION": location(self._prefix)}
        self._caches: dict[str, Any] = {}
        self._clock = 0.0
        store = Model(traits, lambda: self._clock)
        self._models = {
            name: store.alias(**{_lower[key]: value for key, value in settings.items()})
            for name, settings in ALIASES.items()
        }
        self._left = deque(steps)
        self._began: float | None = None
        self.steps: list[Played] = []
        self.came = Answer()

    @property
    def waits(self) -> bool:
        """Whether the next step is to wait."""
        return bool(self._left) and self._left[0] == WAIT

    def add(self, step: Step) -> None:
        """Make the step, or keep it for the time after the wait. Raises Mismatch or Late."""
        self._left.append(step)
        self.go_on()

    def go_on(self) -> None:
        """Make the steps up to the next wait. Raises Mismatch or Late."""
        while self._left and not self.waits:
            self._make(self._left.popleft())

    def resume(self) -> None:
        """Go on when the time of the wait has passed. Raises Mismatch or Late."""
        self.steps.append(Played(self._left.popleft(), Answer()))
        self._clock += PAUSE
        self._began = None
        self.go_on()

    def close(self) -> None:
        """Close what was built."""
        for cache in self._caches.values():
            with suppress(Exception):
                cache.close()
        self._caches.clear()

    def _make(self, step: Step) -> None:
        if self._began is None:
            self._began = time.monotonic()
        model = self._models[step.alias]
        if _is_unsettled(step, model) or (step.operation == "clear" and not self._store):
            return
        cache = self._cache(step.alias)
        try:
            expected = demanded(step.operation, answer(step.make, model))
        except Undecided:
            return
        self.steps.append(Played(step, expected))
        self.came = answer(step.make, cache)
        if not expected.allows(self.came):
            self.close()
            raise Late if time.monotonic() - self._began > IN_TIME else Mismatch

    def _cache(self, name: str) -> Any:
        if name not in self._caches:
            settings = {"KEY_PREFIX": "", **self._store, **ALIASES[name]}
            settings["KEY_PREFIX"] = self._prefix + settings["KEY_PREFIX"]
            self._caches[name] = self._alias(**settings)
        return self._caches[name]


_lower = {"TIMEOUT": "timeout", "KEY_PREFIX": "prefix", "VERSION": "version"}


def _is_unsettled(step: Step, model: Model) -> bool:
    """Whether the contract leaves open what the step does: moving an entry onto another one."""
    if step.operation not in ("incr_version", "decr_version"):
        return False
    version = dict(step.kwargs).get("version") or model.version
    target = version + (1 if step.operation == "incr_version" else -1)
    return target < 1 or model.has_key(step.args[0], target)


def shown(played: Sequence[Played], came: Answer) -> str:
    """Return the message of a mismatch at the last step."""
    last = played[-1]
    lines = [f"expected: {last.step} {last.expected}", f"came: {last.step} {came}"]
    if len(played) > 1:
        lines.append("after: " + "; ".join(str(step) for step, _ in played[:-1]))
    return "\n".join(lines)


def statements(played: Sequence[Played]) -> str:
    """Return the sequence as a script that ends with an error while the mismatch is there."""
    names = dict.fromkeys(step.alias for step, _ in played if step.alias)
    lines = [_built(name) for name in names if name != "cache"]
    for step, expected in played[:-1]:
        if expected.error is None:
            lines.append(str(step))
        else:
            lines += [f"with suppress({_error(expected)}):", f"    {step}"]
    return "\n".join([*lines, *_demanded(*played[-1])])


def _built(name: str) -> str:
    settings = dict(ALIASES[name])
    words = [f"{key}={value!r}" for key, value in settings.items() if key != "KEY_PREFIX"]
    if "KEY_PREFIX" in settings:
        words.insert(0, f"KEY_PREFIX=CONFIG.get('KEY_PREFIX', '') + {settings['KEY_PREFIX']!r}")
    return f"{name} = alias({', '.join(words)})"


def _error(expected: Answer) -> str:
    return "Exception" if expected.error in (Refused, None) else expected.error.__name__


def _demanded(step: Step, expected: Answer) -> list[str]:
    if expected.error is not None:
        return [
            "try:",
            f"    found = {step}",
            f"except {_error(expected)}:",
            "    pass",
            "else:",
            f"    raise AssertionError(f'no {_error(expected)}, but {{found!r}}')",
        ]
    if expected.value is ANYTHING:
        return [str(step)]
    choices = expected.value if isinstance(expected.value, Either) else (expected.value,)
    wanted = ", ".join(f"{value!r}" for value in choices)
    return [f"found = {step}", f"assert repr(found) in map(repr, [{wanted}]), repr(found)"]
