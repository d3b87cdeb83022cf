"""The plugin beside pytest's own options, in a project with and in one without settings."""

import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import LOCMEM, ROOT
from targets.processes import soon

BACKEND = f"--cache-backend={LOCMEM}"
REDIS = "--cache-backend=django.core.cache.backends.redis.RedisCache"
SMALL = ("-k", "basic. or timeout.entry-expires")

SETTINGS = """
SECRET_KEY = "none"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "project.sqlite3"}}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "own"},
    "files": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": "project-cache",
        "TIMEOUT": 5,
    },
}
"""
PROJECT_TESTS = """
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache, caches

def test_the_project_has_its_own_cache():
    cache.set("project", 1)
    assert set(caches) == {"default", "files"}

@pytest.mark.django_db
def test_the_project_has_its_own_database():
    assert User.objects.count() == 0

def test_databases_are_closed_to_other_tests():
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        User.objects.count()
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A project with settings and tests of its own."""
    pytester.makepyfile(project_settings=SETTINGS, test_project=PROJECT_TESTS)

    def configure():
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "project_settings")

    return configure


def test_without_arguments_only_the_contract_is_collected(pytester, kit):
    pytester.makepyfile(test_own="def test_own(): raise Exception")
    ended = kit(BACKEND, "-k", "basic. or own")
    assert ended.status == 0
    assert "test_own" not in ended.out


def test_with_a_path_both_are_collected(pytester, kit):
    pytester.makepyfile(test_own="def test_own(): pass")
    ended = kit(BACKEND, "test_own.py", "-v", "-k", "basic.set-then-get or own")
    assert ended.status == 0
    assert "test_own.py::test_own PASSED" in ended.out
    assert "LocMemCache::basic.set-then-get[sync] PASSED" in ended.out


def test_a_project_with_settings(project, kit):
    project()
    ended = kit(BACKEND, "test_project.py", "-k", "basic. or session. or test_")
    assert ended.status == 0, ended.out
    assert ended.outcomes["failed"] == 0
    assert not (ended.folder / "project.sqlite3").exists()


def test_an_alias_of_the_project(project, kit):
    project()
    ended = kit("--cache-alias=files", *SMALL)
    backend = ended.report["backends"][0]
    assert ended.status == 0, ended.out
    assert backend["path"].endswith("FileBasedCache")
    assert list((ended.folder / "project-cache").iterdir()) == []


def test_the_database_backend_beside_a_project(project, kit):
    project()
    ended = kit("--cache-backend=django.core.cache.backends.db.DatabaseCache", *SMALL)
    assert ended.status == 0, ended.out
    assert not (ended.folder / "project.sqlite3").exists()


def test_collect_only(kit):
    ended = kit(BACKEND, "--co", "-q", report=False)
    assert ended.status == 0
    assert "LocMemCache::timeout.entry-expires[sync]" in ended.out
    assert "LocMemCache::timeout.entry-expires[async]" in ended.out


def test_collect_only_leaves_no_files(pytester, monkeypatch, kit):
    monkeypatch.setenv("TMPDIR", str(pytester.mkdir("temporary")))
    path = "--cache-backend=django.core.cache.backends.filebased.FileBasedCache"
    assert kit(path, "--co", "-q", report=False).status == 0
    assert list(Path("temporary").iterdir()) == []


def test_k_selects_one_test_by_its_id(kit):
    ended = kit(BACKEND, "-k", "timeout.entry-expires[async]")
    assert list(ended.results) == ["timeout.entry-expires[async]"]


def test_x_stops_at_the_first_failure(kit):
    ended = kit("--cache-backend=hostile.RaisesEverywhere", "-x")
    assert ended.status == 1
    assert ended.report["complete"] is False
    assert ended.outcomes["failed"] == 1
    assert ended.outcomes["passed"] + ended.outcomes["blocked"] < 20


def test_junitxml(kit):
    ended = kit(BACKEND, "--junitxml=junit.xml", *SMALL)
    cases = ET.parse(ended.folder / "junit.xml").getroot().iter("testcase")
    assert "timeout.entry-expires[sync]" in {case.get("name") for case in cases}


