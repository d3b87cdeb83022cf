"""The tier of faults: where it applies, and the proxy that harms replies."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from cache_targets import start
from cache_targets.kind import Address
from cache_targets.proxy import Proxy

REPLY = b"a reply of some length"
REDIS = "--cache-backend=django.core.cache.backends.redis.RedisCache"


def kit(*args):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run([*command, "--cache-tier=faults", *args], capture_output=True, text=True)


def messages(backend, folder):
    """The message of every clause, none of which can be tried."""
    report = folder / "report.json"
    ended = kit(backend, f"--cache-report=json:{report}")
    assert "no MUST clause ran" in ended.stdout
    [found] = json.loads(report.read_text())["backends"]
    assert {result["outcome"] for result in found["results"]} == {"not-applicable"}
    return {result["message"] for result in found["results"]}


def test_a_backend_without_a_server_is_told_why(tmp_path):
    [message] = messages("--cache-backend=django.core.cache.backends.locmem.LocMemCache", tmp_path)
    assert message.startswith("it needs a server that the kit starts")


def test_a_server_of_somebody_else_is_left_alone(monkeypatch, tmp_path):
    with start("redis", "process") as server:
        monkeypatch.setenv("CACHE_TARGET_REDIS", f"{server.host}:{server.port}")
        [message] = messages(REDIS, tmp_path)
        assert server.pid is not None
    assert message.startswith("the kit has not started the redis, so it is left alone")


def test_a_bound_is_a_number_of_seconds():
    ended = kit(REDIS, "--cache-fault-bound=soon")
    assert ended.returncode == 4
    assert "--cache-fault-bound=soon: a number of seconds above 0" in ended.stderr


@pytest.fixture
def client():
    """A connection through a proxy to a server that has one reply for everything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                while connection.recv(100):
                    connection.sendall(REPLY)

        threading.Thread(target=serve, daemon=True).start()
        with (
            closing(Proxy(Address(*listener.getsockname()))) as proxy,
            socket.create_connection((proxy.address.host, proxy.address.port), 20) as connection,
        ):
            yield proxy, connection


def test_the_proxy_passes_replies_on_until_it_cuts_one(client):
    proxy, connection = client
    replies = connection.makefile("rb")
    connection.sendall(b"?")
    assert replies.read(len(REPLY)) == REPLY
    assert proxy.harmed == 0
    proxy.cut_next_replies()
    connection.sendall(b"?")
    assert replies.read() == REPLY[: len(REPLY) // 2]
    assert proxy.harmed == 1


def test_a_slow_reply_is_whole_in_the_end(client):
    proxy, connection = client
    with proxy.slow_replies(0.01):
        connection.sendall(b"?")
        assert connection.makefile("rb").read(len(REPLY)) == REPLY
    assert proxy.harmed == 1
