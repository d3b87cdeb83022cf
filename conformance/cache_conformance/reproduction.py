"""Writes a failure as a script that needs nothing but Django and the backend.

The script holds the statements of the check itself, so what it shows is what the kit saw.
"""

from __future__ import annotations

import re
import textwrap

from cache_conformance.awaiting import awaited
from cache_conformance.clause import Api, Clause, Tier
from cache_conformance.copied import Copy, is_plain
from cache_conformance.implementation import Implementation
from cache_conformance.masking import masked

DATABASE = '{"ENGINE": "django.db.backends.sqlite3", "NAME": tempfile.mkdtemp() + "/repro.sqlite3"}'
BUILD = """
def entry(**overrides):
    return {**CONFIG, **overrides}


def alias(**overrides):
    return CacheHandler({"default": entry(**overrides)})["default"]
"""
BUILD_AWAITED = '''
def entry(**overrides):
    return {**CONFIG, **overrides}


class Awaited:
    """cache.get(...) awaits cache.aget(...)."""

    def __init__(self, cache):
        vars(self)["cache"] = cache

    def __getattr__(self, name):
        operation = getattr(self.cache, "a" + name, None)
        if operation is None:
            return getattr(self.cache, name)

        async def awaited(*args, **kwargs):
            return await operation(*args, **kwargs)

        return lambda *args, **kwargs: LOOP.run(awaited(*args, **kwargs))

    def __setattr__(self, name, value):
        setattr(self.cache, name, value)


LOOP = asyncio.Runner()


def alias(**overrides):
    return Awaited(CacheHandler({"default": entry(**overrides)})["default"])
'''
FAULTS = """
server = ControlledServer({server!r}, bound={bound!r})
server.start()
api = {api!r}


def alias(**overrides):
    backend = CacheHandler({{"default": {{**CONFIG, **overrides}}}}).create_connection("default")
    return Face(backend, Api(api), Transcript())


aliases = {{api: alias}}

"""
OTHER_LOCATION = """

def other_location():
    return {location}
"""
OTHER_STORE = """

def other_store():
    return alias(LOCATION={location})
"""
IMPORTS = {
    "asyncio.": "import asyncio",
    "os.environ": "import os",
    "ControlledServer(": "from cache_conformance.controlled_server import ControlledServer",
    "Face(": "from cache_conformance.face import Face",
    "Api(": "from cache_conformance.clause import Api",
    "Transcript(": "from cache_conformance.transcript import Transcript",
    "secrets.": "import secrets",
    "tempfile.": "import tempfile",
    "time.sleep": "import time",
    "django.setup": "import django",
    "settings.configure": "from django.conf import settings",
    "CacheHandler(": "from django.core.cache import CacheHandler",
    "call_command(": "from django.core.management import call_command",
    "import_string(": "from django.utils.module_loading import import_string",
}


def script(clause: Clause, api: Api, implementation: Implementation, row: int | None) -> str:
    """Return the source of a script that ends with an error while the failure is there.

    ``row``: which row of the clause's table failed, None for a clause without a table.
    """
    check = clause.check
    assert check is not None
    names = set(clause.parameters)
    copy = Copy(clause, row)
    if clause.tier is Tier.FAULTS:
        return _with_a_server(clause, api, implementation, copy)
    coroutine = clause.awaits
    body = copy.body
    shim = False
    if api is Api.ASYNC and not coroutine:
        rewritten = awaited(copy.body) if is_plain(copy.body) else None
        shim, coroutine = rewritten is None, rewritten is not None
        body = rewritten or copy.body
    statements = _statements(check.__name__, body, coroutine)
    return _text(clause, implementation, names, shim, [*copy.definitions, statements], copy.imports)


def script_of(
    clause: Clause, api: Api, implementation: Implementation, body: str, imports: set[str]
) -> str:
    """Return a script of statements that have ``cache``, ``alias()`` and ``entry()`` to use.

    On the async face ``cache.get(...)`` awaits ``cache.aget(...)``.
    """
    shim = api is Api.ASYNC
    return _text(clause, implementation, {"cache", "alias"}, shim, [body], imports)


