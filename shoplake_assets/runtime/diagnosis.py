"""Whether this machine can run a lake, and what mends it if not.

Belongs here: one finding per thing that a start depends on. Does not belong here: how findings are shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.ivy import pyspark_jars
from shoplake_assets.runtime.jars import SCALA_LINE, cached_jars, groups, jars_folder, locked_jars, mismatches
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.outside import outside_problems
from shoplake_assets.runtime.ports import conflicts, lake_ports
from shoplake_assets.runtime.preparation import disk_problems, free_mb
from shoplake_assets.runtime.probes import kafka_answers
from shoplake_assets.runtime.supervision import is_up

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

# What a Java process takes beside its heap, and all Python processes together; measured.
JAVA_EXTRA_MB = 300
PYTHON_MB = 1_200
REINSTALL = "pip install --force-reinstall shoplake"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it is as it must be.
        detail: What was found.
        remedy: The command or the step that mends it; empty if nothing is to be done.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def diagnose(settings: "Settings") -> list[Finding]:
    """Look at everything; nothing is changed."""
    return [
        _java(settings),
        _jars(settings),
        *_versions(),
        _ports(settings),
        _disk(settings),
        _memory(settings),
        *_services(settings),
    ]


def _java(settings: "Settings") -> Finding:
    try:
        java = find_java(settings)
    except ShoplakeError as error:
        return Finding("java", ok=False, detail=str(error), remedy="export SHOPLAKE_RUNTIME__JAVA=wheel")
    return Finding("java", ok=True, detail=f"Java {java.version} ({java.source}) in {java.home}")


def _jars(settings: "Settings") -> Finding:
    folder = jars_folder(settings)
    if cached_jars(settings) is None:
        return Finding("jars", ok=True, detail=f"not in {folder} yet; the first 'shoplake up' downloads them")
    wanted = [jar for jar in locked_jars() if jar.coordinate.conf in groups(settings)]
    if problems := mismatches(folder, wanted):
        return Finding("jars", ok=False, detail="; ".join(problems), remedy=f"rm -r '{folder}' && shoplake up")
    return Finding("jars", ok=True, detail=f"{len(wanted)} jars in {folder}, all as locked")


def _versions() -> Iterable[Finding]:
    """Spark decides: pyspark's jars, the connectors and Iceberg's runtime must be of its version and Scala line."""
    spark = version("pyspark")
    shipped = {path.name for path in pyspark_jars().glob("*.jar")}
    locked = {jar.filename for jar in locked_jars()}
    line = ".".join(spark.split(".")[:2])
    for name, wanted, files in (
        ("spark", rf"spark-core_{SCALA_LINE}-{re.escape(spark)}\.jar", shipped),
        ("spark connect", rf"spark-connect_{SCALA_LINE}-{re.escape(spark)}\.jar", shipped),
        ("scala", rf"scala-library-{re.escape(SCALA_LINE)}\.\d+\.jar", shipped),
        ("iceberg", rf"iceberg-spark-runtime-{re.escape(line)}_{SCALA_LINE}-.+\.jar", locked),
        ("kafka connector", rf"spark-sql-kafka-0-10_{SCALA_LINE}-{re.escape(spark)}\.jar", locked),
        ("kafka", rf"kafka_{SCALA_LINE}-.+\.jar", locked),
    ):
        found = next((file for file in files if re.fullmatch(wanted, file)), None)
        detail = found or f"none fits pyspark {spark} and Scala {SCALA_LINE}"
        yield Finding(name, ok=found is not None, detail=detail, remedy="" if found else REINSTALL)


def _ports(settings: "Settings") -> Finding:
    numbers = ", ".join(str(port.number) for port in lake_ports(settings))
    if is_up(settings):
        return Finding("ports", ok=True, detail=f"{numbers}: in use by this lake, which is up")
    if problems := conflicts(settings):
        return Finding("ports", ok=False, detail=" ".join(problems), remedy="shoplake up --ports auto")
    return Finding("ports", ok=True, detail=f"{numbers}: free")


def _disk(settings: "Settings") -> Finding:
    if problems := disk_problems(settings):
        return Finding("disk", ok=False, detail=" ".join(problems), remedy="shoplake reset, or free some space")
    return Finding("disk", ok=True, detail=f"{free_mb(settings.home)} MiB free at {settings.home}")


def _services(settings: "Settings") -> Iterable[Finding]:
    """What the settings name that is not the lake's own."""
    if settings.kafka.bootstrap is not None:
        answers = kafka_answers(settings)
        said = f"{settings.bootstrap} {'answers' if answers else 'does not answer, or refuses the login'}"
        yield Finding("external kafka", ok=answers, detail=said, remedy="" if answers else "see SHOPLAKE_KAFKA__*")
    for name, problem in outside_problems(settings).items():
        yield Finding(name, ok=not problem, detail=problem or "answers", remedy="see that setting" if problem else "")


def _memory(settings: "Settings") -> Finding:
    heaps = [settings.ingest.memory_mb]
    if settings.kafka.bootstrap is None:
        heaps.append(settings.kafka.heap_mb)
    if settings.spark.remote is None:
        heaps.append(settings.spark.memory_mb)
    needed = sum(heaps) + JAVA_EXTRA_MB * len(heaps) + PYTHON_MB
    available = psutil.virtual_memory().available // 2**20
    if available < needed and not is_up(settings):
        return Finding(
            "memory",
            ok=False,
            detail=f"{available} MiB are available, a busy lake takes up to {needed}",
            remedy="export SHOPLAKE_SPARK__MEMORY_MB=1024 SHOPLAKE_INGEST__MEMORY_MB=512, or close other programs",
        )
    return Finding("memory", ok=True, detail=f"{available} MiB available, a busy lake takes up to {needed}")
