"""Whether Shoplake has become slower, compared with itself and with a peer on the same machine; never with a clock.

Belongs here: bounds on ratios that nothing but a regression breaks. Does not belong here: figures to be proud of, which
`docs/BENCHMARKS.md` has.
"""

import os
from pathlib import Path
from statistics import median

import pytest

from shoplake_assets.runtime.supervision import process_states
from shoplake_assets.settings import Settings
from shoplake_assets_tests.benchmarks.drain import figures, fill, to_bronze
from shoplake_assets_tests.benchmarks.grown_lake import Grown, opened
from shoplake_assets_tests.benchmarks.metering import metered
from shoplake_assets_tests.benchmarks.peers.contenders import python_peers, run
from shoplake_assets_tests.embedded import broker_and_spark

pytestmark = pytest.mark.spark

# So few events find a JVM that is cold for most of the time; warm it is well above 1.
_LEAST_OF_THE_LOOPS_RATE = 0.6
# All of Silver and Gold made anew would be 5.
_MOST_TIMES_THE_SMALL_LAKES_COST = 1.5
_SMALL, _LARGE, _INCREMENT = 1_000_000, 5_000_000, 100_000


def test_the_ingest_keeps_up_with_a_loop_in_python(tmp_path: Path) -> None:
    with broker_and_spark(tmp_path) as settings:
        topic = fill(settings, events=1_000_000)
        loop = next(peer for peer in python_peers(topic) if peer.commits)
        ours = figures(to_bronze(settings, topic))
        theirs = figures(run(loop, topic, folder=tmp_path / "loop"))
    assert ours["events_per_second"] > _LEAST_OF_THE_LOOPS_RATE * theirs["events_per_second"]


def test_a_refresh_costs_no_more_in_a_lake_of_five_times_the_events(stack: Settings) -> None:
    with opened(stack) as grown:
        grown.grow(to=_SMALL)
        small = _cost(grown)
        grown.grow(to=_LARGE)
        large = _cost(grown)
    assert large < _MOST_TIMES_THE_SMALL_LAKES_COST * small


def _cost(grown: Grown) -> float:
    """CPU seconds of a refresh of new events, the median of three."""
    costs = []
    spark = process_states(grown.settings)["spark"].pid or 0
    for _ in range(3):
        grown.add(_INCREMENT)
        with metered(grown.settings.home / "warehouse", {"spark": spark, "client": os.getpid()}) as (cost, _processes):
            grown.refresh()
        costs.append(cost.cpu)
    return median(costs)
