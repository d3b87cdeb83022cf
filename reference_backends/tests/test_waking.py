"""A wake-up of the client's thread that comes while it looks is not lost."""

import os
import select
from types import SimpleNamespace

from django_hazelcast.waking import keep_awake
from hazelcast.reactor import _PipedWaker


def _woken_while_it_looks(waker, monkeypatch):
    """Wake the thread in the moment after it took the flag back and before it takes the bytes."""
    read, woken = os.read, []

    def woken_first(descriptor, number):
        if not woken:
            woken.append(True)
            waker.wake()
        return read(descriptor, number)

    waker.wake()
    monkeypatch.setattr("hazelcast.reactor.os.read", woken_first)
    waker.handle_read()
    monkeypatch.undo()


def _has_a_byte(waker):
    return bool(select.select([waker._read_fd], [], [], 0)[0])


def test_the_client_alone_is_not_woken_any_more(monkeypatch):
    """Where this fails, the client has been mended, and `waking.py` can go."""
    waker = _PipedWaker({})
    _woken_while_it_looks(waker, monkeypatch)
    waker.wake()
    assert not _has_a_byte(waker)
    waker.close()


def test_the_backend_keeps_it_awake(monkeypatch):
    waker = _PipedWaker({})
    keep_awake(SimpleNamespace(_reactor=SimpleNamespace(_loop=SimpleNamespace(waker=waker))))
    _woken_while_it_looks(waker, monkeypatch)
    waker.wake()
    assert _has_a_byte(waker)
    waker.close()


def test_a_client_that_was_stuck_is_woken_again(monkeypatch):
    waker = _PipedWaker({})
    _woken_while_it_looks(waker, monkeypatch)
    keep_awake(SimpleNamespace(_reactor=SimpleNamespace(_loop=SimpleNamespace(waker=waker))))
    waker.wake()
    assert _has_a_byte(waker)
    waker.close()
