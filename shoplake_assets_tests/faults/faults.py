"""The catalogue of faults.

Belongs here: what each does to the product. Does not belong here: what becomes of it afterwards (`recovery`,
`accounting`). A fault returns in the moment in which it is over, since from then on the product's recovery is timed.
"""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dagster import DagsterEventType, DagsterInstance, RunsFilter

from shoplake_assets.lake.branches import audit_branches
from shoplake_assets.maintenance import maintenance_job
from shoplake_assets.runtime.dagster_home import dagster_folder, workspace_file
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.faults.processes import INGEST_JVM, REFRESH, find, kill, supervisor_of
from shoplake_assets_tests.waiting import wait_until

if TYPE_CHECKING:
    import psutil  # type: ignore[import-untyped]

    from shoplake_assets_tests.faults.ground import Ground

SUPERVISED = ("kafka", "spark", "ingest", "daemon", "code-server")
LASTS_SECONDS = 20.0
HOUR_BEHIND, RIGHT = "-3600", "+0"

# Files are cut off behind so many bytes: data and metadata break in the middle first, then everything at once.
_CUTS = (16 * 1024, 0)
_LOOK_SECONDS = 0.01
_CHANCES_SECONDS = 180


@dataclass(frozen=True)
class Fault:
    """Something that is done to a running product.

    Attributes:
        name: What the report calls it.
        strike: Does it, and undoes it.
        replaces: The supervisor's process that must be another one afterwards.
    """

    name: str
    strike: "Callable[[Ground], None]"
    replaces: str | None = None


def catalogue() -> Mapping[str, Fault]:
    """All faults by name."""
    faults = [nothing(), *kills(), *halts(), catalog_locked(), disk_full(), hour_behind(), epoch_replayed()]
    return {fault.name: fault for fault in faults}


def nothing() -> Fault:
    """No fault: what comes then is what the product takes anyway."""
    return Fault("no fault", lambda _ground: None)


def kills() -> list[Fault]:
    """`kill -9` of each process, and of a refresh at its tenderest moments."""
    roles = (INGEST_JVM, *SUPERVISED)
    return [
        *(Fault(f"kill {role}", partial(_kill, role=role), supervisor_of(role)) for role in roles),
        Fault("kill code server with its run", _kill_code_server_and_run, "code-server"),
        Fault("kill refresh, written and not published", partial(_kill_refresh, moment=_is_written)),
        Fault("kill refresh, between quarantine and Silver", partial(_kill_refresh, moment=_is_between)),
        Fault("kill maintenance, and a refresh beside it", _kill_maintenance),
    ]


def halts(seconds: float = LASTS_SECONDS) -> list[Fault]:
    """SIGSTOP of each process for so long."""
    roles = (INGEST_JVM, *SUPERVISED)
    return [Fault(f"stop {role} for {seconds:g} s", partial(_halt, role=role, seconds=seconds)) for role in roles]


def catalog_locked(seconds: float = LASTS_SECONDS) -> Fault:
    """Another process holds the catalog's database for so long."""
    return Fault(f"catalog locked for {seconds:g} s", partial(_lock, seconds=seconds))


def disk_full(seconds: float = LASTS_SECONDS) -> Fault:
    """Nothing can be written to the lake's folder for so long.

    By a limit of the writers' file sizes, which needs no rights and no file system of one's own: what they write breaks
    off in the middle with an error, as on a disk that is full. It holds for those who write the lake, not for the
    broker nor for Dagster's own database.
    """
    return Fault(f"disk full for {seconds:g} s", partial(_fill, seconds=seconds))


def hour_behind(seconds: float = LASTS_SECONDS) -> Fault:
    """An ingest runs for so long with a clock that is an hour behind; then the clock is set right while it runs."""
    return Fault(f"ingest's clock an hour behind for {seconds:g} s", partial(_turn_back, seconds=seconds), "ingest")


def epoch_replayed() -> Fault:
    """The ingest forgets that it has finished its last batch, and does it again."""
    return Fault("last epoch replayed", _forget_epoch, "ingest")


def _kill(ground: "Ground", *, role: str) -> None:
    kill(_some(ground, role))


def _kill_code_server_and_run(ground: "Ground") -> None:
    runs = _some(ground, REFRESH)
    kill([*find(ground.settings, "code-server"), *runs])


def _kill_refresh(ground: "Ground", *, moment: "Callable[[Ground, dict[str, int | None]], bool]") -> None:
    """Wait for the moment, stop the run, look whether the moment still is, and kill it; else wait for another."""
    deadline = time.monotonic() + _CHANCES_SECONDS
    before = _mains(ground)
    while time.monotonic() < deadline:
        if moment(ground, before):
            runs = find(ground.settings, REFRESH)
            with _halted(runs):
                if runs and moment(ground, before):
                    kill(runs)
                    return
        if _mains(ground)[SILVER_EVENTS] != before[SILVER_EVENTS]:
            before = _mains(ground)
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(f"no refresh came to the moment within {_CHANCES_SECONDS} s")


