"""Where the lake is: one Iceberg catalog, seen alike by pyiceberg and by Spark.

Belongs here: the catalog's coordinates for each kind of reader, and how to open it. Does not belong here: what is in
the tables. Every reader and writer takes its coordinates from here, so that they cannot disagree.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from shoplake_assets.settings import Settings

# Seconds that a writer waits for SQLite's lock before it gives up: longer than any commit, shorter than a patience.
LOCK_TIMEOUT_SECONDS = 30


def catalog_properties(settings: "Settings") -> dict[str, str]:
    """Properties with which pyiceberg opens the catalog named `tables.CATALOG`."""
    return {
        "type": "sql",
        "uri": f"sqlite:///{_database(settings)}?timeout={LOCK_TIMEOUT_SECONDS}",
        "warehouse": _warehouse(settings),
    }


def spark_catalog_conf(settings: "Settings") -> dict[str, str]:
    """Spark configuration with which a session sees the same catalog under the same name.

    Caching is off: a session that lives for days would read stale tables.
    """
    prefix = f"spark.sql.catalog.{CATALOG}"
    wait_ms = LOCK_TIMEOUT_SECONDS * 1000
    return {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.type": "jdbc",
        f"{prefix}.uri": f"jdbc:sqlite:{_database(settings)}?journal_mode=WAL&busy_timeout={wait_ms}",
        f"{prefix}.jdbc.schema-version": "V1",
        f"{prefix}.warehouse": _warehouse(settings),
        f"{prefix}.cache-enabled": "false",
        # Spark declares every column of a Kafka source or a join nullable. Iceberg's writer still refuses a null in a
        # required column; only the declaration is no longer compared.
        "spark.sql.iceberg.check-nullability": "false",
    }


def open_catalog(settings: "Settings") -> "Catalog":
    """Open the catalog with pyiceberg; its database is made on first use."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return _open(tuple(sorted(catalog_properties(settings).items())))


def existing_tables(catalog: "Catalog", names: Iterable[str]) -> dict[str, "Table"]:
    """Those of the tables that exist, as they are now, loaded in this order."""
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    tables = {}
    for name in names:
        with suppress(NoSuchTableError, NoSuchNamespaceError):
            tables[name] = catalog.load_table(name)
    return tables


@lru_cache(maxsize=8)
def _open(properties: tuple[tuple[str, str], ...]) -> "Catalog":
    from pyiceberg.catalog import load_catalog

    return load_catalog(CATALOG, **dict(properties))


def _database(settings: "Settings") -> "Path":
    return settings.home / "catalog.db"


def _warehouse(settings: "Settings") -> str:
    return (settings.home / "warehouse").as_uri()
