"""What Dagster remembers of the past, and for how long.

Belongs here: forgetting finished runs, reports and ticks in Dagster's own storage. Does not belong here: where that
storage is (`dagster_home`), or when this is done.

A refresh runs with nearly every commit of the stream, and a sensor reports between them, so what Dagster keeps for ever
by default would grow by gigabytes in a week. The newest of each thing stays, however old it is: the UI and the
automation ask for it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as db

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from dagster import DagsterInstance
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
    from sqlalchemy import Connection

# So many rows are deleted before the database is let go of for a moment.
_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """How much was deleted.

    Attributes:
        runs: Finished runs, with their events and logs.
        reports: Events that a sensor reported outside of any run, and results of checks.
    """

    runs: int
    reports: int

    def __str__(self) -> str:
        """For the person who reads the report."""
        return f"{self.runs:,} runs and {self.reports:,} reports forgotten"


def forget_history(instance: "DagsterInstance", *, before: "datetime") -> Forgotten:
    """Delete what is older than a moment: finished runs with their logs, reports without a run, ticks of sensors.

    What is under way stays, and so does the newest materialization, observation and check result of each asset, with
    the run that made it.
    """
    _forget_ticks(instance, before=before)
    return Forgotten(
        runs=_forget_runs(instance, before=before), reports=_forget_reports(_storage(instance), before=before)
    )


def _storage(instance: "DagsterInstance") -> "SqlEventLogStorage":
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(f"{type(storage).__name__} is no SQL storage, the only kind that Shoplake configures")
    return storage


def _forget_ticks(instance: "DagsterInstance", *, before: "datetime") -> None:
    """Delete ticks of sensors. Those of schedules are few, and the scheduler goes on from the newest."""
    from dagster._core.definitions.run_request import InstigatorType

    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        instance.purge_ticks(state.instigator_origin_id, state.selector_id, before=before.timestamp())
    if instance.schedule_storage is not None:
        instance.schedule_storage.purge_asset_evaluations(before=before.timestamp())


def _forget_runs(instance: "DagsterInstance", *, before: "datetime") -> int:
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import FINISHED_STATUSES
    from dagster._core.storage.event_log import SqliteEventLogStorage

    storage = _storage(instance)
    finished = RunsFilter(statuses=FINISHED_STATUSES, created_before=before)
    kept = _runs_of_the_newest(storage)
    old = [record.dagster_run.run_id for record in instance.get_run_records(finished)]
    forgotten = [run_id for run_id in old if run_id not in kept]
    for run_id in forgotten:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        if isinstance(storage, SqliteEventLogStorage):
            # It keeps each run's events in a file of its own, which it empties and leaves.
            for suffix in ("", "-wal", "-shm"):
                Path(storage.path_for_shard(run_id) + suffix).unlink(missing_ok=True)
    return len(forgotten)


def _runs_of_the_newest(storage: "SqlEventLogStorage") -> set[str]:
    """The runs that made the newest event of each kind of each asset, and the newest result of each check."""
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable

    with storage.index_connection() as connection:
        return {
            run_id
            for table, newest in (
                (SqlEventLogStorageTable, _newest_events()),
                (AssetCheckExecutionsTable, _newest_results()),
            )
            for (run_id,) in connection.execute(db.select(table.c.run_id).where(table.c.id.in_(newest)))
        }


def _newest_events() -> db.Select[tuple[int]]:
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events

    return (
        db.select(db.func.max(Events.c.id))
        .where(Events.c.asset_key.is_not(None))
        .group_by(Events.c.asset_key, Events.c.dagster_event_type)
    )


def _newest_results() -> db.Select[tuple[int]]:
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Results

    return db.select(db.func.max(Results.c.id)).group_by(Results.c.asset_key, Results.c.check_name)


def _forget_reports(storage: "SqlEventLogStorage", *, before: "datetime") -> int:
    """Delete results of checks, and the events that a sensor has reported.

    Dagster has no call for this, so it goes by the tables that SQLite and Postgres share.
    """
    from dagster._core.instance import RUNLESS_RUN_ID
    from dagster._core.storage.event_log.schema import (
        AssetCheckExecutionsTable,
        AssetEventTagsTable,
        SqlEventLogStorageTable,
    )

    results, events = AssetCheckExecutionsTable.c, SqlEventLogStorageTable.c
    moment = before.replace(tzinfo=None)
    count = _delete(
        storage.index_connection,
        AssetCheckExecutionsTable,
        db.and_(results.create_timestamp < moment, results.id.not_in(_newest_results())),
    )
    referred = [
        db.select(event_id).where(event_id.is_not(None))
        for event_id in (results.evaluation_event_storage_id, results.materialization_event_storage_id)
    ]
    old = db.and_(events.run_id == RUNLESS_RUN_ID, events.timestamp < moment, events.id.not_in(_newest_events()))
    count += _delete(
        storage.index_connection,
        SqlEventLogStorageTable,
        db.and_(old, *(events.id.not_in(event_ids) for event_ids in referred)),
    )
    with storage.index_connection() as connection:
        gone = AssetEventTagsTable.c.event_id.not_in(db.select(events.id))
        connection.execute(AssetEventTagsTable.delete().where(gone))
    if storage.is_run_sharded:
        # With SQLite the same events are also in a file of their own, where nobody looks for them.
        _delete(lambda: storage.run_connection(RUNLESS_RUN_ID), SqlEventLogStorageTable, old)
    return count


def _delete(
    connect: "Callable[[], AbstractContextManager[Connection]]",
    table: db.Table,
    condition: db.ColumnElement[bool],
) -> int:
    """Delete in portions, each a transaction, so that Dagster's own writers need not wait long; gives the number."""
    count = 0
    while True:
        with connect() as connection:
            ids = connection.execute(db.select(table.c.id).where(condition).limit(_AT_ONCE)).scalars().all()
            if not ids:
                return count
            connection.execute(table.delete().where(table.c.id.in_(ids)))
            count += len(ids)
