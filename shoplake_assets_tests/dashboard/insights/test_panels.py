"""What the panels show of Gold."""

from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shoplake_assets.dashboard import wording
from shoplake_assets.dashboard.data import LakeReader, LakeView
from shoplake_assets.dashboard.insights import panels
from shoplake_assets.dashboard.insights.numbers import LIST_LENGTH, WINDOWS
from shoplake_assets.dashboard.insights.panels import PANELS, Range
from shoplake_assets.dashboard.insights.selection import Selection
from shoplake_assets.dashboard.values import Content
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import GOLD, GOLD_HOURLY_SALES, GOLD_TOP_PRODUCTS
from shoplake_assets_tests.dashboard.conftest import SCRIPT, Append, hour, sales


def look(settings: Settings) -> LakeView:
    return LakeReader(lambda: open_catalog(settings)).look()


def over(settings: Settings, query: str = "", *, currency: str = "USD", zone: tzinfo = UTC) -> Range:
    return Range(look(settings), selection=Selection.from_query(query), currency=currency, zone=zone)


def content(settings: Settings, panel: str, query: str = "", *, zone: tzinfo = UTC) -> Content:
    return next(one for one in PANELS if one.id == panel).content(over(settings, query, zone=zone))


def rows(shown: Content, *, zone: tzinfo = UTC) -> list[tuple[str, ...]]:
    return [tuple(row) for row in shown.exact.shown(currency="USD", zone=zone)]


def bars(shown: Content) -> dict[str, Any]:
    assert shown.figure is not None
    trace: dict[str, Any] = shown.figure.to_plotly_json()["data"][0]
    return trace


def labels(shown: Content) -> list[str]:
    assert shown.figure is not None
    return [note.text for note in shown.figure.layout.annotations]


@pytest.mark.usefixtures("shop")
def test_the_tiles_count_the_window_back_from_the_newest_hour(settings: Settings) -> None:
    of = over(settings)
    assert panels.tiles(of, newest=hour(2, 12)) == [
        ("Revenue", "$100.20", "6 units"),
        ("Purchases", "4", "$25.05 each on average"),
        ("Buyers", "2", "different shoppers"),
        ("Events", "140", "in 4 hours"),
        ("Newest hour", "12:00\u201313:00", "UTC, 2026-03-02"),
    ]


@pytest.mark.usefixtures("shop")
def test_the_tiles_of_everything(settings: Settings) -> None:
    of = over(settings, "?window=all", currency="EUR")
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
    assert shown.note == "By hour: 4 hours with events, 1 of them without a purchase."
    assert rows(shown)[0] == ("2026-03-02 12:00\u201313:00 UTC", "$66.67", "1", "$66.67", "1", "50")


def test_a_long_range_is_drawn_by_day(settings: Settings, shop: Append) -> None:
    shop(
        GOLD_HOURLY_SALES,
        [{"event_hour": hour(20, 1), "events": 1, "buyers": 0, "sessions": 1, "average_order_value": None}
         | sales(1, 1, "5.00")],
    )  # fmt: skip
    shown = content(settings, "sales", "?window=all")
    assert [row[:2] for row in rows(shown)] == [
        ("2026-03-20 (UTC day)", "$5.00"),
        ("2026-03-02 (UTC day)", "$100.00"),
        ("2026-03-01 (UTC day)", "$1,000.30"),
    ]


@pytest.mark.usefixtures("shop")
def test_categories_count_the_first_day_only_from_the_windows_first_hour(settings: Settings) -> None:
    shown = content(settings, "categories")
    assert rows(shown) == [("1", "toys", "$66.67", "1", "1"), ("2", "home", "$33.53", "3", "5")]
    assert labels(shown) == ["toys", "$66.67", "home", "$33.53"]


@pytest.mark.usefixtures("shop")
def test_categories_of_everything_are_whole_days(settings: Settings) -> None:
    shown = content(settings, "categories", "?window=all")
    assert rows(shown) == [("1", "toys", "$1,066.77", "2", "2"), ("2", "home", "$33.53", "3", "5")]


@pytest.mark.usefixtures("shop")
def test_the_lists_show_the_chosen_window(settings: Settings) -> None:
    assert [row[1] for row in rows(content(settings, "users"))] == ["u2", "u1"]
    assert [row[1] for row in rows(content(settings, "users", "?window=all"))] == ["u9"]
    assert rows(content(settings, "products"))[0] == ("1", "p2", "p2 \u00b7 toys", "$66.67", "1", "1")


@pytest.mark.usefixtures("shop")
def test_the_funnel_counts_the_hours_of_the_window(settings: Settings) -> None:
    shown = content(settings, "funnel")
    assert rows(shown) == [
        ("Viewed", "9", "100.0 %"),
        ("Added to cart", "4", "44.4 %"),
        ("Purchased", "3", "33.3 %"),
    ]
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
    assert [row[1] for row in rows(shown)] == ["p2", SCRIPT, SCRIPT]


def test_a_range_without_a_purchase_says_so(settings: Settings, append: Append) -> None:
    append(
        GOLD_HOURLY_SALES,
        [{"event_hour": hour(1, 1), "events": 2143, "buyers": 0, "sessions": 9, "average_order_value": None}
         | sales(0, 0, "0.00")],
    )  # fmt: skip
    for table in GOLD:
        append(table, [], position='{"topic": {"0": 2143}}')
    for panel in ("sales", "categories", "products", "users"):
        assert content(settings, panel).note == "2,143 events in this range, no purchase among them."
    assert content(settings, "products").figure is None
    assert content(settings, "funnel").note == "No session viewed, added or bought anything in this range."


