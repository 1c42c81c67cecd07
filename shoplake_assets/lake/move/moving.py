"""Moving the tables of a local lake to S3 and another catalog.

Belongs here: the order of the steps. Does not belong here: the steps, verifying rows, and what makes the lake use the
new place, which is up to whoever calls this.

Nothing of the old place is changed. Each step can be repeated: what is there is not copied again, and a table enters
the new catalog only once all files of all tables are there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.move.comparison import differences
from shoplake_assets.lake.move.store import Store
from shoplake_assets.lake.move.tables import Moving, bring, lacking_files, read_table
from shoplake_assets.lake.move.target import claim, enter, names_of_tables, release

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much there is to move.

    Attributes:
        tables: Tables.
        files: Files, those of metadata among them.
        size: Bytes in them.
    """

    tables: int
    files: int
    size: int


class Move:
    """One attempt to move a lake."""

    def __init__(self, *, old: "Catalog", new: "Catalog", store: Store, warehouse: str) -> None:
        """Read what there is to move.

        Args:
            old: The catalog of the local lake.
            new: The catalog that it moves to.
            store: The store that its files move to.
            warehouse: The folder in that store, `s3://bucket/prefix`, without a slash at the end.

        Raises:
            ShoplakeError: Something in the lake cannot be moved.
        """
        self._old, self._new, self._store, self._warehouse = old, new, store, warehouse
        self._tables: Sequence[Moving] = [
            read_table(old.load_table(name), new_location=f"{warehouse}/{name.replace('.', '/')}")
            for name in names_of_tables(old)
        ]

    @property
    def extent(self) -> Extent:
        """How much there is to move."""
        sizes = [size for moving in self._tables for size in moving.new_sizes.values()]
        return Extent(tables=len(self._tables), files=len(sizes), size=sum(sizes))

    def claim(self) -> None:
        """Take the new place.

        Raises:
            ShoplakeError: Something else is there; nothing was changed.
        """
        claim(self._new, self._store, self._warehouse, self._tables)

    def bring(self, *, told: Callable[[int], None] = lambda _: None) -> None:
        """Copy what the new place lacks, look whether all is there, and enter the tables into the new catalog.

        Args:
            told: Is told how many bytes have arrived, or were there.

        Raises:
            ShoplakeError: A file cannot be copied; the next attempt goes on there.
        """
        for moving in self._tables:
            bring(moving, self._store, told=told)
        lacking = [location for moving in self._tables for location in lacking_files(moving, self._store)]
        if lacking:
            raise ShoplakeError(
                f"{len(lacking):,} files have not arrived, such as {lacking[0]}; the lake stays where it is. Run the "
                "command again."
            )
        enter(self._new, self._tables)

    def compare(self) -> None:
        """Make sure that each table is, in the new place, what it is in the old one, and that nobody writes to it.

        Raises:
            ShoplakeError: Some is not.
        """
        for moving in self._tables:
            old, new = (catalog.load_table(moving.name) for catalog in (self._old, self._new))
            if old.metadata_location != moving.metadata_location:
                raise ShoplakeError(
                    f"something has written to {moving.name} while it was moved; the lake stays where it is. Stop "
                    "every writer and run the command again."
                )
            if found := differences(old, new, new_location=moving.relocate.new):
                raise ShoplakeError(f"{moving.name} has not become the same: {found[0]}. The lake stays where it is.")

    def release(self) -> None:
        """Take away the note of an unfinished move; the lake uses the new place now."""
        release(self._store, self._warehouse)
