"""What the process of a backend stands in, where something around the kit guards what it needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

around: Callable[[], AbstractContextManager[None]] = nullcontext
"""Called in each process; the plugin sets it, for what pytest and pytest-django do to tests."""
