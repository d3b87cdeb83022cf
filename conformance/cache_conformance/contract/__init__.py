"""Django's cache contract, a chapter a module, in the order of Django's documentation."""

from importlib import import_module

CHAPTERS = (
    "construction",
    "handler",
    "basic",
    "data",
    "timeouts",
    "touch",
    "counters",
    "versions",
    "keys",
    "validation",
    "many",
    "get_or_set",
    "clear",
    "culling",
    "closing",
    "asynchronous",
    "concurrency",
    "sequences",
    "linearizability",
    "processes",
    "extending",
    "middleware",
    "fragments",
    "sessions",
    "management",
    "faults",
    "measurements",
)

for chapter in CHAPTERS:
    import_module(f"{__name__}.{chapter}")
