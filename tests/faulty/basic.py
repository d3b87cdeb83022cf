"""Faults of basic usage."""

import copy
import pickle
import time
import unicodedata
from fnmatch import fnmatch
from functools import partial
from urllib.parse import unquote
from zlib import crc32

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.db.transaction import TransactionManagementError

from faulty import breaks

ABSENT = object()


@breaks("basic.set-then-get", says="get('k') returned None")
class ReadsFromAReplica(LocMemCache):
    """Reads another server than the one it writes to."""

    def get(self, key, default=None, version=None):
        return super().get(f"replica-{key}", default, version)


@breaks("basic.absent-key-returns-the-default", says="get('absent', False) returned None")
class ForgetsFalsyDefaults(LocMemCache):
    """Takes a falsy default for none."""

    def get(self, key, default=None, version=None):
        return super().get(key, default or None, version)


@breaks("basic.absent-key-returns-the-default", says="aget('absent', 'd') returned None")
class ForgetsTheDefaultInAsync(LocMemCache):
    """Has an aget() of its own, which ignores the default."""

    async def aget(self, key, default=None, version=None):
        value = self.get(key, ABSENT, version)
        return None if value is ABSENT else value


@breaks("basic.default-is-the-object-given", says='cache.get("absent", default) is default')
class CopiesTheDefault(LocMemCache):
    """Protects a mutable default from its readers by a copy."""

    def get(self, key, default=None, version=None):
        value = super().get(key, ABSENT, version)
        return copy.copy(default) if value is ABSENT else value


@breaks("basic.default-is-the-object-given", says="returned 'called'")
class CallsTheDefault(LocMemCache):
    """Calls the default of get() as get_or_set() does."""

    def get(self, key, default=None, version=None):
        value = super().get(key, ABSENT, version)
        if value is ABSENT:
            return default() if callable(default) else default
        return value


@breaks("basic.stored-value-beats-the-default", says="get('none', 'd') returned 'd'")
class TakesNoneForAMiss(LocMemCache):
    """Cannot tell a stored None from a miss."""

    def get(self, key, default=None, version=None):
        value = super().get(key, None, version)
        return default if value is None else value


@breaks("basic.set-replaces", says="get('k', 'absent') returned 'a long value'")
class NeverReplaces(LocMemCache):
    """Builds set() on add()."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.add(key, value, timeout, version)


@breaks("basic.set-replaces", says="get('set') returned 'old'")
class KeepsPermanentEntries(LocMemCache):
    """Does not let set() touch an entry without an expiry."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self._expire_info.get(self.make_key(key, version), 0) is not None:
            super().set(key, value, timeout, version)


@breaks("basic.set-returns-none", says="set('k', 'v') returned True")
class SetReturnsTrue(LocMemCache):
    """Passes on what its server answered."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        return True


@breaks("basic.add-stores-an-absent-key", says="add('k', 'v') returned None")
class AddReturnsNothing(LocMemCache):
    """Forgets to return the answer of add() if it stored."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.has_key(key, version):
            return False
        return self.set(key, value, timeout, version)


@breaks("basic.add-stores-an-absent-key", says="add('permanent', 'v', timeout=None) returned")
class AddNeedsATimeout(LocMemCache):
    """Stores nothing by add() without an expiry."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return timeout is not None and super().add(key, value, timeout, version)


@breaks("basic.add-keeps-a-present-key", says="add('set', 'new') returned True")
class AddIsSet(LocMemCache):
    """Builds add() on set()."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.set(key, value, timeout, version)
        return True


@breaks("basic.add-keeps-a-present-key", says="add('permanent', 'new', 60) returned True")
class AddTakesPermanentForExpired(LocMemCache):
    """Reads a missing expiry as one that has passed, in add() only."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self._expire_info.get(self.make_key(key, version), 0) is None:
            self.delete(key, version)
        return super().add(key, value, timeout, version)


@breaks("basic.add-keeps-a-falsy-value", says="add('none', 'new') returned True")
class AddTakesFalsyForAbsent(LocMemCache):
    """Asks by truth whether a key is there, in add() only."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.get(key, version=version):
            return False
        self.set(key, value, timeout, version)
        return True


@breaks("basic.refused-add-does-not-prolong", says="has_key('longer') returned True")
@breaks("basic.refused-add-does-not-shorten", says="get('timed') returned None")
class AddTouches(LocMemCache):
    """Sends the expiry after a conditional write, whether or not that wrote anything."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        added = super().add(key, value, timeout, version)
        self.touch(key, timeout, version)
        return added


class Remembering(LocMemCache):
    """Remembers which keys add() has stored."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.seen = set()

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        made = self.make_key(key, version)
        if made in self.seen:
            return False
        self.seen.add(made)
        return super().add(key, value, timeout, version)


