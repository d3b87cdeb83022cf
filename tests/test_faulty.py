"""Every faulty backend fails its clause, with a message that names the fault."""

from __future__ import annotations

from itertools import groupby

import pytest
from cache_conformance.clause import Tier, contract, registry
from cache_conformance.execution import Run
from cache_conformance.experiment import trial
from cache_conformance.implementation import Implementation
from cache_conformance.outcome import Outcome
from django import get_version
from faulty import all_faults
from packaging.specifiers import SpecifierSet

contract()
FAULTS = [fault for fault in all_faults() if SpecifierSet(fault.django).contains(get_version())]


REDIS = {
    "target": "redis",
    "members": 1,
    "provider": "process",
    "location": "started for each",
    "owned": True,
    "by_hand": "redis-server",
    "database": None,
}


def _trials(fault):
    clause = registry[fault.clause]
    implementation = Implementation.of(fault.path, fault.config, allow_clear=True)
    if clause.tier is Tier.FAULTS:
        have_servers(implementation)
    return [trial(clause, api, implementation) for api in clause.apis]


def have_servers(implementation):
    """Have a server of Redis started for the clauses about faults, which do not wait for long."""
    implementation.take_place(dict(REDIS))
    implementation.fault_bound = 2.5


def timelines(faults):
    """Yield the faults that may share a timeline.

    One in clear() may clear every store, and one of a server keeps checks that wait waiting.
    """

    def kind(fault):
        clause = registry[fault.clause]
        return clause.alone, clause.tier is Tier.FAULTS

    for _, alike in groupby(sorted(faults, key=kind), kind):
        yield list(alike)


@pytest.fixture(scope="module")
def results():
    """The results of every fault."""
    found = {}
    for faults in timelines(FAULTS):
        trials = {fault.path + fault.clause: _trials(fault) for fault in faults}
        with Run([trial for some in trials.values() for trial in some]) as run:
            for key, some in trials.items():
                found[key] = [run.result(trial) for trial in some]
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.clause}-{f.path.rpartition('.')[2]}")
def test_fault_is_found(fault, results):
    found = results[fault.path + fault.clause]
    failed = [result for result in found if result.outcome is Outcome.FAILED]
    assert failed, [(result.outcome, result.message) for result in found]
    assert any(fault.says in result.message for result in failed), failed[0].message
