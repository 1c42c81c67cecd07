"""The lake's tables: made from their contracts and kept as these say, before anything reads or writes them.

Belongs here: making what is missing, and changing what has another schema or other properties than its contract. Does
not belong here: what may change (`contracts.evolution`), or what is in a table.
"""

from typing import TYPE_CHECKING

from pyiceberg.exceptions import NamespaceAlreadyExistsError, TableAlreadyExistsError

from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.evolution import (
    AddColumn,
    DescribeColumn,
    PlaceColumn,
    RelaxColumn,
    WidenColumn,
    evolution,
)
from shoplake_assets.contracts.iceberg import iceberg_schema, partition_spec, properties
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.conflicts import again_after_a_conflict
from shoplake_assets.tables import ALL, BRONZE_EVENTS

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.update.schema import UpdateSchema

    from shoplake_assets.contracts.evolution import Change, Evolution
    from shoplake_assets.settings import Settings


def prepare_lake(settings: "Settings") -> list[str]:
    """Make every table that the lake lacks, and bring the others up to their contracts.

    Safe to repeat, and when two processes do it at once. All tables are compared with their contracts before any is
    made or changed, so a contract that is refused changes nothing.

    Returns:
        The names of the tables that were made.

    Raises:
        IncompatibleContractError: A table cannot become what its contract says.
    """
    catalog = open_catalog(settings)
    have = {".".join(name) for (layer,) in catalog.list_namespaces() for name in catalog.list_tables(layer)}
    behind = [name for name in ALL if name in have and _evolution(catalog.load_table(name), name)]
    made = [name for name in ALL if name not in have and _create(catalog, name)]
    for name in behind:
        conform_table(catalog, name)
    return made


@again_after_a_conflict
def conform_table(catalog: "Catalog", name: str) -> "Table":
    """Bring one table up to its contract, in one commit; no commit where it is there already.

    When another process changes the table at the same moment, it is looked at again.

    Returns:
        The table as it is now.

    Raises:
        IncompatibleContractError: It cannot become what its contract says; it stays as it is.
    """
    table = catalog.load_table(name)
    lacking = _evolution(table, name)
    if lacking:
        with table.transaction() as transaction:
            if lacking.changes:
                with transaction.update_schema() as update:
                    for change in lacking.changes:
                        _stage(update, change)
            if lacking.properties:
                transaction.set_properties(dict(lacking.properties))
    return table


@again_after_a_conflict
def set_properties(catalog: "Catalog", name: str, properties: dict[str, str]) -> None:
    """Set properties of a table that its contract does not name."""
    with catalog.load_table(name).transaction() as transaction:
        transaction.set_properties(properties)


def _evolution(table: "Table", name: str) -> "Evolution":
    return evolution(CONTRACTS[name], schema=table.schema(), spec=table.spec(), kept_properties=table.properties)


def _stage(update: "UpdateSchema", change: "Change") -> None:
    match change:
        case AddColumn(column, kind, doc):
            update.add_column(column, kind, doc=doc)
        case WidenColumn(column, kind):
            update.update_column(column, field_type=kind)
        case RelaxColumn(column):
            update.make_column_optional(column)
        case DescribeColumn(column, doc):
            update.update_column(column, doc=doc)
        case PlaceColumn(column, None):
            update.move_first(column)
        case PlaceColumn(column, str(after)):
            update.move_after(column, after)


def _create(catalog: "Catalog", name: str) -> bool:
    contract = CONTRACTS[name]
    try:
        catalog.create_namespace_if_not_exists(name.split(".", maxsplit=1)[0])
        table = catalog.create_table(
            name,
            iceberg_schema(contract),
            partition_spec=partition_spec(contract),
            properties=properties(contract),
        )
    except (NamespaceAlreadyExistsError, TableAlreadyExistsError):
        return False
    if name != BRONZE_EVENTS:
        # The branch of a refresh begins at a snapshot of `main`, so there must be a first one.
        table.append(table.schema().as_arrow().empty_table())
    return True