@breaks("basic.add-after-delete", says="add('k', 'second') returned False")
class RemembersDeletedKeys(Remembering):
    """Leaves a deleted key in the index that add() asks."""


@breaks("basic.add-after-delete", says="add('k', 'third') returned False")
class RemembersKeysDeletedTogether(Remembering):
    """Leaves a key in the index that add() asks, if delete_many() deleted it."""

    def delete(self, key, version=None):
        self.seen.discard(self.make_key(key, version))
        return super().delete(key, version)

    def delete_many(self, keys, version=None):
        for key in keys:
            super().delete(key, version)


@breaks("basic.add-after-clear", says="add('k', 'second') returned False")
class RemembersClearedKeys(RemembersKeysDeletedTogether):
    """Does not empty the index that add() asks."""


@breaks("basic.add-after-expiry", says="returned False")
class AddSeesExpiryLate(LocMemCache):
    """Lets add() store again a minute after the expiry, when a sweep has removed the entry."""

    def has_key(self, key, version=None):
        return not self._has_expired(self.make_key(key, version))

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        expiry = self._expire_info.get(self.make_key(key, version))
        if expiry and expiry + 60 > time.time():
            return False
        return super().add(key, value, timeout, version)


@breaks("basic.delete-removes", says="get('set') returned 'v'")
class DeletesNothing(LocMemCache):
    """Answers delete() and leaves the work to another day."""

    def delete(self, key, version=None):
        return self.has_key(key, version)


@breaks("basic.delete-removes", says="get('other') returned None")
class DeletesEveryVersion(LocMemCache):
    """Forgets the version in delete()."""

    def delete(self, key, version=None):
        deleted = super().delete(key, version)
        for other in range(1, 4):
            super().delete(key, other)
        return deleted


@breaks("basic.delete-returns-true", says="delete('k') returned 1")
class DeleteCounts(LocMemCache):
    """Returns how many entries it deleted."""

    def delete(self, key, version=None):
        return int(super().delete(key, version))


@breaks("basic.delete-returns-true", says="delete('none') returned False")
class DeleteReturnsWhetherTrue(LocMemCache):
    """Deletes by popping, and asks by truth whether there was something."""

    def delete(self, key, version=None):
        value = self.get(key, version=version)
        super().delete(key, version)
        return bool(value)


@breaks("basic.delete-of-an-absent-key-returns-false", says="delete('absent') returned True")
class DeleteSaysYes(LocMemCache):
    """Returns that the key is gone, not that it deleted it."""

    def delete(self, key, version=None):
        super().delete(key, version)
        return True


@breaks("basic.delete-of-an-absent-key-returns-false", says="KeyError")
class DeleteRaises(LocMemCache):
    """Deletes as a dictionary does."""

    def delete(self, key, version=None):
        if not self.has_key(key, version):
            raise KeyError(key)
        return super().delete(key, version)


@breaks("basic.delete-of-an-expired-key", says="delete('k') returned None")
class DeleteForgetsToAnswer(LocMemCache):
    """Returns nothing for an entry whose time has passed."""

    def delete(self, key, version=None):
        expired = self._has_expired(self.make_key(key, version))
        stored = super().delete(key, version)
        return None if expired and stored else stored


@breaks("basic.has-key-of-a-present-key", says="has_key('none') returned False")
class HasKeyByTruth(LocMemCache):
    """Takes a falsy value for an absent one."""

    def has_key(self, key, version=None):
        return bool(self.get(key, version=version))


@breaks("basic.has-key-of-a-present-key", says="ahas_key('none') returned False")
class HasKeyByTruthInAsync(LocMemCache):
    """Takes None for an absent value, in the async API only."""

    async def ahas_key(self, key, version=None):
        return self.get(key, version=version) is not None


@breaks("basic.has-key-of-an-absent-key", says="has_key('absent') returned 0")
class HasKeyCounts(LocMemCache):
    """Returns how many such keys there are."""

    def has_key(self, key, version=None):
        return super().has_key(key, version) or 0


@breaks("basic.has-key-of-an-absent-key", says="has_key('k', version=2) returned True")
class HasKeyIgnoresTheVersion(LocMemCache):
    """Looks at the version of the alias alone."""

    def has_key(self, key, version=None):
        return super().has_key(key)


