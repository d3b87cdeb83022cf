"""Stored data: what is kept, with its type, and what cannot be stored."""

import gzip
import io
import ipaddress
import os
import pathlib
import pickle
import re
import threading
import uuid
from array import array
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from fractions import Fraction
from http.cookies import SimpleCookie
from types import SimpleNamespace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.apps import apps
from django.core.cache.backends.filebased import FileBasedCache
from django.db import connections, models, router
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise, lazystr
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from cache_conformance.clause import (
    EACH_OPERATION,
    MAY,
    MUST,
    ROOT,
    SHOULD,
    SNAPSHOTS,
    SYNC_ONLY,
    clause,
)
from cache_conformance.vocabulary import NotApplicable, raises, writes

PICKLABLE = "#the-low-level-cache-api"
BASIC_USAGE = "#basic-usage"
INSTANCES = "ref/models/instances/#pickling-objects"
QUERYSETS = "ref/models/querysets/#pickling-querysets"
PICKLE_ERRORS = "releases/1.7/#behavior-of-locmemcache-regarding-pickle-errors"
FAILED_SET = "source:django.core.cache.backends.memcached.BaseMemcachedCache.set"
FILE_BASED = "source:django.core.cache.backends.filebased.FileBasedCache"

WAYS = ("set", "add", "set_many", "get_or_set")
NOT_PICKLED = (pickle.PickleError, TypeError, AttributeError)
LOOKS_EQUAL = float | complex | Decimal | datetime | timezone


def ways(cache, value):
    """Store ``value`` in each way, and yield what each way of reading makes of it."""
    cache.set("set", value)
    yield cache.get("set")
    yield cache.get_or_set("get_or_set", lambda: value)
    cache.add("add", value)
    cache.set_many({"set_many": value})
    found = cache.get_many(WAYS)
    for way in WAYS:
        yield found[way]


def round_trips(cache, values):
    """Store the values together and each alone, and yield each with what comes back."""
    together = {str(number): value for number, value in enumerate(values)}
    cache.set_many(together)
    read = cache.get_many(together)
    for key, value in together.items():
        yield value, read.get(key, "nothing")
        cache.set("alone", value)
        yield value, cache.get("alone")


def same(one, other):
    """Whether two values are equal and of the same class, and so are their members."""
    if type(one) is not type(other):
        return False
    if isinstance(one, LOOKS_EQUAL):
        return repr(one) == repr(other)
    return one == other and all(map(same, members(one), members(other)))


def members(value):
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if isinstance(value, list | tuple | deque):
        return list(value)
    return list(vars(value).values()) if is_dataclass(value) else []


class Colour(Enum):
    """An enumeration of anything."""

    RED = "red"
    GREEN = (0, 128, 0)


class Access(Flag):
    """Flags that combine."""

    READ = 1
    WRITE = 2


class Priority(IntEnum):
    """An enumeration of integers."""

    NONE = 0
    LOW = 1
    HIGH = 2


class Mode(IntFlag):
    """Flags that are integers."""

    READ = 4
    WRITE = 2


class Kind(models.IntegerChoices):
    """The choices of an integer field."""

    BOOK = 1
    FILM = 2


class Metres(int):
    """An int with a meaning."""


class Suit(StrEnum):
    """An enumeration of text."""

    SPADES = "spades"
    NUMBER = "12"


class Status(models.TextChoices):
    """The choices of a text field."""

    DRAFT = "d"
    READY = "r"


class Slug(str):
    """A str with a meaning."""


class Digest(bytes):
    """Bytes with a meaning."""


class Ratio(float):
    """A float with a meaning."""


@dataclass
class Point:
    """A plain object."""

    x: object
    y: object = 0


@dataclass(frozen=True)
class Route:
    """An immutable object that holds others."""

    points: tuple[Point, ...] = ()
    tags: dict[str, object] = field(default_factory=dict)


class Slotted:
    """An object without ``__dict__``."""

    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return same(self.x, other.x)

    __hash__ = None


class Stateful:
    """An object that says itself what of it is stored."""

    def __init__(self, kept):
        self.kept = kept
        self.lock = threading.Lock()

    def __getstate__(self):
        return self.kept

    def __setstate__(self, state):
        self.__init__(state)

    def __eq__(self, other):
        return same(self.kept, other.kept)

    __hash__ = None


class Unpicklable:
    """An object that refuses to be pickled."""

    def __reduce__(self):
        raise pickle.PickleError("this cannot be pickled")


