"""Bad input is one line on stderr and exit status 4, with no traceback and nothing left running."""

import sys

import pytest
from conftest import LOCMEM

BACKEND = f"--cache-backend={LOCMEM}"
UNKNOWN_CLAUSE = '[[known-failure]]\nclause = "no.such-clause"\nkind = "bug"\nreason = "none"\n'
NO_REASON = '[[known-failure]]\nclause = "basic.set-then-get"\nkind = "bug"\n'


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cache-backend=no.such.Backend"], "cannot import no.such.Backend"),
        (["--cache-backend=nodots"], "cannot import nodots"),
        (["--cache-backend="], "cannot import"),
        (["--cache-backend=django.core.cache.backends.locmem.Nothing"], "Nothing"),
        (["--cache-backend=django.core.cache.backends.locmem"], "is a module, not a class"),
        (["--cache-backend=hostile.NOT_A_CLASS"], "not a class"),
        (["--cache-backend=hostile.WithoutMethods"], "has no add, get, set"),
        (["--cache-backend=hostile.Bare"], "implements none of"),
        (["--cache-backend=hostile.CannotBeBuilt"], "RuntimeError: no such cluster"),
        (["--cache-backend=hostile.ExitsWhenBuilt"], "SystemExit: 7"),
        (["--cache-backend=raises_on_import.Cache"], "SystemExit"),
        ([BACKEND, "--cache-config={"], "--cache-config is not JSON"),
        ([BACKEND, "--cache-config=[1]"], "--cache-config is a JSON object"),
        ([BACKEND, '--cache-config={"OPTIONS": 1}'], "OPTIONS is a JSON object"),
        ([BACKEND, '--cache-config={"BACKEND": "a.Cache"}'], "leave BACKEND out"),
        ([BACKEND, "--cache-config={}", "--cache-config={}"], "once for each"),
        ([BACKEND, "--cache-level=perhaps"], "choose from must, should, may"),
        ([BACKEND, "--cache-tier=contract,speed"], "choose from contract, concurrency"),
        ([BACKEND, "--cache-timeout=soon"], "a number of seconds above 0"),
        ([BACKEND, "--cache-timeout=-1"], "a number of seconds above 0"),
        ([BACKEND, "--cache-target=oracle"], "choose from"),
        ([BACKEND, "--cache-target=redis:magic"], "redis comes from"),
        ([BACKEND, "--cache-expectations=unknown.toml"], "there is no such clause"),
        ([BACKEND, "--cache-expectations=reasonless.toml"], "needs its reason"),
        ([BACKEND, "--cache-expectations=broken.toml"], "is not TOML"),
        ([BACKEND, "--cache-expectations=absent.toml"], "cannot read expectations"),
        ([BACKEND, "--cache-report=json:no/such/folder/report.json"], "cannot be written"),
        ([BACKEND, "--cache-report=pdf:report.pdf"], "FORMAT is one of json"),
        ([BACKEND, "--cache-report=report.json"], "FORMAT:PATH"),
        ([BACKEND, "--cache-write-expectations=no/such/folder/known.toml"], "cannot be written"),
        (["--cache-alias=absent"], "the settings have default"),
        (["--cache-report=json:report.json"], "needs --cache-backend or --cache-alias"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_bad_input(pytester, kit, arguments, told):
    pytester.makepyfile(raises_on_import="import sys; sys.exit(1)")
    for name, text in {
        "unknown": UNKNOWN_CLAUSE,
        "reasonless": NO_REASON,
        "broken": "[[",
    }.items():
        pytester.makefile(".toml", **{name: text})
    ended = kit(*arguments, report=False)
    lines = [line for line in ended.err.splitlines() if line]
    assert ended.status == 4, ended.out + ended.err
    assert len(lines) == 1
    assert lines[0].startswith("ERROR: ")
    assert told in lines[0]
    assert "Traceback" not in ended.out


def test_assertions_that_were_removed(pytester, monkeypatch):
    """Under ``python -O`` no check could fail, so the kit refuses to run."""
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    ended = pytester.run(sys.executable, "-O", "-m", "pytest", BACKEND)
    assert ended.ret == 4
    ended.stderr.fnmatch_lines(["ERROR: python -O removes assertions*"])
