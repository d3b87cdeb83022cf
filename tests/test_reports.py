"""The summary, the badge and the page, from documents made by hand."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from cache_conformance.report.badge import badge
from cache_conformance.report.extra import MissingExtra
from cache_conformance.report.page import page, require_jinja
from cache_conformance.report.summary import summary

NASTY = "came: get('k') -> '<b>|</b>' `x` *y* __z__\nafter: set('k', 'v')\nthird line"


def result(clause="basic.set-then-get", outcome="passed", *, api="sync", level="MUST", **fields):
    return {
        "clause": clause,
        "chapter": clause.partition(".")[0],
        "level": level,
        "api": api,
        "outcome": outcome,
        "message": "",
        "docs": "https://docs.djangoproject.com/en/6.1/topics/cache/#basic-usage",
        "repro": "",
        "seconds": 0.0,
        "observed": None,
        "restarts": 0,
        "sentence": f"The operator ``in`` keeps the promise of {clause}.",
        **fields,
    }


def backend(*results, path="example.cache.ExampleCache", **fields):
    return {
        "path": path,
        "config": {},
        "target": None,
        "counts": {},
        "restarts": 0,
        "characteristics": {},
        "results": list(results),
        **fields,
    }


def report(*backends, complete=True):
    return {
        "schema": 1,
        "kit": "0.1.0",
        "environment": {"python": "3.13.0", "django": "6.1.3", "platform": "Linux"},
        "backends": list(backends),
        "complete": complete,
    }


BOTH_PASS = [result(api="sync"), result(api="async")]
FAILURE = result("timeouts.expires", "failed", message=NASTY, repro="print('<alone>')\n")

VERDICTS = [
    (BOTH_PASS, "conforms to all 1 MUST clause", "conforms 1/1"),
    ([*BOTH_PASS, FAILURE], "fails 1 MUST clause", "1 MUST failure"),
    (
        [FAILURE, {**FAILURE, "api": "async"}, {**FAILURE, "clause": "timeouts.zero"}],
        "fails 2 MUST clauses",
        "2 MUST failures",
    ),
    ([*BOTH_PASS, {**FAILURE, "level": "SHOULD"}], "conforms to all 1 MUST clause", "conforms 1/1"),
    (
        [*BOTH_PASS, result("timeouts.zero", "known-failure", message="bug: so it is")],
        "fails 1 MUST clause, as expected",
        "1/2, 1 known failure",
    ),
    (
        [*BOTH_PASS, result("timeouts.zero", "blocked", message="the root failed")],
        "is unproved: 1 MUST clause could not be tried",
        "unproved",
    ),
    (
        [
            *BOTH_PASS,
            result("timeouts.zero", "known-failure", message="bug: so it is"),
            result("timeouts.long", "blocked", message="it rests on timeouts.zero"),
        ],
        "fails 1 MUST clause, as expected; 1 more not tried behind that",
        "1/3, 1 known failure",
    ),
    (
        [*BOTH_PASS, result("timeouts.zero", "error", message="too busy")],
        "is unproved: 1 MUST clause could not be tried",
        "unproved",
    ),
    ([result(outcome="not-applicable")], "is unproved: no MUST clause ran", "unproved"),
    ([], "is unproved: no MUST clause ran", "unproved"),
    ([*BOTH_PASS, result("timeouts.zero", "fixed")], "conforms to all 2 MUST clauses", "2/2"),
]


@pytest.mark.parametrize(("results", "verdict", "message"), VERDICTS)
def test_verdict(results, verdict, message):
    document = report(backend(*results))
    assert f"ExampleCache {verdict}\n" in summary(document)
    assert message in title(badge(document))
    assert verdict in text_of(page(document))


def test_a_run_that_did_not_finish_conforms_to_nothing():
    document = report(backend(*BOTH_PASS), complete=False)
    assert "is unproved: the run did not finish" in summary(document)
    assert title(badge(document)) == "django cache: unproved"
    assert "did not finish" in text_of(page(document))


# The summary


def test_a_failure_is_one_row_of_the_summary():
    [row] = [line for line in summary(report(backend(FAILURE))).splitlines() if "| sync |" in line]
    assert row == (
        "| <code>timeouts.expires</code> | sync | MUST "
        "| <code>came: get('k') -&gt; '&lt;b&gt;\\|&lt;/b&gt;' \\`x\\` \\*y\\* \\_\\_z\\_\\_</code>"
        "<br><code>after: set('k', 'v')</code> "
        "| [documentation](<https://docs.djangoproject.com/en/6.1/topics/cache/#basic-usage>) |"
    )


def test_what_does_not_fail_is_folded():
    text = summary(
        report(
            backend(
                *BOTH_PASS,
                result("a.may", "failed", level="MAY", message="came: 1"),
                result("a.known", "known-failure", message="bug: since ever\ncame: 2"),
                result("a.culls", "not-applicable", message="it does not cull"),
                result("a.culls", "not-applicable", api="async", message="it does not cull"),
                result("a.culls-all", "not-applicable", message="it does not cull"),
            )
        )
    )
    assert "2 passed, 1 deviation, 1 known failure, 3 not applicable" in text
    assert "<summary>1 deviation below MUST</summary>" in text
    assert "- <code>a.known</code> (sync, MUST): <code>bug: since ever</code>\n" in text
    assert (
        "- 2 clauses: <code>it does not cull</code>: "
        "<code>a.culls</code>, <code>a.culls-all</code>\n" in text
    )


def test_characteristics_stand_side_by_side():
    text = summary(
        report(
            backend(*BOTH_PASS, characteristics={"shared": True, "longest-key": 250}),
            backend(*BOTH_PASS, path="example.Other", characteristics={"shared": False}),
        )
    )
    assert "| Characteristic | ExampleCache | Other |\n" in text
    assert "| <code>shared</code> | yes | no |\n" in text
    assert "| <code>longest-key</code> | 250 | not measured |\n" in text


def test_backends_of_one_class_are_told_apart():
    text = summary(
        report(
            backend(*BOTH_PASS),
            backend(*BOTH_PASS, environment={"python": "3.11.0", "django": "5.2.1"}),
        )
    )
    assert "ExampleCache, Django 6.1.3, Python 3.13.0 conforms" in text
    assert "ExampleCache, Django 5.2.1, Python 3.11.0 conforms" in text


# The badge


def title(svg):
    root = ElementTree.fromstring(svg)
    found = root.findtext("{http://www.w3.org/2000/svg}title")
    assert root.get("aria-label") == found
    return found


def test_the_text_of_the_badge_fits():
    root = ElementTree.fromstring(badge(report(backend(*BOTH_PASS))))
    ends = [
        int(text.get("x")) + int(text.get("textLength"))
        for text in root.iter("{http://www.w3.org/2000/svg}text")
    ]
    assert len(ends) == 2
    assert ends[0] < ends[1] < int(root.get("width"))


def test_the_badge_of_several_backends_counts_them():
    document = report(backend(*BOTH_PASS), backend(FAILURE, path="example.Other"))
    assert title(badge(document)) == "django cache: 1 of 2 backends conform"


# The page

VOID = {"meta", "br", "input", "link", "img", "hr"}


class Reader(HTMLParser):
    """Notes the elements of a page and the text that a person sees."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.text, self.script = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def text_of(html):
    return " ".join("".join(read(html).text).split())


