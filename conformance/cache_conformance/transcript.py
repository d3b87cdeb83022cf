"""What a check did to the backend and what came back, kept so that a failure can be told."""

from __future__ import annotations

import reprlib
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any


class _Short(reprlib.Repr):
    """Cuts long bytes before it renders them, as the base class does with text."""

    def repr_bytes(self, value: bytes, level: int) -> str:
        """Return a short literal."""
        if len(value) <= self.maxother:
            return repr(value)
        half = self.maxother // 3
        return f"{value[:half]!r}...{value[-half:]!r}"


_short = _Short()
_short.maxstring = _short.maxother = 120
_short.maxlong = 60
_short.maxlist = _short.maxdict = _short.maxtuple = _short.maxset = 6


def show(value: object) -> str:
    """Return ``value`` as a short literal; a ``repr`` that raises is named, not passed on."""
    try:
        return _short.repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


@dataclass
class Call:
    """One operation, how it ended, and the line of the check that made it."""

    operation: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    line: int
    ending: str = "has not returned"
    error: BaseException | None = None

    def returned(self, result: object) -> None:
        """Note the result."""
        self.ending = f"returned {show(result)}"

    def raised(self, error: BaseException) -> None:
        """Note the exception."""
        self.error = error
        self.ending = f"raised {describe(error)}"

    def __str__(self) -> str:
        arguments = [show(arg) for arg in self.args]
        arguments += [f"{name}={show(value)}" for name, value in self.kwargs.items()]
        return f"{self.operation}({', '.join(arguments)}) {self.ending}"


@dataclass
class Wait:
    """The time that passed between two operations, in seconds."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s passed"


@dataclass
class Transcript:
    """The last operations of one check, oldest first."""

    entries: deque[Call | Wait] = field(default_factory=lambda: deque(maxlen=40))
    latest: float = field(default_factory=time.monotonic)

    def call(
        self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any], line: int
    ) -> Call:
        """Start the note of an operation that is about to be made."""
        call = Call(operation, args, kwargs, line)
        self.entries.append(call)
        self.latest = time.monotonic()
        return call

    def waited(self) -> None:
        """Note the time that has passed since the last operation began."""
        self.entries.append(Wait(time.monotonic() - self.latest))

    def last(self, count: int) -> list[Call | Wait]:
        """Return the last ``count`` notes."""
        return list(self.entries)[-count:]


def describe(error: BaseException) -> str:
    """Return type and text of an exception, on one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(its text cannot be read)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
