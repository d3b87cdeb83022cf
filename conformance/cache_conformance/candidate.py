"""A caching option that is compared with others: a backend, its server, and whom it suits."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cache_conformance import program, report
from cache_conformance.clause import Tier
from cache_conformance.options import DEFAULT_TIERS
from cache_conformance.outcome import Outcome

TIERS = (*DEFAULT_TIERS, Tier.BENCHMARK)


class BadRecipe(Exception):
    """A recipe cannot be followed; the message is one line."""


@dataclass(frozen=True)
class Candidate:
    """One option of a recipe.

    ``directory``: LOCATION is a new directory. ``advice``: ``take`` and ``costs`` as sentences, and
    ``lacks``, a list of what the option does not promise: what it ``says``, and the ``clause`` that
    shows it.
    """

    name: str
    path: str
    config: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    expectations: str | None = None
    directory: bool = False
    advice: dict[str, Any] | None = None

    def run(self, tiers: Sequence[str], bounds: Mapping[str, int]) -> report.Document:
        """Run the candidate. Raises BadOption where it cannot be, BadRecipe where it was not."""
        with tempfile.TemporaryDirectory(prefix="cache-conformance-") as directory:
            location = {"LOCATION": directory} if self.directory else {}
            results = program.run(
                self.path,
                {**self.config, **location},
                target=self.target,
                tiers=tiers,
                expectations=self.expectations,
                allow_clear=self.directory,
                bounds=bounds,
            )
        if results.unavailable:
            raise BadRecipe(f"{self.name}: {results.unavailable[0]}")
        document = results.document
        document["backends"][0] |= {"name": self.name}
        return document

    def advised(self, found: report.Document) -> report.Document:
        """Return the report ``found`` with the advice, where each claim is borne out by it.

        Raises BadRecipe where one is not.
        """
        [backend] = found["backends"]
        for claim in (self.advice or {}).get("lacks", []):
            results = [r for r in backend["results"] if r["clause"] == claim["clause"]]
            if not results:
                raise BadRecipe(f"{self.name}: {claim['clause']} is not in its report")
            if all(r["outcome"] == Outcome.PASSED and r["observed"] is None for r in results):
                raise BadRecipe(f"{self.name}: {claim['clause']} passed, so it shows no lack")
        return {**found, "backends": [{**backend, "advice": self.advice}]}

    def kept(
        self, folder: Path | None, tiers: Sequence[str], bounds: Mapping[str, int]
    ) -> report.Document:
        """Return the report that ``folder`` has of this candidate, or run it and keep it there."""
        if folder is None:
            return self.run(tiers, bounds)
        path = folder / f"{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')}.json"
        if path.exists():
            return report.load(path)
        document = self.run(tiers, bounds)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(report.as_json(document), encoding="utf-8")
        return document


def read(path: Path) -> list[Candidate]:
    """Read a recipe, the tables ``candidate`` of a TOML file. Raises BadRecipe with one line."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        candidates = [Candidate(**given) for given in content["candidate"]]
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadRecipe(f"cannot read the recipe {path}: {error}") from error
    except KeyError as error:
        raise BadRecipe(f"the recipe {path} has no table {error}") from error
    except TypeError as error:
        raise BadRecipe(f"the recipe {path} has a candidate that is none: {error}") from error
    for candidate in candidates:
        missing = {"take", "costs", "lacks"} - set(candidate.advice or ("take", "costs", "lacks"))
        if missing:
            named = ", ".join(sorted(missing))
            raise BadRecipe(f"the recipe {path}: the advice on {candidate.name} has no {named}")
    return candidates