@dataclass
class Unloadable:
    """An object that can be pickled, and raises ``error`` when the pickle is loaded."""

    error: type[Exception]

    def __reduce__(self):
        return fail, (self.error,)


def fail(error):
    raise error("this cannot be loaded any more")


Pair = namedtuple("Pair", "left right")


def shout(text):
    """A function to store."""
    return text.upper()


VALUES = (
    None,
    42,
    -7,
    3.14,
    3.0,
    1e-300,
    2 + 3j,
    "text",
    b"bytes",
    bytearray(b"bytearray"),
    range(1, 10, 3),
    slice(1, None),
    Ellipsis,
    NotImplemented,
    [1, True, 1.0, "1", b"1", None],
    (1, True, 1.0),
    (1,),
    (),
    [(1, 2), [1, 2]],
    [[], {}, (), set(), ""],
    {"a": 1, "b": True, "c": 1.0, "d": None},
    {1: "int", "1": "str", b"1": "bytes", None: "none", (1, 2): "tuple"},
    {True: "bool"},
    {"nested": {"list": [{"tuple": (1, [2, (3,)])}]}},
    {"nested": {1: "int"}},
    [{1: "int"}],
    {"z": 1, "a": 2, "m": 3},
    {1, 2, 3},
    frozenset({"a", "b"}),
    [frozenset({1, (2, 3)})],
    [True, False],
    ("a" * 10_000, list(range(1_000))),
    [[[[[[[[[["deep"]]]]]]]]]],
)
OBJECTS = (
    Decimal("1.10"),
    Decimal("-0"),
    Fraction(1, 3),
    date(2024, 2, 29),
    datetime.max.time(),
    datetime(2024, 2, 29, 12, 30, 15, 123_456),
    datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    datetime.max,
    timedelta(days=-1, microseconds=1),
    timezone(timedelta(hours=-3), "Brasilia"),
    uuid.UUID("12345678-1234-5678-1234-567812345678"),
    ipaddress.ip_address("::1"),
    ipaddress.ip_network("10.0.0.0/8"),
    pathlib.PurePosixPath("/a/b"),
    re.compile(r"\d+", re.IGNORECASE),
    array("i", [1, 2, 3]),
    SimpleNamespace(a=1, b=[2]),
    Colour.GREEN,
    Access.READ | Access.WRITE,
    Ratio(0.5),
    Point(1, True),
    Point(Suit.SPADES, (Priority.HIGH, Slug("s"))),
    Route((Point(1.0), Point(2)), {"a": SafeString("<b>")}),
    [Point(1), Point([Point(2)])],
    Slotted((1, True)),
    Stateful({"a": (1, 2)}),
    {Colour.RED: Point(1)},
    [SafeString("<b>")],
    {"a": Slug("s")},
    [Suit.SPADES, Suit.SPADES],
    {"a": Priority.HIGH},
)
OF_EACH_KIND = (
    42,
    1.5,
    "12",
    b"12",
    [1, True, (2,)],
    {"a": 1, 1: "a"},
    Decimal("1.10"),
    Point(1, True),
)
CONTAINERS = (
    OrderedDict([("b", 1), ("a", 2)]),
    defaultdict(list, {"a": [1]}),
    Counter("abca"),
    deque([1, 2, 3], maxlen=5),
    ChainMap({"a": 1}, {"b": 2}),
    UserDict(a=1),
    Pair(1, (2, 3)),
    [Pair("a", Point(1))],
    {"outer": OrderedDict(inner=deque([Pair(1, 2)]))},
    MultiValueDict({"a": ["1", "2"], "b": []}),
)
INT_SUBCLASSES = (
    Priority.HIGH,
    Priority.NONE,
    Mode.READ | Mode.WRITE,
    Kind.FILM,
    Metres(7),
    Metres(-7),
)
STR_SUBCLASSES = (
    SafeString("<b>bold</b>"),
    SafeString(""),
    Suit.SPADES,
    Suit.NUMBER,
    Status.READY,
    Slug("a-slug"),
)
BYTES_SUBCLASSES = (
    Digest(b"abc"),
    Digest(b"12"),
)
INTEGERS = (
    0,
    1,
    -1,
    -12,
    255,
    256,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**32 + 1,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
)
BIG_INTEGERS = (
    2**63,
    2**64 - 1,
    2**64,
    -(2**63) - 1,
    10**30,
    -(10**30),
    2**4000 + 1,
)
FLOATS = (
    0.0,
    -0.0,
    0.1,
    1.0,
    1e16 + 2,
    5e-324,
    1.7976931348623157e308,
    float("inf"),
    float("-inf"),
    float("nan"),
)
TEXTS = (
    "",
    " ",
    "  text  ",
    "text\n",
    "\u00fcber \u65e5\u672c\u8a9e \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "\U0001f600 \U0001f469\u200d\U0001f4bb",
    "e\u0301 \u00e9 \ufb01 \uff21",
    "a\0b\0",
    "a\r\nEND\r\n",
    "+OK\r\n$-1\r\n",
    "\ufeff\x1b\x7f\x80\u2028\ufffe",
    "'; DROP TABLE cache; --",
    '{"json": [1, null]}',
    "{{ 1 }} %s %(a)s",
)
LITERALS = (
    "12",
    "-12",
    " 12 ",
    "012",
    "1_000",
    "1.5",
    "1e3",
    "inf",
    "nan",
    "\u0661\u0662",
    "True",
    "true",
    "None",
    "null",
    "[]",
    b"12",
    b"-5",
    b"  12  ",
    b"True",
    b"None",
    b"text",
)
BZ2_OF_HELLO = (
    b"BZh91AY&SY\x191e=\x00\x00\x00\x81\x00\x02"
    b'D\xa0\x00!\x9ah3M\x073\x8b\xb9"\x9c(H\x0c\x98\xb2\x9e'
    b"\x80"
)
XZ_OF_HELLO = (
    b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00"
    b"t/\xe5\xa3\x01\x00\x04hello\x00\x00\x00\x00\xb17\xb9\xdb"
    b"\xe5\xda\x1e\x9b\x00\x01\x1d\x05\xb8-\x80\xaf\x1f\xb6\xf3}\x01\x00\x00\x00"
    b"\x00\x04YZ"
)
BYTES = (
    b"",
    bytes(range(256)),
    bytes(range(255, -1, -1)) * 300,
    b"\0",
    b"\0a\0",
    b"a\r\nEND\r\n",
    b"\xff\xfe",
    "\u00fc".encode(),
    pickle.dumps("a pickle", 0),
    pickle.dumps({"a": 1}),
    b"x\x9c\x03\x00\x00\x00\x00\x01",
    gzip.compress(b"hello", mtime=0),
    BZ2_OF_HELLO,
    XZ_OF_HELLO,
    b"aGVsbG8=",
    bytearray(b"12"),
    bytearray(),
)
FALSY = (
    None,
    0,
    0.0,
    -0.0,
    False,
    "",
    b"",
    [],
    {},
    (),
    Decimal(0),
)
CALLABLES = (
    shout,
    len,
    str.upper,
    Stateful.__eq__,
    Point,
    dict,
    Priority,
    ValueError,
    HttpResponse,
)
UNPICKLABLE = (
    Unpicklable(),
    lambda: None,
    (number for number in range(3)),
    threading.Lock(),
    io.TextIOWrapper(io.BytesIO()),
    [1, {"nested": threading.Lock()}],
)
UNLOADABLE = (
    Unloadable(AttributeError),
    Unloadable(ImportError),
    Unloadable(LookupError),
)


