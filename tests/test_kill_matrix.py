"""Every clause is failed by some faulty backend, and the page that says so is fresh."""

from __future__ import annotations

import pytest
from cache_conformance.clause import Tier
from cache_conformance.execution import DEFAULT_BOUND, trials
from cache_conformance.expectations import Expectations
from cache_conformance.implementation import Implementation
from cache_conformance.isolation import IsolatedRun
from cache_conformance.outcome import Outcome
from kill_matrix import PAGE, Matrix, backends, base, clauses, page

TIERS = (Tier.CONTRACT, Tier.CONCURRENCY)

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


@pytest.fixture(scope="module")
def failed_without_a_fault():
    """The clauses that the backends of Django which the faulty ones are built on fail, by path."""
    implementations = [
        Implementation.of(path, {}, allow_clear=True) for path in sorted(set(map(base, backends())))
    ]
    every = [t for implementation in implementations for t in trials(implementation, TIERS)]
    found = {implementation.path: set() for implementation in implementations}
    with IsolatedRun(every, Expectations(), DEFAULT_BOUND) as run:
        for trial in every:
            if run.result(trial).outcome in (Outcome.FAILED, Outcome.KNOWN_FAILURE):
                found[trial.implementation.path].add(trial.clause.id)
    for implementation in implementations:
        implementation.store.close()
    return found


def test_no_faulty_backend_fails_a_clause_for_another_reason_than_its_fault(
    matrix, failed_without_a_fault
):
    """What it fails passes without the fault, which is all that the two backends differ in."""
    seeded = {path: {fault.clause for fault in faults} for path, faults in backends().items()}
    other_reasons = {
        path: reasons
        for path, failed in matrix.failed.items()
        if (reasons := failed_without_a_fault[base(path)].intersection(failed) - seeded[path])
    }
    assert other_reasons == {}


def test_the_page_shows_the_data(matrix):
    assert PAGE.read_text() == page(matrix), "run ci/kill-matrix --page"
