"""Keys: the prefix, the key function, and the final key that they make."""

from contextlib import suppress
from functools import wraps
from zlib import crc32

from django.core.cache.backends.base import BaseCache
from django.utils import timezone, translation

from cache_conformance.clause import EACH_OPERATION, MAY, MUST, SHOULD, SYNC_ONLY, Audience, clause
from cache_conformance.vocabulary import NotApplicable, importable, raises, writes

PREFIXING = "#cache-key-prefixing"
TRANSFORMATION = "#cache-key-transformation"
SEPARATES = ("key.prefix-separates-reads",)
NAMES = ("key.function-names-the-entry",)
ODD_PREFIXES = ("%d%%s", "{0}{x}", "[a-z]*?", "ü/../b:1:")


def mirrored(key, key_prefix, version):
    """A key function that writes the key backwards."""
    return f"{key_prefix}:{version}:{key[::-1]}"


def mirrors(mapped, cache):
    """Each operation of ``mapped`` on "abc" acts on the entry that ``cache`` calls "cba"."""
    mapped.set("abc", 1)
    assert mapped.add("def", 2) is True
    mapped.set_many({"ghi": 3})
    assert mapped.get_or_set("jkl", 4) == 4
    assert cache.get_many(["cba", "fed", "ihg", "lkj"]) == {"cba": 1, "fed": 2, "ihg": 3, "lkj": 4}
    assert mapped.get("abc") == 1
    assert mapped.get_many(["abc", "cba"]) == {"abc": 1}
    assert mapped.has_key("abc") is True
    assert mapped.touch("abc", 60) is True
    assert mapped.incr("abc", 5) == 6
    assert mapped.decr("abc") == 5
    assert mapped.incr_version("abc") == 2
    assert cache.get("cba", version=2) == 5
    assert mapped.decr_version("abc", version=2) == 1
    assert cache.get("cba") == 5
    assert mapped.delete("abc") is True
    mapped.delete_many(["def", "ghi"])
    assert cache.get_many(["cba", "fed", "ihg", "lkj"]) == {"lkj": 4}


