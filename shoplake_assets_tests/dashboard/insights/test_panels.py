"""What the panels show of Gold."""

from typing import Any

import pytest

from shoplake_assets.dashboard import panels, wording
from shoplake_assets.dashboard.data import LakeReader, LakeView
from shoplake_assets.dashboard.insights import WINDOWS
from shoplake_assets.dashboard.panels import PANELS, Content, Range
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import GOLD_HOURLY_SALES, GOLD_TOP_PRODUCTS
from shoplake_assets_tests.dashboard.conftest import SCRIPT, Append, hour, sales


def look(settings: Settings) -> LakeView:
    return LakeReader(lambda: open_catalog(settings)).look()


def content(settings: Settings, panel: str, *, window: str = "24h") -> Content:
    of = Range(look(settings), window=window, currency="USD")
    return next(one for one in PANELS if one.id == panel).content(of)


def bars(shown: Content) -> dict[str, Any]:
    assert shown.figure is not None
    trace: dict[str, Any] = shown.figure.to_plotly_json()["data"][0]
    return trace


def labels(shown: Content) -> list[str]:
    assert shown.figure is not None
    return [note.text for note in shown.figure.layout.annotations]


@pytest.mark.usefixtures("shop")
def test_the_tiles_count_the_window_back_from_the_newest_hour(settings: Settings) -> None:
    of = Range(look(settings), window="24h", currency="USD")
    assert panels.tiles(of, newest=hour(2, 12)) == [
        ("Revenue", "$100.20", "6 units"),
        ("Purchases", "4", "$25.05 each on average"),
        ("Buyers", "2", "different shoppers"),
        ("Events", "140", "in 4 hours"),
        ("Newest hour", "12:00\u201313:00", "UTC, 2026-03-02"),
    ]


@pytest.mark.usefixtures("shop")
def test_the_tiles_of_everything(settings: Settings) -> None:
    of = Range(look(settings), window="all", currency="EUR")
    assert panels.tiles(of, newest=hour(2, 12))[:4] == [
        ("Revenue", "\u20ac1,100.30", "7 units"),
        ("Purchases", "5", "\u20ac220.06 each on average"),
        ("Buyers", "3", "different shoppers"),
        ("Events", "150", "in 5 hours"),
    ]


@pytest.mark.usefixtures("shop")
def test_hourly_revenue_is_exact_and_an_hour_without_a_purchase_differs_from_no_data(settings: Settings) -> None:
    shown = content(settings, "sales")
    bar = bars(shown)
    assert bar["x"] == ["2026-03-01 13:00:00", "2026-03-02 09:00:00", "2026-03-02 12:00:00"]
    assert bar["y"] == [0.20, 33.33, 66.67]
    assert bar["customdata"][1] == (["2026-03-02 09:00\u201310:00 UTC", "$33.33", "2 purchases", "$16.67", "40 events"])
    assert shown.figure is not None
    (idle,) = shown.figure.data[1:]
    assert idle.customdata == (["2026-03-01 23:00\u201300:00 UTC", "30 events"],)
    assert shown.note == "By hour, UTC: 4 hours with events, 1 of them without a purchase."
    assert shown.rows[0] == ("2026-03-02 12:00\u201313:00 UTC", "$66.67", "1", "$66.67", "1", "50")


def test_a_long_range_is_drawn_by_day(settings: Settings, shop: Append) -> None:
    shop(
        GOLD_HOURLY_SALES,
        [{"event_hour": hour(20, 1), "events": 1, "buyers": 0, "sessions": 1, "average_order_value": None}
         | sales(1, 1, "5.00")],
    )  # fmt: skip
    shown = content(settings, "sales", window="all")
    assert [row[:2] for row in shown.rows] == [
        ("2026-03-20 (UTC day)", "$5.00"),
        ("2026-03-02 (UTC day)", "$100.00"),
        ("2026-03-01 (UTC day)", "$1,000.30"),
    ]


