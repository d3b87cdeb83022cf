"""The doors beside the command line: the call for programs, and the test class."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LOCMEM

TESTS = str(Path(__file__).parent)

PROGRAM = """
import sys

sys.path.insert(0, {tests!r})
import cache_conformance

assert not {{"django", "pytest"}} & set(sys.modules), "the import is heavy"
{body}
assert "pytest" not in sys.modules, "the call needs pytest"
"""

CLASS = """
from cache_conformance import CacheConformance


class TestMine(CacheConformance):
    backend = "{backend}"
    {settings}

    def test_of_my_own(self):
        assert self.backend == "{backend}"


class Shared(CacheConformance):
    pass
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """``program(body)`` runs a program that calls the kit, and returns what it printed."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)

    def run(body):
        script = tmp_path / "program.py"
        script.write_text(PROGRAM.format(tests=TESTS, body=body))
        ended = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, cwd=tmp_path, timeout=300
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run


@pytest.fixture
def suite(pytester, monkeypatch):
    """``suite(backend, *arguments, settings=...)`` runs pytest on a test class."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setenv("PYTHONPATH", TESTS)

    def run(backend, *arguments, settings="pass"):
        pytester.makepyfile(test_mine=CLASS.format(backend=backend, settings=settings))
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)

    return run


# The call


def test_a_call_returns_every_result_and_writes_every_report(program, tmp_path):
    out = program(
        f"results = cache_conformance.run({LOCMEM!r})\n"
        "from cache_conformance import Outcome, Result\n"
        "assert all(isinstance(result, Result) for result in results)\n"
        "assert sum(results.counts.values()) == len(results) == len(list(results))\n"
        "assert results.counts[Outcome.PASSED] > 500, results.counts\n"
        "assert results.conforms('may'), results.failures('may')\n"
        "for kind in 'json', 'html', 'md', 'badge':\n"
        "    results.write(kind, f'report.{kind}')\n"
        "print(*sorted(f'{r.clause}[{r.api}]' for r in results), sep='\\n')"
    )
    document = json.loads((tmp_path / "report.json").read_text())
    [backend] = document["backends"]
    assert document["complete"] is True
    assert sorted(f"{r['clause']}[{r['api']}]" for r in backend["results"]) == out.split()
    assert "conforms to all" in (tmp_path / "report.html").read_text()
    assert "conforms to all" in (tmp_path / "report.md").read_text()
    assert "<svg" in (tmp_path / "report.badge").read_text()


def test_a_call_of_a_program_that_has_awaited_sync_code(program):
    """The thread on which sync_to_async() then runs everything is not there after a fork."""
    program(
        "import asyncio\n"
        "from asgiref.sync import sync_to_async\n"
        "asyncio.run(sync_to_async(len)([]))\n"
        f"results = cache_conformance.run({LOCMEM!r}, tiers=['contract'])\n"
        "assert results.conforms(), results.failures()"
    )


def test_failures_by_level(program):
    out = program(
        "results = cache_conformance.run('hostile.RaisesEverywhere')\n"
        "assert not results.conforms()\n"
        "must, may = results.failures(), results.failures('may')\n"
        "assert must\n"
        "assert all(result in may for result in must)\n"
        "assert {result.level for result in must} == {'MUST'}\n"
        "print(must[0].clause, must[0].repro)"
    )
    assert "from django.core.cache import" in out


def test_known_failures_settings_and_a_target(program, tmp_path):
    (tmp_path / "known.toml").write_text(
        '[[known-failure]]\nclause = "basic.set-then-get"\nkind = "bug"\nreason = "made up"\n'
    )
    out = program(
        "redis = 'django.core.cache.backends.redis.RedisCache'\n"
        "results = cache_conformance.run(\n"
        "    redis, {'TIMEOUT': 17}, target='redis', tiers=['concurrency'],\n"
        "    expectations='known.toml', timeout=20, fault_bound=7, bounds={'histories': 5},\n"
        ")\n"
        "tried = results.implementation\n"
        "print(tried.target, results.coverage, tried.fault_bound, tried.effort.histories)\n"
        "assert results.conforms(), results.failures()"
    )
    assert out.startswith("redis (process) (")
    assert out.endswith(") 7.0 5\n")


