"""Faults of versions."""

import json
import pickle
import time

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


class Moving(LocMemCache):
    """Moves an entry as BaseCache does; ``value`` is where a fault goes."""

    def value(self, key, version):
        value = self.get(key, self._missing_key, version=version)
        if value is self._missing_key:
            raise ValueError(f"Key '{key}' not found")
        return value

    def incr_version(self, key, delta=1, version=None):
        version = self.version if version is None else version
        value = self.value(key, version)
        self.set(key, value, version=version + delta)
        self.delete(key, version=version)
        return version + delta


@breaks("version.does-not-run-into-the-key", says="get('k', version=11) returned 'v'")
class JoinsWithoutAColon(LocMemCache):
    """Stores under the version and the key as one."""

    def make_and_validate_key(self, key, version=None):
        final = super().make_and_validate_key(key, version=version)
        number = self.version if version is None else version
        return final.replace(f":{number}:{key}", f":{number}{key}")


@breaks("version.incr-version-moves-the-entry", says='cache.get("large", version=2)')
class MovesTheFirstPiece(Moving):
    """Moves no more than the first 64 KiB of a text."""

    def value(self, key, version):
        value = super().value(key, version)
        return value[: 64 * 1024] if isinstance(value, str) else value


@breaks("version.separates-entries", says="get('k', version=1) returned 'second'")
class HasNoVersions(LocMemCache):
    """Leaves the version out of the final key."""

    def make_key(self, key, version=None):
        return f"{self.key_prefix}:{key}"


@breaks("version.default-is-one", says="get('written', version=1) returned None")
class DefaultIsZero(LocMemCache):
    """Counts versions from zero."""

    def __init__(self, name, params):
        super().__init__(name, {"VERSION": 0, **params})


@breaks("version.default-is-the-setting", says="touch('set', 60) returned False")
class TouchDefaultsToOne(LocMemCache):
    """Has the number 1 as the default of touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=1):
        return super().touch(key, timeout, version)


@breaks("version.default-is-the-setting", says="'add': 1, 'set_many': 1")
class DeleteManyDefaultsToOne(LocMemCache):
    """Has the number 1 as the default of delete_many()."""

    def delete_many(self, keys, version=1):
        super().delete_many(keys, version)


class Unset:
    """Stands for a version that is not given."""


@breaks("version.none-is-the-default", says="get('k', version=2) returned None")
class NoneIsAVersion(LocMemCache):
    """Stores under the version None."""

    def make_key(self, key, version=Unset):
        return self.key_func(key, self.key_prefix, self.version if version is Unset else version)

    make_and_validate_key = make_key

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=Unset):
        super().set(key, value, timeout, version)

    def get(self, key, default=None, version=Unset):
        return super().get(key, default, version)


@breaks("version.none-is-the-default", says="touch('set', 60, version=None) returned False")
class TouchKnowsNoNone(LocMemCache):
    """Makes the final key in touch() by itself."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=1):
        return f"{self.key_prefix}:{version}:{key}" in self._cache and super().touch(
            key, timeout, version
        )


@breaks("version.by-position", says="positional arguments")
class DeleteByKeyword(LocMemCache):
    """Takes the version of delete() by keyword only."""

    def delete(self, key, *, version=None):
        return super().delete(key, version)


@breaks("version.by-position", says="positional arguments")
class SetManyAsPrinted(LocMemCache):
    """Has set_many() with the two arguments that the documentation prints."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, **kwargs):
        return super().set_many(data, timeout, **kwargs)


@breaks("version.far-apart-ones-are-distinct", says="get('k', version=65537) returned 1")
class HasShortVersions(LocMemCache):
    """Keeps a version in 16 bits."""

    def make_key(self, key, version=None):
        version = self.version if version is None else version
        return super().make_key(key, version % 2**16)


@breaks("version.limits-reads", says="has_key('one', version=2) returned True")
class HasKeyIgnoresVersion(LocMemCache):
    """Overlooks the version in has_key()."""

    def has_key(self, key, version=None):
        return super().has_key(key) or super().has_key(key, version)


@breaks("version.limits-reads", says="get_many(['one', 'two'], version=2) returned {'one': 1}")
class GetManyIgnoresVersion(LocMemCache):
    """Overlooks the version in get_many()."""

    def get_many(self, keys, version=None):
        return super().get_many(keys)


@breaks("version.limits-reads", says="get('one', 'absent', version=2) returned 1")
class FallsBack(LocMemCache):
    """Reads the default version where the other has nothing."""

    def get(self, key, default=None, version=None):
        value = super().get(key, self._missing_key, version)
        return super().get(key, default) if value is self._missing_key else value


@breaks("version.limits-writes", says="returned {'set_many': 'second'}")
class SetManyIgnoresVersion(LocMemCache):
    """Overlooks the version in set_many()."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return super().set_many(data, timeout)


