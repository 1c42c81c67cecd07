"""The variables of a compose file that `make-env` has written.

Belongs here: making them anew, as somebody does who starts the cluster for the first time. Does not belong here: what
becomes of them (`compose`).
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from shoplake_assets_tests.docker.composing import DOCKER

_SECONDS = 30


def new_variables(folder: Path) -> Mapping[str, str]:
    """Have `make-env` write a file in the folder, with secrets that nobody had before, and read it."""
    file = folder / "secrets" / ".env"
    file.parent.mkdir(mode=0o700)
    subprocess.run(["sh", DOCKER / "make-env", file], check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603, S607  our own script
    return {name: value for name, value in dotenv_values(file, interpolate=False).items() if value}
