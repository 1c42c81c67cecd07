"""What the page "Data health" says."""

from datetime import UTC, timedelta
from typing import Any

from shoplake_assets.dashboard.data_health.page import changes
from shoplake_assets.dashboard.data_health.sections import SECTIONS, tiles_of
from shoplake_assets.dashboard.page import Request
from shoplake_assets.health.state import Freshness, Health, Source
from shoplake_assets.lake.gaps import Gap
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.quarantine import Example, Findings, Reason
from shoplake_assets.runtime.supervision import ProcessState
from shoplake_assets_tests.health.picture import NOW, check, health, refresh, table

DAGSTER = "http://127.0.0.1:3000"


def texts(component: Any) -> list[str]:
    """All that can be read in a component, in order."""
    if isinstance(component, list | tuple):
        return [text for one in component for text in texts(one)]
    if isinstance(component, str):
        return [component]
    return [] if component is None else texts(getattr(component, "children", None))


def links(component: Any) -> list[str]:
    """All addresses that a component links to, in order."""
    if isinstance(component, list | tuple):
        return [link for one in component for link in links(one)]
    own = [component.href] if hasattr(component, "href") else []
    return own + links(getattr(component, "children", None) or [])


def section(name: str, of: Health) -> Any:
    (found,) = [one for one in SECTIONS if one.id == name]
    return found.content(of, zone=UTC, dagster_url=DAGSTER)


def gap(**known: Any) -> Gap:
    return Gap(**{"topic_id": "t", "partition": 1, "first": 10, "last": 29, "found_at": NOW, **known})


def test_the_tiles_sum_up_checks_fates_and_losses() -> None:
    of = health(
        tables={"silver.events": table(rows=940), "silver.quarantine": table(rows=50)},
        duplicates=10,
        checks=(
            check("contract"),
            check("quarantine_share", passed=False),
            check("late_share", blocking=False, severe=False, passed=False, figures={"share": 0.3125}),
            check("verified", passed=None),
        ),
        gaps=(gap(), gap(acknowledged_at=NOW, because="known")),
    )
    assert tiles_of(of) == [
        ("Checks", "1 fails, 1 warns", "of 4 checks, 1 not evaluated yet"),
        ("Quarantine", "50", "5.00 % of all records"),
        ("Duplicates", "10", "1.00 % of all records"),
        ("Late", "31.2 %", "of the newest events that were judged"),
        ("Lost in Kafka", "40", "in 2 gaps, 1 not acknowledged"),
    ]


def test_a_table_shows_how_far_it_is_and_what_is_not_known_is_no_zero() -> None:
    of = health(
        tables={
            "bronze.events": table(
                rows=1234, position=Position({("t", 0): 1000, ("t", 1): 234}), lag_events=12, lag_seconds=3.4
            ),
            "silver.events": table(lag_events=None, lag_seconds=None, snapshot_id=None, committed_at=None),
        },
        freshness={"bronze.events": Freshness.FRESH, "silver.events": Freshness.STALE},
    )
    cells = texts(section("tables", of))
    first = cells.index("bronze.events")
    assert cells[first : first + 10] == [
        "bronze.events",
        "1,234",
        "0:1,000, 1:234",
        "12",
        "3 s",
        "fresh",
        "Mar 1, 12:00:00",
        "2",
        "2.0 KiB",
        "3",
    ]
    second = cells.index("silver.events")
    assert cells[second + 3 : second + 7] == ["?", "?", "stale", "\u2013"]
    assert links(section("tables", of)) == [f"{DAGSTER}/assets/bronze/events", f"{DAGSTER}/assets/silver/events"]


def test_checks_that_fail_come_first_with_what_they_say() -> None:
    of = health(
        checks=(
            check("contract"),
            check("late_share", blocking=False, severe=False, passed=False, says="31 of 100 events are late"),
            check("key_unique", passed=False, says="2 rows share a key"),
        )
    )
    said = texts(section("checks", of))
    order = [said.index(text) for text in ("2 rows share a key", "31 of 100 events are late", "1 check passing")]
    assert order == sorted(order)
    assert "No check fails." not in said
    assert "No check fails." in texts(section("checks", health(checks=(check("contract"),))))
    assert links(section("checks", of))[0] == f"{DAGSTER}/assets/silver/events?view=checks&checkDetail=key_unique"


def test_reasons_have_examples_and_a_payload_is_text() -> None:
    payload = '<script>alert("x")</script>'
    example = Example(topic_id="t", partition=1, offset=7, kafka_timestamp=NOW, payload=payload)
    found = Findings(records=3, reasons=(Reason(reason="price is below 0", records=3, examples=(example,)),))
    said = texts(section("quarantine", health(quarantine=found)))
    assert said[-3:] == ["Mar 1, 12:00:00", "1/7", payload]
    assert "3 records: " in said
    assert texts(section("quarantine", health(quarantine=Findings(records=0, reasons=())))) == [
        "No record is in quarantine."
    ]


def test_gaps_say_who_knows_of_them() -> None:
    said = texts(section("gaps", health(gaps=(gap(), gap(acknowledged_at=NOW, because="maintenance")))))
    assert [said.count(text) for text in ("10 to 29", "20", "maintenance")] == [2, 2, 1]
    assert "not acknowledged: 'shoplake gaps ack' takes note" in said


def test_processes_and_what_does_not_answer() -> None:
    of = health(
        processes={
            "kafka": ProcessState(pid=7, state="running", since=NOW.isoformat(), restarts=2),
            "ingest": ProcessState(pid=None, state="backoff", since=None, restarts=9),
        },
        refreshes=(refresh("r1", succeeded=False), refresh("r2", ended_at=NOW - timedelta(minutes=1))),
        troubles={Source.KAFKA: "Kafka does not answer."},
    )
    said = texts(section("processes", of))
    assert said[0] == "kafka: Kafka does not answer."
    assert said[said.index("backoff") - 1 :][:4] == ["ingest", "backoff", "\u2013", "9"]
    assert [text for text in said if text in ("failed", "succeeded")] == ["failed", "succeeded"]


def test_only_what_differs_is_sent_again() -> None:
    first = changes(health(), request=Request(search="", zone=UTC, shown={}), dagster_url=DAGSTER)
    assert set(first) == {"tiles", "shown", *(one.id for one in SECTIONS)}
    asked = Request(search="", zone=UTC, shown=first["shown"])
    assert changes(health(at=NOW + timedelta(seconds=5)), request=asked, dagster_url=DAGSTER) == {}
    assert set(changes(health(gaps=(gap(),)), request=asked, dagster_url=DAGSTER)) == {"tiles", "gaps", "shown"}
