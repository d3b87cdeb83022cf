"""The badge: one line of verdict for a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from cache_conformance.report.reading import Standing, Verdict, counted, verdicts

LABEL = "django cache"
COLOURS = {
    Standing.CONFORMS: "#2b7a3d",
    Standing.KNOWN: "#8a6100",
    Standing.UNPROVED: "#5f6670",
    Standing.FAILS: "#b3261e",
}
PADDING = 7
_NARROW = dict.fromkeys("ijlI.,:;'|!", 3.9) | dict.fromkeys("frt()[]/- ", 4.9)
_WIDE = dict.fromkeys("mwMW%@", 10.2)
_ORDINARY, _CAPITAL = 6.8, 7.6


def badge(report: Mapping[str, Any]) -> str:
    """Return the verdict as a self-contained SVG image."""
    message, colour = _message(verdicts(report))
    left, right = (_width(text) + 2 * PADDING for text in (LABEL, message))
    title = escape(f"{LABEL}: {message}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" \
aria-label="{title}">
<title>{title}</title>
<clipPath id="edge"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#edge)">
<rect width="{left}" height="20" fill="#3d4450"/>
<rect x="{left}" width="{right}" height="20" fill="{colour}"/>
</g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
{_text(LABEL, PADDING)}
{_text(message, left + PADDING)}
</g>
</svg>
"""


def _message(found: Sequence[Verdict]) -> tuple[str, str]:
    worst = max((verdict.standing for verdict in found), key=list(Standing).index)
    return _told(found, worst), COLOURS[worst]


def _told(found: Sequence[Verdict], worst: Standing) -> str:
    if len(found) > 1:
        conforming = sum(verdict.standing is Standing.CONFORMS for verdict in found)
        return f"{conforming} of {len(found)} backends conform"
    [verdict] = found
    if worst is Standing.CONFORMS:
        return f"conforms {verdict.kept}/{verdict.applicable}"
    if worst is Standing.KNOWN:
        return f"{verdict.kept}/{verdict.applicable}, {counted(verdict.known, 'known failure')}"
    if worst is Standing.FAILS:
        return counted(verdict.broken, "MUST failure")
    return "unproved"


def _text(text: str, x: int) -> str:
    """Return ``text`` at ``x``, made to fit its width in whatever font the reader has."""
    return f'<text x="{x}" y="14" textLength="{_width(text)}">{escape(text)}</text>'


def _width(text: str) -> int:
    """Return about how wide ``text`` is in 11 px Verdana."""
    return round(sum(map(_character_width, text)))


def _character_width(character: str) -> float:
    ordinary = _CAPITAL if character.isupper() else _ORDINARY
    return (_NARROW | _WIDE).get(character, ordinary)
