"""What maintenance may touch: decisions from figures, without a lake."""

from datetime import UTC, datetime, timedelta

import pytest

from shoplake_assets.lake.maintenance.plan import SmallFile, crowded, expiry_horizon, first_open_cell, outlived

HOUR = 492_345
START = datetime(2026, 3, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("now", "grace", "closed"),
    [
        ("10:09", 10, "09"),
        ("10:10", 10, "10"),
        ("10:59", 10, "10"),
        ("10:00", 0.5, "09"),
        ("11:05", 120, "09"),
    ],
)
def test_an_hour_is_closed_once_it_ended_more_than_the_grace_ago(now: str, grace: float, closed: str) -> None:
    moment = datetime.fromisoformat(f"2026-03-01T{now}:00+00:00")
    opens = datetime.fromisoformat(f"2026-03-01T{closed}:00:00+00:00")
    found = first_open_cell(moment, grace=timedelta(minutes=grace), hours=1)
    assert found == int(opens.timestamp()) // 3600


def test_a_day_is_closed_once_it_ended_more_than_the_grace_ago() -> None:
    days = int(START.timestamp()) // 86_400
    assert first_open_cell(at(9), grace=timedelta(minutes=10), hours=24) == days - 1
    assert first_open_cell(at(10), grace=timedelta(minutes=10), hours=24) == days


def test_only_closed_hours_with_many_small_files_of_one_origin_are_put_together() -> None:
    def files(count: int, *, cell: int, partition: int) -> list[SmallFile]:
        return [SmallFile(cell=cell, origin=("topic", partition))] * count

    found = crowded(
        [
            *files(3, cell=HOUR, partition=0),
            *files(2, cell=HOUR, partition=1),
            *files(9, cell=HOUR - 5, partition=0),
            *files(3, cell=HOUR - 1, partition=1),
            *files(99, cell=HOUR + 1, partition=0),
        ],
        before=HOUR + 1,
        min_files=3,
    )
    assert found == {("topic", 0): [HOUR - 5, HOUR], ("topic", 1): [HOUR - 1]}
    plain = [SmallFile(cell=HOUR, origin=None)] * 2
    assert crowded(plain, before=HOUR + 1, min_files=2) == {None: [HOUR]}
    assert crowded(plain, before=HOUR, min_files=2) == {}


@pytest.mark.parametrize(
    ("staying", "horizon"),
    [
        ([], 30),  # nobody refers to any: what is old enough goes
        ([3], 30),  # younger than what may go anyway
        ([2], 20),
        ([1, 2], 10),
        ([99, None, 2], 20),  # gone already, or never there
    ],
)
def test_all_that_is_younger_than_the_oldest_snapshot_in_use_stays(staying: list[int | None], horizon: int) -> None:
    chain = [(0, at(0)), (1, at(10)), (2, at(20)), (3, at(40))]
    assert expiry_horizon(chain, staying=staying, at_most=at(30)) == at(horizon)


def test_a_clock_that_was_set_back_lets_no_snapshot_go_that_is_needed() -> None:
    chain = [(0, at(0)), (1, at(50)), (2, at(15)), (3, at(60))]
    assert expiry_horizon(chain, staying=[1], at_most=at(55)) == at(15)


def test_branches_are_dropped_by_the_time_of_their_last_commit() -> None:
    branches = {"audit_b": at(1), "audit_a": at(2), "audit_c": at(3)}
    assert outlived(branches, before=at(3)) == ["audit_a", "audit_b"]
