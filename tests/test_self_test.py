"""``cache-conformance self-test`` tells whether the kit catches faults where it is installed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cache_conformance.clause import contract, registry
from cache_conformance.cli import main

contract()


@pytest.fixture
def toothless(monkeypatch):
    """Have one clause of the sample check nothing."""
    id = "touch.expired-key-returns-false"
    monkeypatch.setitem(registry, id, replace(registry[id], check=lambda cache: None))


@pytest.fixture
def spiteful(monkeypatch):
    """Have one clause fail with every backend."""

    def fails(cache):
        raise AssertionError("whatever you do")

    id = "basic.delete-removes"
    monkeypatch.setitem(registry, id, replace(registry[id], check=fails))


def test_the_kit_catches_what_it_should(capsys):
    assert main(["self-test"]) == 0
    told = capsys.readouterr().out
    assert "WRONG" not in told
    assert "TouchRevives" in told
    assert "touch.expired-key-returns-false fails" in told
    assert "accused of nothing" in told
    assert "16 of 16 verdicts are right" in told


def test_a_fault_that_is_not_caught(toothless, capsys):
    assert main(["self-test"]) == 1
    told = capsys.readouterr()
    assert "WRONG  TouchRevives" in told.out
    assert "touch.expired-key-returns-false does not fail" in told.out
    assert "15 of 16 verdicts are right" in told.out
    assert "cannot be relied on" in told.err


def test_an_accusation_that_is_false(spiteful, capsys):
    assert main(["self-test"]) == 1
    told = capsys.readouterr()
    assert "WRONG  SetReturnsTrue" in told.out
    assert "accused of basic.delete-removes[sync]" in told.out
