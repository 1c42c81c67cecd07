"""`python -m shoplake_assets_tests.upgrade.make`: keep a lake of this release, for the next one to be tested with.

Belongs here: starting the broker, Spark and the ingest of this release, and keeping what they have made. Does not
belong here: what happens in that lake (`life`).

It is run once for each release, from the commit that is released, and what it writes is committed with the next one.
An archive that is there stays: no later code may touch what an earlier one has made.
"""

import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession  # noqa: TID253  it works with Spark

from shoplake_assets.events.topic import beginning_offsets, end_offsets, ensure_topic
from shoplake_assets.ingest.checkpoint import first_offsets
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets_tests.building import Shop
from shoplake_assets_tests.embedded import broker_and_spark
from shoplake_assets_tests.upgrade.kept import FOLDER, Kept, at_its_place, forget_what_runs, pack
from shoplake_assets_tests.upgrade.life import PARTITIONS, live, published, refreshed

# What a user may have set, of each kind of value; ports are chosen anew wherever the lake is opened.
SETTINGS: dict[str, dict[str, Any]] = {
    "kafka": {"partitions": PARTITIONS},
    "ingest": {"trigger_seconds": 5.0},
    "dagster": {"export_cron": "0 * * * *"},
    "maintenance": {"history_hours": 48.0},
    "generator": {"enabled": False},
}


def make(archive: Path) -> None:
    """Make a lake, and keep it."""
    with tempfile.TemporaryDirectory(prefix="shoplake-upgrade-") as folder, at_its_place(Path(folder)) as home:
        home.mkdir()
        (home / "settings.json").write_text(json.dumps(SETTINGS))
        with broker_and_spark(FOLDER) as settings:
            prepare_lake(settings)
            topic_id = ensure_topic(settings).id
            spark = SparkSession.builder.remote(settings.spark_remote).getOrCreate()
            account = live(settings, Shop(Lake(open_catalog(settings), spark)))
            spark.stop()
            kept = Kept(
                release=version("shoplake"),
                topic_id=topic_id,
                kafka={"begin": _by_name(beginning_offsets(settings)), "end": _by_name(end_offsets(settings))},
                first_offsets=_by_name(first_offsets(settings, topic_id) or {}),
                gaps=account.gaps,
                settings=SETTINGS,
                bronze=len(account.in_gold) + len(account.in_silver) + len(account.waiting),
                published=published(account),
                refreshed=refreshed(account),
            )
        _put_in_one_file(home / "catalog.db")
        forget_what_runs(home)
        (home / "settings.json").write_text(json.dumps(SETTINGS))
        pack(home, kept, archive)


def _by_name(offsets: dict[int, int]) -> dict[str, int]:
    """As JSON has it, whose names are texts."""
    return {str(partition): offset for partition, offset in sorted(offsets.items())}


def _put_in_one_file(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def main() -> int:
    """Make the archive of the release that is installed, unless it is there."""
    archive = Path(__file__).parent / f"lake-{version('shoplake')}.tar.zst"
    if archive.exists():
        print(f"{archive} is there already and stays.", file=sys.stderr)  # noqa: T201  for the person who runs it
        return 1
    make(archive)
    print(f"{archive}: {archive.stat().st_size:,} bytes")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
