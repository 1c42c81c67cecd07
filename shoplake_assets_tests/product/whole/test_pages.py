"""The three pages of the dashboard in a real browser, over a lake that runs."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from confluent_kafka import Producer
from playwright.sync_api import Browser, Page, expect, sync_playwright

from shoplake_assets_tests.browsers import ARGUMENTS, find_browser
from shoplake_assets_tests.product.conftest import Product

pytestmark = [pytest.mark.spark, pytest.mark.product]

HOSTILE = "<script>window.taken=1</script><img src=x onerror='window.taken=1'>"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
PAGES = ("/", "/insights?window=all", "/health")
PATIENCE_MS = 60_000
# A refresh may be under way when an event arrives, and the next one takes it on.
REFRESH_MS = 180_000

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def status(drained: Product) -> dict[str, Any]:
    """What `shoplake status` tells before a page has been opened."""
    return drained.json("status")


@pytest.fixture
def open_page(browser: Browser, status: dict[str, Any]) -> Iterator[Open]:
    """Opens a page of the dashboard, and fails the test if the browser's console had anything to complain of."""
    complaints: list[str] = []
    address = status["urls"]["dashboard"]
    contexts = []

    def open_(path: str, *, size: dict[str, int] = DESK, scheme: str = "light", zone: str = "UTC") -> Page:
        context = browser.new_context(viewport=size, color_scheme=scheme, timezone_id=zone)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}{path}")
        page.wait_for_selector("dl.tiles dd.value")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def tiles(page: Page) -> dict[str, str]:
    """The key figures of a page, by their labels."""
    labels, values = page.locator("dl.tiles dt"), page.locator("dl.tiles dd.value")
    return dict(zip(labels.all_inner_texts(), values.all_inner_texts(), strict=True))


def rows(page: Page, panel: str) -> list[list[str]]:
    """The exact values of a panel."""
    page.locator(f"#{panel} summary").click()
    return [row.locator("td").all_inner_texts() for row in page.locator(f"#{panel} tbody tr").all()]


def dollars(amount: Decimal) -> str:
    return f"${amount:,}"


def test_the_numbers_of_batch_insights_are_golds_to_the_cent(open_page: Open, drained: Product) -> None:
    hours = drained.read("gold.hourly_sales")
    page = open_page("/insights?window=all")
    shown = tiles(page)
    assert shown["Revenue"] == dollars(sum((row["revenue"] for row in hours), Decimal(0)))
    assert shown["Purchases"] == f"{sum(row['purchases'] for row in hours):,}"
    assert shown["Events"] == f"{sum(row['events'] for row in hours):,}"
    assert shown["Buyers"] == f"{len({row['user_id'] for row in drained.read('gold.user_hourly')}):,}"

    by_hour = sorted(hours, key=lambda row: row["event_hour"], reverse=True)
    assert [row[1] for row in rows(page, "sales")] == [dollars(row["revenue"]) for row in by_hour]
    for panel, table, name in (
        ("products", "gold.top_products", "product_name"),
        ("users", "gold.top_users", "user_id"),
    ):
        best = sorted((row for row in drained.read(table) if row["window"] == "all"), key=lambda row: row["rank"])
        assert [(row[1], row[-3]) for row in rows(page, panel)] == [
            (row[name] or row["product_id"], dollars(row["revenue"])) for row in best
        ]
    categories: dict[str, Decimal] = {}
    for row in drained.read("gold.category_sales"):
        if row["purchases"]:
            categories[row["category"]] = categories.get(row["category"], Decimal(0)) + row["revenue"]
    assert {row[1]: row[2] for row in rows(page, "categories")} == {
        name: dollars(revenue) for name, revenue in categories.items()
    }
    funnel = drained.read("gold.hourly_funnel")
    assert [row[1] for row in rows(page, "funnel")] == [
        f"{sum(row[stage] for row in funnel):,}" for stage in ("viewed", "added", "purchased")
    ]


def test_what_is_chosen_is_in_the_url_and_comes_back_with_it(
    open_page: Open, status: dict[str, Any], drained: Product
) -> None:
    page, address = open_page("/insights"), f"{status['urls']['dashboard']}/insights"
    category = page.get_by_role("combobox", name="Category")
    category.fill("toys")
    category.press("Enter")
    expect(page).to_have_url(f"{address}?window=24h&category=toys")
    page.get_by_label("From").fill("2026-03-01")
    page.get_by_label("to", exact=True).fill("2026-03-01")
    expect(page).to_have_url(f"{address}?from=2026-03-01&to=2026-03-01&category=toys")
    toys = [row for row in drained.read("gold.category_sales") if row["category"] == "toys"]
    revenue = dollars(sum((row["revenue"] for row in toys if str(row["event_date"]) == "2026-03-01"), Decimal(0)))
    expect(page.locator("dl.tiles dd.value").first).to_have_text(revenue)
    again = open_page("/insights?from=2026-03-01&to=2026-03-01&category=toys")
    expect(again.get_by_role("combobox", name="Category")).to_have_value("toys")
    expect(again.get_by_label("From")).to_have_value("2026-03-01")
    expect(again.locator("dl.tiles dd.value").first).to_have_text(revenue)

    with again.expect_download() as downloading:
        again.locator("#categories-download").click()
    lines = downloading.value.path().read_text().splitlines()
    assert lines[0] == "rank,category,revenue,purchases,units"
    assert f"toys,{revenue.removeprefix('$').replace(',', '')}," in "\n".join(lines)


