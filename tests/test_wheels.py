"""The distributions: built, checked, and used in an environment that has nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import cache_conformance
import pytest
from conftest import LOCMEM, ROOT

PACKAGES = {
    "django_cache_conformance": ["cache_conformance", "cache_targets"],
    "django_hazelcast": ["django_hazelcast"],
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory, wheels):
    """``empty(program, ...)`` runs a program where only the wheels are installed."""
    folder = tmp_path_factory.mktemp("empty")
    environment = folder / "environment"
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, environment], check=True)
    subprocess.run(
        [
            "uv", "pip", "install", "-q", "--python", environment,
            "--constraint", ROOT / "ci/constraints.txt", *wheels.glob("*.whl"),
        ],
        check=True,
    )  # fmt: skip

    def run(program, *arguments):
        return subprocess.run(
            [environment / "bin" / program, *arguments],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_every_distribution_is_built(wheels):
    built = {path.name.partition("-")[0] for path in wheels.glob("*.whl")}
    assert built == {path.name.partition("-")[0] for path in wheels.glob("*.tar.gz")}
    assert built == set(PACKAGES)


def test_twine_finds_nothing_to_complain_about(wheels):
    ended = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *wheels.iterdir()],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_wheel_is_typed_licensed_and_holds_only_its_packages(wheels):
    for path in wheels.glob("*.whl"):
        name = path.name.partition("-")[0]
        with zipfile.ZipFile(path) as wheel:
            files = wheel.namelist()
            [metadata] = [file for file in files if file.endswith(".dist-info/METADATA")]
            headers = HeaderParser().parsestr(wheel.read(metadata).decode())
        tops = {file.partition("/")[0] for file in files if ".dist-info/" not in file}
        assert tops == set(PACKAGES[name])
        assert {f"{package}/py.typed" for package in PACKAGES[name]} <= set(files)
        assert any(file.endswith("licenses/LICENSE") for file in files)
        assert headers["License-Expression"] == "BSD-3-Clause"
        assert headers["Requires-Python"] == ">=3.11"
        assert headers["Description-Content-Type"] == "text/markdown"
        assert "Typing :: Typed" in headers.get_all("Classifier")


def test_a_source_distribution_holds_nothing_that_is_generated(wheels):
    for path in wheels.glob("*.tar.gz"):
        with tarfile.open(path) as archive:
            parts = {part for name in archive.getnames() for part in Path(name).parts}
        assert not parts & {".venv", "__pycache__", ".mypy_cache", "dist"}
        assert {"LICENSE", "README.md", "pyproject.toml"} <= parts


def test_the_contract_runs(empty):
    ended = empty("pytest", f"--cache-backend={LOCMEM}", "-q", "-p", "no:cacheprovider")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(rf"{LOCMEM}: ran [45]\d\d of", ended.stdout)


def test_the_console_script_runs(empty):
    listed = empty("cache-conformance", "list")
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) > 400
    told = empty("cache-conformance", "--version").stdout
    assert told == f"cache-conformance {cache_conformance.__version__}\n"


def test_what_an_extra_brings_is_named_where_it_is_missing(empty):
    ended = empty("pytest", f"--cache-backend={LOCMEM}", "--cache-report=html:page.html")
    assert ended.returncode == 4
    assert "pip install 'django-cache-conformance[report]'" in ended.stderr


def test_the_changelog_speaks_of_this_version():
    assert f"\n## {cache_conformance.__version__}" in (ROOT / "CHANGELOG.md").read_text()
