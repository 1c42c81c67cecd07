"""What a limit lets pass, what it says, and what somebody may accept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shoplake_assets.contracts.contract import table_of
from shoplake_assets.contracts.limits import Limit, Volume
from shoplake_assets.contracts.silver import SilverEvents
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.limits import (
    Acceptance,
    Share,
    acceptance_entry,
    check_limit,
    check_volume,
    is_exceeded,
    rate_of,
    recent_rates,
)
from shoplake_assets.lake.payloads import shortened
from shoplake_assets.lake.snapshots import NEWEST_RECORD, RECORDS
from shoplake_assets.settings import Settings
from shoplake_assets.tables import SILVER_EVENTS

LIMIT = Limit(
    name="broken_share",
    odd="broken",
    among="true",
    most=0.05,
    at_least=20,
    blocks=True,
    what="lamps are broken",
    meaning="The truck had an accident.",
)
WARNING = replace(LIMIT, blocks=False)
ACCEPTANCE = Acceptance(because="they are cheap", share=0.25)


def _found() -> tuple[Mapping[str, int], Sequence[Mapping[str, str]]]:
    return {"it is broken": 200}, [{"lamp": "7"}]


def _unwanted() -> tuple[Mapping[str, int], Sequence[Mapping[str, str]]]:
    raise AssertionError("nobody looks for examples of what is well")


@pytest.mark.parametrize(
    ("odd", "among", "exceeded"),
    [(0, 0, False), (19, 19, False), (20, 400, False), (21, 400, True), (20, 20, True), (50_000, 1_000_000, False)],
)
def test_a_limit_is_exceeded_by_share_and_by_number(odd: int, among: int, *, exceeded: bool) -> None:
    assert is_exceeded(LIMIT, Share(odd=odd, among=among)) is exceeded


def test_what_exceeds_a_blocking_limit_says_what_it_means_and_what_can_be_done() -> None:
    check = check_limit(LIMIT, Share(odd=200, among=1_000), table="shop.lamps", acceptance=None, found=_found)
    assert not check.passed
    assert check.blocks
    assert check.says == (
        "200 of 1,000 lamps are broken (20.0%; the limit is 5%). The truck had an accident. Mend the producer or the "
        "contract, or let it through with 'shoplake quarantine accept'; 'shoplake quarantine list' shows all of them."
    )
    assert check.broken == {"it is broken": 200}
    assert check.examples == [{"lamp": "7"}]


def test_what_exceeds_a_warning_does_not_block_and_cannot_be_accepted() -> None:
    check = check_limit(WARNING, Share(odd=200, among=1_000), table="shop.lamps", acceptance=ACCEPTANCE, found=_found)
    assert (check.passed, check.blocks) == (False, False)
    assert "quarantine" not in check.says


def test_what_is_accepted_passes_and_says_why() -> None:
    check = check_limit(LIMIT, Share(odd=200, among=1_000), table="shop.lamps", acceptance=ACCEPTANCE, found=_unwanted)
    assert check.passed
    assert check.says == "200 of 1,000 lamps are broken (20.0%; the limit is 5%), accepted: they are cheap"
    entry = acceptance_entry(ACCEPTANCE, {LIMIT: Share(odd=200, among=1_000)}, run="abcd1234")
    assert json.loads(entry or "") == {"because": "they are cheap", "odd": 200, "among": 1_000, "run": "abcd1234"}


def test_more_than_was_accepted_still_blocks() -> None:
    share = Share(odd=251, among=1_000)
    assert not check_limit(LIMIT, share, table="shop.lamps", acceptance=ACCEPTANCE, found=_found).passed


def test_an_acceptance_that_was_not_needed_leaves_no_trace() -> None:
    assert acceptance_entry(ACCEPTANCE, {LIMIT: Share(odd=1, among=1_000)}, run="abcd1234") is None
    assert acceptance_entry(None, {LIMIT: Share(odd=200, among=1_000)}, run="abcd1234") is None


@pytest.mark.parametrize(
    ("rate", "passed"), [(10.0, True), (40.0, True), (41.0, False), (2.5, True), (2.4, False), (0.0, False)]
)
def test_a_rate_is_compared_with_the_median_of_earlier_ones(rate: float, *, passed: bool) -> None:
    check = check_volume(Volume(factor=4), rate, table="shop.lamps", usual=[1, 10, 10, 10, 900])
    assert (check.passed, check.blocks) == (passed, False)


def test_nothing_is_usual_after_a_few_refreshes() -> None:
    check = check_volume(Volume(at_least=5), 1_000_000, table="shop.lamps", usual=[1, 1, 1, 1])
    assert check.passed
    assert check.says == "1,000,000.0 records a second; 4 earlier refreshes are too few to know what is usual"


def test_records_of_one_instant_count_as_those_of_a_second() -> None:
    assert (rate_of(30, seconds=0), rate_of(30, seconds=60), rate_of(0, seconds=5)) == (30.0, 0.5, 0.0)


def test_silver_limits_the_quarantine_and_watches_the_rest() -> None:
    limits = {limit.name: (limit.blocks, limit.most, limit.at_least) for limit in table_of(SilverEvents).limits}
    assert limits == {
        "quarantine_share": (True, 0.05, 20),
        "late_share": (False, 0.2, 20),
        "price_defaulted_share": (False, 0.1, 20),
        "category_unknown_share": (False, 0.6, 20),
        "conflicts": (False, 0.0, 1),
    }


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (None, "(none)"),
        (b"", ""),
        ('{"name": "灯 \U0001f4a1"}'.encode(), '{"name": "灯 \U0001f4a1"}'),
        (b"\xff\xfe{", r"\xff\xfe{"),
        (b"a\0b\x1b[31mred\r\n", r"a\x00b\x1b[31mred\r\n"),
        ("\u202etxt.exe".encode(), r"\u202etxt.exe"),
        (b"x" * 200, "x" * 200),
        (b"x" * 201, "x" * 199 + "\N{HORIZONTAL ELLIPSIS}"),
        (b"\0" * 200, r"\x00" * 49 + r"\x0" + "\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_a_payload_is_shown_in_one_short_and_harmless_line(payload: bytes | None, shown: str) -> None:
    assert shortened(payload) == shown


def test_rates_come_from_the_summaries_of_refreshes_and_of_nothing_else(own_lake: Settings) -> None:
    table = open_catalog(own_lake).load_table(SILVER_EVENTS)
    nothing = table.schema().as_arrow().empty_table()

    def commit(second: int, *, records: int | None) -> None:
        summary = {NEWEST_RECORD: datetime(2026, 3, 1, 10, 0, second, tzinfo=UTC).isoformat()}
        table.append(nothing, snapshot_properties=summary | ({} if records is None else {RECORDS: str(records)}))

    assert recent_rates(table, refreshes=3) == []
    commit(0, records=7)
    assert recent_rates(table, refreshes=3) == []
    commit(10, records=100)
    commit(10, records=None)  # a replay
    table.append(nothing)  # maintenance
    commit(30, records=100)
    commit(30, records=4)
    assert recent_rates(table, refreshes=3) == [4.0, 5.0, 10.0]
    assert recent_rates(table, refreshes=1) == [4.0]
