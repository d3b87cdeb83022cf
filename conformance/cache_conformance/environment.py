"""Django as the contract needs it: configured where no project has done so, and left as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from secrets import token_urlsafe

import django
from asgiref.local import Local
from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.test.utils import override_settings

from cache_conformance.database import private_database
from cache_conformance.implementation import Implementation

SESSIONS = "django.contrib.sessions"


def configure() -> None:
    """Configure and set up Django, unless a project's settings have."""
    if not settings.configured:
        settings.configure(INSTALLED_APPS=[SESSIONS], USE_TZ=True, SECRET_KEY=token_urlsafe())
    if not apps.ready:
        django.setup()


def forget_caches() -> None:
    """Drop the instances of ``caches``, as Django's own tests do, also where close() raises."""
    caches._settings = caches.settings = caches.configure_settings(None)  # type: ignore[attr-defined]
    caches._connections = Local(caches.thread_critical)  # type: ignore[attr-defined]


@contextmanager
def prepared(implementations: Iterable[Implementation], database: bool) -> Iterator[None]:
    """Give the checks what they need around the backend; ``database``: some clause needs one."""
    with ExitStack() as stack:
        if SESSIONS not in settings.INSTALLED_APPS:
            stack.enter_context(
                override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, SESSIONS])
            )
        for implementation in implementations:
            stack.callback(implementation.store.close)
            stack.callback(implementation.server.close)
            if implementation.store.needs_database:
                database = True
        if database:
            entries = [i.database for i in implementations if i.database]
            stack.enter_context(private_database(entries[0] if entries else None))
        yield
