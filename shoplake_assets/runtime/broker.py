"""The embedded Kafka: one real broker in KRaft mode, on the loopback interface.

Belongs here: its configuration, its storage, its command. Does not belong here: topics (made by whoever needs them),
supervision. The data is under `<home>/kafka` and outlives restarts.
"""

import base64
import os
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.logs import write_log4j2
from shoplake_assets.runtime.properties import escape
from shoplake_assets.runtime.scratch import scratch_folder, scratch_option, with_emptied
from shoplake_assets.sections import LOOPBACK

if TYPE_CHECKING:
    from shoplake_assets.runtime.jars import Jars
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

NODE = 1
FORMAT_SECONDS = 120
# Measured on 2 cores: with the first compiler only, the broker is up in 1.5 s; with a heap that begins small, it takes
# 80 MB less.
JVM_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:InitialHeapSize=96m",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)
QUIET_BUT = {"kafka.server.KafkaRaftServer": "info", "org.apache.kafka.common.utils.AppInfoParser": "error"}


def broker_folder(settings: "Settings") -> Path:
    """Where the broker keeps its configuration and its data."""
    return settings.home / "kafka"


def server_properties(settings: "Settings") -> dict[str, str]:
    """The broker's configuration."""
    kafka = settings.kafka
    return {
        "process.roles": "broker,controller",
        "node.id": str(NODE),
        "controller.quorum.voters": f"{NODE}@{LOOPBACK}:{kafka.controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{kafka.port},CONTROLLER://{LOOPBACK}:{kafka.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{kafka.port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(broker_folder(settings) / "data"),
        # A single broker has few segments, so it can look for those to delete more often than every five minutes.
        "log.retention.check.interval.ms": "5000",
        "auto.create.topics.enable": "false",
        "num.partitions": str(kafka.partitions),
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # Kafka takes this memory when it starts, 128 MiB by default, to compact topics; here only those of its own are
        # compacted, which have few keys.
        "log.cleaner.dedupe.buffer.size": str(4 * 2**20),
    }


def broker_command(settings: "Settings", java: "Java", jars: "Jars") -> list[str]:
    """The command that runs the broker in the foreground, once `prepare_broker` was called."""
    folder, scratch = broker_folder(settings), scratch_folder(settings, "kafka")
    command = [
        *_java(java, jars, heap_mb=settings.kafka.heap_mb),
        scratch_option(scratch),
        f"-Dlog4j2.configurationFile={(folder / 'log4j2.properties').as_uri()}",
        "kafka.Kafka",
        str(folder / "server.properties"),
    ]
    return with_emptied(scratch, command)


def prepare_broker(settings: "Settings", java: "Java", jars: "Jars") -> None:
    """Write the configuration and, before the first start, format the storage under a new cluster id.

    Raises:
        ShoplakeError: The storage cannot be formatted.
    """
    folder = broker_folder(settings)
    if "," in str(folder):
        raise ShoplakeError(
            f"Kafka cannot keep data in {folder}: the path has a comma. Set SHOPLAKE_HOME to one without."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_log4j2(folder / "log4j2.properties", levels=QUIET_BUT)
    properties = folder / "server.properties"
    properties.write_text("".join(f"{key}={escape(value)}\n" for key, value in server_properties(settings).items()))
    if (folder / "data" / "meta.properties").is_file():
        return
    command = [
        *_java(java, jars, heap_mb=128),
        "kafka.tools.StorageTool",
        *("format", "--cluster-id", _new_cluster_id(), "--config", str(properties), "--ignore-formatted"),
    ]
    result = subprocess.run(  # noqa: S603 - the command is made above, of our own parts
        command, capture_output=True, text=True, timeout=FORMAT_SECONDS, check=False
    )
    if result.returncode != 0:
        output = (result.stderr or result.stdout).strip().splitlines()
        raise ShoplakeError(
            f"Kafka's storage in {folder} cannot be formatted: {output[-1] if output else 'no reason given'}. "
            "Run 'shoplake doctor' to see whether the disk or Java is the cause."
        )


def _java(java: "Java", jars: "Jars", *, heap_mb: int) -> list[str]:
    class_path = os.pathsep.join(str(path) for path in jars.kafka)
    return [str(java.executable), *java.options, f"-Xmx{heap_mb}m", *JVM_FLAGS, "-cp", class_path]


def _new_cluster_id() -> str:
    """A cluster id as Kafka makes them: a UUID in URL-safe base64, without a dash that would look like an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text
