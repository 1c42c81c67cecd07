"""Spark on this machine: the one Connect server, and the same configuration for a driver of one's own.

Belongs here: environment, configuration and command. Does not belong here: sessions and what is done with them.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.lake.catalog import spark_catalog_conf
from shoplake_assets.lake.session import SESSION_CONF
from shoplake_assets.runtime.ivy import pyspark_jars
from shoplake_assets.runtime.logs import write_log4j2
from shoplake_assets.runtime.scratch import scratch_folder, scratch_option, with_emptied
from shoplake_assets.sections import LOOPBACK

if TYPE_CHECKING:
    from shoplake_assets.runtime.jars import Jars
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

CONNECT_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
JVM_FLAGS = (
    "-XX:+UseParallelGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Duser.timezone=UTC",
    # Payloads may nest 1,000 levels deep, and what reads them goes down with them. An overflow ends the whole JVM.
    "-Xss4m",
)
# Warnings that every start repeats and that nobody can act on.
QUIET = {
    "org.apache.hadoop.util.NativeCodeLoader": "error",
    "org.apache.spark.util.Utils": "error",
    "org.apache.spark.SparkConf": "error",
    "org.apache.spark.sql.connect.service.SparkConnectServer": "info",
}
# The UI shows and does not kill, and remembers so little that a driver can run for weeks. Prometheus reads
# `/metrics/prometheus/` on the same port; names begin with the namespace, and not with the id of the application.
_RETAINED = "500"
_UI = {
    "spark.ui.enabled": "true",
    "spark.ui.killEnabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Else Spark would take the next port where this one is taken. Its other ports are of the kernel's choice.
    "spark.port.maxRetries": "0",
    "spark.ui.retainedJobs": _RETAINED,
    "spark.ui.retainedStages": _RETAINED,
    "spark.ui.retainedTasks": "1000",
    "spark.sql.ui.retainedExecutions": _RETAINED,
    "spark.connect.ui.retainedSessions": _RETAINED,
    "spark.connect.ui.retainedStatements": _RETAINED,
    "spark.sql.streaming.ui.retainedProgressUpdates": _RETAINED,
    "spark.metrics.namespace": "shoplake",
    "spark.metrics.conf.*.sink.prometheusServlet.class": "org.apache.spark.metrics.sink.PrometheusServlet",
    "spark.metrics.conf.*.sink.prometheusServlet.path": "/metrics/prometheus",
    "spark.metrics.conf.*.source.jvm.class": "org.apache.spark.metrics.source.JvmSource",
}


def spark_folder(settings: "Settings") -> Path:
    """Where Spark keeps its scratch files; nothing in it is needed after a stop."""
    return settings.home / "spark"


def java_environment(java: "Java") -> dict[str, str]:
    """Environment in which pyspark starts a driver with this Java and this Python."""
    return {
        "JAVA_HOME": str(java.home),
        "SPARK_HOME": str(pyspark_jars().parent),
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        # The allocator's arenas, one per thread, would otherwise add a few hundred MiB to what the heap takes.
        "MALLOC_ARENA_MAX": "2",
    }


def without_spark(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what a shell, or a process with a Connect session, says to Spark.

    `SPARK_REMOTE` or `SPARK_CONNECT_MODE_ENABLED` would make a driver of ours a client, and another `SPARK_HOME`
    another Spark.
    """
    return {name: value for name, value in environment.items() if not name.startswith(("SPARK_", "PYSPARK_"))}


def prepare_spark(settings: "Settings") -> None:
    """Make the folder and the log configuration that `spark_conf` points at."""
    write_log4j2(_log4j2(settings), levels=QUIET)


def spark_conf(
    settings: "Settings", jars: "Jars", *, java: "Java | None" = None, memory_mb: int, scratch: "Path"
) -> dict[str, str]:
    """Configuration of a local driver that sees the lake, but for the port of its UI.

    Args:
        settings: The number of cores, the home, the catalog.
        jars: What Spark needs beside its own; they are on the class path, so that nothing is copied at the start.
        java: Gives the options that its processes need, such as a trust store.
        memory_mb: Heap of the driver, MiB.
        scratch: The temporary folder of the driver, which no other uses.
    """
    cores = settings.spark.cores
    options = [
        *(java.options if java else ()),
        *JVM_FLAGS,
        scratch_option(scratch),
        f"-Dlog4j2.configurationFile={_log4j2(settings).as_uri()}",
    ]
    return {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": f"{memory_mb}m",
        "spark.driver.extraClassPath": os.pathsep.join(str(path) for path in jars.spark),
        "spark.driver.extraJavaOptions": " ".join(f'"{option}"' for option in options),
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        **_UI,
        "spark.local.dir": str(scratch),
        # Shuffle files are removed once the garbage collector has found that nobody needs them.
        "spark.cleaner.periodicGC.interval": "5min",
        "spark.sql.warehouse.dir": (spark_folder(settings) / "warehouse").as_uri(),
        "spark.sql.catalogImplementation": "in-memory",
        **SESSION_CONF,
        "spark.sql.shuffle.partitions": str(cores),
        # A refresh runs some 400 pieces of generated code. Spark keeps 100, and would compile nearly all of them anew.
        "spark.sql.codegen.cache.maxEntries": "2000",
        **spark_catalog_conf(settings),
    }


def ingest_conf(settings: "Settings", jars: "Jars", *, java: "Java | None" = None) -> dict[str, str]:
    """Configuration of the ingest's driver."""
    scratch = scratch_folder(settings, "ingest")
    return {
        **spark_conf(settings, jars, java=java, memory_mb=settings.ingest.memory_mb, scratch=scratch),
        "spark.ui.port": str(settings.ingest.spark_ui_port),
        "spark.sql.streaming.minBatchesToRetain": str(settings.maintenance.checkpoint_batches),
        "spark.sql.streaming.metricsEnabled": "true",
    }


def connect_command(settings: "Settings", java: "Java", jars: "Jars") -> list[str]:
    """The command that runs the Connect server in the foreground, in the environment of `java_environment`."""
    scratch = scratch_folder(settings, "connect")
    conf = {
        "spark.app.name": "shoplake",
        **spark_conf(settings, jars, java=java, memory_mb=settings.spark.memory_mb, scratch=scratch),
        "spark.ui.port": str(settings.spark.ui_port),
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": str(settings.spark.connect_port),
        # What a killed run leaves behind is let go of soon; a run that ends releases its session itself.
        "spark.connect.session.manager.defaultSessionTimeout": "10m",
    }
    command = [
        str(pyspark_jars().parent / "bin" / "spark-submit"),
        *("--class", CONNECT_SERVER),
        *(part for key, value in conf.items() for part in ("--conf", f"{key}={value}")),
        "spark-internal",
    ]
    return with_emptied(scratch, command)


def _log4j2(settings: "Settings") -> Path:
    return spark_folder(settings) / "log4j2.properties"
