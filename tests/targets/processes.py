"""Processes, seen from outside."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

FIXTURES = Path(__file__).parents[2] / "fixtures"


def runs(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    state = _ps("-o", "stat=", "-p", str(pid)).strip()
    return bool(state) and not state.startswith("Z")


def soon(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether the condition comes true in this time, generous for a machine under load."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Holder:
    """A Python process that starts a target and then does something, by default for long.

    It has a session and a directory for temporary files of its own, and prints numbers.
    """

    def __init__(
        self, name: str, does: str = "time.sleep(60)", *, provider: str = "process"
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="holder-")
        Path(self._directory.name).chmod(0o755)  # a server may run under another account
        program = (
            "import os, time\n"
            "from cache_targets import start\n"
            f"with start({name!r}, {provider!r}) as target:\n"
            "    print(target.pid, target.port, sep='\\n', flush=True)\n"
            f"    {does}\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONPATH": str(FIXTURES), "TMPDIR": self._directory.name},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_for_target(self) -> tuple[int, int]:
        """Wait until its server answers; return the server's process and port."""
        return self.next_number(), self.next_number()

    def next_number(self) -> int:
        """The next number that it prints."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def files(self, pattern: str = "*") -> list[Path]:
        """Its temporary files."""
        return list(Path(self._directory.name).glob(pattern))

    def left(self) -> list[str]:
        """What there still is of it: temporary files, and programs that were started on them."""
        programs = _ps("-A", "-o", "args=").splitlines()
        return [str(path) for path in self.files()] + [
            program for program in programs if self._directory.name in program
        ]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def press_ctrl_c(self) -> None:
        """What a terminal does: the whole process group of the foreground gets `SIGINT`."""
        os.killpg(self._process.pid, signal.SIGINT)

    def last_words(self) -> str:
        """Wait for its end; return what it wrote to its standard error."""
        return self._process.communicate(timeout=30)[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._process.communicate()
        self._directory.cleanup()


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
