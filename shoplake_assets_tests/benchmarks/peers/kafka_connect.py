"""Apache Iceberg's sink for Kafka Connect: a standalone worker with one connector of two tasks.

Belongs here: its configuration and its command. Does not belong here: its measurement.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from shoplake_assets.runtime.ports import free_ports
from shoplake_assets.sections import LOOPBACK
from shoplake_assets_tests.benchmarks.peers.table import NAME, jdbc_uri, warehouse

if TYPE_CHECKING:
    from shoplake_assets.runtime.java import Java
    from shoplake_assets_tests.benchmarks.peers.topic import Topic

COMMIT_SECONDS = 10
CONSUMING = r"newly assigned partitions: .*{topic}-"
_LOG4J = """\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{UNIX_MILLIS} %p %c{1} - %m%n
logger.parquet.name=org.apache.parquet
logger.parquet.level=WARN
"""


def log4j_file(folder: Path) -> Path:
    """A configuration of logging that writes the milliseconds since 1970 in front of each line."""
    file = folder / "log4j2.properties"
    file.write_text(_LOG4J)
    return file


def command(folder: Path, topic: "Topic", *, java: "Java", jars: Path) -> list[str]:
    """Write the configuration, make the topic over which the tasks agree on commits, and give the worker's command."""
    control = f"control-{folder.name}"
    admin = AdminClient({"bootstrap.servers": topic.broker})
    for made in admin.create_topics([NewTopic(control, 1, 1)]).values():
        made.result()
    worker = {
        "bootstrap.servers": topic.broker,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "offset.storage.file.filename": str(folder / "connect.offsets"),
        "offset.flush.interval.ms": "1000",
        "plugin.path": str(jars),
        "plugin.discovery": "only_scan",
        "listeners": f"HTTP://{LOOPBACK}:{free_ports(1)[0]}",
    }
    sink = {
        "name": folder.name,
        "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
        "tasks.max": "2",
        "topics": topic.name,
        "consumer.override.auto.offset.reset": "earliest",
        "iceberg.tables": NAME,
        "iceberg.control.topic": control,
        "iceberg.control.commit.interval-ms": str(COMMIT_SECONDS * 1000),
        "iceberg.catalog": "lake",
        "iceberg.catalog.type": "jdbc",
        "iceberg.catalog.uri": jdbc_uri(folder),
        "iceberg.catalog.jdbc.schema-version": "V1",
        "iceberg.catalog.warehouse": warehouse(folder),
    }
    files = []
    for name, properties in (("worker", worker), ("sink", sink)):
        file = folder / f"{name}.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        files.append(str(file))
    return [
        *(str(java.executable), *java.options, "-Xms256m", "-Xmx2g"),
        f"-Dlog4j2.configurationFile={log4j_file(folder)}",
        *("-cp", os.path.join(jars / "connect", "*")),  # noqa: PTH118  a class path, which is no path
        "org.apache.kafka.connect.cli.ConnectStandalone",
        *files,
    ]
