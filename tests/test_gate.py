"""The gate for CI: the action, the GitLab template and the snippets, executed as CI does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cache_conformance
import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "ci/action.yml").read_text())
SPEC, GITLAB = yaml.safe_load_all((ROOT / "ci/gitlab.yml").read_text())
GUIDE = (ROOT / "docs/gate.md").read_text()

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "shop"
version = "1.0"
"""
BACKENDS = """
from django.core.cache.backends.locmem import LocMemCache


class MyCache(LocMemCache):
    pass


class Forgetful(LocMemCache):
    def delete(self, key, version=None):
        super().delete(key, version)
        return True
"""
KNOWN = """
[[known-failure]]
clause = "basic.delete-of-an-absent-key-returns-false"
kind = "bug"
reason = "delete() does not look"

[[known-failure]]
clause = "basic.keys-are-not-patterns"
kind = "bug"
reason = "delete() does not look"
"""
FORGETFUL = {"backend": "shop.cache.Forgetful", "requirements": ""}


@pytest.fixture(scope="module")
def machine(tmp_path_factory, wheels):
    """The environment of a job on a machine that has a Python and nothing else."""
    folder = tmp_path_factory.mktemp("machine")
    subprocess.run(["uv", "venv", "-q", "--seed", "--python", sys.executable, folder], check=True)
    return {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONSTRAINT": str(ROOT / "ci/constraints.txt"),
        "PYTEST_ADDOPTS": "-k basic. -p no:cacheprovider",
    }


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project that has a backend which conforms and one which does not."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/cache.py").write_text(BACKENDS)
    (tmp_path / "known.toml").write_text(KNOWN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bash(script, environment):
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def inputs_of(declared, given):
    for name, entry in declared.items():
        assert entry["description"], name
        assert (name == "backend") == ("default" not in entry), name
    assert set(given) <= set(declared)
    return {name: given.get(name, entry.get("default")) for name, entry in declared.items()}


# The action


class Job:
    """A job of GitHub that runs the action's steps one after another."""

    def __init__(self, machine, folder, given):
        self.machine, self.folder = machine, folder
        self.inputs = inputs_of(ACTION["inputs"], given)
        self.steps, self.status, self.told = {}, 0, ""
        self.summary = folder / "step-summary"
        self.summary.touch()
        for number, step in enumerate(ACTION["runs"]["steps"]):
            if "run" in step:
                self.execute(step, folder / f"output-{number}")
            if self.status:
                break

    def execute(self, step, output):
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input would be code"
        output.touch()
        environment = {name: self.value(text) for name, text in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.summary)}
        ended = bash(step["run"], self.machine | environment | files)
        self.status = ended.returncode
        self.told += ended.stdout + ended.stderr
        pairs = (line.split("=", 1) for line in output.read_text().splitlines())
        self.steps[step.get("id")] = dict(pairs)

    def value(self, text):
        def looked_up(match):
            if name := re.fullmatch(r"inputs\.([\w-]+)", match[1]):
                return self.inputs[name[1]]
            step, name = re.fullmatch(r"steps\.(\w+)\.outputs\.([\w-]+)", match[1]).groups()
            return self.steps[step][name]

        return re.sub(r"\$\{\{ (.*?) \}\}", looked_up, text)

    @property
    def outputs(self):
        return {name: self.value(output["value"]) for name, output in ACTION["outputs"].items()}


@pytest.fixture
def job(machine, shop):
    return lambda **given: Job(machine, shop, {n.replace("_", "-"): v for n, v in given.items()})


def test_the_action_passes_a_backend_that_conforms(job, shop):
    ended = job(backend="shop.cache.MyCache", config='{"OPTIONS": {"MAX_ENTRIES": 7000}}')
    assert ended.status == 0, ended.told
    assert ended.outputs["exit-code"] == "0"
    [backend] = json.loads((shop / ended.outputs["report"]).read_text())["backends"]
    assert backend["path"] == "shop.cache.MyCache"
    assert backend["config"] == {"OPTIONS": {"MAX_ENTRIES": 7000}}
    assert "conforms to all" in (shop / ended.outputs["page"]).read_text()
    assert "<svg" in (shop / ended.outputs["badge"]).read_text()
    assert ended.summary.read_text() == (shop / ended.outputs["summary"]).read_text()
    assert "MyCache conforms to all" in ended.summary.read_text()


def test_the_action_fails_a_backend_that_does_not_and_says_why(job, shop):
    ended = job(**FORGETFUL)
    assert ended.status == 1
    assert ended.outputs["exit-code"] == "1"
    assert "Forgetful fails" in ended.summary.read_text()
    assert "basic.delete-" in ended.summary.read_text()
    assert (shop / ended.outputs["page"]).exists()


