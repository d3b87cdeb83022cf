"""createcachetable and the system checks."""

import os
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connections, router
from django.test.utils import override_settings

from cache_conformance.clause import (
    CLEARS,
    EACH_OPERATION,
    MUST,
    SHOULD,
    SYNC_ONLY,
    Audience,
    clause,
)
from cache_conformance.vocabulary import NotApplicable

CREATING = "#creating-the-cache-table"
COMMAND = "ref/django-admin/#createcachetable"
ROUTING = "#multiple-databases"
CHECKS = "ref/checks/#caches"
IN_MEMORY = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
NOTHING_EXPOSED = {"MEDIA_ROOT": "", "STATIC_ROOT": None, "STATICFILES_DIRS": []}


class CacheRouter:
    """Sends reads and writes of the cache table to one database, and notes each question."""

    def __init__(self, database, creatable_in):
        self.database = database
        self.creatable_in = creatable_in
        self.asked = []

    def db_for_read(self, model, **hints):
        return self._database("read", model)

    def db_for_write(self, model, **hints):
        return self._database("write", model)

    def allow_migrate(self, db, app_label, **hints):
        return db in self.creatable_in if app_label == "django_cache" else None

    def _database(self, purpose, model):
        if (model._meta.app_label, model._meta.object_name) != ("django_cache", "CacheEntry"):
            return None
        self.asked.append(purpose)
        return self.database


def database_of(cache):
    """Return the name of the database that holds the cache's table."""
    if not hasattr(cache, "cache_model_class"):
        raise NotApplicable("it keeps its entries in no table of a Django database")
    return router.db_for_write(cache.cache_model_class)


def tables_of(database):
    """Return the names of the tables of ``database``."""
    return set(connections[database].introspection.table_names())


@contextmanager
def two_new_tables(database, prefix="cache_"):
    """Give two names of tables that do not exist, and drop whatever has that name in the end."""
    names = {f"{prefix}{token_hex(4)}", f"{prefix}{token_hex(4)}"}
    try:
        yield sorted(names)
    finally:
        with connections[database].cursor() as cursor:
            for table in names & tables_of(database):
                cursor.execute(f"DROP TABLE {connections[database].ops.quote_name(table)}")


@contextmanager
def another_database():
    """Give the name of a new database with no tables."""
    with TemporaryDirectory() as directory:
        entry = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{directory}/another.sqlite3"}
        configured = connections.configure_settings({"default": {}, "another": entry})
        connections.settings["another"] = configured["another"]
        try:
            yield "another"
        finally:
            connections["another"].close()
            del connections["another"], connections.settings["another"]


def createcachetable(database, *tables, **options):
    """Run the command, and return what it prints."""
    printed = StringIO()
    call_command("createcachetable", *tables, database=database, stdout=printed, **options)
    return printed.getvalue()


@clause("management.createcachetable-one-table-each", MUST, docs=CREATING, apis=SYNC_ONLY)
def one_table_each(alias, entry):
    """The command createcachetable creates one table for each database cache, and no other."""
    database = database_of(alias())
    with two_new_tables(database) as (first, second):
        before = tables_of(database)
        aliases = {"default": entry(LOCATION=first), "other": entry(LOCATION=second)}
        with override_settings(CACHES={**aliases, "memory": IN_MEMORY}):
            createcachetable(database)
        created = tables_of(database) - before
        assert created == {first, second}
        for table in (first, second):
            cache = alias(LOCATION=table)
            assert cache.get("k") is None
            cache.set("k", table)
            assert cache.get("k") == table


