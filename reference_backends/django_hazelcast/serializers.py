"""How values become bytes, and come back.

A serializer is anything with `dumps(value)`, which returns bytes, and `loads(bytes)`.
"""

import json
import pickle
from typing import Any, Protocol


class Serializer(Protocol):
    """What OPTIONS["SERIALIZER"] names."""

    def dumps(self, value: Any, /) -> bytes:
        """Return the value as bytes; raises where it cannot be stored."""

    def loads(self, data: bytes, /) -> Any:
        """Return a new value that equals the one that made these bytes."""


class PickleSerializer:
    """Python's pickle, as in Django's own backends: for any object, and for stores one trusts."""

    def __init__(self, protocol: int = pickle.HIGHEST_PROTOCOL) -> None:
        self._protocol = protocol

    def dumps(self, value: Any) -> bytes:
        """Raises what pickle raises."""
        return pickle.dumps(value, self._protocol)

    def loads(self, data: bytes) -> Any:
        """Raises what pickle raises, where the class of an object is no longer there."""
        return pickle.loads(data)


class JSONSerializer:
    """JSON: readable by other programs, and harmless; tuples come back as lists."""

    def dumps(self, value: Any) -> bytes:
        """Raises `TypeError` for what JSON does not have."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """Raises `ValueError` for what is no JSON."""
        return json.loads(data)
