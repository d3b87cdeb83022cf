"""The contract as a test class, for people who keep one for each of their backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar


class CacheConformance:
    """The contract on one backend: derive a class from this one, and pytest collects its clauses.

    ::

        from cache_conformance import CacheConformance


        class TestMyCache(CacheConformance):
            backend = "my.package.MyCache"
            config = {"LOCATION": "127.0.0.1:11211"}

    The tests have the ids of the command line, ``TestMyCache::timeout.entry-expires[sync]``. Test
    methods of the class are collected beside them. The attributes mean what the options of the
    command line mean, and the arguments of :func:`cache_conformance.run`.
    """

    backend: ClassVar[str]
    """The dotted path of the backend."""
    config: ClassVar[Mapping[str, Any]] = {}
    """The rest of its ``CACHES`` entry."""
    target: ClassVar[str | None] = None
    """The server to start for it; Django's own backends know theirs."""
    level: ClassVar[str] = "must"
    """The lowest level whose failure fails a test: "must", "should" or "may"."""
    tiers: ClassVar[Sequence[str]] = ("contract", "concurrency")
    """Which clauses are collected."""
    expectations: ClassVar[str | Path | None] = None
    """A file of known failures, in TOML."""
    timeout: ClassVar[float] = 30.0
    """Seconds that one step of a check may take."""
    fault_bound: ClassVar[float] = 10.0
    """Seconds that an operation may take while its server is killed, paused or slow."""
    allow_clear: ClassVar[bool] = False
    """Whether the store holds nothing that matters."""
    bounds: ClassVar[Mapping[str, int]] = {}
    """Those of the options ``--cache-max-...``, such as ``{"examples": 10}``."""