@pytest.mark.parametrize("backends", [[BACKEND], [BACKEND, REDIS], [BACKEND, REDIS, BACKEND]])
def test_xdist_finds_the_same(kit, backends):
    alone = kit(*backends, *SMALL).report
    spread = kit(*backends, *SMALL, "-n", "2").report
    assert spread["complete"] is True
    for one, other in zip(alone["backends"], spread["backends"], strict=True):
        assert one["counts"] == other["counts"]
        assert one["path"] == other["path"]


def test_xdist_spreads_the_project_s_own_tests(project, kit):
    project()
    ended = kit(BACKEND, "test_project.py", "-n", "2", "-v", "-k", "basic. or test_")
    assert ended.status == 0, ended.out
    assert "gw1" in ended.out


def test_the_summary_counts_clauses(kit):
    ended = kit(BACKEND, "-k", "basic.set-then-get")
    assert re.search(r"LocMemCache: ran 1 of \d{3} clauses", ended.out)
    assert "2 passed" in ended.out


def test_the_summary_names_the_deviations(pytester, kit):
    pytester.makepyfile(
        own="""
        from django.core.cache.backends.locmem import LocMemCache

        class Slashed(LocMemCache):
            def make_key(self, key, version=None):
                return super().make_key(key, version).replace(":", "/")
        """
    )
    backend = ("--cache-backend=own.Slashed", "-k", "key.final-key-joins or basic.set-then-get")
    ended = kit(*backend)
    assert ended.status == 0
    assert "1 deviated, 2 passed" in ended.out
    assert "deviates: key.final-key-joins-prefix-version-key (SHOULD)" in ended.out
    ended = kit(*backend, "--cache-level=should")
    assert ended.status == 1
    assert "1 failed, 2 passed" in ended.out


def test_a_run_without_any_must_clause_fails(kit):
    ended = kit(BACKEND, "-k", "no_such_clause")
    assert ended.status == 1
    assert "no MUST clause ran" in ended.out


def test_the_wait_is_shown(kit):
    told = kit(BACKEND, *SMALL).out
    assert re.search(r"waiting \d\.\d s for \d+ checks that let time pass", told)


def test_secrets_are_masked(kit):
    config = '{"LOCATION": "scheme://user:hunter2@host", "OPTIONS": {"PASSWORD": "hunter2"}}'
    ended = kit(
        "--cache-backend=hostile.RaisesEverywhere", f"--cache-config={config}", "-k", "basic."
    )
    assert "hunter2" not in (ended.folder / "report.json").read_text()
    assert "hunter2" not in ended.out


def test_a_server_that_is_not_installed(kit, monkeypatch):
    monkeypatch.setenv("CACHE_TARGETS_PATH", "nowhere")
    ended = kit(REDIS, BACKEND, "-k", "basic.set-then-get")
    assert ended.status == 1
    assert ended.outcomes == {"unavailable": 2}
    assert "apt-get install redis-server" in ended.out
    assert ended.report["backends"][1]["counts"]["passed"] == 2


AT_NO_SERVER = """--cache-config={"LOCATION": "redis://127.0.0.1:1"}"""


def test_a_server_that_does_not_answer(kit):
    ended = kit(REDIS, AT_NO_SERVER, "-k", "basic.")
    assert ended.status == 1
    assert set(ended.outcomes) == {"unavailable"}
    assert "nothing answers at 127.0.0.1:1: Connection refused" in ended.out


def test_a_backend_that_needs_no_server_is_tried_without_one(kit):
    ended = kit(
        "--cache-backend=faulty.construction.MemoryRedis", AT_NO_SERVER, "-k", "basic.set-then-get"
    )
    assert ended.outcomes == {"passed": 2}


SHARED_BACKEND = """
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache

class Cache(BaseCache):
    def __init__(self, location, params):
        super().__init__(params)
        self.store = FileBasedCache("shared-store", params)
    def get(self, *args, **kwargs):
        return self.store.get(*args, **kwargs)
    def set(self, *args, **kwargs):
        return self.store.set(*args, **kwargs)
    def add(self, *args, **kwargs):
        return self.store.add(*args, **kwargs)
    def delete(self, *args, **kwargs):
        return self.store.delete(*args, **kwargs)
    def touch(self, *args, **kwargs):
        return self.store.touch(*args, **kwargs)
    def clear(self):
        raise SystemExit("cleared")
"""
PRIVATE_BACKEND = SHARED_BACKEND.replace(
    "filebased import FileBasedCache", "locmem import LocMemCache"
).replace("FileBasedCache(", "LocMemCache(")
CLEAR = ("--cache-backend=own_backend.Cache", "-k", "clear. or basic.set-then-get")


