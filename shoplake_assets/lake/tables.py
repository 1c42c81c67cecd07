"""The lake's tables: made from their contracts, before anything reads or writes them.

Belongs here: making what is missing. Does not belong here: what is in a table.
"""

from typing import TYPE_CHECKING

from pyiceberg.exceptions import NamespaceAlreadyExistsError, TableAlreadyExistsError

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.tables import ALL, BRONZE_EVENTS

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from shoplake_assets.settings import Settings


def prepare_lake(settings: "Settings") -> list[str]:
    """Make every table that the lake lacks; safe to repeat, and when two processes do it at once.

    Returns:
        The names of the tables that were made.
    """
    catalog = open_catalog(settings)
    have = {".".join(name) for (layer,) in catalog.list_namespaces() for name in catalog.list_tables(layer)}
    missing = [name for name in ALL if name not in have]
    return [name for name in missing if _create(catalog, name)]


def _create(catalog: "Catalog", name: str) -> bool:
    from shoplake_assets.contracts.catalogue import CONTRACTS
    from shoplake_assets.contracts.contract import description_of
    from shoplake_assets.contracts.iceberg import iceberg_schema, partition_spec, properties

    contract = CONTRACTS[name]
    try:
        catalog.create_namespace_if_not_exists(name.split(".", maxsplit=1)[0])
        table = catalog.create_table(
            name,
            iceberg_schema(contract),
            partition_spec=partition_spec(contract),
            properties={"comment": description_of(contract), **properties(contract)},
        )
    except (NamespaceAlreadyExistsError, TableAlreadyExistsError):
        return False
    if name != BRONZE_EVENTS:
        # A branch can be fast-forwarded onto `main` only where `main` is an ancestor, so it needs a first snapshot.
        table.append(table.schema().as_arrow().empty_table())
    return True
