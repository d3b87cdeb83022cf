"""What the command line asks for, checked before anything runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from cache_conformance import expectations as known
from cache_conformance import report
from cache_conformance.clause import Level, Tier, contract
from cache_conformance.controlled_server import DEFAULT_FAULT_BOUND
from cache_conformance.effort import OPTIONS as EFFORT
from cache_conformance.effort import Effort
from cache_conformance.execution import DEFAULT_BOUND
from cache_conformance.expectations import Expectations, InvalidExpectations
from cache_conformance.implementation import Implementation, UnusableBackend
from cache_conformance.report.extra import MissingExtra
from cache_conformance.report.page import require_jinja
from cache_conformance.results import Results

DEFAULT_TIERS = (Tier.CONTRACT, Tier.CONCURRENCY)


class BadOption(Exception):
    """An option cannot be used; the message is one line for the person who gave it."""


@dataclass
class Options:
    """The options of a run, ready to be used."""

    implementations: list[Implementation]
    level: Level
    tiers: tuple[Tier, ...]
    expectations: Expectations
    bound: float
    reports: list[tuple[Callable[[report.Document], str], Path]] = field(default_factory=list)
    baseline: Path | None = None
    wanted_targets: list[str | None] = field(default_factory=list)

    @classmethod
    def read(cls, given: Any) -> Options:
        """Read the parsed command line. Raises BadOption with one line."""
        with _readable_contract():
            implementations = _implementations(given)
            expectations = _known_failures(given.cache_expectations)
        for implementation in implementations:
            implementation.effort = _effort(given)
            implementation.fault_bound = _seconds("--cache-fault-bound", given.cache_fault_bound)
        return cls(
            implementations=implementations,
            level=_choice("--cache-level", given.cache_level.upper(), list(Level)),
            tiers=tuple(
                _choice("--cache-tier", name.strip(), list(Tier))
                for name in given.cache_tier.split(",")
            ),
            expectations=expectations,
            bound=_seconds("--cache-timeout", given.cache_timeout),
            reports=[_report(text) for text in given.cache_report],
            baseline=_baseline(given.cache_write_expectations),
            wanted_targets=_wanted_targets(given.cache_target, implementations),
        )

    @classmethod
    def of(
        cls,
        path: str,
        config: Mapping[str, Any] | None = None,
        *,
        target: str | None = None,
        level: str = Level.MUST,
        tiers: Sequence[str] = DEFAULT_TIERS,
        expectations: str | Path | None = None,
        timeout: float = DEFAULT_BOUND,
        fault_bound: float = DEFAULT_FAULT_BOUND,
        allow_clear: bool = False,
        bounds: Mapping[str, int] | None = None,
    ) -> Options:
        """Read what a program asks for, one backend. Raises BadOption with one line."""
        with _readable_contract():
            implementation = Implementation.of(path, dict(config or {}), allow_clear=allow_clear)
            known_failures = _known_failures([expectations] if expectations else [])
        implementation.effort = _bounded(bounds or {})
        implementation.fault_bound = _seconds("fault_bound", str(fault_bound))
        return cls(
            implementations=[implementation],
            level=_choice("level", level.upper(), list(Level)),
            tiers=tuple(_choice("tier", name, list(Tier)) for name in tiers),
            expectations=known_failures,
            bound=_seconds("timeout", str(timeout)),
            wanted_targets=_wanted_targets([target] if target else [], [implementation]),
        )

    def start_targets(self, running: ExitStack) -> None:
        """Start what each backend talks to, and stop it when ``running`` closes.

        A backend whose server is not started here, and does not answer, is unavailable.
        """
        for implementation, wanted in zip(self.implementations, self.wanted_targets, strict=True):
            if wanted is not None:
                _start(implementation, wanted, running)
            elif (silence := implementation.store.silence()) and not implementation.answers():
                implementation.unavailable = silence

    def targets(self) -> list[dict[str, Any]]:
        """Return where the targets are, as plain data for another process."""
        return [{**i.place, "unavailable": i.unavailable} for i in self.implementations]

    def take_targets(self, places: Sequence[dict[str, Any]]) -> None:
        """Use targets that another process has started."""
        for implementation, place in zip(self.implementations, places, strict=True):
            implementation.unavailable = place.pop("unavailable")
            implementation.take_place(place)

    def try_to_build(self, running: ExitStack) -> None:
        """Build every backend once, and remove its store when ``running`` closes.

        Raises BadOption if one cannot be built.
        """
        for implementation in self.implementations:
            running.callback(implementation.store.close)
            if implementation.unavailable is None:
                try:
                    implementation.try_to_build()
                except UnusableBackend as error:
                    raise BadOption(str(error)) from error

    def write_reports(self, results: Sequence[Results], complete: bool) -> None:
        """Write the reports, and the baseline of known failures."""
        document = report.document(
            [(found.implementation, found.found) for found in results], complete
        )
        for write, path in self.reports:
            path.write_text(write(document), encoding="utf-8")
        if self.baseline is not None:
            named = [(found.implementation.path, result) for found in results for result in found]
            text = known.write(named, [i.path for i in self.implementations])
            self.baseline.write_text(text, encoding="utf-8")


@contextmanager
def _readable_contract() -> Iterator[None]:
    """Have the contract at hand, and raise BadOption for whatever cannot be tried by it."""
    if sys.flags.optimize:
        raise BadOption("python -O removes assertions, so no check could fail; run without it")
    contract()
    try:
        yield
    except (UnusableBackend, InvalidExpectations) as error:
        raise BadOption(str(error)) from error


def _known_failures(files: Iterable[str | Path]) -> Expectations:
    return sum((known.read(Path(file)) for file in files), Expectations())


def _implementations(given: Any) -> list[Implementation]:
    allow_clear = given.cache_allow_clear
    configs = [_config(text) for text in given.cache_config]
    if len(configs) > 1 and len(configs) != len(given.cache_backend):
        raise BadOption("--cache-config is given once for all backends, or once for each")
    found = []
    for number, path in enumerate(given.cache_backend):
        config = configs[number if len(configs) > 1 else 0] if configs else {}
        found.append(Implementation.of(path, config, allow_clear=allow_clear))
    for alias in given.cache_alias:
        if alias not in settings.CACHES:
            known_aliases = ", ".join(settings.CACHES)
            raise BadOption(f"--cache-alias={alias}: the settings have {known_aliases}")
        entry = dict(settings.CACHES[alias])
        path = entry.pop("BACKEND", "")
        found.append(Implementation.of(path, entry, allow_clear=allow_clear))
    return found


def _config(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except ValueError as error:
        raise BadOption(f"--cache-config is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise BadOption('--cache-config is a JSON object, such as \'{"LOCATION": "..."}\'')
    if not isinstance(config.get("OPTIONS", {}), dict):
        raise BadOption("--cache-config: OPTIONS is a JSON object")
    if "BACKEND" in config:
        raise BadOption("--cache-config: leave BACKEND out, which --cache-backend names")
    return config


def _choice(option: str, value: str, choices: list[Any]) -> Any:
    for choice in choices:
        if value == str(choice):
            return choice
    known_choices = ", ".join(str(choice).lower() for choice in choices)
    raise BadOption(f"{option}={value.lower()}: choose from {known_choices}")


def _effort(given: Any) -> Effort:
    seed = getattr(given, "hypothesis_seed", None)
    bounds = {name: _count(name, getattr(given, f"cache_max_{name}")) for name in EFFORT}
    return Effort(**bounds, **({} if seed is None else {"seed": seed}))


def _bounded(bounds: Mapping[str, int]) -> Effort:
    for name in bounds:
        _choice("bound", name, list(EFFORT))
    return Effort(**{name: _count(name, str(number)) for name, number in bounds.items()})


def _count(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise BadOption(f"--cache-max-{name}={text}: a whole number above 0")
    return int(text)


def _seconds(option: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise BadOption(f"{option}={text}: a number of seconds above 0")
    return seconds


def _report(text: str) -> tuple[Callable[[report.Document], str], Path]:
    name, colon, path = text.partition(":")
    if name not in report.FORMATS or not colon or not path:
        formats = ", ".join(report.FORMATS)
        raise BadOption(f"--cache-report={text}: FORMAT:PATH, where FORMAT is one of {formats}")
    if name == "html":
        try:
            require_jinja()
        except MissingExtra as error:
            raise BadOption(f"--cache-report={text}: {error}") from error
    return report.FORMATS[name], _writable(f"--cache-report={text}", Path(path))


def _baseline(text: str | None) -> Path | None:
    return _writable(f"--cache-write-expectations={text}", Path(text)) if text else None


def _writable(option: str, path: Path) -> Path:
    """Return ``path`` if a file can be written there, without changing what is there now."""
    existed = path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise BadOption(f"{option}: cannot be written: {error.strerror}") from error
    if not existed:
        path.unlink()
    return path.absolute()


def _wanted_targets(
    given: Sequence[str], implementations: Sequence[Implementation]
) -> list[str | None]:
    if len(given) > 1 and len(given) != len(implementations):
        raise BadOption("--cache-target is given once for all backends, or once for each")
    if given:
        _check_target_names(given)
        return [*given] * (len(implementations) if len(given) == 1 else 1)
    return [implementation.wants_target for implementation in implementations]


def _check_target_names(given: Sequence[str]) -> None:
    from cache_targets import Wanted

    for text in given:
        try:
            Wanted.parse(text)
        except ValueError as error:
            raise BadOption(f"--cache-target={text}: {error}") from error


def _start(implementation: Implementation, wanted: str, running: ExitStack) -> None:
    from cache_targets import TargetUnavailable, start

    try:
        target = running.enter_context(start(wanted))
    except TargetUnavailable as error:
        implementation.unavailable = str(error)
        return
    except ValueError as error:
        raise BadOption(str(error)) from error
    implementation.take_place(
        {
            "target": target.name,
            "provider": target.provider,
            "location": target.location,
            "owned": target.owned,
            "members": len(target.members),
            "by_hand": target.by_hand,
            "database": target.database,
        }
    )