@clause("data.built-in-values-survive", MUST, docs=PICKLABLE)
def built_in_values_survive(cache):
    """A value of Python's own types comes back equal, and of the same type down to its members."""
    for value, found in round_trips(cache, VALUES):
        assert same(found, value)


@clause("data.objects-survive", MUST, docs=PICKLABLE)
def objects_survive(cache):
    """Any object that can be pickled comes back equal, and of the same class with its members."""
    for value, found in round_trips(cache, OBJECTS):
        assert same(found, value)


@clause(
    "data.fold-survives",
    SHOULD,
    docs=PICKLABLE,
    requires=(*EACH_OPERATION, "data.objects-survive"),
)
def fold_survives(cache):
    """The later of two moments of the same local time comes back as the later one.

    Protocols of pickle below 4 leave the difference out.
    """
    for found in ways(cache, datetime(2024, 10, 27, 2, 30, fold=1)):
        assert found.fold == 1


@clause("data.time-zones-survive", MUST, docs=PICKLABLE, requires=("data.objects-survive",))
def time_zones_survive(cache):
    """A moment comes back in the time zone that it had, with its name and its summer time."""
    try:
        zone = ZoneInfo("America/Chicago")
    except ZoneInfoNotFoundError as error:
        raise NotApplicable("Python finds no time zones here") from error
    for found in ways(cache, datetime(2024, 6, 1, 12, tzinfo=zone)):
        assert found.tzinfo == zone
        assert found == datetime(2024, 6, 1, 12, tzinfo=zone)


