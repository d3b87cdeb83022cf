"""The contract as a call, for programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
from django.conf import ENVIRONMENT_VARIABLE

from cache_conformance import environment
from cache_conformance.controlled_server import DEFAULT_FAULT_BOUND
from cache_conformance.execution import DEFAULT_BOUND, trials
from cache_conformance.isolation import IsolatedRun
from cache_conformance.options import DEFAULT_TIERS, Options
from cache_conformance.results import Results


def run(
    path: str,
    config: Mapping[str, Any] | None = None,
    *,
    target: str | None = None,
    tiers: Sequence[str] = DEFAULT_TIERS,
    expectations: str | Path | None = None,
    timeout: float = DEFAULT_BOUND,
    fault_bound: float = DEFAULT_FAULT_BOUND,
    allow_clear: bool = False,
    bounds: Mapping[str, int] | None = None,
) -> Results:
    """Run the contract on the backend at a dotted path, and return what was found.

    It does what ``pytest --cache-backend=PATH`` does, without pytest: a process for the backend,
    the server that it needs started and stopped, known failures of Django's own backends known.
    Django is set up with the settings that ``DJANGO_SETTINGS_MODULE`` names, or with the kit's
    own where there are none.

    ``config``: the rest of the ``CACHES`` entry (``LOCATION``, ``OPTIONS``, ...).
    ``target``: the server to start, ``"redis"`` or ``"redis:process"``; ``LOCATION`` points at it.
    ``tiers``: which clauses run, ``"contract"`` and ``"concurrency"`` unless given; ``"benchmark"``
    measures.
    ``expectations``: a file of known failures, in TOML.
    ``timeout``: seconds that one step of a check may take.
    ``fault_bound``: seconds that an operation may take while its server is killed, paused or slow,
    and the backend to recover (tier ``"faults"``).
    ``allow_clear``: the store holds nothing that matters, so that ``clear()`` may be tried.
    ``bounds``: those of the options ``--cache-max-...``, such as ``{"measuring": 10}``.

    Raises :class:`~.options.BadOption`, with one line for a person, where there is no such
    backend, it cannot be built, or an argument cannot be used. A server that cannot be had raises
    nothing: every result is then ``unavailable``, and ``conforms()`` is False.
    """
    if ENVIRONMENT_VARIABLE in os.environ:
        django.setup()
    environment.configure()
    options = Options.of(
        path,
        config,
        target=target,
        tiers=tiers,
        expectations=expectations,
        timeout=timeout,
        fault_bound=fault_bound,
        allow_clear=allow_clear,
        bounds=bounds,
    )
    [implementation] = options.implementations
    with ExitStack() as running:
        options.start_targets(running)
        options.try_to_build(running)
        selected = trials(implementation, options.tiers)
        isolated = running.enter_context(IsolatedRun(selected, options.expectations, options.bound))
        return Results(implementation, options.tiers, [isolated.result(t) for t in selected])
