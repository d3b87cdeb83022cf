"""A server from its first answer to its last, for every target."""

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from cache_targets import Target, TargetUnavailable, names, start

from .clients import Client, get, listens, put
from .processes import runs

USUAL_PORTS = {
    "hazelcast": 5701,
    "mariadb": 3306,
    "memcached": 11211,
    "postgresql": 5432,
    "redis": 6379,
    "valkey": 6379,
}
SURVIVE_A_RESTART = {"mariadb", "postgresql", "redis", "valkey"}
DATABASES = {"mariadb", "postgresql"}
SURVIVE_A_KILL = DATABASES

STARTED = [
    (name, provider)
    for name in names()
    for provider in ("process", "container")
    if name != "hazelcast-memcached"  # the server of hazelcast, with a protocol more
]


@pytest.fixture(scope="module", params=STARTED, ids=":".join)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """One server for all tests of a target and a provider; each leaves it running."""
    name, provider = request.param
    with start(name, provider) as target:
        yield target


def test_it_says_what_it_is(target: Target) -> None:
    assert target.provider in ("process", "container")
    assert (target.owned, target.host, list(target.members)) == (True, "127.0.0.1", [target])
    assert target.pid is not None
    assert runs(target.pid)
    assert str(USUAL_PORTS[target.name]) in target.by_hand


def test_it_says_what_goes_into_the_settings(target: Target) -> None:
    locations = {
        "hazelcast": f"127.0.0.1:{target.port}",
        "memcached": f"127.0.0.1:{target.port}",
        "redis": f"redis://127.0.0.1:{target.port}",
        "valkey": f"redis://127.0.0.1:{target.port}",
    }
    assert target.location == locations.get(target.name)
    if target.location is not None:
        assert target.database is None
        return
    assert target.database is not None
    assert set(target.database) == {"ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT"}
    assert (target.database["HOST"], target.database["PORT"]) == ("127.0.0.1", str(target.port))


def test_it_serves_its_own_client(target: Target) -> None:
    put(target, "found")
    assert get(target) == "found"


def test_it_can_be_used_by_its_address(target: Target) -> None:
    address, settings = f"127.0.0.1:{target.port}", target.database
    with start(target.name, address=address) as theirs:
        assert theirs.location == target.location
        assert theirs.database == (settings and settings | {"PASSWORD": ""})
    if settings is not None:
        account, database = f"{settings['USER']}:{settings['PASSWORD']}", settings["NAME"]
        with start(target.name, address=f"{account}@{address}/{database}") as theirs:
            assert theirs.database == settings


def test_it_listens_on_one_address_only(target: Target) -> None:
    assert listens("127.0.0.1", target.port)
    assert not listens("127.0.0.2", target.port)
    assert not listens("::1", target.port)


@pytest.mark.parametrize(
    "target", [one for one in STARTED if one[0] in DATABASES], ids=":".join, indirect=True
)
def test_a_database_lets_nobody_in_without_the_password(target: Target) -> None:
    for password in "", "wrong":
        with pytest.raises(Exception, match=r"(?i)password|access denied"):
            Client(target, PASSWORD=password)


def test_a_paused_server_answers_nobody_until_it_is_resumed(target: Target) -> None:
    put(target, "late")
    answers = []
    with Client(target) as client:
        client.get()
        target.pause()
        question = threading.Thread(target=lambda: answers.append(client.get()))
        question.start()
        question.join(timeout=0.3)
        try:
            assert answers == []
        finally:
            target.resume()
            question.join()
    assert answers == ["late"]


def test_a_restart_keeps_the_port_and_what_of_the_store_it_can(target: Target) -> None:
    put(target, "kept")
    port, pid = target.port, target.pid
    target.restart(keep_store=True)
    assert target.port == port
    assert target.pid not in (pid, None)
    assert get(target) == ("kept" if target.name in SURVIVE_A_RESTART else None)


def test_a_paused_server_restarts(target: Target) -> None:
    put(target, "kept")
    target.pause()
    target.restart(keep_store=True)
    assert get(target) == ("kept" if target.name in SURVIVE_A_RESTART else None)


def test_what_survives_a_kill(target: Target) -> None:
    put(target, "killed")
    pid = target.pid
    assert pid is not None
    with Client(target) as client:
        client.get()
        target.kill()
        assert not runs(pid)
        assert not listens("127.0.0.1", target.port)
        assert target.pid is None
    target.restart(keep_store=True)
    assert (get(target) == "killed") == (target.name in SURVIVE_A_KILL)


def test_a_port_that_is_taken_while_the_server_is_down(target: Target) -> None:
    target.kill()
    with socket.create_server((target.host, target.port)) as thief:
        threading.Thread(target=_hang_up_on_everybody, args=[thief], daemon=True).start()
        with pytest.raises(TargetUnavailable, match=os.strerror(errno.EADDRINUSE)):
            target.restart(keep_store=True)
        thief.shutdown(socket.SHUT_RDWR)
    target.restart(keep_store=True)
    assert target.pid is not None


def test_a_restart_without_the_store_starts_empty(target: Target) -> None:
    put(target, "forgotten")
    target.restart()
    assert get(target) is None


def test_a_stopped_server_restarts(target: Target) -> None:
    pid = target.pid
    assert pid is not None
    target.stop()
    assert not runs(pid)
    assert not listens("127.0.0.1", target.port)
    assert target.pid is None
    target.stop()
    target.kill()
    with pytest.raises(ProcessLookupError):
        target.pause()
    with pytest.raises(ProcessLookupError):
        target.resume()
    target.restart(keep_store=True)
    assert listens("127.0.0.1", target.port)


def _hang_up_on_everybody(thief: socket.socket) -> None:
    with contextlib.suppress(OSError):  # once it is shut down
        while True:
            thief.accept()[0].close()
