"""What an experiment has found against a backend, with all that shows it again."""

from __future__ import annotations


class Counterexample(AssertionError):
    """What an experiment has found: the message, and how to show it again.

    ``example``: what to keep with a known failure; ``script``: the body of a reproduction.
    """

    def __init__(self, told: str, *, script: str, example: str = "") -> None:
        super().__init__(told)
        self.script = script
        self.example = example
