"""`shoplake gaps`: what was lost, and taking note of it, in a real lake while nothing runs."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.gaps import Gap, acknowledge_gaps, read_gaps, record_gaps
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_GAPS
from shoplake_assets_tests.cli.conftest import NOON, TOPIC_ID

GAPS = (
    Gap(topic_id=TOPIC_ID, partition=0, first=100, last=119, found_at=NOON),
    Gap(topic_id=TOPIC_ID, partition=1, first=7, last=7, found_at=NOON + timedelta(seconds=1)),
)


def shoplake(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main.app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def open_gaps(lake: Settings) -> list[int]:
    return [
        gap.partition for gap in read_gaps(open_catalog(lake).load_table(BRONZE_GAPS)) if gap.acknowledged_at is None
    ]


@pytest.fixture
def _lost(lake: Settings) -> None:
    record_gaps(open_catalog(lake), GAPS)


@pytest.mark.usefixtures("lake")
def test_a_lake_without_a_loss_says_so() -> None:
    assert shoplake("gaps", "list") == (0, "No event was lost: there is no gap.\n", "")
    assert json.loads(shoplake("gaps", "list", "--json")[1]) == {"gaps": []}
    code, out, err = shoplake("gaps", "ack", "--because", "a test")
    assert (code, out) == (1, "")
    assert err == "shoplake: there is no gap to acknowledge. 'shoplake gaps list' shows all.\n"


@pytest.mark.usefixtures("_lost")
def test_gaps_are_shown_until_and_after_somebody_takes_note_of_them(lake: Settings) -> None:
    first = f"offsets 100 to 119 (20) of partition 0 of topic {TOPIC_ID}, found 2026-03-01 12:00:00 UTC"
    second = f"offset 7 (1) of partition 1 of topic {TOPIC_ID}, found 2026-03-01 12:00:01 UTC"
    untold = "    not acknowledged; 'shoplake gaps ack --because ...' takes note of it"
    assert shoplake("gaps", "list")[1].splitlines() == [first, untold, second, untold]
    assert "2 gaps are not acknowledged (21 events)" in " ".join(shoplake("status")[1].split())

    assert shoplake("gaps", "ack", "--because", "disk", "--partition", "1") == (0, f"Acknowledged: {second}\n", "")
    assert open_gaps(lake) == [0]
    code, _, err = shoplake("gaps", "ack", "--because", "disk", "--first", "8")
    assert (code, err) == (
        1,
        "shoplake: there is no gap to acknowledge that the options choose. 'shoplake gaps list' shows all.\n",
    )
    assert shoplake("gaps", "ack", "--because", " a week's leave ") == (0, f"Acknowledged: {first}\n", "")
    assert open_gaps(lake) == []
    assert "not acknowledged" not in shoplake("status")[1]
    listed = json.loads(shoplake("gaps", "list", "--json")[1])["gaps"]
    assert [(gap["first"], gap["last"], gap["events"], gap["because"]) for gap in listed] == [
        (100, 119, 20, "a week's leave"),
        (7, 7, 1, "disk"),
    ]


@pytest.mark.usefixtures("_lost")
def test_a_gap_that_grew_while_it_was_acknowledged_stays_open_and_that_is_said(lake: Settings) -> None:
    def grow_first(catalog: Any, chosen: list[Gap], **said: Any) -> None:
        record_gaps(catalog, [replace(GAPS[0], last=130)])
        acknowledge_gaps(catalog, chosen, **said)

    with patch("shoplake_assets.lake.gaps.acknowledge_gaps", grow_first):
        code, out, err = shoplake("gaps", "ack", "--because", "disk")
    assert (code, out) == (1, f"Acknowledged: {GAPS[1]}\n")
    remedy = "look again with 'shoplake gaps list' and acknowledge again"
    assert err == f"shoplake: 1 of 2 gaps grew meanwhile; {remedy}.\n"
    assert open_gaps(lake) == [0]


@pytest.mark.usefixtures("_lost")
def test_a_reason_is_asked_for(lake: Settings) -> None:
    code, _, err = shoplake("gaps", "ack", "--because", "  ")
    assert (code, err) == (
        1,
        "shoplake: --because is blank. Say why the events may be missing; it is kept in the lake.\n",
    )
    assert open_gaps(lake) == [0, 1]
