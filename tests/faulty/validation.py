"""Faults of key validation."""

import re
import warnings

from django.core.cache import CacheKeyWarning, InvalidCacheKey
from django.core.cache.backends.base import DEFAULT_TIMEOUT, memcache_key_warnings
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


class Transforming(LocMemCache):
    """Stores under ``transformed(final key)``, which is where a fault goes."""

    def transformed(self, final):
        return final

    def make_and_validate_key(self, key, version=None):
        return self.transformed(super().make_and_validate_key(key, version))


class CutsLongKeys(Transforming):
    """Cuts a final key off at 250 characters."""

    def transformed(self, final):
        return final[:250]


class TidiesKeys(Transforming):
    """Puts an underscore where a key has a space."""

    def transformed(self, final):
        return final.replace(" ", "_")


@breaks("validation.many-bytes-are-not-cut", says="attempt(cache.get, other) in (None, REFUSED)")
class CutsBytesOfAllowedKeys(Transforming):
    """Fits a key whose length it has found right into the bytes that its server takes."""

    def transformed(self, final):
        return final.encode()[:250].decode(errors="ignore") if len(final) <= 250 else final


@breaks("validation.portable-key-is-accepted", says="InvalidCacheKey")
class TakesShortKeys(LocMemCache):
    """Refuses keys of more than 200 characters."""

    def validate_key(self, key):
        if len(key) > 200:
            raise InvalidCacheKey(key)


@breaks("validation.portable-key-is-accepted", says="printable")
class UnquotesKeys(Transforming):
    """Takes an asterisk in a key for a pattern."""

    def transformed(self, final):
        return final.replace("*", "?")


@breaks("validation.portable-key-draws-no-warning", says="complaints(")
class WarnsOneTooEarly(LocMemCache):
    """Warns of a key of 250 characters."""

    def validate_key(self, key):
        if len(key) >= 250:
            warnings.warn("the key is too long", CacheKeyWarning, stacklevel=2)


@breaks("validation.portable-key-draws-no-warning", says="complaints(")
class WantsAscii(LocMemCache):
    """Warns of every character outside ASCII."""

    def validate_key(self, key):
        if not key.isascii():
            warnings.warn("the key is not ASCII", CacheKeyWarning, stacklevel=2)


@breaks("validation.long-key-draws-a-warning", says="key_for(cache, length)) != []")
class AllowsFiveMore(LocMemCache):
    """Warns of more than 255 characters, as many as its column has."""

    def validate_key(self, key):
        if len(key) > 255:
            warnings.warn("the key is too long", CacheKeyWarning, stacklevel=2)


@breaks("validation.long-key-draws-a-warning", says="complaints(cache.set")
class SetDoesNotLook(DummyCache):
    """Stores nothing and so does not look at the key in set()."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        """Store nothing."""


@breaks("validation.control-character-draws-a-warning", says="complaints(cache.get, key) != []")
class WarnsOfWhiteSpace(LocMemCache):
    """Warns of white space and lets other control characters pass."""

    def validate_key(self, key):
        if re.search(r"\s", key):
            warnings.warn("there is white space in the key", CacheKeyWarning, stacklevel=2)


@breaks("validation.control-character-draws-a-warning", says="complaints(cache.get, key) != []")
class ForgetsDelete(LocMemCache):
    """Forgets that U+007F is a control character too."""

    def validate_key(self, key):
        if re.search(r"[\x00-\x20]", key):
            warnings.warn("there is a control character in the key", CacheKeyWarning, stacklevel=2)


@breaks("validation.every-operation-warns", says="touch('k k')")
class TouchDoesNotLook(LocMemCache):
    """Does not look at the key in touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        final = self.make_key(key, version)
        with self._lock:
            if self._has_expired(final):
                return False
            self._expire_info[final] = self.get_backend_timeout(timeout)
            return True


@breaks("validation.every-operation-warns", says="get_many(['first', 'k k', 'last'])")
class LooksAtTheFirst(LocMemCache):
    """Looks in get_many() at the first key only."""

    def get_many(self, keys, version=None):
        found = {}
        for number, key in enumerate(keys):
            final = self.make_key(key, version)
            if number == 0:
                self.validate_key(final)
            if final in self._cache:
                found[key] = self._cache[final]
        return found


@breaks("validation.every-operation-warns", says="delete_many(['first', 'k k', 'last'])")
class LooksAtTheLast(LocMemCache):
    """Looks in delete_many() at the last key only."""

    def delete_many(self, keys, version=None):
        for key in keys:
            final = self.make_key(key, version)
            self._delete(final)
        self.validate_key(final)


