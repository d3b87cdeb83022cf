"""Runs many scripts as ``python script.py`` would, in a process each, with Django imported once.

Usage: ``python script_runner.py FOLDER`` prints a JSON object: script name to [status, stderr].
"""

import json
import os
import runpy
import sys
import traceback
from pathlib import Path

import django.contrib.sessions.backends.cached_db
import django.core.cache.backends.db
import django.core.management.commands.createcachetable
import django.core.management.commands.migrate
import django.db.backends.sqlite3.base
import django.test  # noqa: F401

AT_ONCE = 12


def run(script: Path) -> int:
    """Run the script in this process, with its output in a file beside it."""
    output = os.open(script.with_suffix(".err"), os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main(folder: Path) -> None:
    """Run every script of the folder, a dozen at a time."""
    waiting = sorted(folder.glob("*.py"))
    running: dict[int, Path] = {}
    ended: dict[str, tuple[int, str]] = {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            script = waiting.pop()
            process = os.fork()
            if process == 0:
                os._exit(run(script))
            running[process] = script
        process, status = os.wait()
        script = running.pop(process)
        errors = script.with_suffix(".err").read_text(errors="replace")
        ended[script.stem] = (os.waitstatus_to_exitcode(status), errors)
    json.dump(ended, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
