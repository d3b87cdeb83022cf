"""The document of the contract says what the registry says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cache_conformance.clause import contract
from cache_conformance.contract_page import RENEW, contract_page

DOCUMENT = Path(__file__).parent.parent / "docs" / "contract.md"


def test_docs_contract_md_is_what_the_registry_says():
    written = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    if written != contract_page():
        pytest.fail(f"docs/contract.md is stale; renew it with: {RENEW}", pytrace=False)


def test_every_clause_has_an_anchor_and_its_level():
    rows = [line for line in contract_page().splitlines() if line.startswith("| <a id=")]
    assert len(rows) == len(contract())
    for clause, row in zip(contract(), rows, strict=True):
        assert row.startswith(f'| <a id="{clause.id}"></a>')
        assert f" | {clause.level}" in row


def test_links_lead_to_one_version_and_no_line():
    page = contract_page()
    assert "docs.djangoproject.com/en/6.1/" in page
    assert "#L" not in page


def test_two_processes_write_the_same_page():
    pages = {
        subprocess.run(
            [sys.executable, "-m", "cache_conformance.cli", "list", "--markdown"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pages) == 1