@breaks("validation.derived-operations-warn", says="has_key('k k')")
class HasKeyDoesNotLook(LocMemCache):
    """Does not look at the key in has_key()."""

    def has_key(self, key, version=None):
        return not self._has_expired(self.make_key(key, version))


@breaks("validation.in-warns", says="__contains__('k k')")
class InDoesNotLook(LocMemCache):
    """Does not look at the key in ``in``."""

    def __contains__(self, key):
        return not self._has_expired(self.make_key(key))


@breaks("validation.final-key-is-judged", says="complaints(")
class JudgesTheKeyAlone(LocMemCache):
    """Validates the key and not what becomes of it."""

    def make_and_validate_key(self, key, version=None):
        self.validate_key(key)
        return self.make_key(key, version)


@breaks("validation.final-key-is-judged", says="complaints(counting.get, key) == []")
class JudgesBoth(LocMemCache):
    """Validates the final key, and before it the key as well."""

    def make_and_validate_key(self, key, version=None):
        self.validate_key(key)
        return super().make_and_validate_key(key, version)


@breaks("validation.key-function-may-tidy-keys", says="InvalidCacheKey")
class RefusesKeysUnseen(LocMemCache):
    """Refuses a key before the key function has seen it."""

    def make_and_validate_key(self, key, version=None):
        for complaint in memcache_key_warnings(key):
            raise InvalidCacheKey(complaint)
        return super().make_and_validate_key(key, version)


@breaks("validation.message-quotes-the-final-key", says="repr(cache.make_key(key))")
class SaysNothing(LocMemCache):
    """Warns of a key without saying which."""

    def validate_key(self, key):
        for _ in memcache_key_warnings(key):
            warnings.warn("bad cache key", CacheKeyWarning, stacklevel=2)


class DoesNotValidate(LocMemCache):
    """Validates nothing."""

    def make_and_validate_key(self, key, version=None):
        return self.make_key(key, version)


@breaks("validation.message-is-djangos", says="said != []")
class HasNoMessage(DoesNotValidate):
    """Has nothing to say about any key."""


@breaks("validation.warnings-for-one-key", says="number >= 1")
class HasNoWarning(DoesNotValidate):
    """Never warns."""


@breaks("validation.refusal-is-a-valueerror", says="isinstance(refusal, InvalidCacheKey)")
class RefusesWithAValueError(LocMemCache):
    """Refuses a key with a ValueError of no name."""

    def validate_key(self, key):
        if len(key) > 250:
            raise ValueError(f"{key} is too long")


@breaks("validation.refusal-is-a-valueerror", says="TypeError")
class RefusesWithATypeError(LocMemCache):
    """Refuses a key with a TypeError."""

    def validate_key(self, key):
        if " " in key:
            raise TypeError(f"{key!r} has a space")


@breaks("validation.bad-key-is-stored-or-refused", says="setkkk")
class DropsWhatIsTooLong(LocMemCache):
    """Says nothing where its column is too narrow for a key, and stores nothing."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        if len(key) <= 255:
            super()._set(key, value, timeout)


@breaks("validation.bad-key-is-stored-or-refused", says="set_many")
class SetManyDropsBadKeys(LocMemCache):
    """Leaves bad keys out in set_many() without a word."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        good = {
            key: data[key]
            for key in data
            if not list(memcache_key_warnings(self.make_key(key, version)))
        }
        return super().set_many(good, timeout, version)


@breaks("validation.bad-key-works-or-is-refused", says="attempt(cache.get_many")
class GetManySplitsAtSpaces(LocMemCache):
    """Sends the keys of get_many() in one line, with spaces between them."""

    def get_many(self, keys, version=None):
        return super().get_many(" ".join(keys).split(), version)