@clause("data.every-write-keeps-the-value", MUST, docs=PICKLABLE, each=OF_EACH_KIND)
def every_write_keeps_the_value(cache, value):
    """set(), add(), set_many() and get_or_set() store the same, whatever kind of value it is."""
    for found in ways(cache, value):
        assert same(found, value)


@clause("data.booleans-stay-booleans", MUST, docs=PICKLABLE, each=(True, False))
def booleans_stay_booleans(cache, value):
    """True and False come back as bool, not as 1 and 0."""
    for found in ways(cache, value):
        assert found is value


@clause("data.int-subclasses-keep-their-class", MUST, docs=PICKLABLE)
def int_subclasses_keep_their_class(cache):
    """An instance of a subclass of int, such as an IntEnum, comes back as one."""
    for value, found in round_trips(cache, INT_SUBCLASSES):
        assert type(found) is type(value), type(found)
        assert found == value


@clause("data.str-subclasses-keep-their-class", MUST, docs=PICKLABLE)
def str_subclasses_keep_their_class(cache):
    """An instance of a subclass of str, such as a SafeString or a StrEnum, comes back as one."""
    for value, found in round_trips(cache, STR_SUBCLASSES):
        assert type(found) is type(value), type(found)
        assert found == value


@clause("data.bytes-subclasses-keep-their-class", MUST, docs=PICKLABLE)
def bytes_subclasses_keep_their_class(cache):
    """An instance of a subclass of bytes comes back as one."""
    for value, found in round_trips(cache, BYTES_SUBCLASSES):
        assert type(found) is type(value), type(found)
        assert found == value


@clause("data.falsy-values-are-stored", MUST, docs=BASIC_USAGE, each=FALSY)
def falsy_values_are_stored(cache, value):
    """None, zero and empty values are found like any others, and not taken for a miss."""
    for found in ways(cache, value):
        assert found == value
    for way in "set", "get_or_set":
        assert cache.get(way, "missed") == value
    assert cache.get_or_set("set", "missed") == value


@clause("data.integers-survive", MUST, docs=PICKLABLE)
def integers_survive(cache):
    """An integer of up to 64 bits comes back exactly, and as an int."""
    for value, found in round_trips(cache, INTEGERS):
        assert same(found, value)


@clause("data.big-integers-are-never-altered", MUST, docs=PICKLABLE, each=BIG_INTEGERS)
def big_integers_are_never_altered(cache, value):
    """An integer of more than 64 bits comes back exactly, unless an error refused it."""
    for name, write in writes(cache):
        try:
            write(name, value)
        except Exception:
            assert cache.get(name) is None
        else:
            assert same(cache.get(name), value)


@clause("data.big-integers-survive", SHOULD, docs=PICKLABLE)
def big_integers_survive(cache):
    """An integer of any size can be stored."""
    for value, found in round_trips(cache, BIG_INTEGERS):
        assert same(found, value)


@clause("data.floats-survive", SHOULD, docs=PICKLABLE)
def floats_survive(cache):
    """A float keeps its sign and its last digit, and so do infinity and NaN."""
    for value, found in round_trips(cache, FLOATS):
        assert same(found, value)


@clause("data.text-survives", MUST, docs=PICKLABLE)
def text_survives(cache):
    """Text comes back character by character, whatever it contains."""
    for value, found in round_trips(cache, TEXTS):
        assert same(found, value)


@clause("data.literals-stay-text", MUST, docs=PICKLABLE)
def literals_stay_text(cache):
    """Text and bytes that read like a number or another literal stay text and bytes."""
    for value, found in round_trips(cache, LITERALS):
        assert same(found, value)


@clause("data.bytes-survive", MUST, docs=PICKLABLE)
def bytes_survive(cache):
    """Bytes come back byte by byte, be they a pickle or compressed; a bytearray stays one."""
    for value, found in round_trips(cache, BYTES):
        assert same(found, value)


