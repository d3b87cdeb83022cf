"""The session engines cache and cached_db, which keep their sessions in a cache."""

import secrets
from contextlib import asynccontextmanager
from datetime import timedelta
from unittest import TestCase, mock

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.cache import SessionStore as CacheSession
from django.contrib.sessions.backends.cached_db import SessionStore as CachedDatabaseSession
from django.core.cache import caches
from django.test import override_settings

from cache_conformance.clause import MUST, SHOULD, SNAPSHOTS, SYNC_ONLY, clause
from cache_conformance.vocabulary import after, before, raises, replaced

CACHED_SESSIONS = "topics/http/sessions/#using-cached-sessions"
SESSION_METHODS = "topics/http/sessions/#using-sessions-in-views"
SAVED = ("session.is-loaded-as-it-was-saved",)

ENGINES = (
    CacheSession,
    CachedDatabaseSession,
)


def project(entry, **settings):
    """Return the settings of a project with sessions, whatever the project around it has set."""
    usual = {
        "CACHES": {"default": entry()},
        "SESSION_CACHE_ALIAS": "default",
        "SESSION_COOKIE_AGE": 1209600,
        "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
    }
    return override_settings(**usual | settings)


@asynccontextmanager
async def project_of_tasks(entry):
    """Have the settings of a project in tasks, whose event loop may not see a cache closed."""
    settings = project(entry)
    await sync_to_async(settings.enable)()
    try:
        yield
    finally:
        await sync_to_async(settings.disable)()


def new_key():
    """Return a session key that no session has."""
    return secrets.token_hex(16)


def new_session(engine, expiry=None, **data):
    """Return the key of a new session that was saved with ``data``."""
    session = engine()
    session.update(data)
    session.set_expiry(expiry)
    session.save()
    return session.session_key


def save_again(keys, expiry):
    """Load the sessions with these keys, one of each engine, and save them with another expiry."""
    for engine, key in zip(ENGINES, keys, strict=True):
        session = engine(key)
        session.set_expiry(expiry)
        session.save()


def in_the_cache(engine, key):
    """Return what the cache holds of the session with this key."""
    return caches["default"].get(engine.cache_key_prefix + key)


BASKET = {
    "basket": [1, 2, {"article": 7, "price": 1.5}],
    "name": "Zo\xeb \U0001f511",
    "staff": True,
    "note": None,
}


@clause(
    "session.is-loaded-as-it-was-saved",
    MUST,
    docs=CACHED_SESSIONS,
    apis=SYNC_ONLY,
    database=True,
    each=ENGINES,
)
def a_session_is_loaded_as_it_was_saved(entry, value):
    """What one request saves in a session, the next one loads by the session's key."""
    with project(entry):
        session = value(new_key())
        session.save(must_create=True)
        session.update(BASKET)
        session.save()
        loaded = value(session.session_key)
        data = loaded.load()
        staff = loaded["staff"]
    assert data == BASKET
    assert staff is True


@clause(
    "session.unsaved-changes-stay-out",
    MUST,
    docs="topics/http/sessions/#when-sessions-are-saved",
    apis=SYNC_ONLY,
    requires=(*SAVED, SNAPSHOTS),
    database=True,
    each=ENGINES,
)
def unsaved_changes_stay_out(entry, value):
    """What happens to a session's data after it was saved or loaded waits for the next save()."""
    with project(entry):
        session = value()
        session["basket"] = [1]
        session.save()
        session["basket"].append(2)
        session["name"] = "Zoe"
        after_saving = value(session.session_key).load()
        loaded = value(session.session_key)
        loaded["basket"].append(3)
        loaded["name"] = "Joe"
        after_loading = value(session.session_key).load()
    assert after_saving == {"basket": [1]}
    assert after_loading == {"basket": [1]}