def test_a_store_that_may_hold_other_data_is_not_cleared(pytester, kit):
    pytester.makepyfile(own_backend=SHARED_BACKEND)
    ended = kit(*CLEAR)
    cleared = [r for r in ended.results.values() if r["chapter"] == "clear"]
    assert {result["outcome"] for result in cleared} <= {"not-applicable", "untested"}
    assert "--cache-allow-clear" in cleared[0]["message"]
    assert "15 checks that would clear the store were left out" in ended.out


def test_whether_a_backend_culls_is_tried_on_an_empty_store(kit):
    """What other checks have left in the table would be culled in place of what the kit writes."""
    ended = kit(
        "--cache-backend=faulty.culling.DeletesTheRemainder", "-k", "basic or many or culling"
    )
    assert ended.results["culling.removes-its-share[sync]"]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("source", "options"), [(SHARED_BACKEND, ["--cache-allow-clear"]), (PRIVATE_BACKEND, [])]
)
def test_a_store_is_cleared_where_it_may_be(pytester, kit, source, options):
    pytester.makepyfile(own_backend=source)
    ended = kit(*CLEAR, *options)
    cleared = [r for r in ended.results.values() if r["chapter"] == "clear"]
    assert {result["outcome"] for result in cleared} >= {"failed"}
    assert any("SystemExit: cleared" in result["message"] for result in cleared)


def test_a_store_that_cannot_be_emptied_is_blamed_on_clear_alone(pytester, kit):
    pytester.makepyfile(own_backend=SHARED_BACKEND)
    ended = kit(CLEAR[0], "--cache-allow-clear", "-k", "clear.removes-every-entry or culling")
    assert ended.failed == {"clear.removes-every-entry"}
    blocked = ended.results["culling.never-exceeds-max-entries[sync]"]
    assert blocked["outcome"] == "blocked"
    assert "clear.removes-every-entry" in blocked["message"]


def _servers(folder):
    """The servers that run in a temporary folder below ``folder``."""
    found = []
    for directory in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):  # it has ended meanwhile
            name = directory.with_name("comm").read_text().strip()
            if name == "redis-server" and directory.readlink().is_relative_to(folder):
                found.append(directory)
    return found


def _interrupted(folder, *arguments):
    """Press Ctrl-C while the run waits; yield before it and after it."""
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments, "-k", "timeout."],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while "waiting" not in (run.stdout.readline() or "waiting"):
        assert run.poll() is None
    yield
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=20) == 2
    yield


def test_ctrl_c_stops_the_servers(pytester, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(pytester.path))
    interrupted = _interrupted(pytester.path, REDIS)
    next(interrupted)
    assert len(_servers(pytester.path)) == 1
    next(interrupted)
    assert soon(lambda: _servers(pytester.path) == [])


@pytest.mark.parametrize("backend", ["filebased.FileBasedCache", "db.DatabaseCache"])
def test_ctrl_c_leaves_no_files(pytester, monkeypatch, backend):
    monkeypatch.setenv("TMPDIR", str(pytester.mkdir("temporary")))
    path = f"--cache-backend=django.core.cache.backends.{backend}"
    interrupted = _interrupted(pytester.path, path)
    next(interrupted)
    assert list(Path("temporary").iterdir())
    next(interrupted)
    assert list(Path("temporary").iterdir()) == []


def _members(session):
    """The processes of a session."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if os.getsid(int(process.name)) == session:
                found.append(process.name)
    return found


def test_a_run_that_is_killed_leaves_no_process(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    slow = "--cache-backend=conforming.latency.FiftyMilliseconds"
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", slow],
        cwd=pytester.path,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        assert soon(lambda: len(_members(run.pid)) == 2)
        run.kill()
    assert soon(lambda: _members(run.pid) == [])


@pytest.mark.parametrize("backend", ["filebased.FileBasedCache", "db.DatabaseCache"])
def test_a_run_leaves_no_files(pytester, monkeypatch, kit, backend):
    monkeypatch.setenv("TMPDIR", str(pytester.mkdir("temporary")))
    assert kit(f"--cache-backend=django.core.cache.backends.{backend}", *SMALL).status == 0
    assert list(Path("temporary").iterdir()) == []
