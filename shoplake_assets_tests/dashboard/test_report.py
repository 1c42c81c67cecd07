"""The sales report: the same figures as the page, in one file that needs nothing else."""

import re
from datetime import UTC, datetime

import pytest

from shoplake_assets.dashboard.data import LakeReader
from shoplake_assets.dashboard.report import report
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import GOLD_TOP_PRODUCTS
from shoplake_assets_tests.dashboard.conftest import SCRIPT, Append, sales

MADE_AT = datetime(2026, 3, 2, 13, 0, 5, tzinfo=UTC)


def made(settings: Settings) -> str:
    return report(LakeReader(lambda: open_catalog(settings)).look(), currency="EUR", made_at=MADE_AT)


@pytest.mark.usefixtures("shop")
def test_the_report_shows_golds_figures_and_loads_nothing(settings: Settings) -> None:
    text = made(settings)
    assert '<dt>Revenue</dt><dd class="value">\u20ac1,100.30</dd>' in text
    assert "Made 2026-03-02 13:00:05 UTC" in text
    assert "partition 0 to offset 1,500" in text
    assert text.count("<section>") == text.count("</section>") == 5
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", text)


def test_a_script_in_a_name_stays_text(settings: Settings, shop: Append) -> None:
    who = {"window": "7d", "rank": 1, "product_id": "p", "product_name": SCRIPT, "category": SCRIPT}
    shop(GOLD_TOP_PRODUCTS, [who | sales(1, 1, "9.99")])
    text = made(settings)
    assert SCRIPT not in text
    assert "&lt;script&gt;alert(&#39;lamp&#39;)&lt;/script&gt;" in text


def test_a_report_of_nothing_says_why(settings: Settings) -> None:
    assert "No event has reached Gold yet: the lake has no Gold tables so far." in made(settings)
