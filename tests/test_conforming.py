"""No backend that stays inside the contract fails a MUST."""

from __future__ import annotations

import pytest
from conforming import all_variants

QUICK = [variant.path for variant in all_variants() if not variant.slow]
SIDE_BY_SIDE = 4


@pytest.mark.parametrize(
    "paths",
    [QUICK[start : start + SIDE_BY_SIDE] for start in range(0, len(QUICK), SIDE_BY_SIDE)],
    ids=lambda paths: "-".join(path.rpartition(".")[2] for path in paths),
)
def test_nobody_is_accused(kit, paths):
    ended = kit("-q", "--cache-allow-clear", *[f"--cache-backend={path}" for path in paths])
    found = {
        f"{backend['path']}: {result['clause']}[{result['api']}]": result["message"]
        for backend in ended.report["backends"]
        for result in backend["results"]
        if result["outcome"] == "error"
        or (result["outcome"], result["level"]) == ("failed", "MUST")
    }
    assert not found
    assert ended.status == 0, ended.out


def test_a_user_who_wants_few_entries_is_not_accused_of_losing_some(kit):
    ended = kit(
        "-q",
        "--cache-backend=conforming.culling.EvictsOneByOne",
        '--cache-config={"OPTIONS": {"MAX_ENTRIES": 20, "CULL_FREQUENCY": 0}}',
        "--cache-tier=contract",
    )
    assert ended.status == 0, ended.out
