"""`verify` where rows cannot be read: what is damaged is named, and all else is proven."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from pyspark.errors import PySparkException  # noqa: TID253  every test here holds a session

from shoplake_assets.lake.lake import Lake
from shoplake_assets.lake.session import close_session
from shoplake_assets.lake.snapshots import live_files
from shoplake_assets.lake.verify import full as full_verification
from shoplake_assets.lake.verify.pinned import Pinned, pin
from shoplake_assets.lake.verify.records import count_records, prove_offsets
from shoplake_assets.settings import Settings
from shoplake_assets.tables import (
    BRONZE_EVENTS,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    SILVER_EVENTS,
    SILVER_QUARANTINE,
)
from shoplake_assets_tests.building import TOPIC_ID, Shop, event
from shoplake_assets_tests.lake.verifying import delete, full, unproven, wrong

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def data_file(shop: Shop, table: str) -> Path:
    opened = shop.lake.table(table)
    snapshot = opened.current_snapshot()
    assert snapshot is not None
    return Path(urlsplit(next(live_files(opened, snapshot)).file_path).path)


def test_a_file_that_is_gone_or_truncated_is_named_and_the_other_proofs_are_made(shop: Shop) -> None:
    shop.produce(event(event_id="a"))
    shop.refresh()
    file = data_file(shop, GOLD_HOURLY_SALES)
    file.write_bytes(file.read_bytes()[:40])
    found = wrong(full(shop))
    assert set(found) == {(GOLD_HOURLY_SALES, "figures")}
    (says,) = found[GOLD_HOURLY_SALES, "figures"]
    assert says.startswith(f"{GOLD_HOURLY_SALES} cannot be read: ")
    assert "\n" not in says

    data_file(shop, SILVER_EVENTS).unlink()
    found = wrong(full(shop))
    assert {(table, "rows") for table in (BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE)} < set(found)
    assert found[SILVER_EVENTS, "rows"][0].startswith(f"{SILVER_EVENTS} cannot be read: ")
    assert found[GOLD_HOURLY_FUNNEL, "figures"][0].startswith(f"{SILVER_EVENTS} cannot be read: ")


def test_a_snapshot_that_expires_meanwhile_is_no_damage(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.produce(event(event_id="a"))
    shop.refresh()

    def pin_and_expire(*args: object, **kwargs: object) -> Pinned:
        pinned = pin(*args, **kwargs)  # type: ignore[arg-type]
        table = shop.lake.table(GOLD_HOURLY_SALES)
        table.append(table.schema().as_arrow().empty_table())
        table.maintenance.expire_snapshots().by_id(pinned.snapshots[GOLD_HOURLY_SALES] or 0).commit()
        return pinned

    monkeypatch.setattr(full_verification, "pin", pin_and_expire)
    found = full(shop)
    assert wrong(found) == {}
    assert unproven(found) == {
        (GOLD_HOURLY_SALES, "figures"): f"a snapshot of {GOLD_HOURLY_SALES} expired while it was read: verify took "
        "longer than SHOPLAKE_MAINTENANCE__SNAPSHOT_MINUTES"
    }


def test_a_spark_that_is_gone_says_nothing_about_the_lake(
    shop: Shop, settings: Settings, spark: "SparkSession"
) -> None:
    shop.produce(event(event_id="a"))
    session = type(spark).builder.remote(settings.spark_remote).create()
    session.range(1).collect()
    session.client.release_session()
    session.release_session_on_close = False  # it is released already
    with pytest.raises(PySparkException, match="SESSION_CLOSED"):
        full(Shop(Lake(shop.lake.catalog, session)))
    close_session(session)


def test_of_more_than_a_thousand_holes_the_number_is_said(shop: Shop) -> None:
    shop.produce(*(event(event_id=f"e{number}") for number in range(2_205)))
    delete(shop, BRONZE_EVENTS, f"offset IN ({', '.join(str(offset) for offset in range(1, 2_204, 2))})")
    proof = prove_offsets(count_records(shop.lake, pin(shop.lake.catalog, kafka=lambda: None)))
    here = f"partition 0 of topic {TOPIC_ID}: offset"
    assert proof.findings == (
        "1,102 offsets missing",
        *(f"{here} {offset} missing" for offset in (1, 3, 5, 7, 9)),
        "... and 1,097 offsets more",
    )
