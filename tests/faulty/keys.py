"""Faults of keys."""

import unicodedata
from inspect import isfunction

from django.core.cache.backends.base import DEFAULT_TIMEOUT, default_key_func
from django.core.cache.backends.locmem import LocMemCache
from django.utils.translation import get_language

from faulty import breaks


@breaks("key.final-key-joins-prefix-version-key", says="final_keys = [")
class JoinsWithSlashes(LocMemCache):
    """Joins the parts of the final key with slashes."""

    def make_key(self, key, version=None):
        return f"{self.key_prefix}/{self.version if version is None else version}/{key}"


@breaks("key.final-key-joins-prefix-version-key", says="final_key = '1:k'")
class LeavesOutAnEmptyPrefix(LocMemCache):
    """Leaves an empty prefix out, together with its colon."""

    def make_key(self, key, version=None):
        return super().make_key(key, version).removeprefix(":")


@breaks("key.prefix-separates-reads", says="get('set') returned 'v'")
class HasNoPrefix(LocMemCache):
    """Leaves the prefix out of the final key."""

    def make_key(self, key, version=None):
        return f"{self.version if version is None else version}:{key}"


@breaks("key.prefix-separates-reads", says="has_key('set') returned True")
class HasKeyIgnoresPrefix(LocMemCache):
    """Looks in has_key() for the key under any prefix."""

    def has_key(self, key, version=None):
        end = f":{self.version if version is None else version}:{key}"
        return any(final.endswith(end) for final in self._cache)


@breaks("key.prefix-separates-writes", says="returned {'set': 'there', 'set_many': 'there'}")
class AddIgnoresPrefix(LocMemCache):
    """Looks in add() for the key under any prefix."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        end = f":{self.version if version is None else version}:{key}"
        if any(final.endswith(end) for final in self._cache):
            return False
        return super().add(key, value, timeout, version)


@breaks("key.prefix-may-be-any-text", says="not enough arguments for format string")
class FormatsItsPrefix(LocMemCache):
    """Fills version and key into a pattern that the prefix is part of."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.pattern = f"{self.key_prefix}:%s:%s"

    def make_key(self, key, version=None):
        return self.pattern % (self.version if version is None else version, key)


@breaks("key.prefix-separates-changes", says="get('n') returned None")
class DeleteManyIgnoresPrefix(LocMemCache):
    """Deletes in delete_many() under every prefix."""

    def delete_many(self, keys, version=None):
        for key in keys:
            end = f":{self.version if version is None else version}:{key}"
            for final in [final for final in self._cache if final.endswith(end)]:
                self._delete(final)


@breaks("key.prefix-separates-changes", says="incr('n') returned 11")
class IncrIgnoresPrefix(LocMemCache):
    """Counts in incr() the first entry that it finds under any prefix."""

    def incr(self, key, delta=1, version=None):
        end = f":{self.version if version is None else version}:{key}"
        for final in self._cache:
            if final.endswith(end):
                other = LocMemCache("", {"KEY_FUNCTION": lambda key, *_: key})
                other._cache, other._expire_info = self._cache, self._expire_info
                return other.incr(final, delta)
        raise ValueError(f"Key '{key}' not found")


@breaks("key.in-asks-for-the-final-key", says="returned False")
class InLooksForTheKeyItself(LocMemCache):
    """Looks for the key as it is given."""

    def __contains__(self, key):
        return key in self._cache


@breaks("key.in-asks-for-the-final-key", says="alias(VERSION=2)")
class InKnowsOneVersion(LocMemCache):
    """Asks in ``in`` for version 1."""

    def __contains__(self, key):
        return self.has_key(key, 1)


class OwnKey(LocMemCache):
    """Has the default key function at hand for a fault."""

    def own_key(self, key, version=None):
        version = self.version if version is None else version
        return default_key_func(key, self.key_prefix, version)


