"""The provider `container`: which image it runs, and that nothing of it outlives its holder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cache_targets import TargetUnavailable, names, start
from cache_targets.catalogue import kind_of
from cache_targets.container import ContainerServer

from .clients import get, listens, put
from .processes import Holder, runs, soon

ABSENT = "cache-targets/absent:1"
ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "fixtures" / "compose.yaml"
TARGETS_PAGE = ROOT / "docs" / "targets.md"
REDIS = "CACHE_TARGET_REDIS_IMAGE"


@pytest.fixture
def image() -> str:
    """The image of Redis that this machine has; see fixtures/images/build."""
    return os.environ[REDIS]


@pytest.fixture
def project(tmp_path: Path, image: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pyproject.toml of a project in which we are, in a directory of it; it names the image."""
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[tool.cache-targets.images]\nredis = "{image}"\n')
    directory = tmp_path / "tests"
    directory.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.delenv(REDIS)
    return file


def test_a_container_comes_before_a_process(image: str) -> None:
    with start("redis") as target:
        assert target.provider == "container"
        assert _docker("inspect", "--format", "{{.Config.Image}}", _container(target.port)) == image


def test_an_address_comes_before_a_container(image: str) -> None:
    with (
        start("redis", "process") as running,
        start("redis", address=f"127.0.0.1:{running.port}") as target,
    ):
        assert target.provider == "address"


def test_the_project_names_the_image(project: Path) -> None:
    with start("redis") as target:
        assert target.provider == "container"


def test_the_environment_comes_before_the_project(
    project: Path, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_text(f'[tool.cache-targets.images]\nredis = "{ABSENT}"\n')
    monkeypatch.setenv(REDIS, image)
    with start("redis") as target:
        assert target.provider == "container"


@pytest.mark.parametrize("text", ["[tool", "[tool.cache-targets.images]\nredis = 8"])
def test_a_project_that_cannot_be_read(project: Path, text: str) -> None:
    project.write_text(text)
    with pytest.raises(ValueError, match=str(project)):
        start("redis", "container")


def test_an_image_that_is_not_here_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REDIS, ABSENT)
    with start("redis") as target:
        assert target.provider == "process"
    monkeypatch.setenv("CACHE_TARGETS_PATH", "")
    with pytest.raises(TargetUnavailable) as refusal:
        start("redis")
    assert str(refusal.value) == (
        f"{ABSENT} is not on this machine; have it with: docker pull {ABSENT};"
        " or redis-server is not installed; install it with: apt-get install redis-server"
    )


def test_an_image_that_cannot_be_pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REDIS, ABSENT)
    with pytest.raises(TargetUnavailable, match=rf"^{ABSENT} cannot be pulled: ") as refusal:
        start("redis", "container")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("unix:///nonexistent", "^no Docker daemon answers at unix:///nonexistent: "),
        ("ssh://docker.example.org", "no daemon of this machine$"),
    ],
)
def test_no_daemon(host: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with start("redis") as target:
        assert target.provider == "process"
    with pytest.raises(TargetUnavailable, match=message):
        start("redis", "container")


def test_a_missing_library_is_named_by_its_extra() -> None:
    """A Python without testcontainers: the target is had as a process, or is an error of a line."""
    program = (
        "import sys; sys.modules['testcontainers'] = None\n"
        "from cache_targets import start\n"
        "start('redis').close()\n"
        "start('redis', 'container')"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    ).stderr
    assert told.endswith(
        "testcontainers is not installed;"
        " install it with: pip install 'django-cache-conformance[targets]'\n"
    )


def test_an_image_that_is_of_something_else(monkeypatch: pytest.MonkeyPatch, image: str) -> None:
    monkeypatch.setenv("CACHE_TARGET_MEMCACHED_IMAGE", image)
    with pytest.raises(TargetUnavailable, match=r"^memcached (cannot start|ended while starting)"):
        start("memcached", "container")


def test_the_server_ends_with_its_container(image: str) -> None:
    with start("redis", "container") as target:
        assert target.pid is not None
        os.kill(target.pid, 9)
        assert soon(lambda: target.pid is None)
        with pytest.raises(ProcessLookupError):
            target.pause()
        target.restart()
        put(target, "back")
        assert get(target) == "back"


@pytest.mark.parametrize("name", ["redis", "hazelcast"])
@pytest.mark.parametrize("end", ["kill", "press_ctrl_c"])
def test_nothing_outlives_the_holder(name: str, end: str) -> None:
    with Holder(name, provider="container") as holder:
        server = holder.wait_for_target()
        containers = _containers(holder)
        assert len(containers) == 1
        getattr(holder, end)()
        assert soon(lambda: _nothing_is_left(holder, containers, *server))


def test_nothing_outlives_a_holder_that_pauses_its_server() -> None:
    does = "target.pause(); print(0, flush=True); time.sleep(60)"
    with Holder("redis", does, provider="container") as holder:
        server = holder.wait_for_target()
        holder.next_number()
        containers = _containers(holder)
        holder.kill()
        assert soon(lambda: _nothing_is_left(holder, containers, *server))


def test_nothing_outlives_a_holder_that_ends_during_the_start() -> None:
    with Holder("postgresql", provider="container") as holder:
        assert soon(lambda: bool(_containers(holder)))
        containers = _containers(holder)
        assert soon(lambda: bool(_docker("ps", "--quiet", "--filter", f"name={containers[0]}")))
        holder.kill()
        assert soon(lambda: not holder.left() and not _exists(containers[0]))


def _nothing_is_left(holder: Holder, containers: list[str], pid: int, port: int) -> bool:
    left = holder.left() or [name for name in containers if _exists(name)]
    return not (left or runs(pid) or listens("127.0.0.1", port))


def _containers(holder: Holder) -> list[str]:
    """The names of its containers, each of which has a directory."""
    return [path.name.rpartition("-")[0] for path in holder.files("cache-target-*")]


def _container(port: int) -> str:
    """The container that publishes a port, and does so on the loopback interface alone."""
    found = _docker("ps", "--quiet", "--filter", f"publish={port}")
    bindings = json.loads(
        _docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", found)
    )
    assert list(bindings.values()) == [[{"HostIp": "127.0.0.1", "HostPort": str(port)}]]
    return found


def _exists(name: str) -> bool:
    return bool(_docker("ps", "--all", "--quiet", "--filter", f"name={name}"))


def _docker(*arguments: str) -> str:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("name", names())
def test_compose_starts_the_same_images(name: str) -> None:
    kind = kind_of(name)
    assert isinstance(kind, ContainerServer)
    variable = f"CACHE_TARGET_{kind.image_name.upper()}_IMAGE"
    assert f"image: ${{{variable}:-{kind.image}}}\n" in COMPOSE.read_text()
    assert f"`{kind.image}`" in TARGETS_PAGE.read_text()
