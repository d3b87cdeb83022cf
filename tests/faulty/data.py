"""Faults of stored data."""

import copy
import gzip
import json
import os
import pickle
import tempfile
import time
import unicodedata
import zlib
from collections import OrderedDict
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from enum import IntEnum
from threading import Lock

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.db.models import Model, QuerySet
from django.http import HttpResponse, QueryDict
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from faulty import breaks

ABSENT = object()


class Encoding(LocMemCache):
    """Stores what ``encode`` makes of a value, whichever operation stores it."""

    def encode(self, value):
        return value

    def decode(self, stored):
        return stored

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, self.encode(value), timeout, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return super().add(key, self.encode(value), timeout, version)

    def get(self, key, default=None, version=None):
        stored = super().get(key, ABSENT, version)
        return default if stored is ABSENT else self.decode(stored)


@breaks("data.built-in-values-survive", says="found = [1, True, 1.0]")
class StoresTuplesAsJson(Encoding):
    """Stores a tuple as JSON does, which knows lists only."""

    def encode(self, value):
        return json.loads(json.dumps(value)) if type(value) is tuple else value


@breaks("data.built-in-values-survive", says="found = {'nested': {'1': 'int'}}")
class DictsOfTextAsJson(Encoding):
    """Stores a dictionary as JSON where its keys are text, and does not look at those inside."""

    def encode(self, value):
        if type(value) is dict and all(type(key) is str for key in value) and self.fits(value):
            return json.loads(json.dumps(value))
        return value

    def fits(self, value):
        if type(value) is dict:
            return all(map(self.fits, value.values()))
        if type(value) is list:
            return all(map(self.fits, value))
        return value is None or type(value) in (bool, int, str)


@breaks("data.built-in-values-survive", says="found = [1, 1, 1")
class EqualMembersAreOne(LocMemCache):
    """Stores equal members of a list once, in set_many() alone, so that True becomes 1."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            if type(value) is list and len(value) == 6:
                known = {}
                value = [known.setdefault(member, member) for member in value]
            self.set(key, value, timeout, version)
        return []


@breaks("data.objects-survive", says="returned datetime.datetime(2024, 2, 29")
class StoresTimestamps(Encoding):
    """Stores a datetime as the seconds since 1970, which forget the offset."""

    def encode(self, value):
        if isinstance(value, datetime) and value.tzinfo:
            return ("datetime", value.timestamp())
        return value

    def decode(self, stored):
        if isinstance(stored, tuple) and stored[:1] == ("datetime",):
            return datetime.fromtimestamp(stored[1])
        return stored


@breaks("data.booleans-stay-booleans", says="returned 1")
class BooleansAreIntegers(Encoding):
    """Does not pickle integers, and takes bool for one."""

    def encode(self, value):
        return int(value) if type(value) is bool else value


@breaks("data.booleans-stay-booleans", says="get_or_set('get_or_set'")
class AddedBooleansAreIntegers(LocMemCache):
    """Does so in add() alone."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        value = int(value) if type(value) is bool else value
        return super().add(key, value, timeout, version)


@breaks("data.int-subclasses-keep-their-class", says="<class 'int'>")
class EnumsAreIntegers(Encoding):
    """Does not pickle integers, and takes an IntEnum for one."""

    def encode(self, value):
        return int(value) if isinstance(value, IntEnum) else value


@breaks("data.str-subclasses-keep-their-class", says="<class 'str'>")
class SafeTextIsText(Encoding):
    """Stores text as text, however safe it is."""

    def encode(self, value):
        return str.__str__(value[:]) if isinstance(value, SafeString) else value


@breaks("data.bytes-subclasses-keep-their-class", says="<class 'bytes'>")
class SubclassesOfBytesAreBytes(Encoding):
    """Stores bytes as they are, whatever they mean."""

    def encode(self, value):
        return bytes(value) if isinstance(value, bytes) else value


