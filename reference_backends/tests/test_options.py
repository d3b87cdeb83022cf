"""What a CACHES entry may say, and what is refused."""

import zlib

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django_hazelcast.serializers import JSONSerializer
from real_caches import build

ENTRY = {"BACKEND": "django_hazelcast.HazelcastCache", "LOCATION": "127.0.0.1:5701"}

REFUSED = {
    "an unknown option": ({"bogus": 1}, r"has no bogus; valid are COMPRESSION.*, cluster_name,"),
    "an unknown option of the near cache": ({"NEAR_CACHE": {"TTL": 1}}, "MAX_AGE, SIZE"),
    "a size that is none": ({"NEAR_CACHE": {"SIZE": 0}}, "above 0, not 0"),
    "no time": ({"TIMEOUT": 0}, "TIMEOUT.*not 0"),
    "a time that is none": ({"TIMEOUT": "5"}, "TIMEOUT.*not '5'"),
    "MAX_ENTRIES": ({"MAX_ENTRIES": 1000}, "`eviction` in the configuration of the members"),
    "CULL_FREQUENCY": ({"CULL_FREQUENCY": 2}, "`eviction` in the configuration of the members"),
    "members in two places": ({"cluster_members": ["a:1"]}, "named by LOCATION"),
    "the client's near caches": ({"near_caches": {}}, "NEAR_CACHE"),
    "a serializer that is not there": ({"SERIALIZER": "no.such.thing"}, "SERIALIZER.*no"),
    "a serializer that is none": ({"SERIALIZER": "zlib.crc32"}, "has no dumps, loads"),
    "a compression that is none": ({"COMPRESSION": "json"}, "has no compress, decompress"),
    "a value that the client refuses": ({"cluster_name": 5}, "cluster_name"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_what_to_do(options, message):
    with pytest.raises(ImproperlyConfigured, match=message) as refusal:
        build(ENTRY, **options)
    assert "\n" not in str(refusal.value)


def test_lower_case_max_entries_is_not_ignored_in_silence():
    with pytest.warns(UserWarning, match="`eviction` in the configuration of the members"):
        build({**ENTRY, "max_entries": 5})


@pytest.mark.parametrize(
    "location",
    ["a:1,b:2", "a:1; b:2", ["a:1", "b:2"], ("a:1", "b:2")],
)
def test_location_names_the_members(location):
    cache = build({**ENTRY, "LOCATION": location})
    assert cache._store._client.arguments["cluster_members"] == ["a:1", "b:2"]


def test_arguments_of_the_client_reach_it(member, entry):
    cache = build(entry, client_name="from-the-options", labels=["django"])
    cache.set("k", 1)
    assert cache._store._client.started().result().name == "from-the-options"


def test_tls_credentials_and_discovery_are_the_clients_arguments():
    given = {
        "cluster_name": "production",
        "ssl_enabled": True,
        "ssl_cafile": "/etc/ssl/ca.pem",
        "creds_username": "u",
        "creds_password": "p",
        "cloud_discovery_token": "t",
    }
    arguments = build({**ENTRY, "LOCATION": ""}, **given)._store._client.arguments
    assert given.items() <= arguments.items()
    assert "cluster_members" not in arguments


class TestTheNameOfTheMap:
    def name(self, entry):
        return build(entry)._store._name

    def test_it_is_given(self):
        assert self.name({**ENTRY, "OPTIONS": {"MAP_NAME": "pages"}}) == "pages"
        assert self.name({**ENTRY, "LOCATION": "127.0.0.1:5701/pages"}) == "pages"

    def test_it_is_the_alias(self):
        other = {**ENTRY, "OPTIONS": {"TIMEOUT": 1}}
        with override_settings(CACHES={"default": ENTRY, "sessions": other}):
            assert self.name(ENTRY) == "default"
            assert self.name(other) == "sessions"

    def test_aliases_that_differ_in_their_keys_alone_share_a_store(self):
        versioned = {**ENTRY, "VERSION": 2, "KEY_PREFIX": "p", "TIMEOUT": 1}
        with override_settings(CACHES={"pages": ENTRY, "versioned": versioned}):
            assert self.name(versioned) == "pages"


class Upper:
    def dumps(self, value):
        return value.upper().encode()

    def loads(self, data):
        return data.decode()


@pytest.mark.parametrize(
    ("serializer", "value", "comes_back"),
    [
        ("django_hazelcast.serializers.PickleSerializer", (1, {2}), (1, {2})),
        ("django_hazelcast.serializers.JSONSerializer", (1, "é"), [1, "é"]),
        (JSONSerializer(), {"a": None}, {"a": None}),
        (Upper, "abc", "ABC"),
    ],
)
def test_serializers(entry, serializer, value, comes_back):
    cache = build(entry, SERIALIZER=serializer)
    cache.set("k", value)
    assert cache.get("k") == comes_back


def test_json_is_readable_by_others(entry, entries):
    build(entry, SERIALIZER="django_hazelcast.serializers.JSONSerializer").set("k", {"a": 1})
    assert bytes(entries.get(":1:k")).endswith(b'{"a":1}')


@pytest.mark.parametrize("compression", ["zlib", "bz2", "lzma", zlib])
def test_compression_makes_entries_smaller(entry, entries, compression):
    cache = build(entry, COMPRESSION=compression)
    cache.set_many({"long": "x" * 100_000, "short": "x"})
    assert cache.get_many(["long", "short"]) == {"long": "x" * 100_000, "short": "x"}
    assert len(entries.get(":1:long")) < 5_000


def test_compression_may_be_switched_on_and_not_off(entry):
    plain, compressing = build(entry), build(entry, COMPRESSION="zlib")
    plain.set("plain", "x" * 10_000)
    compressing.set("compressed", "x" * 10_000)
    assert compressing.get("plain") == "x" * 10_000
    with pytest.raises(ValueError, match="COMPRESSION"):
        plain.get("compressed")
