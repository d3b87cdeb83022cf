"""Known failures are strict both ways, limited to versions, and written as a first baseline."""

import tomllib

import pytest
from conftest import LOCMEM
from django import get_version

SELECT = ("-k", "timeout.entry-expires or basic.set-then-get")
FAULTY = "--cache-backend=faulty.timeouts.KeepsForEver"
SOUND = f"--cache-backend={LOCMEM}"
KNOWN = """
[[known-failure]]
clause = "timeout.entry-expires"
kind = "bug"
reason = "it keeps everything"
link = "https://example.org/1"
"""


@pytest.fixture
def expecting(pytester, kit):
    """``expecting(toml, *options)`` runs with a file of known failures."""

    def run(text, *options):
        (pytester.path / "known.toml").write_text(text)
        return kit("--cache-expectations=known.toml", *options, *SELECT)

    return run


def test_a_known_failure_does_not_fail_the_run(expecting):
    ended = expecting(KNOWN, FAULTY)
    result = ended.results["timeout.entry-expires[sync]"]
    assert ended.status == 0
    assert result["outcome"] == "known-failure"
    assert "it keeps everything (https://example.org/1)" in result["message"]
    assert "get('k') returned 'v'" in result["message"]


def test_a_known_failure_that_passes_fails_the_run(expecting):
    ended = expecting(KNOWN, SOUND)
    assert ended.status == 1
    assert ended.outcomes == {"passed": 2, "fixed": 2}
    assert "remove it from the expectations" in ended.out


def test_one_api_may_be_known_alone(expecting):
    ended = expecting(KNOWN + 'api = "async"\n', FAULTY)
    assert ended.status == 1
    assert ended.results["timeout.entry-expires[sync]"]["outcome"] == "failed"
    assert ended.results["timeout.entry-expires[async]"]["outcome"] == "known-failure"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (f"django=={get_version()}", 0),
        (f"django!={get_version()}", 1),
        ("a-package-that-is-not-installed", 1),
    ],
)
def test_a_condition_limits_a_known_failure(expecting, condition, status):
    assert expecting(KNOWN + f'when = ["{condition}"]\n', FAULTY).status == status


def test_a_race_may_pass_or_fail(expecting):
    assert expecting(KNOWN + "intermittent = true\n", SOUND).status == 0
    assert expecting(KNOWN + "intermittent = true\n", FAULTY).status == 0


def test_a_known_failure_may_be_of_one_backend(expecting):
    known = KNOWN + 'backend = "faulty.timeouts.KeepsForEver"\n'
    assert expecting(known, SOUND, FAULTY).status == 0


def test_what_a_backend_has_from_django_is_named_and_fails(pytester, kit):
    pytester.makepyfile(
        thin="from django.core.cache.backends.filebased import FileBasedCache\n"
        "class Thin(FileBasedCache):\n    pass\n"
    )
    ended = kit("--cache-backend=thin.Thin", "-k", "touch.expired-key-returns-false")
    assert ended.status == 1
    shared = "Django's own FileBasedCache fails some of it, too: touch.expired-key-returns-false"
    assert shared in ended.out


def test_the_first_baseline(kit):
    written = kit(FAULTY, "--cache-write-expectations=first.toml", *SELECT)
    assert written.status == 1
    entries = tomllib.loads((written.folder / "first.toml").read_text())["known-failure"]
    assert {(entry["clause"], entry["api"]) for entry in entries} == {
        ("timeout.entry-expires", "sync"),
        ("timeout.entry-expires", "async"),
    }
    assert kit(FAULTY, "--cache-expectations=first.toml", *SELECT).status == 0
