"""Threads that do something at one moment. The functions are copied into reproductions."""

import sys
from contextlib import contextmanager
from threading import Barrier, BrokenBarrierError, Thread

from django.db import connections

PATIENCE = 20


@contextmanager
def eager_threads():
    """Let threads take turns far more often than usual, so that a race shows in fewer rounds."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def race(alias, rounds, moves):
    """Make each of ``moves`` on a thread of its own, all at one moment, in each of the rounds.

    A move is called with the thread's own cache and the number of the round. Returns what the
    moves returned, a list for each round; raises the first error that one of them raised.
    """
    barrier = Barrier(len(moves), timeout=PATIENCE)
    returned = [[None] * len(moves) for _ in range(rounds)]
    errors = []

    def run(position):
        try:
            cache = alias()
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