@breaks("data.falsy-values-are-stored", says="get('get_or_set', 'missed') returned 'missed'")
class DropsNoneAsDefault(LocMemCache):
    """Does not store the None that the default of get_or_set() returned."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        value = self.get(key, ABSENT, version)
        if value is ABSENT:
            value = default() if callable(default) else default
            if value is not None:
                self.add(key, value, timeout, version)
        return value

    def get_many(self, keys, version=None):
        return {key: self.get(key, version=version) for key in keys}


@breaks("data.falsy-values-are-stored", says="KeyError: 'set'")
class GetManySkipsFalsyValues(LocMemCache):
    """Leaves out of get_many() what it takes for a miss."""

    def get_many(self, keys, version=None):
        return {key: value for key in keys if (value := self.get(key, version=version))}


@breaks("data.integers-survive", says="found = 9007199254740992")
class IntegersAreFloats(Encoding):
    """Stores integers in the number type of its server, which has 53 bits."""

    def encode(self, value):
        return int(float(value)) if type(value) is int else value


@breaks("data.big-integers-are-never-altered", says="returned 9223372036854775807")
class Saturates(Encoding):
    """Stores the largest integer that it knows in place of a larger one."""

    def encode(self, value):
        return max(min(value, 2**63 - 1), -(2**63)) if type(value) is int else value


@breaks("data.big-integers-survive", says="OverflowError")
class RefusesBigIntegers(Encoding):
    """Packs integers in 64 bits."""

    def encode(self, value):
        if type(value) is int:
            value.to_bytes(8, signed=True)
        return value


@breaks("data.floats-survive", says="returned 0.0")
class LosesTheSignOfZero(Encoding):
    """Adds zero to floats."""

    def encode(self, value):
        return value + 0.0 if type(value) is float else value


@breaks("data.floats-survive", says="found = 1e+16")
class RoundsFloats(Encoding):
    """Prints floats with fifteen digits."""

    def encode(self, value):
        return float(f"{value:.15g}") if type(value) is float else value


@breaks("data.text-survives", says="returned ''")
class StripsText(Encoding):
    """Reads a line and strips its end."""

    def decode(self, stored):
        return stored.rstrip() if type(stored) is str else stored


@breaks("data.text-survives", says="found = 'a'")
class TextEndsAtNul(Encoding):
    """Keeps text as C does."""

    def encode(self, value):
        return value.partition("\0")[0] if type(value) is str else value


@breaks("data.text-survives", says="found = '\u00e9 \u00e9")
class NormalisesText(Encoding):
    """Composes the characters of text."""

    def encode(self, value):
        return unicodedata.normalize("NFC", value) if type(value) is str else value


@breaks("data.text-survives", says="found = '\\x1b")
class SkipsAByteOrderMark(Encoding):
    """Takes the first character of a text for a byte order mark."""

    def decode(self, stored):
        return stored.encode().decode("utf-8-sig") if type(stored) is str else stored


@breaks("data.literals-stay-text", says="found = 12")
class TextBecomesNumbers(Encoding):
    """Tries int() on whatever it reads, because integers are not pickled."""

    def decode(self, stored):
        try:
            return int(stored) if type(stored) in (str, bytes) else stored
        except ValueError:
            return stored


@breaks("data.literals-stay-text", says="found = '12'")
class BytesBecomeText(Encoding):
    """Decodes bytes where they are text."""

    def decode(self, stored):
        if type(stored) is bytes and stored.isalnum():
            return stored.decode()
        return stored


@breaks("data.bytes-survive", says="found = 'a pickle'")
class LoadsAgain(Encoding):
    """Loads any bytes that look like a pickle."""

    def decode(self, stored):
        try:
            return pickle.loads(stored) if type(stored) is bytes else stored
        except Exception:
            return stored


@breaks("data.bytes-survive", says="found = b'12'")
class BytearrayIsBytes(Encoding):
    """Sends a bytearray as bytes."""

    def encode(self, value):
        return bytes(value) if type(value) is bytearray else value


@breaks("data.bytes-survive", says="found = b'hello'")
class UnpacksGzip(Encoding):
    """Unpacks whatever bytes begin like a gzip file, whoever packed them."""

    def decode(self, stored):
        packed = type(stored) is bytes and stored.startswith(b"\x1f\x8b")
        return gzip.decompress(stored) if packed else stored


@breaks("data.containers-keep-their-class", says="found = {'a': 2, 'b': 1}")
class OrderedDictIsDict(Encoding):
    """Makes a plain dict of every dict."""

    def encode(self, value):
        return dict(value) if type(value) is OrderedDict else value


@breaks("data.sharing-survives", says="is found[1]")
class PicklesMembersApart(Encoding):
    """Stores the members of a list one by one."""

    def encode(self, value):
        return [copy.deepcopy(member) for member in value] if type(value) is list else value


@breaks("data.cycles-survive", says="ValueError: Circular reference")
class WalksTheValue(Encoding):
    """Walks lists to learn how large they are."""

    def encode(self, value):
        if type(value) is list and value[:1] == ["first"]:
            json.dumps(value)
        return value


@breaks("data.lone-surrogates", says="returned 'a?b'")
class ReplacesSurrogates(Encoding):
    """Stores a question mark for what it cannot encode."""

    def encode(self, value):
        return value.encode(errors="replace").decode() if type(value) is str else value


@breaks("data.callables-survive", says="raised TypeError")
class CallsWhatItStores(Encoding):
    """Calls whatever can be called, as get_or_set() does with a default."""

    def encode(self, value):
        return value("text") if callable(value) else value


@breaks("data.responses-survive", says="list(found.headers.items())")
class StoresContentOnly(Encoding):
    """Stores content and status of a response."""

    def encode(self, value):
        if type(value) is HttpResponse:
            kept = HttpResponse(value.content, status=value.status_code)
            kept.cookies = value.cookies
            return kept
        return value


@breaks("data.responses-survive", says="found.cookies.output()")
class DropsCookies(Encoding):
    """Does not want to share cookies."""

    def decode(self, stored):
        if isinstance(stored, HttpResponse):
            stored.cookies.clear()
        return stored


@breaks("data.responses-survive", says="found.charset == sent.charset")
class LosesTheCharset(Encoding):
    """Keeps of a response what its headers say, which need not tell the charset."""

    def decode(self, stored):
        if isinstance(stored, HttpResponse):
            stored._charset = None
        return stored


@breaks("data.request-data-survives", says="list(found.lists())")
class LastValueOnly(Encoding):
    """Copies a QueryDict as a dict, which sees the last value of each name."""

    def encode(self, value):
        if isinstance(value, QueryDict):
            kept = QueryDict(mutable=True)
            kept.update(value.dict())
            kept._mutable = False
            return kept
        return value


@breaks("data.values-are-not-compared", says="get_or_set('set', 'other') raised TypeError")
class ComparesWithMissing(LocMemCache):
    """Tells by == whether it has found nothing."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        found = self.get(key, self._missing_key, version=version)
        if found == self._missing_key:
            found = default() if callable(default) else default
            self.add(key, found, timeout, version)
            return self.get(key, found, version=version)
        return found


