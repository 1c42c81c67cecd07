"""`shoplake quarantine`: what it tells of a real lake while nothing runs, and what it says when it cannot act."""

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.lake import quarantine
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.quarantine import acceptance_by
from shoplake_assets.lake.snapshots import ACCEPTANCE, snapshot_id_of
from shoplake_assets.settings import Settings
from shoplake_assets.tables import SILVER_EVENTS
from shoplake_assets_tests.cli.conftest import NOON, TOPIC_ID, put, put_on_branch, record

if TYPE_CHECKING:
    from pyiceberg.table import Table


def shoplake(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main.app, ["quarantine", *arguments])
    return result.exit_code, result.stdout, result.stderr


def listed(*arguments: str) -> dict[str, Any]:
    code, out, err = shoplake("list", "--json", *arguments)
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


def counts(document: dict[str, Any]) -> list[tuple[str, int]]:
    return [(reason["reason"], reason["records"]) for reason in document["reasons"]]


def offsets(document: dict[str, Any]) -> list[list[int]]:
    return [[example["offset"] for example in reason["examples"]] for reason in document["reasons"]]


def test_reasons_come_with_their_counts_the_most_frequent_first_and_with_their_newest_records(table: "Table") -> None:
    put(table, [record(1, "user_id is blank"), record(2, "price is below 0", "user_id is blank", payload=b'{"a":1}')])
    put(table, [record(4, "user_id is blank"), record(3, "quantity is below 1", payload=None)])
    code, out, err = shoplake("list", "--examples", "2")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "4 records are in quarantine.",
        "",
        "3  user_id is blank",
        "   partition 0, offset 4, 2026-03-01 12:00:04: {}",
        '   partition 0, offset 2, 2026-03-01 12:00:02: {"a":1}',
        "",
        "1  price is below 0",
        '   partition 0, offset 2, 2026-03-01 12:00:02: {"a":1}',
        "",
        "1  quantity is below 1",
        "   partition 0, offset 3, 2026-03-01 12:00:03: (none)",
    ]


def test_programs_get_the_same_as_one_document(table: "Table") -> None:
    put(table, [record(7, "price is below 0", payload=b"\xff{", partition=3)])
    assert listed() == {
        "branch": "main",
        "records": 1,
        "reasons": [
            {
                "reason": "price is below 0",
                "records": 1,
                "examples": [
                    {
                        "topic_id": TOPIC_ID,
                        "partition": 3,
                        "offset": 7,
                        "kafka_timestamp": "2026-03-01T12:00:07+00:00",
                        "payload": r"\xff{",
                    }
                ],
            }
        ],
        "unpublished": None,
    }


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b"\x1b[2J\x07\r\n", r"\x1b[2J\x07\r\n"),
        (b"[red]up[/red] [/]", "[red]up[/red] [/]"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}drow".encode(), r"\u202edrow"),
        (b"\xc3\x28", r"\xc3("),
        (b"", ""),
        (None, "(none)"),
        (b"x" * 5_000_000, "x" * 199 + "\N{HORIZONTAL ELLIPSIS}"),
    ],
    ids=["control", "markup", "direction", "not UTF-8", "empty", "none", "large"],
)
def test_a_payload_is_only_ever_text_on_the_terminal(table: "Table", payload: bytes | None, shown: str) -> None:
    put(table, [record(1, "payload is not a JSON object", payload=payload)])
    code, out, _ = shoplake("list")
    assert (code, out.splitlines()[-1]) == (0, f"   partition 0, offset 1, 2026-03-01 12:00:01: {shown}")


def test_a_part_of_a_reason_is_enough_to_see_only_that_one(table: "Table") -> None:
    put(table, [record(1, "price is below 0", "user_id is blank"), record(2, "Price is no number"), record(3, "odd")])
    found = listed("--reason", "PRICE")
    assert counts(found) == [("Price is no number", 1), ("price is below 0", 1)]
    assert found["records"] == 2
    code, out, _ = shoplake("list", "--reason", "(")
    assert (code, out) == (0, "No record is in quarantine for a reason that contains '('.\n")


