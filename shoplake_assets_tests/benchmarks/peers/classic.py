"""Starting the classic batch jobs, each with a session of its own, as a DAG of tasks would.

Belongs here: their command and their cost. Does not belong here: what they do (`classic_jobs`).
"""

import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoplake_assets.runtime.ivy import pyspark_jars
from shoplake_assets.runtime.jars import resolve_jars
from shoplake_assets.runtime.spark import driver_environment, without_spark
from shoplake_assets_tests.benchmarks.metering import metered
from shoplake_assets_tests.benchmarks.peers import classic_jobs
from shoplake_assets_tests.benchmarks.peers.table import jdbc_uri, warehouse

if TYPE_CHECKING:
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

JOBS = ("silver", "gold")
_TAIL = 3000


def make_bronze(settings: "Settings", java: "Java", *, folder: Path, events: int) -> None:
    """Give the jobs so many typed events to read."""
    folder.mkdir(parents=True)
    _submit(settings, java, folder=folder, job="bronze", arguments=[str(events)])


def run(settings: "Settings", java: "Java", *, folder: Path) -> dict[str, dict[str, Any]]:
    """Run both jobs, one after the other, and give the cost of each."""
    return {job: _submit(settings, java, folder=folder, job=job) for job in JOBS}


def _submit(
    settings: "Settings", java: "Java", *, folder: Path, job: str, arguments: list[str] | None = None
) -> dict[str, Any]:
    conf = {
        "spark.driver.memory": "2g",
        "spark.driver.extraClassPath": os.pathsep.join(str(path) for path in resolve_jars(settings, java).spark),
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": str(settings.spark.cores),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "jdbc",
        "spark.sql.catalog.lake.uri": jdbc_uri(folder),
        "spark.sql.catalog.lake.jdbc.schema-version": "V1",
        "spark.sql.catalog.lake.warehouse": warehouse(folder),
    }
    command = [
        str(pyspark_jars().parent / "bin" / "spark-submit"),
        *("--master", f"local[{settings.spark.cores}]"),
        *(part for key, value in conf.items() for part in ("--conf", f"{key}={value}")),
        *(classic_jobs.__file__, job, str(folder / "reports"), *(arguments or [])),
    ]
    environment = {**without_spark(os.environ), **driver_environment(settings, java)}
    with metered(folder, {}) as (cost, processes):
        process = subprocess.Popen(  # noqa: S603  made above
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        processes.add(job, process.pid)
        words, _ = process.communicate()
    if process.returncode:
        raise SystemExit(words[-_TAIL:])
    return asdict(cost)
