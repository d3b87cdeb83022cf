"""Servers that already run: the provider `address`."""

from collections.abc import Iterator

import pytest
from cache_targets import Target, TargetUnavailable, start

from .clients import get, put
from .processes import runs


@pytest.fixture(scope="module")
def running() -> Iterator[Target]:
    """A Redis server that stands for one that somebody else started."""
    with start("redis", provider="process") as running:
        yield running


@pytest.mark.parametrize("provider", [None, "address"])
def test_an_address_that_is_given(running: Target, provider: str | None) -> None:
    with start("redis", provider=provider, address=f"127.0.0.1:{running.port}") as target:
        assert (target.name, target.provider, target.owned) == ("redis", "address", False)
        assert (target.host, target.port, target.pid) == ("127.0.0.1", running.port, None)
        assert target.location == running.location
        put(target, "theirs")
    assert get(running) == "theirs"


@pytest.mark.parametrize("provider", [None, "address"])
def test_an_address_from_the_environment(
    running: Target, provider: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_TARGET_REDIS", f"localhost:{running.port}")
    with start("redis", provider=provider) as target:
        assert target.location == f"redis://localhost:{running.port}"


def test_the_environment_does_not_move_another_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_TARGET_REDIS", "localhost:1")
    with start("redis", provider="process") as target:
        assert target.owned


def test_what_is_not_ours_is_left_alone(running: Target) -> None:
    with start("redis", address=f"127.0.0.1:{running.port}") as target:
        for act in target.stop, target.kill, target.pause, target.resume, target.restart:
            with pytest.raises(TargetUnavailable, match="not started here"):
                act()
    assert running.pid is not None
    assert runs(running.pid)


def test_nobody_at_the_address() -> None:
    with pytest.raises(TargetUnavailable) as refusal:
        start("redis", address="127.0.0.1:1")
    assert str(refusal.value) == (
        "no redis answers at 127.0.0.1:1; start one with: redis-server --port 6379"
    )


def test_a_server_of_another_kind_at_the_address(running: Target) -> None:
    with pytest.raises(TargetUnavailable, match="no memcached answers"):
        start("memcached", address=f"127.0.0.1:{running.port}")


def test_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CACHE_TARGET_REDIS", raising=False)
    with pytest.raises(TargetUnavailable, match=r"CACHE_TARGET_REDIS=host:port$"):
        start("redis", provider="address")


@pytest.mark.parametrize("address", ["localhost", ":6379", "localhost:port", "localhost:99999"])
def test_an_address_that_cannot_be_read(address: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        start("redis", address=address)


def test_an_account_for_a_server_that_has_none() -> None:
    with pytest.raises(ValueError, match="nothing more"):
        start("memcached", address="somebody@localhost:11211")


def test_an_address_for_a_provider_that_has_no_use_for_it() -> None:
    with pytest.raises(ValueError, match="takes no address"):
        start("redis", provider="process", address="localhost:6379")