def _with_a_server(clause: Clause, api: Api, implementation: Implementation, copy: Copy) -> str:
    """Return a script that has the kit start the server, which it kills and pauses."""
    server = {name: implementation.place[name] for name in ("target", "members", "provider")}
    given = FAULTS.format(server=server, bound=implementation.fault_bound, api=str(api))
    statements = [given, *copy.definitions, copy.body]
    return _text(clause, implementation, set(), False, statements, copy.imports)


def _text(
    clause: Clause,
    implementation: Implementation,
    names: set[str],
    shim: bool,
    statements: list[str],
    imports: set[str],
) -> str:
    text = "\n".join(
        [
            f'"""{clause.id}: {clause.sentence}\n\n{clause.url}\n"""\n',
            "@IMPORTS@\n",
            *_settings(clause, implementation),
            *_arguments(implementation, names, shim),
            "",
            *statements,
            "",
        ]
    )
    text = text.replace("@IMPORTS@", _imports(text, imports))
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _settings(clause: Clause, implementation: Implementation) -> list[str]:
    database = implementation.store.needs_database or clause.database
    lines = [f"CONFIG = {_config(implementation)}"]
    setup = 'CACHES={"default": CONFIG}, SECRET_KEY="repro"'
    if implementation.by_hand and implementation.store.target and clause.tier is not Tier.FAULTS:
        lines.insert(0, f"# start a server: {implementation.by_hand}")
    if database:
        lines.append(f"DATABASE = {DATABASE}")
        setup += ', DATABASES={"default": DATABASE}, INSTALLED_APPS=["django.contrib.sessions"]'
    lines += [f"settings.configure({setup})", "django.setup()"]
    if clause.database:
        lines.append('call_command("migrate", run_syncdb=True, verbosity=0)')
    if implementation.store.needs_database:
        lines.append('call_command("createcachetable")')
    return lines


def _config(implementation: Implementation) -> str:
    """Return the ``CACHES`` entry as source."""
    entry = {key: value for key, value in implementation.config.items() if key != "LOCATION"}
    fields = [f'"BACKEND": "{implementation.path}"']
    if location := implementation.store.location_in_a_script():
        fields.append(f'"LOCATION": {location}')
    fields += [f'"{key}": {value!r}' for key, value in masked(entry).items()]
    if not implementation.store.separable:
        fields.append('"KEY_PREFIX": secrets.token_hex(4)')
    return "{" + ", ".join(fields) + "}"


def _arguments(implementation: Implementation, names: set[str], shim: bool) -> list[str]:
    """Return the definitions of what the check takes as its parameters."""
    lines = []
    if shim or names & {"alias", "entry", "other_store"}:
        lines.append(BUILD_AWAITED if shim else BUILD)
        location = implementation.store.another_location_in_a_script()
        for name, definition in (("other_location", OTHER_LOCATION), ("other_store", OTHER_STORE)):
            if name in names:
                lines.append(definition.format(location=location))
        if "cache" in names:
            lines.append("\ncache = alias()")
    elif "cache" in names:
        lines.append('cache = caches["default"]')
    if "backend_class" in names:
        lines.append('backend_class = import_string(CONFIG["BACKEND"])')
    effort = implementation.effort
    bounds = {"rounds": effort.rounds, "racers": effort.racers}
    lines += [f"{name} = {bounds[name]}" for name in bounds if name in names]
    return lines


def _statements(name: str, body: str, coroutine: bool) -> str:
    """Return the body as it can stand at the end of the script."""
    if coroutine:
        sleeps = body.replace("time.sleep(", "await asyncio.sleep(")
        return (
            f"\nasync def {name}():\n{textwrap.indent(sleeps, '    ')}\n\n\nasyncio.run({name}())"
        )
    if is_plain(body):
        return body
    return f"\ndef {name}():\n{textwrap.indent(body, '    ')}\n\n\n{name}()"


def _imports(text: str, needed: set[str]) -> str:
    lines = {line for word, line in IMPORTS.items() if word in text} | needed
    if 'caches["default"]' in text:
        lines.add("from django.core.cache import caches")
    known = sorted(lines, key=lambda line: ("django" in line, line.startswith("from"), line))
    return "\n".join(known)