@breaks("data.values-are-not-compared", says="data.EqualToEverything'>")
class ComparesBeforeItWrites(LocMemCache):
    """Does not write a value that is stored already."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if super().get(key, self._missing_key, version) == value:
            self.touch(key, timeout, version)
        else:
            super().set(key, value, timeout, version)


@breaks("data.exceptions-are-values", says="get('set') raised KeyError: 'k'")
class RaisesExceptions(LocMemCache):
    """Has its store hand errors on as values, and raises those that were stored as values too."""

    def get(self, key, default=None, version=None):
        found = super().get(key, default, version)
        if isinstance(found, Exception):
            raise found
        return found


@breaks("data.lazy-text-survives", says="returned 'Yes'")
class EvaluatesLazyText(Encoding):
    """Stores lazy text in the language of the moment."""

    def encode(self, value):
        return str(value) if isinstance(value, Promise) else value


@breaks("data.model-instances-survive", says="[poll.question for poll in found]")
class ReloadsInstances(Encoding):
    """Reads a model instance from the database again."""

    def decode(self, stored):
        if isinstance(stored, list):
            for member in stored:
                if isinstance(member, Model) and member.pk:
                    member.refresh_from_db()
        return stored


@breaks("data.model-instances-survive", says="'Poll' object has no attribute 'votes'")
class KeepsOnlyFields(Encoding):
    """Stores of a model instance what are its fields, and makes a new one of them."""

    def decode(self, stored):
        if isinstance(stored, list) and stored and isinstance(stored[0], Model):
            stored[0] = self.made_anew(stored[0])
        return stored

    def made_anew(self, instance):
        names = [field.attname for field in instance._meta.concrete_fields]
        values = [getattr(instance, name) for name in names]
        return type(instance).from_db(instance._state.db, names, values)


@breaks("data.model-instances-survive", says="_state.db for poll in found")
class ForgetsTheDatabase(KeepsOnlyFields):
    """Loses from which database a model instance is."""

    def made_anew(self, instance):
        instance._state.db = None
        return instance


@breaks("data.querysets-survive", says="get('all') returned [<Poll: Poll object (1)>, <Poll")
class ListsQuerysets(Encoding):
    """Stores a queryset as the list of what it finds."""

    def encode(self, value):
        return list(value) if isinstance(value, QuerySet) else value


@breaks("data.querysets-survive", says="<QuerySet [<Poll: Poll object (1)>]>")
class StoresQueries(Encoding):
    """Stores the query of a queryset in place of its results."""

    def encode(self, value):
        return (value.model, value.query) if isinstance(value, QuerySet) else value

    def decode(self, stored):
        if isinstance(stored, tuple):
            queryset = stored[0].objects.all()
            queryset.query = stored[1]
            return queryset
        return stored


class Rebuilds(Encoding):
    """Makes a model instance anew of the fields that forms can edit."""

    def rebuilt(self, instance):
        fields = [field.attname for field in instance._meta.fields if field.editable]
        return type(instance)(**{name: getattr(instance, name) for name in fields})


@breaks("data.field-defaults-are-not-called", says="['called', 'called'")
class RebuildsInstances(Rebuilds):
    """Does so for each instance."""

    def decode(self, stored):
        return self.rebuilt(stored) if isinstance(stored, Model) else stored


@breaks("data.queryset-defaults-are-not-called", says="['called', 'called'")
class RebuildsResults(Rebuilds):
    """Does so for each result of a queryset."""

    def encode(self, value):
        return [self.rebuilt(member) for member in value] if isinstance(value, QuerySet) else value


class LockedFor(LocMemCache):
    """Does with one lock held what others do without."""

    lock = Lock()

    @contextmanager
    def locked(self):
        if not self.lock.acquire(timeout=0.1):
            raise TimeoutError("the store is locked")
        try:
            yield
        finally:
            self.lock.release()


@breaks("data.pickling-may-use-the-cache", says="set('pickling', 'seen') raised TimeoutError")
class PicklesUnderItsLock(LockedFor):
    """Pickles a value while the store is locked for it."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with self.locked():
            super().set(key, value, timeout, version)


