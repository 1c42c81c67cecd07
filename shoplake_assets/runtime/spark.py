"""Spark's drivers: the one Connect server, and the same configuration for a driver of one's own.

Belongs here: environment, configuration and command. Does not belong here: sessions and what is done with them.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.lake.catalog import spark_catalog_conf, spark_catalog_secrets
from shoplake_assets.lake.session import SESSION_CONF
from shoplake_assets.passwords import password_file
from shoplake_assets.runtime.ivy import pyspark_jars
from shoplake_assets.runtime.logs import write_log4j2
from shoplake_assets.runtime.properties import escape
from shoplake_assets.runtime.scratch import scratch_folder, scratch_option, with_emptied
from shoplake_assets.sections import LOOPBACK

if TYPE_CHECKING:
    from shoplake_assets.runtime.jars import Jars
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

CONNECT_TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # noqa: S105  the name of a variable
CONNECT_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
JVM_FLAGS = (
    "-XX:+UseParallelGC",
    # A heap begins small, grows when collecting garbage takes a twentieth of the time and not a hundredth, and shrinks
    # again: an idle lake keeps several hundred MB less, at little cost for a busy one.
    *("-XX:InitialHeapSize=96m", "-XX:GCTimeRatio=19", "-XX:MinHeapFreeRatio=20", "-XX:MaxHeapFreeRatio=40"),
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


def driver_environment(settings: "Settings", java: "Java") -> dict[str, str]:
    """Environment in which pyspark starts a driver of this lake with this Java and this Python."""
    return {
        "JAVA_HOME": str(java.home),
        "SPARK_HOME": str(pyspark_jars().parent),
        "SPARK_CONF_DIR": str(_conf_folder(settings)),
        # Elsewhere the machine's own name is the right one.
        **({"SPARK_LOCAL_IP": LOOPBACK} if settings.bind == LOOPBACK else {}),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def without_spark(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what a shell, or a process with a Connect session, says to Spark.

    `SPARK_REMOTE` or `SPARK_CONNECT_MODE_ENABLED` would make a driver of ours a client, and another `SPARK_HOME`
    another Spark. The token stays with which clients log in at a Connect server.
    """
    return {
        name: value
        for name, value in environment.items()
        if name == CONNECT_TOKEN or not name.startswith(("SPARK_", "PYSPARK_"))
    }


def prepare_spark(settings: "Settings") -> None:
    """Write what the drivers read at their start: how to log, and what of their configuration is secret."""
    write_log4j2(_log4j2(settings), levels=QUIET)
    folder = _conf_folder(settings)
    folder.mkdir(mode=0o700, exist_ok=True)
    defaults = "".join(f"{key}={escape(value)}\n" for key, value in spark_catalog_secrets(settings).items())
    (folder / "spark-defaults.conf").write_text(defaults)


def spark_conf(
    settings: "Settings", jars: "Jars", *, java: "Java | None" = None, memory_mb: int, scratch: "Path"
) -> dict[str, str]:
    """Configuration of a driver that sees the lake, but for the port of its UI. No secret is in it.

    Args:
        settings: Where it computes, with how many cores, the home, the catalog.
        jars: What Spark needs beside its own; they are on the class path, so that nothing is copied at the start.
        java: Gives the options that its processes need, such as a trust store.
        memory_mb: Heap of the driver, MiB.
        scratch: The temporary folder of the driver, which no other uses.
    """
    cores = settings.spark.cores
    options = [
        *(java.options if java else ()),
        *JVM_FLAGS,
        *_password_option(settings),
        scratch_option(scratch),
        f"-Dlog4j2.configurationFile={_log4j2(settings).as_uri()}",
    ]
    return {
        **_computes(settings, jars),
        "spark.driver.memory": f"{memory_mb}m",
        "spark.driver.extraClassPath": os.pathsep.join(str(path) for path in jars.spark),
        "spark.driver.extraJavaOptions": " ".join(f'"{option}"' for option in options),
        "spark.driver.bindAddress": settings.bind,
        **_UI,
        "spark.local.dir": str(scratch),
        # Shuffle files are removed once the garbage collector has found that nobody needs them. The heap shrinks then.
        "spark.cleaner.periodicGC.interval": "2min",
        "spark.sql.warehouse.dir": (spark_folder(settings) / "warehouse").as_uri(),
        "spark.sql.catalogImplementation": "in-memory",
        **SESSION_CONF,
        "spark.sql.shuffle.partitions": str(cores),
        # A refresh runs some 400 pieces of generated code. Spark keeps 100, and would compile nearly all of them anew.
        "spark.sql.codegen.cache.maxEntries": "2000",
        # Joins name what is small, and there are as many partitions as cores: planning anew at each shuffle gains
        # nothing, and makes a job of its own of each.
        "spark.sql.adaptive.enabled": "false",
        # What a refresh keeps in memory is read a few times and then dropped: packing it costs more than it saves.
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        # What Spark would show in its UI: as it is by default, and what logs in at a REST catalog or at Kafka.
        "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|credential|jaas",
        **spark_catalog_conf(settings),
        **settings.spark.conf,
    }


def _computes(settings: "Settings", jars: "Jars") -> dict[str, str]:
    """Where tasks run: in the driver itself, or in executors that a cluster starts and that get the jars from it."""
    spark, cores = settings.spark, str(settings.spark.cores)
    if spark.master is None:
        return {"spark.master": f"local[{cores}]", "spark.driver.host": LOOPBACK}
    of_cluster = {"spark.executor.instances": cores} if spark.master.startswith("k8s:") else {"spark.cores.max": cores}
    return {
        "spark.master": spark.master,
        "spark.driver.host": spark.driver_host,
        "spark.jars": ",".join(str(path) for path in jars.spark),
        **of_cluster,
        "spark.executor.cores": "1",
        "spark.executor.memory": f"{spark.executor_memory_mb}m",
        "spark.executor.extraJavaOptions": " ".join(JVM_FLAGS),
        "spark.executor.logs.rolling.strategy": "size",
        "spark.executor.logs.rolling.maxSize": str(settings.maintenance.log_mb * 2**20),
        "spark.executor.logs.rolling.maxRetainedFiles": str(settings.maintenance.log_backups),
    }


def _password_option(settings: "Settings") -> list[str]:
    """Where Java's Postgres client finds passwords, if the settings have some."""
    file = password_file(settings)
    return [] if file is None else [f"-Dorg.postgresql.pgpassfile={file}"]


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
    """The command that runs the Connect server in the foreground, in the environment of `driver_environment`."""
    scratch = scratch_folder(settings, "connect")
    conf = {
        "spark.app.name": "shoplake",
        **spark_conf(settings, jars, java=java, memory_mb=settings.spark.memory_mb, scratch=scratch),
        "spark.ui.port": str(settings.spark.ui_port),
        "spark.connect.grpc.binding.address": settings.bind,
        "spark.connect.grpc.binding.port": str(settings.spark.connect_port),
        # What a killed command leaves behind is let go of soon. So is the session of all refreshes, if none comes for
        # so long; the next one makes another.
        "spark.connect.session.manager.defaultSessionTimeout": "10m",
    }
    command = [
        str(pyspark_jars().parent / "bin" / "spark-submit"),
        *("--class", CONNECT_SERVER),
        *(part for key, value in conf.items() for part in ("--conf", f"{key}={value}")),
        "spark-internal",
    ]
    return with_emptied(scratch, command)


def _conf_folder(settings: "Settings") -> Path:
    return spark_folder(settings) / "conf"


def _log4j2(settings: "Settings") -> Path:
    return spark_folder(settings) / "log4j2.properties"
