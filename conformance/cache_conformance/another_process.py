"""Another process with the same cache. The functions are copied into reproductions."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress

from django.conf import settings
from django.db import connections

from cache_conformance.vocabulary import NotApplicable

PATIENCE = 20

START = """
import os, pickle, signal, sys, threading, time
answers = os.fdopen(os.dup(1), "wb")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what the backend prints, which is no answer

def say(word):
    answers.write(f"{word}\\n".encode())
    answers.flush()

sys.path[:] = pickle.load(sys.stdin.buffer)
from django.conf import settings
settings.configure(**pickle.load(sys.stdin.buffer))
from django.core.cache import cache
"""

OBSERVE = """
while True:
    try:
        operation, args = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    try:
        answer = (globals().get(operation) or getattr(cache, operation))(*args)
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    pickle.dump(answer, answers)
    answers.flush()
"""


def new_process(entry, code):
    """Start Python with the cache of the entry, to run the code, in a session of its own."""
    try:
        given = pickle.dumps(sys.path) + pickle.dumps(
            {
                "CACHES": {"default": entry},
                "DATABASES": connections.settings,
                "DATABASE_ROUTERS": settings.DATABASE_ROUTERS,
                "USE_TZ": settings.USE_TZ,
            }
        )
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotApplicable(f"its settings cannot be sent to another process: {error}") from error
    errors = tempfile.TemporaryFile()  # noqa: SIM115
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", START + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        env=os.environ | {"PYTHONHASHSEED": "random"},
    )
    process.stderr = errors
    process.stdin.write(given)
    process.stdin.flush()
    return process


@contextmanager
def running(entry, code):
    """Run the code in a new process, which ends with the block at the latest.

    Where a check lets others go on meanwhile, the process awaits the end of its input before it
    uses the cache: of two that write at once, a database may refuse one.
    """
    process = new_process(entry, code)
    try:
        yield process
    finally:
        end(process)


@contextmanager
def observers(entry, number=1, also=""):
    """Give ``ask(operation, *args)`` for each of some processes with the cache of the entry.

    What the code in ``also`` defines are operations too.
    """

    def asking(process):
        def ask(operation, *args):
            pickle.dump((operation, args), process.stdin)
            process.stdin.flush()
            return pickle.load(process.stdout)

        return ask

    with ExitStack() as stack:
        code = also + OBSERVE
        processes = [stack.enter_context(running(entry, code)) for _ in range(number)]
        yield [asking(process) for process in processes]


def ended(process, last=b""):
    """Give the process its last input; return its status, None if it hangs, and what it has said.

    A process that the backend has started may hold on to the pipes, and is not waited for.
    """
    with suppress(BrokenPipeError), process.stdin:
        process.stdin.write(last)
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        status = None
    os.set_blocking(process.stdout.fileno(), False)
    return status, (process.stdout.read() or b"").decode(errors="replace").split()


def last_error(process):
    """Return the last line that the process has written to its stderr."""
    process.stderr.seek(0)
    return process.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]


def end(process):
    """End the process and what it has forked."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        with suppress(BrokenPipeError):
            stream.close()
