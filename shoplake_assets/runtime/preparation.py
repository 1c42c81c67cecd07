"""What must be true before the processes of a lake can start.

Belongs here: the order of the steps, and the disk. Does not belong here: the steps themselves, nor how they are shown.
"""

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import on_s3
from shoplake_assets.runtime.broker import prepare_broker
from shoplake_assets.runtime.dagster_home import dagster_folder, make_storage, prepare_dagster
from shoplake_assets.runtime.jars import cached_jars, resolve_jars
from shoplake_assets.runtime.java import find_java
from shoplake_assets.runtime.outside import prepare_outside
from shoplake_assets.runtime.processes import ProcessSpec, all_processes, embedded_processes
from shoplake_assets.runtime.spark import prepare_spark

if TYPE_CHECKING:
    from pathlib import Path

    from shoplake_assets.runtime.ivy import Progress
    from shoplake_assets.runtime.jars import Jars
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

# Room for the broker's first segments, Spark's scratch files and the logs of a day.
HOME_MB = 1_024
# The jars, and Ivy's copy of them while they are fetched; what S3 needs is half of all.
CACHE_MB = 350
S3_CACHE_MB = 300
# How long `up` waits for a database or a store that is not its own.
OUTSIDE_SECONDS = 10.0


def free_mb(folder: "Path") -> int:
    """Free space where a folder is, or will be."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(existing).free // 2**20


def disk_problems(settings: "Settings") -> list[str]:
    """One sentence for each place that is too full to start."""
    problems = []
    if (free := free_mb(settings.home)) < HOME_MB:
        problems.append(
            f"{settings.home} has {free} MiB free, {HOME_MB} are needed. Free some, or move SHOPLAKE_HOME elsewhere."
        )
    if cached_jars(settings) is None and (free := free_mb(settings.runtime.cache)) < (needed := _cache_mb(settings)):
        problems.append(
            f"{settings.runtime.cache} has {free} MiB free, {needed} are needed for the jars. Free some, or "
            "move SHOPLAKE_RUNTIME__CACHE elsewhere."
        )
    return problems


def _cache_mb(settings: "Settings") -> int:
    return CACHE_MB + (S3_CACHE_MB if on_s3(settings) else 0)


def prepare(
    settings: "Settings", *, generator: bool, on_progress: Callable[["Progress"], None] = lambda _: None
) -> list[ProcessSpec]:
    """Bring Java, the jars, the configurations and what is not the lake's own into place.

    Args:
        settings: The lake, whose home exists.
        generator: Whether synthetic shoppers shall run.
        on_progress: Told about each jar that is fetched.

    Returns:
        The processes to start.

    Raises:
        ShoplakeError: Something is missing that the user must bring.
    """
    java, jars = _prepare_java(settings, on_progress)
    if settings.kafka.bootstrap is None:
        prepare_broker(settings, java, jars)
    prepare_spark(settings)
    prepare_outside(settings, seconds=OUTSIDE_SECONDS)
    prepare_dagster(settings)
    if settings.dagster.storage_uri is not None:
        make_storage(dagster_folder(settings))
    return embedded_processes(settings, java, jars, generator=generator)


def prepare_process(settings: "Settings", name: str) -> ProcessSpec:
    """Bring into place what one process needs on its own machine; what is outside is there already.

    Raises:
        ShoplakeError: There is no such process, or something is missing that the user must bring.
    """
    java, jars = _prepare_java(settings)
    specs = {spec.name: spec for spec in all_processes(settings, java, jars)}
    if name not in specs:
        raise ShoplakeError(f"there is no process {name!r}. Name one of {', '.join(specs)}.")
    if name == "kafka":
        prepare_broker(settings, java, jars)
    prepare_spark(settings)
    prepare_dagster(settings)
    return specs[name]


def _prepare_java(
    settings: "Settings", on_progress: Callable[["Progress"], None] = lambda _: None
) -> tuple["Java", "Jars"]:
    if problems := disk_problems(settings):
        raise ShoplakeError(" ".join(problems))
    java = find_java(settings)
    return java, resolve_jars(settings, java, on_progress)
