"""Sequences: any operation after any other, on several aliases, side by side with the model."""

from cache_conformance import sequence, stateful
from cache_conformance.clause import MUST, Api, Tier, clause
from cache_conformance.reproduction import script_of

USAGE = "#basic-usage"
IMPORTS = {"from contextlib import suppress"}


def explored(alias, entry, experiment, waits):
    """Play the stored example of a known failure, or random sequences where there is none."""
    store = experiment.implementation.store
    search = stateful.Search(
        alias,
        entry()["KEY_PREFIX"],
        experiment.effort,
        store.location if store.separable else None,
        experiment.api is Api.SYNC,
    )
    if experiment.known_example:
        failing = yield from search.replay(sequence.read(experiment.known_example))
    else:
        failing = yield from search.find(waits)
    if failing is not None:
        raise stateful.counterexample(
            failing,
            lambda body: script_of(
                experiment.clause, experiment.api, experiment.implementation, body, IMPORTS
            ),
        )


@clause("sequences.agree-with-the-model", MUST, docs=USAGE, tier=Tier.CONCURRENCY)
def sequences_agree(alias, entry, experiment):
    """Operations in any order, on aliases of every kind, do what each of them promises."""
    for _ in explored(alias, entry, experiment, waits=False):
        raise AssertionError("a sequence without a wait has waited")


@clause(
    "sequences.agree-as-time-passes",
    MUST,
    docs=USAGE,
    tier=Tier.CONCURRENCY,
    requires=("sequences.agree-with-the-model", "timeout.entry-expires"),
)
def sequences_agree_as_time_passes(alias, entry, experiment):
    """When entries expire in between, operations in any order still do what they promise."""
    yield from explored(alias, entry, experiment, waits=True)