@clause("data.containers-keep-their-class", MUST, docs=PICKLABLE)
def containers_keep_their_class(cache):
    """A container comes back with its class, its order and its settings, at every depth."""
    for value, found in round_trips(cache, CONTAINERS):
        assert same(found, value)
        assert repr(found) == repr(value)


@clause("data.sharing-survives", SHOULD, docs=PICKLABLE)
def sharing_survives(cache):
    """An object that a value holds twice comes back as one object, not as two."""
    inner = ["inner"]
    for found in ways(cache, [inner, {"again": inner}]):
        assert found == [["inner"], {"again": ["inner"]}]
        assert found[0] is found[1]["again"]


@clause("data.cycles-survive", SHOULD, docs=PICKLABLE)
def cycles_survive(cache):
    """A value that holds itself comes back as one that holds itself."""
    cycle = ["first"]
    cycle.append(cycle)
    for found in ways(cache, cycle):
        assert found[0] == "first"
        assert found[1] is found


@clause("data.lone-surrogates", MAY, docs=PICKLABLE, characteristic="lone-surrogates")
def lone_surrogates(cache):
    """Text with half of a surrogate pair comes back unaltered, unless an error refused it."""
    stored = True
    for name, write in writes(cache):
        try:
            write(name, "a\ud800b")
        except Exception:
            stored = False
            assert cache.get(name) is None
        else:
            assert cache.get(name) == "a\ud800b"
    return stored


@clause("data.callables-survive", MUST, docs=PICKLABLE)
def callables_survive(cache):
    """A function or class that can be imported by its name is stored as such, and not called."""
    for value, found in round_trips(cache, CALLABLES):
        assert found is value


@clause("data.responses-survive", MUST, docs=PICKLABLE)
def responses_survive(cache):
    """A response comes back with its class, status, content, charset, headers and cookies."""
    response = HttpResponse("\u00fcber", status=418, headers={"X-Kept": "yes", "ETag": '"1"'})
    response.set_cookie("name", "value", max_age=60, httponly=True)
    for sent in (
        response,
        JsonResponse({"a": 1}),
        HttpResponseRedirect("/elsewhere/"),
        HttpResponse("\u00fcber", content_type="text/plain; charset=iso-8859-1"),
        HttpResponse("\u00fcber", content_type="text/plain", charset="iso-8859-1"),
    ):
        for found in ways(cache, sent):
            assert type(found) is type(sent)
            assert found.status_code == sent.status_code
            assert found.content == sent.content
            assert found.charset == sent.charset
            assert getattr(found, "text", None) == getattr(sent, "text", None)
            assert list(found.headers.items()) == list(sent.headers.items())
            assert found.cookies.output() == sent.cookies.output()
        cache.delete_many(WAYS)


@clause("data.request-data-survives", MUST, docs=PICKLABLE)
def request_data_survives(cache):
    """A QueryDict comes back with all values of each name, cookies with their attributes."""
    query = QueryDict("a=1&a=2&b=%C3%BC&c=", encoding="utf-8")
    for found in ways(cache, query):
        assert type(found) is QueryDict
        assert list(found.lists()) == list(query.lists())
    cache.delete_many(WAYS)
    cookies = SimpleCookie()
    cookies["name"] = "a; b"
    cookies["name"]["path"] = "/"
    for found in ways(cache, cookies):
        assert type(found) is SimpleCookie
        assert found.output() == cookies.output()


class EqualToEverything:
    """An object that says it equals whatever it is compared with."""

    __hash__ = None

    def __eq__(self, other):
        return True


class Incomparable:
    """An object that has neither equality nor a truth value, like an array of numpy."""

    __hash__ = __eq__ = __bool__ = None


@clause(
    "data.values-are-not-compared",
    MUST,
    docs=PICKLABLE,
    each=(EqualToEverything, Incomparable),
    requires=(*EACH_OPERATION, "data.objects-survive"),
)
def values_are_not_compared(cache, value):
    """A value that equals everything, or that cannot be compared, is stored as any other."""
    for found in ways(cache, value()):
        assert type(found) is value
    assert cache.has_key("set") is True
    assert cache.add("set", "other") is False
    assert type(cache.get_or_set("set", "other")) is value
    assert cache.touch("set", 60) is True
    assert cache.incr_version("set") == 2
    assert type(cache.get("set", version=2)) is value


