"""The home: the one folder of all local state of a lake.

Belongs here: which names Shoplake makes in it, how it is recognised, how it is wiped. Does not belong here: what the
files mean to the parts that own them.

A home is recognised by its marker file. Only a recognised home is ever wiped, and of it only the names below:
`settings.json` belongs to the user and stays, and so does anything that Shoplake has not made.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

MARKER = ".shoplake"
DATABASE = ("catalog.db", "catalog.db-wal", "catalog.db-shm", "catalog.db-journal")
FOLDERS = ("kafka", "spark", "ingest", "checkpoints", "warehouse", "dagster", "exports", "replay", "logs", "run")


def run_folder(settings: "Settings") -> Path:
    """Files that are made anew at each start."""
    return settings.home / "run"


def logs_folder(settings: "Settings") -> Path:
    """One log per process."""
    return settings.home / "logs"


def create_home(settings: "Settings") -> None:
    """Make the home, or take the one that is there.

    Raises:
        ShoplakeError: The folder holds other things and is no home, or cannot be written to.
    """
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        known = {MARKER, settings.settings_file.name, *DATABASE, *FOLDERS}
        if not (home / MARKER).exists() and (foreign := {entry.name for entry in home.iterdir()} - known):
            raise ShoplakeError(
                f"{home} holds other things ({', '.join(sorted(foreign)[:3])}) and is no lake. Set SHOPLAKE_HOME to an "
                "empty or a new folder."
            )
        (home / MARKER).touch()
        for folder in (run_folder(settings), logs_folder(settings)):
            folder.mkdir(exist_ok=True)
    except OSError as error:
        raise ShoplakeError(
            f"the home {home} cannot be written to: {error.strerror}. Set SHOPLAKE_HOME to a folder of yours."
        ) from error


def check_is_home(settings: "Settings") -> None:
    """Make sure that the home is one that Shoplake has made.

    Raises:
        ShoplakeError: It is not.
    """
    if not (settings.home / MARKER).is_file():
        raise ShoplakeError(
            f"{settings.home} is not a lake that Shoplake has made (it has no {MARKER} file); nothing was removed. Set "
            "SHOPLAKE_HOME to the home that you mean."
        )


def wipe_home(settings: "Settings") -> list[str]:
    """Remove what Shoplake has made in the home; `settings.json` and what is not ours stay.

    Returns:
        The names that were left in place.

    Raises:
        ShoplakeError: The folder is not recognised as a home.
    """
    check_is_home(settings)
    home = settings.home
    for name in FOLDERS:
        if (home / name).is_symlink():
            (home / name).unlink()
        elif (home / name).exists():
            shutil.rmtree(home / name)
    for name in (*DATABASE, MARKER):
        (home / name).unlink(missing_ok=True)
    left = sorted(entry.name for entry in home.iterdir())
    if not left:
        home.rmdir()
    return left
