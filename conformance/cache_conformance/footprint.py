"""How many bytes a store holds, asked of the store itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connections

from cache_conformance.database import ALIAS, TABLE
from cache_conformance.store import (
    DatabaseStore,
    DirectoryStore,
    HazelcastMemcachedStore,
    HazelcastStore,
    MemcachedStore,
    RedisStore,
    Store,
)

BLOCK = 512


def bytes_held(store: Store) -> int | None:
    """Return how many bytes ``store`` takes now, None where the kit has no way to ask it.

    Raises whatever the client of the server raises.
    """
    for kind, ask in _ASKED.items():
        if isinstance(store, kind):
            return ask(store)
    if store.given and isinstance(store.given, str) and Path(store.given).is_dir():
        return _on_disk(Path(store.given))
    return None


def _on_disk(directory: Path) -> int:
    """Return what the files occupy, which is more than their length."""
    return sum(path.stat().st_blocks * BLOCK for path in directory.rglob("*") if path.is_file())


def _of_a_directory(store: Any) -> int:
    return _on_disk(Path(store.root))


def _of_a_table(store: Store) -> int | None:
    connection = connections[ALIAS]
    statement = {
        "sqlite": "SELECT (page_count - freelist_count) * page_size "
        "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()",
        "postgresql": f"SELECT pg_total_relation_size('{TABLE}')",
    }.get(connection.vendor)
    if statement is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(statement)
        [held] = cursor.fetchone()
    return int(held)


def _of_redis(store: Store) -> int:
    from redis import Redis

    with Redis.from_url(_first(store.given)) as client:
        return int(client.info("memory")["used_memory"])


def _of_memcached(store: Store) -> int:
    from pymemcache import Client

    with closing(Client(_first(store.given))) as client:
        return int(client.stats()[b"bytes"])


def _of_hazelcast(store: Store) -> int:
    """Return the cost that the members state for the entries of all maps."""
    from hazelcast.client import HazelcastClient
    from hazelcast.proxy.map import Map

    client = HazelcastClient(cluster_members=[_first(store.given).partition("/")[0]])
    try:
        maps = [found for found in client.get_distributed_objects() if isinstance(found, Map)]
        views = [m.get_entry_view(key) for m in maps for key in m.key_set().result()]
        return sum(view.result().cost for view in views if view.result() is not None)
    finally:
        client.shutdown()


def _nowhere(store: Store) -> None:
    """A member states no size of what came by the Memcached protocol, to that or its own client."""


def _first(location: Any) -> str:
    """Return the first server of a LOCATION, which is a text or several."""
    several: Iterable[str] = location.split(",") if isinstance(location, str) else location
    return next(iter(several))


_ASKED: dict[type[Store], Callable[[Any], int | None]] = {
    DirectoryStore: _of_a_directory,
    DatabaseStore: _of_a_table,
    RedisStore: _of_redis,
    HazelcastStore: _of_hazelcast,
    HazelcastMemcachedStore: _nowhere,
    MemcachedStore: _of_memcached,
}
"""Each kind of store, the more special one first."""
