"""The page about third-party backends shows what was measured, and accuses nobody unproven."""

from __future__ import annotations

import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def field():
    """The module that ``ci/field`` is."""
    loader = SourceFileLoader("field", str(ROOT / "ci" / "field"))
    module = module_from_spec(spec_from_loader("field", loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def backends(field):
    return json.loads(field.DATA.read_text())


def test_the_page_shows_the_data(field, backends):
    assert field.PAGE.read_text() == field.page(backends), "run ci/field --page"


def test_every_backend_was_tried_at_the_version_that_is_wanted(field, backends):
    wanted = {r["name"]: r["requirements"][0].partition("==")[2] for r in field.recipes()}
    assert {b["name"]: b["version"] for b in backends} == wanted


def test_every_deviation_has_its_reason(backends):
    assert [b["unexpected"] for b in backends if b["unexpected"]] == []


def test_no_bug_without_the_sentence_that_it_breaks_and_a_script(backends):
    bugs = [cause for b in backends for cause in b["causes"] if cause["kind"] == "bug"]
    assert bugs
    for bug in bugs:
        assert "caches[" in bug["script"] or "CacheHandler" in bug["script"], bug["reason"]
        sources = [*bug["clauses"].values()]
        assert any(url.startswith("https://docs.djangoproject.com/") for url in sources), bug