def test_data_health_shows_what_status_tells(open_page: Open, status: dict[str, Any]) -> None:
    page = open_page("/health")
    cells = [row.locator("td").all_inner_texts() for row in page.locator("#health-tables tbody tr").all()]
    told = {name: f"{table['rows']:,}" for name, table in status["tables"].items()}
    assert {row[0]: row[1] for row in cells} == told
    assert {row[3] for row in cells} == {"0"}
    expect(page.locator("#health-checks")).to_contain_text("No check fails.")
    link = page.locator("#health-tables a", has_text="silver.events")
    expect(link).to_have_attribute("href", f"{status['urls']['webserver']}/assets/silver/events")
    expect(page.locator("#health-processes tbody tr", has_text="running")).to_have_count(len(status["processes"]))


def test_live_changes_by_itself_and_what_an_event_says_is_never_markup(
    open_page: Open, status: dict[str, Any], drained: Product
) -> None:
    live, health = open_page("/"), open_page("/health")
    expect(live.locator("#live-pulse")).to_contain_text("ACTIVE")
    expect(live.locator("#live-newest tbody tr")).to_have_count(12)
    before = live.locator("#live-newest").inner_text()

    sold = event(event_type="purchase", product_name=HOSTILE, category=HOSTILE, price=1234567.89)
    quiet = event(event_time="2026-02-20T10:00:00Z", event_type="view_item", product_name="quiet", price=1)
    send(status["kafka"], sold, quiet, {"event_id": HOSTILE})
    expect(live.locator("#live-newest")).to_contain_text(HOSTILE, timeout=REFRESH_MS)
    assert live.locator("#live-newest").inner_text() != before
    # The parts of a page are drawn one after the other.
    expect(live.locator("#live-tiles")).to_contain_text("$1,234,567.89")
    assert tiles(live)["Revenue of the running hour"] == "$1,234,567.89"
    expect(live.locator("#live-products")).to_contain_text("<script>window.taken=1")

    health.locator("#health-quarantine summary", has_text="event_type is missing").click()
    expect(health.locator("#health-quarantine details[open]")).to_contain_text(HOSTILE, timeout=REFRESH_MS)
    drained.run("drain")
    insights = open_page("/insights?window=24h")
    expect(insights.locator("#products")).to_contain_text("<script>window.taken=1")
    for page in (live, health, insights):
        assert page.evaluate("window.taken === undefined && !document.querySelector('#content :is(script, img)')")


def test_an_empty_chart_says_why(open_page: Open) -> None:
    page = open_page("/insights?from=2026-02-20&to=2026-02-20")
    for panel in ("sales", "categories", "products", "users"):
        expect(page.locator(f"#{panel}-note")).to_have_text("1 event in this range, and it is no purchase.")
        assert page.locator(f"#{panel}-chart").is_hidden() == (panel != "sales")
    expect(open_page("/insights?from=2026-02-01&to=2026-02-02").locator("#sales-note")).to_have_text(
        "No event in this range."
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_a_serious_accessibility_violation(open_page: Open, path: str, scheme: str) -> None:
    page = open_page(path, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone_and_can_be_walked_with_the_keyboard(open_page: Open, path: str) -> None:
    page = open_page(path, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    for name in ("Live", "Batch Insights (Gold Layer)", "Data health"):
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text(name)


def test_times_are_the_viewers(open_page: Open) -> None:
    page = open_page("/insights?from=2026-03-01&to=2026-03-01", zone="Asia/Tokyo")
    times = [row[0] for row in rows(page, "sales")]
    assert times[-1] == "2026-03-01 09:00\u201310:00 JST"


def event(**fields: Any) -> dict[str, Any]:
    """An event of a shopper, now unless a field says otherwise."""
    now = datetime.now(UTC).isoformat()
    who = {"user_id": "u-hostile", "session_id": "s-hostile", "product_id": "p-hostile"}
    return {"event_id": str(uuid4()), "event_time": now, **who, "quantity": 1, **fields}


def send(kafka: dict[str, str], *events: dict[str, Any]) -> None:
    """Send the events to the product's topic."""
    producer = Producer({"bootstrap.servers": kafka["bootstrap"], "acks": "all"})
    for one in events:
        producer.produce(kafka["topic"], json.dumps(one).encode())
    assert producer.flush(60) == 0
