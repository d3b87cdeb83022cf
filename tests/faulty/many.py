"""Faults of the many-operations."""

import pickle

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks

ABSENT = object()


@breaks("many.get-many-returns-present-keys", says="'absent': None")
class AbsentAsNone(LocMemCache):
    """Has an answer for every key that it is asked for."""

    def get_many(self, keys, version=None):
        return {key: self.get(key, version=version) for key in keys}


@breaks("many.get-many-returns-present-keys", says="isinstance(found, dict)")
class ReturnsPairs(LocMemCache):
    """Returns the items of the dictionary."""

    def get_many(self, keys, version=None):
        return list(super().get_many(keys, version).items())


@breaks("many.get-many-returns-empty-dict", says="returned None")
class NothingAsNone(LocMemCache):
    """Returns None for an empty result."""

    def get_many(self, keys, version=None):
        return super().get_many(keys, version) or None


@breaks("many.get-many-takes-any-iterable", says="iter")
class ReadsKeysTwice(LocMemCache):
    """Goes through the keys to make a map of them, and then once more."""

    def get_many(self, keys, version=None):
        made = {key: self.make_key(key, version) for key in keys}
        return {key: self.get(key, version=version) for key in keys if made and self.has_key(key)}


@breaks("many.get-many-takes-any-iterable", says="TypeError")
class SlicesKeys(LocMemCache):
    """Works in batches, which it cuts out of a list."""

    def get_many(self, keys, version=None):
        return super().get_many(keys[:1000], version)


@breaks("many.get-many-takes-version", says="version=2")
class GetManyForgetsVersion(LocMemCache):
    """Reads every key in the default version."""

    def get_many(self, keys, version=None):
        return super().get_many(keys)


@breaks("many.get-many-includes-none", says="'zero': 0")
class LeavesOutFalseValues(LocMemCache):
    """Tests the value and not whether it was found."""

    def get_many(self, keys, version=None):
        found = super().get_many(keys, version)
        return {key: value for key, value in found.items() if value is not None}


@breaks("many.get-many-leaves-out-expired", says="'brief': 1")
class GetManySeesExpired(LocMemCache):
    """Reads its dictionary without looking at the time."""

    def get_many(self, keys, version=None):
        made = {key: self.make_and_validate_key(key, version) for key in keys}
        return {key: self._read(made[key]) for key in made if made[key] in self._cache}

    def _read(self, key):
        return self.pickle.loads(self._cache[key])

    import pickle


@breaks("many.get-many-of-nothing", says="get_many")
class EmptyQuery(LocMemCache):
    """Builds a query that has no place for zero keys."""

    def get_many(self, keys, version=None):
        keys = list(keys)
        if not keys:
            raise ValueError("near ')': syntax error")
        return super().get_many(keys, version)


@breaks("many.get-many-of-nothing", says="raised StopIteration")
class PeeksAtTheFirstKey(LocMemCache):
    """Looks at the first key to choose a server, also where there is none."""

    def get_many(self, keys, version=None):
        keys = list(keys)
        next(iter(keys))
        return super().get_many(keys, version)


@breaks("many.get-many-order", says="found ==")
class MixesUpOrder(LocMemCache):
    """Sorts the keys for the query, and gives the values back in the caller's order."""

    def get_many(self, keys, version=None):
        keys = list(keys)
        return dict(zip(keys, super().get_many(sorted(keys), version).values(), strict=False))


@breaks("many.get-many-of-none", says="found == {}")
class NoneIsEverything(LocMemCache):
    """Takes None for all keys."""

    def get_many(self, keys, version=None):
        return dict(self._cache) if keys is None else super().get_many(keys, version)


@breaks("many.set-many-stores-every-pair", says="'b'")
class SetManyAdds(LocMemCache):
    """Uses add(), which spares what is there."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            self.add(key, value, timeout, version)
        return []


@breaks("many.set-many-stores-every-pair", says="'c'")
class SetManySkipsNone(LocMemCache):
    """Takes None for nothing to store."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        data = {key: value for key, value in data.items() if value is not None}
        return super().set_many(data, timeout, version)


