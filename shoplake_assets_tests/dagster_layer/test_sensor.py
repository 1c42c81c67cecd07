"""The ingest sensor's decisions: a table of what it sees and what it says, without Dagster."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.types import StringType

from shoplake_assets.checks.bronze import contract_kept
from shoplake_assets.lake.bronze import Reach
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gaps import Gap
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.refresh import Check
from shoplake_assets.lake.snapshots import Commit, OffsetRange
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.resources import LakeConnection
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.sensors import REMIND_AFTER, Cursor, Sight, look, plan_tick
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.lake.conftest import commit as put

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRIGGER_SECONDS = 10.0
CHECKS = ("ingest_alive", "contract", "offsets_contiguous", "single_writer", "gaps_acknowledged")


def status(*, state: str = "running", seconds_ago: float = 2) -> dict[str, Any]:
    beat = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return {
        "state": state,
        "since": "2026-03-01T11:00:00+00:00",
        "last_trigger_at": beat,
        "application_id": "app-1",
        "checkpoint": {"began_at": "2026-03-01T11:00:05+00:00"},
    }


def commit(number: int, *, first: int, last: int, partition: int = 0, writer: str = "app-1") -> Commit:
    part = OffsetRange(topic_id="T", partition=partition, first=first, last=last, rows=last - first + 1, newest=NOW)
    return Commit(snapshot_id=number, committed_at=NOW, rows=part.rows, application_id=writer, ranges=(part,))


def position(offset: int) -> Position:
    return Position({("T", 0): offset})


SEEN = Cursor(
    reach=Reach(1, position(100), NOW),
    reported_at=NOW - timedelta(seconds=20),
    downstream=position(100),
    verdicts=dict.fromkeys(CHECKS, True),
)
IDLE = Sight(
    now=NOW,
    reach=SEEN.reach,
    rows=100,
    new=(),
    start=SEEN.reach.position,
    recent=(commit(1, first=0, last=99),),
    downstream=position(100),
    end=position(100),
    status=status(),
    contract=Check(table="bronze.events", name="contract", passed=True, says="it is"),
    gaps=(),
)


def tick(seen: Cursor = SEEN, **sight: Any) -> Any:
    return plan_tick(seen=seen, sight=replace(IDLE, **sight), trigger_seconds=TRIGGER_SECONDS)


@pytest.mark.parametrize(
    ("sight", "says"),
    [
        ({}, "no commit since snapshot 1; the query looked for records 2 s ago; Kafka has nothing new."),
        (
            {"end": position(150)},
            (
                "no commit since snapshot 1; the query looked for records 2 s ago; "
                "Kafka has 50 events that are not in Bronze yet."
            ),
        ),
        ({"end": None}, "no commit since snapshot 1; the query looked for records 2 s ago; Kafka does not answer."),
    ],
)
def test_a_tick_that_reports_nothing_says_exactly_why(sight: dict[str, Any], says: str) -> None:
    planned = tick(**sight)
    assert (planned.metadata, list(planned.checks), planned.says) == (None, [], says)


def test_all_new_commits_become_one_materialization() -> None:
    new = (commit(2, first=100, last=149), commit(3, first=150, last=159))
    planned = tick(new=new, recent=new, reach=Reach(3, position(160), NOW), rows=160, end=position(170))
    assert planned.metadata is not None
    assert planned.metadata["dagster/row_count"] == 160
    assert planned.metadata["shoplake/rows_added"] == 60
    assert planned.metadata["shoplake/snapshot_ids"].value == ["2", "3"]
    assert planned.metadata["shoplake/position"].value == {"T": {"0": 160}}
    assert planned.metadata["shoplake/lag_events"] == 10
    assert {check.name: check.passed for check in planned.checks} == dict.fromkeys(CHECKS, True)
    assert planned.cursor.reach.snapshot_id == 3
    assert planned.cursor.reported_at == NOW


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "the ingest does not answer; see its log, or 'shoplake status'"),
        (status(state="starting"), "the ingest is starting since 2026-03-01T11:00:00+00:00"),
        (status(seconds_ago=41), "the query looked for records 41 s ago"),
    ],
)
def test_a_dead_ingest_is_reported_once_and_a_quiet_shop_is_no_dead_ingest(
    given: dict[str, Any] | None, says: str
) -> None:
    planned = tick(status=given)
    assert [(check.name, check.passed, check.says) for check in planned.checks] == [("ingest_alive", False, says)]
    again = tick(planned.cursor, status=given)
    assert list(again.checks) == []
    assert says in again.says
    assert list(tick(status=status(seconds_ago=39)).checks) == []


@pytest.mark.parametrize(
    ("first", "last", "rows", "fault"),
    [
        (105, 109, 5, "partition 0 of topic T: offsets 100 to 104 missing"),
        (95, 104, 10, "partition 0 of topic T: offsets 95 to 99 again"),
        (100, 109, 9, "partition 0 of topic T: 9 rows for the 10 offsets 100 to 109"),
    ],
)
def test_a_gap_or_a_repeat_in_the_offsets_is_named(first: int, last: int, rows: int, fault: str) -> None:
    whole = commit(2, first=first, last=last)
    broken = replace(whole, ranges=(replace(whole.ranges[0], rows=rows),))
    planned = tick(new=(broken,), recent=(broken,), reach=Reach(2, position(last + 1), NOW))
    verdict = next(check for check in planned.checks if check.name == "offsets_contiguous")
    assert (verdict.passed, verdict.says) == (False, fault)


def verdict(planned: Any, name: str) -> tuple[bool, str]:
    check = next(check for check in planned.checks if check.name == name)
    return check.passed, check.says


def test_two_writers_that_interleave_are_named_and_a_restart_is_not() -> None:
    offsets = [(number, {"first": number * 10, "last": number * 10 + 9}) for number in range(3)]
    a, b, c = (commit(number, **offset, writer=name) for (number, offset), name in zip(offsets, "aba", strict=True))
    interleaved = tick(new=(c,), recent=(a, b, c), status=None)
    assert verdict(interleaved, "single_writer") == (False, "two writers interleave: a, b")
    restarted = tick(new=(b,), recent=(a, b), status=None)
    assert verdict(restarted, "single_writer") == (True, "2 writer(s) in turn")


def test_the_first_commit_beside_the_running_ingest_gives_the_second_writer_away() -> None:
    before = replace(commit(1, first=0, last=99, writer="app-0"), committed_at=datetime(2026, 3, 1, 11, tzinfo=UTC))
    ours, stranger = commit(2, first=100, last=109), commit(3, first=100, last=109, writer="app-2")
    assert verdict(tick(new=(ours,), recent=(before, ours)), "single_writer") == (True, "2 writer(s) in turn")
    planned = tick(new=(stranger,), recent=(before, stranger))
    assert verdict(planned, "single_writer") == (False, "two writers interleave: app-1, app-2")


def test_a_gap_fails_its_check_once_until_somebody_takes_note_of_it() -> None:
    gap = Gap(topic_id="T", partition=0, first=100, last=119, found_at=NOW)
    says = (
        "20 events were gone from Kafka before they could be read: offsets 100 to 119 (20) of partition 0 of topic T, "
        "found 2026-03-01 12:00:00 UTC. 'shoplake gaps ack' takes note of it."
    )
    planned = tick(gaps=(gap,))
    assert [check.name for check in planned.checks] == ["gaps_acknowledged"]
    assert verdict(planned, "gaps_acknowledged") == (False, says)
    assert list(tick(planned.cursor, gaps=(gap,)).checks) == []
    noted = tick(planned.cursor, gaps=(replace(gap, acknowledged_at=NOW, because="a test"),))
    assert verdict(noted, "gaps_acknowledged") == (True, "20 lost events, all acknowledged")
    assert noted.checks[0].metadata["reasons"] == ["a test"]


def test_offsets_behind_a_gap_that_is_recorded_are_contiguous() -> None:
    behind = commit(2, first=120, last=129)
    gap = Gap(topic_id="T", partition=0, first=100, last=119, found_at=NOW)
    assert not verdict(tick(new=(behind,), recent=(behind,)), "offsets_contiguous")[0]
    assert verdict(tick(new=(behind,), recent=(behind,), gaps=(gap,)), "offsets_contiguous")[0]


def test_commits_that_a_rollback_left_are_no_repeat(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake")
    prepare_lake(settings)
    choose_free_ports(settings)
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    connection = LakeConnection(settings)

    def looked(seen: Cursor) -> Any:
        return plan_tick(seen=seen, sight=look(connection, seen), trigger_seconds=TRIGGER_SECONDS)

    first = put(bronze, range(10))
    put(bronze, range(10, 20))
    seen = looked(Cursor()).cursor
    bronze.manage_snapshots().rollback_to_snapshot(first).commit()
    put(bronze, range(10, 15))
    planned = looked(seen)
    says = "15 rows in 2 commits without a gap or a repeat"
    assert verdict(planned, "offsets_contiguous") == (True, says)
    put(bronze, range(14, 16))
    again = "partition 0 of topic AAAAAAAAAAAAAAAAAAAAAA: offset 14 again"
    assert verdict(looked(planned.cursor), "offsets_contiguous") == (False, again)


def test_layers_that_stay_behind_are_told_again_and_not_before_their_time() -> None:
    behind: dict[str, Any] = {"downstream": position(90)}
    seen = replace(SEEN, **behind)
    assert tick(seen, **behind).metadata is None
    waited = replace(seen, reported_at=NOW - REMIND_AFTER)
    planned = tick(waited, **behind)
    assert planned.metadata is not None
    assert planned.metadata["shoplake/rows_added"] == 0
    assert "tables above it are behind" in planned.says
    assert tick(planned.cursor, **behind).metadata is None


def test_a_refresh_that_came_nearer_and_not_up_to_bronze_is_followed_by_the_next_one_at_once() -> None:
    nearer = tick(replace(SEEN, downstream=position(50)), downstream=position(90))
    assert nearer.metadata is not None
    assert nearer.metadata["shoplake/rows_added"] == 0
    for downstream in (position(90), position(100)):
        assert tick(nearer.cursor, downstream=downstream).metadata is None


def test_the_cursor_survives_dagster() -> None:
    assert Cursor.from_json(SEEN.to_json()) == SEEN
    assert Cursor.from_json(None) == Cursor()


def test_bronze_keeps_its_contract_until_somebody_changes_the_table(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake")
    prepare_lake(settings)
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    check = contract_kept(bronze)
    assert (check.passed, check.says) == (True, "columns, types and partitioning are those of the contract")
    with bronze.update_schema() as update:
        update.add_column("stray", StringType())
    check = contract_kept(open_catalog(settings).load_table(BRONZE_EVENTS))
    assert not check.passed
    assert "stray (string) is in the table and not in the contract" in check.says
