"""The benchmark of HazelcastCache: its arithmetic and its page; the figures are ci/bench's."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "ci"))
import hazelcast_bench


def test_calls_that_are_compared_take_turns():
    made = []
    calls = {"a": lambda: made.append("a"), "b": lambda: made.append("b")}
    found = hazelcast_bench.medians(calls, rounds=3)
    assert "".join(made) == "ab" + "ba" + "ab" + "ba"  # once to warm up, then both orders in turn
    assert set(found) == {"a", "b"}
    assert all(median > 0 for median in found.values())


def test_the_series_with_the_middle_ratio_counts():
    assert hazelcast_bench._middle([(30, 10), (9, 10), (11, 10)]) == (11, 10)


@pytest.mark.parametrize(
    ("ratio", "bound", "holds"),
    [
        (1.0, "≤ 1.10", "yes"),
        (1.2, "≤ 1.10", "**no**"),
        (9, "≥ 8.00", "yes"),
        (7, "≥ 8.00", "**no**"),
    ],
)
def test_a_ratio_is_held_to_its_bound(ratio, bound, holds):
    assert hazelcast_bench._row("get", ratio, 1, ratio, bound)[-1] == holds


def test_the_page_says_what_a_backend_refused():
    plots = {"get() by bytes": {"Quick": [(10, 1.0), (100, 2.0)], "Small": [(10, 1.0)]}}
    text = hazelcast_bench.page([["get", "1", "1", "1", "≤ 1.10", "yes"]], plots, "folder", 5)
    assert "| Small | 1 | refused |" in text
    assert "(folder/get-by-bytes.svg)" in text


def test_the_ratios_are_taken_from_a_real_member():
    hazelcast_bench.configure()
    with ExitStack() as running:
        places = hazelcast_bench.servers(running)
        rows = hazelcast_bench.ratios(hazelcast_bench.caches(places), rounds=10)
    assert [row[-2] for row in rows] == [*["≤ 1.10"] * 3, *["≤ 1.15"] * 2, "≤ 1.50", "≥ 8.00"]
    assert all(float(row[3]) > 0 for row in rows)
