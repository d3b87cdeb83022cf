"""Construction: what a backend makes of its CACHES entry."""

import os
import re
import shutil
from contextlib import chdir, suppress
from copy import deepcopy
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from unittest.mock import call, patch
from urllib.parse import urlsplit

from django.core.cache import CacheHandler
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.cache.backends.redis import RedisCache

from cache_conformance.capability import CULLS
from cache_conformance.clause import CLEARS, MAY, MUST, ROOT, SHOULD, SYNC_ONLY, Audience, clause
from cache_conformance.vocabulary import NotApplicable, after, raises, soon_after, writes

ARGUMENTS = "#cache-arguments"
CREATE_CONNECTION = "source:django.core.cache.CacheHandler.create_connection"
CONSTRUCTOR = "source:django.core.cache.backends.base.BaseCache.__init__"
TIMEOUT = "ref/settings/#timeout"
PRIVATE_DIRECTORIES = (
    "releases/3.1.1/#cve-2020-24584-permission-escalation-in-intermediate-level-directories"
    "-of-the-file-system-cache-on-python-3-7"
)

UMASK = (
    "releases/6.0.3/#cve-2026-25674-potential-incorrect-permissions-on-newly-created-file-system"
    "-objects"
)


@clause(
    "construction.location-and-params",
    MUST,
    docs=CREATE_CONNECTION,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def location_and_params(entry, backend_class):
    """Django builds a backend from two positional arguments: LOCATION, and a dict of the rest.

    The rest is every setting of the alias but BACKEND and LOCATION.
    """
    settings = entry(LOCATION="here", TIMEOUT=60, VERSION=2)
    params = {key: settings[key] for key in settings if key not in ("BACKEND", "LOCATION")}
    with patch.object(backend_class, "__init__", return_value=None) as constructor:
        CacheHandler({"default": settings})["default"]
    came = constructor.call_args_list
    assert came == [call("here", params)]
    CacheHandler({"default": entry(TIMEOUT=60, VERSION=2)})["default"]


@clause(
    "construction.missing-location-is-empty",
    MUST,
    docs="ref/settings/#location",
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=("construction.location-and-params",),
)
def missing_location_is_empty(entry, backend_class):
    """Where LOCATION is missing, the constructor is given the empty string."""
    settings = entry()
    settings.pop("LOCATION", None)
    with patch.object(backend_class, "__init__", return_value=None) as constructor:
        CacheHandler({"default": settings})["default"]
    location = constructor.call_args.args[0]
    assert type(location) is str
    assert location == ""


@clause(
    "construction.made-directories-are-private",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs=PRIVATE_DIRECTORIES,
    apis=SYNC_ONLY,
)
def made_directories_are_private(alias, entry):
    """A directory that a file-based cache makes, also one above it, is open to its owner alone."""
    above = Path(entry()["LOCATION"], "new")
    usual = os.umask(0o022)
    try:
        alias(LOCATION=str(above / "one")).set("k", "v")
    finally:
        os.umask(usual)
    for directory in (above, above / "one"):
        mode = oct(directory.stat().st_mode & 0o777)
        assert mode == "0o700"


@clause(
    "construction.umask-stays",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs=UMASK,
    apis=SYNC_ONLY,
)
def the_umask_stays(alias, entry):
    """A file-based cache that makes a directory leaves the umask, which all threads share."""
    with patch("os.umask", wraps=os.umask) as umask:
        alias(LOCATION=str(Path(entry()["LOCATION"], "new", "one"))).set("k", "v")
    changes = umask.mock_calls
    assert changes == []


@clause(
    "construction.location-may-hold-any-character",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs="#filesystem-caching",
    apis=SYNC_ONLY,
    requires=(ROOT, CLEARS),
)
def location_may_hold_any_character(alias, entry):
    """No character has a special meaning in the directory's name of a file-based cache."""
    directory = Path(entry()["LOCATION"])
    for name in "a [b]", "100%s *?", "#~\u00e9":
        cache = alias(LOCATION=str(directory / name))
        cache.set("k", "v")
        assert cache.get("k") == "v"
        cache.clear()
        assert cache.get("k") is None


@clause(
    "construction.directory-is-made-again",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs="source:django.core.cache.backends.filebased.FileBasedCache._createdir",
    apis=SYNC_ONLY,
)
def directory_is_made_again(cache, entry):
    """Where its directory has been removed, a file-based cache is empty, and set() makes it."""
    directory = Path(entry()["LOCATION"])
    cache.set("k", "v")
    if not directory.is_dir():
        raise NotApplicable("it makes no directory of that name")
    shutil.rmtree(directory)
    assert cache.get("k") is None
    cache.set("k", "w")
    assert cache.get("k") == "w"


@clause(
    "construction.directory-stays-where-it-is",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs="source:django.core.cache.backends.filebased.FileBasedCache.__init__",
    apis=SYNC_ONLY,
)
def directory_stays_where_it_is(alias, entry):
    """A file-based cache keeps its directory when the process changes its own."""
    directory = Path(entry()["LOCATION"])
    cache = alias(LOCATION=os.path.relpath(directory / "here"))
    cache.set("k", "v")
    with chdir(directory):
        assert cache.get("k") == "v"
        cache.set("k", "w")
    assert cache.get("k") == "w"


@clause(
    "construction.location-types",
    MAY,
    docs=CREATE_CONNECTION,
    apis=SYNC_ONLY,
    characteristic="location-types",
)
def location_types(alias, entry):
    """A LOCATION that is no string either works or is refused with an error.

    It is tried in an empty folder, since some backends make a relative path of anything.
    """
    location = entry().get("LOCATION", "a-name")
    if not isinstance(location, str) or not location:
        raise NotApplicable("its LOCATION is not a string that could be written as another type")
    alias(LOCATION=location).set("k", "v")
    same_store = ["str"]
    for form in (Path(location), [location], (location,)):
        with TemporaryDirectory() as folder, chdir(folder):
            try:
                cache = alias(LOCATION=form)
                cache.set("own", "v")
            except Exception:  # noqa: S112 - the refusal may be of any type
                continue
            assert cache.get("own") == "v"
            if cache.get("k") == "v":
                same_store.append("Path" if isinstance(form, Path) else type(form).__name__)
    return ", ".join(same_store)


def a_server(backend_class, entry):
    """Return one server of a LOCATION that may name several."""
    if not issubclass(backend_class, (BaseMemcachedCache, RedisCache)):
        raise NotApplicable("its LOCATION is not a list of servers")
    location = entry().get("LOCATION", "")
    return re.split("[;,]", location)[0] if isinstance(location, str) else location[0]


def serve_one_store(caches):
    """Whether each of ``caches`` reads what each of them wrote."""
    for number, cache in enumerate(caches):
        cache.set_many({f"{number}-{key}": key for key in "abc"})
    written = {f"{number}-{key}": key for number in range(len(caches)) for key in "abc"}
    return all(cache.get_many(list(written)) == written for cache in caches)


@clause("construction.servers-as-a-list", MUST, docs="#memcached")
def servers_as_a_list(alias, entry, backend_class):
    """LOCATION may be a list of servers."""
    server = a_server(backend_class, entry)
    assert serve_one_store([alias(LOCATION=[server]), alias(LOCATION=[server, server])])


@clause("construction.servers-as-a-string", MUST, docs="#memcached")
def servers_as_a_string(alias, entry, backend_class):
    """LOCATION may be one string of servers with semicolons or commas between them."""
    server = a_server(backend_class, entry)
    semicolon, comma = f"{server};{server}", f"{server},{server}"
    assert serve_one_store([alias(LOCATION=semicolon), alias(LOCATION=comma), alias()])


@clause(
    "construction.location-identifies-the-memory",
    MUST,
    derived_from=(LocMemCache,),
    docs="#local-memory-caching",
    requires=(ROOT,),
)
def location_identifies_the_memory(cache, alias, other_location):
    """Of local memories LOCATION identifies each: one name is one store, two names are two."""
    other = other_location()
    cache.set("k", "here")
    alias(LOCATION=other).set("k", "there")
    assert alias().get("k") == "here"
    assert alias(LOCATION=other).get("k") == "there"


@clause(
    "construction.redis-writes-to-the-first-server",
    MUST,
    derived_from=(RedisCache,),
    docs="#redis",
    alone=True,
)
def redis_writes_to_the_first_server(alias, entry, backend_class, other_location):
    """With several servers RedisCache writes to the first one and reads from the others."""
    first, second = a_server(backend_class, entry), other_location()
    leader, replica, both = (
        alias(LOCATION=servers) for servers in (first, second, [first, second])
    )
    names = ["set", "add", "set_many", "get_or_set"]
    for name, write in writes(both):
        write(name, "v")
    assert leader.get_many(names) == dict.fromkeys(names, "v")
    replica.set("set", "replicated")
    assert all(both.get("set") == "replicated" for _ in range(8))
    for server in (leader, replica):
        server.set("n", 1)
    both.incr("n")
    assert leader.get("n") == 2
    both.touch("add", timeout=0)
    both.delete("set")
    both.delete_many(["set_many"])
    assert list(leader.get_many(names)) == ["get_or_set"]
    both.clear()
    assert leader.get("get_or_set") is None
    assert replica.get("set") == "replicated"


@clause(
    "construction.redis-options-reach-the-client",
    MUST,
    derived_from=(RedisCache,),
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    alone=True,
)
def redis_options_reach_the_client(cache, alias, entry, backend_class, other_location):
    """What OPTIONS hold reaches the client of Redis, such as the number of its database."""
    location, other = urlsplit(a_server(backend_class, entry)), other_location()
    if location.path.strip("/") or location.query:
        raise NotApplicable("its LOCATION has options of its own, which come first")
    optional = alias(OPTIONS={"db": int(urlsplit(other).path.strip("/"))})
    cache.set("k", "here", 60)
    optional.set("k", "there", 60)
    assert cache.get("k") == "here"
    assert optional.get("k") == "there"
    assert alias(LOCATION=other).get("k") == "there"


@clause(
    "construction.redis-credentials-reach-the-server",
    MUST,
    derived_from=(RedisCache,),
    docs="#redis",
    apis=SYNC_ONLY,
    requires=(ROOT,),
)
def redis_credentials_reach_the_server(cache, alias, entry, backend_class):
    """Username and password in LOCATION reach the server, which does nothing for a stranger."""
    location = urlsplit(a_server(backend_class, entry))
    if not location.hostname:
        raise NotApplicable("its LOCATION names no server by host and port")
    address = location.netloc.rpartition("@")[2]
    stranger = alias(LOCATION=location._replace(netloc=f"stranger:guess@{address}").geturl())
    with suppress(Exception):
        stranger.set("k", "v")
    assert cache.get("k") is None


@clause(
    "construction.default-timeout-is-300",
    MUST,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def default_timeout_is_300(cache):
    """Without TIMEOUT the default timeout is 300 seconds."""
    default_timeout = cache.default_timeout
    assert type(default_timeout) is int
    assert default_timeout == 300


@clause("construction.timeout-is-the-default", MUST, docs=TIMEOUT)
def timeout_is_the_default(alias):
    """What is written or touched without a timeout expires after TIMEOUT seconds."""
    cache = alias(TIMEOUT=1)
    cache.set("touch", "v", timeout=60)
    cache.touch("touch")
    for name, write in writes(cache):
        write(name, "v")
    yield after(1)
    for name in ("set", "add", "set_many", "get_or_set", "touch"):
        assert cache.get(name) is None


@clause("construction.timeout-counts-from-the-write", MUST, docs=TIMEOUT)
def timeout_counts_from_the_write(alias):
    """TIMEOUT is counted from each write, however long ago the alias was made."""
    cache = alias(TIMEOUT=2)
    yield soon_after(2)
    for name, write in writes(cache):
        write(name, "v")
        assert cache.get(name) == "v"


@clause("construction.timeout-none-never-expires", MUST, docs=TIMEOUT)
def timeout_none_never_expires(alias):
    """With TIMEOUT=None what is written or touched without a timeout does not expire."""
    cache = alias(TIMEOUT=None)
    assert cache.default_timeout is None
    cache.set("explicit", "v", timeout=1)
    cache.set("touch", "v", timeout=2)
    cache.touch("touch")
    for name, write in writes(cache):
        write(name, "v")
    yield after(2)
    assert cache.get("explicit") is None
    for name in ("set", "add", "set_many", "get_or_set", "touch"):
        assert cache.get(name) == "v"


def stores_only_with_a_timeout(cache):
    """Try each write, over an old entry too, without a timeout and with one."""
    cache.set("old", "v", timeout=60)
    cache.set("old", "w")
    assert cache.get("old") is None
    for name, write in writes(cache):
        write(name, "v")
        assert cache.get(name) is None
        write(f"{name} with a timeout".replace(" ", "-"), "v", timeout=60)
        assert cache.get(f"{name}-with-a-timeout") == "v"


@clause("construction.timeout-zero-stores-nothing", MUST, docs=TIMEOUT)
def timeout_zero_stores_nothing(alias):
    """With TIMEOUT=0 only what is written with a timeout of its own can be read."""
    cache = alias(TIMEOUT=0)
    assert type(cache.default_timeout) is int
    assert cache.default_timeout == 0
    stores_only_with_a_timeout(cache)


@clause("construction.timeout-zero-touch-expires", MUST, docs="#django.core.cache.cache.touch")
def timeout_zero_touch_expires(alias):
    """With TIMEOUT=0 an entry that is touched without a timeout expires immediately."""
    cache = alias(TIMEOUT=0)
    cache.set("k", "v", timeout=60)
    cache.touch("k")
    assert cache.get("k") is None


@clause(
    "construction.negative-timeout-stores-nothing",
    SHOULD,
    docs=CONSTRUCTOR,
    requires=("construction.timeout-zero-stores-nothing",),
)
def negative_timeout_stores_nothing(alias):
    """A negative TIMEOUT is like TIMEOUT=0."""
    stores_only_with_a_timeout(alias(TIMEOUT=-1))


TIMEOUTS = (
    ("60", 60),
    (60.9, 60),
    ("0", 0),
    ("abc", 300),
    ([], 300),
)


@clause(
    "construction.timeout-is-made-an-integer",
    SHOULD,
    docs=CONSTRUCTOR,
    apis=SYNC_ONLY,
    each=TIMEOUTS,
)
def timeout_is_made_an_integer(alias, value):
    """TIMEOUT goes through int(), and a value that int() refuses counts as 300."""
    given, seconds = value
    cache = alias(TIMEOUT=given)
    default_timeout = cache.default_timeout
    assert type(default_timeout) is int
    assert default_timeout == seconds
    cache.set("k", "v")
    assert cache.get("k") == ("v" if seconds else None)


def entries_left_of_25(cache, name):
    """Write 25 new entries, and return how many are still there."""
    keys = [f"{name}-{number}" for number in range(25)]
    for key in keys:
        cache.set(key, "v")
    return len(cache.get_many(keys))


@clause(
    "construction.culling-options-are-made-integers",
    SHOULD,
    docs=CONSTRUCTOR,
    apis=SYNC_ONLY,
    needs=(CULLS,),
    alone=True,
)
def culling_options_are_made_integers(alias):
    """MAX_ENTRIES and CULL_FREQUENCY go through int(), and what it refuses counts as 300 and 3."""
    as_text = alias(OPTIONS={"MAX_ENTRIES": "10", "CULL_FREQUENCY": "2"})
    assert entries_left_of_25(as_text, "as-text") < 25
    no_frequency = alias(OPTIONS={"MAX_ENTRIES": 10.9, "CULL_FREQUENCY": "abc"})
    assert entries_left_of_25(no_frequency, "no-frequency") < 25
    nothing_usable = alias(OPTIONS={"MAX_ENTRIES": "abc", "CULL_FREQUENCY": []})
    assert entries_left_of_25(nothing_usable, "nothing-usable") == 25


@clause("construction.lower-case-timeout-wins", SHOULD, docs=CONSTRUCTOR, apis=SYNC_ONLY)
def lower_case_timeout_wins(alias):
    """A setting named timeout wins over TIMEOUT."""
    default_timeout = alias(timeout=7, TIMEOUT=9).default_timeout
    assert default_timeout == 7
    cache = alias(timeout=0, TIMEOUT=60)
    cache.set("k", "v")
    assert cache.get("k") is None


@clause(
    "construction.lower-case-culling-settings-win",
    SHOULD,
    docs=CONSTRUCTOR,
    apis=SYNC_ONLY,
    needs=(CULLS,),
    alone=True,
)
def lower_case_culling_settings_win(alias):
    """Settings named max_entries and cull_frequency win over those in OPTIONS."""
    small = alias(max_entries=10, OPTIONS={"MAX_ENTRIES": 1000})
    assert entries_left_of_25(small, "small") < 25
    large = alias(max_entries=1000, OPTIONS={"MAX_ENTRIES": 10})
    assert entries_left_of_25(large, "large") == 25
    dumping = alias(max_entries=10, cull_frequency=0, OPTIONS={"CULL_FREQUENCY": 1000})
    assert entries_left_of_25(dumping, "dumping") < 25


@clause("construction.unknown-settings-are-ignored", SHOULD, docs=CONSTRUCTOR, apis=SYNC_ONLY)
def unknown_settings_are_ignored(alias):
    """Settings that the backend does not know are ignored."""
    cache = alias(FOO=1, foo={"bar": None})
    cache.set("k", "v")
    assert cache.get("k") == "v"


@clause(
    "construction.unknown-options",
    MAY,
    docs=ARGUMENTS,
    apis=SYNC_ONLY,
    characteristic="unknown-options",
)
def unknown_options(alias):
    """An unknown entry of OPTIONS is ignored, or refused when the backend is built or used."""
    try:
        cache = alias(OPTIONS={"bogus": 1})
    except Exception:
        return "refused when built"
    try:
        cache.set("k", "v")
    except Exception:
        return "refused when used"
    assert cache.get("k") == "v"
    return "ignored"


@clause(
    "construction.options-none",
    MAY,
    docs="ref/settings/#options",
    apis=SYNC_ONLY,
    characteristic="options-none",
)
def options_none(entry):
    """OPTIONS=None is like no OPTIONS, or the constructor refuses it."""
    settings = {**entry(), "OPTIONS": None}
    try:
        cache = CacheHandler({"default": settings})["default"]
    except Exception:
        return "refused"
    cache.set("k", "v")
    assert cache.get("k") == "v"
    return "accepted"


ADDRESS = re.compile(r"[\w.-]+:\d+(?![\d@])")


def at_port(location, port):
    """Return ``location`` with every server in it replaced by a local one at ``port``."""
    servers = [location] if isinstance(location, str) else location or []
    moved = [ADDRESS.sub(f"127.0.0.1:{port}", server) for server in servers]
    if moved == list(servers):
        raise NotApplicable("its LOCATION names no server by host and port")
    return moved[0] if isinstance(location, str) else moved


@clause(
    "construction.opens-no-connection",
    SHOULD,
    level_for_django=MUST,
    docs="source:django.core.checks.caches.check_file_based_cache_is_absolute",
    apis=SYNC_ONLY,
    requires=(),
)
def opens_no_connection(alias, entry):
    """A backend can be built without its server, and opens no connection before it is used.

    System checks and createcachetable build every alias.
    """
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        location = at_port(entry().get("LOCATION"), port)
    alias(LOCATION=location)
    with create_server(("127.0.0.1", port)) as listener:
        alias(LOCATION=location)
        listener.settimeout(0.02)
        with raises(TimeoutError):
            listener.accept()


@clause(
    "construction.leaves-settings-alone",
    MUST,
    docs=CREATE_CONNECTION,
    apis=SYNC_ONLY,
)
def leaves_settings_alone(entry):
    """A backend does not change its settings: every thread builds its own instance from them."""
    settings = {"default": {"OPTIONS": {}, **entry(TIMEOUT=60)}}
    before = deepcopy(settings)
    for _ in range(2):
        cache = CacheHandler(settings)["default"]
        cache.set("k", "v")
        assert cache.get("k") == "v"
    assert settings == before


@clause(
    "construction.leaves-options-alone",
    MUST,
    docs=CREATE_CONNECTION,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def leaves_options_alone(entry):
    """The constructor does not change OPTIONS, which all instances of an alias share."""
    settings = {"default": entry(OPTIONS={"MAX_ENTRIES": 1000, "CULL_FREQUENCY": 2})}
    before = deepcopy(settings)
    try:
        CacheHandler(settings)["default"]
    except Exception as error:
        raise NotApplicable("it refuses MAX_ENTRIES and CULL_FREQUENCY in OPTIONS") from error
    assert settings == before
    CacheHandler(settings)["default"]
    assert settings == before
