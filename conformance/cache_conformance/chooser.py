"""How Hypothesis makes the random choices of sequences."""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture.providers import HypothesisProvider


class PlainChooser(HypothesisProvider):
    """Hypothesis's own way, without the constants that it collects from the modules of a project.

    To collect them takes longer than all the sequences do, and would make the sequences depend on
    what else is imported.
    """

    def _maybe_draw_constant(self, *args: Any, **kwargs: Any) -> None:
        return None
