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


STANDS_STILL = """
import time
from django.core.cache.backends.locmem import LocMemCache


class StandsStill(LocMemCache):
    stood = set()

    def set(self, key, *args, **kwargs):
        self.stand_still_once(key, where="late")
        super().set(key, *args, **kwargs)

    def touch(self, key, *args, **kwargs):
        self.stand_still_once(key, where="long")
        return super().touch(key, *args, **kwargs)

    def stand_still_once(self, key, where):
        if key == where and key not in self.stood:
            self.stood.add(key)
            time.sleep(2.8)


class Slides(StandsStill):
    def __contains__(self, key):
        self.touch(key)
        return super().__contains__(key)
"""


def test_a_store_that_stands_still_is_not_accused_of_what_expires_meanwhile(pytester, kit):
    pytester.makepyfile(still=STANDS_STILL)
    ended = kit(
        "-q",
        "--cache-backend=still.StandsStill",
        "--cache-level=may",
        *("-k", "timeout.below-one-second or touch.float-is-accepted"),
    )
    assert ended.report["backends"][0]["restarts"]
    assert ended.status == 0, ended.out


def test_a_fault_that_one_came_too_late_to_see_is_found_all_the_same(pytester, kit):
    pytester.makepyfile(still=STANDS_STILL)
    late = "basic.in-does-not-prolong or timeout.below-one-second"
    ended = kit("-q", "--cache-backend=still.Slides", "-k", late)
    assert ended.failed == {"basic.in-does-not-prolong"}


NO_ROOM = """
from conforming.culling import HasLittleRoom


class HasNoRoom(HasLittleRoom):
    ROOM = 6


class ForgetsTouched(HasNoRoom):
    def touch(self, key, timeout=60, version=None):
        return super().touch(key, 1, version)
"""
CROWDED = ("-q", "--cache-tier=contract", "-k", "touch and (later or forever or from-now) and sync")


def test_a_store_without_room_for_all_checks_is_not_accused_of_losing_entries(pytester, kit):
    pytester.makepyfile(no_room=NO_ROOM)
    ended = kit(*CROWDED, "--cache-backend=no_room.HasNoRoom")
    assert ended.report["backends"][0]["restarts"]
    assert "begun anew" in ended.out
    assert ended.status == 0, ended.out


def test_a_store_without_room_is_accused_of_its_own_faults(pytester, kit):
    pytester.makepyfile(no_room=NO_ROOM)
    ended = kit(*CROWDED, "--cache-backend=no_room.ForgetsTouched")
    assert {"touch.later-expiry", "touch.none-is-forever"} <= ended.failed
    assert ended.status == 1, ended.out
