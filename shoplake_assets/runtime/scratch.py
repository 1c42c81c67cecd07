"""A temporary folder for each JVM, emptied when that JVM starts.

Belongs here: where it is, and emptying it. A JVM that is killed leaves unpacked libraries, shuffle files and blocks,
and nobody else would ever remove them. Only what starts a JVM empties its folder: two of them never share one.

    python -m shoplake_assets.runtime.scratch FOLDER COMMAND...     empties the folder and becomes the command
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings


def scratch_folder(settings: "Settings", name: str) -> Path:
    """The temporary folder of one of the JVMs: `kafka`, `connect` or `ingest`."""
    return settings.home / "run" / "scratch" / name


def scratch_option(folder: Path) -> str:
    """The option by which a JVM uses the folder."""
    return f"-Djava.io.tmpdir={folder}"


def emptied(folder: Path) -> Path:
    """Make the folder, empty; the caller is about to start the JVM that owns it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def with_emptied(folder: Path, command: Sequence[str]) -> list[str]:
    """The command that empties the folder first, each time that the supervisor runs it."""
    return [sys.executable, "-m", "shoplake_assets.runtime.scratch", str(folder), *command]


def _main(folder: str, *command: str) -> None:
    emptied(Path(folder))
    os.execvp(command[0], command)  # noqa: S606  the same process goes on, so that the supervisor's signals reach it


if __name__ == "__main__":
    _main(*sys.argv[1:])