@clause(
    "data.exceptions-are-values",
    MUST,
    docs=PICKLABLE,
    each=(KeyError("k"), StopIteration(), OSError(2, "gone")),
    requires=(*EACH_OPERATION, "data.objects-survive"),
)
def exceptions_are_values(cache, value):
    """An exception that was stored is returned, not raised."""
    for found in ways(cache, value):
        assert type(found) is type(value)
        assert found.args == value.args


@clause("data.lazy-text-survives", MUST, docs=PICKLABLE)
def lazy_text_survives(cache):
    """Lazy text comes back lazy: it is not evaluated when it is stored."""
    for lazy in gettext_lazy("Yes"), lazystr("text"):
        for found in ways(cache, lazy):
            assert isinstance(found, Promise)
            assert found == str(lazy)
        cache.delete_many(WAYS)


@contextmanager
def polls():
    """Yield a model with a table of its own, and the list of calls of its field's default."""
    global Poll  # where a pickled queryset looks for it
    calls = []

    def pick():
        calls.append("called")
        return "picked"

    class Poll(models.Model):
        question = models.CharField(max_length=20)
        answer = models.CharField(max_length=20, default=pick, editable=False)

        class Meta:
            app_label = "sessions"  # an installed app: a pickled instance looks for its model there
            db_table = "cache_conformance_poll"

    connection = connections[router.db_for_write(Poll)]
    with connection.schema_editor() as editor:
        editor.create_model(Poll)
    try:
        yield Poll, calls
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Poll)
        del apps.all_models["sessions"]["poll"]
        apps.clear_cache()


@clause("data.model-instances-survive", MUST, docs=INSTANCES, database=True)
def model_instances_survive(cache):
    """A model instance comes back as it was when stored, not as the database has it now.

    So do what a query has attached to it and the name of the database that it is from.
    """
    with polls() as (model, _):
        model.objects.create(question="Saved?")
        saved = model.objects.annotate(votes=models.Value(3)).get()
        for found in ways(cache, [saved, model(question="New?")]):
            model.objects.update(question="Changed?")
            assert found[0] == saved
            assert [type(poll) for poll in found] == [model, model]
            assert [poll.pk for poll in found] == [saved.pk, None]
            assert [poll.question for poll in found] == ["Saved?", "New?"]
            assert found[0].votes == 3
            assert [poll._state.adding for poll in found] == [False, True]
            assert [poll._state.db for poll in found] == [saved._state.db, None]


@clause(
    "data.querysets-survive",
    SHOULD,
    level_for_django=MUST,
    docs=QUERYSETS,
    apis=SYNC_ONLY,
    database=True,
)
def querysets_survive(cache):
    """A queryset comes back with the results that it had when it was stored.

    Pickling has it fetch them: what copies in another way, as deepcopy() does, may not.
    """
    with polls() as (model, _):
        model.objects.bulk_create([model(question="One?"), model(question="Two?")])
        ordered = model.objects.order_by("pk")
        cache.set("all", ordered.all())
        cache.set_many({"deferred": ordered.defer("question")})
        cache.add("values", ordered.values_list("question", flat=True))
        model.objects.filter(question="Two?").delete()
        model.objects.update(question="Changed?")
        assert isinstance(cache.get("all"), models.QuerySet)
        assert [poll.question for poll in cache.get("all")] == ["One?", "Two?"]
        assert [poll.get_deferred_fields() for poll in cache.get("deferred")] == [{"question"}] * 2
        assert list(cache.get("values")) == ["One?", "Two?"]


@clause("data.field-defaults-are-not-called", MUST, docs=INSTANCES, database=True)
def field_defaults_are_not_called(cache):
    """Neither storing nor reading a model instance calls a default of its fields again."""
    with polls() as (model, calls):
        poll = model.objects.create(question="Well?")
        deferred = model.objects.defer("answer")
        for stored in poll, deferred.get(), list(model.objects.all()), list(deferred):
            list(ways(cache, stored))
            cache.delete_many(WAYS)
        assert calls == ["called"]


@clause(
    "data.queryset-defaults-are-not-called", MUST, docs=QUERYSETS, apis=SYNC_ONLY, database=True
)
def queryset_defaults_are_not_called(cache):
    """Neither storing nor reading a queryset calls a default of its model's fields again."""
    with polls() as (model, calls):
        model.objects.create(question="Well?")
        for stored in model.objects.all(), model.objects.defer("question", "answer"):
            list(ways(cache, stored))
            cache.delete_many(WAYS)
        assert calls == ["called"]


