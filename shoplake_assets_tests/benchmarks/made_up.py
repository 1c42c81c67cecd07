"""Tables whose metadata names a great many data files, none of which exists.

Belongs here: writing real manifests, manifest lists and metadata with made-up entries, fast. Does not belong here: what
the files of a lake look like (`made_up_lake`), or what is measured (`planning`).

An entry is encoded by pyiceberg once for all files that differ in their numbers only; the numbers are then put into its
bytes. A million entries so take a minute.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any, Final

from pyiceberg.avro.encoder import BinaryEncoder
from pyiceberg.avro.file import AvroOutputFile
from pyiceberg.avro.resolver import resolve_writer
from pyiceberg.avro.writer import Writer
from pyiceberg.conversions import to_bytes
from pyiceberg.manifest import (
    DEFAULT_READ_VERSION,
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    construct_partition_summaries,
    data_file_with_partition,
    manifest_entry_schema_with_data_file,
    write_manifest_list,
)
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table.refs import SnapshotRef
from pyiceberg.table.snapshots import Operation, Snapshot, SnapshotLogEntry, Summary
from pyiceberg.typedef import Record

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.types import PrimitiveType

_VERSION: Final = 2
# As Spark has them: entries that together have some 64 kB make a block. A manifest has 8 MiB, which real entries fill
# with so many; those made up are more alike, and are pressed together more.
_ENTRIES_IN_A_BLOCK = 64
ENTRIES_IN_A_MANIFEST = 40_000
_CODEC: Final = "deflate"
_NUMBER = b"000000000000"  # in the path of a file
_FIRST, _LAST = 0x7A00_7A00_7A00_7A01, 0x7A00_7A00_7A00_7A02  # in the bounds of a file's offsets


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files that differ in their numbers only.

    Attributes:
        cell: The value of the partition field.
        count: How many there are.
        rows: Rows in each.
        bytes: Size of each.
        bounds: Smallest and largest value by column, as Iceberg has them, but for `offset`.
        first_offset: The first file's first offset; the files follow each other without a gap.
    """

    cell: int
    count: int
    rows: int
    bytes: int
    bounds: Mapping[str, tuple[Any, Any]]
    first_offset: int