@breaks("basic.in-agrees-with-has-key", says="__contains__('none') returned False")
class ContainsByTruth(LocMemCache):
    """Has a ``__contains__`` of its own, which takes None for absent."""

    def __contains__(self, key):
        return self.get(key) is not None


@breaks("basic.in-agrees-with-has-key", says="__contains__('k') returned True")
class ContainsAnyVersion(LocMemCache):
    """Looks for the key in every version."""

    def __contains__(self, key):
        return any(self.has_key(key, version) for version in range(1, 4))


class Sliding(LocMemCache):
    """Gives an entry its default timeout again when a reader asks for it."""

    def slide(self, key, version=None):
        self.touch(key, version=version)


@breaks("basic.reading-does-not-prolong", says="get('get') returned 'old'")
class GetSlides(Sliding):
    """Prolongs by get()."""

    def get(self, key, default=None, version=None):
        self.slide(key, version)
        return super().get(key, default, version)


@breaks("basic.reading-does-not-prolong", says="get_many(['get_many']) returned {'get_many'")
class GetManySlides(Sliding):
    """Prolongs by get_many()."""

    def get_many(self, keys, version=None):
        keys = list(keys)
        for key in keys:
            self.slide(key, version)
        return super().get_many(keys, version)


@breaks("basic.reading-does-not-prolong", says="get('get_or_set') returned 'old'")
class GetOrSetSlides(Sliding):
    """Prolongs by get_or_set()."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        self.touch(key, timeout, version)
        return super().get_or_set(key, default, timeout, version)


@breaks("basic.in-does-not-prolong", says="__contains__('k') returned True")
class ContainsSlides(Sliding):
    """Prolongs by ``in``."""

    def __contains__(self, key):
        self.slide(key)
        return super().__contains__(key)


@breaks("basic.parameters-by-name", says="unexpected keyword argument 'timeout'")
class NamesItTtl(LocMemCache):
    """Calls the timeout of touch() by another name."""

    def touch(self, key, ttl=DEFAULT_TIMEOUT, version=None):
        return super().touch(key, ttl, version)


@breaks("basic.parameters-by-name", says="unexpected keyword argument 'data'")
class NamesItMapping(LocMemCache):
    """Calls the data of set_many() by another name."""

    def set_many(self, mapping, timeout=DEFAULT_TIMEOUT, version=None):
        return super().set_many(mapping, timeout, version)


@breaks("basic.parameters-by-position", says="get_or_set('k', 0, 60, 2) returned 0")
class VersionBeforeTimeout(LocMemCache):
    """Declares version and timeout of get_or_set() in the wrong order."""

    def get_or_set(self, key, default, version=None, timeout=DEFAULT_TIMEOUT):
        return super().get_or_set(key, default, timeout, version)


@breaks("basic.parameters-by-position", says="positional argument")
class VersionByNameOnly(LocMemCache):
    """Takes the version of incr_version() by name only."""

    def incr_version(self, key, delta=1, *, version=None):
        return super().incr_version(key, delta, version)


class NearCached(LocMemCache):
    """Keeps what get() has read in this process, too."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.near = {}

    def get(self, key, default=None, version=None):
        made = self.make_key(key, version)
        if made not in self.near:
            self.near[made] = super().get(key, ABSENT, version)
        return default if self.near[made] is ABSENT else self.near[made]


@breaks("basic.writes-are-seen-at-once", says="get('k') returned 0")
class ForgetsToInvalidateOnDelete(NearCached):
    """Drops what it keeps by set() and not by delete()."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        self.near.pop(self.make_key(key, version), None)


@breaks("basic.writes-are-seen-at-once", says="get_many(['k']) returned {}")
class ForgetsToInvalidateOnAdd(NearCached):
    """Drops what it keeps by set() and delete() and not by add()."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        self.near.pop(self.make_key(key, version), None)

    def delete(self, key, version=None):
        self.near.pop(self.make_key(key, version), None)
        return super().delete(key, version)


@breaks("basic.works-in-a-transaction", says="get('set') returned None")
class WaitsForTheCommit(LocMemCache):
    """Lets set() wait until the transaction commits that it is called in."""

    def set(self, *args, **kwargs):
        write = partial(super().set, *args, **kwargs)
        if connection.in_atomic_block:
            connection.on_commit(write)
        else:
            write()


