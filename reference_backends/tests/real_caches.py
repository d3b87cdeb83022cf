"""Caches that are built as Django builds them, and processes that use them."""

import json
import subprocess
import sys
import threading
import time
from contextlib import suppress

from django.core.cache import CacheHandler
from django_hazelcast import HazelcastUnavailable
from django_hazelcast.entry import expiring_at


def build(entry, **options):
    """Build a cache as Django does."""
    entry = {**entry, "OPTIONS": {**entry.get("OPTIONS", {}), **options}}
    return CacheHandler({"default": entry}).create_connection("default")


def eventually(condition, seconds=20):
    """Wait until the cluster is there and the condition holds; returns whether it did in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(HazelcastUnavailable):
            if condition():
                return True
        time.sleep(0.02)
    return False


def together(*calls):
    """Call all at once, each on a thread; return what they returned."""
    barrier, returned = threading.Barrier(len(calls)), [None] * len(calls)

    def run(position):
        barrier.wait()
        returned[position] = calls[position]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return returned


def expire(entries, key):
    """Let the time of an entry be over, while the server still holds it."""
    past = expiring_at(time.time() - 1, entries.get(key))
    entries.set(key, past, 60)


PREAMBLE = """
import json, os, sys, time, asyncio, threading
from django.conf import settings
settings.configure(CACHES={"default": json.loads(sys.argv[1])})
from django.core.cache import cache, caches
"""


def process(entry, script, **kwargs):
    """Start a Python process with `cache` on the entry."""
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script, json.dumps(entry)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **kwargs,
    )
