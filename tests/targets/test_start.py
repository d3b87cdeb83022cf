"""What can be started, and what is said where it cannot."""

import shutil
import sys
import time
import zipfile
from pathlib import Path

import pytest
from cache_targets import TargetUnavailable, Wanted, maven, names, providers, start
from cache_targets.hazelcast import VERSION
from cache_targets.memcached import Memcached

from .clients import get, put


def test_the_names() -> None:
    assert names() == [
        *("hazelcast", "hazelcast-memcached", "mariadb", "memcached"),
        *("postgresql", "redis", "valkey"),
    ]


@pytest.mark.parametrize("name", names())
def test_the_providers(name: str) -> None:
    assert providers(name) == ["address", "container", "process"]


def test_an_unknown_name() -> None:
    for ask in start, providers:
        with pytest.raises(
            ValueError, match=r"'mongodb'.* mariadb, memcached, postgresql, redis, valkey"
        ):
            ask("mongodb")


def test_an_unknown_provider() -> None:
    with pytest.raises(ValueError, match=r"'cloud'.* address, container, process"):
        start("redis", provider="cloud")


@pytest.mark.parametrize("name", ["memcached", "redis"])
def test_two_of_a_kind(name: str) -> None:
    with start(name, "process") as one, start(name, "process") as other:
        assert one.port != other.port
        put(one, "mine")
        assert get(other) is None


@pytest.mark.parametrize("provider", ["process", "container"])
def test_hazelcast_speaks_the_protocol_of_memcached(provider: str) -> None:
    with start("hazelcast-memcached", provider) as target:
        assert target.location == f"127.0.0.1:{target.port}"
        put(target, "found")
        assert get(target) == "found"
        with start("hazelcast", address=target.location):
            pass
    with start("memcached", "process") as other, pytest.raises(TargetUnavailable):
        start("hazelcast-memcached", address=other.location)


@pytest.mark.skipif(sys.platform != "linux", reason="the message names apt-get")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "hazelcast",
            "java is not installed; install it with: apt-get install default-jre-headless",
        ),
        ("mariadb", "mariadbd is not installed; install it with: apt-get install mariadb-server"),
        ("memcached", "memcached is not installed; install it with: apt-get install memcached"),
        ("postgresql", "postgres is not installed; install it with: apt-get install postgresql"),
        ("redis", "redis-server is not installed; install it with: apt-get install redis-server"),
        (
            "valkey",
            "valkey-server is not installed; install it with: apt-get install valkey-server",
        ),
    ],
)
@pytest.mark.parametrize("provider", [None, "process"])
def test_a_program_that_is_not_installed(
    name: str, message: str, provider: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CACHE_TARGETS_PATH", "")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    with pytest.raises(TargetUnavailable) as refusal:
        start(name, provider=provider)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("redis:3", "redis has one server, not 3"),
        ("hazelcast:0", "hazelcast has one server, not 0"),
        ("hazelcast:three", "no provider is named 'three'"),
        ("hazelcast:process:3", r"NAME\[:MEMBERS\]\[:PROVIDER\]"),
    ],
)
def test_a_target_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        start(text)


def test_a_target_written_in_one_word() -> None:
    assert Wanted.parse("redis") == Wanted("redis", 1, None)
    assert Wanted.parse("hazelcast:process") == Wanted("hazelcast", 1, "process")
    assert Wanted.parse("hazelcast:3:process") == Wanted("hazelcast", 3, "process")


def test_maven_is_needed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = shutil.which("mvn")
    monkeypatch.setenv("CACHE_TARGETS_PATH", "")
    with pytest.raises(TargetUnavailable, match="mvn is not installed; install it with: apt-get"):
        maven.jar("com.hazelcast", "hazelcast", VERSION)
    assert path is not None
    monkeypatch.setenv("CACHE_TARGETS_PATH", str(Path(path).parent))
    fetched = maven.jar("com.hazelcast", "hazelcast", VERSION)
    assert zipfile.is_zipfile(fetched)
    monkeypatch.setenv("CACHE_TARGETS_PATH", "")
    assert maven.jar("com.hazelcast", "hazelcast", VERSION) == fetched
    assert list(fetched.parent.iterdir()) == [fetched]


def test_an_archive_that_maven_does_not_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(TargetUnavailable, match=r"^mvn cannot fetch com.hazelcast:hazelcast:0.0: "):
        maven.jar("com.hazelcast", "hazelcast", "0.0")


def test_a_server_that_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, "redis-server", "echo first; echo 'no licence' >&2; exit 3")
    monkeypatch.setenv("CACHE_TARGETS_PATH", str(tmp_path))
    with pytest.raises(TargetUnavailable, match=r"its log ends: first \| no licence$"):
        start("redis", provider="process")


def test_a_program_that_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "redis-server").write_bytes(b"\x7fELF")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("CACHE_TARGETS_PATH", str(tmp_path))
    with pytest.raises(TargetUnavailable, match="Exec format error"):
        start("redis", provider="process")


def test_a_store_that_cannot_be_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, "mariadbd", "exit 0")
    _install(tmp_path, "mariadb-install-db", "echo 'no space left'; exit 1")
    monkeypatch.setenv("CACHE_TARGETS_PATH", str(tmp_path))
    with pytest.raises(TargetUnavailable, match=r"no store .* no space left$"):
        start("mariadb", provider="process")


def test_memcached_is_not_started_as_a_second_ends() -> None:
    """It would skip a second soon, and lose what it holds earlier than it was told to."""
    time.sleep((0.9 - time.monotonic()) % 1)
    Memcached().wait_to_start()
    assert time.monotonic() % 1 < 0.9


def test_a_port_that_is_taken_between_choice_and_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first server finds its port taken by a thief; the target tries another one."""
    tried = tmp_path / "tried"
    thief = (
        "import socket, subprocess, sys; thief = socket.socket();"
        " thief.bind(('127.0.0.1', int(sys.argv[sys.argv.index('--port') + 1])));"
        " thief.listen(); sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    )
    redis = shutil.which("redis-server")
    _install(
        tmp_path,
        "redis-server",
        f'[ -e {tried} ] && exec {redis} "$@"; touch {tried};'
        f' exec {sys.executable} -c "{thief}" {redis} "$@"',
    )
    monkeypatch.setenv("CACHE_TARGETS_PATH", str(tmp_path))
    with start("redis", provider="process") as target:
        assert tried.exists()
        assert get(target) is None


def _install(directory: Path, program: str, script: str) -> None:
    path = directory / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