@clause(
    "session.is-created-with-add",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.create",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def a_session_is_created_with_add(entry):
    """A new session takes its key with add(), which is truthy once and refuses the key after."""
    with project(entry):
        session = CacheSession()
        backend = caches["default"]
        with replaced(backend, "add", mock.Mock(wraps=backend.add)) as add:
            session.create()
        keys = [call.args[0] for call in add.call_args_list]
        assert keys == ["django.contrib.sessions.cache" + session.session_key]
        assert not backend.add(keys[0], {"name": "of another"}, 60)
        with raises(CreateError):
            CacheSession(session.session_key).save(must_create=True)
        assert backend.get(keys[0]) == {}


@clause(
    "session.creation-tries-other-keys",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.create",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def creation_tries_other_keys(entry):
    """A session is created under the first key that add() does not refuse."""
    with project(entry):
        taken = new_session(CacheSession, name="Zoe")
        proposed = [taken, taken, new_key()]
        session = CacheSession()
        session["name"] = "Joe"
        with mock.patch.object(session, "_get_new_session_key", side_effect=proposed):
            session.create()
        loaded = [CacheSession(key).load().get("name") for key in (taken, session.session_key)]
    assert session.session_key == proposed[2]
    assert loaded == ["Zoe", "Joe"]


@clause(
    "session.creation-gives-up",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.create",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def creation_gives_up(entry):
    """After 10,000 refusals creation raises RuntimeError; it works once the cache is back."""
    refused = []

    def refuse(key, *args):
        refused.append(key)
        return False

    with project(entry):
        session = CacheSession()
        session["name"] = "Zoe"
        key = new_key()
        with (
            replaced(caches["default"], "add", refuse),
            mock.patch.object(session, "_get_new_session_key", lambda: key),
            mock.patch.object(session, "get_expiry_age", lambda: 60),
            raises(RuntimeError),
        ):
            session.create()
        session.create()
        loaded = CacheSession(session.session_key).load()
    assert len(refused) == 10000
    assert loaded == {"name": "Zoe"}


@clause(
    "session.deleted-one-is-not-revived",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.save",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def a_deleted_session_is_not_revived(entry):
    """Saving a session whose entry has left the cache raises UpdateError and stores nothing."""
    with project(entry):
        key = new_session(CacheSession, name="Zoe")
        loaded = CacheSession(key)
        loaded["name"] = "Joe"
        caches["default"].delete(CacheSession.cache_key_prefix + key)
        with raises(UpdateError):
            loaded.save()
        assert in_the_cache(CacheSession, key) is None


@clause(
    "session.unknown-key-loads-empty",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.load",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=ENGINES,
)
def an_unknown_key_loads_empty(entry, value):
    """A key that no session has gives an empty session, which forgets that key."""
    with project(entry):
        session = value(new_key())
        data = session.load()
    assert data == {}
    assert session.session_key is None


UNUSABLE_KEYS = (
    "{key} ",
    " {key}",
    "{key}\n",
    "{key}" + 300 * "x",
    300 * "x" + "{key}",
    "two words {key}",
    "\u043a\u043b\u044e\u0447{key}",
    "{key}\U0001f511",
)


@clause(
    "session.unusable-key-loads-empty",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.load",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=UNUSABLE_KEYS,
)
def an_unusable_key_loads_empty(entry, value):
    """A key with spaces, of 300 characters or otherwise unusable gives an empty session."""
    with project(entry):
        for engine in ENGINES:
            key = new_session(engine, name="Zoe")
            session = engine(value.format(key=key))
            data = session.load()
            assert data == {}
            assert session.session_key is None


@clause(
    "session.loading-survives-errors-of-get",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.load",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def loading_survives_errors_of_get(entry):
    """If get() raises, the session is empty, or comes from the database with cached_db."""
    with project(entry):
        key = new_session(CacheSession, name="Zoe")
        key_in_database = new_session(CachedDatabaseSession, name="Zoe")
        with replaced(caches["default"], "get", mock.Mock(side_effect=ConnectionError)):
            lost = CacheSession(key)
            assert lost.load() == {}
            assert lost.session_key is None
            assert CachedDatabaseSession(key_in_database).load() == {"name": "Zoe"}
        assert CacheSession(key).load() == {"name": "Zoe"}
        assert CachedDatabaseSession(key_in_database).load() == {"name": "Zoe"}


def loaded_names(keys):
    """Return the names in the sessions with these keys, one of each engine."""
    return [engine(key).load().get("name") for engine, key in zip(ENGINES, keys, strict=True)]


@clause(
    "session.expires-with-its-age",
    MUST,
    docs=SESSION_METHODS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def a_session_expires_with_its_age(entry):
    """A session is there until the age that set_expiry() gave it, and loads empty after it."""
    with project(entry):
        keys = [new_session(engine, expiry=2, name="Zoe") for engine in ENGINES]
        updated = CacheSession(new_session(CacheSession, name="Zoe"))
        updated.set_expiry(timedelta(seconds=2))
        updated.save()
    yield before(2)
    with project(entry):
        assert loaded_names(keys) == ["Zoe", "Zoe"]
    yield after(2)
    with project(entry):
        assert loaded_names(keys) == [None, None]
        assert CacheSession(updated.session_key).load() == {}


@clause(
    "session.saving-again-renews-its-age",
    MUST,
    docs=SESSION_METHODS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def saving_again_renews_the_age(entry):
    """A session that is saved with a longer age outlives the age that it had before."""
    with project(entry):
        keys = [new_session(engine, expiry=2, name="Zoe") for engine in ENGINES]
        save_again(keys, 60)
    yield after(2)
    with project(entry):
        assert loaded_names(keys) == ["Zoe", "Zoe"]


@clause(
    "session.expiry-may-be-past",
    MUST,
    docs=SESSION_METHODS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def the_expiry_may_be_past(entry):
    """A session whose expiry has passed can be saved, and loads empty."""
    with project(entry):
        keys = [new_session(engine, expiry=60, name="Zoe") for engine in ENGINES]
        save_again(keys, timedelta(seconds=-5))
        names = loaded_names(keys)
    assert names == [None, None]


@clause(
    "session.age-may-be-months",
    MUST,
    docs=SESSION_METHODS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def the_age_may_be_months(entry):
    """A session may live longer than the 30 days that memcached takes for a date."""
    with project(entry):
        keys = [new_session(engine, expiry=timedelta(days=60), name="Zoe") for engine in ENGINES]
        names = loaded_names(keys)
        cached = [in_the_cache(engine, key) for engine, key in zip(ENGINES, keys, strict=True)]
    assert names == ["Zoe", "Zoe"]
    assert None not in cached


@clause(
    "session.expiry-of-zero-lives-for-the-cookie-age",
    MUST,
    docs=SESSION_METHODS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def an_expiry_of_zero_lives_for_the_cookie_age(entry):
    """After set_expiry(0), as by default, a session lives for SESSION_COOKIE_AGE."""
    with project(entry, SESSION_COOKIE_AGE=2):
        brief = [new_session(engine, expiry=0, name="Zoe") for engine in ENGINES]
        usual = new_session(CacheSession, name="Zoe")
    with project(entry, SESSION_COOKIE_AGE=60):
        lasting = [new_session(engine, expiry=0, name="Zoe") for engine in ENGINES]
    yield before(2)
    with project(entry):
        assert loaded_names(brief) == ["Zoe", "Zoe"]
    yield after(2)
    with project(entry):
        assert loaded_names(brief) == [None, None]
        assert CacheSession(usual).load() == {}
        assert loaded_names(lasting) == ["Zoe", "Zoe"]


@clause(
    "session.exists-tells-whether-a-key-is-taken",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.exists",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=ENGINES,
)
def exists_tells_whether_a_key_is_taken(entry, value):
    """exists() is true for the key of a saved session and false for any other."""
    with project(entry):
        key = new_session(value)
        there, other, none = (value().exists(key) for key in (key, new_key(), None))
    assert there
    assert not other
    assert not none


@clause(
    "session.delete-removes-it",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.delete",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=ENGINES,
)
def delete_removes_a_session(entry, value):
    """delete() removes the session itself or the one whose key it is given, and no other."""
    with project(entry):
        own, given, other = (new_session(value, name="Zoe") for _ in range(3))
        session = value(own)
        session.delete()
        session.delete(given)
        cached = [in_the_cache(value, key) for key in (own, given)]
        loaded = [value(key).load().get("name") for key in (own, given, other)]
    assert cached == [None, None]
    assert loaded == [None, None, "Zoe"]


@clause(
    "session.deleting-an-absent-one-is-silent",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.delete",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=ENGINES,
)
def deleting_an_absent_session_is_silent(entry, value):
    """delete() of a session that is not there, or has no key, does nothing."""
    with project(entry):
        value().delete()
        value().delete(new_key())
        value(new_key()).delete()
        key = new_session(value, name="Zoe")
        value().delete(key)
        value().delete(key)


@clause(
    "session.cycle-key-moves-it",
    MUST,
    docs=SESSION_METHODS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=ENGINES,
)
def cycle_key_moves_a_session(entry, value):
    """cycle_key() moves the data to a new key and removes the old one."""
    with project(entry):
        old = new_session(value, name="Zoe")
        session = value(old)
        session.cycle_key()
        new = session.session_key
        session.save()
        loaded = [value(key).load() for key in (old, new)]
        left = in_the_cache(value, old)
    assert new != old
    assert left is None
    assert loaded == [{}, {"name": "Zoe"}]


@clause(
    "session.flush-removes-it",
    MUST,
    docs=SESSION_METHODS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=ENGINES,
)
def flush_removes_a_session(entry, value):
    """flush() removes the session with its data and leaves one without key."""
    with project(entry):
        key = new_session(value, name="Zoe")
        session = value(key)
        session["name"] = "Joe"
        session.flush()
        data = dict(session.items())
        left = in_the_cache(value, key)
        loaded = value(key).load()
    assert session.session_key is None
    assert data == {}
    assert left is None
    assert loaded == {}


@clause(
    "session.alias-setting-chooses-the-cache",
    MUST,
    docs="ref/settings/#session-cache-alias",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
    each=ENGINES,
)
def the_alias_setting_chooses_the_cache(cache, entry, value):
    """A session is kept in the cache that SESSION_CACHE_ALIAS names, and in no other."""
    aliases = {"default": entry(), "special": entry(KEY_PREFIX=cache.key_prefix + "-special")}
    with project(entry, CACHES=aliases, SESSION_CACHE_ALIAS="special"):
        key = new_session(value, name="Zoe")
        loaded = value(key).load()
        entries = [caches[alias].get(value.cache_key_prefix + key) for alias in aliases]
    assert loaded == {"name": "Zoe"}
    assert entries == [None, {"name": "Zoe"}]


@clause(
    "session.cached-db-writes-the-database-first",
    MUST,
    docs=CACHED_SESSIONS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def cached_db_writes_the_database_first(entry):
    """cached_db saves a session in the database and then in the cache."""
    with project(entry):
        backend = caches["default"]
        session = CachedDatabaseSession(new_session(CachedDatabaseSession, name="Zoe"))
        session["name"] = "Joe"
        original, names = backend.set, []

        def set_and_look(*args):
            row = session.model.objects.get(session_key=session.session_key)
            names.append(row.get_decoded()["name"])
            return original(*args)

        with replaced(backend, "set", set_and_look):
            session.save()
        cached = in_the_cache(CachedDatabaseSession, session.session_key)
    assert names == ["Joe"]
    assert cached == {"name": "Joe"}


@clause(
    "session.cached-db-survives-a-failing-set",
    MUST,
    docs=CACHED_SESSIONS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def cached_db_survives_a_failing_set(entry):
    """If set() raises, cached_db logs that to django.contrib.sessions and the session is saved."""
    with project(entry):
        with (
            replaced(caches["default"], "set", mock.Mock(side_effect=ConnectionError)),
            TestCase().assertLogs("django.contrib.sessions", "ERROR"),
        ):
            key = new_session(CachedDatabaseSession, name="Zoe")
        loaded = CachedDatabaseSession(key).load()
        cached = in_the_cache(CachedDatabaseSession, key)
    assert loaded == {"name": "Zoe"}
    assert cached == {"name": "Zoe"}


@clause(
    "session.cached-db-refills-the-cache",
    MUST,
    docs=CACHED_SESSIONS,
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def cached_db_refills_the_cache(entry):
    """A session that has left the cache is loaded from the database and put back into it."""
    with project(entry):
        key = new_session(CachedDatabaseSession, name="Zoe")
        caches["default"].delete(CachedDatabaseSession.cache_key_prefix + key)
        assert in_the_cache(CachedDatabaseSession, key) is None
        loaded = CachedDatabaseSession(key).load()
        cached = in_the_cache(CachedDatabaseSession, key)
    assert loaded == {"name": "Zoe"}
    assert cached == {"name": "Zoe"}


@clause(
    "session.cached-db-refills-for-the-remaining-age",
    MUST,
    docs="source:django.contrib.sessions.backends.cached_db.SessionStore.load",
    apis=SYNC_ONLY,
    requires=SAVED,
    database=True,
)
def cached_db_refills_for_the_remaining_age(entry):
    """A session that was put back into the cache leaves it when its age is over."""
    with project(entry):
        backend = caches["default"]
        brief, lasting = (
            new_session(CachedDatabaseSession, expiry=age, name="Zoe") for age in (2, 60)
        )
        with replaced(backend, "set", mock.Mock(wraps=backend.set)) as refill:
            for key in (brief, lasting):
                backend.delete(CachedDatabaseSession.cache_key_prefix + key)
                CachedDatabaseSession(key).load()
        timeouts = [call.args[2] for call in refill.call_args_list]
    assert timeouts[0] in (1, 2)
    assert 50 < timeouts[1] <= 60
    yield after(2)
    with project(entry):
        assert in_the_cache(CachedDatabaseSession, brief) is None
        assert in_the_cache(CachedDatabaseSession, lasting)["name"] == "Zoe"


async def live_through(engine):
    """Take a session of ``engine`` through everything that the asynchronous methods do."""
    session = engine(new_key())
    await session.asave(must_create=True)
    await session.aset("name", "Zoe")
    await session.asave()
    first = session.session_key
    assert await engine().aexists(first)
    assert not await engine().aexists(new_key())
    loaded = engine(first)
    assert await loaded.aload() == {"name": "Zoe"}
    assert await loaded.aget("name") == "Zoe"

    await loaded.acycle_key()
    second = loaded.session_key
    assert second != first
    await loaded.asave()
    assert not await engine().aexists(first)
    assert await engine(second).aload() == {"name": "Zoe"}

    await loaded.aflush()
    assert loaded.session_key is None
    assert not await engine().aexists(second)
    assert await engine(second).aload() == {}

    third = engine()
    await third.aset("name", "Joe")
    await third.asave()
    assert await engine(third.session_key).aload() == {"name": "Joe"}
    await engine().adelete(third.session_key)
    await engine().adelete(third.session_key)
    assert await engine(third.session_key).aload() == {}


@clause(
    "session.asynchronous-methods-work",
    MUST,
    docs="releases/5.1/#django-contrib-sessions",
    database=True,
)
async def asynchronous_methods_work(entry):
    """asave(), aload(), aexists(), acycle_key(), aflush() and adelete() of cache do their work."""
    async with project_of_tasks(entry):
        await live_through(CacheSession)


@clause(
    "session.cached-db-asynchronous-methods-work",
    SHOULD,
    level_for_django=MUST,
    docs="releases/5.1/#django-contrib-sessions",
    database=True,
)
async def cached_db_asynchronous_methods_work(entry):
    """asave(), aload(), aexists(), acycle_key(), aflush() and adelete() of cached_db work too.

    The engine's aexists() asks with ``in``, which a backend may refuse in an event loop.
    """
    async with project_of_tasks(entry):
        await live_through(CachedDatabaseSession)


@clause(
    "session.deleted-one-is-not-revived-asynchronously",
    MUST,
    docs="source:django.contrib.sessions.backends.cache.SessionStore.asave",
    database=True,
)
async def a_deleted_session_is_not_revived_asynchronously(entry):
    """asave() of a session whose entry has left the cache raises UpdateError."""
    async with project_of_tasks(entry):
        session = CacheSession(new_key())
        await session.asave(must_create=True)
        await caches["default"].adelete(CacheSession.cache_key_prefix + session.session_key)
        with raises(UpdateError):
            await session.asave()
