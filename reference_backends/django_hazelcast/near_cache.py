"""A near cache: entries that this process has read, kept until the cluster says they changed.

The client has one of its own, which serves entries after their time and may keep a value that was
overwritten while it was on its way. This one is asked about the moment of expiry, and keeps a value
only where nothing has happened to its key since the request for it was sent.
"""

import threading
import time
from dataclasses import dataclass

from hazelcast.proxy.base import EntryEvent
from hazelcast.proxy.map import Map

from django_hazelcast.entry import is_alive


@dataclass(frozen=True)
class NearCacheOptions:
    """OPTIONS["NEAR_CACHE"]."""

    size: int = 10_000
    """How many entries it holds; the one that came first goes first."""
    max_age: float = 60.0
    """How long an entry is served without being read again, in seconds: the bound on how long a
    change goes unnoticed where the news of it is lost with a connection."""


class NearCache:
    """What one process knows of a map."""

    def __init__(self, options: NearCacheOptions) -> None:
        self._options = options
        self._entries: dict[str, tuple[bytearray, float]] = {}
        self._awaited: dict[str, object] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytearray | None:
        """Return the entry, if it is here and neither expired nor too old."""
        found = self._entries.get(key)
        if found is None:
            return None
        entry, good_until = found
        return entry if time.monotonic() < good_until and is_alive(entry) else None

    def await_answer(self, key: str) -> object:
        """Return a token for an entry that is about to be read."""
        token = object()
        with self._lock:
            self._awaited[key] = token
        return token

    def keep(self, key: str, token: object, entry: bytearray | None) -> None:
        """Keep an entry that has been read, unless its key has changed meanwhile."""
        with self._lock:
            if self._awaited.get(key) is not token:
                return
            del self._awaited[key]
            if entry is None:
                self._entries.pop(key, None)
                return
            if key not in self._entries and len(self._entries) >= self._options.size:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = entry, time.monotonic() + self._options.max_age

    def forget(self, *keys: str) -> None:
        """Drop entries that have changed, and those of them that are on their way."""
        with self._lock:
            for key in keys:
                self._entries.pop(key, None)
                self._awaited.pop(key, None)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()
            self._awaited.clear()

    def listen(self, entries: Map[str, bytearray]) -> None:
        """Have the cluster tell of every change; waits until it does."""

        def changed(event: EntryEvent[str, bytearray]) -> None:
            self.forget(event.key)

        def emptied(_: EntryEvent[str, bytearray]) -> None:
            self.clear()

        entries.add_entry_listener(
            added_func=changed,
            removed_func=changed,
            updated_func=changed,
            evicted_func=changed,
            expired_func=changed,
            merged_func=changed,
            loaded_func=changed,
            evict_all_func=emptied,
            clear_all_func=emptied,
        ).result()