SEVERAL = report(
    backend(*BOTH_PASS, FAILURE, config={"LOCATION": "redis://***@host"}, target="redis (process)"),
    backend(result("basic.only-here"), *BOTH_PASS, path="example.Other"),
)


def test_the_page_needs_nothing_but_itself():
    reader = read(page(SEVERAL))
    assert reader.all("link") == reader.all("img") == reader.all("iframe") == []
    assert all("src" not in attributes for _, attributes in reader.elements)
    hrefs = [attributes["href"] for attributes in reader.all("a")]
    assert all(href.startswith(("#", "https://docs.djangoproject.com/")) for href in hrefs)


def test_links_within_the_page_lead_somewhere():
    reader = read(page(SEVERAL))
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"basic.set-then-get", "timeouts.expires", "basic.only-here"} <= set(ids)
    hrefs = [attributes["href"] for attributes in reader.all("a")]
    assert {href[1:] for href in hrefs if href.startswith("#")} <= set(ids)


def test_evidence_and_script_are_shown_and_escaped():
    html = page(report(backend(FAILURE)))
    assert "<b>|</b>" not in html
    assert NASTY in "".join(read(html).text)
    assert "print('<alone>')" in text_of(html)


def test_a_link_of_a_report_cannot_run_anything():
    html = page(report(backend(result(docs="javascript:alert(1)"))))
    assert "javascript:" not in html


def test_a_clause_that_one_backend_lacks_is_said_so():
    assert text_of(page(SEVERAL)).count("not in this run") == 2


def test_every_control_has_a_label_and_every_header_a_scope():
    html = page(SEVERAL)
    reader = read(html)
    assert all("scope" in attributes for attributes in reader.all("th"))
    assert html.count("<label>") == len(reader.all("select")) + len(reader.all("input"))
    assert all(attributes.get("type") in ("button", "reset") for attributes in reader.all("button"))


def test_without_scripts_there_are_no_filters_and_all_clauses():
    [form] = read(page(SEVERAL)).all("form")
    assert "hidden" in form
    assert not any("hidden" in attributes for attributes in read(page(SEVERAL)).all("tbody"))


def test_without_jinja_the_page_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'django-cache-conformance\[report\]'"):
        require_jinja()
