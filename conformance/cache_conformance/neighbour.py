"""Another process beside this one, which tells whether it sees what was stored here."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

BOUND = 20.0
ABSENT = 3
"""The status with which the other process tells that it does not have the key."""


def sees(entry: dict[str, Any], key: str) -> bool:
    """Whether the backend of a ``CACHES`` entry has ``key`` in a new process.

    True, too, where the process cannot tell: then the store counts as shared.
    """
    asked = pickle.dumps((sys.path, entry, key))
    try:
        answer = subprocess.run(  # noqa: S603
            [sys.executable, "-m", __name__], input=asked, capture_output=True, timeout=BOUND
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return answer.returncode != ABSENT


def _answer() -> None:
    sys.path, entry, key = pickle.load(sys.stdin.buffer)
    from django.core.cache import CacheHandler

    from cache_conformance.environment import configure

    configure()
    if CacheHandler({"default": entry})["default"].get(key) is None:
        sys.exit(ABSENT)


if __name__ == "__main__":
    _answer()