def test_a_server_that_cannot_be_had_proves_nothing(program, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    out = program(
        "results = cache_conformance.run('django.core.cache.backends.redis.RedisCache')\n"
        "assert not results.conforms()\n"
        "print(*results.unavailable)"
    )
    assert "apt-get install redis-server" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("'no.such.Cache'", "cannot import no.such.Cache"),
        (f"{LOCMEM!r}, target='paper'", "no target is named 'paper'; choose from"),
        (f"{LOCMEM!r}, tiers=['contract', 'x']", "tier=x: choose from contract, concurrency"),
        (f"{LOCMEM!r}, timeout=0", "timeout=0: a number of seconds above 0"),
        (f"{LOCMEM!r}, fault_bound=0", "fault_bound=0: a number of seconds above 0"),
        (f"{LOCMEM!r}, expectations='absent.toml'", "cannot read expectations absent.toml"),
        ("'hostile.CannotBeBuilt'", "cannot be built from LOCATION"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(program, arguments, told):
    out = program(
        "try:\n"
        f"    cache_conformance.run({arguments})\n"
        "except cache_conformance.BadOption as error:\n"
        "    print(error)"
    )
    assert told in out
    assert out.count("\n") == 1


def test_the_settings_of_a_project_are_used(program, tmp_path, monkeypatch):
    (tmp_path / "project.py").write_text("SECRET_KEY = 'x'\nMARK = 'mine'\nUSE_TZ = True\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "project")
    out = program(
        f"results = cache_conformance.run({LOCMEM!r}, tiers=['concurrency'])\n"
        "from django.conf import settings\n"
        "assert results.conforms(), results.failures()\n"
        "print(settings.MARK)"
    )
    assert out == "mine\n"


def test_a_call_within_a_test_where_databases_are_forbidden(pytester, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    pytester.makepyfile(
        settings="SECRET_KEY = 'x'\nUSE_TZ = True\n",
        test_call=f"""
        import cache_conformance

        def test_call():
            results = cache_conformance.run({LOCMEM!r})
            assert results.conforms(), results.failures()
        """,
    )
    ended = pytester.runpytest_subprocess("--ds=settings", "-p", "no:cacheprovider")
    ended.assert_outcomes(passed=1)


# The class


def test_a_class_has_the_tests_of_the_command_line(suite, kit):
    collected = suite(LOCMEM, "--co", "-q").outlines
    door = "test_mine.py::TestMine::"
    of_the_class = [line.removeprefix(door) for line in collected if line.startswith(door)]
    listed = kit(f"--cache-backend={LOCMEM}", "--co", "-q", report=False).out.splitlines()
    of_the_line = [line.removeprefix("LocMemCache::") for line in listed if "LocMem" in line]
    assert len(of_the_line) > 500
    assert of_the_class == [*of_the_line, "test_of_my_own"]
    assert not any("Shared" in line for line in collected)


def test_a_class_runs(suite):
    ended = suite(LOCMEM)
    assert ended.ret == 0, ended.stdout.str()
    out = ended.stdout.str()
    assert re.search(rf"{LOCMEM}: ran [45]\d\d of", out)
    assert "cache conformance test_mine.py::TestMine" in out


def test_a_failure_of_a_class_shows_its_evidence(suite):
    ended = suite("hostile.RaisesEverywhere", "-k", "basic.set-then-get and sync")
    assert ended.ret == 1
    ended.stdout.fnmatch_lines(["*is failed (MUST)*", "*reproduce it with this script*"])


def test_the_attributes_of_a_class_count(suite, pytester):
    (pytester.path / "known.toml").write_text(
        '[[known-failure]]\nclause = "basic.set-then-get"\nkind = "bug"\nreason = "made up"\n'
    )
    ended = suite(LOCMEM, "-k", "basic.set-then-get", "-v", settings='expectations = "known.toml"')
    assert ended.ret == 1
    ended.stdout.fnmatch_lines(["*basic.set-then-get[[]sync[]] FIXED*"])


def test_the_target_of_a_class_is_started(suite):
    ended = suite("django.core.cache.backends.redis.RedisCache", "-k", "basic. or test_of_my_own")
    assert ended.ret == 0, ended.stdout.str()
    ended.stdout.fnmatch_lines(["*RedisCache on redis (process): ran *"])


def test_a_class_whose_server_cannot_be_had_fails_the_run(suite, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    ended = suite("django.core.cache.backends.redis.RedisCache", "-k", "basic.")
    assert ended.ret == 1
    ended.stdout.fnmatch_lines(["*apt-get install redis-server*"])


@pytest.mark.parametrize(
    ("backend", "told"),
    [
        ("no.such.Cache", "*TestMine: cannot import no.such.Cache*"),
        ("hostile.CannotBeBuilt", "*TestMine: hostile.CannotBeBuilt cannot be built*"),
    ],
)
def test_a_class_that_cannot_run_says_so(suite, backend, told):
    ended = suite(backend)
    assert ended.ret != 0
    ended.stdout.fnmatch_lines([told])
    ended.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("bounds = {'exampels': 1}", "*TestMine: bound=exampels: choose from*"),
        ("fault_bound = 0", "*TestMine: fault_bound=0: a number of seconds above 0*"),
    ],
)
def test_a_bound_of_a_class_that_cannot_be_used_is_told(suite, settings, told):
    suite(LOCMEM, settings=settings).stdout.fnmatch_lines([told])


def test_a_class_without_a_backend_says_so(pytester):
    pytester.makepyfile(
        "from cache_conformance import CacheConformance\nclass TestMine(CacheConformance): pass"
    )
    ended = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert ended.ret == 2
    ended.stdout.fnmatch_lines(["TestMine names no backend*"])


def test_workers_share_out_classes_but_not_the_clauses_of_one(suite):
    ended = suite(LOCMEM, "-n", "2", "-v", "-k", "basic. or test_of_my_own")
    assert ended.ret == 0, ended.stdout.str()
    lines = [line for line in ended.outlines if "TestMine::basic." in line and "[gw" in line]
    assert len({line[: line.index("]")] for line in lines}) == 1
