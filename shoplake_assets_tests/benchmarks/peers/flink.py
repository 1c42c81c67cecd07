"""Flink SQL on a local cluster of its own: JSON from Kafka to the Iceberg sink, parallelism 2, checkpoints of 10 s.

Belongs here: the statements and the command of Flink's SQL client. Does not belong here: its measurement.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets_tests.benchmarks.peers.kafka_connect import log4j_file
from shoplake_assets_tests.benchmarks.peers.table import NAME, STRINGS, jdbc_uri, warehouse

if TYPE_CHECKING:
    from shoplake_assets.runtime.java import Java
    from shoplake_assets_tests.benchmarks.peers.topic import Topic

CHECKPOINT_SECONDS = 10
PARALLELISM = 2
CONSUMING = r"CheckpointCoordinator.*Triggering checkpoint 1 |Starting split fetcher 0"
# What Flink's own start script opens of the JDK.
_OPENED = (
    *("lang", "net", "io", "nio", "lang.invoke", "math", "lang.reflect", "text", "time", "util"),
    *("util.concurrent", "util.concurrent.atomic", "util.concurrent.locks"),
)


def statements(folder: Path, topic: "Topic") -> str:
    """What the SQL client is given: it reads what is in Kafka now, and ends."""
    settings = {
        "execution.target": "local",
        "execution.runtime-mode": "streaming",
        "parallelism.default": str(PARALLELISM),
        "taskmanager.numberOfTaskSlots": str(PARALLELISM),
        "taskmanager.memory.managed.size": "256m",
        "restart-strategy.type": "none",
        "execution.checkpointing.interval": f"{CHECKPOINT_SECONDS}s",
        "execution.checkpointing.dir": (folder / "checkpoints").as_uri(),
        "table.dml-sync": "true",
    }
    catalog = {
        "type": "iceberg",
        "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "uri": jdbc_uri(folder),
        "jdbc.schema-version": "V1",
        "warehouse": warehouse(folder),
    }
    source = {
        "connector": "kafka",
        "topic": topic.name,
        "properties.bootstrap.servers": topic.broker,
        "properties.group.id": folder.name,
        "scan.startup.mode": "earliest-offset",
        "scan.bounded.mode": "latest-offset",
        "format": "json",
    }
    columns = ", ".join([*(f"`{name}` STRING" for name in STRINGS), "`price` DOUBLE", "`quantity` INT"])
    return "\n".join(
        [
            *(f"SET '{key}' = '{value}';" for key, value in settings.items()),
            f"CREATE CATALOG lake WITH ({_options(catalog)});",
            f"CREATE TEMPORARY TABLE source ({columns}) WITH ({_options(source)});",
            f"INSERT INTO lake.{NAME} SELECT * FROM source;",  # noqa: S608  names of ours
        ]
    )


def command(folder: Path, topic: "Topic", *, java: "Java", jars: Path) -> list[str]:
    """Write the statements and give the command that runs them."""
    script = folder / "drain.sql"
    script.write_text(statements(folder, topic))
    (folder / "config.yaml").write_text("{}\n")
    opened = (part for name in _OPENED for part in ("--add-opens", f"java.base/java.{name}=ALL-UNNAMED"))
    return [
        *(str(java.executable), *java.options, "-Xms256m", "-Xmx2g", *opened),
        f"-Dlog4j2.configurationFile={log4j_file(folder)}",
        *("-cp", os.path.join(jars / "flink", "*")),  # noqa: PTH118  a class path, which is no path
        *("org.apache.flink.table.client.SqlClient", "embedded", "-f", str(script)),
    ]


def environment(folder: Path) -> dict[str, str]:
    """Where Flink looks for its configuration."""
    return {"FLINK_CONF_DIR": str(folder)}


def _options(options: dict[str, str]) -> str:
    return ", ".join(f"'{key}'='{value}'" for key, value in options.items())