@breaks("version.limits-writes", says="returned {'add': 'first', 'get_or_set': 'first'}")
class KeepsOneVersion(LocMemCache):
    """Deletes what the default version holds when another one is written."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if version is not None:
            self.delete(key)
        super().set(key, value, timeout, version)


@breaks("version.limits-add", says="add('k', 'second', version=2) returned False")
class AddLooksAtTheDefault(LocMemCache):
    """Looks in add() for the key under the default version."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return not self.has_key(key) and super().add(key, value, timeout, version)


@breaks("version.limits-add", says="get_or_set('k', 'third', version=3) returned 'first'")
class GetOrSetReadsTheDefault(LocMemCache):
    """Reads in get_or_set() without the version."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        if self.has_key(key):
            return self.get(key)
        return super().get_or_set(key, default, timeout, version)


@breaks("version.limits-delete", says="get_many(['delete', 'delete_many']) returned {}")
class DeletesAllVersions(LocMemCache):
    """Deletes a key under every version that it finds."""

    def delete(self, key, version=None):
        found = super().delete(key, version)
        for other in range(5):
            super().delete(key, other)
        return found


@breaks("version.limits-delete", says="{'delete_many': 2}")
class DeleteManyIgnoresVersion(LocMemCache):
    """Overlooks the version in delete_many()."""

    def delete_many(self, keys, version=None):
        super().delete_many(keys)


@breaks("version.limits-touch", says="touch('k', 60, version=3) returned True")
class TouchIgnoresVersion(LocMemCache):
    """Overlooks the version in touch()."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        return super().touch(key, timeout)


class TouchesAllVersions(LocMemCache):
    """Touches a key under every version that it finds."""

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        found = super().touch(key, timeout, version)
        for other in range(5):
            super().touch(key, timeout, other)
        return found


@breaks("version.limits-touch", says="get('k') returned None")
class TouchesAllVersionsBriefly(TouchesAllVersions):
    """Shortens the life of all versions."""


@breaks("version.limits-touch-that-prolongs", says="get('k') returned 'first'")
class TouchesAllVersionsAtLength(TouchesAllVersions):
    """Prolongs the life of all versions."""


@breaks("version.limits-incr", says="decr('n', version=2) returned 9")
class DecrIgnoresVersion(LocMemCache):
    """Overlooks the version in decr()."""

    def decr(self, key, delta=1, version=None):
        return self.incr(key, -delta)


@breaks("version.limits-incr", says="incr('n', version=3) returned 10")
class IncrFallsBack(LocMemCache):
    """Counts the default version where the other has nothing."""

    def incr(self, key, delta=1, version=None):
        return super().incr(key, delta, version if self.has_key(key, version) else None)


