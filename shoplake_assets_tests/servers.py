"""A real Postgres and a real S3 store, for tests that move or open a lake there.

Belongs here: starting and stopping one of each. Does not belong here: how either is run (`cluster.postgres`,
`cluster.store`), and what is in it.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2  # type: ignore[import-untyped]
from psycopg2 import OperationalError

from shoplake_assets.runtime.ports import free_ports
from shoplake_assets_tests.cluster import postgres as postgres_of_the_wheel
from shoplake_assets_tests.cluster import store
from shoplake_assets_tests.waiting import wait_until

_DATABASE, _USER = "catalog", "shoplake_catalog"
_STOP_SECONDS = 20
REGION = "us-east-1"


@dataclass(frozen=True)
class Postgres:
    """A Postgres with an empty database.

    Attributes:
        uri: Its address, without the password.
        password: That of the one user.
    """

    uri: str
    password: str


@dataclass(frozen=True)
class S3:
    """A store.

    Attributes:
        endpoint: Its address.
        keys: The variables by which AWS's own ways know its one client.
    """

    endpoint: str
    keys: Mapping[str, str]


@contextmanager
def postgres(folder: Path, *, password: str) -> Iterator[Postgres]:
    """A Postgres that takes one user with a password, in a folder that it may have for itself."""
    folder.mkdir()
    bin_, data = postgres_of_the_wheel.programs(folder), folder / "data"
    environment = {"POSTGRES_USER": _USER, "POSTGRES_PASSWORD": password, "PGDATABASE": "postgres"}
    environment["POSTGRES_INITDB_ARGS"] = "--auth-host=scram-sha-256"
    postgres_of_the_wheel.initialise(bin_, data, environment=environment, scripts=[_make_database(folder)])
    (port,) = free_ports(1)
    command = postgres_of_the_wheel.command(bin_, data, words=("-c", f"port={port}", "-c", "fsync=off"))

    def answers() -> bool:
        try:
            psycopg2.connect(host="127.0.0.1", port=port, dbname=_DATABASE, user=_USER, password=password).close()
        except OperationalError:
            return False
        return True

    with _running(command, folder, user=postgres_of_the_wheel.unprivileged(), stop=signal.SIGINT):
        wait_until(answers, what="Postgres answers")
        yield Postgres(f"postgresql://{_USER}@127.0.0.1:{port}/{_DATABASE}", password)


@contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """An S3 store without a bucket, in a folder that it may have for itself."""
    folder.mkdir()
    (port,) = free_ports(1)
    key, secret = "moving", "moving-secret"
    command = store.command(folder, port=port, region=REGION)
    with _running(command, folder, environment=store.environment(key=key, secret=secret)):
        wait_until(store.answers(port), what="the S3 store answers")
        keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        yield S3(f"http://127.0.0.1:{port}", keys)


def _make_database(folder: Path) -> Path:
    script = folder / "database.sql"
    script.write_text(f"CREATE DATABASE {_DATABASE};\n")
    if (owner := postgres_of_the_wheel.unprivileged()) is not None:
        os.chown(script, owner, owner)
    return script


@contextmanager
def _running(
    command: list[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  the command is made by the tests
            command,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=user,
            group=user,
            extra_groups=None if user is None else (),
        )
    try:
        yield
    finally:
        process.send_signal(stop)
        process.wait(_STOP_SECONDS)
