"""Three members, of which one is killed, and then all are restarted, amid 10,000 writes."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_acknowledged_entry_is_lost_and_no_operation_hangs(tmp_path):
    figures = tmp_path / "figures.json"
    drill = subprocess.run([sys.executable, ROOT / "ci" / "cluster", "--json", figures])
    assert drill.returncode == 0
    for seen in json.loads(figures.read_text()).values():
        assert seen["acknowledged"] >= 10_000
        assert seen["missing"] == 0