class Consulting:
    """An object that writes to a cache when it is pickled, and reads from it when it is loaded."""

    cache = None
    read = None

    def __reduce__(self):
        self.cache.set("pickling", "seen")
        return consult, ()


def consult():
    loaded = Consulting()
    loaded.read = Consulting.cache.get("pickling")
    return loaded


@clause(
    "data.pickling-may-use-the-cache",
    SHOULD,
    level_for_django=MUST,
    docs=PICKLABLE,
    apis=SYNC_ONLY,
    requires=(*EACH_OPERATION, "data.objects-survive", SNAPSHOTS),
)
def pickling_may_use_the_cache(cache):
    """An object may itself use the cache while it is pickled and while it is loaded."""
    Consulting.cache = cache
    try:
        for found in ways(cache, Consulting()):
            assert found.read in (None, "seen")
        assert cache.get("pickling") == "seen"
    finally:
        Consulting.cache = None


@clause(SNAPSHOTS, SHOULD, docs=PICKLABLE)
def stored_values_are_snapshots(cache):
    """What happens to an object after it was stored does not reach the cache."""
    for name, write in writes(cache):
        value = {"list": ["as stored"]}
        held = (["as stored"],)
        write(name, value)
        write(f"{name}-tuple", held)
        value["list"].append("later")
        value["more"] = "later"
        held[0].append("later")
        assert cache.get(name) == {"list": ["as stored"]}
        assert cache.get_many([name]) == {name: {"list": ["as stored"]}}
        assert list(cache.get(f"{name}-tuple")) == [["as stored"]]


@clause("data.returned-values-are-copies", SHOULD, docs=PICKLABLE)
def returned_values_are_copies(cache):
    """What happens to an object that was read reaches neither the cache nor other readers."""
    cache.set("k", [["as stored"]])
    for read in (
        lambda: cache.get("k"),
        lambda: cache.get_many(["k"])["k"],
        lambda: cache.get_or_set("k", "missed"),
        lambda: cache.get_or_set("new", [["as stored"]]),
    ):
        found = read()
        found[0].append("later")
        found.append("later")
        again = read()
        assert again is not found
        assert again == [["as stored"]]


THRESHOLDS = (256, 512, 1_000, 1_024, 2_048, 4_096, 8_192, 65_536)
"""Lengths from which many backends compress a value, cut it or store it elsewhere."""


@clause(
    "data.lengths-around-thresholds-survive",
    MUST,
    docs=PICKLABLE,
    requires=(ROOT, "many.set-many-stores-every-pair"),
    bulky=True,
)
def lengths_around_thresholds_survive(cache):
    """A value survives whatever its length, also where it comes to a round number once stored."""
    for threshold in THRESHOLDS:
        texts = {f"k{length}": "v" * length for length in range(threshold - 31, threshold + 1)}
        cache.set_many(texts)
        found = cache.get_many(list(texts))
        damaged = [key for key, text in texts.items() if found.get(key) != text]
        assert damaged == []


@clause("data.one-megabyte-can-be-stored", SHOULD, docs=PICKLABLE, bulky=True)
def one_megabyte_can_be_stored(cache):
    """A value of a million bytes can be stored, with each operation that stores."""
    value = os.urandom(1_000) * 999
    for name, write in writes(cache):
        write(name, value)
        assert cache.get(name) == value


@clause(
    "data.large-values-are-never-cut",
    MUST,
    docs=PICKLABLE,
    bulky=True,
    characteristic="stores-two-megabytes",
)
def large_values_are_never_cut(cache):
    """A value of two megabytes comes back whole, unless it was refused and is not there at all."""
    value = os.urandom(1_100_000) + bytes(900_000)
    stored = True
    for name, write in writes(cache):
        try:
            write(name, value)
        except Exception:
            stored = False
        found = cache.get(name)
        stored = stored and found is not None
        assert found is None or found == value
    return stored


@clause("data.huge-values-are-never-cut", MUST, docs=PICKLABLE, apis=SYNC_ONLY, bulky=True)
def huge_values_are_never_cut(cache):
    """A value of five megabytes comes back whole, unless it was refused and is not there at all."""
    value = os.urandom(1_000) * 5_000
    with suppress(Exception):
        cache.set("k", value)
    found = cache.get("k")
    assert found is None or found == value