def test_a_record_that_names_a_reason_twice_counts_once(table: "Table") -> None:
    put(table, [record(1, "odd", "odd")])
    assert counts(listed()) == [("odd", 1)]


def test_examples_are_the_newest_of_all_files_and_partitions(table: "Table", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "_ROWS_AT_ONCE", 3)
    for first in (6, 0, 3):
        put(table, [record(first + number, "odd", payload=str(first + number).encode()) for number in range(3)])
    put(table, [record(8, "odd", payload=b"of another partition", partition=1)])
    put(table, [record(8, "odd", payload=b"of another day", topic_id="B", kafka_timestamp=NOON + timedelta(days=1))])
    found = listed("--examples", "4")
    assert counts(found) == [("odd", 11)]
    assert [example["payload"] for example in found["reasons"][0]["examples"]] == [
        "of another day",
        "8",
        "of another partition",
        "7",
    ]
    assert offsets(listed("--examples", "0")) == [[]]


def test_an_empty_quarantine_says_so(table: "Table") -> None:
    assert table.scan().count() == 0
    assert shoplake("list") == (0, "No record is in quarantine.\n", "")


def test_a_refresh_that_is_not_published_is_told_of_with_the_way_on(table: "Table") -> None:
    put(table, [record(1, "old")])
    put_on_branch(table, "audit_1111aaaa", record(2, "odd"))
    put_on_branch(table, "audit_2222bbbb", *(record(offset, "odd") for offset in range(2, 1502)))
    code, out, _ = shoplake("list")
    assert code == 0
    assert out.startswith("1 record is in quarantine.\n")
    assert out.splitlines()[-1] == (
        "A refresh that is not published would put 1,500 more records into quarantine. "
        "'shoplake quarantine list --branch audit_2222bbbb' shows them; "
        "'shoplake quarantine accept --because ...' lets it through."
    )
    assert listed()["unpublished"] == {"branch": "audit_2222bbbb", "records": 1501, "published": 1}


def test_a_blocked_refresh_that_a_later_one_has_settled_is_not_told_of(table: "Table") -> None:
    put_on_branch(table, "audit_1111aaaa", record(1, "odd"))
    put(table, [record(1, "odd"), record(2, "odd")])
    assert listed()["unpublished"] is None


def test_a_branch_shows_what_it_adds_and_not_what_is_in_quarantine_already(table: "Table") -> None:
    put(table, [record(1, "old")])
    put_on_branch(table, "audit_1111aaaa", record(2, "odd"), record(3, "odd", "old"))
    code, out, _ = shoplake("list", "--branch", "audit_1111aaaa", "--examples", "1")
    assert (code, out.splitlines()[0]) == (0, "2 records are in audit_1111aaaa and not in quarantine yet.")
    found = listed("--branch", "audit_1111aaaa")
    assert counts(found) == [("odd", 2), ("old", 1)]
    assert offsets(found) == [[3, 2], [3]]
    assert counts(listed("--branch", "main")) == [("old", 1)]


def test_a_branch_that_replaced_the_whole_quarantine_shows_only_what_was_not_there(table: "Table") -> None:
    tomorrow: dict[str, Any] = {"kafka_timestamp": NOON + timedelta(days=1)}
    put(table, [record(1, "old"), record(2, "old"), record(3, "old", **tomorrow)])
    again = [record(2, "judged anew"), record(3, "judged anew", **tomorrow)]
    new = [record(2, "new", partition=1), record(2, "new", topic_id="B"), record(4, "new", **tomorrow)]
    put_on_branch(table, "audit_1111aaaa", *again, *new, in_place_of_all=True)
    assert counts(listed("--branch", "audit_1111aaaa")) == [("new", 3)]


