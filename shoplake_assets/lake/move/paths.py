"""Where a table's files were, and where they will be.

Belongs here: reading a location in any of its spellings, and what becomes of it. Does not belong here: the files.

A local lake spells its locations in two ways: pyiceberg writes `file:///folder`, Iceberg's Java library `file:/folder`,
and one table has both.
"""

from dataclasses import dataclass
from pathlib import Path

from shoplake_assets.errors import ShoplakeError

_LOCAL = "file:"


def is_local(location: str) -> bool:
    """Whether the location is a folder or a file of this machine."""
    return location.startswith((_LOCAL, "/"))


def local_path(location: str) -> Path:
    """The path that a local location means. Both libraries take its characters as they are, `%20` included."""
    return Path("/" + location.removeprefix(_LOCAL).lstrip("/"))


@dataclass(frozen=True)
class Relocation:
    """From the folder of a table to its new one.

    Attributes:
        table: The table's name, for people.
        old: Its location.
        new: The location that it gets, without a slash at the end.
    """

    table: str
    old: str
    new: str

    def __call__(self, location: str) -> str:
        """The new location of a file, or of a folder, of the table.

        Raises:
            ShoplakeError: It is not below the table's folder, so it would be left behind.
        """
        folder = local_path(self.old)
        path = local_path(location) if is_local(location) else None
        if path is None or not path.is_relative_to(folder):
            raise ShoplakeError(
                f"{self.table} has a file outside of its folder, {location}, which cannot be moved. "
                f"Write the table anew into {folder}, then move the lake."
            )
        inner = path.relative_to(folder).as_posix()
        return self.new if inner == "." else f"{self.new}/{inner}"