@breaks("key.function-names-the-entry", says="touch('abc', 60) returned False")
class TouchHasItsOwnKey(OwnKey):
    """Makes the final key in touch() without the key function."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return self.own_key(key, version) in self._cache and super().touch(key, timeout, version)


@breaks("key.function-names-the-entry", says="returned {'fed': 2, 'ihg': 3, 'lkj': 4}")
class DeleteManyHasItsOwnKey(OwnKey):
    """Makes the final keys in delete_many() without the key function."""

    def delete_many(self, keys, version=None):
        for key in keys:
            self._delete(self.own_key(key, version))


@breaks("key.function-may-be-a-path", says="not callable")
class DoesNotImport(LocMemCache):
    """Takes KEY_FUNCTION as it is."""

    def __init__(self, name, params):
        super().__init__(name, {key: params[key] for key in params if key != "KEY_FUNCTION"})
        self.key_func = params.get("KEY_FUNCTION") or default_key_func


@breaks("key.function-may-be-any-callable", says="ModuleNotFoundError")
class WantsFunctions(LocMemCache):
    """Imports whatever is not a function."""

    def __init__(self, name, params):
        function = params.get("KEY_FUNCTION")
        if function is not None and not isfunction(function):
            params = {**params, "KEY_FUNCTION": str(function)}
        super().__init__(name, params)


@breaks("key.function-none-is-the-default", says="get('k') returned None")
class NoneIsNoFunction(LocMemCache):
    """Uses keys as they are where KEY_FUNCTION is None."""

    def __init__(self, name, params):
        super().__init__(name, params)
        if params.get("KEY_FUNCTION", "") is None:
            self.key_func = lambda key, key_prefix, version: key


@breaks("key.function-gets-key-prefix-version", says="positional-only")
class CallsTheFunctionByName(LocMemCache):
    """Calls the key function with keyword arguments."""

    def make_key(self, key, version=None):
        version = self.version if version is None else version
        return self.key_func(key=key, key_prefix=self.key_prefix, version=version)


@breaks("key.function-gets-key-prefix-version", says="{prefix for key, prefix, version in calls}")
class HidesThePrefix(LocMemCache):
    """Puts the prefix into the key before it calls the key function."""

    def make_key(self, key, version=None):
        version = self.version if version is None else version
        return self.key_prefix + self.key_func(key, "", version)


@breaks("key.clear-needs-no-function", says="calls == []")
class ClearsByPattern(LocMemCache):
    """Makes a final key with a star to clear the store."""

    def clear(self):
        self.make_key("*")
        super().clear()


@breaks("key.get-many-answers-in-the-callers-keys", says=":1:abc': 1")
class AnswersInFinalKeys(LocMemCache):
    """Answers in final keys."""

    def get_many(self, keys, version=None):
        found = super().get_many(keys, version)
        return {self.make_key(key, version): value for key, value in found.items()}


@breaks("key.get-many-answers-in-the-callers-keys", says="{'abc': 1, 'f': 2}")
class CutsFinalKeysAtTheColon(LocMemCache):
    """Finds the caller's key behind the last colon of the final key."""

    def get_many(self, keys, version=None):
        found = super().get_many(keys, version)
        return {key.rpartition(":")[2]: value for key, value in found.items()}


@breaks("key.get-many-answers-in-the-callers-keys", says="returned {}")
class ReadsItsKeysTwice(LocMemCache):
    """Goes through the keys twice, so that nothing is left of an iterator."""

    def get_many(self, keys, version=None):
        finals = [self.make_key(key, version) for key in keys]
        return {
            key: self.get(key, version=version)
            for key, final in zip(keys, finals, strict=False)
            if final in self._cache
        }


