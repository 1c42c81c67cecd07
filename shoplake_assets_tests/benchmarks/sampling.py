"""What a soak counts: everything of a lake that could pile up.

Belongs here: counting, from outside, while the lake runs. Does not belong here: any judgement (`soak`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import sqlalchemy as db

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.maintenance.compaction import COMPACTED, small_files
from shoplake_assets.lake.maintenance.figures import figures_of
from shoplake_assets.lake.maintenance.plan import first_open_cell
from shoplake_assets.lake.snapshots import NEWEST_RECORD, moment_of, reflecting
from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, GOLD_TOP_USERS

_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One micro-batch of the stream.

    Attributes:
        at: When it was seen, seconds since the beginning.
        id: Spark's number of it.
        seconds: From its beginning to its commit.
    """

    at: float
    id: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Counts at one moment.

    Attributes:
        at: Seconds since the beginning.
        lag_seconds: Age of the newest record that the last table of the chain reflects.
        open_hour_files: Small data files of the hour, or day, under way; they wait for its end.
        closed_hour_files: Small data files of hours, or days, that are over.
        data_mb: All files of the warehouse, MB; grows with the data.
        snapshots: Snapshots of all tables.
        metadata_files: Files in the tables' metadata folders.
        metadata_bytes: Their size.
        checkpoint_files: Files of the stream's checkpoint.
        dagster_runs: Runs in Dagster's storage.
        dagster_events: Events that Dagster keeps across runs, results of checks, and ticks.
        dagster_files: Files in Dagster's folder.
        dagster_bytes: Their size.
        log_bytes: Size of the logs.
        scratch_files: Temporary files of the JVMs.
    """

    at: float
    lag_seconds: float
    open_hour_files: int
    closed_hour_files: int
    data_mb: int
    snapshots: int
    metadata_files: int
    metadata_bytes: int
    checkpoint_files: int
    dagster_runs: int
    dagster_events: int
    dagster_files: int
    dagster_bytes: int
    log_bytes: int
    scratch_files: int


def newest_batch(settings: Settings, *, at: float) -> Batch | None:
    """The newest batch with records, as the ingest tells; None while it has none to tell."""
    try:
        with internal_client(timeout=_PATIENCE_SECONDS) as client:
            status = client.get(f"http://{LOOPBACK}:{settings.ingest.port}/status").json()
    except httpx.HTTPError:
        return None
    batch = status["last_batch"]
    return batch and Batch(at=at, id=batch["id"], seconds=batch["seconds"]["triggerExecution"])


def take_sample(settings: Settings, *, at: float) -> Sample:
    """Count everything."""
    home = settings.home
    tables = {name: open_catalog(settings).load_table(name) for name in ALL}
    now = datetime.now(UTC)
    closed = {True: 0, False: 0}
    for name, layout in COMPACTED.items():
        # A time of grace in which maintenance cannot have come yet.
        before = first_open_cell(now, grace=timedelta(minutes=10), hours=layout.hours)
        for file in small_files(tables[name], layout):
            closed[file.cell < before] += 1
    newest = moment_of(reflecting(tables[GOLD_TOP_USERS]), NEWEST_RECORD)
    metadata = [size for name in ALL for size in _sizes(home / "warehouse" / Path(*name.split(".")) / "metadata")]
    dagster = list(_sizes(home / "dagster"))
    storage = home / "dagster" / "storage"
    return Sample(
        at=at,
        lag_seconds=0 if newest is None else (now - newest).total_seconds(),
        open_hour_files=closed[False],
        closed_hour_files=closed[True],
        data_mb=sum(_sizes(home / "warehouse")) // 10**6,
        snapshots=sum(figures_of(table).snapshots for table in tables.values()),
        metadata_files=len(metadata),
        metadata_bytes=sum(metadata),
        checkpoint_files=len(list(_sizes(home / "checkpoints"))),
        dagster_runs=_rows(storage / "history" / "runs.db", ["runs"]),
        dagster_events=_rows(storage / "history" / "runs" / "index.db", ["event_logs", "asset_check_executions"])
        + _rows(storage / "schedules" / "schedules.db", ["job_ticks"]),
        dagster_files=len(dagster),
        dagster_bytes=sum(dagster),
        log_bytes=sum(_sizes(home / "logs")),
        scratch_files=len(list(_sizes(home / "run" / "scratch"))),
    )


def _sizes(folder: Path) -> Iterator[int]:
    """Sizes of all files beneath a folder; files come and go meanwhile."""
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                yield path.stat().st_size
        except FileNotFoundError:
            continue


def _rows(database: Path, tables: Iterable[str]) -> int:
    engine = db.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        counts = [
            connection.execute(db.select(db.func.count()).select_from(db.table(name))).scalar_one() for name in tables
        ]
    engine.dispose()
    return sum(counts)
