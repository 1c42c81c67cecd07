"""Spark's driver for the ingest: a JVM of its own, started and watched by this process.

Belongs here: starting it with the lake's lock in its hands, noticing its death. Does not belong here: what it is used
for (`stream`).
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.jars import resolve_jars
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.ports import Port, taken
from shoplake_assets.runtime.scratch import emptied, scratch_folder
from shoplake_assets.runtime.spark import driver_environment, ingest_conf, prepare_spark, without_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from shoplake_assets.settings import Settings

# A JVM takes 3 to 10 s to start, and 25 s on a slow machine that is busy. One that could not write down where it
# listens, on a disk that is full, lives on, and pyspark waits for that note for ever.
_START_SECONDS = 60
_NOTICE_SECONDS = 2  # the connection to a process breaks a moment before the kernel tells that it has ended


@dataclass(frozen=True)
class Driver:
    """A session, and the process that does its work."""

    session: "SparkSession"
    process: subprocess.Popen[bytes]

    def ended(self) -> str | None:
        """How the JVM ended, in one line; None while it lives."""
        code = self.process.poll()
        if code is None:
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"has ended with code {code}"
        return f"the JVM of the ingest (process {self.process.pid}) {how}. A new start goes on where Bronze ends."


@contextmanager
def spark_driver(settings: "Settings", *, inherits: int) -> Iterator[Driver]:
    """Start a driver that sees the lake, and stop it at the end.

    The JVM ends by itself when this process is killed, because its standard input ends.

    Args:
        settings: Name the lake and the memory.
        inherits: A file descriptor that the JVM shall hold, too.

    Raises:
        ShoplakeError: The port of its UI is taken, or the JVM has died.
    """
    from py4j.protocol import Py4JError, Py4JNetworkError  # type: ignore[import-untyped]

    driver = _launch(settings, inherits=inherits)
    try:
        yield driver
    except (Py4JError, ConnectionError) as error:
        # A JVM that dies while it answers breaks the answer off, and py4j takes that for an error of the call.
        if not (said := _death(driver)) and not isinstance(error, (Py4JNetworkError, ConnectionError)):
            raise
        silent = f"the JVM of the ingest (process {driver.process.pid}) does not answer any more."
        raise ShoplakeError(said or silent) from error
    finally:
        if driver.ended() is None:
            driver.session.stop()


def _launch(settings: "Settings", *, inherits: int) -> Driver:
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if said := taken(Port("ingest", "spark_ui_port", settings.ingest.spark_ui_port)):
        raise ShoplakeError(said)
    java = find_java(settings)
    jars = resolve_jars(settings, java)
    prepare_spark(settings)
    emptied(scratch_folder(settings, "ingest"))
    for name in os.environ.keys() - without_spark(os.environ).keys():
        del os.environ[name]
    os.environ.update(driver_environment(settings, java))
    conf = SparkConf().setAppName("shoplake-ingest")
    conf.setAll(list(ingest_conf(settings, jars, java=java).items()))
    launch: Any = launch_gateway  # pyspark does not say of what type it is
    patience = threading.Timer(_START_SECONDS, _kill_children)
    patience.start()
    try:
        gateway = launch(conf, popen_kwargs={"pass_fds": (inherits,)})
    except PySparkRuntimeError as error:
        raise ShoplakeError(
            f"the JVM of the ingest has ended, or not come up within {_START_SECONDS} s; what it said is above."
        ) from error
    finally:
        patience.cancel()
    return Driver(SparkSession(SparkContext(gateway=gateway, conf=conf)), gateway.proc)


def _kill_children() -> None:
    """Kill the JVM that is being started: pyspark, which has started it, has not handed it over yet."""
    for child in psutil.Process().children():
        child.kill()


def _death(driver: Driver) -> str | None:
    """How the JVM ended, also if it is only about to; None if it lives on."""
    with suppress(subprocess.TimeoutExpired):
        driver.process.wait(timeout=_NOTICE_SECONDS)
    return driver.ended()
