"""A lake's health as plain as can be, but for what a test names."""

from datetime import UTC, datetime
from typing import Any

from shoplake_assets.health.state import CheckHealth, Disk, Health, RefreshHealth, TableHealth
from shoplake_assets.lake.position import Position

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def health(**known: Any) -> Health:
    """A lake of which nothing is known but what the test names, and all of which answers."""
    unknown: dict[str, Any] = {
        "at": NOW,
        "tables": {},
        "duplicates": 0,
        "quarantine": None,
        "gaps": (),
        "checks": (),
        "freshness": {},
        "refreshes": (),
        "processes": {},
        "ingest": None,
        "quiet_seconds": 40.0,
        "disk": Disk(free_bytes=400, size_bytes=1000),
    }
    return Health(**(unknown | known))


def table(**known: Any) -> TableHealth:
    """A table that has just been committed and lacks nothing."""
    fresh: dict[str, Any] = {
        "rows": 10,
        "snapshot_id": 1,
        "committed_at": NOW,
        "position": Position(),
        "lag_events": 0,
        "lag_seconds": 0.0,
        "newest_record": NOW,
        "files": 2,
        "size_bytes": 2048,
        "snapshots": 3,
    }
    return TableHealth(**(fresh | known))


def check(name: str, **known: Any) -> CheckHealth:
    """A check of Silver that blocks and has passed."""
    passed: dict[str, Any] = {
        "table": "silver.events",
        "blocking": True,
        "passed": True,
        "severe": True,
        "says": "all is well",
        "at": NOW,
    }
    return CheckHealth(name=name, **(passed | known))


def refresh(run_id: str, *, ended_at: datetime = NOW, seconds: float = 12.0, succeeded: bool = True) -> RefreshHealth:
    """A finished refresh."""
    return RefreshHealth(run_id=run_id, ended_at=ended_at, seconds=seconds, succeeded=succeeded)
