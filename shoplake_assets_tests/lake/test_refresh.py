"""The refresh of Silver and Gold as a whole, on real Spark and real Iceberg."""

from decimal import Decimal

import pytest

from shoplake_assets.tables import DERIVED, GOLD_HOURLY_SALES
from shoplake_assets_tests.building import TOPIC_ID, Fates, Shop, event, hour, purchase

pytestmark = pytest.mark.spark


def test_an_hour_in_which_nobody_buys_moves_the_position_of_every_table(shop: Shop) -> None:
    shop.produce(event(at="2026-03-01T10:00:00Z"))
    shop.refresh()
    shop.produce(event(at="2026-03-02T11:00:00Z"))
    reached = {name: refresh.position.offsets for name, refresh in shop.refresh().items()}
    assert reached == {name: {(TOPIC_ID, 0): 2} for name in DERIVED}
    assert all(not refresh.changed for refresh in shop.refresh().values())


def test_a_retry_that_arrives_a_week_late_is_still_a_duplicate(shop: Shop) -> None:
    shop.produce(purchase(event_id="e1", at="2026-03-01T10:00:00Z", price=9.99))
    shop.refresh()
    shop.produce(purchase(event_id="e1", at="2026-03-01T10:00:00Z", price=9.99), kafka_time="2026-03-08T10:00:00Z")
    shop.refresh()
    revenue = shop.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue")
    assert revenue == {hour("2026-03-01T10"): Decimal("9.99")}
    assert shop.fates() == Fates(silver=1, duplicates=1, quarantine=0)
