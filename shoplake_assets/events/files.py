"""Reading the lines of a file, plain or compressed, however large, in constant memory.

Belongs here: compression, line ends, how far a reader is, and the errors of files. Does not belong here: what a line
means.
"""

import io
import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The first bytes say how a file is compressed; its name may not.
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_LONGEST_MAGIC = max(map(len, _MAGIC))

LONGEST_LINE = 900_000
"""Bytes; a longer line would not fit into a Kafka message with default limits."""

_BUFFER = 64 * 1024


class Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: Its number, the first is 1.
        content: Its bytes without the line end.
    """

    number: int
    content: bytes


class LineFile:
    """An open file of lines; made by `open_lines`.

    Attributes:
        size: Bytes of the file, compressed as it is.
        compression: `gzip`, `zstd` or none.
    """

    def __init__(self, path: "Path", raw: "io.FileIO") -> None:
        head = raw.read(_LONGEST_MAGIC)
        raw.seek(0)
        self.size = os.fstat(raw.fileno()).st_size
        self.compression = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
        self._path = path
        self._raw = raw
        stream: Any = pa.CompressedInputStream(raw, self.compression) if self.compression else raw
        self._reader: io.BufferedReader[Any] = io.BufferedReader(stream, _BUFFER)

    @property
    def position(self) -> int:
        """Bytes of the file, compressed as it is, that have been read."""
        return self._raw.tell()

    def __iter__(self) -> "Iterator[Line]":
        """Yield the lines in order.

        Raises:
            ShoplakeError: The file is damaged or cut within its compression, or a line is no line.
        """
        number = 0
        try:
            for number, content in enumerate(iter(partial(self._reader.readline, LONGEST_LINE), b""), start=1):
                if len(content) == LONGEST_LINE and not content.endswith(b"\n"):
                    raise ShoplakeError(
                        f"{self._path}: line {number} is longer than {LONGEST_LINE:,} bytes; is this a file of lines?"
                    )
                yield Line(number, content.rstrip(b"\r\n"))
        except OSError as error:
            raise ShoplakeError(
                f"{self._path}: cannot be read beyond line {number}: {error}. The file is cut or damaged; "
                f"with a whole copy of it, go on with --from-line {number + 1}."
            ) from error


@contextmanager
def open_lines(path: "Path") -> "Iterator[LineFile]":
    """Open a file for reading its lines.

    Args:
        path: A plain, gzip or zstd file.

    Raises:
        ShoplakeError: There is no such file, or it is a folder, empty or forbidden.
    """
    try:
        raw = path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise ShoplakeError(f"{path}: no such file.") from error
    except IsADirectoryError as error:
        raise ShoplakeError(f"{path} is a folder; name a file in it.") from error
    except OSError as error:
        raise ShoplakeError(f"{path}: cannot be opened: {error.strerror}.") from error
    with raw:
        file = LineFile(path, raw)
        if file.size == 0:
            raise ShoplakeError(f"{path} is empty.")
        yield file
