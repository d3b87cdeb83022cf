"""Every clause is failed by some faulty backend, and the page that says so is fresh."""

from __future__ import annotations

import pytest
from kill_matrix import PAGE, Matrix, backends, base, clauses, page, seeded_clauses

FAILURES = ("failed", "known-failure")

RENEW = "run ci/kill-matrix, which tries what is new"


@pytest.fixture(scope="module")
def matrix():
    return Matrix()


def test_every_backend_and_every_clause_was_tried(matrix):
    assert set(matrix.backends) == set(backends()), RENEW
    assert set(matrix.clauses) == set(clauses()), RENEW


def test_every_clause_is_failed_by_some_faulty_backend(matrix):
    caught = {clause for failed in matrix.failed.values() for clause in failed}
    assert set(clauses()) - caught == set()


def test_every_faulty_backend_fails_the_clauses_that_it_was_seeded_for(matrix):
    missed = {
        (path, fault.clause)
        for path, faults in backends().items()
        for fault in faults
        if fault.clause not in matrix.failed.get(path, [])
    }
    assert missed == set()


def test_no_faulty_backend_fails_a_clause_for_another_reason_than_its_fault(matrix, kit):
    """What it fails passes without the fault, which is all that the two backends differ in."""
    ended = kit("-q", *[f"--cache-backend={path}" for path in sorted(set(map(base, backends())))])
    fails_anyway = {
        backend["path"]: {r["clause"] for r in backend["results"] if r["outcome"] in FAILURES}
        for backend in ended.report["backends"]
    }
    other_reasons = {
        path: reasons
        for path, failed in matrix.failed.items()
        if (reasons := fails_anyway[base(path)].intersection(failed) - seeded_clauses()[path])
    }
    assert other_reasons == {}


def test_the_page_shows_the_data(matrix):
    assert PAGE.read_text() == page(matrix), "run ci/kill-matrix --page"