@breaks("basic.works-in-a-transaction", says="TransactionManagementError")
class RefusesTransactions(LocMemCache):
    """Sets nothing inside a transaction."""

    def set(self, *args, **kwargs):
        if connection.in_atomic_block:
            raise TransactionManagementError("set() cannot be called inside a transaction")
        super().set(*args, **kwargs)


@breaks("basic.odd-keys-work", says="FileNotFoundError")
class KeysAreFileNames(FileBasedCache):
    """Names the file after the key."""

    def _key_to_file(self, key, version=None):
        return f"{self._dir}/{self.make_key(key, version)}{self.cache_suffix}"


@breaks("basic.odd-keys-work", says="set('%', ['%']) raised")
class KeysAreFormats(LocMemCache):
    """Formats its prefix into the finished key."""

    def make_key(self, key, version=None):
        return ("%s:" + super().make_key(key, version)) % "app"


@breaks("basic.subclass-of-str-is-a-key", says="TypeError: the key must be str, not SafeString")
class TakesPlainTextAlone(LocMemCache):
    """Compares the class of the key with str, where it should ask for an instance."""

    def make_and_validate_key(self, key, version=None):
        if type(key) not in (str, int):
            raise TypeError(f"the key must be str, not {type(key).__name__}")
        return super().make_and_validate_key(key, version)


@breaks("basic.errors-use-nothing-up", says="incr('k') raised ConnectionError")
class LosesConnections(LocMemCache):
    """Takes one of twenty connections for an incr(), and gives it back if there was no error."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.connections = 20

    def incr(self, key, delta=1, version=None):
        if not self.connections:
            raise ConnectionError("too many connections")
        self.connections -= 1
        value = super().incr(key, delta, version)
        self.connections += 1
        return value


@breaks("basic.keys-are-not-patterns", says="delete('a?') returned True")
class DeletesByPattern(LocMemCache):
    """Deletes whatever matches the key."""

    def delete(self, key, version=None):
        pattern = self.make_key(key, version)
        found = [made for made in self._cache if fnmatch(made, pattern)]
        for made in found:
            self._delete(made)
        return bool(found)


@breaks("basic.keys-are-not-patterns", says="get('%41') returned 3")
class KeysAreUrls(LocMemCache):
    """Decodes a key as part of an address."""

    def make_key(self, key, version=None):
        return unquote(super().make_key(key, version))


@breaks("basic.keys-differ-anywhere", says="cache.get_many([longest, *pairs]) == pairs")
class ShortensKeys(LocMemCache):
    """Keeps the first and the last 100 characters of a key that is longer than 200."""

    def make_and_validate_key(self, key, version=None):
        final = super().make_and_validate_key(key, version)
        return final if len(final) <= 200 else f"{final[:100]}{final[-100:]}"


@breaks("basic.keys-of-one-checksum-are-distinct", says="get('buckeroo') returned 1")
class ChecksumsKeys(LocMemCache):
    """Stores under the CRC-32 of a key."""

    def make_and_validate_key(self, key, version=None):
        final = super().make_and_validate_key(key, version)
        return f"{crc32(final.encode()):08x}"


@breaks("basic.related-keys-are-left-alone", says="cache.get_many(related) == related")
class KeepsTheExpiryAsAnEntry(LocMemCache):
    """Keeps the moment of expiry under the key with ":ttl" behind it."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        super()._set(key, value, timeout)
        if self._expire_info[key] is not None:
            super()._set(f"{key}:ttl", pickle.dumps(self._expire_info[key]), timeout)


@breaks("basic.keys-differ-by-case", says="get('key') returned 3")
class FoldsCase(LocMemCache):
    """Compares keys as a case-insensitive collation does."""

    def make_key(self, key, version=None):
        return super().make_key(key, version).lower()


@breaks("basic.keys-are-not-normalised", says="returned 'decomposed'")
class Normalises(LocMemCache):
    """Composes the characters of a key."""

    def make_key(self, key, version=None):
        return unicodedata.normalize("NFC", super().make_key(key, version))


@breaks("basic.empty-key", says="ValueError: a key must not be empty")
class RefusesTheEmptyKey(LocMemCache):
    """Wants a key of at least one character."""

    def make_key(self, key, version=None):
        if key == "":
            raise ValueError("a key must not be empty")
        return super().make_key(key, version)


@breaks("basic.integer-key", says="get(1) returned None")
class ConvertsIntegersInSet(LocMemCache):
    """Marks an integer as such in set(), and forgets it in get()."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(f"int-{key}" if type(key) is int else key, value, timeout, version)