@pytest.mark.usefixtures("shop")
def test_categories_count_the_first_day_only_from_the_windows_first_hour(settings: Settings) -> None:
    shown = content(settings, "categories")
    assert shown.rows == (("1", "toys", "$66.67", "1", "1"), ("2", "home", "$33.53", "3", "5"))
    assert labels(shown) == ["toys", "$66.67", "home", "$33.53"]


@pytest.mark.usefixtures("shop")
def test_categories_of_everything_are_whole_days(settings: Settings) -> None:
    shown = content(settings, "categories", window="all")
    assert shown.rows == (("1", "toys", "$1,066.77", "2", "2"), ("2", "home", "$33.53", "3", "5"))


@pytest.mark.usefixtures("shop")
def test_the_lists_show_the_chosen_window(settings: Settings) -> None:
    assert [row[1] for row in content(settings, "users").rows] == ["u2", "u1"]
    assert [row[1] for row in content(settings, "users", window="all").rows] == ["u9"]
    assert content(settings, "products").rows[0] == ("1", "p2", "p2 \u00b7 toys", "$66.67", "1", "1")


@pytest.mark.usefixtures("shop")
def test_the_funnel_counts_the_hours_of_the_window(settings: Settings) -> None:
    shown = content(settings, "funnel")
    assert shown.rows == (
        ("Viewed", "9", "100.0 %"),
        ("Added to cart", "4", "44.4 %"),
        ("Purchased", "3", "33.3 %"),
    )
    assert bars(shown)["x"] == [9, 4, 3]


@pytest.mark.usefixtures("shop")
def test_a_script_as_a_name_is_text_and_equal_names_stay_apart(settings: Settings) -> None:
    shown = content(settings, "products")
    assert shown.figure is not None
    document = shown.figure.to_json()
    assert "<script" not in document
    assert "\\u003cscript" not in document
    assert labels(shown)[2] == "&lt;script&gt;alert('lamp')&lt;/script&gt;"
    assert bars(shown)["y"] == [1, 2, 3]
    assert [row[1] for row in shown.rows] == ["p2", SCRIPT, SCRIPT]


def test_a_range_without_a_purchase_says_so(settings: Settings, append: Append) -> None:
    append(
        GOLD_HOURLY_SALES,
        [{"event_hour": hour(1, 1), "events": 2143, "buyers": 0, "sessions": 9, "average_order_value": None}
         | sales(0, 0, "0.00")],
    )  # fmt: skip
    for panel in ("sales", "categories", "products", "users"):
        assert content(settings, panel).note == "2,143 events in this range, no purchase among them."
    assert content(settings, "products").figure is None
    assert content(settings, "funnel").note == "No session viewed, added or bought anything in this range."


def test_many_entries_are_listed_though_few_are_drawn(settings: Settings, append: Append) -> None:
    who = {"product_name": "lamp", "category": "home"}
    rows = [
        {"window": "24h", "rank": n, "product_id": f"p{n}", **who} | sales(1, 1, f"{99 - n}.99") for n in range(1, 13)
    ]
    append(GOLD_TOP_PRODUCTS, rows)
    shown = content(settings, "products")
    assert len(bars(shown)["x"]) == 10
    assert len(shown.rows) == 12
    assert shown.note == "The first 10 products by revenue; 12 are listed below."


def test_windows_are_those_of_the_top_lists() -> None:
    from shoplake_assets.transforms import gold

    assert WINDOWS == gold.WINDOWS


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({}, "the lake has no Gold tables so far."),
        ({"gold.hourly_sales": 0, "bronze.events": 0}, "nothing has arrived from Kafka so far."),
        ({"gold.hourly_sales": 0, "bronze.events": 2143}, "2,143 events are in Bronze, none in Silver."),
        (
            {"gold.hourly_sales": 0, "bronze.events": 1, "silver.quarantine": 1},
            "1 event is in Bronze, and all that Silver has looked at broke a rule: 1 is in quarantine",
        ),
        ({"gold.hourly_sales": 0, "bronze.events": 3, "silver.events": 2}, "2 events are in Silver, and Gold has not"),
    ],
)
def test_an_empty_gold_says_where_the_events_are(rows: dict[str, int], reason: str) -> None:
    assert wording.why_empty(rows).startswith(reason)
