"""What pyiceberg opens of a lake's metadata in this process.

Belongs here: counting manifests and their lists. Does not belong here: what is done meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pyiceberg.io.pyarrow import PyArrowFile


@dataclass
class Opened:
    """What was opened of a lake's metadata.

    Attributes:
        manifests: Names of manifests: lists of data files.
        manifest_lists: Names of lists of manifests.
        bytes: Bytes of both.
    """

    manifests: list[str] = field(default_factory=list)
    manifest_lists: list[str] = field(default_factory=list)
    bytes: int = 0

    def note(self, file: PyArrowFile) -> None:
        """Count a file."""
        name = Path(file.location).name
        if name.endswith(".avro"):
            (self.manifest_lists if name.startswith("snap-") else self.manifests).append(name)
            self.bytes += len(file)


@contextmanager
def watched() -> Iterator[Opened]:
    """Count what pyiceberg opens in this process."""
    opened, really = Opened(), PyArrowFile.open

    def count(file: PyArrowFile, seekable: bool = True) -> Any:
        opened.note(file)
        return really(file, seekable)

    with patch.object(PyArrowFile, "open", count):
        yield opened