@clause("management.createcachetable-keeps-tables", MUST, docs=CREATING, apis=SYNC_ONLY)
def keeps_tables(alias, entry):
    """The command createcachetable leaves existing tables alone and creates what is missing."""
    database = database_of(alias())
    with two_new_tables(database) as (first, second):
        with override_settings(CACHES={"default": entry(LOCATION=first)}):
            createcachetable(database)
        alias(LOCATION=first).set("k", "v")
        aliases = {"default": entry(LOCATION=first), "other": entry(LOCATION=second)}
        with override_settings(CACHES=aliases):
            createcachetable(database)
            createcachetable(database)
        assert alias(LOCATION=first).get("k") == "v"
        assert second in tables_of(database)


@clause("management.createcachetable-dry-run", MUST, docs=COMMAND, apis=SYNC_ONLY)
def dry_run(alias, entry):
    """With --dry-run createcachetable prints the SQL for each table and creates none."""
    database = database_of(alias())
    with two_new_tables(database) as (first, second):
        before = tables_of(database)
        aliases = {"default": entry(LOCATION=first), "other": entry(LOCATION=second)}
        with override_settings(CACHES=aliases):
            printed = createcachetable(database, dry_run=True)
        assert f"CREATE TABLE {connections[database].ops.quote_name(first)}" in printed
        assert f"CREATE TABLE {connections[database].ops.quote_name(second)}" in printed
        assert tables_of(database) == before


@clause(
    "management.createcachetable-named-tables",
    MUST,
    docs="source:django.core.management.commands.createcachetable.Command.handle",
    apis=SYNC_ONLY,
)
def named_tables(alias, entry):
    """Where createcachetable is given names of tables, it creates those and not the settings'."""
    database = database_of(alias())
    with two_new_tables(database) as (first, second):
        before = tables_of(database)
        with override_settings(CACHES={"default": entry(LOCATION=second)}):
            createcachetable(database, first)
        created = tables_of(database) - before
        assert created == {first}
        cache = alias(LOCATION=first)
        cache.set("k", "v")
        assert cache.get("k") == "v"


@clause(
    "management.createcachetable-asks-allow-migrate",
    MUST,
    docs=CREATING,
    apis=SYNC_ONLY,
)
def asks_allow_migrate(alias, entry):
    """With --database createcachetable creates tables there, where allow_migrate() agrees."""
    database = database_of(alias())
    with two_new_tables(database) as (first, _), another_database() as another:
        before = tables_of(database)
        routers = [CacheRouter(database, creatable_in=[another])]
        with override_settings(CACHES={"default": entry(LOCATION=first)}, DATABASE_ROUTERS=routers):
            createcachetable(database)
            assert tables_of(database) == before
            createcachetable(another)
            assert tables_of(another) == {first}
            assert tables_of(database) == before


@clause(
    "management.table-name-may-need-quotes",
    SHOULD,
    derived_from=(DatabaseCache,),
    level_for_django=MUST,
    docs="#database-caching",
    apis=SYNC_ONLY,
    requires=(CLEARS, *EACH_OPERATION),
)
def table_name_may_need_quotes(alias):
    """The table of a database cache may have any name that the database takes in quotes."""
    database = database_of(alias())
    with two_new_tables(database, "order-cache-") as (table, _):
        createcachetable(database, table, verbosity=0)
        cache = alias(LOCATION=table)
        cache.set("k", 1)
        assert cache.incr("k") == 2
        assert cache.add("k", "v") is False
        assert cache.touch("k", 60) is True
        assert cache.get_many(["k", "absent"]) == {"k": 2}
        assert cache.has_key("k") is True
        cache.set_many({"deleted": "v", "also-deleted": "v"})
        assert cache.delete("deleted") is True
        cache.delete_many(["also-deleted"])
        assert cache.get("also-deleted") is None
        cache.clear()
        assert cache.get("k") is None


@clause("management.reads-ask-db-for-read", MUST, docs=ROUTING)
def reads_ask_db_for_read(cache):
    """The database cache reads where db_for_read() says for the model django_cache.CacheEntry."""
    database = database_of(cache)
    cache.set("k", "v")
    routing = CacheRouter(database, creatable_in=[])
    with override_settings(DATABASE_ROUTERS=[routing]):
        for operation, argument in (
            (cache.get, "k"),
            (cache.get_many, ["k", "absent"]),
            (cache.has_key, "k"),
        ):
            routing.asked.clear()
            operation(argument)
            asked = set(routing.asked)
            assert asked == {"read"}


