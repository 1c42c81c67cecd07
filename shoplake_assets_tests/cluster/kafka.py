"""The services of `image: apache/kafka`, run from the jars of the embedded broker.

Belongs here: what the image's entry point does, with the very class that it does it with. Does not belong here: any
setting of a broker, all of which are the compose file's.
"""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shoplake_assets.runtime.broker import JVM_FLAGS
from shoplake_assets.runtime.probes import kafka_answers
from shoplake_assets.settings import load_settings

if TYPE_CHECKING:
    from shoplake_assets.runtime.jars import Jars
    from shoplake_assets.runtime.java import Java

# The image's own.
_CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
_HEAP = "-Xmx1G"
_LOGGING = """
Configuration:
  Appenders:
    Console: {name: STDOUT, PatternLayout: {pattern: "%d %p %c{1}: %m%n"}}
  Loggers:
    Root: {level: INFO, AppenderRef: {ref: STDOUT}}
"""
_SECONDS = 120


def command(java: "Java", jars: "Jars", folder: Path, environment: Mapping[str, str]) -> list[str]:
    """The broker in the foreground."""
    logging = f"-Dlog4j2.configurationFile={(folder / 'final' / 'log4j2.yaml').as_uri()}"
    heap = environment.get("KAFKA_HEAP_OPTS", _HEAP).split()
    return [*_java(java, jars), *heap, logging, "kafka.Kafka", str(folder / "final" / "server.properties")]


def configure(java: "Java", jars: "Jars", folder: Path, environment: Mapping[str, str]) -> None:
    """Turn the environment into the broker's configuration, and format its storage, as the image does.

    Raises:
        AssertionError: It fails; the message is what was said.
    """
    for name in ("default", "mounted", "final"):
        (folder / name).mkdir()
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (folder / "default" / name).write_text(_LOGGING)
    folders = [f"--{name}-configs-dir={folder / name}" for name in ("default", "mounted", "final")]
    done = subprocess.run(  # noqa: S603  Kafka's own
        [*_java(java, jars), "-Xmx128m", "kafka.docker.KafkaDockerWrapper", "setup", *folders],
        env={"CLUSTER_ID": _CLUSTER_ID, **environment},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def answers(environment: Mapping[str, str]) -> Callable[[], bool]:
    """Ask a broker whether it serves its clients."""
    listeners = environment["KAFKA_ADVERTISED_LISTENERS"].split(",")
    address = next(text for text in listeners if not text.startswith("CONTROLLER")).partition("://")[2]
    settings = load_settings(kafka={"bootstrap": address})
    return lambda: kafka_answers(settings)


def _java(java: "Java", jars: "Jars") -> list[str]:
    return [str(java.executable), *java.options, *JVM_FLAGS, "-cp", ":".join(str(path) for path in jars.kafka)]
