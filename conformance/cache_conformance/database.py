"""The kit's own database, beside whatever databases the project has and never in them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.test.utils import override_settings

ALIAS = "cache_conformance"
TABLE = "cache_conformance"
APPS = ("django_cache", "sessions", "cache_conformance")


class Router:
    """Sends the cache table, the sessions and the kit's models to the kit's own database."""

    def _database(self, app: str) -> str | None:
        return ALIAS if app in APPS else None

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Return the alias to read ``model`` from, None for Django's choice."""
        return self._database(model._meta.app_label)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """Return the alias to write ``model`` to, None for Django's choice."""
        return self._database(model._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Return whether ``app_label`` has tables in ``db``, None for Django's choice."""
        return db == ALIAS if app_label in APPS else None


def sqlite(directory: Path) -> dict[str, Any]:
    """Return the ``DATABASES`` entry of a SQLite file that need not survive a power cut.

    It keeps one journal for all transactions: some file systems are slow to make a file for each.
    Its threads wait for each other 20 s, where Django waits 5: a busy machine is no fault.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(directory / "cache.sqlite3"),
        "OPTIONS": {
            "init_command": "PRAGMA synchronous = OFF; PRAGMA journal_mode = TRUNCATE",
            "timeout": 20,
        },
    }


@contextmanager
def private_database(entry: dict[str, Any] | None) -> Iterator[None]:
    """Open the database of ``entry`` (a new SQLite file if None), with the tables checks need."""
    from django.contrib.sessions.models import Session

    with tempfile.TemporaryDirectory(prefix="cache-conformance-") as directory:
        configured = connections.configure_settings(
            {"default": {}, ALIAS: entry or sqlite(Path(directory))}
        )
        connections.settings[ALIAS] = configured[ALIAS]
        with override_settings(DATABASE_ROUTERS=[Router()]):
            try:
                call_command(
                    "createcachetable", TABLE, f"{TABLE}_other", database=ALIAS, verbosity=0
                )
                with connections[ALIAS].schema_editor() as editor:
                    editor.create_model(Session)
                yield
            finally:
                connections[ALIAS].close()
                del connections[ALIAS], connections.settings[ALIAS]
