"""The two faces of a backend, sync and async, through which one check drives both."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import Coroutine
from typing import Any

from asgiref.sync import ThreadSensitiveContext

from cache_conformance.clause import Api
from cache_conformance.transcript import Transcript

OPERATIONS = frozenset(
    (
        *("get", "set", "add", "delete", "touch", "has_key", "incr", "decr", "get_or_set"),
        *("get_many", "set_many", "delete_many", "incr_version", "decr_version"),
        *("clear", "close"),
    )
)
ASYNC_OPERATIONS = frozenset(f"a{name}" for name in OPERATIONS)
_thread = threading.local()


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run ``coroutine`` to its end on the event loop of this thread, which lives as long as it."""
    if not hasattr(_thread, "runner"):
        _thread.runner = asyncio.Runner()
        # sync_to_async() then has a worker thread of its own, which a hang cannot block for others
        _thread.runner.run(ThreadSensitiveContext().__aenter__())  # type: ignore[no-untyped-call]
    return _thread.runner.run(coroutine)


def _settled(operation: Any) -> Any:
    """Return the async operation as a plain one; it may return any awaitable, a future say."""

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await operation(*args, **kwargs)

    return lambda *args, **kwargs: run(awaited(*args, **kwargs))


class Face:
    """A backend as a check sees it: attributes are the backend's own, operations are noted.

    On the async face ``cache.get(...)`` awaits ``cache.aget(...)``, so that a check that is
    written once drives both. ``key in cache`` exists on the sync face alone.
    """

    def __init__(self, backend: Any, api: Api, transcript: Transcript) -> None:
        vars(self).update(_backend=backend, _api=api, _transcript=transcript)

    def __getattr__(self, name: str) -> Any:
        if self._api is Api.ASYNC and name in OPERATIONS:
            return self._noted(f"a{name}", _settled(getattr(self._backend, f"a{name}")))
        attribute = getattr(self._backend, name)
        if name in OPERATIONS:
            return self._noted(name, attribute)
        if name in ASYNC_OPERATIONS:
            return self._noted_coroutine(name, attribute)
        return attribute

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._backend, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._backend, name)

    def __contains__(self, key: Any) -> Any:
        note = self._transcript.call("__contains__", (key,), {}, sys._getframe(1).f_lineno)
        try:
            result = key in self._backend
        except BaseException as error:
            note.raised(error)
            raise
        note.returned(result)
        return result

    def _noted(self, name: str, operation: Any) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            note = self._transcript.call(name, args, kwargs, sys._getframe(1).f_lineno)
            try:
                result = operation(*args, **kwargs)
            except BaseException as error:
                note.raised(error)
                raise
            note.returned(result)
            return result

        return noted

    def _noted_coroutine(self, name: str, operation: Any) -> Any:
        async def noted(*args: Any, **kwargs: Any) -> Any:
            note = self._transcript.call(name, args, kwargs, sys._getframe(1).f_lineno)
            try:
                result = operation(*args, **kwargs)
                result = await result if inspect.isawaitable(result) else result
            except BaseException as error:
                note.raised(error)
                raise
            note.returned(result)
            return result

        return noted
