"""Keeps passwords out of everything that the kit prints or writes."""

from __future__ import annotations

import re
from typing import Any

MASK = "***"
_secret_name = re.compile(r"pass|secret|token|credential|api_?key|private_?key|auth", re.IGNORECASE)
_url_with_credentials = re.compile(r"(?<=://)[^/\s]*(?=@)")


def masked(value: Any, name: str = "") -> Any:
    """Return ``value`` with every secret replaced by ``***``, however deep it stands."""
    if isinstance(value, dict):
        return {key: masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(masked(inner, name) for inner in value)
    if value and _secret_name.search(name):
        return MASK
    if isinstance(value, str):
        return _url_with_credentials.sub(MASK, value)
    return value
