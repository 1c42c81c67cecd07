"""Planning does not grow with the lake: told by what is opened of its metadata.

The lakes exist in metadata alone. What bounds the time that planning takes is so asserted without a clock.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.snapshots import since
from shoplake_assets.settings import Settings
from shoplake_assets.tables import BRONZE_EVENTS
from shoplake_assets_tests.benchmarks.made_up_lake import MadeUpLake
from shoplake_assets_tests.benchmarks.opened import watched
from shoplake_assets_tests.benchmarks.planning import STEPS

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

BOUNDED = {
    "increment of Silver": (3, 3),
    "hours of Gold": (1, 1),
    "status of all tables": (3, 3),
    "offsets of new commits": (20, 20),
    "snapshots to expire": (0, 0),
}
"""Manifests, and lists of manifests, that a step opens: those of the commits that it is about."""


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Catalog, Catalog]":
    """Two lakes with the same last hour, one with 2,000 older files and one with 20,000."""
    found = []
    for files in (2_000, 20_000):
        settings = Settings(home=tmp_path_factory.mktemp(f"files{files}") / "home")
        MadeUpLake(settings, files, entries=500).make()
        found.append(open_catalog(settings))
    return found[0], found[1]


@pytest.mark.parametrize("step", BOUNDED)
def test_a_plan_opens_the_lists_of_what_is_new_however_many_files_there_are(
    lakes: "tuple[Catalog, Catalog]", step: str
) -> None:
    for catalog in lakes:
        with watched() as opened:
            STEPS[step](catalog)
        assert (len(opened.manifests), len(opened.manifest_lists)) == BOUNDED[step]


def test_maintenance_opens_no_list_of_an_hour_to_which_nothing_came(lakes: "tuple[Catalog, Catalog]") -> None:
    counts = []
    for catalog in lakes:
        with watched() as opened:
            STEPS["hours to compact"](catalog)
        counts.append(len(opened.manifests))
        assert Counter(opened.manifests)["made-up-000001-m0.avro"] == 0  # which holds the oldest hours
    assert counts[0] == counts[1]


def test_ancestors_are_not_looked_for_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path / "home")
    MadeUpLake(settings, 100).make()
    bronze = open_catalog(settings).load_table(BRONZE_EVENTS)
    looked: list[int] = []
    monkeypatch.setattr(type(bronze.metadata), "snapshot_by_id", lambda _, number: looked.append(number))
    assert len(since(bronze, after=None)) == 361
    assert not looked
