"""Key validation: keys that Memcached could not take."""

import warnings

from django.core.cache import CacheKeyWarning, InvalidCacheKey
from django.core.cache.backends.base import memcache_key_warnings

from cache_conformance.clause import EACH_OPERATION, MAY, MUST, SHOULD, SYNC_ONLY, Audience, clause
from cache_conformance.vocabulary import (
    REFUSED,
    NotApplicable,
    attempt,
    importable,
    key_for,
    raises,
    writes,
)

KEY_WARNINGS = "#cache-key-warnings"
KEY_WARNINGS_CODE = "source:django.core.cache.backends.base.memcache_key_warnings"
VALIDATE_KEY = "source:django.core.cache.backends.base.BaseCache.validate_key"
LONG_KEYS = ("validation.long-key-draws-a-warning",)
OVERRIDE = ("validation.override-gets-the-final-key",)

LONG = "k" * 300


def complaints(operation, *args):
    """Return the CacheKeyWarnings that the operation draws, or the InvalidCacheKey it raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            operation(*args)
        except Exception as error:
            if isinstance(error, InvalidCacheKey):
                return [error]
    return [each.message for each in caught if isinstance(each.message, CacheKeyWarning)]


def basic_operations(cache, key):
    """The operations that Django's own tests call with a key that Memcached refuses."""
    yield cache.set, key, 1
    yield cache.get, key
    yield cache.add, key, 1
    yield cache.touch, key
    yield cache.incr, key
    yield cache.decr, key
    yield cache.delete, key
    yield cache.get_many, ["first", key, "last"]
    yield cache.set_many, {"first": 1, key: 1, "last": 1}
    yield cache.delete_many, ["first", key, "last"]


def other_operations(cache, key):
    """The operations with a key that Django's own tests leave out."""
    yield cache.has_key, key
    yield cache.get_or_set, key, 1
    yield cache.incr_version, key
    yield cache.decr_version, key


@clause("validation.portable-key-is-accepted", MUST, docs=KEY_WARNINGS, requires=EACH_OPERATION)
def a_portable_key_is_accepted(cache):
    """A final key of 250 characters works, and so does every printable ASCII character in it."""
    longest = key_for(cache, 250)
    for name, write in writes(cache):
        key = name + longest[len(name) :]
        write(key, 1)
        assert cache.get(key) == 1
    assert cache.incr(key) == 2
    assert cache.touch(key) is True
    assert cache.delete(key) is True
    printable = {f"k{chr(code)}": code for code in range(0x21, 0x7F)}
    cache.set_many(printable)
    assert cache.get_many(printable) == printable
    cache.delete_many(printable)
    assert cache.get_many(printable) == {}


@clause(
    "validation.portable-key-draws-no-warning",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=(),
)
def a_portable_key_draws_no_warning(cache):
    """A final key of at most 250 characters without space or control character draws no warning."""
    longest = key_for(cache, 250)
    for operations in basic_operations, other_operations:
        for operation, *arguments in operations(cache, longest):
            assert complaints(operation, *arguments) == []
    assert complaints(cache.get, "!~\u0080é键") == []


@clause(
    "validation.long-key-draws-a-warning",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=(),
)
def a_long_key_draws_a_warning(cache):
    """A final key of 251 or more characters draws CacheKeyWarning or raises InvalidCacheKey."""
    for length in (251, 1000):
        assert complaints(cache.get, key_for(cache, length)) != []
        assert complaints(cache.set, key_for(cache, length), "v") != []


@clause(
    "validation.control-character-draws-a-warning",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=LONG_KEYS,
)
def a_control_character_draws_a_warning(cache):
    """A space or an ASCII control character in the key draws CacheKeyWarning or InvalidCacheKey."""
    characters = "\x00\x01\b\t\n\v\r\x1b\x1f \x7f"
    for key in (" k", "k k", *(f"k{character}" for character in characters)):
        assert complaints(cache.get, key) != []


@clause(
    "validation.every-operation-warns",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=LONG_KEYS,
)
def every_operation_warns(cache):
    """The operations on entries warn of a bad key or refuse it, also as one of many."""
    for operation, *arguments in basic_operations(cache, "k k"):
        assert complaints(operation, *arguments) != []


