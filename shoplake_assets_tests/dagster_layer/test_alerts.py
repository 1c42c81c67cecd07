"""Alerts: what is told and when, and in which words; without Dagster."""

import json
import platform
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from shoplake_assets.alerts import WATCHED, Cursor, News, Verdict, message, plan_news, runbook
from shoplake_assets.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
SHARE = dg.AssetCheckKey(dg.AssetKey(["silver", "events"]), "quarantine_share")
ALIVE = dg.AssetCheckKey(dg.AssetKey(["bronze", "events"]), "ingest_alive")
SHARE_NAME, ALIVE_NAME = "silver/events:quarantine_share", "bronze/events:ingest_alive"
HIDDEN = "T024BE7LD/s3cr3t"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def verdict(key: dg.AssetCheckKey = SHARE, *, passed: bool, severe: bool = True, says: str = "so it is") -> Verdict:
    return Verdict(key=key, passed=passed, severe=severe, says=says, at=NOW)


def news(seen: Cursor, *verdicts: Verdict, now: datetime = NOW) -> tuple[list[str], list[str], Cursor]:
    planned = plan_news(seen=seen, verdicts=verdicts, now=now)
    return [one.name for one in planned.failed], [one.name for one in planned.mended], planned.cursor


KNOWN = Cursor(told={SHARE_NAME: EARLIER})


@pytest.mark.parametrize(
    ("seen", "verdicts", "failed", "mended", "cursor"),
    [
        (Cursor(), [], [], [], Cursor()),
        (Cursor(), [verdict(passed=True)], [], [], Cursor()),
        (Cursor(), [verdict(passed=False)], [SHARE_NAME], [], Cursor(told={SHARE_NAME: NOW})),
        (Cursor(), [verdict(passed=False, severe=False)], [], [], Cursor()),
        (KNOWN, [verdict(passed=False)], [], [], KNOWN),
        (KNOWN, [verdict(passed=True)], [], [SHARE_NAME], Cursor()),
        (KNOWN, [verdict(passed=False, severe=False)], [], [], KNOWN),
        (KNOWN, [], [], [], KNOWN),
    ],
    ids=[
        "nothing was judged yet",
        "all is well",
        "it fails, and nobody knows",
        "it only warns",
        "it fails, which is known",
        "it is well again",
        "it has become a warning",
        "its results were forgotten",
    ],
)
def test_a_failure_is_told_once_and_so_is_its_end(
    seen: Cursor, verdicts: list[Verdict], failed: list[str], mended: list[str], cursor: Cursor
) -> None:
    assert news(seen, *verdicts) == (failed, mended, cursor)


def test_an_ingest_that_is_away_is_told_only_if_it_stays_away() -> None:
    away, back = verdict(ALIVE, passed=False), verdict(ALIVE, passed=True)
    waiting = Cursor(waiting={ALIVE_NAME: NOW})
    assert news(Cursor(), away) == ([], [], waiting)
    assert news(waiting, away, now=NOW + timedelta(seconds=59)) == ([], [], waiting)
    assert news(waiting, back, now=NOW + timedelta(seconds=59)) == ([], [], Cursor())
    dead = Cursor(told={ALIVE_NAME: NOW})
    assert news(waiting, away, now=NOW + timedelta(seconds=60)) == ([ALIVE_NAME], [], dead)
    assert news(dead, back) == ([], [ALIVE_NAME], Cursor())


def test_the_cursor_survives_dagster() -> None:
    cursor = Cursor(told={SHARE_NAME: EARLIER}, waiting={ALIVE_NAME: NOW})
    assert Cursor.from_json(cursor.to_json()) == cursor
    assert Cursor.from_json(None) == Cursor()


def test_a_message_says_what_fails_why_and_where_to_look_in_the_json_of_slack() -> None:
    found = News(
        failed=[verdict(passed=False, says="20% > 5% of <b>100</b> & more")],
        mended=[verdict(ALIVE, passed=True, says="the query looked for records 2 s ago")],
        cursor=Cursor(),
    )
    settings = Settings(home=Path("/lakes/one"), dagster={"port": 3003})
    title = "Shoplake: 1 check fails, 1 check is well again"
    fails = (
        "*FAILS* silver.events "
        "<http://127.0.0.1:3003/assets/silver/events?view=checks&amp;checkDetail=quarantine_share|quarantine_share> "
        "(`docs/runbooks.md#blocking-check-failed`), "
        "found 2026-03-01 12:00:00 UTC: 20% &gt; 5% of &lt;b&gt;100&lt;/b&gt; &amp; more"
    )
    well = (
        "*Well again* bronze.events "
        "<http://127.0.0.1:3003/assets/bronze/events?view=checks&amp;checkDetail=ingest_alive|ingest_alive> "
        "(`docs/runbooks.md#ingest-stopped`), "
        "since 2026-03-01 12:00:00 UTC; its failure was found 2026-03-01 11:30:00 UTC: "
        "the query looked for records 2 s ago"
    )
    footer = f"The lake is /lakes/one on {platform.node()}."
    assert message(found, told={ALIVE_NAME: EARLIER}, settings=settings) == {
        "text": "\n".join([title, fails, well, footer]),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title}},
            {"type": "section", "text": {"type": "mrkdwn", "text": fails, "verbatim": True}},
            {"type": "section", "text": {"type": "mrkdwn", "text": well, "verbatim": True}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": footer, "verbatim": True}]},
        ],
    }


def test_every_check_has_a_runbook() -> None:
    page = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text()
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    known = {f"docs/runbooks.md#{heading.lower().replace(' ', '-')}" for heading in headings}
    named = {key.to_user_string(): runbook(key) for key in WATCHED}
    assert set(named.values()) <= known
    assert named["bronze/events:gaps_acknowledged"] == "docs/runbooks.md#gap-recorded"
    assert named["gold/hourly_sales:contract"] == "docs/runbooks.md#blocking-check-failed"
    for check in ("bronze/events:contract", "bronze/events:single_writer", "gold/hourly_sales:verified"):
        assert named[check] == "docs/runbooks.md#check-failed"


def test_slack_can_take_a_message_whatever_happened() -> None:
    """It refuses more than 50 blocks, 3,000 characters in a section or 13,000 in all."""
    keys = [dg.AssetCheckKey(dg.AssetKey(["gold", "hourly_sales"]), f"check_{number}") for number in range(60)]
    long = [verdict(key, passed=False, says="&\n" * 5_000) for key in keys]
    told = message(News(failed=long, mended=[], cursor=Cursor()), told={}, settings=Settings(home=Path("/lakes/one")))
    assert told["blocks"][0]["text"]["text"] == "Shoplake: 60 checks fail"
    sections = [block["text"]["text"] for block in told["blocks"] if block["type"] == "section"]
    assert sections[0].endswith("UTC: " + " ".join(["&amp;"] * 66) + " …")
    assert sections[-1] == "And 45 more, see Dagster."
    assert len(sections) == 16
    assert len(json.dumps(told["blocks"])) < 13_000
