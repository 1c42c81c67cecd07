"""The refresh of Silver and Gold as a whole, on real Spark and real Iceberg."""

from decimal import Decimal

import pytest

from shoplake_assets.tables import GOLD_HOURLY_SALES
from shoplake_assets_tests.building import Fates, Shop, hour, purchase

pytestmark = pytest.mark.spark


def test_a_retry_that_arrives_a_week_late_is_still_a_duplicate(shop: Shop) -> None:
    shop.produce(purchase(event_id="e1", at="2026-03-01T10:00:00Z", price=9.99))
    shop.refresh()
    shop.produce(purchase(event_id="e1", at="2026-03-01T10:00:00Z", price=9.99), kafka_time="2026-03-08T10:00:00Z")
    shop.refresh()
    revenue = shop.column(GOLD_HOURLY_SALES, key="event_hour", value="revenue")
    assert revenue == {hour("2026-03-01T10"): Decimal("9.99")}
    assert shop.fates() == Fates(silver=1, duplicates=1, quarantine=0)