@clause(
    "validation.derived-operations-warn",
    SHOULD,
    docs=VALIDATE_KEY,
    audience=Audience.EVERY,
    requires=LONG_KEYS,
)
def derived_operations_warn(cache):
    """has_key(), get_or_set(), incr_version() and decr_version() warn of a bad key or refuse it."""
    for operation, *arguments in other_operations(cache, "k k"):
        assert complaints(operation, *arguments) != []


@clause(
    "validation.in-warns",
    SHOULD,
    docs=VALIDATE_KEY,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=LONG_KEYS,
)
def in_warns(cache):
    """``in`` warns of a bad key or refuses it."""
    for key in ("k k", key_for(cache, 251)):
        assert complaints(lambda key: key in cache, key) != []


def counted(key, key_prefix, version):
    """A key function that tells keys apart by their length alone."""
    return f"{key_prefix}:{version}:{len(key)}"


@clause(
    "validation.final-key-is-judged",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=LONG_KEYS,
)
def the_final_key_is_judged(cache, alias):
    """What is judged is the final key, after prefix, version and key function."""
    assert complaints(alias(KEY_PREFIX=f"{cache.key_prefix} x").get, "k") != []
    prefixed = alias(KEY_PREFIX="k" * 246)
    assert complaints(prefixed.get, "k") == []
    assert complaints(prefixed.get, "kk") != []
    assert complaints(prefixed.get, "k", None, 10) != []
    counting = alias(KEY_FUNCTION=counted)
    for key in ("k k", LONG):
        assert complaints(counting.get, key) == []


@clause(
    "validation.key-function-may-tidy-keys",
    MUST,
    docs="#cache-key-transformation",
    requires=EACH_OPERATION,
)
def a_key_function_may_tidy_keys(alias):
    """A key works, however long or odd it is, where the key function makes a portable one of it."""
    counting = alias(KEY_FUNCTION=counted)
    key = f"{LONG} \x00"
    for name, write in writes(counting):
        counting.delete(key)
        write(key, name)
        assert counting.get(key) == name
    assert counting.get_many([key]) == {key: "get_or_set"}
    assert counting.has_key(key) is True


@clause(
    "validation.message-quotes-the-final-key",
    SHOULD,
    docs="releases/3.0.8/",
    audience=Audience.EVERY,
    requires=LONG_KEYS,
)
def the_message_quotes_the_final_key(cache):
    """The warning or error about a key quotes the final key."""
    for key in ("k k", key_for(cache, 251)):
        for complaint in complaints(cache.get, key):
            assert repr(cache.make_key(key)) in str(complaint)


@clause(
    "validation.message-is-djangos",
    MAY,
    docs=KEY_WARNINGS_CODE,
    audience=Audience.EVERY,
    requires=LONG_KEYS,
    characteristic="key-warnings-in-djangos-words",
)
def the_message_is_djangos(cache):
    """The warning or error about a key may say what Django's say."""
    said = [
        str(complaint) in memcache_key_warnings(cache.make_key(key))
        for key in ("k k", key_for(cache, 251), f"{LONG} k")
        for complaint in complaints(cache.get, key)
    ]
    assert said != []
    return all(said)


@clause(
    "validation.refusal-is-a-valueerror",
    SHOULD,
    docs="source:django.core.cache.backends.base.InvalidCacheKey",
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=(),
)
def a_refusal_is_a_valueerror(cache):
    """Who refuses a key raises InvalidCacheKey, which is a ValueError."""
    for key in ("k \n", LONG):
        for operation, *arguments in (cache.get, key), (cache.set, key, 1), (cache.delete, key):
            try:
                operation(*arguments)
            except ValueError as refusal:
                assert isinstance(refusal, InvalidCacheKey)


BAD_KEYS = (
    " k k",
    "k\tk\r\nk",
    "k\x00k\x7f",
    LONG,
)


@clause("validation.bad-key-is-stored-or-refused", MUST, docs=KEY_WARNINGS)
def a_bad_key_is_stored_or_refused(cache):
    """What is written under a key that Memcached cannot take is stored, or raises an error."""
    for bad in BAD_KEYS:
        for name, write in writes(cache):
            key = f"{name}{bad}"
            if attempt(write, key, "v") != REFUSED:
                assert attempt(cache.get, key) in ("v", REFUSED)