@breaks("version.aliases-share-entries", says="get('first', version=1) returned None")
class KeepsAliasesApart(LocMemCache):
    """Makes the VERSION of the alias a part of the prefix too."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.key_prefix += f"/{self.version}"


@breaks("version.zero-and-negative-are-versions", says="get('set') returned None")
class ZeroIsNoVersion(LocMemCache):
    """Takes version 0 for none."""

    def make_key(self, key, version=None):
        return super().make_key(key, version or None)


@breaks("version.zero-and-negative-are-versions", says="ValueError")
class RefusesNegativeVersions(LocMemCache):
    """Has unsigned versions."""

    def make_key(self, key, version=None):
        if version is not None and int(version) < 0:
            raise ValueError("a version is not negative")
        return super().make_key(key, version)


@breaks("version.zero-may-be-the-setting", says="get('k', version=0) returned None")
class ZeroIsNoSetting(LocMemCache):
    """Takes VERSION=0 for no setting."""

    def __init__(self, name, params):
        super().__init__(name, {**params, "VERSION": params.get("VERSION") or 1})


@breaks("version.text-is-the-number", says="get('k', version='2') returned None")
class QuotesVersions(LocMemCache):
    """Joins the representation of the version."""

    def make_key(self, key, version=None):
        return f"{self.key_prefix}:{self.version if version is None else version!r}:{key}"


@breaks("version.incr-version-moves-the-entry", says="incr_version('user:1', version=2) returned 2")
class ReturnsTheOldVersion(LocMemCache):
    """Returns where the entry was."""

    def incr_version(self, key, delta=1, version=None):
        return super().incr_version(key, delta, version) - delta


@breaks("version.incr-version-moves-the-entry", says="get('user:1', version=3) returned None")
class CutsTheKeyAtItsColon(LocMemCache):
    """Takes the key out of the final key again, from the last colon on."""

    def incr_version(self, key, delta=1, version=None):
        new = super().incr_version(key, delta, version)
        self.set(key.rpartition(":")[2], self.get(key, version=new), version=new)
        if ":" in key:
            self.delete(key, new)
        return new


@breaks("version.decr-version-moves-the-entry", says="decr_version('user:1', version=3) returned 4")
class DecrVersionGoesUp(LocMemCache):
    """Forgets the sign in decr_version()."""

    def decr_version(self, key, delta=1, version=None):
        return self.incr_version(key, delta, version)


@breaks("version.move-leaves-nothing-behind", says="get('up', version=5) returned 'v'")
class Copies(LocMemCache):
    """Copies the entry and leaves the old one."""

    def incr_version(self, key, delta=1, version=None):
        version = self.version if version is None else version
        if not self.has_key(key, version):
            raise ValueError(f"Key '{key}' not found")
        self.set(key, self.get(key, version=version), version=version + delta)
        return version + delta


@breaks("version.move-leaves-nothing-behind", says="get('up', version=5) returned 'v'")
class CopiesUnderAPrefix(LocMemCache):
    """Cuts a final key at its colons, which are more where the prefix has one."""

    def incr_version(self, key, delta=1, version=None):
        value = self.get(key, version=version)
        new = super().incr_version(key, delta, version)
        if ":" in self.key_prefix:
            self.set(key, value, version=version)
        return new


@breaks("version.move-leaves-other-entries", says="get('bystander', version=5) returned None")
class MovesTheWholeVersion(LocMemCache):
    """Moves every key of the version."""

    def incr_version(self, key, delta=1, version=None):
        new = super().incr_version(key, delta, version)
        start = self.make_key("", new - delta)
        for final in [final for final in self._cache if final.startswith(start)]:
            other = final.removeprefix(start)
            self.set(other, self.get(other, version=new - delta), version=new)
            self.delete(other, new - delta)
        return new


@breaks("version.move-leaves-other-entries", says="returned {'bystander': 'v'}")
class DeletesUnderEveryPrefix(LocMemCache):
    """Deletes the old version under every prefix."""

    def incr_version(self, key, delta=1, version=None):
        new = super().incr_version(key, delta, version)
        for final in [final for final in self._cache if final.endswith(f":{new - delta}:{key}")]:
            self._delete(final)
        return new


@breaks("version.move-starts-at-the-default", says="ValueError")
class MovesFromOne(LocMemCache):
    """Moves from version 1 where none is given."""

    def incr_version(self, key, delta=1, version=1):
        return super().incr_version(key, delta, version)


@breaks("version.move-adds-delta", says="incr_version('k', 3, version=2) returned 3")
class MovesByOne(LocMemCache):
    """Moves by one, whatever delta is."""

    def incr_version(self, key, delta=1, version=None):
        return super().incr_version(key, delta // abs(delta), version)


@breaks("version.move-adds-delta", says="incr_version('k', delta=-2, version=3) returned 5")
class MovesUpOnly(LocMemCache):
    """Has no sign for delta in incr_version()."""

    def incr_version(self, key, delta=1, version=None):
        return super().incr_version(key, abs(delta), version)

    def decr_version(self, key, delta=1, version=None):
        return super().incr_version(key, -delta, version)


@breaks("version.move-of-a-missing-key-raises-valueerror", says="incr_version('absent') returned 2")
class MovesNothing(LocMemCache):
    """Returns the new version also where there is nothing to move."""

    def incr_version(self, key, delta=1, version=None):
        version = self.version if version is None else version
        if self.has_key(key, version):
            return super().incr_version(key, delta, version)
        return version + delta


@breaks("version.move-of-a-missing-key-raises-valueerror", says="incr_version('k', version=2)")
class MissesTheKeyUnderItsDefault(LocMemCache):
    """Looks for the key under the default version, whatever it is told."""

    def incr_version(self, key, delta=1, version=None):
        if self.has_key(key) and not self.has_key(key, version):
            return version + delta
        return super().incr_version(key, delta, version)


@breaks("version.move-of-an-expired-key-raises-valueerror", says="incr_version('up') returned 2")
class RenamesWhatHasExpired(LocMemCache):
    """Renames an entry and does not ask whether it has expired."""

    def incr_version(self, key, delta=1, version=None):
        version = self.version if version is None else version
        old, new = self.make_key(key, version), self.make_key(key, version + delta)
        if old not in self._cache:
            raise ValueError(f"Key '{key}' not found")
        self._cache[new] = self._cache.pop(old)
        self._expire_info[new] = self._expire_info.pop(old)
        return version + delta


@breaks("version.none-is-moved", says="ValueError")
class NoneIsMissing(Moving):
    """Takes a stored None for a missing key."""

    def value(self, key, version):
        value = self.get(key, version=version)
        if value is None:
            raise ValueError(f"Key '{key}' not found")
        return value


@breaks("version.none-is-moved", says="incr_version('zero')")
class FalseIsMissing(Moving):
    """Takes a stored zero or empty value for a missing key."""

    def value(self, key, version):
        value = super().value(key, version)
        if not value and value is not None:
            raise ValueError(f"Key '{key}' not found")
        return value


@breaks("version.permanent-entries-are-moved", says="get('up', version=2) returned None")
class MovesTheTimeLeft(LocMemCache):
    """Gives a moved entry the time that it had left, and finds none left where it never expires."""

    def incr_version(self, key, delta=1, version=None):
        expires = self._expire_info.get(self.make_key(key, version)) or 0
        new = super().incr_version(key, delta, version)
        self.touch(key, expires - time.time(), new)
        return new


@breaks("version.moved-value-keeps-its-type", says="'tuple': [1, 2.5, None]")
class MovesThroughJson(Moving):
    """Moves values by way of JSON."""

    def value(self, key, version):
        return json.loads(json.dumps(super().value(key, version)))


@breaks("version.moved-value-keeps-its-type", says="get('n', version=2)")
class MovesPickledIntegers(Moving):
    """Moves the pickle of an integer and not the integer."""

    def value(self, key, version):
        value = super().value(key, version)
        return pickle.dumps(value) if type(value) is int else value


@breaks("version.move-replaces-what-is-there", says="get('k', version=2) returned 'second'")
class AddsAtTheTarget(LocMemCache):
    """Moves with add(), which gives way to what is there."""

    def incr_version(self, key, delta=1, version=None):
        version = self.version if version is None else version
        value = self.get(key, self._missing_key, version=version)
        if value is self._missing_key:
            raise ValueError(f"Key '{key}' not found")
        self.add(key, value, version=version + delta)
        self.delete(key, version=version)
        return version + delta


@breaks("version.move-reaches-zero-and-below", says="ValueError")
class VersionsBeginAtOne(LocMemCache):
    """Refuses to move below version 1."""

    def incr_version(self, key, delta=1, version=None):
        if (self.version if version is None else version) + delta < 1:
            raise ValueError("versions begin at 1")
        return super().incr_version(key, delta, version)


@breaks("version.move-and-timeout", says="prolonged")
class MovedIsPermanent(LocMemCache):
    """Makes a moved entry permanent."""

    def incr_version(self, key, delta=1, version=None):
        new = super().incr_version(key, delta, version)
        self.touch(key, None, new)
        return new


@breaks("version.move-by-zero", says="incr_version('k', 0) returned 2")
class MovesByOneAtLeast(LocMemCache):
    """Takes a delta of zero for none at all."""

    def incr_version(self, key, delta=None, version=None):
        return super().incr_version(key, delta or 1, version)


@breaks("version.text-cannot-move", says="get('k') returned None")
class TakesOutBeforeItAdds(LocMemCache):
    """Takes the entry out before it finds that its version is no number."""

    def incr_version(self, key, delta=1, version=None):
        version = self.version if version is None else version
        value = self.get(key, self._missing_key, version=version)
        if value is self._missing_key or not self.delete(key, version=version):
            raise ValueError(f"Key '{key}' not found")
        self.set(key, value, version=version + delta)
        return version + delta
