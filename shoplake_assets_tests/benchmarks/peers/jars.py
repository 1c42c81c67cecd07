"""The jars of the peers that run on a JVM.

Belongs here: which modules in which versions, and bringing them into the cache once. Does not belong here: the jars of
Shoplake itself, which have a lock (`runtime.jars`); these are for a comparison and for nobody's production.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from shoplake_assets.runtime.ivy import Coordinate, Ivy
from shoplake_assets.runtime.jars import KAFKA_VERSION, LOG4J_VERSION, SQLITE_JDBC_VERSION

if TYPE_CHECKING:
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

FLINK_VERSION = "2.0.0"
FLINK_KAFKA_VERSION = "4.0.1-2.0"
PEER_ICEBERG_VERSION = "1.10.1"
HADOOP_VERSION = "3.4.2"


def _shared(conf: str) -> tuple[Coordinate, ...]:
    """What Iceberg's catalog and its files need, whoever uses them."""
    return (
        Coordinate(conf, "org.xerial", "sqlite-jdbc", SQLITE_JDBC_VERSION),
        Coordinate(conf, "org.apache.hadoop", "hadoop-client-api", HADOOP_VERSION),
        Coordinate(conf, "org.apache.hadoop", "hadoop-client-runtime", HADOOP_VERSION),
    )


COORDINATES = (
    Coordinate("connect", "org.apache.kafka", "connect-runtime", KAFKA_VERSION),
    Coordinate("connect", "org.apache.kafka", "connect-json", KAFKA_VERSION),
    Coordinate("connect", "org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
    Coordinate("sink", "org.apache.iceberg", "iceberg-kafka-connect", PEER_ICEBERG_VERSION),
    Coordinate("sink", "org.apache.iceberg", "iceberg-parquet", PEER_ICEBERG_VERSION),
    *_shared("sink"),
    *(
        Coordinate("flink", "org.apache.flink", module, FLINK_VERSION)
        for module in (
            *("flink-clients", "flink-sql-client", "flink-table-api-java-bridge", "flink-table-planner-loader"),
            *("flink-table-runtime", "flink-json", "flink-connector-files", "flink-connector-base"),
            # Without these the SQL client does not read its own options.
            *("flink-sql-gateway", "flink-python"),
        )
    ),
    Coordinate("flink", "org.apache.flink", "flink-sql-connector-kafka", FLINK_KAFKA_VERSION),
    Coordinate("flink", "org.apache.iceberg", "iceberg-flink-runtime-2.0", PEER_ICEBERG_VERSION),
    Coordinate("flink", "org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
    *_shared("flink"),
)


def peers_folder(settings: "Settings", java: "Java") -> Path:
    """The folder with a subfolder of jars for each of `connect`, `sink` and `flink`; fetched if the cache lacks it.

    Raises:
        ShoplakeError: They cannot be fetched.
    """
    cache = settings.runtime.cache
    folder = cache / f"peers-flink-{FLINK_VERSION}-iceberg-{PEER_ICEBERG_VERSION}-kafka-{KAFKA_VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "peers.filelock"):
        if not folder.is_dir():
            making = cache / f"{folder.name}.making"
            making.mkdir(exist_ok=True)
            Ivy(java, cache=cache / "ivy-peers", with_dependencies=True).retrieve(
                COORDINATES, into=making, pattern="[conf]/[artifact]-[revision].[ext]"
            )
            making.rename(folder)
    return folder
