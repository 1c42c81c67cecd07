"""What a table that exists lacks to be as its contract says.

Belongs here: the comparison of a contract with a live table's schema, partitioning and properties, and what of it may
change. Does not belong here: changing the table (`lake.tables`).

A table follows its contract where Iceberg can do so without touching a row: a new optional column, a column that may
now be null, a wider type, other descriptions, another order. Everything else would lose values or invent them, and is
refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.types import DecimalType, IcebergType, IntegerType, ListType, LongType, NestedField, StructType

from shoplake_assets.contracts.contract import ContractType, table_of
from shoplake_assets.contracts.iceberg import iceberg_schema, partition_spec, properties
from shoplake_assets.errors import ShoplakeError

_FAULTS_SHOWN = 4
# Iceberg takes it from the properties when it makes a table, and does not keep it there.
_NOT_KEPT = {"format-version"}


class IncompatibleContractError(ShoplakeError):
    """A contract asks for what a table that exists cannot become; nothing was changed."""

    def __init__(self, *, table: str, faults: list[str]) -> None:
        shown, more = faults[:_FAULTS_SHOWN], len(faults) - _FAULTS_SHOWN
        told = "; ".join([*shown, *([f"and {more} more"] if more > 0 else [])])
        super().__init__(f"{table} cannot follow its contract and stays as it is: {told}.")


@dataclass(frozen=True)
class AddColumn:
    """A new optional column, behind all others until it is placed."""

    column: str
    type: IcebergType
    doc: str


@dataclass(frozen=True)
class WidenColumn:
    """A type that holds all values of the old one."""

    column: str
    type: IcebergType


@dataclass(frozen=True)
class RelaxColumn:
    """A column that may be null from now on."""

    column: str


@dataclass(frozen=True)
class DescribeColumn:
    """Another description."""

    column: str
    doc: str


@dataclass(frozen=True)
class PlaceColumn:
    """Another place: behind the column `after`, or before all others where that is None."""

    column: str
    after: str | None


Change: TypeAlias = AddColumn | WidenColumn | RelaxColumn | DescribeColumn | PlaceColumn


@dataclass(frozen=True)
class Evolution:
    """What brings a table up to its contract; false if there is nothing to do.

    Attributes:
        changes: Changes of the schema, in the order in which they are made.
        properties: Table properties that are missing or differ. Those that the contract does not name are left alone.
    """

    changes: tuple[Change, ...]
    properties: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.changes or self.properties)


def evolution(
    contract: ContractType, *, schema: Schema, spec: PartitionSpec, kept_properties: Mapping[str, str]
) -> Evolution:
    """Find out what a live table lacks.

    Args:
        contract: What the table shall be.
        schema: The table's schema as it is.
        spec: Its partitioning as it is.
        kept_properties: Its properties as they are.

    Raises:
        IncompatibleContractError: It cannot become what the contract says.
    """
    wanted = iceberg_schema(contract)
    faults = [*_column_faults(wanted, schema), *_partition_faults(contract, wanted, schema, spec)]
    if faults:
        raise IncompatibleContractError(table=table_of(contract).name, faults=faults)
    have = {field.name: field for field in schema.fields}
    changes = [change for field in wanted.fields for change in _changes(field, have.get(field.name))]
    differing = {
        key: value
        for key, value in properties(contract).items()
        if key not in _NOT_KEPT and kept_properties.get(key) != value
    }
    return Evolution((*changes, *_moves(wanted, schema)), differing)


def _column_faults(wanted: Schema, schema: Schema) -> Iterator[str]:
    have = {field.name: field for field in schema.fields}
    for new in wanted.fields:
        old, kind = have.pop(new.name, None), _shown(new.field_type)
        if old is None:
            if new.required:
                told = f"{new.name} ({kind}) is new and required"
                yield f"{told} (make it nullable: rows that exist have no value for it)"
            continue
        if _shown(old.field_type) != kind and not _is_wider(new.field_type, than=old.field_type):
            told = f"{new.name} is {_shown(old.field_type)} in the table and {kind} in the contract"
            yield f"{told} (keep the type; a column of another name can have the new one)"
        if new.required and old.optional:
            yield f"{new.name} may be null in the table and not in the contract (make it nullable again)"
    for old in have.values():
        told = f"{old.name} ({_shown(old.field_type)}) is in the table and not in the contract"
        yield f"{told} (give it back; as a nullable column it may stay empty)"


def _partition_faults(contract: ContractType, wanted: Schema, schema: Schema, spec: PartitionSpec) -> Iterator[str]:
    old, new = _partitioning(spec, schema), _partitioning(partition_spec(contract), wanted)
    if old != new:
        told = f"it is partitioned by {old} and in the contract by {new}"
        yield f"{told} (keep that; a table of another name can have the new one)"


def _changes(new: NestedField, old: NestedField | None) -> Iterator[Change]:
    doc = new.doc or ""
    if old is None:
        yield AddColumn(new.name, new.field_type, doc)
        return
    if _shown(new.field_type) != _shown(old.field_type):
        yield WidenColumn(new.name, new.field_type)
    if old.required and new.optional:
        yield RelaxColumn(new.name)
    if doc != (old.doc or ""):
        yield DescribeColumn(new.name, doc)


def _moves(wanted: Schema, schema: Schema) -> Iterator[PlaceColumn]:
    """Bring the columns, new ones last as Iceberg adds them, into the contract's order."""
    names = [field.name for field in wanted.fields]
    have = [field.name for field in schema.fields]
    order = [*have, *(name for name in names if name not in have)]
    for place, name in enumerate(names):
        if order[place] != name:
            order.remove(name)
            order.insert(place, name)
            yield PlaceColumn(name, after=names[place - 1] if place else None)


def _is_wider(new: IcebergType, *, than: IcebergType) -> bool:
    """Whether Iceberg's specification lets a column of one type become one of the other.

    Said here in full, because pyiceberg would also take a decimal of another scale, and text for bytes.
    """
    if isinstance(new, DecimalType) and isinstance(than, DecimalType):
        return new.scale == than.scale and new.precision > than.precision
    return isinstance(new, LongType) and isinstance(than, IntegerType)


def _shown(kind: IcebergType) -> str:
    """The type without the ids of nested fields, which say nothing and differ from table to table."""
    if isinstance(kind, ListType):
        return f"list<{_member(kind.element_field)}>"
    if isinstance(kind, StructType):
        return f"struct<{', '.join(f'{field.name}: {_member(field)}' for field in kind.fields)}>"
    return str(kind)


def _member(field: NestedField) -> str:
    return f"{'required ' if field.required else ''}{_shown(field.field_type)}"


def _partitioning(spec: PartitionSpec, schema: Schema) -> str:
    parts = [f"{field.transform}({schema.find_column_name(field.source_id)})" for field in spec.fields]
    return ", ".join(parts) or "nothing"
