"""The page in a browser: what a person with a mouse, a keyboard or a screen reader meets."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import LOCMEM
from playwright.sync_api import expect, sync_playwright

BACKENDS = (LOCMEM, "mixed.MixedCache")
MIXED = """
from django.core.cache.backends.locmem import LocMemCache


class MixedCache(LocMemCache):
    def touch(self, *arguments, **keywords):
        super().touch(*arguments, **keywords)
        return True

    def delete(self, key, version=None):
        return super().delete(key, version) or None

    def incr(self, key, delta=1, version=None):
        raise NotImplementedError("this cache does not count")
"""
CHAPTERS = ("basic", "touch", "counters", "culling")
SCHEMES = ("light", "dark")
VISIBLE = "#contract tbody:not([hidden])"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium")
    assert program, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the reports of a real run, and the pages made of them."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "mixed.py").write_text(MIXED)
    for number, backend in enumerate(BACKENDS):
        ended = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                f"--cache-backend={backend}", f"--cache-report=json:{number}.json",
                "-k", "basic. or touch. or incr. or decr. or culling.",
            ],
            cwd=folder,
            env={"PATH": ""},
            capture_output=True,
            text=True,
            timeout=200,
        )  # fmt: skip
        assert ended.returncode == number, ended.stdout + ended.stderr
    for page, reports in ("one.html", ["0.json"]), ("two.html", ["0.json", "1.json"]):
        assert compare(folder, page, *reports).returncode == 0
    return folder


def compare(folder, page, *reports):
    script = Path(sys.executable).parent / "cache-conformance"
    return subprocess.run(
        [script, "compare", *reports, "-o", page], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def clauses(folder):
    """The results of each clause on both backends, by the id of the clause."""
    found = {}
    for number in range(len(BACKENDS)):
        [backend] = json.loads((folder / f"{number}.json").read_text())["backends"]
        for result in backend["results"]:
            found.setdefault(result["clause"], []).append({**result, "backend": number})
    return found


@pytest.fixture
def open_page(chromium, folder):
    """``open_page(name)`` opens a page; in the end it has asked for nothing and lost nothing."""
    contexts, trouble = [], []

    def opened(name="two.html", fragment="", **settings):
        context = chromium.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda message: trouble.append(message.text))
        page.on("request", lambda request: trouble.append(request.url) if network(request) else 0)
        page.goto(f"{(folder / name).as_uri()}{fragment}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []


def network(request):
    return not request.url.startswith(("file:", "data:"))


def control(page, name):
    return page.get_by_role("combobox", name=name, exact=True)


def shown(page):
    return page.eval_on_selector_all(VISIBLE, "clauses => clauses.map(clause => clause.id)")


def word(result):
    below = result["outcome"] == "failed" and result["level"] != "MUST"
    return "deviation" if below else result["outcome"]


# Filters and search


@pytest.mark.parametrize(
    ("label", "choice", "holds"),
    [
        ("Chapter", "touch", lambda result: result["chapter"] == "touch"),
        ("Level", "SHOULD", lambda result: result["level"] == "SHOULD"),
        ("Outcome", "failed", lambda result: word(result) == "failed"),
        ("Outcome", "blocked", lambda result: word(result) == "blocked"),
        ("Api", "async", lambda result: result["api"] == "async"),
    ],
)
def test_a_filter_shows_what_it_says(open_page, clauses, label, choice, holds):
    page = open_page()
    control(page, label).select_option(choice)
    wanted = {clause for clause, results in clauses.items() if any(map(holds, results))}
    assert 0 < len(wanted) < len(clauses) or label == "Api"
    assert set(shown(page)) == wanted
    expect(page.locator("#shown")).to_have_text(f"{len(wanted)} of {len(clauses)} clauses shown")
    headings = page.locator("#contract section:not([hidden]) h2")
    assert headings.count() == len({clauses[clause][0]["chapter"] for clause in wanted})


def test_filters_narrow_each_other(open_page, clauses):
    page = open_page()
    control(page, "Outcome").select_option("failed")
    control(page, "Api").select_option("async")
    control(page, "Chapter").select_option("basic")
    wanted = {
        clause
        for clause, results in clauses.items()
        if any(word(r) == "failed" and r["api"] == "async" for r in results)
        and results[0]["chapter"] == "basic"
    }
    assert set(shown(page)) == wanted
    page.get_by_role("button", name="Show all").click()
    assert set(shown(page)) == set(clauses)


def test_the_search_finds_sentences_ids_and_evidence(open_page, clauses):
    page = open_page()
    search = page.get_by_role("searchbox", name="Search")
    search.fill("touch.expired-key")
    assert shown(page) == ["touch.expired-key-returns-false"]
    search.fill("  EXPIRED ")
    assert "touch.expired-key-returns-false" in shown(page)
    assert 1 < len(shown(page)) < len(clauses)
    search.fill("no clause says this")
    assert shown(page) == []
    expect(page.locator("#shown")).to_have_text(f"0 of {len(clauses)} clauses shown")


# What is said about a clause


def test_a_page_of_one_backend_has_its_chapters_with_counts(open_page, clauses):
    page = open_page("one.html")
    assert page.locator("nav a").count() == len(CHAPTERS)
    for chapter in CHAPTERS:
        section = page.locator(f"#chapter-{chapter}")
        passed = sum(
            (r["backend"], r["chapter"], r["outcome"]) == (0, chapter, "passed")
            for results in clauses.values()
            for r in results
        )
        assert f"{passed} passed" in section.locator("p.quiet").first.inner_text()


def test_a_failure_has_evidence_link_and_script(open_page, clauses):
    page = open_page()
    name, result = next(
        (name, result)
        for name, results in clauses.items()
        for result in results
        if result["outcome"] == "failed" and result["repro"]
    )
    clause = page.locator(f"[id='{name}']")
    expect(clause).to_contain_text(result["sentence"].split("`")[0])
    told = clause.locator("details").first
    expect(told.locator("pre").first).not_to_be_visible()
    told.locator("summary").click()
    expect(told.locator("pre").first).to_be_visible()
    texts = told.locator("pre").all_inner_texts()
    assert result["message"].split() == texts[0].split()
    assert result["repro"].split() == texts[1].split()
    link = clause.get_by_role("link", name="documentation")
    assert link.get_attribute("href") == result["docs"]


def test_several_backends_stand_side_by_side(open_page):
    page = open_page()
    header = page.locator("#contract thead").first.locator("th")
    assert header.all_inner_texts() == ["Clause", "Level", "LocMemCache", "MixedCache"]
    row = page.locator("[id='touch.expired-key-returns-false'] tr").first.locator("td")
    assert "failed" not in row.nth(1).inner_text()
    assert "failed" in row.nth(2).inner_text()


# Links


def test_a_permanent_link_leads_to_its_clause(open_page):
    page = open_page(fragment="#touch.expired-key-returns-false")
    clause = page.locator("[id='touch.expired-key-returns-false']")
    expect(clause).to_be_in_viewport()
    ground = "clause => getComputedStyle(clause).backgroundColor"
    assert clause.evaluate(ground) != page.locator(
        "[id='touch.present-key-returns-true']"
    ).evaluate(ground)


def test_every_clause_links_to_itself_and_not_under_the_filters(open_page, clauses):
    page = open_page()
    for name in list(clauses)[:: len(clauses) // 5]:
        page.locator(f"[id='{name}']").get_by_role("link", name=name, exact=True).click()
        assert page.url.endswith(f"#{name}")
        form = page.locator("#filters").bounding_box()
        assert page.locator(f"[id='{name}']").bounding_box()["y"] >= form["y"] + form["height"] - 1


def test_a_link_to_a_clause_that_is_filtered_out_shows_it(open_page, clauses):
    page = open_page()
    control(page, "Chapter").select_option("basic")
    page.evaluate("location.hash = '#touch.expired-key-returns-false'")
    expect(page.locator("[id='touch.expired-key-returns-false']")).to_be_in_viewport()
    assert len(shown(page)) == len(clauses)


def test_every_link_within_the_page_leads_somewhere(open_page):
    page = open_page()
    fragments = page.eval_on_selector_all(
        "a[href^='#']", "links => links.map(link => link.hash.slice(1))"
    )
    assert len(fragments) > 50
    missing = "names => names.filter(name => !document.getElementById(decodeURIComponent(name)))"
    assert page.evaluate(missing, fragments) == []


# The keyboard


def test_everything_can_be_done_with_the_keyboard(open_page, clauses):
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the clauses")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = "document.activeElement.closest('#contract') !== null"
    assert page.evaluate(focused)
    page.get_by_role("searchbox", name="Search").focus()
    page.keyboard.type("touch.")
    assert len(shown(page)) < len(clauses)
    for label in "Chapter", "Level", "Outcome", "Api":
        page.keyboard.press("Tab")
        expect(control(page, label)).to_be_focused()
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", label
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert len(shown(page)) == len(clauses)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    unfold = page.get_by_role("button", name="Unfold all")
    expect(unfold).to_have_attribute("aria-pressed", "true")
    assert page.locator("details:not([open])").count() == 0


def test_evidence_opens_with_the_keyboard(open_page):
    page = open_page()
    told = page.locator("#contract details").first
    told.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(told).to_have_attribute("open", "")


# Everybody


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [("one.html", "light", 1280), ("two.html", "dark", 1280), ("two.html", "light", 360)],
)
def test_axe_finds_no_violation(open_page, name, scheme, width):
    page = open_page(name, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.get_by_role("button", name="Unfold all").click()
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 20


def test_the_page_is_light_or_dark_as_the_reader_is(open_page):
    light, dark = (
        open_page(color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in SCHEMES
    )
    assert brightness(light) > 200
    assert brightness(dark) < 60


def brightness(colour):
    red, green, blue = (int(part) for part in colour[colour.index("(") + 1 : -1].split(","))
    return (red + green + blue) / 3


def test_a_narrow_screen_scrolls_the_tables_and_not_the_page(open_page):
    page = open_page(viewport={"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_paper_there_is_the_evidence_and_no_control(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    expect(page.locator("#filters")).not_to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    assert page.locator("details:not([open])").count() == 0


def test_without_scripts_everything_is_there(open_page, clauses):
    page = open_page(java_script_enabled=False)
    expect(page.locator("#filters")).not_to_be_visible()
    assert page.locator("#contract tbody").count() == len(clauses)


# The seal


@pytest.mark.parametrize("cut", ["in the middle", "at the end", "before the seal"])
def test_a_report_that_was_cut_is_refused(folder, cut):
    whole = (folder / "0.json").read_text()
    (folder / "cut.json").write_text(
        {
            "in the middle": whole[: len(whole) // 2],
            "at the end": whole.rstrip()[:-1],
            "before the seal": json.dumps({**json.loads(whole), "complete": False}),
        }[cut]
    )
    ended = compare(folder, "cut.html", "0.json", "cut.json")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "cut.json" in ended.stderr
    assert not (folder / "cut.html").exists()