@breaks("many.set-many-takes-any-mapping", says="mappingproxy")
class OnlyDict(LocMemCache):
    """Insists on a dict."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        if not isinstance(data, dict):
            raise TypeError("data must be a dict")
        return super().set_many(data, timeout, version)


@breaks("many.set-many-returns-empty-list", says="returned None")
class SetManyReturnsNothing(LocMemCache):
    """Ends without a result, as set() does."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        super().set_many(data, timeout, version)


@breaks("many.set-many-returns-empty-list", says="returned None")
class EmptySetManyReturnsNone(LocMemCache):
    """Returns early, and nothing, when there is nothing to store."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return super().set_many(data, timeout, version) if data else None


@breaks("many.set-many-timeout-is-for-every-pair", says="'g': 7")
class SetManyForgetsTimeout(LocMemCache):
    """Stores the pairs in one command, which has no timeout."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return super().set_many(data, version=version)


@breaks("many.set-many-timeout-is-for-every-pair", says="get_many('abcdefgh')")
class ExpiresTheLastKey(LocMemCache):
    """Sets the expiry once, after the loop."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            self.set(key, value, None, version)
        for key in [*data][-1:]:
            self.touch(key, timeout, version)
        return []


@breaks("many.set-many-zero-timeout", says="has_key('a') returned True")
class SetManyZeroIsDefault(LocMemCache):
    """Takes a timeout of 0 for none given."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return super().set_many(data, timeout or DEFAULT_TIMEOUT, version)


@breaks("many.set-many-timeout-in-the-past", says="returned {'old': 'value'}")
class SetManySkipsThePast(LocMemCache):
    """Stores nothing when the timeout has passed, and so leaves the old values."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        past = timeout is not None and timeout is not DEFAULT_TIMEOUT and timeout <= 0
        return [] if past else super().set_many(data, timeout, version)


@breaks("many.set-many-version-is-for-every-pair", says="version")
class SetManyForgetsVersion(LocMemCache):
    """Stores every pair in the default version."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return super().set_many(data, timeout)


@breaks("many.set-many-names-failed-keys", says=":1:large")
class NamesItsOwnKeys(LocMemCache):
    """Names the keys that the server knows, not the caller's."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        large = [key for key, value in data.items() if len(str(value)) > 1_000_000]
        super().set_many({key: data[key] for key in data.keys() - large}, timeout, version)
        return [self.make_key(key, version) for key in large]


@breaks("many.set-many-may-stop-halfway", says="get('a') returned None")
class DropsOldValuesFirst(LocMemCache):
    """Deletes the keys before it writes them."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        self.delete_many(data, version)
        made = {key: self.pickle_value(value) for key, value in data.items()}
        return super().set_many(made, timeout, version)

    def pickle_value(self, value):
        if type(value).__reduce__ is not object.__reduce__:
            raise TypeError("cannot pickle it")
        return value


@breaks("many.failed-set-many-leaves-nothing-behind", says="get('a') returned 'failed'")
class KeepsWhatItHasNotSent(LocMemCache):
    """Empties the buffer of set_many() once all of it is sent, and not where it cannot be."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.buffer = []

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            made = self.make_and_validate_key(key, version)
            self.buffer.append((made, pickle.dumps(value), timeout))
        with self._lock:
            for pair in self.buffer:
                self._set(*pair)
        self.buffer.clear()
        return []


@breaks("many.delete-many-removes-keys", says="get('c') returned 'v'")
class StopsAtAbsentKey(LocMemCache):
    """Leaves its loop at the first key that is not there."""

    def delete_many(self, keys, version=None):
        for key in keys:
            if not self.delete(key, version):
                break


@breaks("many.delete-many-returns-none", says="returned 1")
class DeleteManyCounts(LocMemCache):
    """Returns how many keys it has removed."""

    def delete_many(self, keys, version=None):
        return sum(self.delete(key, version) for key in keys)


@breaks("many.delete-many-takes-any-iterable", says="returned {'a': 'v', 'b': 'v', 'c': 'v'}")
class ValidatesKeysFirst(LocMemCache):
    """Uses up an iterator in a loop that only validates."""

    def delete_many(self, keys, version=None):
        for key in keys:
            self.make_and_validate_key(key, version)
        super().delete_many(keys, version)


@breaks("many.delete-many-takes-version", says="version=2")
class DeleteManyForgetsVersion(LocMemCache):
    """Deletes every key in the default version."""

    def delete_many(self, keys, version=None):
        super().delete_many(keys)


@breaks("many.delete-many-of-nothing", says="ValueError")
class DeletesNothingBadly(LocMemCache):
    """Sends a command that needs at least one key."""

    def delete_many(self, keys, version=None):
        keys = list(keys)
        if not keys:
            raise ValueError("wrong number of arguments for 'del' command")
        super().delete_many(keys, version)


@breaks("many.delete-many-of-an-empty-iterator", says="iter")
class TestsTheIterator(LocMemCache):
    """Tests whether there are keys, which is always so of an iterator."""

    def delete_many(self, keys, version=None):
        if not keys:
            return
        keys = list(keys)
        super().delete_many([keys[0], *keys[1:]], version)


@breaks("many.arguments-stay-as-they-are", says="keys ==")
class SortsTheCallersKeys(LocMemCache):
    """Takes the keys off the caller's list, one after another."""

    def delete_many(self, keys, version=None):
        keys = keys if isinstance(keys, list) else list(keys)
        while keys:
            self.delete(keys.pop(), version)