@clause("management.writes-ask-db-for-write", MUST, docs=ROUTING)
def writes_ask_db_for_write(cache, alias):
    """The database cache writes where db_for_write() says for the model django_cache.CacheEntry."""
    database = database_of(cache)
    with two_new_tables(database) as (table, _):
        createcachetable(database, table, verbosity=0)
        cache = alias(LOCATION=table)
        routing = CacheRouter(database, creatable_in=[])
        with override_settings(DATABASE_ROUTERS=[routing]):
            for operation, *arguments in (
                (cache.set, "k", "v"),
                (cache.add, "added", "v"),
                (cache.set_many, {"many": "v"}),
                (cache.touch, "k", 60),
                (cache.delete, "k"),
                (cache.delete_many, ["added", "many"]),
                (cache.clear,),
            ):
                routing.asked.clear()
                operation(*arguments)
                asked = set(routing.asked)
                assert asked == {"write"}


def reported(deploy=False):
    """Return the ids of what the system checks about caches report."""
    return [message.id for message in run_checks(tags=["caches"], include_deployment_checks=deploy)]


@clause(
    "management.missing-default-is-e001",
    MUST,
    docs=CHECKS,
    apis=SYNC_ONLY,
    audience=Audience.EVERY,
    requires=(),
)
def missing_default_is_e001(entry):
    """The system checks report CACHES without an alias "default" as caches.E001."""
    with override_settings(CACHES={"other": entry()}):
        assert "caches.E001" in reported()
    with override_settings(CACHES={"default": entry()}):
        assert "caches.E001" not in reported()


def directory_of(backend_class, entry):
    """Return the directory in which a file-based cache keeps its entries."""
    if not issubclass(backend_class, FileBasedCache):
        raise NotApplicable("it is no FileBasedCache, so its LOCATION is not a directory")
    return Path(entry()["LOCATION"]).resolve()


@clause("management.relative-location-is-w003", MUST, docs=CHECKS, apis=SYNC_ONLY, requires=())
def relative_location_is_w003(entry, backend_class):
    """The system checks report a file cache with a relative LOCATION as caches.W003."""
    directory = directory_of(backend_class, entry)
    with override_settings(CACHES={"default": entry(LOCATION=os.path.relpath(directory))}):
        assert reported() == ["caches.W003"]
    for absolute in (str(directory), directory):
        with override_settings(CACHES={"default": entry(LOCATION=absolute)}):
            assert reported() == []


@clause("management.exposed-location-is-w002", MUST, docs=CHECKS, apis=SYNC_ONLY, requires=())
def exposed_location_is_w002(entry, backend_class):
    """With --deploy a file cache that overlaps media or static files is reported as caches.W002."""
    directory = directory_of(backend_class, entry)
    aliases = {"default": entry(LOCATION=str(directory))}
    for exposed in (directory, directory.parent, directory / "below"):
        for exposing in (
            {"MEDIA_ROOT": str(exposed)},
            {"STATIC_ROOT": str(exposed)},
            {"STATICFILES_DIRS": [str(exposed)]},
            {"STATICFILES_DIRS": [("prefix", str(exposed))]},
        ):
            with override_settings(CACHES=aliases, **{**NOTHING_EXPOSED, **exposing}):
                assert reported(deploy=True) == ["caches.W002"]
                assert reported() == []
    elsewhere = {"MEDIA_ROOT": f"{directory}-media", "STATICFILES_DIRS": [f"{directory}-static"]}
    with override_settings(CACHES=aliases, **{**NOTHING_EXPOSED, **elsewhere}):
        assert reported(deploy=True) == []
