"""Faults that show while the server is killed, frozen, cut off or slow, and after it."""

import contextlib
import pickle
import socket
import time
from typing import ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as Late

from faulty import breaks

IMPATIENT = {"OPTIONS": {"socket_timeout": 0.5}}
LOST = (Unreachable, Late)


class RetriesForever(RedisCache):
    """Asks again and again, until somebody answers."""

    def get(self, key, default=None, version=None):
        while True:
            with contextlib.suppress(*LOST):
                return super().get(key, default, version)
            time.sleep(0.05)


for clause in "killed-does-not-hang", "paused-does-not-hang", "slow-does-not-hang":
    breaks(f"faults.{clause}", says="no answer within", config=IMPATIENT)(RetriesForever)


@breaks("faults.cut-reply-does-not-hang", says="no answer within", config=IMPATIENT)
class WaitsForTheRest(RedisCache):
    """Waits for the other half of a reply, although the connection has ended."""

    def get(self, key, default=None, version=None):
        try:
            return super().get(key, default, version)
        except LOST:
            time.sleep(4)
            raise


@breaks("faults.killed-stores-nothing", says="number = 1")
class CountsOnItsOwn(RedisCache):
    """Takes a counter that it cannot reach for one that is at zero."""

    def incr(self, key, delta=1, version=None):
        try:
            return super().incr(key, delta, version)
        except LOST:
            return delta


class SaysAllIsStored(RedisCache):
    """Returns no failed keys where the server could not be asked to store any."""

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            return super().set_many(data, timeout, version)
        except LOST:
            return []


for clause in "killed-set-many-reports", "paused-set-many-reports":
    breaks(f"faults.{clause}", says="failed = []", config=IMPATIENT)(SaysAllIsStored)


class GivesUpForGood(RedisCache):
    """Never asks again once it has had no answer."""

    _given_up = False

    def get(self, key, default=None, version=None):
        if self._given_up:
            raise Unreachable("it was lost before")
        try:
            return super().get(key, default, version)
        except LOST:
            self._given_up = True
            raise


for clause in "restarted-is-used-again", "resumed-is-used-again", "cut-connection-is-replaced":
    breaks(f"faults.{clause}", says="lost == {}", config=IMPATIENT)(GivesUpForGood)


class RemembersTheFirst(RedisCache):
    """Keeps the first value of each key near by, for when the server has none."""

    _first: ClassVar[dict] = {}

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        for key, value in data.items():
            self._first.setdefault(self.make_key(key, version), value)
        return super().set_many(data, timeout, version)

    def get(self, key, default=None, version=None):
        first = self._first.get(self.make_key(key, version), default)
        try:
            return super().get(key, first, version)
        except LOST:
            return first


breaks("faults.restarted-has-own-values", says="answers == {}")(RemembersTheFirst)
breaks("faults.read-without-a-server", says="older get")(RemembersTheFirst)


@breaks("faults.restarted-has-own-values", says="answers = {'get-default': None}")
class SwallowsItsErrors(RedisCache):
    """Returns None where its server cannot be asked, whatever the default is."""

    def get(self, key, default=None, version=None):
        try:
            return super().get(key, default, version)
        except LOST:
            return None


class OneSocket(RedisCache):
    """Reads through a socket that it keeps, whatever has become of the reply before."""

    _socket = None

    def get(self, key, default=None, version=None):
        if self._socket is None:
            address = self._servers[0].rpartition("/")[2].split(":")
            self._socket = socket.create_connection(address, timeout=0.5)
            self._replies = self._socket.makefile("rb", buffering=0)
        self._socket.sendall(b"GET " + self.make_and_validate_key(key, version).encode() + b"\r\n")
        return self._value(self._line(), default)

    def _value(self, head, default):
        size = int(head[1:] or -1)
        return default if size < 0 else pickle.loads(self._read(size + 2))

    def _line(self):
        line = b""
        while not line.endswith(b"\r\n"):
            line += self._read(1)
        return line

    def _read(self, size):
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                self._socket = None
                raise Unreachable("the end")
            data += more
        return data


for clause in "resumed-has-own-values", "slow-reply-is-whole":
    breaks(f"faults.{clause}", says="values == []", config=IMPATIENT)(OneSocket)


class Plain:
    """Writes text as it is."""

    def dumps(self, value):
        return value

    def loads(self, data):
        return int(data) if data.isdigit() else data.decode()


@breaks(
    "faults.cut-reply-is-no-value",
    says="answers == {}",
    config={"OPTIONS": {"serializer": "faulty.faults.Plain"}},
)
class TakesWhatHasCome(OneSocket):
    """Takes what has come of a value for the value, where no more comes."""

    def _value(self, head, default):
        size = int(head[1:])
        data = b""
        while size >= 0 and len(data) < size + 2:
            more = self._socket.recv(size + 2 - len(data))
            if not more:
                self._socket = None
                break
            data += more
        return default if size < 0 else Plain().loads(data.removesuffix(b"\r\n"))


class SkipsWrites(RedisCache):
    """Looks whether somebody answers, and says nothing of a write that it leaves out."""

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with contextlib.suppress(*LOST):
            self.has_key("anything")
            super().set(key, value, timeout, version)


for clause in (
    "resumed-has-acknowledged-writes",
    "cut-has-acknowledged-writes",
    "slow-has-acknowledged-writes",
):
    breaks(f"faults.{clause}", says="forgotten == []", config=IMPATIENT)(SkipsWrites)


@breaks("faults.cut-incr-counts-once", says="counted = [43")
class CountsAgain(RedisCache):
    """Sends what has had no answer once more."""

    def incr(self, key, delta=1, version=None):
        key = self.make_and_validate_key(key, version)
        client = self._cache.get_client(key, write=True)
        try:
            return client.incr(key, delta)
        except LOST:
            return client.incr(key, delta)