@breaks("data.pickling-may-use-the-cache", says="get('pickling') raised TimeoutError")
class LoadsUnderItsLock(LockedFor):
    """Loads a value while the store is locked for it."""

    def get(self, key, default=None, version=None):
        with self.locked():
            return super().get(key, default, version)


@breaks("data.stored-values-are-snapshots", says="returned (['as stored', 'later'],)")
class KeepsTuples(LocMemCache):
    """Keeps tuples as they are, as nothing can change them."""

    tuples = {}  # noqa: RUF012

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        self.tuples.pop(self.make_key(key, version), None)
        if type(value) is tuple:
            self.tuples[self.make_key(key, version)] = value

    def get(self, key, default=None, version=None):
        found = super().get(key, ABSENT, version)
        kept = self.tuples.get(self.make_key(key, version), found)
        return default if found is ABSENT else kept


@breaks("data.stored-values-are-snapshots", says="returned {'list': ['as stored', 'later']")
class KeepsReferences(LocMemCache):
    """Keeps objects and not pickles of them, and copies what it returns."""

    objects = {}  # noqa: RUF012

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        self.objects[self.make_key(key, version)] = value

    def get(self, key, default=None, version=None):
        if super().get(key, ABSENT, version) is ABSENT:
            return default
        made = self.make_key(key, version)
        return (
            copy.deepcopy(self.objects[made])
            if made in self.objects
            else super().get(key, default, version)
        )


