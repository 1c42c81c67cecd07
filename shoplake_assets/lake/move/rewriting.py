"""Iceberg's metadata with other locations in it, and otherwise as they were.

Belongs here: the three kinds of metadata files (table metadata, manifest lists, manifests), each from bytes to bytes;
pure. Does not belong here: which files there are, and copying them.

Iceberg's own procedure for this, `rewrite_table_path`, is not used. It takes one spelling of the old location, and a
local table has two; it names no data file for copying that a snapshot has added which expired since; and it leaves the
old sizes of the manifests in the manifest lists, by which some engines read too little (apache/iceberg issue 13719).
Here every field is kept as it was written, known or not, but for locations and those sizes.
"""

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastavro import reader, writer

from shoplake_assets.errors import ShoplakeError

Relocate = Callable[[str], str]

_GZIP = b"\x1f\x8b"
_FORMAT_VERSION = 2
_DELETED = 2
_DATA = 0
# Properties of a table that are locations.
_LOCATIONS = (
    "write.data.path",
    "write.metadata.path",
    "write.folder-storage.path",
    "write.object-storage.path",
)
_STATISTICS = ("statistics", "partition-statistics")
_STATISTICS_PATH = "statistics-path"


@dataclass(frozen=True)
class Manifest:
    """A manifest, rewritten.

    Attributes:
        content: Its bytes.
        files: The data files that are in it and not marked as removed, with their sizes, by their old locations.
    """

    content: bytes
    files: Mapping[str, int]


def read_metadata(content: bytes) -> dict[str, Any]:
    """A table's metadata as they are written.

    Raises:
        ShoplakeError: They are of another version of Iceberg's format than Shoplake's tables have.
    """
    plain = gzip.decompress(content) if content.startswith(_GZIP) else content
    metadata: dict[str, Any] = json.loads(plain)
    if metadata["format-version"] != _FORMAT_VERSION:
        raise ShoplakeError(
            f"the table in {metadata['location']} has version {metadata['format-version']} of Iceberg's format; "
            f"only version {_FORMAT_VERSION} can be moved."
        )
    return metadata


def rewrite_metadata(metadata: Mapping[str, Any], relocate: Relocate) -> bytes:
    """Table metadata with new locations.

    They begin a new list of earlier metadata files: those stay where they are, and no reader needs them. So an entry in
    it tells that somebody has committed in the new place.
    """
    properties = metadata.get("properties", {})
    moved = {
        **metadata,
        "location": relocate(metadata["location"]),
        "metadata-log": [],
        "snapshots": [
            {**snapshot, "manifest-list": relocate(snapshot["manifest-list"])}
            for snapshot in metadata.get("snapshots", ())
        ],
        "properties": properties | {name: relocate(properties[name]) for name in _LOCATIONS if name in properties},
    }
    for kind in _STATISTICS:
        if kind in metadata:
            moved[kind] = [{**entry, _STATISTICS_PATH: relocate(entry[_STATISTICS_PATH])} for entry in metadata[kind]]
    return json.dumps(moved).encode()


def statistics_files(metadata: Mapping[str, Any]) -> dict[str, int]:
    """Files of statistics that the table refers to, with their sizes; no location is in them."""
    return {
        entry[_STATISTICS_PATH]: entry["file-size-in-bytes"] for kind in _STATISTICS for entry in metadata.get(kind, ())
    }


def manifests_in(manifest_list: bytes) -> list[str]:
    """The manifests of a snapshot."""
    return [entry["manifest_path"] for entry in _records(reader(io.BytesIO(manifest_list)))]


def rewrite_manifest_list(content: bytes, relocate: Relocate, *, sizes: Mapping[str, int]) -> bytes:
    """A manifest list with new locations.

    Args:
        content: The list.
        relocate: Gives the new location of a file.
        sizes: The size of each manifest after it was rewritten, by its old location.
    """

    def moved(entry: dict[str, Any]) -> dict[str, Any]:
        path = entry["manifest_path"]
        return {**entry, "manifest_path": relocate(path), "manifest_length": sizes[path]}

    return _rewritten(content, moved)


def rewrite_manifest(content: bytes, relocate: Relocate) -> Manifest:
    """A manifest with new locations.

    Raises:
        ShoplakeError: It lists files of deletions, which have locations in them and which Shoplake never writes.
    """
    files: dict[str, int] = {}

    def moved(entry: dict[str, Any]) -> dict[str, Any]:
        file = entry["data_file"]
        path = file["file_path"]
        if entry["status"] != _DELETED:
            if file.get("content", _DATA) != _DATA:
                raise ShoplakeError(
                    f"{path} holds deletions that were made by hand, which cannot be moved. 'CALL "
                    "lake.system.rewrite_data_files' with 'delete-file-threshold' => '1' applies them."
                )
            files[path] = file["file_size_in_bytes"]
        return {**entry, "data_file": {**file, "file_path": relocate(path)}}

    return Manifest(_rewritten(content, moved), files)


def _rewritten(content: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """An Avro file with each record changed; the same input gives the same bytes."""
    source = reader(io.BytesIO(content))
    own = {key: value for key, value in source.metadata.items() if not key.startswith("avro.")}

    target = io.BytesIO()
    writer(
        target,
        json.loads(source.metadata["avro.schema"]),
        map(change, _records(source)),
        codec=source.metadata.get("avro.codec", "null"),
        metadata=own,
        sync_marker=hashlib.blake2b(content, digest_size=16).digest(),
    )
    return target.getvalue()


def _records(source: Iterable[object]) -> Iterator[dict[str, Any]]:
    for record in source:
        assert isinstance(record, dict)  # noqa: S101  Iceberg's files consist of records
        yield record
