"""Django's source distribution, which has the tests that its packages leave out."""

import subprocess
import tarfile
from pathlib import Path

import django


def tests(python: str | Path, folder: Path) -> Path:
    """Fetch the sources of the Django that is installed here, and return the folder of its tests.

    ``python``: an interpreter that has pip; it goes to PyPI.
    """
    wanted = f"django=={django.get_version()}"
    fetch = ["-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", wanted]
    subprocess.run([python, *fetch, "-d", folder], check=True)
    with tarfile.open(next(folder.glob("django-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob("django-*/tests"))