def _is_written(ground: "Ground", before: dict[str, int | None]) -> bool:
    """Whether a branch of Silver has a snapshot that `main` has not, and nothing is published."""
    silver = ground.table(SILVER_EVENTS)
    main = silver.metadata.current_snapshot_id
    newest = next(iter(audit_branches(silver).values()), None)
    return (
        newest is not None
        and newest.snapshot_id != main
        and newest.parent_snapshot_id == main
        and _mains(ground)[SILVER_QUARANTINE] == before[SILVER_QUARANTINE]
    )


def _is_between(ground: "Ground", before: dict[str, int | None]) -> bool:
    """Whether the quarantine is published and Silver is not."""
    now = _mains(ground)
    return now[SILVER_QUARANTINE] != before[SILVER_QUARANTINE] and now[SILVER_EVENTS] == before[SILVER_EVENTS]


def _mains(ground: "Ground") -> dict[str, int | None]:
    # Silver last, as it is published last: the two cannot seem to be between when both have moved.
    return {name: ground.table(name).metadata.current_snapshot_id for name in (SILVER_QUARANTINE, SILVER_EVENTS)}


def _halt(ground: "Ground", *, role: str, seconds: float) -> None:
    with _halted(_some(ground, role)):
        time.sleep(seconds)


def _lock(ground: "Ground", *, seconds: float) -> None:
    database = ground.settings.home / "catalog.db"
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


def _fill(ground: "Ground", *, seconds: float) -> None:
    began = time.monotonic()
    limited: set[psutil.Process] = set()
    try:
        while (spent := time.monotonic() - began) < seconds:
            cut = _CUTS[min(int(spent / seconds * len(_CUTS)), len(_CUTS) - 1)]
            writers = [process for role in (INGEST_JVM, "ingest", "spark") for process in find(ground.settings, role)]
            for process in writers:
                process.rlimit(resource.RLIMIT_FSIZE, (cut, resource.RLIM_INFINITY))
            limited.update(writers)
            time.sleep(_LOOK_SECONDS * 10)
    finally:
        for process in limited:
            if process.is_running():
                process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _turn_back(ground: "Ground", *, seconds: float) -> None:
    before = _some(ground, "ingest")
    ground.set_clock(HOUR_BEHIND)
    try:
        kill([*find(ground.settings, INGEST_JVM), *before])
        wait_until(lambda: _runs_anew(ground, before), what="an ingest with the wrong clock runs")
        time.sleep(seconds)
    finally:
        # The JVM that runs looks at its clock again, so it needs no other start.
        ground.set_clock(RIGHT)


def _runs_anew(ground: "Ground", before: "list[psutil.Process]") -> bool:
    ingest = process_states(ground.settings)["ingest"]
    return ingest.state == "running" and ingest.pid not in {process.pid for process in before}


def _forget_epoch(ground: "Ground") -> None:
    kill([*find(ground.settings, "ingest"), *find(ground.settings, INGEST_JVM)])
    folders = (ground.settings.home / "checkpoints").glob("**/commits")
    newest = max((_epochs(folder)[-1] for folder in folders if _epochs(folder)), key=lambda file: file.stat().st_mtime)
    newest.unlink()
    newest.with_name(f".{newest.name}.crc").unlink(missing_ok=True)


def _epochs(commits: Path) -> list[Path]:
    return sorted((file for file in commits.iterdir() if file.name.isdigit()), key=lambda file: int(file.name))


def _kill_maintenance(ground: "Ground") -> None:
    """Start the job as its schedule does, and kill what runs once it has come to some tables and not to all."""
    with DagsterInstance.from_config(str(dagster_folder(ground.settings))) as instance:
        launch = (
            "-m",
            "dagster",
            "job",
            "launch",
            "-w",
            str(workspace_file(ground.settings)),
            "-j",
            maintenance_job.name,
        )
        subprocess.run(  # noqa: S603  our own command
            [sys.executable, *launch],
            env={**os.environ, "DAGSTER_HOME": instance.root_directory},
            check=True,
            capture_output=True,
            timeout=_CHANCES_SECONDS,
        )
        newest = instance.get_runs(RunsFilter(job_name=maintenance_job.name), limit=1)[0].run_id

        def is_at_work() -> bool:
            return bool(instance.all_logs(newest, of_type=DagsterEventType.ASSET_OBSERVATION))

        wait_until(is_at_work, what="the maintenance has come to a table", seconds=_CHANCES_SECONDS)
        kill(_some(ground, REFRESH))


def _some(ground: "Ground", role: str) -> "list[psutil.Process]":
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = find(ground.settings, role)
        return bool(found)

    wait_until(there, what=f"there is a process: {role}")
    return found


@contextmanager
def _halted(processes: "list[psutil.Process]") -> Iterator[None]:
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            if process.is_running():
                process.send_signal(signal.SIGCONT)