@clause("validation.bad-key-works-or-is-refused", MUST, docs=KEY_WARNINGS, requires=EACH_OPERATION)
def a_bad_key_works_or_is_refused(cache):
    """Every operation with a key that Memcached cannot take works, or refuses it with an error."""
    for key in BAD_KEYS:
        if attempt(cache.set, key, 1) == REFUSED:
            assert attempt(cache.get, key) in (None, REFUSED)
            continue
        assert attempt(cache.add, key, 2) in (False, REFUSED)
        assert attempt(cache.has_key, key) in (True, REFUSED)
        assert attempt(cache.get_many, ["first", key]) in ({key: 1}, REFUSED)
        assert attempt(cache.touch, key, 60) in (True, REFUSED)
        assert attempt(cache.incr, key) in (2, REFUSED)
        assert attempt(cache.decr, key) in (1, REFUSED)
        assert attempt(cache.incr_version, key) in (2, REFUSED)
        assert attempt(cache.decr_version, key, 1, 2) in (1, REFUSED)
        assert attempt(cache.delete, key) in (True, REFUSED)
        cache.set(key, 1)
        if attempt(cache.delete_many, ["first", key]) != REFUSED:
            assert attempt(cache.get, key) in (None, REFUSED)


@clause("validation.bad-keys-are-distinct", MUST, docs=KEY_WARNINGS)
def bad_keys_are_distinct(cache):
    """A key that Memcached cannot take never reads what another key has stored."""
    half = LONG[:150]
    for key in ("k", "kk", "k_k", "k%20k", "t k", "n\x01n", f"{LONG}1", f"{half}1{half}"):
        attempt(cache.set, key, key)
    others = ("k k", "k ", " k", "k\x00", "k\n", "t\tk", "n\x00n", f"{LONG}2", f"{half}2{half}")
    for other in others:
        assert attempt(cache.get, other) in (None, REFUSED)
        assert attempt(cache.has_key, other) in (False, REFUSED)
        assert attempt(cache.get_many, [other]) in ({}, REFUSED)


@clause("validation.long-key-is-not-cut", MUST, docs=KEY_WARNINGS)
def a_long_key_is_not_cut(cache):
    """A key of more than 250 characters is another key than its first or last 250 characters."""
    longest = key_for(cache, 250)
    for longer in (f"{longest}1", f"1{longest}"):
        cache.delete(longest)
        attempt(cache.set, longer, "longer")
        assert cache.get(longest) is None
        cache.set(longest, "longest")
        assert attempt(cache.get, longer) in ("longer", REFUSED)


def common_shortcuts(cache, start=""):
    """Portable keys, each with a bad one that a backend in a hurry would take for it."""
    longest = start + key_for(cache, 250)[len(start) :]
    return {
        f"{start}k_k": f"{start}k k",
        f"{start}kk": f"{start}k\x00k",
        longest: f"{longest}1",
    }


@clause("validation.bad-key-writes-only-itself", MUST, docs=KEY_WARNINGS)
def a_bad_key_writes_only_itself(cache):
    """Writing under a key that Memcached cannot take leaves other keys as they are."""
    for name, write in writes(cache):
        pairs = common_shortcuts(cache, name)
        cache.set_many(dict.fromkeys(pairs, "kept"))
        for key, bad in pairs.items():
            attempt(write, bad, "other")
            assert cache.get(key) == "kept"


@clause("validation.bad-key-changes-only-itself", MUST, docs=KEY_WARNINGS, requires=EACH_OPERATION)
def a_bad_key_changes_only_itself(cache):
    """No operation with a key that Memcached cannot take finds or changes another key's entry."""
    pairs = common_shortcuts(cache)
    cache.set_many(dict.fromkeys(pairs, 5))
    for bad in pairs.values():
        assert attempt(cache.touch, bad, 0) in (False, REFUSED)
        assert attempt(cache.delete, bad) in (False, REFUSED)
        for operation in cache.incr, cache.decr, cache.incr_version, cache.decr_version:
            with raises(Exception):
                operation(bad)
        attempt(cache.delete_many, [bad])
    assert cache.get_many(pairs) == dict.fromkeys(pairs, 5)


