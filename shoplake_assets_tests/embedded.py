"""A real broker and a real Spark Connect server, and nothing else of a lake, for tests and benchmarks.

Belongs here: starting and stopping them. Does not belong here: what is done with them.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime import home, supervision
from shoplake_assets.runtime.ports import free_ports, lake_ports
from shoplake_assets.runtime.preparation import prepare
from shoplake_assets.runtime.settings_file import keep_settings
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL
from shoplake_assets_tests.waiting import wait_until


@contextmanager
def broker_and_spark(folder: Path) -> Iterator[Settings]:
    """Start both with a home in the folder, wait until they answer, and stop them at the end.

    Their ports are never the usual ones: they run for a whole session, beside tests of what has fixed ports.
    """
    lake = Settings(home=folder / "home")
    home.create_home(lake)
    keep_settings(lake, unusual_ports(lake))
    settings = Settings(home=lake.home)
    specs = [spec for spec in prepare(settings, generator=False) if spec.name in ("kafka", "spark")]
    supervision.start(settings, specs)
    try:
        wait_until(
            lambda: all(state.state == "running" for state in supervision.process_states(settings).values()),
            what="broker and Spark run",
        )
        yield settings
    finally:
        supervision.stop(settings)


def unusual_ports(settings: Settings) -> dict[str, dict[str, int]]:
    """Free ports for all servers of a lake, other than the usual: another lake must not be taken for this one."""
    served = list(lake_ports(settings))
    sections: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for port, number in zip(served, free_ports(len(served)), strict=True):
        sections[port.section][port.name] = number
    return sections


def empty_lake(settings: Settings) -> None:
    """Make all tables anew, without a row."""
    catalog = open_catalog(settings)
    for name in ALL:
        if catalog.table_exists(name):
            catalog.drop_table(name)
    prepare_lake(settings)
