"""Whatever a backend does, the report is complete and says what happened."""

import pytest


def test_a_backend_that_raises_everywhere(kit):
    ended = kit("--cache-backend=hostile.RaisesEverywhere", "--cache-tier=contract")
    root = ended.results["basic.set-then-get[sync]"]
    assert ended.status == 1
    assert ended.report["complete"] is True
    assert "NotImplementedError: later" in root["message"]
    assert ended.results["timeout.entry-expires[async]"]["outcome"] == "blocked"
    assert ended.outcomes["error"] == 0


def test_a_backend_that_hangs(kit):
    ended = kit("--cache-backend=hostile.HangsInGet", "--cache-timeout=1", "--cache-tier=contract")
    assert ended.status == 1
    assert ended.report["complete"] is True
    assert "no answer within 1 s" in ended.results["basic.set-then-get[sync]"]["message"]
    assert ended.results["timeout.entry-expires[sync]"]["outcome"] == "blocked"


def test_a_backend_that_hangs_in_one_operation(kit):
    ended = kit(
        "--cache-backend=hostile.HangsInIncr", "--cache-timeout=0.5", "-k", "incr. or basic."
    )
    assert ended.status == 1
    assert ended.report["complete"] is True
    assert ended.results["basic.set-then-get[async]"]["outcome"] == "passed"
    assert "no answer within" in ended.results["incr.adds-delta[sync]"]["message"]


def test_a_backend_that_hangs_while_the_kit_looks_whether_it_has_room(kit):
    ended = kit(
        "--cache-backend=hostile.HangsWhenMuchIsWritten",
        "--cache-timeout=1",
        "--cache-tier=contract",
        *("-k", "touch.later-expiry"),
    )
    assert ended.status == 1
    assert ended.report["complete"] is True
    assert ended.results["touch.later-expiry[sync]"]["outcome"] == "failed"


def test_a_backend_that_prints(kit):
    ended = kit("--cache-backend=hostile.Prints", "-k", "basic.set-then-get")
    assert ended.status == 0
    assert ended.outcomes == {"passed": 2}


@pytest.mark.parametrize(
    ("backend", "told"),
    [
        ("Exits", "raised SystemExit: 3"),
        ("Interrupts", "raised KeyboardInterrupt"),
        ("KillsItsThread", ""),
        ("Crashes", "the process was ended by SIGSEGV"),
        ("Quits", "the process was ended with status 3"),
        ("BadRepr", "<Unshowable instance at"),
    ],
)
def test_a_backend_that_misbehaves_in_touch(kit, backend, told):
    ended = kit(f"--cache-backend=hostile.{backend}", "-k", "touch. or basic.set-then-get")
    failed = [result for result in ended.results.values() if result["outcome"] == "failed"]
    assert ended.status == 1
    assert ended.report["complete"] is True
    assert ended.results["basic.set-then-get[sync]"]["outcome"] == "passed"
    assert failed
    assert {result["chapter"] for result in failed} == {"touch"}
    assert any(told in result["message"] for result in failed), failed
