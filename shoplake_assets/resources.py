"""Dagster's resources: how assets and sensors reach the lake, Kafka and the ingest.

Belongs here: opening connections. Does not belong here: what is done with them. A connection is made from the settings
and is no configuration of Dagster's, so that nothing of it is shown in the UI or kept with a run.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_pyspark import LazyPySparkResource  # noqa: TID253  makes no session before it is used

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.session import close_session, shared_session
from shoplake_assets.runtime.stream import ingest_status, kafka_range
from shoplake_assets.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyspark.sql import SparkSession

    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.lake.position import KafkaRange, Position

_RETRIES = 8
_MOST_BACKOFF_MS = 5_000


class SparkConnectResource(LazyPySparkResource):
    """The session of the warm Spark Connect server that all refreshes share, found when it is first used."""

    def _init_session(self) -> None:
        from pyspark.sql.connect.client.retries import DefaultPolicy

        if self._spark_session is None:
            session = shared_session(self.spark_config["spark.remote"])
            # By default a client tries for ten minutes; the step's own retry is the better answer to a server that
            # is gone.
            policy = DefaultPolicy(max_retries=_RETRIES, max_backoff=_MOST_BACKOFF_MS)
            session.client.set_retry_policies([policy])  # type: ignore[operator]
            self._spark_session = session

    def begin_anew(self) -> None:
        """Give the connection up; the next use makes another. A server that was started again knows none of before."""
        if self._spark_session is not None:
            close_session(self._spark_session)
            self._spark_session = None

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the connection; the session stays, for the next run."""
        self.begin_anew()


@dataclass(frozen=True)
class LakeConnection:
    """The way to one lake and to what feeds it."""

    settings: Settings

    def table(self, name: str) -> "Table":
        """The table's metadata as of now, read with pyiceberg."""
        return open_catalog(self.settings).load_table(name)

    def lake(self, spark: "SparkSession") -> "Lake":
        """The lake for a refresh, with the session that does its work."""
        from shoplake_assets.lake.lake import Lake

        return Lake(open_catalog(self.settings), spark)

    def kafka_end(self) -> "Position | None":
        """The position behind the newest record in Kafka; None while Kafka does not answer."""
        found = self.kafka_range()
        return None if found is None else found.end

    def kafka_range(self) -> "KafkaRange | None":
        """What Kafka holds; None while it does not answer."""
        return kafka_range(self.settings)

    def ingest_status(self) -> dict[str, Any] | None:
        """The ingest's own `/status`; None while it does not answer."""
        return ingest_status(self.settings)
