"""Threads that do something at one moment. The functions are copied into reproductions."""

import random
import sys
import time
from contextlib import contextmanager
from threading import Barrier, BrokenBarrierError, Thread

from django.db import connections

PATIENCE = 20


def make_way(frame, event, argument):
    """Let other threads go first, now and then: a trace function, called for each line."""
    if random.random() < 0.01:
        time.sleep(0)
    return make_way


@contextmanager
def eager_threads():
    """Let threads take turns far more often than usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def race(alias, rounds, moves):
    """Make each of ``moves`` on a thread of its own, all at one moment, in each of the rounds.

    The threads also make way for each other between two lines of the backend, by chance, so that a
    race of which the moment is short shows in a few rounds.

    A move is called with the thread's own cache and the number of the round. Returns what the
    moves returned, a list for each round; raises the first error that one of them raised.
    """
    barrier = Barrier(len(moves), timeout=PATIENCE)
    returned = [[None] * len(moves) for _ in range(rounds)]
    errors = []

    def run(position):
        try:
            cache = alias()
            sys.settrace(make_way)
            for number in range(rounds):
                barrier.wait()
                returned[number][position] = moves[position](cache, number)
            cache.close()
        except BrokenBarrierError:
            pass
        except BaseException as error:
            errors.append(error)
            barrier.abort()
        finally:
            sys.settrace(None)
            connections.close_all()

    threads = [Thread(target=run, args=(n,), daemon=True) for n in range(len(moves))]
    with eager_threads():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return returned
