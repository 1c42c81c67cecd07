"""What a contract is: a Pandera model of the rows plus what else is true of the table.

Belongs here: the base of every contract and the description of its table. Does not belong here: what is derived from a
contract (`iceberg`, `rules`, `validation`), or any one table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import pandera.pyspark as pa

from shoplake_assets.contracts.errors import ContractError
from shoplake_assets.contracts.limits import Limit, Volume
from shoplake_assets.contracts.rules import require_translations

if TYPE_CHECKING:
    from pandera.api.pyspark.container import DataFrameSchema


@dataclass(frozen=True, kw_only=True)
class Table:
    """What is true of a table beside its rows.

    Attributes:
        name: `layer.table` in the catalog.
        key: Columns that together identify a row; unique in the table.
        partitioned_by: Iceberg partition transform, such as `hours(event_time)`; empty for none.
        code_version: Version of the transformation that builds the table; bump it when the meaning of a column changes.
        fresh_within: A table that has not been materialized for longer than this is stale; None where no news are good.
        owner: Who answers for it, a team in Dagster's notation.
        limits: Shares of a refresh's records that must not be exceeded.
        volume: How much the rate of records may differ from what is usual; None where nobody watches it.
    """

    name: str
    key: tuple[str, ...]
    partitioned_by: str = ""
    code_version: str = "1"
    fresh_within: timedelta | None = timedelta(hours=1)
    owner: str = "team:data-platform"
    limits: tuple[Limit, ...] = ()
    volume: Volume | None = None

    @property
    def layer(self) -> str:
        """`bronze`, `silver` or `gold`."""
        return self.name.split(".")[0]


class Contract(pa.DataFrameModel):  # type: ignore[type-arg]  # generic to type checkers only
    """Base of all contracts: exactly these columns."""

    class Config:
        """Pandera's options for every contract."""

        strict = True

    @classmethod
    def to_schema(cls) -> "DataFrameSchema":
        """The contract as Pandera's schema: one for all threads, where Pandera would make one for each."""
        if cls not in _SCHEMAS:
            _SCHEMAS[cls] = super().to_schema()
        return _SCHEMAS[cls]


ContractType = type[Contract]
_C = TypeVar("_C", bound=ContractType)

_TABLES: dict[ContractType, Table] = {}
_SCHEMAS: "dict[ContractType, DataFrameSchema]" = {}


def describes(table: Table) -> Callable[[_C], _C]:
    """Tie a contract to its table; a contract without one cannot be written to.

    The key becomes the contract's `unique`, so that Pandera judges it, too.

    Raises:
        ContractError: The contract says something that cannot be kept.
    """

    def tie(contract: _C) -> _C:
        schema = contract.to_schema()
        missing = [name for name in table.key if name not in schema.columns]
        if missing:
            raise ContractError(f"{contract.__name__}: key {missing} of {table.name} names no column of the contract")
        if schema.unique:
            raise ContractError(f"{contract.__name__}: `unique` follows from the key of {table.name}; leave it out")
        require_translations(contract)
        schema.unique = list(table.key)
        _TABLES[contract] = table
        return contract

    return tie


def table_of(contract: ContractType) -> Table:
    """The table that the contract describes."""
    return _TABLES[contract]


def columns_of(contract: ContractType) -> tuple[str, ...]:
    """Names of the columns, in the order in which the table has them: key, what is the table's own, what it shares."""
    known = contract.to_schema().columns
    own_first = (name for part in contract.__mro__ for name in vars(part).get("__annotations__", {}) if name in known)
    return tuple(dict.fromkeys((*table_of(contract).key, *own_first)))


def description_of(contract: ContractType) -> str:
    """What the table is, in the words of the contract's docstring."""
    return (contract.__doc__ or "").strip()
