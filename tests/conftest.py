"""What the kit's own tests share: a pytest run of the kit in a folder of its own."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
ROOT = Path(__file__).parent.parent
DISTRIBUTIONS = [
    file.parent for file in (*ROOT.glob("pyproject.toml"), *ROOT.glob("*/pyproject.toml"))
]


@dataclass
class Ended:
    """A run of the kit that has ended."""

    status: int
    out: str
    err: str
    folder: Path

    @property
    def report(self):
        """The JSON report."""
        return json.loads((self.folder / "report.json").read_text())

    @property
    def results(self):
        """The results of the first backend, by clause and api."""
        results = self.report["backends"][0]["results"]
        return {f"{result['clause']}[{result['api']}]": result for result in results}

    @property
    def outcomes(self):
        """How often each outcome occurred with the first backend."""
        return Counter(result["outcome"] for result in self.results.values())

    @property
    def failed(self):
        """The clauses that the first backend has failed."""
        return {r["clause"] for r in self.results.values() if r["outcome"] == "failed"}


@pytest.fixture
def kit(pytester, monkeypatch):
    """``kit("--cache-backend=...")`` runs pytest with the kit and writes report.json."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parent}:{pytester.path}")

    def run(*arguments, report=True):
        extra = ["--cache-report=json:report.json"] if report else []
        ended = pytester.runpytest_subprocess(*arguments, *extra)
        return Ended(ended.ret, ended.stdout.str(), ended.stderr.str(), pytester.path)

    return run


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """The folder with every distribution, built from its source distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    for distribution in DISTRIBUTIONS:
        subprocess.run(["uv", "build", "-q", "-o", folder, distribution], check=True)
    (folder / ".gitignore").unlink(missing_ok=True)
    return folder
