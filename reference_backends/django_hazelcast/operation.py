"""An operation, written once for the sync and the async API.

It is a generator that yields each future of the Hazelcast client that it waits for, is sent what
the future brings, and returns its result:

    def _has_key(self, key):
        entry = yield self._map.get(key)
        return is_alive(entry)

`complete` runs it on this thread, `acomplete` on the running event loop, with no other thread: the
client's own thread wakes the loop when an answer is there. Both give up after a time. What an
operation has to put right then stands in a `finally`, which cannot wait.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from queue import Empty, SimpleQueue
from typing import Any, NoReturn, TypeVar

from hazelcast.errors import (
    ClientOfflineError,
    HazelcastClientNotActiveError,
    HazelcastInstanceNotActiveError,
    IllegalStateError,
    IndeterminateOperationStateError,
    OperationTimeoutError,
    TargetDisconnectedError,
    TargetNotMemberError,
)
from hazelcast.future import Future

from django_hazelcast.errors import HazelcastUnavailable, NotBackedUp

Result = TypeVar("Result")
Operation = Generator[Future[Any], Any, Result]

_UNAVAILABLE = (
    ClientOfflineError,
    HazelcastClientNotActiveError,
    HazelcastInstanceNotActiveError,
    IllegalStateError,
    IndeterminateOperationStateError,
    OperationTimeoutError,
    OSError,
    TargetDisconnectedError,
    TargetNotMemberError,
)


def backed_up(write: Callable[[], Future[None]]) -> Operation[None]:
    """Write, and again where the backup was lost with a member."""
    while True:
        try:
            yield write()
            return
        except NotBackedUp:
            continue


def complete(operation: Operation[Result], timeout: float, cluster: str) -> Result:
    """Run an operation on this thread, for at most `timeout` seconds.

    Raises what the operation raises, and `HazelcastUnavailable`, which tells the `cluster`.
    """
    deadline = time.monotonic() + timeout
    answers: SimpleQueue[Future[Any]] = SimpleQueue()
    try:
        future = next(operation)
        while True:
            future.add_done_callback(answers.put)
            try:
                answers.get(timeout=max(deadline - time.monotonic(), 0))
            except Empty:
                _give_up(operation, timeout, cluster)
            future = _go_on(operation, future, cluster)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        operation.close()


async def acomplete(operation: Operation[Result], timeout: float, cluster: str) -> Result:
    """Run an operation on the running event loop, for at most `timeout` seconds.

    Raises what the operation raises, and `HazelcastUnavailable`, which tells the `cluster`. Where
    the task is cancelled, the operation ends at once and lets go of what it holds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    try:
        future = next(operation)
        while True:
            if await _await(future, deadline, loop):
                future = _go_on(operation, future, cluster)
            else:
                _give_up(operation, timeout, cluster)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        operation.close()


async def _await(future: Future[Any], deadline: float, loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the future is done before the deadline."""
    if future.done():
        return True
    answered = loop.create_future()

    def answer(is_done: bool) -> None:
        if not answered.done():
            answered.set_result(is_done)

    def wake(_: Future[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(answer, True)

    alarm = loop.call_at(deadline, answer, False)
    future.add_done_callback(wake)
    try:
        is_done: bool = await answered
        return is_done
    finally:
        alarm.cancel()


def _go_on(operation: Operation[Any], future: Future[Any], cluster: str) -> Future[Any]:
    """Hand an operation what the future has brought, and return the next one it waits for."""
    try:
        brought = future.result()
    except _UNAVAILABLE as error:
        is_written = isinstance(error, IndeterminateOperationStateError)
        kind = NotBackedUp if is_written else HazelcastUnavailable
        unavailable = kind(f"the Hazelcast cluster {cluster} failed: {error}")
        unavailable.__cause__ = error
        return operation.throw(unavailable)
    except Exception as error:
        return operation.throw(error)
    return operation.send(brought)


def _give_up(operation: Operation[Any], timeout: float, cluster: str) -> NoReturn:
    """End an operation whose time is over."""
    operation.throw(
        HazelcastUnavailable(
            f"the Hazelcast cluster {cluster} was not done in {timeout:g} s; "
            "the logger 'hazelcast' tells what its client met"
        )
    )
    raise RuntimeError("an operation went on after its time was over")
