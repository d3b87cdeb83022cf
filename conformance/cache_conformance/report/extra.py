"""What reports need that a bare installation of the kit has not."""

from __future__ import annotations

from importlib import import_module


class MissingExtra(Exception):
    """A package that a report needs is not installed; the message is one line."""


def require(package: str, what: str) -> None:
    """Raise MissingExtra where ``package`` is missing, which ``what`` needs."""
    try:
        import_module(package)
    except ImportError as error:
        raise MissingExtra(
            f"{what} needs {package}: pip install 'django-cache-conformance[report]'"
        ) from error
