"""A target that stands until a person takes it down.

The process that holds the target listens on a socket in the user's own runtime directory. Whoever
wants to know about the target, or wants it down, asks there: no process is ever signalled, so none
can be mistaken for another.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
from pathlib import Path
from types import TracebackType

DOWN, STATUS = b"down", b"status"
PATIENCE = 5.0
"""How long the holder waits for an order once somebody has connected, in seconds."""


class Refused(Exception):
    """What is asked of a standing target cannot be had; the message is one line."""


class Post:
    """Where a standing target is asked for: a context around the target itself.

    Whoever asks for the end is answered when the context closes, so after the target has stopped.
    """

    def __init__(self, name: str) -> None:
        """Raises Refused if a target of this name stands already."""
        if _reached(name) is not None:
            raise Refused(f"{name} stands already; see: cache-conformance targets status {name}")
        self._path = _socket(name)
        self._path.unlink(missing_ok=True)
        self._open = contextlib.ExitStack()
        self._listener = self._open.enter_context(socket.socket(socket.AF_UNIX))
        self._listener.bind(str(self._path))
        self._open.callback(self._path.unlink, missing_ok=True)
        self._listener.listen()

    def __enter__(self) -> Post:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def attend(self, description: str) -> None:
        """Give the ``description`` to everybody who asks, and return when one wants the end."""
        while True:
            connection, _ = self._listener.accept()
            connection.settimeout(PATIENCE)
            with contextlib.ExitStack() as asked, contextlib.suppress(OSError):
                asked.enter_context(connection)
                order = connection.recv(len(STATUS))
                if order == STATUS:
                    connection.sendall(description.encode())
                elif order == DOWN:
                    self._open.push(asked.pop_all())
                    return


def describe(name: str) -> str | None:
    """Return the description of the standing target ``name``, None if there is none."""
    return _ask(name, STATUS)


def take_down(name: str) -> bool:
    """Have the standing target ``name`` stopped and wait for it; False if there is none."""
    return _ask(name, DOWN) is not None


def _ask(name: str, order: bytes) -> str | None:
    connection = _reached(name)
    if connection is None:
        return None
    with connection, connection.makefile("rb") as answer:
        connection.sendall(order)
        return answer.read().decode()


def _reached(name: str) -> socket.socket | None:
    """Return a connection to the holder of the target, None if nobody holds it."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(_socket(name)))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def _socket(name: str) -> Path:
    return _directory() / f"{name}.socket"


def _directory() -> Path:
    """Return a directory that only this user can enter. Raises Refused if it is another's."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    parent = Path(runtime) if runtime else Path(tempfile.gettempdir())
    directory = parent / f"cache-conformance-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise Refused(f"{directory} is open to other users; remove it")
    return directory
