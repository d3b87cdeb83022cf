"""Writes Markdown that means what the text says, whatever stands in the text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

_special = re.compile(r"([\\`*_\[\]~|])")
_space = re.compile(r"\s+")
_quoted = re.compile(r"``(.+?)``|`(.+?)`")
_ends_a_link = re.compile(r"[<>|\s]")


def escaped(text: str) -> str:
    """Return ``text`` on one line, without meaning to Markdown, in or out of a table."""
    return _special.sub(r"\\\1", html.escape(_space.sub(" ", text), quote=False))


def code(text: str) -> str:
    """Return ``text`` in the type of code."""
    return f"<code>{escaped(text)}</code>"


def link(text: str, url: str) -> str:
    """Return a link; ``text`` alone where ``url`` is no web address."""
    if not url.startswith("https://"):
        return text
    return f"[{text}](<{_ends_a_link.sub('', url)}>)"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def folded(title: str, body: str) -> str:
    """Return ``body`` behind a ``title`` that opens it."""
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"


def spans(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words of a docstring up to each piece of code, and the code; "" after the last."""
    end = 0
    for match in _quoted.finditer(text):
        yield text[end : match.start()], match[1] or match[2]
        end = match.end()
    yield text[end:], ""
