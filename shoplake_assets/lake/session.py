"""What a Spark session must be set to, wherever Spark runs, and the sessions of commands and of refreshes.

Belongs here: settings without which a refresh would come out otherwise, opening and closing a session. Does not belong
here: how Spark is started (`runtime.spark`), or the catalog (`lake.catalog`).
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from shoplake_assets.settings import Settings

SESSION_CONF = {
    "spark.sql.session.timeZone": "UTC",
    # A payload that breaks off in a field is broken; with partial results the field would silently be null.
    "spark.sql.json.enablePartialResults": "false",
}
# By default a client tries for ten minutes. Whoever waits at a terminal is told sooner.
_RETRIES = 4
_MOST_BACKOFF_MS = 2_000
_CLOSED = "INVALID_HANDLE.SESSION_CLOSED"


@contextmanager
def open_session(settings: "Settings") -> Iterator["SparkSession"]:
    """A session of its own on the Spark Connect server, given back at the end.

    Raises:
        ShoplakeError: The server does not answer.
    """
    from pyspark.errors.exceptions.connect import SparkConnectGrpcException
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import DefaultPolicy

    session = SparkSession.builder.remote(settings.spark_remote).create()
    session.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES, max_backoff=_MOST_BACKOFF_MS)])
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # that retries are used up
            _configure(session)
        yield session
    except SparkConnectGrpcException as error:
        if type(error) is not SparkConnectGrpcException:  # the server answered, that something is wrong
            raise
        session.release_session_on_close = False  # nobody is there to give it back to
        remedy = "'shoplake up' starts it, 'shoplake status' shows it"
        raise ShoplakeError(f"Spark at {settings.spark_remote} does not answer. {remedy}.") from error
    finally:
        close_session(session)


def shared_session(remote: str) -> "SparkSession":
    """The session that all refreshes of a day share, on the Spark Connect server.

    Spark keeps the code that it has generated and compiled for each session apart. In a session of its own a refresh
    would spend more processor time on compiling than on anything else.

    Whoever uses it leaves it open. One that was idle for too long the server has closed, and its id is used up; then
    the next one is taken.

    Args:
        remote: The server, as `spark.remote` names it.
    """
    from pyspark.errors.exceptions.connect import SparkConnectGrpcException
    from pyspark.sql import SparkSession

    server = remote if "/;" in remote else f"{remote}/"
    for number in count():
        identity = uuid5(NAMESPACE_URL, f"shoplake {datetime.now(UTC).date()} {number}")
        session: SparkSession = SparkSession.builder.remote(
            f"{server.removesuffix(';')};session_id={identity}"
        ).create()
        session.release_session_on_close = False  # type: ignore[attr-defined]
        try:
            _configure(session)
        except SparkConnectGrpcException as error:
            close_session(session)
            if error.getCondition() != _CLOSED:
                raise
        else:
            return session
    raise AssertionError  # count() has no end


def _configure(session: "SparkSession") -> None:
    """Set what must be set; a server that somebody else runs may have it otherwise."""
    for key, value in SESSION_CONF.items():
        session.conf.set(key, value)


def close_session(session: "SparkSession") -> None:
    """Give a session back and close its connection.

    A client of pyspark closes itself once more when it is collected as garbage, in whatever thread that happens. In one
    of its own, which closing waits for, it would wait for ever. So one that is closed has nothing left to close.
    """
    session.stop()
    session.client.close = lambda: None  # type: ignore[operator]
