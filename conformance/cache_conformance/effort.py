"""How much experiments may try and measurements may take, so that their cost is known."""

from __future__ import annotations

from dataclasses import dataclass

OPTIONS = {
    "examples": "how many random sequences of operations each sequence clause plays",
    "steps": "how many operations a random sequence has at most",
    "histories": "how many races each family of operations runs",
    "workers": "how many threads, tasks or processes take part in a race",
    "rounds": "how often a clause repeats the one race that it is about",
    "racers": "how many threads or tasks take part in that race",
    "shrinking": "for how many seconds a failing sequence is made shorter",
    "measuring": "for how many seconds the tier benchmark measures, on both apis together",
    "size": "how many bytes the largest value has that the tier benchmark measures",
    "keys": "for how many keys at once it measures get_many() and its like",
    "parallel": "how many threads or tasks it measures at once",
    "entries": "how many entries it stores to weigh them",
}
"""The options ``--cache-max-...``, and what each of them bounds."""


@dataclass(frozen=True)
class Effort:
    """The bounds of ``OPTIONS``, all above zero.

    ``shrinking`` and ``measuring`` are in seconds, ``size`` in bytes.
    ``seed``: what the random choices depend on, the same in every run unless ``--hypothesis-seed``
    gives another.
    """

    examples: int = 40
    steps: int = 20
    histories: int = 20
    workers: int = 3
    rounds: int = 15
    racers: int = 8
    shrinking: int = 10
    measuring: int = 40
    size: int = 1_000_000
    keys: int = 1_000
    parallel: int = 16
    entries: int = 10_000
    seed: int | str = 1
