"""Draws figures as SVG, with matplotlib, which is kept and whose drawings need no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from itertools import cycle

from cache_conformance.report.extra import require

Points = Sequence[tuple[float, float]]
MARKERS = "osv^D<>PXph"


def lines(series: Mapping[str, Points], title: str, axes: tuple[str, str]) -> str:
    """Return a drawing with a line for each of ``series``, both axes logarithmic.

    Each line has a marker of its own, so that no colour need be told apart. Raises MissingExtra.
    """
    require("matplotlib", "the plots")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": title, "font.size": 9}):
        figure = Figure(figsize=(8, 4.2), layout="constrained")
        plot = figure.add_subplot()
        for (name, points), marker in zip(series.items(), cycle(MARKERS), strict=False):
            if points:
                plot.plot(*zip(*points, strict=True), marker=marker, markersize=4, label=name)
        plot.set(title=title, xlabel=axes[0], ylabel=axes[1], xscale="log", yscale="log")
        plot.grid(alpha=0.3)
        figure.legend(loc="outside right upper", frameon=False)
        drawn = StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return "".join(drawn.getvalue().partition("<svg")[1:])
