"""The faults that tell the most, once each, on one product under traffic.

`python -m shoplake_assets_tests.faults` does all of them, and a hundred kills.
How long a recovery takes is not asserted here, since machines differ; that it comes, and what became of each event, is.
"""

from collections.abc import Iterator

import pytest

from shoplake_assets_tests.faults.campaign import Campaign
from shoplake_assets_tests.faults.faults import catalog_locked, catalogue
from shoplake_assets_tests.faults.ground import Ground, product_under_traffic
from shoplake_assets_tests.faults.recovery import settle

pytestmark = [pytest.mark.spark, pytest.mark.product, pytest.mark.faults]

TELLING = (
    "kill ingest JVM",
    "kill kafka",
    "kill spark",
    "kill refresh, written and not published",
    "kill code server with its run",
    "last epoch replayed",
)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A product under 100 events a second, so that a slow machine has time for both: these and the recovery."""
    with product_under_traffic(tmp_path_factory.mktemp("faults"), rate=100) as ground:
        settle(ground)
        yield ground


@pytest.mark.timeout(2700)
def test_whatever_is_killed_comes_back_and_every_event_is_there_once(ground: Ground) -> None:
    campaign = Campaign(ground, patience=600)
    for fault in (*(catalogue()[name] for name in TELLING), catalog_locked(seconds=5)):
        done = campaign.strike(fault)
        assert done.recovery.gold is not None, f"after {done.fault} the product did not come back"
        assert done.harmless, done
    whole, wrong = campaign.finish()
    assert (whole.lost, whole.doubled, wrong) == (0, 0, [])
    assert whole.rows["bronze.events"] == whole.produced