@clause("validation.refusal-comes-first", SHOULD, docs=KEY_WARNINGS)
def a_refusal_comes_first(cache):
    """set_many() and delete_many() that refuse one key leave all the others untouched."""
    refused = f"{LONG} "
    if attempt(cache.set_many, {"first": 1, refused: 2}) != REFUSED:
        raise NotApplicable("the backend refuses no key")
    assert cache.has_key("first") is False
    cache.set("second", 1)
    attempt(cache.delete_many, ["second", refused])
    assert cache.get("second") == 1


@clause("validation.many-bytes-are-not-cut", MUST, docs=KEY_WARNINGS)
def many_bytes_are_not_cut(cache):
    """A key of at most 250 characters but more bytes is another key than what it begins with."""
    for key in "键" * 83, "é" * 124 + "1234":
        attempt(cache.set, key, "v")
        for other in key[:-1], f"{key[:-1]}x", f"{key}x":
            assert attempt(cache.get, other) in (None, REFUSED)


@clause(
    "validation.more-than-250-bytes",
    MAY,
    docs=KEY_WARNINGS,
    characteristic="keys-over-250-bytes",
)
def more_than_250_bytes(cache):
    """A key of at most 250 characters but more bytes works, or is refused with an error."""
    key = "键" * 83
    if attempt(cache.set, key, "v") == REFUSED:
        return False
    assert cache.get(key) == "v"
    assert attempt(cache.get, key[:-1]) in (None, REFUSED)
    return True


@clause(
    "validation.override-gets-the-final-key",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=(),
)
def an_override_gets_the_final_key(alias, backend_class):
    """A subclass that overrides validate_key() alone is asked about the final key every time."""
    asked = []

    class Asking(backend_class):
        def validate_key(self, key):
            asked.append(key)

    cache = alias(BACKEND=importable(Asking))
    for operations in basic_operations, other_operations:
        for operation, *arguments in operations(cache, "k"):
            asked.clear()
            attempt(operation, *arguments)
            assert cache.make_key("k") in asked


@clause(
    "validation.override-replaces-the-warnings",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=OVERRIDE,
)
def an_override_replaces_the_warnings(alias, backend_class):
    """With a validate_key() that is content, no key draws CacheKeyWarning or InvalidCacheKey."""

    class Content(backend_class):
        def validate_key(self, key):
            pass

    cache = alias(BACKEND=importable(Content))
    for operations in basic_operations, other_operations:
        for operation, *arguments in operations(cache, LONG):
            assert complaints(operation, *arguments) == []


@clause(
    "validation.override-may-refuse",
    SHOULD,
    docs=KEY_WARNINGS,
    audience=Audience.EVERY,
    level_for_django=MUST,
    requires=OVERRIDE,
)
def an_override_may_refuse(alias, backend_class):
    """What a validate_key() of one's own raises, every operation raises."""

    class Refusing(backend_class):
        def validate_key(self, key):
            if key.endswith("bad"):
                raise InvalidCacheKey(key)

    cache = alias(BACKEND=importable(Refusing))
    for operations in basic_operations, other_operations:
        for operation, *arguments in operations(cache, "bad"):
            with raises(InvalidCacheKey):
                operation(*arguments)


@clause(
    "validation.other-whitespace",
    MAY,
    docs=KEY_WARNINGS_CODE,
    characteristic="non-ascii-whitespace-in-keys",
)
def other_whitespace(cache):
    """White space outside ASCII works in a key, with a warning or without, or is refused."""
    keys = [f"k{space}k" for space in "\u0085\u00a0\u2003\u3000"]
    for key in keys:
        if attempt(cache.set, key, key) == REFUSED:
            return "refused"
    for other in "k k", "kk":
        assert attempt(cache.get, other) in (None, REFUSED)
    assert cache.get_many(keys) == {key: key for key in keys}
    return "accepted" if complaints(cache.get_many, keys) == [] else "warned about"


@clause(
    "validation.warnings-for-one-key",
    MAY,
    docs=VALIDATE_KEY,
    audience=Audience.EVERY,
    requires=LONG_KEYS,
    characteristic="key-warnings-of-one-get-or-set",
)
def warnings_for_one_key(cache):
    """One call may warn of a bad key more than once."""
    number = len(complaints(cache.get_or_set, "k k", 1))
    assert number >= 1
    return number
