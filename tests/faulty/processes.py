"""Faults that show between processes, after a fork, at the end and when a read is cancelled."""

import asyncio
import io
import os
import pickle
import sys
import threading
import time

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from faulty import breaks


@breaks("processes.writes-are-visible", says='ask("get", "set") == "new"')
class ReadsAheadInEachProcess(FileBasedCache):
    """Keeps what it has read in a dictionary, and looks there first."""

    def __init__(self, location, params):
        super().__init__(location, params)
        self._near = {}

    def get(self, key, default=None, version=None):
        full = self.make_key(key, version)
        if full in self._near:
            return self._near[full]
        found = super().get(key, self, version)
        if found is self:
            return default
        self._near[full] = found
        return found

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        super().set(key, value, timeout, version)
        self._near.pop(self.make_key(key, version), None)


@breaks("processes.what-forks-share-all-share", says="get('here') returned None")
class NamesFilesByHash(FileBasedCache):
    """Names files by hash(), which every interpreter salts anew."""

    def _key_to_file(self, key, version=None):
        named = hash(self.make_and_validate_key(key, version=version))
        return os.path.join(self._dir, f"{named:x}{self.cache_suffix}")


@breaks("processes.writes-are-visible", says="found in (markers, {})")
class ShardsByHash(FileBasedCache):
    """Spreads its files by Python's hash of the key, which each process salts anew."""

    def _key_to_file(self, key, version=None):
        folder, name = os.path.split(super()._key_to_file(key, version))
        return os.path.join(folder, f"{hash(name) % 3}-{name}")


@breaks("processes.entries-outlive-their-writer", says="cache.get_many")
class WritesBehind(FileBasedCache):
    """Answers at once and stores what is large, here a dictionary, a little later."""

    def __init__(self, location, params):
        super().__init__(location, params)
        self._late = {}

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        if not isinstance(value, dict):
            super().set(key, value, timeout, version)
            return
        self._late[self.make_key(key, version)] = value
        writer = threading.Timer(5, super().set, (key, value, timeout, version))
        writer.daemon = True
        writer.start()

    def get(self, key, default=None, version=None):
        late = self._late.get(self.make_key(key, version))
        return super().get(key, default, version) if late is None else late


@breaks("processes.operations-may-be-atomic", says="not explained")
class DeletesFirst(FileBasedCache):
    """Deletes the old file before it writes the new one."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.delete(key, version)
        time.sleep(0.0002)
        super().set(key, value, timeout, version)


class OneSocket(LocMemCache):
    """Answers over a pipe that a fork shares: whoever reads first gets the reply."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._reading, self._writing = os.pipe()

    def get(self, key, default=None, version=None):
        found = super().get(key, default, version)
        if not isinstance(found, str):
            return found
        os.write(self._writing, found.encode().ljust(64))
        time.sleep(0.0001)
        return os.read(self._reading, 64).decode().strip()


breaks("processes.fork-with-an-open-connection", says="said")(OneSocket)


@breaks("processes.exit-with-an-open-connection", says="it hangs at exit")
class KeepsAThread(LocMemCache):
    """Has a thread that keeps the connection alive, and the interpreter with it."""

    def __init__(self, name, params):
        super().__init__(name, params)
        if sys.argv[:1] == ["-c"]:  # in a process that the check has started
            threading.Thread(target=time.sleep, args=(30,)).start()


@breaks("processes.signal-handler-may-use-it", says="said")
class AnswersOutOfTurn(LocMemCache):
    """Keeps the reply in a field, where a call that interrupts another one leaves its own."""

    def get(self, key, default=None, version=None):
        self._lock = _NoLock()
        self._reply = super().get(key, default, version)
        for _ in range(20):
            pass
        time.sleep(0.0005)
        return self._reply


class _NoLock:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


@breaks("processes.alias-may-be-pickled", says='copied.get("k") == "v"')
class PicklesItsSettingsAlone(LocMemCache):
    """Its copy has the settings, and a store of its own."""

    def __reduce__(self):
        return type(self), (f"copy of {id(self)}", {})


@breaks("processes.threads-keep-apart", says="get_many([")
class SharesItsReply(LocMemCache):
    """Keeps the last reply on the class, where every thread finds it."""

    _reply = None

    def get_many(self, keys, version=None):
        found = {}
        for key in keys:
            type(self)._reply = self.get(key, self, version)
            time.sleep(0.0001)
            if type(self)._reply is not self:
                found[key] = type(self)._reply
        return found


@breaks("processes.threads-keep-apart", says="<= {owner}")
class SharesItsBuffer(LocMemCache):
    """Pickles into one buffer, which belongs to the class, to spare allocations."""

    buffer = io.BytesIO()

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self.buffer.seek(0)
        self.buffer.truncate()
        pickle.dump(value, self.buffer)
        super().set(key, pickle.loads(self.buffer.getvalue()), timeout, version)


class OneStream(LocMemCache):
    """Has one stream of replies for all calls, in the order of the calls."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self._replies = []

    async def aget(self, key, default=None, version=None):
        self._replies.append(self.get(key, default, version))
        await asyncio.sleep(0.0002)
        return self._replies.pop(0)

    async def aget_many(self, keys, version=None):
        return self.get_many(keys, version)


breaks("processes.cancelled-read-leaves-no-reply", says="cache.aget")(OneStream)


@breaks(
    "processes.cancelled-get-or-set-keeps-nobody-waiting",
    says="aget_or_set('k0', 'v') returned None",
)
class LeavesItsMark(LocMemCache):
    """Marks the key whose value it computes, and takes the mark away after an Exception alone."""

    marked = set()  # noqa: RUF012

    async def aget_or_set(self, key, default, timeout=DEFAULT_TIMEOUT, version=None):
        made = self.make_key(key, version)
        if made in self.marked:
            await asyncio.sleep(0.01)
            return await self.aget(key, version=version)
        self.marked.add(made)
        try:
            found = await super().aget_or_set(key, default, timeout, version)
        except Exception:
            self.marked.discard(made)
            raise
        self.marked.discard(made)
        return found


@breaks("processes.cancelled-loop-leaves-no-reply", says="Event loop is closed")
class KeepsItsFirstLoop(LocMemCache):
    """Makes its calls on the event loop that it has met first."""

    _loop = None

    async def aget(self, key, default=None, version=None):
        self._loop = self._loop or asyncio.get_running_loop()
        reply = self._loop.create_future()
        self._loop.call_soon(self._answer, reply, key)
        return await reply

    def _answer(self, reply, key):
        if not reply.done():
            reply.set_result(self.get(key))
