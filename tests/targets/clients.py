"""The servers' own clients: a value put into a target and got back."""

import socket
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from cache_targets import Target


class Client:
    """A connection to the server of a target, which holds one value. Raises what its driver does.

    A database is entered with the settings that Django would be given, or with `other` ones.
    """

    def __init__(self, target: Target, **other: str) -> None:
        self._connection: Any
        if target.name in ("redis", "valkey"):
            redis = import_module("redis")
            never = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
            self._connection = redis.Redis.from_url(target.location, retry=never)
        elif target.name == "hazelcast":
            self._connection = _Map(target.location)
        elif target.name in ("memcached", "hazelcast-memcached"):
            pymemcache = import_module("pymemcache.client.base")
            self._connection = pymemcache.Client(target.location, default_noreply=False)
        else:
            assert target.database is not None
            self._connection = _connect(target.database | other)
        self._is_database = target.database is not None

    def put(self, value: str) -> None:
        if self._is_database:
            self._execute("CREATE TABLE IF NOT EXISTS entry (value varchar(100))")
            self._execute("DELETE FROM entry")
            self._execute("INSERT INTO entry VALUES (%s)", value)
        else:
            self._connection.set("value", value)

    def get(self) -> str | None:
        """The value that was put, or `None` where the server does not have it."""
        if not self._is_database:
            found = self._connection.get("value")
            return found.decode() if isinstance(found, bytes) else found
        tables = self._execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_name = 'entry'"
        )
        return str(self._execute("SELECT value FROM entry")) if tables else None

    def _execute(self, statement: str, *parameters: str) -> Any:
        """Execute a statement; return the first field of the first row, where it has rows."""
        cursor = self._connection.cursor()
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0] if cursor.description else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()


class _Map:
    """A map of a Hazelcast cluster, with a client of its own."""

    def __init__(self, location: str | None) -> None:
        hazelcast = import_module("hazelcast")
        assert location is not None
        self._client = hazelcast.HazelcastClient(
            cluster_members=location.split(","), cluster_connect_timeout=30
        )
        entries = self._client.get_map("test").blocking()
        self.set, self.get, self.close = entries.set, entries.get, self._client.shutdown


def put(target: Target, value: str) -> None:
    with Client(target) as client:
        client.put(value)


def get(target: Target) -> str | None:
    with Client(target) as client:
        return client.get()


def listens(host: str, port: int) -> bool:
    """Whether anything takes connections there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _connect(settings: dict[str, str]) -> Any:
    if settings["ENGINE"] == "django.db.backends.postgresql":
        driver, database = import_module("psycopg"), "dbname"
    else:
        driver, database = import_module("MySQLdb"), "database"
    return driver.connect(
        **{database: settings["NAME"]},
        user=settings["USER"],
        password=settings["PASSWORD"],
        host=settings["HOST"],
        port=int(settings["PORT"]),
        autocommit=True,
    )
