"""The peers' table: typed columns, made beforehand, compressed as Shoplake's are, so that bytes compare.

Belongs here: its schema and its catalog. Does not belong here: who writes to it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, IntegerType, NestedField, StringType

if TYPE_CHECKING:
    from pyiceberg.table import Table

NAME = "bronze.events"
STRINGS = (
    "event_id",
    "event_type",
    "event_time",
    "user_id",
    "session_id",
    "product_id",
    "product_name",
    "category",
)
_PROPERTIES = {"format-version": "2", "write.parquet.compression-codec": "zstd"}


def catalog_file(folder: Path) -> Path:
    """The SQLite file of the catalog, which pyiceberg and Iceberg's JDBC catalog share."""
    return folder / "catalog.db"


def jdbc_uri(folder: Path) -> str:
    """The catalog as Java finds it."""
    return f"jdbc:sqlite:{catalog_file(folder)}?busy_timeout=30000&journal_mode=WAL"


def warehouse(folder: Path) -> str:
    """Where the table's files go."""
    return (folder / "warehouse").as_uri()


def open_table(folder: Path) -> "Table":
    """The table as it is now."""
    return _catalog(folder).load_table(NAME)


def make_table(folder: Path) -> None:
    """Make catalog and table in the folder."""
    catalog = _catalog(folder)
    catalog.create_namespace("bronze")
    with closing(sqlite3.connect(catalog_file(folder))) as database, database:
        database.execute("pragma journal_mode=wal")
        columns = [row[1] for row in database.execute("pragma table_info(iceberg_tables)")]
        if "iceberg_type" not in columns:
            # Else two tasks of a Java sink would both add it, and one would fail.
            database.execute("alter table iceberg_tables add column iceberg_type varchar(5)")
    types = [*((name, StringType()) for name in STRINGS), ("price", DoubleType()), ("quantity", IntegerType())]
    fields = (NestedField(number, name, kind, required=False) for number, (name, kind) in enumerate(types, start=1))
    catalog.create_table(NAME, Schema(*fields), properties=_PROPERTIES)


def _catalog(folder: Path) -> SqlCatalog:
    folder.mkdir(parents=True, exist_ok=True)
    return SqlCatalog("lake", uri=f"sqlite:///{catalog_file(folder)}", warehouse=warehouse(folder))
