"""The lists of top products and shoppers, from facts of many hours, held to an independent account in plain Python."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only tests that hold a session come here
import pytest

from shoplake_assets.transforms.gold import top_products, top_users
from shoplake_assets_tests import oracle

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

_NEWEST = datetime(2026, 3, 1, 10, tzinfo=UTC)
_HOURS = (0, 1, 23, 24, 25, 167, 168, 169, 719, 720, 721, 5_000)
"""Ages on both sides of where each window begins."""
_FACT = "event_hour timestamp, purchases long, units long, revenue decimal(24, 2)"


def _fact(dice: random.Random, *, hours: int) -> oracle.Row:
    """A fact of so many hours ago; prices are few, so that many have the same revenue."""
    purchases = dice.choice([0, 1, 2])
    price = dice.choice([Decimal("9.99"), Decimal("0.01"), Decimal("1000000.00")])
    return {
        "event_hour": _NEWEST - timedelta(hours=hours),
        "purchases": purchases,
        "units": 3 * purchases,
        "revenue": purchases * price,
    }


def _ranked(found: "DataFrame") -> list[oracle.Row]:
    return sorted((row.asDict() for row in found.collect()), key=lambda row: (row["window"], row["rank"]))


def test_lists_of_products_are_those_of_plain_python(spark: "SparkSession") -> None:
    dice = random.Random(1)  # noqa: S311  reproducible, not secret
    facts = [
        {
            **_fact(dice, hours=hours),
            "product_id": f"p{number}",
            "product_name": dice.choice(["Lamp", "Desk", None]),
            "category": dice.choice(["light", "office"]),
        }
        for number in range(250)
        for hours in dice.sample(_HOURS, 5)
    ]
    rows = spark.createDataFrame(facts, f"{_FACT}, product_id string, product_name string, category string")
    expected = oracle.top_list(facts, by="product_id", newest=_NEWEST)
    assert _ranked(top_products(rows, newest_hour=F.lit(_NEWEST))) == expected
    # There are more than a list may have, so that it has been judged who is on none.
    assert {row["window"] for row in expected if row["rank"] == oracle.LONGEST_LIST} == set(oracle.WINDOWS)


def test_lists_of_shoppers_are_those_of_plain_python(spark: "SparkSession") -> None:
    dice = random.Random(2)  # noqa: S311  reproducible, not secret
    facts = [
        {**_fact(dice, hours=hours), "user_id": f"u{number}"}
        for number in range(250)
        for hours in dice.sample(_HOURS, 5)
    ]
    rows = spark.createDataFrame(facts, f"{_FACT}, user_id string")
    assert _ranked(top_users(rows, newest_hour=F.lit(_NEWEST))) == oracle.top_list(facts, by="user_id", newest=_NEWEST)
