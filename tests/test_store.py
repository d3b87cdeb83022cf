"""The stores that the kit names: a second one is another, and a directory is where it should be."""

from __future__ import annotations

from pathlib import Path

import pytest
from cache_conformance.store import MEMORY, DirectoryStore, RedisStore


def test_a_directory_is_on_disk_once_its_speed_is_measured(monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    store = DirectoryStore("", owned=True)
    in_memory = Path(store.root)
    store.keep_on_disk()
    on_disk = Path(store.root)
    assert in_memory.is_relative_to(MEMORY)
    assert not on_disk.is_relative_to(MEMORY)
    assert in_memory.exists()
    assert on_disk.exists()
    store.close()
    assert not in_memory.exists()
    assert not on_disk.exists()


def test_a_directory_that_was_given_stays(tmp_path):
    store = DirectoryStore(str(tmp_path), owned=False)
    store.keep_on_disk()
    assert Path(store.root).is_relative_to(tmp_path)
    store.close()
    assert list(tmp_path.iterdir()) == []


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
