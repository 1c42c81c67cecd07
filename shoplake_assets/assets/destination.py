"""Where exports go: a folder or an S3 bucket, each file whole or not at all.

Belongs here: the two places. Does not belong here: what is exported (`assets.exports`, `assets.report`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, TextIO, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from shoplake_assets.sections import S3Settings
    from shoplake_assets.settings import Settings

# A temporary file is its owner's alone; an export is for others too.
_READABLE = 0o644


@dataclass(frozen=True)
class Folder:
    """Exports in a local folder; a reader sees the old file or the new one, never half of one."""

    path: Path

    def write(self, name: str, text: str, *, content_type: str) -> str:
        """Write the text to a file of that name and give its location."""
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / name
        with _replacing(target) as file:
            file.write(text)
        return target.as_uri()


@dataclass(frozen=True)
class Bucket:
    """Exports in an S3 bucket, through dagster-aws; an object is put whole."""

    bucket: str
    prefix: str
    s3: "S3Settings"

    def write(self, name: str, text: str, *, content_type: str) -> str:
        """Write the text to an object of that name and give its location."""
        from dagster_aws.s3 import S3Resource

        key = f"{self.prefix}/{name}".lstrip("/")
        client = S3Resource(endpoint_url=self.s3.endpoint, region_name=self.s3.region).get_client()
        client.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), ContentType=content_type)
        return f"s3://{self.bucket}/{key}"


def destination(settings: "Settings") -> Folder | Bucket:
    """Where the settings want the exports."""
    if (folder := settings.exports_folder) is not None:
        return Folder(folder)
    parts = urlsplit(settings.exports.destination or "")
    return Bucket(parts.netloc, parts.path.strip("/"), settings.s3)


@contextmanager
def _replacing(target: Path) -> Iterator[TextIO]:
    """A file beside the target that takes its place when all is written, and is gone if that fails."""
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
    ) as file:
        try:
            yield cast("TextIO", file)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), _READABLE)
            Path(file.name).replace(target)
        finally:
            Path(file.name).unlink(missing_ok=True)
