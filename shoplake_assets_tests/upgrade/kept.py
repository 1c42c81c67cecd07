"""Lakes of earlier releases, as they are kept beside this module: `lake-<release>.tar.zst`.

Belongs here: packing, unpacking, where such a lake must be, and what stands in `expected.json`. Does not belong here:
how a lake comes to be (`make`), or what is expected of this release (`test_upgrade`).

Iceberg's metadata names every file by its absolute path, and a lake that was made in one folder is none in another. So
a lake is made, and later looked at, in `HOME`, whose parent is a link to a folder of the one who uses it. One at a time
may: a lock beside the link sees to that.
"""

import io
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import zstandard
from filelock import FileLock

FOLDER = Path("/tmp/shoplake-upgrade")  # noqa: S108  the name is in the kept lakes' metadata, see above
HOME = FOLDER / "home"
ARCHIVES = sorted(Path(__file__).parent.glob("lake-*.tar.zst"))

# Of a home: what is the lake, and not what runs on it.
_KEPT = (".shoplake", "settings.json", "catalog.db", "warehouse", "checkpoints", "dagster")
_EXPECTED = "expected.json"
_LEVEL = 19
_LOCK_SECONDS = 900


@dataclass(frozen=True)
class Kept:
    """What was written down when a lake was made.

    Attributes:
        release: The release that made it.
        topic_id: Kafka's id of the topic.
        kafka: The offsets that Kafka held at the end, `begin` and `end`, by partition.
        first_offsets: The offset at which the lake began with each partition.
        gaps: `partition`, `first`, `last` and `because` of each gap.
        settings: What its `settings.json` says.
        bronze: The number of records in Bronze.
        published: Rows of each table by `as_text`, as the release had published them.
        refreshed: The same once all that waits in Bronze is taken in.
    """

    release: str
    topic_id: str
    kafka: Mapping[str, Mapping[str, int]]
    first_offsets: Mapping[str, int]
    gaps: list[dict[str, Any]]
    settings: Mapping[str, Mapping[str, Any]]
    bronze: int
    published: Mapping[str, list[dict[str, Any]]]
    refreshed: Mapping[str, list[dict[str, Any]]]


@contextmanager
def at_its_place(folder: Path) -> Iterator[Path]:
    """Let `HOME` be in the folder, and be nobody else's meanwhile."""
    with FileLock(FOLDER.with_suffix(".lock"), timeout=_LOCK_SECONDS):
        if FOLDER.is_symlink():  # of somebody who was killed
            FOLDER.unlink()
        FOLDER.symlink_to(folder, target_is_directory=True)
        try:
            yield HOME
        finally:
            FOLDER.unlink()


def pack(home: Path, kept: Kept, archive: Path) -> None:
    """Put the lake and what is expected of it into an archive."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    with zstandard.open(archive, "wb", cctx=compressor) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name in _KEPT:
            tar.add(home / name, f"home/{name}", filter=_anonymous)
        document = json.dumps(vars(kept), indent=1).encode()
        entry = _anonymous(tarfile.TarInfo(_EXPECTED))
        entry.size = len(document)
        tar.addfile(entry, io.BytesIO(document))


def unpack(archive: Path, folder: Path) -> Kept:
    """Put a kept lake into the folder, and give what is expected of it."""
    with zstandard.open(archive, "rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        # The first releases of Python 3.11, Debian 12's among them, know no filter; the archive is our own.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)  # noqa: S202  likewise
    return Kept(**json.loads((folder / _EXPECTED).read_text()))


def forget_what_runs(home: Path) -> None:
    """Remove from a home what is not kept."""
    for entry in home.iterdir():
        if entry.name not in _KEPT:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def as_text(rows: Iterable[Mapping[str, Any]], *, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Rows as JSON can carry them, in an order that does not depend on files.

    Args:
        rows: The rows.
        columns: Take only these.
    """
    names = None if columns is None else tuple(columns)
    texts = [{name: _text(row[name]) for name in names or row} for row in rows]
    return sorted(texts, key=lambda row: json.dumps(row, sort_keys=True))


def _text(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case bytes():
            return value.hex()
        case _:
            return value


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Say nothing of who made it, and when."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
