"""Faults that show in createcachetable and the system checks."""

import os
import tempfile

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router

from faulty import breaks


class WithSql(DatabaseCache):
    """Offers SQL on the cache's table to faults."""

    def execute(self, sql, *parameters):
        database = connections[router.db_for_write(self.cache_model_class)]
        with database.cursor() as cursor:
            cursor.execute(sql.format(table=database.ops.quote_name(self._table)), parameters)


@breaks("management.createcachetable-one-table-each", says="no such table")
class ReadsItsTableAtOnce(WithSql):
    """Reads its table when it is built, before createcachetable has created it."""

    def __init__(self, table, params):
        super().__init__(table, params)
        self.execute("SELECT COUNT(*) FROM {table}")


@breaks("management.createcachetable-one-table-each", says="created =")
class OneTableForAll(DatabaseCache):
    """Has the same table for every alias, whatever LOCATION says."""

    def __init__(self, table, params):
        super().__init__("cache_entries", params)


@breaks("management.createcachetable-keeps-tables", says="get('k') returned None")
class EmptiesItsTable(WithSql):
    """Removes the entries of its own prefix when it is built."""

    def __init__(self, table, params):
        super().__init__(table, params)
        if table in connections[router.db_for_write(self)].introspection.table_names():
            self.execute("DELETE FROM {table} WHERE cache_key LIKE %s", f"{self.key_prefix}%")

    @property
    def _meta(self):
        return self.cache_model_class._meta


@breaks("management.createcachetable-dry-run", says="CREATE TABLE")
@breaks("management.createcachetable-asks-allow-migrate", says="tables_of(database) == before")
class CreatesItsTable(WithSql):
    """Creates its table when it is built."""

    def __init__(self, table, params):
        super().__init__(table, params)
        self.execute(
            "CREATE TABLE IF NOT EXISTS {table}"
            " (cache_key varchar(255) PRIMARY KEY, value text, expires datetime)"
        )


@breaks("management.createcachetable-named-tables", says="no such table")
class NamesItsTableAnew(DatabaseCache):
    """Adds to the name of the table that LOCATION gives."""

    def __init__(self, table, params):
        super().__init__(f"{table}_v2", params)


@breaks("management.table-name-may-need-quotes", says="clear() raised OperationalError")
class ClearsWithoutQuotes(DatabaseCache):
    """Writes the name of its table into the statement of clear() as it is."""

    def clear(self):
        with connections[router.db_for_write(self.cache_model_class)].cursor() as cursor:
            cursor.execute(f"DELETE FROM {self._table}")


@breaks("management.reads-ask-db-for-read", says="asked = {'write'}")
class HasKeyReadsThePrimary(DatabaseCache):
    """Looks in has_key() where it writes."""

    def has_key(self, key, version=None):
        database = connections[router.db_for_write(self.cache_model_class)]
        with database.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM {database.ops.quote_name(self._table)} WHERE cache_key = %s",
                [self.make_and_validate_key(key, version)],
            )
            return cursor.fetchone() is not None


@breaks("management.writes-ask-db-for-write", says="asked = {'read'}")
class DeletesFromTheReplica(DatabaseCache):
    """Deletes where it reads."""

    def delete(self, key, version=None):
        database = connections[router.db_for_read(self.cache_model_class)]
        with database.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {database.ops.quote_name(self._table)} WHERE cache_key = %s",
                [self.make_and_validate_key(key, version)],
            )
            return bool(cursor.rowcount)


@breaks("management.writes-ask-db-for-write", says="'read'")
class LooksBeforeItAdds(DatabaseCache):
    """Looks in add() whether a replica has the key."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return not self.has_key(key, version) and super().add(key, value, timeout, version)


@breaks("management.missing-default-is-e001", says="there is no default cache to fall back on")
class FallsBackOnTheDefault(LocMemCache):
    """Cannot be built where there is no default cache."""

    def __init__(self, name, params):
        super().__init__(name, params)
        if "default" not in caches:
            raise ImproperlyConfigured("there is no default cache to fall back on")


@breaks("management.relative-location-is-w003", says="LOCATION is relative")
class RefusesRelativeLocation(FileBasedCache):
    """Cannot be built where LOCATION is relative, so that the system check cannot say it."""

    def __init__(self, location, params):
        super().__init__(location, params)
        if not os.path.isabs(location):
            raise ImproperlyConfigured("LOCATION is relative")


@breaks("management.exposed-location-is-w002", says="caches.W002")
class WritesElsewhere(FileBasedCache):
    """Does not write where LOCATION says, so that the system check looks in the wrong place."""

    def __init__(self, location, params):
        super().__init__(location, params)
        self._dir = os.path.join(tempfile.gettempdir(), "elsewhere", os.path.basename(location))
