"""The console script cache-conformance."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import cache_targets
import pytest
from cache_conformance import cli, standing_target
from cache_conformance.clause import contract
from cache_conformance.cli import main
from test_reports import BOTH_PASS, backend, report

ROOT = "basic.set-then-get"


@pytest.fixture
def run(capsys):
    """Run main and return exit status, standard output and standard error."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def refused(run):
    """Run main, demand that it refuses in one line, and return that line."""

    def refused(*arguments, status=2):
        found, out, err = run(*arguments)
        assert (found, out) == (status, "")
        assert err.startswith("cache-conformance: ")
        assert err.count("\n") == 1
        return err

    return refused


# list


def test_list_has_a_line_for_every_clause(run):
    status, out, _ = run("list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [clause.id for clause in contract()]


def test_list_tells_level_apis_and_sentence(run):
    _, out, _ = run("list", "--chapter=basic", "--level=must")
    assert [ROOT, "MUST", "sync,async", "What", "set()"] in [
        line.split()[:5] for line in out.splitlines()
    ]


def test_list_refuses_what_it_does_not_know(refused):
    assert "basic" in refused("list", "--chapter=nonsense")
    assert "SHOULD" in refused("list", "--level=perhaps")
    assert "whole" in refused("list", "--level=must", "--markdown")


# explain


def test_explain_shows_the_check_and_where_the_promise_is_made(run):
    status, out, _ = run("explain", ROOT)
    assert status == 0
    assert out.startswith(f"{ROOT}: What set() stores, get() returns.\n")
    assert "https://docs.djangoproject.com/en/" in out
    assert 'assert cache.get("k") == "v"' in out


def test_every_clause_can_be_explained(run):
    for clause in contract():
        status, out, _ = run("explain", clause.id)
        assert status == 0
        assert clause.sentence in out


def test_explain_plays_the_check_on_the_model(run):
    _, out, _ = run("explain", "timeout.entry-expires")
    assert "\nWhat the contract answers:\n\nset('k', 'v', timeout=2) returned None\n" in out
    assert out.endswith(" s passed\nget('k') returned None\n")
    _, out, _ = run("explain", "session.is-loaded-as-it-was-saved")
    assert "def " in out
    assert "What the contract answers" not in out


def test_explain_names_what_an_empty_store_rests_on(run):
    _, out, _ = run("explain", "culling.never-exceeds-max-entries")
    assert "clear.removes-every-entry, clear.removes-other-prefixes where others use" in out


def test_explain_names_the_backends_that_a_clause_is_about(run):
    _, out, _ = run("explain", "culling.built-in-backends-cull")
    assert "\nbuilt on     DatabaseCache, FileBasedCache, LocMemCache\n" in out


def test_explain_suggests_a_clause_of_a_similar_name(refused):
    assert f"did you mean {ROOT}" in refused("explain", "basic.set-than-get")
    assert "cache-conformance list" in refused("explain", "xyzzy")


# compare


@pytest.fixture
def written(tmp_path):
    """Write a report and return its path."""

    def written(name, document):
        path = tmp_path / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return written


@pytest.fixture
def two(written):
    older = report(backend(*BOTH_PASS))
    older["environment"] = {**older["environment"], "django": "5.2.1"}
    return written("new.json", report(backend(*BOTH_PASS))), written("old.json", older)


def test_compare_prints_one_summary(run, two):
    status, out, _ = run("compare", *two)
    assert status == 0
    assert "| ExampleCache, Django 6.1.3, Python 3.13.0 |" in out
    assert "| ExampleCache, Django 5.2.1, Python 3.13.0 |" in out


def test_compare_writes_the_format_that_the_name_of_the_file_tells(run, two, tmp_path):
    page, merged = tmp_path / "page.html", tmp_path / "merged.json"
    assert run("compare", *two, "-o", page) == (0, "", "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run("compare", *two, "-o", merged) == (0, "", "")
    document = json.loads(merged.read_text(encoding="utf-8"))
    assert document["environment"]["django"] == "6.1.3, 5.2.1"
    assert [b["environment"]["django"] for b in document["backends"]] == ["6.1.3", "5.2.1"]


def test_a_merged_report_can_be_merged_again(run, two, tmp_path):
    merged, again = tmp_path / "merged.json", tmp_path / "again.json"
    run("compare", *two, "-o", merged)
    run("compare", merged, "-o", again)
    assert again.read_bytes() == merged.read_bytes()


def test_compare_refuses_what_is_no_complete_report(refused, written, two, tmp_path):
    assert "did not finish" in refused("compare", written("a.json", report(complete=False)))
    assert "schema" in refused("compare", written("b.json", {**report(), "schema": 2}))
    assert "damaged" in refused("compare", written("d.json", {"schema": 1, "complete": True}))
    assert "cannot read" in refused("compare", tmp_path / "absent.json")
    assert "cannot write" in refused("compare", *two, "-o", tmp_path)


def test_compare_without_jinja_names_the_extra(refused, two, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert "django-cache-conformance[report]" in refused("compare", *two, "--format=html")


# targets


class FakeTarget:
    """A server that needs none."""

    location, database = "redis://127.0.0.1:1", None
    stopped = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped = True


@pytest.fixture
def fake(monkeypatch, tmp_path):
    target = FakeTarget()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(cache_targets, "start", lambda name, provider: target)
    return target


def test_a_target_stands_until_it_is_taken_down(run, refused, fake):
    assert "no redis stands" in refused("targets", "status", "redis", status=1)
    up = threading.Thread(target=main, args=(["targets", "up", "redis"],))
    up.start()
    while standing_target.describe("redis") is None:
        time.sleep(0.01)
    assert run("targets", "status", "redis")[1].endswith(f"{fake.location}\n")
    assert "stands already" in refused("targets", "up", "redis")
    assert not fake.stopped
    status, out, _ = run("targets", "down", "redis")
    assert (status, out) == (0, "redis is down\n")
    assert fake.stopped
    up.join()
    assert "no redis stands" in refused("targets", "down", "redis", status=1)


def test_a_socket_that_nobody_holds_is_in_nobodys_way(fake):
    with standing_target.Post("redis") as post:
        abandoned = post._path
        abandoned.rename(abandoned.with_suffix(".kept"))
    abandoned.with_suffix(".kept").rename(abandoned)
    assert standing_target.describe("redis") is None
    with standing_target.Post("redis"):
        pass


def test_a_runtime_directory_open_to_others_is_refused(refused, fake, tmp_path):
    standing_target._directory().chmod(0o755)
    for action in "up", "down", "status":
        assert "open to other users" in refused("targets", action, "redis")


def test_targets_refuses_what_it_does_not_know(refused, monkeypatch):
    assert "redis" in refused("targets", "up", "nonsense")

    def unavailable(name, provider):
        raise cache_targets.TargetUnavailable("no redis-server; install it")

    monkeypatch.setattr(cache_targets, "start", unavailable)
    assert "install it" in refused("targets", "up", "redis", status=1)


# The program


def test_usage_is_refused_in_one_line(refused):
    refused()
    refused("nonsense")
    refused("compare")


def test_the_module_runs_as_a_program():
    command = [sys.executable, "-m", cli.__name__, "explain", "xyzzy"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "cache-conformance: there is no clause xyzzy; see: cache-conformance list\n"
    )
