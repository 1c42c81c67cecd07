"""The store that a lake moves to.

Belongs here: looking into it and putting files there, several at once. Does not belong here: which files. What is there
already with the same size is not sent again: a data file never changes, and its name is unlike that of any other.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoplake_assets.settings import Settings

_AT_ONCE = 16
_ATTEMPTS = 5
_ABSENT = ("404", "NoSuchKey")

Told = Callable[[int], None]
"""Is told how many bytes have arrived."""


class Store:
    """An S3 store; locations are `s3://bucket/key`."""

    def __init__(self, settings: "Settings") -> None:
        """Know the store that the settings name; who may is found by AWS's own ways."""
        import boto3  # type: ignore[import-untyped]
        from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]

        s3 = settings.s3
        config = Config(
            max_pool_connections=_AT_ONCE,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            s3={"addressing_style": "path" if s3.path_style else "auto"},
        )
        self._client: Any = boto3.client("s3", endpoint_url=s3.endpoint, region_name=s3.region, config=config)
        # The files themselves go side by side, and a part of a large one needs no thread of its own.
        self._transfer = TransferConfig(use_threads=False)

    def sizes_below(self, location: str) -> dict[str, int]:
        """Every file in a folder and in those below it, with its size."""
        bucket, prefix = _parts(location)
        with _explained(location):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_folder(prefix))
            return {f"s3://{bucket}/{one['Key']}": one["Size"] for page in pages for one in page.get("Contents", ())}

    def any_below(self, location: str) -> str | None:
        """One of the files in a folder and in those below it; None if there are none."""
        bucket, prefix = _parts(location)
        with _explained(location):
            page = self._client.list_objects_v2(Bucket=bucket, Prefix=_folder(prefix), MaxKeys=1)
        return next((f"s3://{bucket}/{one['Key']}" for one in page.get("Contents", ())), None)

    def read(self, location: str) -> bytes | None:
        """What is in a file; None if there is none."""
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        bucket, key = _parts(location)
        with _explained(location):
            try:
                content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise
        return content

    def write(self, location: str, content: bytes) -> None:
        """Put a file there, in the place of one that may be there."""
        bucket, key = _parts(location)
        with _explained(location):
            self._client.put_object(Bucket=bucket, Key=key, Body=content)

    def remove(self, location: str) -> None:
        """Take a file away; none need be there."""
        bucket, key = _parts(location)
        with _explained(location):
            self._client.delete_object(Bucket=bucket, Key=key)

    def send(self, files: Mapping[str, Path], *, told: Told) -> None:
        """Copy files, by their new locations; ends at the first that cannot be copied."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            sent = {pool.submit(self._send, location, path): path for location, path in files.items()}
            try:
                for one in as_completed(sent):
                    told(one.result())
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _send(self, location: str, path: Path) -> int:
        bucket, key = _parts(location)
        with _explained(location):
            self._client.upload_file(str(path), bucket, key, Config=self._transfer)
        return path.stat().st_size


def _parts(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key.rstrip("/")


def _folder(prefix: str) -> str:
    return f"{prefix}/" if prefix else ""


@contextmanager
def _explained(location: str) -> "Iterator[None]":
    from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError) as error:
        raise ShoplakeError(f"{location}: {error}. Mend that and run the command again; it goes on there.") from error