@breaks("data.returned-values-are-copies", says="'later'")
class SharesWhatItLoaded(LocMemCache):
    """Loads a pickle once and gives all readers the same object."""

    loaded = {}  # noqa: RUF012

    def get(self, key, default=None, version=None):
        value = super().get(key, ABSENT, version)
        if value is ABSENT:
            return default
        return self.loaded.setdefault(self.make_key(key, version), value)


@breaks("data.returned-values-are-copies", says="get_many(['k'])")
class GetManyShares(LocMemCache):
    """Does so in get_many() alone."""

    loaded = {}  # noqa: RUF012

    def get_many(self, keys, version=None):
        found = super().get_many(keys, version)
        return {
            key: self.loaded.setdefault(self.make_key(key, version), value)
            for key, value in found.items()
        }


class Limited(LocMemCache):
    """Does something about values that are larger than ``limit``."""

    limit = 1_000_000

    def too_large(self, value):
        return isinstance(value, bytes) and len(value) > self.limit


@breaks("data.lengths-around-thresholds-survive", says="'k998', ...]) raised UnpicklingError")
class CompressesTooMuch(LocMemCache):
    """Compresses from 1024 bytes on, and expects it from 1025 bytes on."""

    def _set(self, key, value, timeout=DEFAULT_TIMEOUT):
        super()._set(key, zlib.compress(value) if len(value) == 1024 else value, timeout)


@breaks("data.one-megabyte-can-be-stored", says="ValueError: too large")
class HalfAMegabyte(Limited):
    """Takes half a megabyte and no more."""

    limit = 500_000

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.too_large(value):
            raise ValueError("too large")
        super().set(key, value, timeout, version)


@breaks("data.large-values-are-never-cut", says="found is None or found == value")
class Cuts(Limited):
    """Cuts a value to the size of its column."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        value = value[: self.limit] if self.too_large(value) else value
        super().set(key, value, timeout, version)


@breaks("data.huge-values-are-never-cut", says="found is None or found == value")
class CutsAtFourMegabytes(Cuts):
    """Cuts a value to the size of a message."""

    limit = 4 * 1024 * 1024


@breaks("data.refused-value-does-not-leave-the-old-one", says="get('set') returned 'old'")
class IgnoresLargeValues(Limited):
    """Leaves a value that is too large, and the old one with it."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if not self.too_large(value):
            super().set(key, value, timeout, version)


@breaks("data.refused-value-does-not-leave-the-old-one", says="get('set_many') returned 'old'")
class SetManyRefusesLargeValues(Limited):
    """Raises before it wrote anything, in set_many() alone."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        if any(self.too_large(value) for value in data.values()):
            raise ValueError("too large")
        return super().set_many(data, timeout, version)


@breaks("data.refused-value-leaves-no-file", says="left == set()")
class LeavesItsTemporaryFile(FileBasedCache):
    """Moves a temporary file to its place, and thinks of no error before that."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self._cull()
        file, path = tempfile.mkstemp(dir=self._dir)
        with open(file, "wb") as opened:
            self._write_content(opened, timeout, value)
        os.replace(path, self._key_to_file(key, version))


@breaks("data.empty-file-is-no-entry", says="EOFError")
class ExpectsWholeFiles(FileBasedCache):
    """Loads the expiry of every file that there is."""

    def _is_expired(self, f):
        expiry = pickle.load(f)
        if expiry is None or expiry >= time.time():
            return False
        f.close()
        self._delete(f.name)
        return True


