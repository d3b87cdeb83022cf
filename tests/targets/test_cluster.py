"""Several servers that are one target."""

from collections.abc import Iterator

import pytest
from cache_targets import Target, TargetUnavailable, start

from .clients import Client, get, listens, put
from .processes import runs

MEMBERS = 3


@pytest.fixture(scope="module", params=["process", "container"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Target]:
    """One cluster for all tests of a provider; each leaves all members running."""
    with start(f"hazelcast:{MEMBERS}", request.param) as cluster:
        yield cluster


def test_its_location_names_all_members(cluster: Target) -> None:
    addresses = [f"127.0.0.1:{member.port}" for member in cluster.members]
    assert len(set(addresses)) == MEMBERS
    assert cluster.location == ",".join(addresses)
    with start("hazelcast", address=cluster.location) as theirs:
        assert theirs.location == cluster.location
        assert [member.location for member in theirs.members] == addresses
        for member in theirs.members:
            with pytest.raises(TargetUnavailable, match="not started here"):
                member.kill()


def test_what_one_member_is_told_another_knows(cluster: Target) -> None:
    one, *others = cluster.members
    put(one, "told")
    assert [get(other) for other in others] == ["told"] * len(others)


def test_the_others_go_on_without_a_member(cluster: Target) -> None:
    put(cluster, "kept")
    for member in cluster.members:
        pid = member.pid
        assert pid is not None
        member.kill()
        assert not runs(pid)
        assert not listens(member.host, member.port)
        assert get(cluster) == "kept"
        member.restart()
    assert get(cluster) == "kept"


def test_members_stop_in_good_order(cluster: Target) -> None:
    """Each hands on its part, so even two stops in a row lose nothing of one backup each."""
    put(cluster, "handed on")
    *leaving, last = cluster.members
    for member in leaving:
        member.stop()
    assert get(last) == "handed on"
    for member in leaving:
        member.restart()
    assert get(cluster) == "handed on"


def test_one_member_pauses(cluster: Target) -> None:
    put(cluster, "late")
    with Client(cluster) as client:
        client.get()
        cluster.members[0].pause()
        cluster.members[0].resume()
        assert client.get() == "late"


def test_all_members_restart_together(cluster: Target) -> None:
    location, pids = cluster.location, {member.pid for member in cluster.members}
    put(cluster, "forgotten")
    cluster.restart()
    assert cluster.location == location
    assert pids.isdisjoint(member.pid for member in cluster.members)
    assert get(cluster) is None


def test_all_members_end_together(cluster: Target) -> None:
    pids = [member.pid for member in cluster.members]
    cluster.kill()
    for pid, member in zip(pids, cluster.members, strict=True):
        assert pid is not None
        assert not runs(pid)
        assert member.pid is None
    with pytest.raises(ProcessLookupError):
        cluster.pause()
    cluster.restart()
