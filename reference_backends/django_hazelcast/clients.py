"""The Hazelcast clients of this process: one for each cluster and set of client options.

A client is started by the first operation that needs it, on a thread of its own, since starting it
blocks and neither a request nor an event loop may wait longer than it wants to. It is shared by all
threads, event loops and aliases, and lives as long as the process. It does not survive a fork: a
child process starts its own.
"""

import atexit
import os
import threading
from collections.abc import Callable
from typing import Any

from hazelcast.client import HazelcastClient
from hazelcast.future import Future
from hazelcast.lifecycle import LifecycleState
from hazelcast.proxy.map import Map

from django_hazelcast.near_cache import NearCache, NearCacheOptions
from django_hazelcast.waking import keep_awake

Arguments = dict[str, Any]
Entries = Map[str, bytearray]

_clients: list["Client"] = []
_choosing = threading.Lock()


def client_for(arguments: Arguments) -> "Client":
    """Return this process's client with these arguments for `hazelcast.HazelcastClient`."""
    with _choosing:
        for client in _clients:
            if client.arguments == arguments:
                return client
        client = Client(arguments)
        _clients.append(client)
        return client


class Client:
    """A Hazelcast client that starts when it is needed, and again after it has given up."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = arguments
        self._stores: dict[tuple[str, NearCacheOptions | None], Store] = {}
        self._starting: Future[HazelcastClient] | None = None
        self._lock = threading.Lock()

    def start_over(self) -> None:
        """Go on in a process that was forked, where threads that held a lock are no more."""
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Go on as if the client had never been started."""
        self._starting = None
        for store in list(self._stores.values()):
            store.forget()

    def store(self, name: str, near_cache: NearCacheOptions | None) -> "Store":
        """Return the map of this name. Nothing is sent."""
        with self._lock:
            found = self._stores.get((name, near_cache))
            if found is None:
                found = self._stores[name, near_cache] = Store(self, name, near_cache)
            return found

    def started(self) -> Future[HazelcastClient]:
        """Return the future of the client, which is started where it does not run."""
        with self._lock:
            if _has_failed(self._starting):
                self._starting = _on_a_thread(self._start)
            assert self._starting is not None
            return self._starting

    def stop(self) -> None:
        """End the client in good order, where it runs."""
        starting, self._starting = self._starting, None
        if starting is not None and starting.is_success():
            starting.result().shutdown()

    def _start(self) -> HazelcastClient:
        """Start a client, and wait until it is connected."""
        client = HazelcastClient(**self.arguments, lifecycle_listeners=[self._changed])
        keep_awake(client)
        return client

    def _changed(self, state: str) -> None:
        """Distrust near caches that may have missed something, and a client that has ended."""
        if state in (LifecycleState.DISCONNECTED, LifecycleState.SHUTDOWN):
            for store in list(self._stores.values()):
                store.distrust()
        if state == LifecycleState.SHUTDOWN:
            self.forget()


class Store:
    """A map on the cluster, and what this process has kept of it near by."""

    def __init__(self, client: Client, name: str, near_cache: NearCacheOptions | None) -> None:
        self._client = client
        self._name = name
        self._near_cache_options = near_cache
        self.forget()

    def forget(self) -> None:
        """Go on as if the map had never been used."""
        options = self._near_cache_options
        self.entries: Entries | None = None
        self.near_cache = None if options is None else NearCache(options)
        self._lock = threading.Lock()
        self._opening: Future[Entries] | None = None

    def distrust(self) -> None:
        """Drop what is kept near by, as the cluster may have changed it unheard."""
        if self.near_cache is not None:
            self.near_cache.clear()

    def opened(self) -> Future[Entries]:
        """Return the future of the map; once it is there it is `entries`."""
        with self._lock:
            if _has_failed(self._opening):
                self._opening = _on_a_thread(self._open)
            assert self._opening is not None
            return self._opening

    def _open(self) -> Entries:
        client = self._client.started().result()
        entries: Entries = client.get_map(self._name)
        if self.near_cache is not None:
            client.cluster_service.add_listener(member_removed=lambda _: self.distrust())
            self.near_cache.listen(entries)
        self.entries = entries
        return entries


def _has_failed(future: Future[Any] | None) -> bool:
    """Whether there is no such future, or one that has come to nothing."""
    return future is None or (future.done() and not future.is_success())


def _on_a_thread(work: Callable[[], Any]) -> Future[Any]:
    """Return the future of what a call returns, which is made on a thread of its own."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="django-hazelcast", daemon=True).start()
    return future


def _start_over() -> None:
    """Forget the clients of the parent process, and locks that its threads may have held."""
    global _choosing
    _choosing = threading.Lock()
    for client in _clients:
        client.start_over()


@atexit.register
def _stop_all() -> None:
    for client in _clients:
        client.stop()


os.register_at_fork(after_in_child=_start_over)
