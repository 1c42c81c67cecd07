"""From a contract to the Iceberg table it describes.

Belongs here: schema, partition spec and table properties, derived from the contract and from nothing else.
"""

import re
from typing import Any

import pyspark.sql.types as T  # noqa: N812  the name under which Spark's types are known
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, HourTransform, MonthTransform, Transform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestamptzType,
)

from shoplake_assets.contracts.contract import ContractType, columns_of, description_of, table_of
from shoplake_assets.contracts.errors import ContractError

_PRIMITIVES: dict[type[T.DataType], IcebergType] = {
    T.BinaryType: BinaryType(),
    T.BooleanType: BooleanType(),
    T.DateType: DateType(),
    T.IntegerType: IntegerType(),
    T.LongType: LongType(),
    T.StringType: StringType(),
    T.TimestampType: TimestamptzType(),
}
_TRANSFORMS: dict[str, Transform[Any, Any]] = {
    "hours": HourTransform(),
    "days": DayTransform(),
    "months": MonthTransform(),
}
# Ids of nested fields only have to differ from those of columns; Iceberg assigns its own when it makes the table.
_FIRST_NESTED_ID = 1000
_FIRST_PARTITION_ID = 1000

_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # A column with more distinct values, such as an id, is no dictionary: without one it is smaller and sooner written.
    "write.parquet.dict-size-bytes": "65536",
    # Keeps one file per task: no shuffle before the write, and a Bronze file holds one Kafka partition.
    "write.distribution-mode": "none",
    "write.spark.fanout.enabled": "true",
    "write.metadata.delete-after-commit.enabled": "true",
    # Each refresh leaves a file of few rows in every hour to which late events came. By default one weighs as 4 MiB, so
    # that four are a task, and a refresh would spend most of its time on starting tasks.
    "read.split.open-file-cost": str(256 * 2**10),
}


def iceberg_schema(contract: ContractType) -> Schema:
    """Schema of the contract's table; column descriptions become Iceberg docs."""
    columns = [contract.to_schema().columns[name] for name in columns_of(contract)]
    return Schema(
        *(
            NestedField(
                field_id=number,
                name=column.name,
                field_type=_iceberg_type(column.dtype.type, nested_id=_FIRST_NESTED_ID + 10 * number),
                required=not column.nullable,
                doc=column.description,
            )
            for number, column in enumerate(columns, start=1)
        )
    )


def partition_spec(contract: ContractType) -> PartitionSpec:
    """Partition spec of the contract's table."""
    transform = table_of(contract).partitioned_by
    if not transform:
        return PartitionSpec()
    name, column = re.fullmatch(r"(\w+)\((\w+)\)", transform).groups()  # type: ignore[union-attr]
    source = iceberg_schema(contract).find_field(column)
    return PartitionSpec(
        PartitionField(
            source_id=source.field_id,
            field_id=_FIRST_PARTITION_ID,
            transform=_TRANSFORMS[name],
            name=f"{column}_{name.removesuffix('s')}",
        )
    )


def properties(contract: ContractType) -> dict[str, str]:
    """Table properties: what the table is, the common ones, and which column bounds Iceberg keeps in its metadata.

    Keys are kept whole, so that positions are read from metadata; bytes are kept not at all, they are never searched.
    """
    columns = contract.to_schema().columns
    whole = dict.fromkeys(table_of(contract).key, "full")
    opaque = {name: "none" for name, column in columns.items() if isinstance(column.dtype.type, T.BinaryType)}
    metrics = {f"write.metadata.metrics.column.{name}": mode for name, mode in {**whole, **opaque}.items()}
    return {"comment": description_of(contract), **_PROPERTIES, **metrics}


def _iceberg_type(spark: T.DataType, *, nested_id: int) -> IcebergType:
    if isinstance(spark, T.DecimalType):
        return DecimalType(spark.precision, spark.scale)
    if isinstance(spark, T.ArrayType):
        element = _iceberg_type(spark.elementType, nested_id=nested_id + 1)
        return ListType(element_id=nested_id, element=element, element_required=not spark.containsNull)
    if isinstance(spark, T.StructType):
        fields = (
            NestedField(
                field_id=nested_id + number,
                name=field.name,
                field_type=_iceberg_type(field.dataType, nested_id=nested_id + 10 * number),
                required=not field.nullable,
            )
            for number, field in enumerate(spark.fields)
        )
        return StructType(*fields)
    if type(spark) in _PRIMITIVES:
        return _PRIMITIVES[type(spark)]
    raise ContractError(f"no Iceberg type for Spark's {spark.simpleString()}; add it to contracts.iceberg")
