"""Whether a table in the new place is the one that it was moved from.

Belongs here: the comparison, by metadata. Does not belong here: reading rows, which the verification does.
"""

from typing import TYPE_CHECKING, Any

from shoplake_assets.lake.snapshots import live_files, position_of, reflecting, rows_of, summary_of

if TYPE_CHECKING:
    from pyiceberg.table import Table


def differences(old: "Table", new: "Table", *, new_location: str) -> list[str]:
    """What is not as it was, each in words; empty if the table is the same in its new location."""
    before, after = _facts(old), _facts(new)
    found = [f"{name} was {before[name]}, and is {after[name]}" for name in before if before[name] != after[name]]
    if new.location() != new_location:
        found.append(f"its location is {new.location()}, and not {new_location}")
    return found


def _facts(table: "Table") -> dict[str, Any]:
    metadata, current = table.metadata, table.current_snapshot()
    return {
        "its id": metadata.table_uuid,
        "the current snapshot": metadata.current_snapshot_id,
        "the number of rows": rows_of(current),
        "the position": position_of(reflecting(table)).to_json(),
        "the branches and tags": {name: ref.model_dump() for name, ref in sorted(metadata.refs.items())},
        "the list of snapshots": [
            (one.snapshot_id, one.parent_snapshot_id, one.sequence_number, one.timestamp_ms, summary_of(one))
            for one in sorted(metadata.snapshots, key=lambda one: one.snapshot_id)
        ],
        "the log of snapshots": [entry.model_dump() for entry in metadata.snapshot_log],
        "the columns": [schema.model_dump() for schema in metadata.schemas],
        "the partitions": [spec.model_dump() for spec in metadata.partition_specs],
        "the current columns and partitions": (metadata.current_schema_id, metadata.default_spec_id),
        "the names of the properties": sorted(metadata.properties),
        "the records in the files of each branch": {
            name: sum(file.record_count for file in live_files(table, snapshot))
            for name in sorted(metadata.refs)
            if (snapshot := table.snapshot_by_name(name)) is not None
        },
    }
