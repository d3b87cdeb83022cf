"""The second store that the kit names is another one than the first."""

from __future__ import annotations

import pytest
from cache_conformance.store import RedisStore


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ("redis://127.0.0.1:6379/3", "redis://127.0.0.1:6379/4"),
        # django-redis-cache takes database 1 where LOCATION names none
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/9"),
        ("redis://127.0.0.1:6379/", "redis://127.0.0.1:6379/9"),
    ],
)
def test_another_database_of_redis(given, other):
    assert RedisStore(given, owned=True).another_location("scope") == other
