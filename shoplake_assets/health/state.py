"""The picture of a lake's health, as plain values.

Belongs here: what is known at one moment, and what follows from it; pure. Does not belong here: asking the parts
(`reader`), how it is shown (`dashboard`, `metrics`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from shoplake_assets.lake.gaps import Gap
    from shoplake_assets.lake.position import Position
    from shoplake_assets.lake.quarantine import Findings
    from shoplake_assets.runtime.supervision import ProcessState


# The check that judges it, as Silver's contract calls it.
LATE_SHARE = "late_share"


class Source(StrEnum):
    """The parts that are asked; each may fail to answer while the others do."""

    CATALOG = "catalog"
    KAFKA = "kafka"
    INGEST = "ingest"
    DAGSTER = "dagster"
    SUPERVISOR = "supervisor"


class Freshness(StrEnum):
    """What Dagster says of a table's freshness policy."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"
    NOT_ASKED = "no policy"


class Pulse(StrEnum):
    """How the stream is, in one word."""

    ACTIVE = "ACTIVE"
    LAGGING = "LAGGING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, kw_only=True)
class TableHealth:
    """A table.

    Attributes:
        rows: Rows in it.
        snapshot_id: Its current snapshot; None while it has none.
        committed_at: When that was committed, UTC.
        position: How far into Kafka it reaches.
        lag_events: Events of Kafka that it lacks; None while Kafka does not answer.
        lag_seconds: Seconds since the newest record that it reflects, 0 where it lacks nothing; None if unknown.
        newest_record: Kafka time of the newest record that it reflects, UTC.
        files: Data files.
        size_bytes: Size of the data files.
        snapshots: Snapshots that can still be read.
    """

    rows: int
    snapshot_id: int | None
    committed_at: datetime | None
    position: "Position"
    lag_events: int | None
    lag_seconds: float | None
    newest_record: datetime | None
    files: int
    size_bytes: int
    snapshots: int


@dataclass(frozen=True, kw_only=True)
class Stream:
    """How the stream into Bronze is.

    Attributes:
        at: When it was asked, UTC.
        ingest: The ingest's own `/status`; None while it does not answer.
        bronze: Bronze; None while it does not exist.
        quiet_seconds: Seconds for which a living ingest may say nothing.
    """

    at: datetime
    ingest: Mapping[str, Any] | None
    bronze: TableHealth | None
    quiet_seconds: float

    @property
    def newest_record(self) -> datetime | None:
        """Kafka time of the newest record in Bronze, UTC."""
        return None if self.bronze is None else self.bronze.newest_record

    @property
    def pulse(self) -> Pulse:
        """Is the stream at work, and does it keep up?

        Judged by the ingest's heartbeat, so that a quiet shop is not taken for a dead stream. It lags if Bronze lacks
        events and the newest it has is older than a living ingest would leave it.
        """
        beat = self.ingest and self.ingest.get("last_trigger_at")
        if not self.ingest or not beat or self.ingest.get("state") != "running":
            return Pulse.STOPPED
        if (self.at - datetime.fromisoformat(beat)).total_seconds() > self.quiet_seconds:
            return Pulse.STOPPED
        behind = self.bronze is not None and (self.bronze.lag_seconds or 0) > self.quiet_seconds
        return Pulse.LAGGING if behind else Pulse.ACTIVE


@dataclass(frozen=True, kw_only=True)
class CheckHealth:
    """The last finished evaluation of a check.

    Attributes:
        table: The table.
        name: The check.
        blocking: Whether its failure keeps a refresh from being published.
        passed: Whether it passed; None while it was never evaluated.
        severe: Whether a failure is an error rather than a warning.
        says: What it found.
        at: When, UTC; None while it was never evaluated.
        figures: The numbers that it reported, by their names.
    """

    table: str
    name: str
    blocking: bool
    passed: bool | None
    severe: bool
    says: str
    at: datetime | None
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RefreshHealth:
    """A finished run that refreshed Silver or Gold.

    Attributes:
        run_id: Dagster's id of it.
        ended_at: When it ended, UTC.
        seconds: From its start to its end.
        succeeded: Whether it did.
    """

    run_id: str
    ended_at: datetime
    seconds: float
    succeeded: bool


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a process uses, without what it has started.

    Attributes:
        resident_bytes: Its memory.
        cpu_seconds: Processor time since it was started.
    """

    resident_bytes: int
    cpu_seconds: float


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The file system that the home is on, in bytes."""

    free_bytes: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Health:
    """All that is known of a lake at one moment; what could not be asked is empty, and named in `troubles`.

    Attributes:
        at: When it was asked, UTC.
        tables: Each table that exists, by its name.
        duplicates: Repeats that Silver has counted.
        quarantine: What is in quarantine and why; None while the table does not exist.
        gaps: Offsets that Kafka no longer had.
        checks: Every check, by table and name.
        freshness: Each table with a policy, and what Dagster says of it.
        refreshes: The newest finished refreshes, newest first.
        processes: Each supervised process, by its name.
        ingest: The ingest's own `/status`; None while it does not answer.
        quiet_seconds: Seconds for which a living ingest may say nothing.
        disk: Where the lake is.
        troubles: What could not be asked, and why.
        usage: What each process uses, by its name.
    """

    at: datetime
    tables: Mapping[str, TableHealth]
    duplicates: int
    quarantine: "Findings | None"
    gaps: "tuple[Gap, ...]"
    checks: tuple[CheckHealth, ...]
    freshness: Mapping[str, Freshness]
    refreshes: tuple[RefreshHealth, ...]
    processes: "Mapping[str, ProcessState]"
    ingest: Mapping[str, Any] | None
    quiet_seconds: float
    disk: Disk
    troubles: Mapping[Source, str] = field(default_factory=dict)
    usage: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def stream(self) -> Stream:
        """How the stream is."""
        return Stream(
            at=self.at,
            ingest=self.ingest,
            bronze=self.tables.get(BRONZE_EVENTS),
            quiet_seconds=self.quiet_seconds,
        )

    @property
    def late_share(self) -> float | None:
        """Share of late events in the newest refresh, 0 to 1; None if it had none to judge."""
        shares = (check.figures.get("share") for check in self.checks if check.name == LATE_SHARE)
        return next(shares, None)
