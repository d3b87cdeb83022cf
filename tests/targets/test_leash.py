"""However the process that holds a server ends, the server ends too and leaves nothing behind."""

import os
import signal
import threading

import pytest
from cache_targets import Target, start

from .clients import get, listens
from .processes import Holder, runs, soon


def nothing_is_left(holder: Holder, pid: int, port: int) -> bool:
    return not (runs(pid) or listens("127.0.0.1", port) or holder.left())


def test_a_block_that_is_left() -> None:
    with Holder("redis", "pass") as holder:
        server = holder.wait_for_target()
        assert holder.last_words() == ""
        assert nothing_is_left(holder, *server)


def test_an_exception() -> None:
    with Holder("redis", "raise SystemError('ours')") as holder:
        server = holder.wait_for_target()
        assert "SystemError: ours" in holder.last_words()
        assert nothing_is_left(holder, *server)


def test_a_block_that_is_left_while_the_server_is_paused() -> None:
    with Holder("redis", "target.pause()") as holder:
        server = holder.wait_for_target()
        assert holder.last_words() == ""
        assert nothing_is_left(holder, *server)


@pytest.mark.parametrize("name", ["memcached", "redis"])
def test_sigkill(name: str) -> None:
    with Holder(name) as holder:
        server = holder.wait_for_target()
        holder.kill()
        assert soon(lambda: nothing_is_left(holder, *server))


def test_sigkill_while_the_server_is_paused() -> None:
    with Holder("postgresql", "target.pause(); print(0, flush=True); time.sleep(60)") as holder:
        server = holder.wait_for_target()
        holder.next_number()
        holder.kill()
        assert soon(lambda: nothing_is_left(holder, *server))


def test_sigkill_of_a_process_whose_fork_lives_on() -> None:
    with Holder("redis", "os.fork() or print(os.getpid(), flush=True); time.sleep(60)") as holder:
        server, fork = holder.wait_for_target(), holder.next_number()
        holder.kill()
        try:
            assert soon(lambda: nothing_is_left(holder, *server))
            assert runs(fork)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_an_exit_that_leaves_no_block() -> None:
    with Holder("redis", "os._exit(0)") as holder:
        server = holder.wait_for_target()
        assert soon(lambda: nothing_is_left(holder, *server))


def test_ctrl_c_reaches_us_and_not_the_server() -> None:
    does = """
    try:
        print(0, flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.2)
        print(target.pid, flush=True)
        raise
    """
    with Holder("redis", does) as holder:
        server = holder.wait_for_target()
        holder.next_number()
        holder.press_ctrl_c()
        assert holder.next_number() == server[0]
        assert "KeyboardInterrupt" in holder.last_words()
        assert nothing_is_left(holder, *server)


@pytest.mark.parametrize("name", ["mariadb", "postgresql"])
def test_ctrl_c_while_the_store_is_created(name: str) -> None:
    with Holder(name) as holder:
        assert soon(lambda: bool(holder.files("*/store/data/*")))
        holder.press_ctrl_c()
        assert "KeyboardInterrupt" in holder.last_words()
        assert holder.left() == []


def test_the_end_of_the_thread_that_started_the_server() -> None:
    started: list[Target] = []
    thread = threading.Thread(target=lambda: started.append(start("redis", provider="process")))
    thread.start()
    thread.join()
    with started[0] as target:
        assert get(target) is None
