"""One table on its way: what there is of it, and what of it the new place has.

Belongs here: what must be copied, and bringing it over. Does not belong here: the lake as a whole (`moving`), how a
file is rewritten (`rewriting`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.move.paths import Relocation, is_local, local_path
from shoplake_assets.lake.move.rewriting import (
    manifests_in,
    read_metadata,
    rewrite_manifest,
    rewrite_manifest_list,
    rewrite_metadata,
    statistics_files,
)

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from shoplake_assets.lake.move.store import Store, Told


@dataclass(frozen=True, kw_only=True)
class Moving:
    """A table with everything that belongs to it.

    Attributes:
        name: Its name in the catalog.
        uuid: Iceberg's id of it, which it keeps.
        relocate: Gives the new location of its files.
        metadata_location: Its current metadata file, where it is.
        metadata: What is in that.
        made: Its metadata files, rewritten, by their new locations, in an order in which none refers to a later one.
        files: Its other files, with their sizes, by their old locations; they are copied as they are.
    """

    name: str
    uuid: str
    relocate: Relocation
    metadata_location: str
    metadata: Mapping[str, Any]
    made: Mapping[str, bytes]
    files: Mapping[str, int]

    @property
    def new_metadata_location(self) -> str:
        """Its current metadata file, where it will be."""
        return self.relocate(self.metadata_location)

    @property
    def new_sizes(self) -> dict[str, int]:
        """All of its files as they shall be in the new place, with their sizes."""
        made = {location: len(content) for location, content in self.made.items()}
        return made | {self.relocate(location): size for location, size in self.files.items()}


def read_table(table: "Table", *, new_location: str) -> Moving:
    """Find all that belongs to a local table, whatever branch or tag holds it, and rewrite its metadata.

    Args:
        table: The table.
        new_location: The location that it gets.

    Raises:
        ShoplakeError: Something of it cannot be moved.
    """
    name = ".".join(table.name()[-2:])
    if not is_local(table.location()):
        raise ShoplakeError(
            f"{name} is in {table.location()} and not in a folder of this machine; only such can be moved."
        )
    relocate = Relocation(name, table.location(), new_location)
    metadata = read_metadata(local_path(table.metadata_location).read_bytes())
    lists = {snapshot["manifest-list"]: _bytes_of(snapshot["manifest-list"]) for snapshot in metadata["snapshots"]}
    made: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    files = statistics_files(metadata)
    for path in dict.fromkeys(path for content in lists.values() for path in manifests_in(content)):
        manifest = rewrite_manifest(_bytes_of(path), relocate)
        made[relocate(path)] = manifest.content
        sizes[path] = len(manifest.content)
        files |= manifest.files
    made |= {relocate(path): rewrite_manifest_list(content, relocate, sizes=sizes) for path, content in lists.items()}
    made[relocate(table.metadata_location)] = rewrite_metadata(metadata, relocate)
    return Moving(
        name=name,
        uuid=str(table.metadata.table_uuid),
        relocate=relocate,
        metadata_location=table.metadata_location,
        metadata=metadata,
        made=made,
        files=files,
    )


def bring(moving: Moving, store: "Store", *, told: "Told") -> None:
    """Copy what the new place lacks of a table; its current metadata last.

    Args:
        moving: The table.
        store: The new place.
        told: Is told how many bytes have arrived, or were there.
    """
    there = store.sizes_below(moving.relocate.new)
    lacking = {}
    for location, size in moving.files.items():
        if there.get(new := moving.relocate(location)) == size:
            told(size)
        else:
            lacking[new] = local_path(location)
    store.send(lacking, told=told)
    for location, content in moving.made.items():
        store.write(location, content)
        told(len(content))


def lacking_files(moving: Moving, store: "Store") -> list[str]:
    """The table's files that the new place does not have, or has with another size."""
    there = store.sizes_below(moving.relocate.new)
    return [location for location, size in moving.new_sizes.items() if there.get(location) != size]


def _bytes_of(location: str) -> bytes:
    return local_path(location).read_bytes()
