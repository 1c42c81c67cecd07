"""Write, audit, publish: what readers of `main` see, and what they never see."""

from typing import TYPE_CHECKING

import pytest

from shoplake_assets.lake.audit import MainMovedError, Provenance
from shoplake_assets.lake.position import Position
from shoplake_assets.lake.refresh import AuditFailedError
from shoplake_assets.lake.snapshots import position_of
from shoplake_assets.tables import GOLD_HOURLY_SALES, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.building import TOPIC_ID, Fates, Shop, event, purchase

if TYPE_CHECKING:
    from pyiceberg.table import Table

pytestmark = pytest.mark.spark


def _branches(table: "Table") -> set[str]:
    return set(table.refs()) - {"main"}


def test_a_failed_audit_leaves_main_alone_and_keeps_the_branch(shop: Shop) -> None:
    shop.produce(purchase(event_id="a", at="2026-03-01T10:00:00Z"))
    shop.refresh()
    silver = shop.lake.table(SILVER_EVENTS)
    assert _branches(silver) == set()
    silver.append(silver.scan().to_arrow())  # someone doubles a row by hand
    before = shop.snapshot_ids()
    shop.produce(purchase(event_id="b", at="2026-03-01T10:30:00Z"), b"bad")
    with pytest.raises(AuditFailedError, match=r"silver.events stays as it was: 1 of 3 rows repeat a") as refused:
        shop.refresh()
    assert {name for name, snapshot in shop.snapshot_ids().items() if snapshot != before[name]} == {"bronze.events"}
    assert _branches(shop.lake.table(SILVER_EVENTS)) == {refused.value.branch}
    kept = shop.lake.spark.table(f"lake.{SILVER_EVENTS}.branch_{refused.value.branch}")
    assert sorted(row["event_id"] for row in kept.select("event_id").collect()) == ["a", "a", "b"]
    assert [check.name for check in refused.value.checks if not check.passed] == ["key_unique"]

    # Once the fault is mended, the refresh goes through and nothing is missing.
    silver = shop.lake.table(SILVER_EVENTS)
    silver.manage_snapshots().rollback_to_snapshot(silver.current_snapshot().parent_snapshot_id).commit()  # type: ignore[union-attr, arg-type]
    shop.refresh()
    assert shop.fates() == Fates(silver=2, quarantine=1, duplicates=0)
    assert [row["purchases"] for row in shop.read(GOLD_HOURLY_SALES)] == [2]


def test_a_stray_row_in_the_quarantine_is_found_before_anything_is_published(shop: Shop) -> None:
    shop.produce(b"bad", b"bad too")
    shop.refresh_silver()
    quarantine = shop.lake.table(SILVER_QUARANTINE)
    ahead = [{**row, "offset": row["offset"] + 2} for row in quarantine.scan().to_arrow().to_pylist()]
    quarantine.append(quarantine.scan().to_arrow().from_pylist(ahead, schema=quarantine.schema().as_arrow()))
    shop.produce(event(event_id="a"), event(event_id="b"))
    with pytest.raises(AuditFailedError, match="2 records is not 2 Silver"):
        shop.refresh_silver()
    assert shop.read(SILVER_EVENTS) == []


def test_publishing_is_refused_when_main_has_moved(shop: Shop) -> None:
    position = Position.of_topic(TOPIC_ID, {0: 7})
    provenance = Provenance(
        position=position, source_snapshot=1, code_version="1", newest_record=None, newest_event=None
    )
    audit = shop.lake.audit(shop.lake.table(SILVER_EVENTS), run="slow")
    audit.append(shop.lake.rows_of(shop.lake.table(SILVER_EVENTS)), provenance=provenance)
    assert position_of(audit.snapshot()) == position
    table = shop.lake.table(SILVER_EVENTS)
    assert position_of(table.current_snapshot()) == Position()
    table.append(table.schema().as_arrow().empty_table())
    moved = table.metadata.current_snapshot_id
    with pytest.raises(MainMovedError, match=rf"silver.events has moved from snapshot \d+ to {moved} while"):
        audit.publish()
    assert shop.lake.table(SILVER_EVENTS).metadata.current_snapshot_id == moved
    assert _branches(shop.lake.table(SILVER_EVENTS)) == {"audit_slow"}

    # A retry of the same run begins anew from where `main` is now.
    again = shop.lake.audit(shop.lake.table(SILVER_EVENTS), run="slow")
    again.append(shop.lake.rows_of(shop.lake.table(SILVER_EVENTS)), provenance=provenance)
    again.publish()
    assert position_of(shop.lake.table(SILVER_EVENTS).current_snapshot()) == position
    assert _branches(shop.lake.table(SILVER_EVENTS)) == set()