def test_a_table_that_no_refresh_has_published_is_not_taken_for_one_without_purchases(
    settings: Settings, append: Append
) -> None:
    append(
        GOLD_HOURLY_SALES,
        [{"event_hour": hour(1, 1), "events": 5, "buyers": 1, "sessions": 1, "average_order_value": None}
         | sales(1, 1, "9.99")],
        position='{"topic": {"0": 5}}',
    )  # fmt: skip
    for panel in ("categories", "products", "users", "funnel"):
        assert content(settings, panel).note.startswith("This table is being computed for the first time")


@pytest.mark.usefixtures("shop")
def test_chosen_days_count_from_their_first_hour_to_their_last(settings: Settings) -> None:
    first = "?from=2026-03-01&to=2026-03-01"
    assert panels.tiles(over(settings, first), newest=hour(2, 12))[:4] == [
        ("Revenue", "$1,000.30", "3 units"),
        ("Purchases", "2", "$500.15 each on average"),
        ("Buyers", "2", "different shoppers"),
        ("Events", "60", "in 3 hours"),
    ]
    assert rows(content(settings, "categories", first)) == [
        ("1", "toys", "$1,000.10", "1", "1"),
        ("2", "home", "$0.20", "1", "2"),
    ]
    # Of days, no list of Gold's is made; these come from the hourly facts, whose products are named by category here.
    assert rows(content(settings, "products", first)) == [
        ("1", "toys", "toys \u00b7 toys", "$1,000.10", "1", "1"),
        ("2", "home", "home \u00b7 home", "$0.20", "1", "2"),
    ]
    assert rows(content(settings, "users", first)) == [
        ("1", "u9", "$1,000.10", "1", "1"),
        ("2", "u1", "$0.20", "1", "2"),
    ]
    assert rows(content(settings, "users", "?from=2026-03-01&to=2026-03-02"))[1] == ("2", "u2", "$66.67", "1", "1")
    assert rows(content(settings, "categories", "?from=2026-03-02")) == [
        ("1", "toys", "$66.67", "1", "1"),
        ("2", "home", "$33.33", "2", "3"),
    ]
    assert content(settings, "categories", "?from=2026-03-02&to=2026-03-01").note == "No event in this range."


@pytest.mark.usefixtures("shop")
def test_a_chosen_category_counts_alone_and_what_gold_does_not_divide_says_so(settings: Settings) -> None:
    toys = "?window=all&category=toys"
    assert panels.tiles(over(settings, toys), newest=hour(2, 12))[:4] == [
        ("Revenue", "$1,066.77", "2 units"),
        ("Purchases", "2", "$533.39 each on average"),
        ("Buyers", "\u2013", "not counted by category"),
        ("Events", "4", "in 2 hours"),
    ]
    assert [row[:2] for row in rows(content(settings, "sales", toys))] == [
        ("2026-03-02 12:00\u201313:00 UTC", "$66.67"),
        ("2026-03-01 12:00\u201313:00 UTC", "$1,000.10"),
    ]
    assert [row[1] for row in rows(content(settings, "products", toys))] == ["toys"]
    assert content(settings, "funnel", toys).note.endswith("Of all categories: Gold does not divide them by category.")
    assert content(settings, "products", "?category=garden").note == ("1 event in this range, and it is no purchase.")
    assert content(settings, "sales", "?category=nothing").note == "No event in this range."


@pytest.mark.usefixtures("shop")
def test_times_are_the_viewers_and_the_hover_has_utc_too(settings: Settings) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    shown = content(settings, "sales", zone=tokyo)
    assert bars(shown)["customdata"][1][0] == "2026-03-02 18:00\u201319:00 JST (09:00\u201310:00 UTC)"
    assert bars(shown)["x"][1] == "2026-03-02 09:00:00"
    assert rows(shown, zone=tokyo)[0][0] == "2026-03-02 21:00\u201322:00 JST"
    assert panels.tiles(over(settings, zone=tokyo), newest=hour(2, 12))[4] == (
        "Newest hour",
        "21:00\u201322:00",
        "JST, 2026-03-02",
    )


@pytest.mark.usefixtures("shop")
def test_a_download_has_the_exact_values(settings: Settings) -> None:
    assert content(settings, "sales").exact.to_csv().splitlines() == [
        "hour_utc,revenue,purchases,average_order_value,units,events",
        "2026-03-02T12:00:00Z,66.67,1,66.67,1,50",
        "2026-03-02T09:00:00Z,33.33,2,16.67,3,40",
        "2026-03-01T23:00:00Z,0.00,0,,0,30",
        "2026-03-01T13:00:00Z,0.20,1,0.20,2,20",
    ]
    assert content(settings, "products").exact.to_csv().splitlines()[2] == f"2,{SCRIPT},p1 \u00b7 home,33.33,2,3"


def test_many_entries_are_listed_though_few_are_drawn(settings: Settings, append: Append) -> None:
    who = {"product_name": "lamp", "category": "home"}
    rows = [
        {"window": "24h", "rank": n, "product_id": f"p{n}", **who} | sales(1, 1, f"{99 - n}.99") for n in range(1, 13)
    ]
    append(GOLD_TOP_PRODUCTS, rows)
    shown = content(settings, "products")
    assert len(bars(shown)["x"]) == 10
    assert len(shown.exact.rows) == 12
    assert shown.note == "The first 10 products by revenue; 12 are listed below."


def test_windows_and_length_are_those_of_golds_own_lists() -> None:
    from shoplake_assets.transforms import gold

    assert (WINDOWS, LIST_LENGTH) == (gold.WINDOWS, gold.LIST_LENGTH)


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
