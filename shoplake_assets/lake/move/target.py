"""The catalog and the folder that a lake moves to: whether they may be taken, and taking them.

Belongs here: telling a copy of this very lake, which an earlier attempt has left, from another lake. Does not belong
here: copying (`tables`).

A copy is known by the table's uuid, and that nobody has written to it by its list of earlier metadata files: the copy
begins with an empty one, and each commit adds to it. Before any table is in the catalog, a note in the folder says
whose files those are.
"""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import existing_tables

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from shoplake_assets.lake.move.store import Store
    from shoplake_assets.lake.move.tables import Moving

_NOTE = ".shoplake-move.json"


def names_of_tables(catalog: "Catalog") -> list[str]:
    """Every table in the catalog."""
    return sorted(".".join(name) for namespace in catalog.list_namespaces() for name in catalog.list_tables(namespace))


def claim(catalog: "Catalog", store: "Store", warehouse: str, tables: Sequence["Moving"]) -> None:
    """Make sure that the place is free, or holds an unfinished copy of these tables, and leave a note that it is taken.

    Raises:
        ShoplakeError: Something else is there; nothing was changed.
    """
    for name, table in existing_tables(catalog, [moving.name for moving in tables]).items():
        (moving,) = (moving for moving in tables if moving.name == name)
        if str(table.metadata.table_uuid) != moving.uuid:
            raise ShoplakeError(
                f"the new catalog has a {name} of another lake. Name an empty database, or drop its tables first."
            )
        if table.metadata.metadata_log:
            raise ShoplakeError(
                f"{name} was moved there before and has been written to since. Set the lake's settings to that place, "
                "or name another."
            )
    note = json.dumps({moving.name: moving.uuid for moving in tables}, indent=2).encode()
    known = store.read(f"{warehouse}/{_NOTE}")
    if known is None and existing_tables(catalog, [moving.name for moving in tables]):
        known = note
    theirs = set() if known is None else set(json.loads(known).values())
    if not theirs & {moving.uuid for moving in tables}:
        _refuse_foreign_files(store, warehouse)
    store.write(f"{warehouse}/{_NOTE}", note)


def release(store: "Store", warehouse: str) -> None:
    """Take the note away: the catalog says now whose files those are."""
    store.remove(f"{warehouse}/{_NOTE}")


def enter(catalog: "Catalog", tables: Iterable["Moving"]) -> None:
    """Put the tables into the catalog, in the place of an unfinished copy."""
    for moving in tables:
        namespace, _, _ = moving.name.rpartition(".")
        catalog.create_namespace_if_not_exists(namespace)
        before = existing_tables(catalog, [moving.name]).get(moving.name)
        if before is not None and before.metadata_location != moving.new_metadata_location:
            catalog.drop_table(moving.name)
            before = None
        if before is None:
            catalog.register_table(moving.name, moving.new_metadata_location)


def _refuse_foreign_files(store: "Store", warehouse: str) -> None:
    if found := store.any_below(warehouse):
        raise ShoplakeError(
            f"{warehouse} holds other files already, such as {found}. Name an empty folder with --warehouse."
        )