def test_a_branch_that_takes_records_out_of_quarantine_adds_none(table: "Table") -> None:
    put(table, [record(1, "old"), record(2, "old"), record(3, "old")])
    put_on_branch(table, "audit_1111aaaa", record(2, "old"), in_place_of_all=True)
    assert shoplake("list", "--branch", "audit_1111aaaa")[1] == (
        "No record is in audit_1111aaaa and not in quarantine yet.\n"
    )
    assert "would leave 1 record in quarantine, where 3 are now." in shoplake("list")[1]


def test_what_was_published_since_is_not_new_in_an_older_branch(table: "Table") -> None:
    put_on_branch(table, "audit_1111aaaa", record(1, "odd"), record(2, "odd"))
    put(table, [record(1, "odd")])
    assert offsets(listed("--branch", "audit_1111aaaa")) == [[2]]


def test_an_unknown_branch_is_one_line_with_those_that_exist(table: "Table") -> None:
    told = "shoplake: there is no branch audit_0 of the quarantine. Those that exist: "
    nothing = f"{told}none, every refresh was published.\n"
    assert shoplake("list", "--branch", "audit_0") == (1, "", nothing)
    put_on_branch(table, "audit_1111aaaa", record(1, "odd"))
    put_on_branch(table, "audit_2222bbbb", record(1, "odd"))
    assert shoplake("list", "--branch", "audit_0")[2] == f"{told}audit_2222bbbb, audit_1111aaaa.\n"


@pytest.mark.parametrize("command", [("list",), ("accept", "--because", "a test"), ("replay",)])
def test_without_a_lake_one_line_says_how_there_comes_to_be_one(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "none"
    monkeypatch.setenv("SHOPLAKE_HOME", str(home))
    told = f"shoplake: there is no lake in {home}. 'shoplake up' makes it.\n"
    assert shoplake(*command) == (1, "", told)
    assert not home.exists()
    home.mkdir()
    assert shoplake(*command) == (1, "", told)


@pytest.mark.parametrize("command", [("accept", "--because", "a test"), ("replay",)])
def test_without_dagster_one_line_says_what_starts_it(table: "Table", command: tuple[str, ...]) -> None:
    put(table, [record(1, "odd")])
    code, out, err = shoplake(*command)
    assert (code, out) == (1, "")
    assert err.startswith("shoplake: Dagster does not answer at http://127.0.0.1:")
    assert err.endswith("'shoplake up' starts it.\n")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("lake")
def test_a_blank_reason_accepts_nothing() -> None:
    assert shoplake("accept", "--because", " \t") == (
        1,
        "",
        "shoplake: --because is blank. Say why so many records may go to quarantine; it is kept in the lake.\n",
    )


@pytest.mark.usefixtures("lake")
def test_a_replay_of_an_empty_quarantine_needs_nothing_and_says_so() -> None:
    assert shoplake("replay") == (0, "Nothing is in quarantine that could be replayed.\n", "")
    assert json.loads(shoplake("replay", "--json")[1]) == {
        "run": None,
        "records": 0,
        "moved": 0,
        "repeats": 0,
        "broken": 0,
    }


def test_what_a_run_accepted_is_found_beneath_later_refreshes_and_among_those_of_others(lake: Settings) -> None:
    events = open_catalog(lake).load_table(SILVER_EVENTS)
    empty = events.schema().as_arrow().empty_table()
    ours = {"because": "the outage", "odd": 200, "among": 1000, "run": "1111aaaa"}
    events.append(empty, snapshot_properties={ACCEPTANCE: json.dumps({**ours, "odd": 1})})
    before = snapshot_id_of(events)
    assert acceptance_by(events, run="1111aaaa", after=before) is None
    for entry in (ours, {**ours, "run": "2222bbbb"}):
        events.append(empty, snapshot_properties={ACCEPTANCE: json.dumps(entry)})
    events.append(empty)
    assert acceptance_by(events, run="1111aaaa", after=before) == ours
    assert acceptance_by(events, run="3333cccc", after=before) is None
