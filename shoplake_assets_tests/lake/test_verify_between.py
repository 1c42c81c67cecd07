"""`verify` between two refreshes: what the next one finishes is no damage, and damage is still found."""

from functools import partial

import pytest

from shoplake_assets.lake.limits import Acceptance
from shoplake_assets.lake.verify import full as full_verification
from shoplake_assets.lake.verify.pinned import pin
from shoplake_assets.tables import SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.building import Shop, crash_before_publishing, event
from shoplake_assets_tests.lake.test_rebuild import another_version
from shoplake_assets_tests.lake.test_way_on import LONG, names_of_any_length
from shoplake_assets_tests.lake.verifying import delete, double, full, quick, unproven, wrong

pytestmark = pytest.mark.spark

HALF = "a {} has reached only one of Silver and the quarantine; a refresh finishes it"
ANYTHING = Acceptance(because="a test", share=1)


@pytest.fixture
def waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A lake with a record that only another contract takes, and with repeats."""
    monkeypatch.setattr(full_verification, "pin", partial(pin, patience_seconds=0))
    shop.produce(event(event_id="a"), event(event_id="long", product_name=LONG), event(event_id="a"), b"rubbish")
    shop.refresh(acceptance=ANYTHING)
    return shop


def test_an_interrupted_replay_is_no_record_in_both_tables(waiting: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with names_of_any_length(monkeypatch):
        with crash_before_publishing(SILVER_QUARANTINE):
            waiting.replay()
        found = full(waiting, kafka=None)
        assert wrong(found) == wrong(quick(waiting, kafka=None)) == {}
        says = HALF.format("replay")
        assert {key for key, why in unproven(found).items() if why == says} == {
            (SILVER_QUARANTINE, "order"),
            (SILVER_EVENTS, "places"),
            (SILVER_QUARANTINE, "places"),
            (SILVER_EVENTS, "duplicates"),
        }
        assert unproven(quick(waiting, kafka=None))[SILVER_EVENTS, "fates"] == says
        double(waiting, SILVER_EVENTS, "event_id = 'a'")
        assert set(wrong(full(waiting, kafka=None))) == {(SILVER_EVENTS, "places"), (SILVER_EVENTS, "event_id")}


def test_a_rebuild_that_has_reached_the_quarantine_alone_has_lost_nothing(
    waiting: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    another_version(monkeypatch)
    with names_of_any_length(monkeypatch):
        with crash_before_publishing(SILVER_EVENTS):
            waiting.refresh(acceptance=ANYTHING)
        found = full(waiting, kafka=None)
        assert wrong(found) == wrong(quick(waiting, kafka=None)) == {}
        assert unproven(found)[SILVER_EVENTS, "duplicates"] == HALF.format("rebuild")
        waiting.refresh(acceptance=ANYTHING)
        assert set(unproven(full(waiting, kafka=None)).values()) == {
            "Kafka does not answer, so Bronze is not compared with it"
        }


def test_where_a_rebuild_is_due_no_repeat_is_called_lost(waiting: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    another_version(monkeypatch)
    delete(waiting, SILVER_EVENTS, "event_id = 'a'")
    found = full(waiting, kafka=None)
    due = "a rebuild is due: made by version 2, the code is next"
    assert wrong(found) == {}
    assert unproven(found)[SILVER_EVENTS, "duplicates"] == unproven(found)[SILVER_EVENTS, "contents"] == due


def test_a_first_refresh_that_was_interrupted_is_no_rebuild(shop: Shop) -> None:
    shop.produce(event(event_id="a"), b"rubbish")
    with crash_before_publishing(SILVER_EVENTS):
        shop.refresh_silver(acceptance=ANYTHING)
    found = full(shop, kafka=None)
    assert wrong(found) == {}
    assert {table for table, _ in unproven(found)} == {"bronze.events"}
