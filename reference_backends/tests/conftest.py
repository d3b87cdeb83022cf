"""What the tests share: a real Hazelcast member, and a cache on it."""

import itertools

import hazelcast
import pytest
from cache_targets import start
from django.conf import settings
from real_caches import build

names = itertools.count()


def pytest_configure():
    if not settings.configured:
        settings.configure(USE_TZ=True)


@pytest.fixture(scope="session")
def member():
    """A member that all tests share, and none stops."""
    with start("hazelcast") as target:
        yield target


@pytest.fixture(scope="module")
def own_member():
    """A member that the tests of a module stop, freeze and start again."""
    with start("hazelcast") as target:
        yield target


@pytest.fixture(scope="session")
def raw(member):
    """A plain client of the shared member."""
    client = hazelcast.HazelcastClient(cluster_members=[member.location])
    yield client
    client.shutdown()


@pytest.fixture
def map_name():
    return f"test-{next(names)}"


@pytest.fixture
def entry(member, map_name):
    """A CACHES entry on a map of the test's own."""
    return {
        "BACKEND": "django_hazelcast.HazelcastCache",
        "LOCATION": member.location,
        "OPTIONS": {"MAP_NAME": map_name},
    }


@pytest.fixture
def cache(entry):
    return build(entry)


@pytest.fixture
def entries(raw, map_name):
    """The map itself, as the plain client sees it."""
    return raw.get_map(map_name).blocking()