@breaks("data.unpicklable-value-raises", says="get('set', 'absent') returned 'absent'")
class FailsSilently(LocMemCache):
    """Takes an error of pickling for a failure of the cache, which must not show."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            super().set(key, value, timeout, version)
        except (pickle.PickleError, TypeError, AttributeError):
            self.delete(key, version)


@breaks("data.unpicklable-value-raises", says="get('set_many', 'absent') returned 'absent'")
class SetManyFailsSilently(LocMemCache):
    """Leaves out what it cannot pickle."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            with suppress(pickle.PickleError, TypeError, AttributeError):
                self.set(key, value, timeout, version)
        return []


@breaks("data.unpicklable-value-raises", says="get('add', 'absent') returned")
class AddsBeforeItPickles(LocMemCache):
    """Reserves the key in add() and pickles afterwards."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        added = super().add(key, None, timeout, version)
        if added:
            self.set(key, value, timeout, version)
        return added


@breaks("data.pickle-error-reaches-the-caller", says="TypeError: not serializable")
class WrapsPickleErrors(LocMemCache):
    """Has an error of its own for what it cannot store."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            super().set(key, value, timeout, version)
        except pickle.PickleError as error:
            raise TypeError("not serializable") from error


@breaks("data.failed-pickling-keeps-the-old-value", says="get('k') returned None")
class DeletesFirst(LocMemCache):
    """Makes room before it pickles."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.delete(key, version)
        super().set(key, value, timeout, version)


@breaks("data.unloadable-entry-raises", says="get('k') returned None")
class TakesUnloadableForAMiss(LocMemCache):
    """Takes a pickle that it cannot load for a miss."""

    def get(self, key, default=None, version=None):
        try:
            return super().get(key, default, version)
        except Exception:
            return default


@breaks("data.unloadable-entry-raises", says="get_or_set('k', 'new') returned 'new'")
class GetOrSetReplacesUnloadable(LocMemCache):
    """Does so in get_or_set() alone, and stores the default."""

    def get_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            return super().get_or_set(key, default, timeout, version)
        except Exception:
            self.set(key, default, timeout, version)
            return default


@breaks("data.unloadable-entry-can-be-replaced", says="set('set', 'new') raised AttributeError")
class ReadsBeforeItWrites(LocMemCache):
    """Reads the old value first, so as not to write the same again."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if self.get(key, ABSENT, version) is not value:
            super().set(key, value, timeout, version)


@breaks("data.unloadable-entry-can-be-replaced", says="delete('k') raised")
class ReadsBeforeItDeletes(LocMemCache):
    """Reads the value that it deletes, to tell whether there was one."""

    def delete(self, key, version=None):
        return self.get(key, ABSENT, version) is not ABSENT and super().delete(key, version)


@breaks("data.objects-survive", says="found = ['<b>']")
class ListsOfTextAsJson(Encoding):
    """Stores a list of text as JSON, which knows one kind of text."""

    def encode(self, value):
        text = type(value) is list and all(isinstance(member, str) for member in value)
        return json.loads(json.dumps(value)) if text else value


@breaks("data.fold-survives", says="found.fold == 1")
class WritesIsoFormat(Encoding):
    """Stores a moment as text, in ISO format."""

    def encode(self, value):
        return {"moment": value.isoformat()} if type(value) is datetime else value

    def decode(self, stored):
        moment = type(stored) is dict and stored.keys() == {"moment"}
        return datetime.fromisoformat(stored["moment"]) if moment else stored


@breaks("data.time-zones-survive", says="found.tzinfo == zone")
class KeepsTheOffset(Encoding):
    """Stores a moment with its distance from UTC, as a column of a database does."""

    def encode(self, value):
        if type(value) is not datetime or value.tzinfo is None:
            return value
        return value.replace(tzinfo=timezone(value.utcoffset(), value.tzname()))


@breaks("data.every-write-keeps-the-value", says="[1, True, [2]]")
class AddStoresJson(LocMemCache):
    """Stores a list by add() in the form that a script on the server takes."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if isinstance(value, list):
            value = json.loads(json.dumps(value))
        return super().add(key, value, timeout, version)