@breaks("many.takes-thousands-of-keys", says="too many")
class TooManyVariables(LocMemCache):
    """Puts every key into one query, and the database takes 999."""

    def get_many(self, keys, version=None):
        keys = list(keys)
        if len(keys) > 999:
            raise RuntimeError("too many SQL variables")
        return super().get_many(keys, version)


@breaks("many.get-many-takes-any-iterable", says="returned {'a': 1, 'absent': 2}")
class AnswersDistinctKeys(LocMemCache):
    """Asks for each key once, and gives the answers to the keys as they were named."""

    def get_many(self, keys, version=None):
        keys = list(keys)
        answers = [self.get(key, ABSENT, version) for key in dict.fromkeys(keys)]
        named = zip(keys, answers, strict=False)
        return {key: answer for key, answer in named if answer is not ABSENT}


@breaks("many.hundreds-of-keys-are-all-seen-to", says="'k1000': 'k1000'")
class KeepsTheLastBatch(LocMemCache):
    """Asks for a hundred keys at a time, and returns the answer to the last request."""

    def get_many(self, keys, version=None):
        keys, found = list(keys), {}
        for start in range(0, len(keys), 100):
            found = super().get_many(keys[start : start + 100], version)
        return found


@breaks("many.hundreds-of-keys-are-all-seen-to", says="'k199': 'k199'")
class SkipsBetweenBatches(LocMemCache):
    """Begins each batch one key too late."""

    def delete_many(self, keys, version=None):
        keys = list(keys)
        for start in range(0, len(keys), 100):
            super().delete_many(keys[start : start + 99], version)


@breaks("many.set-many-timeout-is-for-all-of-a-thousand", says="get_many(['k0', 'k1'")
class LastBatchExpires(LocMemCache):
    """Sends five hundred pairs at a time, and the timeout after the last ones."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        keys = list(data)
        last = keys[-(len(keys) % 500 or 500) :]
        super().set_many(data, None, version)
        return super().set_many({key: data[key] for key in last}, timeout, version)


@breaks("many.set-many-timeout-is-for-all-of-a-thousand", says="'k100': 'v'")
class LaterBatchesNeverExpire(LocMemCache):
    """Looks at the expiry of the first hundred keys that get_many() is asked for."""

    def get_many(self, keys, version=None):
        keys = list(keys)
        found = super().get_many(keys[:100], version)
        for key in keys[100:]:
            stored = self._cache.get(self.make_and_validate_key(key, version=version))
            if stored is not None:
                found[key] = pickle.loads(stored)
        return found


@breaks("many.a-thousand-pairs-are-all-stored", says="lost = ['k1000', 'k1010'")
class StoresTheFirstThousand(LocMemCache):
    """Sends the first batch of a thousand pairs, and forgets the rest."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        return super().set_many(dict(list(data.items())[:1000]), timeout, version)
