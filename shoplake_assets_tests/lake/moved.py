"""What the tests of a move share: a Postgres and an S3 store, a new place in them for each test, and a listener.

Belongs here: the places, and who is told. Does not belong here: what is moved there.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from unittest.mock import patch

import boto3  # type: ignore[import-untyped]
import psycopg2  # type: ignore[import-untyped]

from shoplake_assets.lake.move.moving import Extent
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.servers import S3, Postgres, postgres, s3

_places = count(1)
_PASSWORD = "geheim:\\1"  # noqa: S105  with what the file of passwords has to escape


@dataclass(frozen=True)
class Servers:
    """Where lakes can be moved to."""

    postgres: Postgres
    s3: S3

    def place(self, lake: Settings) -> Settings:
        """The settings of the lake once it is in a new place: a database and a bucket of its own."""
        number = next(_places)
        name = f"place_{number}"
        address, _, database = self.postgres.uri.rpartition("/")
        connection = psycopg2.connect(f"{address}/{database}", password=self.postgres.password)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()
        return load_settings(
            home=lake.home,
            catalog={
                "uri": f"{address}/{name}",
                "password": self.postgres.password,
                "warehouse": f"s3://lake-{number}/ware house",
            },
            s3={"endpoint": self.s3.endpoint, "path_style": True},
        )


class Listener:
    """Remembers what it is told of a move."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.sizes: list[int] = []

    def say(self, line: str) -> None:
        """Take a line about a step."""
        self.lines.append(line)

    @contextmanager
    def copying(self, extent: Extent) -> Iterator[Callable[[int], None]]:
        """Take the sizes of what is copied, which must add up."""
        self.sizes.clear()
        yield self.sizes.append
        assert sum(self.sizes) == extent.size


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Both servers, and in the environment the keys of the store."""
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # Postgres may run as somebody else, who has to get there
    with (
        postgres(folder / "postgres", password=_PASSWORD) as database,
        s3(folder / "s3") as store,
        patch.dict(os.environ, store.keys),
        # A client that another test has made would be remembered with its keys.
        patch.object(boto3, "DEFAULT_SESSION", None),
    ):
        yield Servers(database, store)
