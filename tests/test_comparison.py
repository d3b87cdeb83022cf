"""Which caching option is best: tables, plots, the guide, and `compare` that runs backends."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest
from cache_conformance import candidate
from cache_conformance.cli import main
from cache_conformance.report import comparison
from cache_conformance.report.guide import guide
from cache_conformance.report.page import page
from conftest import LOCMEM
from test_reports import BOTH_PASS, backend, report, result

ROOT_CLAUSE = "basic.set-then-get"
SMALL = ("--cache-tier=benchmark", "--cache-max-measuring=1", "--cache-max-size=100")
SMALLER = ("--cache-max-keys=1", "--cache-max-parallel=1", "--cache-max-entries=100")


def measured(name, factor, **fields):
    """Return a backend of a report with figures that ``factor`` multiplies."""
    rows = [
        {
            "clause": "measurements.latency",
            "api": "sync",
            "operation": "get",
            "calls": 5,
            "p50": 2.0 * factor,
            "p99": None,
        },
        {
            "clause": "measurements.memory",
            "api": "sync",
            "operation": "weigh",
            "entries": 10,
            "process_per_10000": 5_000_000,
            "store_per_10000": None,
        },
        *(
            {
                "clause": "measurements.value-size",
                "api": "sync",
                "operation": "get",
                "bytes": size,
                "calls": 5,
                "p50": size * factor,
                "p99": None,
            }
            for size in (10, 100)
        ),
    ]
    return backend(*BOTH_PASS, name=name, measurements=rows, **fields)


@pytest.fixture
def both():
    return report(
        measured(
            "Quick",
            1,
            path=LOCMEM,
            characteristics={"shared-between-processes": False, "atomic-add": True},
        ),
        measured(
            "Slow",
            1000,
            path="django.core.cache.backends.redis.RedisCache",
            target="redis (process)",
            characteristics={"native-async": True, "atomic-incr": False},
        ),
    )


def cells(document, title, row):
    [found] = [table for table in comparison.tables(document) if table.title == title]
    return next(cells[1:] for cells in found.rows if cells[0] == row)


def test_guarantees_are_what_was_measured_or_declared(both):
    told = {
        row: cells(both, "Conformance and guarantees", row)
        for row in (
            *("Shared between processes", "Shared between machines", "Native async"),
            *("Atomic between threads", "Survives a restart of the server"),
        )
    }
    assert told["Shared between processes"] == ["no", "not measured"]
    assert told["Shared between machines"] == ["no: each process has its own", "yes"]
    assert told["Native async"] == ["not measured", "yes"]
    assert told["Atomic between threads"] == ["yes", "all but incr"]
    assert "saved" in told["Survives a restart of the server"][1]


def test_what_must_be_installed_is_the_package_and_the_server(both):
    nothing, redis = cells(both, "What must be installed", "Install")
    assert nothing == "nothing"
    assert redis == "pip install 'redis[hiredis]'; apt-get install redis-server"


def test_few_calls_have_no_p99(both):
    assert cells(both, "Microseconds in which half of all calls end, sync", "get()") == [
        "2",
        "2,000",
    ]
    assert set(cells(both, "Microseconds in which 99 of 100 calls end, sync", "get()")) == {
        "not measured"
    }


def test_every_plot_is_an_image_without_script_or_address(both):
    plots = comparison.drawings(both)
    assert plots
    assert len({plot.name for plot in plots}) == len(plots)
    for plot in plots:
        image = ElementTree.fromstring(plot.drawing)
        assert image.tag.endswith("svg")
        assert not [element for element in image.iter() if element.tag.endswith("script")]
    [shown] = [plot for plot in plots if plot.name == "value-size-get-sync"]
    assert "Quick" in shown.drawing
    assert comparison.drawings(both)[0].drawing == plots[0].drawing


def test_the_page_holds_tables_and_plots(both):
    text = page(both)
    assert "pip install &#39;redis[hiredis]&#39;; apt-get install redis-server" in text
    assert text.count("data:image/svg+xml") == len(comparison.drawings(both))
    assert "What must be installed" not in page(report(backend(*BOTH_PASS)))


def test_the_guide_shows_what_bears_out_each_claim(both):
    both["backends"][0]["advice"] = {
        "take": "for tests.",
        "costs": "nothing.",
        "lacks": [{"says": "It is not shared.", "clause": "concurrency.shared"}],
    }
    both["backends"][0]["results"].append(result("concurrency.shared", observed=False))
    [plot, *_] = comparison.drawings(both)
    text = guide(both, {"plots/a.svg": plot})
    assert "**Take it** for tests." in text
    assert "It is not shared. ([<code>concurrency.shared</code>]" in text
    assert ": False)" in text
    assert f"![{plot.title}](plots/a.svg)" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("candidate = 1", "none"),
        ("[[candidat]]", "no table"),
        ("[[candidate]]\nname = 'x'\npath = 'y'\nport = 1", "port"),
        ("[[candidate]]\nname = 'x'\npath = 'y'\nadvice = {take = ''}", "costs, lacks"),
        ("=", "cannot read"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_told_in_one_line(tmp_path, content, says):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(content)
    with pytest.raises(candidate.BadRecipe) as refused:
        candidate.read(recipe)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_claim_that_the_report_does_not_bear_out_is_refused():
    claim = {"says": "It stores nothing.", "clause": ROOT_CLAUSE}
    advice = {"take": "", "costs": "", "lacks": [claim]}
    one = candidate.Candidate("One", LOCMEM, advice=advice)
    with pytest.raises(candidate.BadRecipe, match="shows no lack"):
        one.advised(report(backend(*BOTH_PASS)))
    broken = [result(ROOT_CLAUSE, "failed")]
    assert one.advised(report(backend(*broken)))["backends"][0]["advice"] == advice
    claim["clause"] = "no.such-clause"
    with pytest.raises(candidate.BadRecipe, match="not in its report"):
        one.advised(report(backend(*BOTH_PASS)))


def test_compare_runs_a_recipe_and_goes_on_where_it_was(tmp_path, capfd):
    recipe, kept = tmp_path / "recipe.toml", tmp_path / "kept"
    recipe.write_text(f'[[candidate]]\nname = "In Memory"\npath = "{LOCMEM}"\n')
    command = ["compare", "--recipe", str(recipe), "--keep", str(kept), *SMALL, *SMALLER]
    assert main([*command, "-o", str(tmp_path / "which.md"), "--format=guide"]) == 0
    assert "in-memory.json" in {path.name for path in kept.iterdir()}
    text = (tmp_path / "which.md").read_text()
    assert "In Memory" in text
    assert (tmp_path / "which" / "value-size-get-sync.svg").exists()
    assert "(which/value-size-get-sync.svg)" in text
    figures = json.loads((tmp_path / "which" / "figures.json").read_text())
    assert figures["backends"][0]["measurements"]

    found = json.loads((kept / "in-memory.json").read_text())
    found["backends"][0]["name"] = "As it was kept"
    (kept / "in-memory.json").write_text(json.dumps(found))
    assert main([*command, "--format=json"]) == 0
    assert "As it was kept" in capfd.readouterr().out


def test_compare_of_nothing_is_refused(capfd):
    assert main(["compare"]) == 2
    assert "nothing to compare" in capfd.readouterr().err
