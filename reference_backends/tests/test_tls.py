"""A member behind TLS. The open-source member has none of its own, so a door in front of it does.

The client knows no member but the door (`smart_routing` off): the addresses that the member tells
lead past it.
"""

import asyncio
import contextlib
import ssl
import threading
from types import SimpleNamespace

import pytest
import trustme
from django_hazelcast.errors import HazelcastUnavailable
from real_caches import build


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def pem(authority, tmp_path_factory):
    """The file of the authority that has signed the door's certificate."""
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def door(member, authority):
    """A door that speaks TLS, asks for a certificate and hands on to the member.

    It knows its `address`, and what clients have `passed` on.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    passed = bytearray()
    serve = _to(member.host, member.port, passed)
    with asyncio.Runner() as runner:  # which cancels in the end what still serves
        server = runner.run(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
        loop = runner.get_loop()
        serving = threading.Thread(target=loop.run_forever)
        serving.start()
        address = "{}:{}".format(*server.sockets[0].getsockname())
        yield SimpleNamespace(address=address, passed=passed)
        loop.call_soon_threadsafe(loop.stop)
        serving.join()
        server.close()


def _to(host, port, passed):
    async def serve(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(
            _copied(reader, inner_writer, passed), _copied(inner_reader, writer, bytearray())
        )

    return serve


async def _copied(reader, writer, passed):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            passed += data
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def certificate(authority, tmp_path_factory):
    """The file of a client's certificate and its key."""
    path = tmp_path_factory.mktemp("tls") / "client.pem"
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def through(door, map_name):
    """``through(**options)`` builds a cache that knows the door alone."""

    def cache(**options):
        entry = {"BACKEND": "django_hazelcast.HazelcastCache", "LOCATION": door.address}
        return build(entry, MAP_NAME=map_name, smart_routing=False, TIMEOUT=3, **options)

    return cache


@pytest.fixture
def tls(pem, certificate):
    """The OPTIONS with which the door opens."""
    return {
        "ssl_enabled": True,
        "ssl_cafile": pem,
        "ssl_certfile": certificate,
        "ssl_keyfile": certificate,
        "ssl_check_hostname": True,
    }


def test_a_certificate_opens_the_door(through, tls, entries):
    cache = through(**tls)
    cache.set_many({"a": 1, "b": 2}, 60)
    assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
    assert cache.incr("a") == 2
    assert entries.size() == 2


class Badge:
    """A token provider: anything with such a method."""

    def token(self, address):
        return b"badge of the app"


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        (
            {"creds_username": "some-user", "creds_password": "some-word"},
            ["some-user", "some-word"],
        ),
        ({"token_provider": Badge()}, ["badge of the app"]),
    ],
    ids=["name and password", "token"],
)
def test_credentials_reach_the_member(through, tls, door, credentials, told, caplog):
    """The open-source member, which knows no users, turns away whoever names himself one."""
    cache = through(**tls, **credentials)
    with pytest.raises(
        HazelcastUnavailable, match=r"not done in 3 s; the logger 'hazelcast' tells"
    ):
        cache.get("k")
    assert "Check cluster name and credentials" in caplog.text
    for word in told:
        assert word.encode() in door.passed


@pytest.mark.parametrize("trusts", [False, True], ids=["authority unknown", "no certificate"])
def test_without_one_it_stays_shut_and_nobody_waits_for_ever(through, pem, tmp_path, trusts):
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    cache = through(ssl_enabled=True, ssl_cafile=pem if trusts else str(stranger))
    with pytest.raises(HazelcastUnavailable, match="not done in 3 s"):
        cache.get("k")


def test_plain_text_is_not_understood(through):
    with pytest.raises(HazelcastUnavailable, match="not done in 3 s"):
        through().get("k")