def test_the_action_takes_expectations_level_tier_and_target(job, shop):
    ended = job(
        backend="django.core.cache.backends.redis.RedisCache",
        target="redis",
        level="may",
        tier="contract",
        requirements="",
        folder="reports/cache",
    )
    assert ended.status == 0, ended.told
    assert ended.outputs["badge"] == "reports/cache/badge.svg"
    [backend] = json.loads((shop / ended.outputs["report"]).read_text())["backends"]
    assert backend["target"] == "redis (process)"
    assert job(**FORGETFUL, expectations="known.toml").outputs["exit-code"] == "0"


def test_the_action_shows_a_wrong_path_and_no_summary(job):
    ended = job(backend="shop.cache.Missing", requirements="")
    assert ended.status == 4
    assert ended.summary.read_text() == ""
    assert "cannot import shop.cache.Missing" in ended.told


def test_an_input_is_data_and_never_code(job, shop):
    ended = job(backend='shop.cache.MyCache"; touch stolen; echo "', requirements="")
    assert ended.status == 4
    assert not (shop / "stolen").exists()


# The template


class Pipeline:
    """A pipeline of GitLab that runs the job of the template."""

    def __init__(self, machine, given):
        self.inputs = inputs_of(SPEC["spec"]["inputs"], given)
        self.job = self.interpolated(GITLAB)["cache-conformance"]
        variables = {
            name: value["value"] if isinstance(value, dict) else value
            for name, value in self.job["variables"].items()
        }
        script = "\n".join([*self.job["before_script"], *self.job["script"]])
        self.ended = bash(script, machine | variables)

    def interpolated(self, value):
        if isinstance(value, dict):
            return {name: self.interpolated(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.interpolated(inner) for inner in value]
        if isinstance(value, str):
            return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda m: self.inputs[m[1]], value)
        return value


def test_the_template_passes_a_backend_that_conforms(machine, shop):
    pipeline = Pipeline(machine, {"backend": "shop.cache.MyCache"})
    assert pipeline.ended.returncode == 0, pipeline.ended.stdout + pipeline.ended.stderr
    assert pipeline.job["image"] == "python:3.13"
    artifacts = pipeline.job["artifacts"]
    assert artifacts["when"] == "always"
    [folder] = artifacts["paths"]
    assert {path.name for path in (shop / folder).iterdir()} == {
        "badge.svg", "junit.xml", "page.html", "report.json", "summary.md",
    }  # fmt: skip
    assert (shop / artifacts["reports"]["junit"]).exists()


def test_the_template_fails_a_backend_that_does_not(machine, shop):
    pipeline = Pipeline(machine, FORGETFUL)
    assert pipeline.ended.returncode == 1
    assert (shop / "cache-conformance/page.html").exists()


def test_the_template_takes_expectations_and_a_target(machine, shop):
    pipeline = Pipeline(machine, FORGETFUL | {"expectations": "known.toml", "target": "redis"})
    assert pipeline.ended.returncode == 0, pipeline.ended.stdout + pipeline.ended.stderr


def test_both_have_the_same_inputs_and_the_version_of_the_kit():
    of_the_template = dict(SPEC["spec"]["inputs"])
    assert of_the_template.pop("stage")["default"] == "test"
    assert of_the_template.pop("level").pop("options") == ["must", "should", "may"]
    of_the_action = dict(ACTION["inputs"])
    assert of_the_action.pop("level")["default"] == "must"
    assert list(of_the_template) == list(of_the_action)
    assert of_the_action["kit-version"]["default"] == cache_conformance.__version__
    for name, entry in of_the_template.items():
        assert entry.get("default") == of_the_action[name].get("default"), name


def test_the_examples_of_the_guide_name_inputs_that_exist():
    github, gitlab = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
    [step] = [s for s in github["jobs"]["cache"]["steps"] if s.get("id") == "conformance"]
    inputs_of(ACTION["inputs"], step["with"])
    [include] = gitlab["include"]
    inputs_of(SPEC["spec"]["inputs"], include["inputs"])


# The snippets


def snippet(language):
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return found


@pytest.mark.parametrize(
    ("tool", "file", "language", "arguments"),
    [
        ("tox", "tox.toml", "toml", ["run", "-e", "cache"]),
        ("nox", "noxfile.py", "python", ["-s", "cache"]),
    ],
)
def test_the_snippet(machine, shop, tool, file, language, arguments):
    (shop / file).write_text(snippet(language))
    command = f"{Path(sys.executable).parent / tool} {' '.join(arguments)}"
    passing = bash(command, machine)
    assert passing.returncode == 0, passing.stdout + passing.stderr
    assert "shop.cache.MyCache: ran" in passing.stdout + passing.stderr
    assert "conforms to all" in (shop / "page.html").read_text()
    (shop / "shop/cache.py").write_text(BACKENDS.replace("Forgetful", "MyCache"))
    failing = bash(command, machine)
    assert failing.returncode == 1
    assert "basic.delete-" in failing.stdout + failing.stderr
