"""The words that checks are written in. Each is short enough to be copied into a reproduction."""

from contextlib import contextmanager
from typing import NamedTuple

from django.core.cache.backends.base import BaseCache


class NotApplicable(Exception):
    """Raised by a check whose clause says nothing about this backend; the message says why."""


class Moment(NamedTuple):
    """When a check goes on, in seconds from its start; a failure after ``deadline`` is void.

    ``once_written``: ``due`` counts from the end of the check's first step, however long it took.
    """

    due: float
    deadline: float | None = None
    once_written: bool = False


def at(seconds):
    """The moment that comes so many seconds after the check has begun."""
    return Moment(seconds)


def before(seconds):
    """The moment until which an entry with a timeout of ``seconds`` must be there: n - 1.

    It is looked at a little earlier, so that a busy machine still looks in time.
    """
    return Moment(seconds - 1.3, deadline=seconds - 1)


def after(seconds):
    """The moment by which an entry with a timeout of ``seconds`` must be gone: n + 1."""
    return Moment(seconds + 1.05, once_written=True)


def soon_after(seconds):
    """The moment of ``after(seconds)``, where what the check does next must not take a second."""
    return Moment(seconds + 1.05, deadline=seconds + 2)


@contextmanager
def raises(*errors):
    """The block must raise one of ``errors``; whatever else it raises passes through."""
    try:
        yield
    except errors:
        return
    raise AssertionError("no " + " or ".join(error.__name__ for error in errors))


@contextmanager
def replaced(backend, name, method):
    """Within the block ``method`` stands in for that of the instance, even of a frozen one."""
    attributes = getattr(backend, "__dict__", {})
    own = {name: attributes[name]} if name in attributes else {}
    attributes[name] = method
    try:
        if getattr(backend, name) is not method:
            raise NotApplicable(f"nothing can stand in for {name}() of an instance")
        yield method
    finally:
        del attributes[name]
        attributes.update(own)


def built(backend_class, entry):
    """Build a class that has no dotted path, such as one made for a single check."""
    entry.pop("BACKEND")
    return backend_class(entry.pop("LOCATION", ""), entry)


def overrides(backend_class, name):
    """Whether a backend has a method of its own in place of that of BaseCache."""
    return getattr(backend_class, name, None) is not getattr(BaseCache, name)


def key_for(cache, length):
    """Return a key whose final key has ``length`` characters."""
    return "k" * (length - len(cache.make_key("")))


def writes(cache):
    """The four operations that store a value, as ``(name, write(key, value, ...))``."""
    yield "set", cache.set
    yield "add", cache.add
    yield (
        "set_many",
        lambda key, value, *args, **kwargs: cache.set_many({key: value}, *args, **kwargs),
    )
    yield "get_or_set", cache.get_or_set


REFUSED = "refused"


def attempt(operation, *args):
    """Return what the operation returns, ``REFUSED`` if it raises."""
    try:
        return operation(*args)
    except Exception:
        return REFUSED


def importable(backend):
    """Return a dotted path to the class, as the setting BACKEND wants it."""
    name = f"Own{backend.__name__}"
    globals()[name] = backend
    return f"{__name__}.{name}"