@breaks("key.failed-keys-are-the-callers-keys", says=":1:eguh']")
class NamesFinalKeys(LocMemCache):
    """Names the final keys of what is too large."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        large = [key for key, value in data.items() if len(value) > 1_000_000]
        small = {key: value for key, value in data.items() if key not in large}
        super().set_many(small, timeout, version)
        return [self.make_key(key, version) for key in large]


@breaks("key.make-key-can-be-overridden", says="has_key('abc') returned False")
class HasKeyAsksTheFunction(LocMemCache):
    """Calls the key function in has_key() itself."""

    def has_key(self, key, version=None):
        version = self.version if version is None else version
        return self.key_func(key, self.key_prefix, version) in self._cache


@breaks("key.key-func-can-be-replaced", says="returned {}")
class KeepsTheFunction(LocMemCache):
    """Keeps the key function that it had when it was built."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._first_key_func = self.key_func

    def make_key(self, key, version=None):
        version = self.version if version is None else version
        return self._first_key_func(key, self.key_prefix, version)


@breaks("key.unknown-function-fails-at-once", says="no ImportError")
class ForgivesAnUnknownFunction(LocMemCache):
    """Takes the default key function where the other cannot be imported."""

    def __init__(self, name, params):
        try:
            super().__init__(name, params)
        except ImportError:
            super().__init__(name, {**params, "KEY_FUNCTION": None})


@breaks("key.function-may-return-digits", says="get('007') returned 0")
class ComparesNumbers(LocMemCache):
    """Compares keys that look like numbers as a column of numbers does."""

    def make_and_validate_key(self, key, version=None):
        final = super().make_and_validate_key(key, version)
        try:
            return float(final)
        except ValueError:
            return final


@breaks("key.language-is-no-part-of-it", says="get('set') returned None")
class KeepsLanguagesApart(LocMemCache):
    """Puts the active language into the final key."""

    def make_key(self, key, version=None):
        return f"{get_language()}:{super().make_key(key, version)}"


@breaks("key.error-of-the-function-reaches-the-caller", says="delete('bad') returned False")
class DeleteFailsSilently(LocMemCache):
    """Lets delete() fail without a sound."""

    def delete(self, key, version=None):
        try:
            return super().delete(key, version)
        except Exception:
            return False


@breaks("key.two-keys-may-be-one-entry", says="{'a': 'v', 'b': None}")
class FillsWithNone(LocMemCache):
    """Gives None in get_many() for a key whose final key it has had before."""

    def get_many(self, keys, version=None):
        finals, found = set(), {}
        for key, value in super().get_many(keys, version).items():
            final = self.make_key(key, version)
            found[key] = None if final in finals else value
            finals.add(final)
        return found


@breaks("key.final-key-may-have-to-be-text", says="get('k') returned None")
class SetWritesText(LocMemCache):
    """Makes text of the final key in set(), and nowhere else."""

    def validate_key(self, key):
        """Accept what is not text."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self._set(str(self.make_key(key, version)), value, timeout)


@breaks("key.lone-surrogate", says="returned 'v'")
class ReplacesSurrogates(LocMemCache):
    """Puts a question mark where UTF-8 has nothing."""

    def make_key(self, key, version=None):
        return super().make_key(key, version).encode("utf-8", "replace").decode()


@breaks("key.may-be-non-ascii", says="UnicodeEncodeError")
class KnowsAsciiOnly(LocMemCache):
    """Encodes keys in ASCII."""

    def make_key(self, key, version=None):
        return super().make_key(key, version).encode("ascii").decode()


@breaks("key.may-be-non-ascii", says="get_many(")
class GetManyKnowsLatinOnly(LocMemCache):
    """Leaves out of get_many() what Latin-1 cannot hold."""

    def get_many(self, keys, version=None):
        return super().get_many([key for key in keys if max(key) <= "\xff"], version)


@breaks("key.non-ascii-keys-are-distinct", says="'клюх': 10")
class DropsWhatIsNotAscii(LocMemCache):
    """Drops characters outside ASCII."""

    def make_key(self, key, version=None):
        return super().make_key(key, version).encode("ascii", "ignore").decode()


@breaks("key.non-ascii-keys-are-distinct", says="'clé': 6")
class DropsAccents(LocMemCache):
    """Drops accents."""

    def make_key(self, key, version=None):
        parts = unicodedata.normalize("NFKD", super().make_key(key, version))
        return "".join(part for part in parts if not unicodedata.combining(part))
