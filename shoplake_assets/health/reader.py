"""Asking all parts of a lake how they are.

Belongs here: whom to ask, at the same time, and that a part which does not answer hides nothing of the others. Does not
belong here: what each part is asked (`tables`, `orchestrator`, `runtime`), what follows from the answers (`state`).
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.health.orchestrator import NOTHING, ask_dagster
from shoplake_assets.health.shared import Shared
from shoplake_assets.health.state import Disk, Health, Source, Stream, TableHealth, Usage
from shoplake_assets.health.tables import EMPTY, TableReader
from shoplake_assets.runtime.probes import probes
from shoplake_assets.runtime.stream import ask_kafka, ingest_patience, ingest_status, ingest_url
from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoplake_assets.health.tables import Seen
    from shoplake_assets.lake.position import KafkaRange
    from shoplake_assets.runtime.supervision import ProcessState
    from shoplake_assets.settings import Settings

_SECONDS = 2.0
# Dagster takes a second of a processor to answer, and what it tells changes with refreshes, not with every look.
_DAGSTER_SECONDS = 10.0
# Who looks is the dashboard itself, which may have no thread left to answer its own probe.
_NOT_PROBED = "dashboard"
_NONE: "Mapping[str, ProcessState]" = {}


class HealthReader:
    """Looks at a lake again and again, for all who want to know; may be used by several threads.

    Args:
        settings: The lake, which may not exist yet.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._tables = Shared(TableReader(settings).read, otherwise=EMPTY, seconds=_SECONDS)
        self._kafka = Shared(self._ask_kafka, otherwise=None, seconds=_SECONDS)
        self._ingest = Shared(self._ask_ingest, otherwise=None, seconds=_SECONDS)
        self._supervisor = Shared(self._ask_supervisor, otherwise=_NONE, seconds=_SECONDS)
        self._dagster = Shared(lambda: ask_dagster(settings), otherwise=NOTHING, seconds=_DAGSTER_SECONDS)
        self._quiet_seconds = ingest_patience(trigger_seconds=settings.ingest.trigger_seconds).total_seconds()

    def look(self) -> Health:
        """How the lake is."""
        with ThreadPoolExecutor(max_workers=len(Source)) as pool:
            tables, kafka = pool.submit(self._tables), pool.submit(self._kafka)
            ingest, dagster = pool.submit(self._ingest), pool.submit(self._dagster)
            supervisor = pool.submit(self._supervisor)
        troubles = {
            Source.CATALOG: tables.result().trouble,
            Source.KAFKA: kafka.result().trouble,
            Source.INGEST: ingest.result().trouble,
            Source.DAGSTER: dagster.result().trouble,
            Source.SUPERVISOR: supervisor.result().trouble,
        }
        lake, verdicts, processes = tables.result().value, dagster.result().value, supervisor.result().value
        held, now = kafka.result().value, datetime.now(UTC)
        return Health(
            at=now,
            tables={name: table_health(one, kafka=held, now=now) for name, one in lake.tables.items()},
            duplicates=lake.duplicates,
            quarantine=lake.quarantine,
            gaps=lake.gaps,
            checks=verdicts.checks,
            freshness=verdicts.freshness,
            refreshes=verdicts.refreshes,
            processes=processes,
            ingest=ingest.result().value,
            quiet_seconds=self._quiet_seconds,
            disk=disk_of(self._settings.home),
            troubles={source: trouble for source, trouble in troubles.items() if trouble is not None},
            usage=usage(processes),
        )

    def look_at_stream(self) -> Stream:
        """How the stream into Bronze is; asks less than `look` does."""
        with ThreadPoolExecutor(max_workers=3) as pool:
            tables, kafka = pool.submit(self._tables), pool.submit(self._kafka)
            ingest = pool.submit(self._ingest)
        seen, now = tables.result().value.tables.get(BRONZE_EVENTS), datetime.now(UTC)
        return Stream(
            at=now,
            ingest=ingest.result().value,
            bronze=None if seen is None else table_health(seen, kafka=kafka.result().value, now=now),
            quiet_seconds=self._quiet_seconds,
        )

    def _ask_kafka(self) -> "KafkaRange | None":
        return ask_kafka(self._settings)

    def _ask_ingest(self) -> "Mapping[str, Any] | None":
        status = ingest_status(self._settings)
        if status is None:
            raise ShoplakeError(
                f"the ingest does not answer at {ingest_url(self._settings)}; see its log, or 'shoplake status'."
            )
        return status

    def _ask_supervisor(self) -> "Mapping[str, ProcessState]":
        asked = {name: probe for name, probe in probes(self._settings).items() if name != _NOT_PROBED}
        states = process_states(self._settings, probes=asked)
        if not states:
            raise ShoplakeError(f"nothing runs in {self._settings.home}; 'shoplake up' starts it.")
        return states


def table_health(seen: "Seen", *, kafka: "KafkaRange | None", now: datetime) -> TableHealth:
    """A table, and how far it is behind.

    Args:
        seen: The table, as its metadata describes it.
        kafka: What Kafka holds; None while it does not answer.
        now: The time, UTC.
    """
    layer = seen.layer
    lag = None if kafka is None else kafka.ahead_of(layer.position)
    return TableHealth(
        rows=layer.rows,
        snapshot_id=layer.snapshot_id,
        committed_at=seen.committed_at,
        position=layer.position,
        lag_events=lag,
        lag_seconds=None if lag is None else layer.lag_seconds(lag_events=lag, now=now),
        newest_record=layer.newest_record,
        files=seen.files,
        size_bytes=seen.size_bytes,
        snapshots=seen.snapshots,
    )


def usage(states: "Mapping[str, ProcessState]") -> dict[str, Usage]:
    """What each process uses that is alive; one that has just ended is left out."""
    found = {}
    for name, state in states.items():
        if state.pid is not None:
            with suppress(psutil.Error):
                process = psutil.Process(state.pid)
                times = process.cpu_times()
                found[name] = Usage(resident_bytes=process.memory_info().rss, cpu_seconds=times.user + times.system)
    return found


def disk_of(folder: "Path") -> Disk:
    """The file system that a folder is on, or will be."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    found = shutil.disk_usage(existing)
    return Disk(free_bytes=found.free, size_bytes=found.total)