@clause(
    "key.final-key-joins-prefix-version-key",
    SHOULD,
    level_for_django=MUST,
    docs=TRANSFORMATION,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def the_final_key(cache, alias):
    """make_key() joins prefix, version and key with colons to the final key."""
    prefix = cache.key_prefix
    final_keys = [cache.make_key("k", version=version) for version in (None, 2, 0)]
    assert final_keys == [f"{prefix}:1:k", f"{prefix}:2:k", f"{prefix}:0:k"]
    final_keys = [cache.make_key("k"), cache.make_key("k", 2)]
    assert final_keys == [f"{prefix}:1:k", f"{prefix}:2:k"]
    final_key = alias(KEY_PREFIX="pfx").make_key("a:b")
    assert final_key == "pfx:1:a:b"
    final_key = alias(KEY_PREFIX="").make_key("k")
    assert final_key == ":1:k"
    final_key = alias(KEY_PREFIX="pfx", VERSION=7).make_key("k")
    assert final_key == "pfx:7:k"


@clause("key.prefix-separates-reads", MUST, docs=PREFIXING)
def the_prefix_separates_reads(cache, alias):
    """What is stored under one KEY_PREFIX is absent under another."""
    other = alias(KEY_PREFIX=f"{cache.key_prefix}x")
    for name, write in writes(cache):
        write(name, "v")
    assert other.get("set") is None
    assert other.has_key("set") is False
    names = ["set", "add", "set_many", "get_or_set"]
    assert other.get_many(names) == {}
    assert cache.get_many(names) == dict.fromkeys(names, "v")


@clause("key.prefix-separates-writes", MUST, docs=PREFIXING, requires=SEPARATES)
def the_prefix_separates_writes(cache, alias):
    """Writing under one KEY_PREFIX works whatever another has, and leaves that as it is."""
    other = alias(KEY_PREFIX=f"{cache.key_prefix}x")
    names = ["set", "add", "set_many", "get_or_set"]
    cache.set_many(dict.fromkeys(names, "here"))
    for name, write in writes(other):
        write(name, "there")
    assert other.get_many(names) == dict.fromkeys(names, "there")
    assert cache.get_many(names) == dict.fromkeys(names, "here")


@clause(
    "key.prefix-separates-changes", MUST, docs=PREFIXING, requires=(*SEPARATES, *EACH_OPERATION)
)
def the_prefix_separates_changes(cache, alias):
    """Counting, touching, moving and deleting under one KEY_PREFIX leaves another's entry alone."""
    other = alias(KEY_PREFIX=f"{cache.key_prefix}x")
    cache.set("n", 10)
    assert other.touch("n", 0) is False
    assert other.delete("n") is False
    other.delete_many(["n"])
    for operation in other.incr, other.decr, other.incr_version, other.decr_version:
        with raises(ValueError):
            operation("n")
    assert cache.get("n") == 10
    other.set("n", 20)
    assert other.incr("n") == 21
    assert other.decr("n", 5) == 16
    assert other.incr_version("n") == 2
    assert other.get("n", version=2) == 16
    assert other.delete("n", version=2) is True
    assert cache.get("n") == 10
    assert cache.has_key("n", version=2) is False


@clause(
    "key.prefix-may-be-any-text",
    MUST,
    docs="ref/settings/#key-prefix",
    each=ODD_PREFIXES,
    requires=(*SEPARATES, *EACH_OPERATION),
)
def the_prefix_may_be_any_text(cache, alias, value):
    """KEY_PREFIX may hold what means something to a format, a pattern or a path."""
    odd = alias(KEY_PREFIX=cache.key_prefix + value)
    for name, write in writes(odd):
        write(name, 1)
    names = ["set", "add", "set_many", "get_or_set"]
    assert cache.get_many(names) == {}
    assert odd.get_many(names) == dict.fromkeys(names, 1)
    assert odd.get("set") == 1
    assert odd.has_key("set") is True
    assert odd.touch("set", 60) is True
    assert odd.incr("set") == 2
    assert odd.incr_version("set") == 2
    assert odd.delete("set", version=2) is True
    odd.delete_many(names)
    assert odd.get_many(names) == {}


@clause("key.in-asks-for-the-final-key", MUST, docs=TRANSFORMATION, apis=SYNC_ONLY)
def in_asks_for_the_final_key(cache, alias):
    """``in`` looks under the prefix, the version and the key function of the alias."""
    cache.set_many({"k": "v", "cba": "v"})
    assert ("k" in cache) is True
    assert ("k" in alias(KEY_PREFIX=f"{cache.key_prefix}x")) is False
    assert ("k" in alias(VERSION=2)) is False
    mapped = alias(KEY_FUNCTION=mirrored)
    assert ("abc" in mapped) is True
    assert ("cba" in mapped) is False


@clause("key.function-names-the-entry", MUST, docs=TRANSFORMATION, requires=EACH_OPERATION)
def the_function_names_the_entry(cache, alias):
    """Every operation acts on the entry that KEY_FUNCTION names."""
    mirrors(alias(KEY_FUNCTION=mirrored), cache)


@clause("key.function-may-be-a-path", MUST, docs="ref/settings/#key-function", requires=NAMES)
def the_function_as_a_path(alias):
    """KEY_FUNCTION may be a callable or the dotted path of one."""
    called = alias(KEY_FUNCTION=mirrored)
    named = alias(KEY_FUNCTION=f"{mirrored.__module__}.{mirrored.__name__}")
    named.set("abc", "v")
    assert called.get("abc") == "v"
    assert called.get("cba") is None
    assert called.delete("abc") is True
    assert named.get("abc") is None


class ByPrefix:
    """A key function that is an object, not a function."""

    def __call__(self, key, key_prefix, version):
        return f"{key_prefix}:{version}:{key[::-1]}"


@clause("key.function-may-be-any-callable", MUST, docs="ref/settings/#key-function", requires=NAMES)
def the_function_as_any_callable(cache, alias):
    """KEY_FUNCTION may be any callable."""
    for function in ByPrefix(), lambda key, prefix, version: f"{prefix}:{version}:{key[::-1]}":
        mapped = alias(KEY_FUNCTION=function)
        mapped.set("abc", "v")
        assert cache.get("cba") == "v"
        assert mapped.delete("abc") is True


@clause("key.function-none-is-the-default", MUST, docs="ref/settings/#key-function")
def no_function_is_the_default(cache, alias):
    """KEY_FUNCTION=None means the default key function."""
    plain = alias(KEY_FUNCTION=None)
    plain.set("k", "v")
    assert cache.get("k") == "v"
    assert plain.make_key("k") == cache.make_key("k")


@clause("key.function-gets-key-prefix-version", MUST, docs=TRANSFORMATION, requires=NAMES)
def the_arguments_of_the_function(cache, alias):
    """The key function is called with key, prefix and version, by position."""
    calls = []

    def noting(key, key_prefix, version, /):
        calls.append((key, key_prefix, version))
        return f"{key_prefix}:{version}:{key[::-1]}"

    mapped = alias(KEY_FUNCTION=noting)
    mapped.set("abc", 1)
    assert mapped.get_many(["abc", "def"]) == {"abc": 1}
    mapped.incr_version("abc")
    assert {"abc", "def"} <= {key for key, prefix, version in calls}
    assert {prefix for key, prefix, version in calls} == {cache.key_prefix}
    assert {version for key, prefix, version in calls} == {1, 2}
    calls.clear()
    alias(KEY_FUNCTION=noting, KEY_PREFIX="pfx", VERSION=7).get("abc")
    assert ("abc", "pfx", 7) in calls


@clause("key.clear-needs-no-function", SHOULD, docs=TRANSFORMATION, requires=NAMES, alone=True)
def clear_needs_no_function(cache, alias):
    """clear() does not call the key function."""
    calls = []

    def noting(key, key_prefix, version):
        calls.append(key)
        return f"{key_prefix}:{version}:{key}"

    cache.set("k", "v")
    alias(KEY_FUNCTION=noting).clear()
    assert calls == []
    assert cache.get("k") is None


@clause("key.get-many-answers-in-the-callers-keys", MUST, docs=TRANSFORMATION)
def get_many_answers_in_the_callers_keys(cache, alias):
    """get_many() answers with the keys that it was given, whatever the final keys are."""
    mapped = alias(KEY_FUNCTION=mirrored, KEY_PREFIX=f"{cache.key_prefix}a:b")
    for reader in cache, mapped:
        reader.set_many({"abc": 1, "de:f": 2})
        assert reader.get_many(["abc", "de:f", "absent"]) == {"abc": 1, "de:f": 2}
        reader.set("abc", 3, version=2)
        assert reader.get_many(iter(["abc", "de:f"]), version=2) == {"abc": 3}


@clause(
    "key.failed-keys-are-the-callers-keys",
    MUST,
    docs="#django.core.cache.cache.set_many",
    bulky=True,
)
def failed_keys_are_the_callers_keys(alias):
    """set_many() names the keys that it failed to store as the caller does."""
    mapped = alias(KEY_FUNCTION=mirrored)
    try:
        failed = mapped.set_many({"abc": "v", "huge": "v" * 2_000_000})
    except Exception as error:
        raise NotApplicable("set_many() raises for a value that it cannot store") from error
    assert set(failed or ()) <= {"huge"}


@clause(
    "key.make-key-can-be-overridden",
    MUST,
    docs="source:django.core.cache.backends.base.BaseCache.make_key",
    requires=EACH_OPERATION,
)
def make_key_can_be_overridden(cache, alias, backend_class):
    """Every operation acts on the entry that an overridden make_key() names."""
    if not issubclass(backend_class, BaseCache):
        raise NotApplicable("it is no subclass of BaseCache, whose make_key() this is about")

    @wraps(backend_class, updated=())  # its store may bear the name of its class
    class Plain(backend_class):
        pass

    @wraps(backend_class, updated=())
    class Mirroring(backend_class):
        def make_key(self, key, version=None):
            return super().make_key(key[::-1], version=version)

    cache.set("k", "v")
    if alias(BACKEND=importable(Plain)).get("k") != "v":
        raise NotApplicable("its subclasses have stores of their own")
    mirroring = alias(BACKEND=importable(Mirroring))
    if mirroring.make_key("ab") == cache.make_key("ab"):
        raise NotApplicable("its instances do not use a make_key() of a subclass")
    mirrors(mirroring, cache)


@clause(
    "key.key-func-can-be-replaced",
    SHOULD,
    docs="source:django.core.cache.backends.base.BaseCache.make_key",
    requires=NAMES,
)
def key_func_can_be_replaced(cache, alias):
    """Every operation acts on the entry that the attribute key_func names, also when replaced."""
    mapped = alias()
    mapped.set("k", "before")
    mapped.key_func = mirrored
    mirrors(mapped, cache)


@clause(
    "key.unknown-function-fails-at-once",
    SHOULD,
    docs="source:django.core.cache.backends.base.get_key_func",
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def an_unknown_function(alias):
    """A KEY_FUNCTION that cannot be imported raises ImportError when the cache is built."""
    with raises(ImportError):
        alias(KEY_FUNCTION="no.such.function")
    with raises(ImportError):
        alias(KEY_FUNCTION="string.no_such_function")


def numbered(key, key_prefix, version):
    """A key function that puts a number made of the prefix where the key has a 7."""
    return key.replace("7", str(crc32(key_prefix.encode())))


@clause("key.function-may-return-digits", MUST, docs=TRANSFORMATION, requires=NAMES)
def the_function_may_return_digits(alias):
    """Final keys that look like numbers are text: "7", "007" and "7.0" are different entries."""
    cache = alias(KEY_FUNCTION=numbered)
    spellings = ["7", "007", "7.0", "7e0", "+7", "7."]
    for number, key in enumerate(spellings):
        assert cache.get(key) is None
        cache.set(key, number)
    assert [cache.get(key) for key in spellings] == [0, 1, 2, 3, 4, 5]
    assert cache.get_many(spellings) == {key: number for number, key in enumerate(spellings)}
    for key in spellings:
        assert cache.delete(key) is True


@clause("key.language-is-no-part-of-it", MUST, docs=TRANSFORMATION, apis=SYNC_ONLY, requires=NAMES)
def the_language_is_no_part_of_the_key(cache):
    """What is stored under one active language and time zone is found under another."""
    with translation.override("de"), timezone.override(timezone.get_fixed_timezone(540)):
        for name, write in writes(cache):
            write(name, 1)
    with translation.override("fr"), timezone.override(timezone.get_fixed_timezone(-300)):
        assert cache.get("set") == 1
        assert cache.get_many(["add", "set_many"]) == {"add": 1, "set_many": 1}
        assert cache.has_key("get_or_set") is True
        assert cache.add("set", 2) is False
        assert cache.touch("set", 60) is True
        assert cache.incr("set") == 2
        cache.set("add", 2)
        assert cache.delete("set_many") is True
        cache.delete_many(["get_or_set"])
    with translation.override("de"):
        names = ["set", "add", "set_many", "get_or_set"]
        assert cache.get_many(names) == {"set": 2, "add": 2}


class KeyRefused(Exception):
    """What a key function raises for a key that it does not like."""


@clause("key.error-of-the-function-reaches-the-caller", SHOULD, docs=TRANSFORMATION, requires=NAMES)
def an_error_of_the_function(alias):
    """What the key function raises, every operation raises."""

    def refusing(key, key_prefix, version):
        if key == "bad":
            raise KeyRefused
        return f"{key_prefix}:{version}:{key}"

    cache = alias(KEY_FUNCTION=refusing)
    for operation, *arguments in (
        (cache.set, "bad", 1),
        (cache.get, "bad"),
        (cache.add, "bad", 1),
        (cache.get_or_set, "bad", 1),
        (cache.touch, "bad"),
        (cache.delete, "bad"),
        (cache.has_key, "bad"),
        (cache.incr, "bad"),
        (cache.decr, "bad"),
        (cache.incr_version, "bad"),
        (cache.decr_version, "bad"),
        (cache.get_many, ["good", "bad"]),
        (cache.set_many, {"good": 1, "bad": 2}),
        (cache.delete_many, ["good", "bad"]),
    ):
        with raises(KeyRefused):
            operation(*arguments)


def always_the_same(key, key_prefix, version):
    """A key function that knows one key only."""
    return f"{key_prefix}:{version}:same"


@clause(
    "key.two-keys-may-be-one-entry",
    MAY,
    docs=TRANSFORMATION,
    requires=NAMES,
    characteristic="keys-get-many-returns-for-one-entry",
)
def two_keys_one_entry(alias):
    """Two keys with one final key are one entry, which get_many() gives once or twice."""
    cache = alias(KEY_FUNCTION=always_the_same)
    cache.set("a", "v")
    assert cache.get("b") == "v"
    found = cache.get_many(["a", "b"])
    assert found in ({"a": "v"}, {"b": "v"}, {"a": "v", "b": "v"})
    return len(found)


@clause(
    "key.final-key-may-have-to-be-text",
    MAY,
    docs=TRANSFORMATION,
    requires=NAMES,
    characteristic="types-of-final-key-refused",
)
def a_final_key_that_is_not_text(cache, alias):
    """A final key that is an int or bytes works, or is refused with an error."""
    refused = []
    for name, final in ("int", 1), ("bytes", f"{cache.key_prefix}:bytes".encode()):
        odd = alias(KEY_FUNCTION=lambda key, key_prefix, version, final=final: final)
        try:
            odd.set("k", name)
        except Exception:
            refused.append(name)
        else:
            assert odd.get("k") == name
            assert odd.delete("k") is True
    return ", ".join(refused) or "none"


@clause(
    "key.lone-surrogate",
    MAY,
    docs="#django.core.cache.cache.set",
    characteristic="keys-outside-utf-8",
)
def a_key_that_is_no_utf8(cache):
    """A key that UTF-8 cannot hold works and is itself, or is refused with an error."""
    try:
        cache.set("k\ud800", "v")
    except Exception:
        return False
    assert cache.get("k\ud800") == "v"
    for other in "k\ud801", "k?", "k", "k\ufffd", "k\\ud800":
        with suppress(UnicodeError):
            assert cache.get(other) is None
    return True


CYRILLIC, CJK, EMOJI, ACCENTED = "ключ", "键值", "🗝️🗝️", "clé"


@clause("key.may-be-non-ascii", MUST, docs="#django.core.cache.cache.set", requires=EACH_OPERATION)
def non_ascii_keys(cache):
    """Keys outside ASCII work with every operation."""
    cache.set(CYRILLIC, 1)
    assert cache.get(CYRILLIC) == 1
    assert cache.add(CYRILLIC, 2) is False
    assert cache.add(CJK, 2) is True
    assert cache.get_or_set(EMOJI, 3) == 3
    cache.set_many({ACCENTED: 4})
    found = cache.get_many([CYRILLIC, CJK, EMOJI, ACCENTED])
    assert found == {CYRILLIC: 1, CJK: 2, EMOJI: 3, ACCENTED: 4}
    assert cache.has_key(EMOJI) is True
    assert cache.touch(CJK, 60) is True
    assert cache.incr(CYRILLIC) == 2
    assert cache.decr(ACCENTED) == 3
    assert cache.incr_version(CJK) == 2
    assert cache.get(CJK, version=2) == 2
    assert cache.delete(CYRILLIC) is True
    cache.delete_many([EMOJI])
    assert cache.get_many([CYRILLIC, CJK, EMOJI, ACCENTED]) == {ACCENTED: 3}


@clause("key.non-ascii-keys-are-distinct", MUST, docs="#django.core.cache.cache.set")
def non_ascii_keys_are_distinct(cache):
    """Keys that differ only in characters outside ASCII are different keys."""
    keys = ["ключ", "клюх", "键值", "键位", "clé", "clè", "cle", "cl", "cl?", "🗝", "🗿"]
    cache.set_many({key: number for number, key in enumerate(keys)})
    assert cache.get_many(keys) == {key: number for number, key in enumerate(keys)}