@clause("data.refused-value-does-not-leave-the-old-one", MUST, docs=FAILED_SET, bulky=True)
def refused_value_does_not_leave_the_old_one(cache):
    """Where a value is too large to be stored, the one that it was to replace is gone too."""
    value = os.urandom(1_100_000)
    for name, write in ("set", cache.set), ("set_many", lambda k, v: cache.set_many({k: v})):
        cache.set(name, "old")
        try:
            write(name, value)
        except Exception:
            assert cache.get(name) is None
        else:
            assert cache.get(name) in (None, value)


@clause("data.unpicklable-value-raises", MUST, docs=PICKLE_ERRORS, each=UNPICKLABLE)
def unpicklable_value_raises(cache, value):
    """What cannot be pickled is refused with the error of pickle, or can be read all the same."""
    for name, write in writes(cache):
        try:
            failed = write(name, [value])
        except NOT_PICKLED:
            assert cache.get(name, "absent") == "absent"
        else:
            found = cache.get(name, "absent")
            assert failed == [name] or [type(member) for member in found] == [type(value)]
    with suppress(*NOT_PICKLED):
        failed = cache.set_many({"good": "v", "bad": value})
        assert failed == ["bad"] or type(cache.get("bad")) is type(value)


@clause("data.pickle-error-reaches-the-caller", SHOULD, level_for_django=MUST, docs=PICKLE_ERRORS)
def pickle_error_reaches_the_caller(cache):
    """A PickleError of an object is what storing it raises, or it can be read all the same."""
    for name, write in writes(cache):
        try:
            write(name, Unpicklable())
        except pickle.PickleError:
            continue
        assert type(cache.get(name)) is Unpicklable


@clause(
    "data.failed-pickling-keeps-the-old-value",
    SHOULD,
    docs=PICKLE_ERRORS,
    requires=["data.unpicklable-value-raises"],
)
def failed_pickling_keeps_the_old_value(cache):
    """Where a new value cannot be pickled, the old one stays."""
    cache.set("k", "old")
    for write, new in (cache.set, ("k", Unpicklable())), (cache.set_many, ({"k": Unpicklable()},)):
        try:
            write(*new)
        except NOT_PICKLED:
            assert cache.get("k") == "old"
        else:
            raise NotApplicable("it takes what pickle refuses")


@clause(
    "data.refused-value-leaves-no-file",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs=f"{FILE_BASED}.set",
    apis=SYNC_ONLY,
    requires=["data.unpicklable-value-raises"],
)
def refused_value_leaves_no_file(cache, entry):
    """A value that a file-based cache cannot pickle leaves no file behind."""
    cache.set("k", "v")
    before = set(os.listdir(entry()["LOCATION"]))
    with suppress(*NOT_PICKLED):
        cache.set("k", Unpicklable())
    left = set(os.listdir(entry()["LOCATION"])) - before
    assert left == set()


@clause(
    "data.empty-file-is-no-entry",
    SHOULD,
    derived_from=(FileBasedCache,),
    level_for_django=MUST,
    docs=f"{FILE_BASED}._is_expired",
    apis=SYNC_ONLY,
)
def empty_file_is_no_entry(cache, entry):
    """A file that a crash has left empty counts as an entry that has expired."""
    for read, nothing in (cache.get, None), (cache.has_key, False):
        cache.set("k", "v")
        files = list(pathlib.Path(entry()["LOCATION"]).rglob(f"*{cache.cache_suffix}"))
        if not files:
            raise NotApplicable("it keeps its entries in no files of its suffix")
        for file in files:
            os.truncate(file, 0)
        assert read("k") is nothing


@clause("data.unloadable-entry-raises", SHOULD, docs=PICKLE_ERRORS, each=UNLOADABLE)
def unloadable_entry_raises(cache, value):
    """Reading an entry whose pickle can no longer be loaded raises the error of loading it."""
    cache.set("k", value)
    with raises(value.error):
        cache.get("k")
    with raises(value.error):
        cache.get_many(["k"])
    with raises(value.error):
        cache.get_or_set("k", "new")


@clause("data.unloadable-entry-can-be-replaced", SHOULD, docs=PICKLABLE, each=UNLOADABLE)
def unloadable_entry_can_be_replaced(cache, value):
    """An entry whose pickle can no longer be loaded does not stop its key from being set again."""
    for name, write in ("set", cache.set), ("set_many", lambda k, v: cache.set_many({k: v})):
        cache.set(name, value)
        write(name, "new")
        assert cache.get(name) == "new"
    cache.set("k", value)
    assert cache.delete("k") is True
    assert cache.get("k") is None