class ManifestMaker:
    """Writes the manifests of one table."""

    def __init__(self, table: "Table", *, entries: int = ENTRIES_IN_A_MANIFEST) -> None:
        self._table, self._entries_in_a_manifest = table, entries
        self._schema, self._spec = table.schema(), table.spec()
        self._offset_id = self._schema.find_field("offset").field_id
        partition = self._spec.partition_type(self._schema)
        self._entries = {
            version: manifest_entry_schema_with_data_file(version, data_file_with_partition(partition, version))
            for version in (_VERSION, DEFAULT_READ_VERSION)
        }
        self._writer = resolve_writer(self._entries[DEFAULT_READ_VERSION], self._entries[_VERSION])
        self._made = 0
        self._templates: dict[tuple[Any, ...], bytes] = {}
        self._random = Random(7)  # noqa: S311  sizes, no secrets

    def write(self, files: Iterable[Files], *, snapshot_id: int, added: bool) -> list[ManifestFile]:
        """Write manifests of the usual size.

        Args:
            files: The files; neighbours come into one manifest.
            snapshot_id: The snapshot that the manifests belong to.
            added: Whether it added the files, or has them from snapshots before it.
        """
        entries = self._encoded(files, added=added)
        found = []
        while (made := self._manifest(entries, snapshot_id=snapshot_id, added=added)) is not None:
            found.append(made)
        return found

    def _manifest(
        self, entries: Iterator[tuple[bytes, Files]], *, snapshot_id: int, added: bool
    ) -> ManifestFile | None:
        if (first := next(entries, None)) is None:
            return None
        self._made += 1
        output = self._table.io.new_output(f"{self._table.location()}/metadata/made-up-{self._made:06d}-m0.avro")
        blocks, cells, rows, count = [first], {first[1].cell}, 0, 0
        with AvroOutputFile[Any](
            output, self._entries[_VERSION], "manifest_entry", metadata=self._metadata()
        ) as manifest:
            manifest.writer = _AsTheyAre()  # type: ignore[no-untyped-call]
            while blocks:
                manifest.write_block([entry for entry, _ in blocks])
                cells.update(part.cell for _, part in blocks)
                rows += sum(part.rows for _, part in blocks)
                count += len(blocks)
                full = count >= self._entries_in_a_manifest
                blocks = [] if full else list(islice(entries, _ENTRIES_IN_A_BLOCK))
        return ManifestFile.from_args(
            manifest_path=output.location,
            manifest_length=len(output),
            partition_spec_id=self._spec.spec_id,
            content=ManifestContent.DATA,
            sequence_number=1,
            min_sequence_number=1,
            added_snapshot_id=snapshot_id,
            added_files_count=count if added else 0,
            existing_files_count=0 if added else count,
            deleted_files_count=0,
            added_rows_count=rows if added else 0,
            existing_rows_count=0 if added else rows,
            deleted_rows_count=0,
            partitions=construct_partition_summaries(
                self._spec, self._schema, [Record(cell) for cell in (min(cells), max(cells))]
            ),
            key_metadata=None,
        )

    def _encoded(self, files: Iterable[Files], *, added: bool) -> Iterator[tuple[bytes, Files]]:
        number = self._made * 10**6
        for part in files:
            template = self._template(part, added=added)
            for at in range(part.count):
                number += 1
                first = part.first_offset + at * part.rows
                entry = template.replace(_NUMBER, b"%012d" % number)
                entry = entry.replace(_long(_FIRST), _long(first))
                yield entry.replace(_long(_LAST), _long(first + part.rows - 1)), part

    def _template(self, part: Files, *, added: bool) -> bytes:
        key = (part.cell, part.rows, part.bounds["partition"], added)
        if key not in self._templates:
            self._templates[key] = self._encode(part, added=added)
        return self._templates[key]

    def _encode(self, part: Files, *, added: bool) -> bytes:
        bounds = {**part.bounds, "offset": (_FIRST, _LAST)}
        lower, upper = ({self._id(name): self._bound(name, pair[at]) for name, pair in bounds.items()} for at in (0, 1))
        columns = [field.field_id for field in self._schema.fields]
        folder = f"{self._table.location()}/data/{self._spec.fields[0].name}={part.cell}"
        file = DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=f"{folder}/00000-1-8ba7f0c2-5b1e-4a61-9d2c-{_NUMBER.decode()}-00001.parquet",
            file_format=FileFormat.PARQUET,
            partition=Record(part.cell),
            record_count=part.rows,
            file_size_in_bytes=part.bytes,
            column_sizes={column: self._random.randrange(part.bytes // len(columns)) for column in columns},
            value_counts=dict.fromkeys(columns, part.rows),
            null_value_counts=dict.fromkeys(columns, 0),
            nan_value_counts={},
            lower_bounds=lower,
            upper_bounds=upper,
            key_metadata=None,
            split_offsets=[4],
            equality_ids=None,
            sort_order_id=0,
        )
        entry = ManifestEntry.from_args(
            status=ManifestEntryStatus.ADDED if added else ManifestEntryStatus.EXISTING,
            # What was added has these from its manifest.
            snapshot_id=None if added else 1,
            sequence_number=None if added else 1,
            file_sequence_number=None if added else 1,
            data_file=file,
        )
        content = io.BytesIO()
        self._writer.write(BinaryEncoder(content), entry)
        return content.getvalue()

    def _id(self, column: str) -> int:
        return self._schema.find_field(column).field_id

    def _bound(self, column: str, value: Any) -> bytes:
        kind: PrimitiveType = self._schema.find_field(column).field_type  # type: ignore[assignment]
        return to_bytes(kind, value)

    def _metadata(self) -> dict[str, str]:
        return {
            "schema": self._schema.model_dump_json(),
            "partition-spec": "[]",
            "partition-spec-id": str(self._spec.spec_id),
            "format-version": str(_VERSION),
            "avro.codec": _CODEC,
        }


class _AsTheyAre(Writer):
    """Writes what is encoded already."""

    def write(self, encoder: BinaryEncoder, val: Any) -> None:
        """Write the bytes."""
        encoder.write(val)


def _long(value: int) -> bytes:
    return value.to_bytes(8, "little")


@dataclass(frozen=True, kw_only=True)
class MadeUpSnapshot:
    """A snapshot to be.

    Attributes:
        id: Its id.
        at_ms: When it was committed, milliseconds since 1970.
        summary: Its summary.
        manifests: All its manifests; None where nobody will read them, and no manifest list is written.
        operation: What it says that it did.
    """

    id: int
    at_ms: int
    summary: Mapping[str, str]
    manifests: Sequence[ManifestFile] | None
    operation: Operation = Operation.APPEND


def put(catalog: "Catalog", name: str, snapshots: Sequence[MadeUpSnapshot]) -> None:
    """Give a table these snapshots, each the child of the one before, in place of those that it has."""
    table = catalog.load_table(name)
    parents = [None, *(snapshot.id for snapshot in snapshots[:-1])]
    made = [_snapshot(table, snapshot, parent) for snapshot, parent in zip(snapshots, parents, strict=True)]
    newest = made[-1]
    metadata = table.metadata.model_copy(
        update={
            "snapshots": made,
            "current_snapshot_id": newest.snapshot_id,
            "last_sequence_number": len(made),
            "last_updated_ms": newest.timestamp_ms,
            "refs": {"main": SnapshotRef.model_validate({"snapshot-id": newest.snapshot_id, "type": "branch"})},
            "snapshot_log": [
                SnapshotLogEntry(snapshot_id=snapshot.snapshot_id, timestamp_ms=snapshot.timestamp_ms)
                for snapshot in made
            ],
        }
    )
    location = f"{table.location()}/metadata/99999-made-up-{newest.snapshot_id}.metadata.json"
    ToOutputFile.table_metadata(metadata, table.io.new_output(location))
    catalog.drop_table(name)
    catalog.register_table(name, location)


def _snapshot(table: "Table", snapshot: MadeUpSnapshot, parent: int | None) -> Snapshot:
    path = f"{table.location()}/metadata/snap-{snapshot.id}-1-made-up.avro"
    if snapshot.manifests is not None:
        with write_manifest_list(
            _VERSION, table.io.new_output(path), snapshot.id, parent, snapshot.id, _CODEC
        ) as manifests:
            manifests.add_manifests(list(snapshot.manifests))
    return Snapshot(
        snapshot_id=snapshot.id,
        parent_snapshot_id=parent,
        sequence_number=snapshot.id,
        timestamp_ms=snapshot.at_ms,
        manifest_list=path,
        summary=Summary(operation=snapshot.operation, **snapshot.summary),
        schema_id=table.schema().schema_id,
    )


def schema_columns(schema: "Schema") -> list[str]:
    """The columns of which Iceberg keeps bounds: neither bytes nor lists."""
    return [
        field.name for field in schema.fields if field.field_type.is_primitive and str(field.field_type) != "binary"
    ]
