"""Reproduction scripts, run for real: they fail on the faulty backend and pass on a sound one."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cache_conformance.clause import Tier, contract, registry
from cache_conformance.execution import Run
from cache_conformance.implementation import Implementation
from cache_conformance.outcome import Outcome
from cache_conformance.reproduction import script
from cache_conformance.trial import Trial
from conftest import LOCMEM
from test_faulty import FAULTS, _trials, have_servers, timelines

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE)}
ENVIRONMENT.pop("DJANGO_SETTINGS_MODULE", None)
NOT_OF_THE_BACKEND = (
    "NameError",
    "SyntaxError",
    "IndentationError",
    "settings are not configured",
    "AppRegistryNotReady",
)


def run_all(scripts: dict[str, str], folder: Path) -> dict[str, tuple[int, str]]:
    """Run every script and return status and stderr by name."""
    for name, source in scripts.items():
        (folder / f"{name}.py").write_text(source)
    ended = subprocess.run(
        [sys.executable, HERE / "script_runner.py", folder],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=folder,
        check=True,
    )
    return json.loads(ended.stdout)


def test_scripts_fail_on_the_faulty_backend(tmp_path):
    results = []
    for faults in timelines(FAULTS):
        trials = [trial for fault in faults for trial in _trials(fault)]
        with Run(trials) as run:
            results += [(trial, run.result(trial)) for trial in trials]
    scripts = {
        f"{trial.id}-{trial.implementation.backend.__name__}": result.repro
        for trial, result in results
        if result.outcome is Outcome.FAILED
    }
    ended = run_all(scripts, tmp_path)
    sound = {name for name, (status, _) in ended.items() if status == 0}
    broken = {
        name: errors.strip().splitlines()[-1]
        for name, (_, errors) in ended.items()
        if any(word in errors for word in NOT_OF_THE_BACKEND)
    }
    assert len(scripts) >= len({fault.clause for fault in FAULTS})
    assert not sound
    assert not broken


def test_scripts_pass_on_a_sound_backend(tmp_path):
    local = Implementation.of(LOCMEM)
    served = Implementation.of(
        "django.core.cache.backends.redis.RedisCache", {"OPTIONS": {"socket_timeout": 0.5}}
    )
    have_servers(served)
    served.fault_bound = 20.0
    implementations = {Tier.FAULTS: served}
    trials = [
        Trial(clause, api, implementations.get(clause.tier, local))
        for clause in contract()
        if clause.check and clause.holds
        if "experiment" not in clause.parameters  # its script holds what it has found
        for api in clause.apis
    ]
    scripts = {
        trial.id: script(
            trial.clause, trial.api, trial.implementation, 0 if trial.clause.each else None
        )
        for trial in trials
        if trial.unfit() is None
    }
    ended = run_all(scripts, tmp_path)
    failed = {
        name: errors.strip().splitlines()[-1]
        for name, (status, errors) in ended.items()
        if status and "NotApplicable" not in errors
    }
    assert len(ended) == len(scripts)
    assert not failed


def test_scripts_of_experiments_pass_on_a_sound_backend(tmp_path):
    """What was found against a faulty backend is no flaw of the one that it derives from."""
    faults = [fault for fault in FAULTS if "experiment" in registry[fault.clause].parameters]
    trials = [trial for fault in faults for trial in _trials(fault)]
    with Run(trials) as run:
        results = [(trial, run.result(trial)) for trial in trials]
    scripts = {
        f"{trial.id}-{trial.implementation.backend.__name__}": result.repro.replace(
            trial.implementation.path, LOCMEM
        )
        for trial, result in results
        if result.repro and trial.clause.chapter != "processes"  # each has a LocMemCache of its own
    }
    ended = run_all(scripts, tmp_path)
    failed = {name: errors.splitlines()[-1] for name, (status, errors) in ended.items() if status}
    assert {name.partition("[")[0] for name in ended} >= {
        fault.clause for fault in faults if not fault.clause.startswith("processes")
    }
    assert not failed


@pytest.mark.parametrize("api", ["sync", "async"])
def test_a_script_alone(tmp_path, kit, api):
    """The script that a failing run prints, saved and run with ``python repro.py``."""
    ended = kit("--cache-backend=faulty.timeouts.KeepsForEver", "-k", "timeout.entry-expires")
    source = ended.results[f"timeout.entry-expires[{api}]"]["repro"]
    (tmp_path / "repro.py").write_text(source)
    run = subprocess.run(
        [sys.executable, "repro.py"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
    )
    statements = [line for line in source.splitlines() if line and not line.startswith('"""')]
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert run.returncode == 1
    assert "AssertionError" in run.stderr
    assert len(statements) <= 20
    assert not any(name.startswith("cache_conformance") for name in imported)