@breaks("validation.bad-key-works-or-is-refused", says="attempt(cache.touch, key, 60)")
class TouchTidiesKeys(LocMemCache):
    """Strips the key in touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return super().touch(key.strip(), timeout, version)


@breaks("validation.bad-keys-are-distinct", says="attempt(cache.get, other)")
class CutsKeys(CutsLongKeys):
    """Reads by the first 250 characters."""


@breaks("validation.bad-keys-are-distinct", says="attempt(cache.get, other)")
class LeavesOutTheMiddle(Transforming):
    """Keeps the first and the last 100 characters of a key of more than 250."""

    def transformed(self, final):
        return final if len(final) <= 250 else f"{final[:100]}..{final[-100:]}"


@breaks("validation.bad-keys-are-distinct", says="get('k k') returned 'k_k'")
class PutsUnderscores(TidiesKeys):
    """Reads by a key with underscores."""


@breaks("validation.bad-keys-are-distinct", says="get('k k') returned 'k'")
class EndsAtTheSpace(Transforming):
    """Ends the key at its first space, as a line of the protocol would."""

    def transformed(self, final):
        return final.split(" ")[0]


@breaks("validation.bad-keys-are-distinct", says="get('k\\x00') returned 'k'")
class EndsAtNul(Transforming):
    """Ends the key at its first U+0000, as a string in C would."""

    def transformed(self, final):
        return final.split("\0")[0]


@breaks("validation.bad-keys-are-distinct", says="get('k ') returned 'k'")
class PadsKeys(Transforming):
    """Compares keys without the spaces at their ends, as a CHAR column does."""

    def transformed(self, final):
        return final.rstrip(" ")


@breaks("validation.bad-keys-are-distinct", says="get_many(['kkk")
class GetManyCutsKeys(LocMemCache):
    """Reads in get_many() by the first 250 characters."""

    def get_many(self, keys, version=None):
        starts = {self.make_key(key, version)[:250]: key for key in keys}
        return {starts[f[:250]]: self._cache[f] for f in self._cache if f[:250] in starts}


@breaks("validation.long-key-is-not-cut", says="get(")
class CutsAKeyToTheLongest(CutsLongKeys):
    """Makes of a key that is too long the longest that is not."""


@breaks("validation.bad-key-writes-only-itself", says="get('set_manyk_k') returned 'other'")
class SetManyTidiesKeys(LocMemCache):
    """Puts underscores in set_many() and nowhere else."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        tidy = {key.replace(" ", "_"): value for key, value in data.items()}
        return super().set_many(tidy, timeout, version)


@breaks("validation.bad-key-writes-only-itself", says="returned 'other'")
class WritesOverWhatItCuts(CutsLongKeys):
    """Writes by the first 250 characters."""


@breaks("validation.bad-key-changes-only-itself", says="delete('k k') returned True")
class DeleteTidiesKeys(LocMemCache):
    """Puts underscores in delete() and nowhere else."""

    def delete(self, key, version=None):
        return super().delete(key.replace(" ", "_"), version)


@breaks("validation.bad-key-changes-only-itself", says="incr('kkk")
class IncrCutsKeys(LocMemCache):
    """Counts what the first 250 characters name."""

    def incr(self, key, delta=1, version=None):
        for final in self._cache:
            if final[:250] == self.make_key(key, version)[:250]:
                return super().incr(final.split(":", 2)[2], delta, version)
        raise ValueError(f"Key '{key}' not found")


class Refusing(LocMemCache):
    """Refuses what Memcached refuses."""

    def validate_key(self, key):
        for complaint in memcache_key_warnings(key):
            raise InvalidCacheKey(complaint)


@breaks("validation.refusal-comes-first", says="has_key('first') returned True")
class RefusesOnTheWay(Refusing):
    """Stores one key after the other until it comes to the bad one."""


@breaks("validation.refusal-comes-first", says="get('second') returned None")
class DeletesOnTheWay(Refusing):
    """Looks at all keys in set_many() first, and not so in delete_many()."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key in data:
            self.make_and_validate_key(key, version)
        return super().set_many(data, timeout, version)


@breaks("validation.more-than-250-bytes", says="returned 'v'")
class CutsBytes(Transforming):
    """Cuts the bytes of a key off at 250."""

    def transformed(self, final):
        return final.encode()[:250].decode(errors="ignore")


@breaks("validation.override-gets-the-final-key", says='cache.make_key("k") in asked')
class AsksDjango(LocMemCache):
    """Warns in the words of Django without asking validate_key()."""

    def make_and_validate_key(self, key, version=None):
        final = self.make_key(key, version)
        for complaint in memcache_key_warnings(final):
            warnings.warn(complaint, CacheKeyWarning, stacklevel=2)
        return final


@breaks("validation.override-gets-the-final-key", says='cache.make_key("k") in asked')
class AsksAboutTheKey(LocMemCache):
    """Asks validate_key() about the key before it has prefix and version."""

    def make_and_validate_key(self, key, version=None):
        self.validate_key(key)
        return self.make_key(key, version)


@breaks("validation.override-replaces-the-warnings", says="complaints(operation, *arguments) == []")
class WarnsBesides(AsksDjango):
    """Asks validate_key() and warns besides."""

    def make_and_validate_key(self, key, version=None):
        self.validate_key(self.make_key(key, version))
        return super().make_and_validate_key(key, version)


@breaks("validation.override-may-refuse", says="delete('bad') returned False")
class DeleteHearsNoRefusal(LocMemCache):
    """Lets delete() fail without a sound."""

    def delete(self, key, version=None):
        try:
            return super().delete(key, version)
        except ValueError:
            return False


@breaks("validation.other-whitespace", says="get('k k') returned")
class DropsWhiteSpace(Transforming):
    """Drops all white space that Unicode knows."""

    def transformed(self, final):
        return "".join(final.split())
