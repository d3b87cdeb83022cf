"""Random sequences: how they are written, found, made shorter, kept and replayed."""

import subprocess
import sys
from collections import Counter

import pytest
from cache_conformance import environment
from cache_conformance.clause import Api, contract, registry
from cache_conformance.contract.concurrency import KEYS
from cache_conformance.effort import Effort
from cache_conformance.execution import Run
from cache_conformance.expectations import InvalidExpectations, parse
from cache_conformance.experiment import trial
from cache_conformance.implementation import Implementation
from cache_conformance.model import Model
from cache_conformance.outcome import Outcome
from cache_conformance.sequence import WAIT, Computed, Once, Step, read, written
from conftest import LOCMEM

environment.configure()
contract()
PLAIN, TIMED = "sequences.agree-with-the-model", "sequences.agree-as-time-passes"

STEPS = [
    Step("cache", "set", ("k", {"a": (1, None)}), (("timeout", 2), ("version", 2))),
    Step("brief", "get_or_set", ("ключ", Computed(b"\x00"))),
    Step("second", "get_many", (Once(["k", 1]),)),
    WAIT,
    Step("prefixed", "in", ("k",)),
    Step("cache", "decr", ("k", -3)),
    Step("cache", "clear"),
]


def test_what_is_written_can_be_read():
    assert read(written(STEPS)) == STEPS
    assert read("") == []


@pytest.mark.parametrize("text", ["cache.get(", "nobody.get('k')", "print", "import os", "f(x)"])
def test_what_is_no_sequence_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        read(text)
    with pytest.raises(InvalidExpectations, match="example"):
        parse(
            f'[[known-failure]]\nclause = "{PLAIN}"\nkind = "bug"\nreason = "r"\n'
            f'example = """{text}"""',
            "here",
        )


def test_a_step_makes_its_operation():
    model = Model()
    assert Step("cache", "get_or_set", ("k", Computed(7))).make(model) == 7
    assert Step("cache", "get_many", (Once(["k", "x"]),)).make(model) == {"k": 7}
    assert Step("cache", "in", ("k",)).make(model) is True


def result(path, clause=PLAIN, api=Api.SYNC, known="", **effort):
    implementation = Implementation.of(path, allow_clear=True)
    implementation.effort = Effort(**effort)
    one = trial(registry[clause], api, implementation)
    with Run([one], parse(known, "here")) as run:
        return run.result(one)


def test_a_seed_repeats_itself_and_another_one_differs():
    path = "faulty.sequences.CountsInAField"
    examples = [result(path, seed=seed).example for seed in (1, 1, 5)]
    assert examples[0] == examples[1] != ""
    assert examples[2] != examples[0]


def test_a_failure_is_short():
    found = result("faulty.sequences.MovesTheDefault")
    assert found.outcome is Outcome.FAILED
    assert len(found.example.splitlines()) <= 4
    assert found.message.startswith("expected: ")


def test_more_examples_find_what_few_do_not():
    path = "faulty.sequences.RemembersDeletions"
    assert result(path, examples=1, steps=2).outcome is Outcome.PASSED
    assert result(path, examples=60).outcome is Outcome.FAILED


KNOWN = """
[[known-failure]]
clause = "{clause}"
kind = "bug"
reason = "it is known"
example = '''
{example}
'''
"""


def test_a_known_failure_replays_its_example_and_nothing_else():
    path = "faulty.sequences.MovesTheDefault"
    example = "cache.set('k', 1)\ncache.incr_version('k')\ncache.add('k', 2)"
    found = result(path, known=KNOWN.format(clause=PLAIN, example=example), seed=99)
    assert found.outcome is Outcome.KNOWN_FAILURE
    assert found.example == example
    harmless = KNOWN.format(clause=PLAIN, example="cache.set('k', 1)")
    assert result(path, known=harmless).outcome is Outcome.FIXED


def test_an_example_may_wait():
    example = "brief.set('k', 1)\nbrief.touch('k', timeout=2)\ntime.sleep(3.1)\nbrief.get('k')"
    known = KNOWN.format(clause=TIMED, example=example)
    found = result("faulty.sequences.ForgetsWhatTouchGave", TIMED, Api.ASYNC, known)
    assert found.outcome is Outcome.KNOWN_FAILURE, found.message
    assert result(LOCMEM, TIMED, known=known).outcome is Outcome.FIXED


@pytest.mark.parametrize("api", list(Api))
def test_the_script_shows_it_alone(tmp_path, monkeypatch, api):
    found = result("faulty.sequences.MovesTheDefault", api=api)
    (tmp_path / "repro.py").write_text(found.repro)
    for path, status in (("faulty.sequences.MovesTheDefault", 1), (LOCMEM, 0)):
        source = found.repro.replace("faulty.sequences.MovesTheDefault", path)
        ended = subprocess.run(
            [sys.executable, "-c", source],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        )
        assert ended.returncode == status, ended.stderr
    assert "cache_conformance" not in found.repro


def test_the_bounds_are_options(kit):
    ended = kit(
        f"--cache-backend={LOCMEM}",
        "-k",
        "sequences.agree or linearizability.add",
        "--cache-max-examples=2",
        "--cache-max-steps=3",
        "--cache-max-histories=2",
        "--cache-max-workers=2",
        "--hypothesis-seed=7",
    )
    assert ended.status == 0
    assert ended.outcomes["passed"] == 6
    refused = kit(f"--cache-backend={LOCMEM}", "--cache-max-steps=none", report=False)
    assert refused.status == 4
    assert "--cache-max-steps=none: a whole number above 0" in refused.err


def test_a_race_has_as_many_rounds_and_racers_on_each_api_as_asked_for(kit, pytester):
    pytester.makepyfile(
        counted="""
        from django.core.cache.backends.locmem import LocMemCache


        class Counted(LocMemCache):
            def add(self, key, value, *args, **kwargs):
                with open("calls", "a") as calls:
                    calls.write(f"{key}\\n")
                return super().add(key, value, *args, **kwargs)
        """
    )
    clauses = "concurrency.add-has-one-winner[sync] or async.concurrent-aadd-has-one-winner"
    bounds = ["--cache-max-rounds=3", "--cache-max-racers=4"]
    kit("--cache-backend=counted.Counted", "-k", clauses, *bounds)
    called = Counter((pytester.path / "calls").read_text().split())
    assert set(called.values()) == {4}
    assert len(called) == 3 * KEYS + 3


def test_a_baseline_keeps_the_example(kit):
    backend = "--cache-backend=faulty.sequences.MovesTheDefault"
    kit(backend, "-k", PLAIN, "--cache-write-expectations=known.toml")
    ended = kit(backend, "-k", PLAIN, "--cache-expectations=known.toml", "--hypothesis-seed=3")
    assert ended.outcomes == {"known-failure": 2}
