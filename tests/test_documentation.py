"""The documentation: built without a warning, its links, and its tutorial step by step."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from conftest import ROOT

DOCS = ROOT / "docs"
STEP = re.compile(r"^## (Step \d+): .*?$(.*?)(?=^## )", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


# The site


class Page(HTMLParser):
    """The ids of a page, and where its links lead."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids |= {attributes.get("id"), attributes.get("name")}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The documentation, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", DOCS, folder],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return {path: Page(path) for path in folder.glob("*.html")}


def test_every_page_is_built(site):
    assert {path.stem for path in site} >= {path.stem for path in DOCS.glob("*.md")}


def test_every_link_within_the_site_leads_somewhere(site):
    dead = []
    for path, page in site.items():
        for link in page.links:
            target, fragment = urldefrag(link)
            if ":" in target:
                continue
            there = (path.parent / unquote(target)) if target else path
            if not there.exists() or (fragment and unquote(fragment) not in site[there].ids):
                dead.append(f"{path.name}: {link}")
    assert dead == []


# The tutorial


@dataclass
class Step:
    """A step of the tutorial: the module after it, and the clauses that it says fail."""

    name: str
    module: str
    failing: list[str]


def steps():
    module, found = ast.parse(""), []
    for title, text in STEP.findall((DOCS / "tutorial.md").read_text()):
        blocks = BLOCK.findall(text)
        [code, *_] = [content for language, content in blocks if language == "python"]
        failing = "\n".join(content for language, content in blocks if language == "text").split()
        module = merged(module, ast.parse(textwrap.dedent(code)))
        found.append(Step(title.lower().replace(" ", "_"), ast.unparse(module), failing))
    return found


def merged(module, change):
    """Return ``module`` with the methods of ``change`` in its class, and what else is new."""
    backend = next((node for node in module.body if isinstance(node, ast.ClassDef)), None)
    methods = [node for node in change.body if isinstance(node, ast.FunctionDef)]
    others = [node for node in change.body if node not in methods]
    if methods:
        replaced = {method.name for method in methods}
        kept = [node for node in backend.body if getattr(node, "name", None) not in replaced]
        backend.body = kept + methods
    return ast.Module(others + module.body, type_ignores=[])


@dataclass
class Ended:
    """What one run of pytest found, by step and clause."""

    status: int
    out: str
    outcomes: dict[str, dict[str, set[tuple[str, str]]]]

    def failing(self, step, *levels):
        return {
            clause
            for clause, ways in self.outcomes[step].items()
            if any(level in levels and outcome != "passed" for level, outcome in ways)
        }


@pytest.fixture(scope="module")
def tutorial():
    found = steps()
    assert [step.name for step in found] == [f"step_{number}" for number in range(1, 7)]
    return found


@pytest.fixture
def run(tutorial, tmp_path, monkeypatch):
    """``run(steps, *arguments)`` runs the contract on the backends of some steps."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)

    def contract(chosen, *arguments):
        for step in chosen:
            (tmp_path / f"{step.name}.py").write_text(step.module)
        ended = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no",
                *[f"--cache-backend={step.name}.TableCache" for step in chosen],
                *[f'--cache-config={{"LOCATION": "{step.name}.sqlite3"}}' for step in chosen],
                "--cache-allow-clear", "--cache-report=json:report.json", *arguments,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )  # fmt: skip
        outcomes = {}
        for backend in json.loads((tmp_path / "report.json").read_text())["backends"]:
            of_the_step = outcomes.setdefault(backend["path"].partition(".")[0], {})
            for result in backend["results"]:
                if result["outcome"] not in ("not-applicable", "untested"):
                    ways = of_the_step.setdefault(result["clause"], set())
                    ways.add((result["level"], result["outcome"]))
        return Ended(ended.returncode, ended.stdout, outcomes)

    return contract


def test_each_step_fails_what_it_says_and_the_next_one_mends_it(tutorial, run):
    *early, _, _ = tutorial
    claimed = list(dict.fromkeys(clause for step in early for clause in step.failing))
    ended = run(early, "-k", " or ".join(claimed))
    assert ended.status == 1, ended.out
    for step in early:
        for clause in step.failing:
            assert ("MUST", "failed") in ended.outcomes[step.name][clause], (step.name, clause)
    for step, following in pairwise(early):
        left = set(step.failing) & ended.failing(following.name, "MUST")
        assert left == set(), following.name


def test_the_last_steps_lack_what_is_said_and_conform_to_all_must_and_should_clauses(tutorial, run):
    *_, fourth, last_but_one, last = tutorial
    ended = run([fourth, last_but_one], "--cache-tier=contract")
    assert ended.failing(fourth.name, "MUST") == set(fourth.failing)
    assert ended.failing(last_but_one.name, "MUST") == set()
    assert ended.failing(last_but_one.name, "MUST", "SHOULD") == set(last_but_one.failing)
    finished = run([last])
    assert len(finished.outcomes[last.name]) > 400
    assert finished.failing(last.name, "MUST", "SHOULD") == set()


def test_the_backend_of_the_tutorial_is_about_seventy_lines(tutorial):
    lines = tutorial[-1].module.splitlines()
    assert 65 < len([line for line in lines if line.strip()]) < 75


def test_the_examples_of_the_other_doors_run(tmp_path):
    """The class and the program of the page about doors, on a backend of that name."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/cache.py").write_text(
        "from django.core.cache.backends.locmem import LocMemCache as MyCache\n"
    )
    suite, program = [
        content
        for language, content in BLOCK.findall((DOCS / "doors.md").read_text())
        if language == "python"
    ]
    (tmp_path / "test_cache.py").write_text(suite)
    (tmp_path / "program.py").write_text(program)
    folder = {"cwd": tmp_path, "env": {"PATH": "", "PYTHONPATH": str(tmp_path)}}
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "basic."]
    ended = subprocess.run(pytest_run, **folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    ended = subprocess.run([sys.executable, "program.py"], **folder, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert Path(tmp_path / "page.html").exists()
