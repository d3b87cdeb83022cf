"""The tier of measurements: what it reports, and that it stays within its bounds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import LOCMEM

SMALL = (
    *("--cache-tier=benchmark", "--cache-max-measuring=1", "--cache-max-size=1000"),
    *("--cache-max-keys=10", "--cache-max-parallel=2", "--cache-max-entries=200"),
)
OPERATIONS = {
    *("get", "set", "add", "delete", "touch", "has_key", "incr", "get_or_set", "incr_version"),
    *("get_many", "set_many", "delete_many"),
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return the measurements of a small run on each of two backends."""
    folder = tmp_path_factory.mktemp("measured")
    backends = [LOCMEM, "django.core.cache.backends.db.DatabaseCache"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *SMALL]
    named = [f"--cache-backend={backend}" for backend in backends]
    ended = subprocess.run(
        [*command, *named, "--cache-report=json:report.json"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
    return json.loads((folder / "report.json").read_text())["backends"]


def rows(backend, clause, **wanted):
    return [
        row
        for row in backend["measurements"]
        if row["clause"] == f"measurements.{clause}"
        and all(row[name] == value for name, value in wanted.items())
    ]


def test_every_clause_of_the_tier_passes(measured):
    for backend in measured:
        assert {result["outcome"] for result in backend["results"]} == {"passed"}
        assert {result["chapter"] for result in backend["results"]} == {"measurements"}


@pytest.mark.parametrize("api", ["sync", "async"])
def test_every_operation_is_timed(measured, api):
    for backend in measured:
        found = rows(backend, "latency", api=api)
        assert {row["operation"] for row in found} == OPERATIONS
        for row in found:
            assert row["p50"] > 0
            assert (row["p99"] is None) == (row["calls"] < 100)
            assert row["p99"] is None or row["p99"] >= row["p50"]


def test_the_bounds_are_kept(measured):
    for backend in measured:
        assert {row["keys"] for row in rows(backend, "many-keys")} == {1, 10}
        assert {row["bytes"] for row in rows(backend, "value-size")} == {10, 100, 1000}
        assert {row["workers"] for row in rows(backend, "parallel")} == {1, 2}
        [weighed] = rows(backend, "memory")
        assert weighed["entries"] <= 200


def test_entries_are_weighed_where_they_are(measured):
    in_memory, on_disk = (rows(backend, "memory")[0] for backend in measured)
    assert in_memory["process_per_10000"] > 10_000 * 100
    assert in_memory["store_per_10000"] is None
    assert on_disk["store_per_10000"] is not None


def test_limits_are_characteristics(measured):
    for backend in measured:
        assert backend["characteristics"]["longest-key"] == "100,000 characters or more"
        assert backend["characteristics"]["largest-value"] == "10,000,000 bytes or more"


def test_figures_stand_in_one_place(measured):
    assert not any("measurements" in r for backend in measured for r in backend["results"])


def test_measurements_do_not_run_unless_asked_for(kit):
    ended = kit(f"--cache-backend={LOCMEM}", "--co", "-q", report=False)
    assert "measurements." not in ended.out


def test_a_backend_that_loses_values_is_not_measured(kit):
    ended = kit("--cache-backend=faulty.basic.ReadsFromAReplica", *SMALL, "-k", "latency")
    latency = ended.results["measurements.latency[sync]"]
    assert latency["outcome"] == "failed"
    assert "does not come back" in latency["message"]
    assert ended.report["backends"][0]["measurements"] == []


def test_a_bound_is_a_whole_number(kit):
    ended = kit(f"--cache-backend={LOCMEM}", "--cache-max-measuring=0", report=False)
    assert ended.status == 4
    assert "--cache-max-measuring=0" in ended.err
