"""Clients, threads and forks."""

import asyncio
import gc
import os
import threading

import pytest
from django.core.signals import request_finished
from real_caches import build, process


def test_aliases_with_equal_options_share_one_client(entry):
    first, second = (
        build(entry),
        build(entry, SERIALIZER="django_hazelcast.serializers.JSONSerializer"),
    )
    assert first._store is second._store
    assert first._store._client is build(entry, MAP_NAME="other")._store._client
    assert first._store._client is not build(entry, client_name="me")._store._client


def test_threads_and_loops_share_one_client(cache):
    cache.set("k", 1)
    before = cache._store._client.started().result()
    for _ in range(3):
        assert asyncio.run(cache.aget("k")) == 1
    seen = []
    thread = threading.Thread(target=lambda: seen.append(cache.get("k")))
    thread.start()
    thread.join()
    assert seen == [1]
    assert cache._store._client.started().result() is before


def test_the_end_of_a_request_closes_nothing(cache):
    cache.set("k", 1)
    client = cache._store._client.started().result()
    request_finished.send(sender=None)
    cache.close()
    assert client.lifecycle_service.is_running()
    assert cache.get("k") == 1


def in_a_fork(work):
    """Run the work in a forked child; returns its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_makes_its_own_client(cache):
    cache.set("k", 1)
    parents = cache._store._client.started().result().name

    def child():
        mine = cache.get("k") == 1 and cache.incr("k") == 2
        gc.collect()
        return mine and cache._store._client.started().result() is not None and cache.get("k") == 2

    assert in_a_fork(child) == 0
    assert cache.incr("k") == 3
    assert cache._store._client.started().result().name == parents


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_forked_amid_the_work_of_threads_is_right(cache):
    cache.set("n", 0)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            cache.incr("n")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        statuses = [in_a_fork(lambda: cache.incr("n") > 0) for _ in range(5)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert statuses == [0] * 5


def test_a_process_that_has_used_the_cache_ends(entry):
    child = process(entry, "cache.set('k', 1); asyncio.run(cache.aget('k'))")
    assert child.wait(30) == 0
