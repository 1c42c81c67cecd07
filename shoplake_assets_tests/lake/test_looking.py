"""Maintenance looks at the hours that may have become crowded since it last looked, and at all of them once a day."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shoplake_assets.lake.maintenance.looking import Look, cells_to_look_at
from shoplake_assets_tests.lake.conftest import commit

if TYPE_CHECKING:
    from pyiceberg.table import Table

NOON = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
TEN, NOON_HOUR = 492_322, 492_324  # hours since 1970 of 2026-03-01 10:00 and 12:00


def look(snapshot: int, *, before: int = NOON_HOUR, min_files: int = 8, all_at: datetime = NOON) -> Look:
    """A look at a snapshot."""
    return Look(snapshot=snapshot, before=before, min_files=min_files, all_at=all_at.isoformat())


def cells(bronze: "Table", last: Look | None, *, before: int = NOON_HOUR, min_files: int = 8) -> frozenset[int] | None:
    """What is to be looked at half an hour after noon."""
    return cells_to_look_at(bronze.refresh(), last, before=before, min_files=min_files, now=NOON)


def test_nothing_new_is_nothing_to_look_at(bronze: "Table") -> None:
    assert cells(bronze, look(commit(bronze, range(3)))) == frozenset()


def test_an_old_hour_to_which_a_late_file_came_is_looked_at_again(bronze: "Table") -> None:
    seen = commit(bronze, range(3600, 3603))
    commit(bronze, range(2))  # in the hour from 10
    commit(bronze, range(7200, 7201))  # in the hour from 12, which is under way
    assert cells(bronze, look(seen)) == frozenset({TEN})


def test_hours_that_were_under_way_at_the_last_look_are_looked_at(bronze: "Table") -> None:
    seen = commit(bronze, range(3))
    assert cells(bronze, look(seen, before=TEN + 1), before=TEN + 3) == frozenset({TEN + 1, TEN + 2})


def test_what_maintenance_noted_it_reads_again(bronze: "Table") -> None:
    noted = look(commit(bronze, range(3)))
    with bronze.transaction() as transaction:
        transaction.set_properties({"shoplake.small-files-looked-for": noted.to_json()})
    assert Look.last(bronze.refresh()) == noted


@pytest.mark.parametrize("ago", [timedelta(days=1), timedelta(minutes=-1)], ids=["a day ago", "a clock was set back"])
def test_all_hours_are_looked_at_once_a_day(bronze: "Table", ago: timedelta) -> None:
    assert cells(bronze, look(commit(bronze, range(3)), all_at=NOON - ago)) is None


def test_all_hours_are_looked_at_where_the_last_look_tells_nothing(bronze: "Table") -> None:
    seen = commit(bronze, range(3))
    assert cells(bronze, None) is None
    assert cells(bronze, look(seen), min_files=4) is None
    assert cells(bronze, look(1)) is None  # a snapshot that has expired
