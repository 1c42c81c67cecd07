"""A lake that is moved is the same lake in another place, and an attempt that ends early does no harm."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from fastavro import reader, writer

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.move.moving import Extent, Move
from shoplake_assets.lake.move.paths import Relocation
from shoplake_assets.lake.move.rewriting import rewrite_manifest
from shoplake_assets.lake.move.store import Store
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.outside import prepare_outside
from shoplake_assets.settings import Settings
from shoplake_assets.tables import ALL, BRONZE_EVENTS, BRONZE_GAPS, SILVER_QUARANTINE
from shoplake_assets_tests.cli.conftest import put, put_on_branch, record
from shoplake_assets_tests.lake.conftest import commit
from shoplake_assets_tests.lake.moved import Servers, servers

if TYPE_CHECKING:
    from pyiceberg.table import Table


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("outside")) as both:
        yield both


@pytest.fixture
def place(outside: Servers, own_lake: Settings) -> Settings:
    """Where the lake goes; its database and its bucket are there."""
    place = outside.place(own_lake)
    prepare_outside(place, seconds=10)
    return place


def move(lake: Settings, place: Settings) -> Move:
    warehouse = place.catalog.warehouse
    assert warehouse is not None
    return Move(old=open_catalog(lake), new=open_catalog(place), store=Store(place), warehouse=warehouse)


def moved(lake: Settings, place: Settings) -> Extent:
    whole = move(lake, place)
    whole.claim()
    whole.bring()
    whole.compare()
    return whole.extent


def tables(settings: Settings, name: str) -> "Table":
    return open_catalog(settings).load_table(name)


def offsets(settings: Settings, *, snapshot: int | None = None) -> list[int]:
    column = tables(settings, BRONZE_EVENTS).scan(snapshot_id=snapshot).to_arrow()["offset"]
    return sorted(column.to_pylist())


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_rows_history_branches_and_properties_are_the_same_in_the_new_place(
    own_lake: Settings, place: Settings, bronze: "Table"
) -> None:
    first, second = commit(bronze, range(3)), commit(bronze, range(3, 5), partition=1)
    quarantine = tables(own_lake, SILVER_QUARANTINE)
    put(quarantine, [record(1, "no session_id")])
    put_on_branch(quarantine, "audit_r1", record(2, "no price"))
    quarantine.manage_snapshots().create_tag(quarantine.current_snapshot().snapshot_id, "kept").commit()  # type: ignore[union-attr]
    before = files_of(own_lake.home / "warehouse")

    extent = moved(own_lake, place)

    assert extent.tables == 11
    assert (offsets(place), offsets(place, snapshot=first)) == ([0, 1, 2, 3, 4], [0, 1, 2])
    there = tables(place, BRONZE_EVENTS)
    assert [one.snapshot_id for one in there.metadata.snapshots] == [first, second]
    assert there.location() == f"{place.catalog.warehouse}/bronze/events"
    assert there.properties == tables(own_lake, BRONZE_EVENTS).properties
    there = tables(place, SILVER_QUARANTINE)
    assert set(there.refs()) == {"main", "audit_r1", "kept"}
    rows = there.scan().use_ref("audit_r1").to_arrow()["offset"].to_pylist()
    assert sorted(rows) == [1, 2]
    assert {name for name in ALL if tables(place, name).scan().to_arrow().num_rows} == {
        BRONZE_EVENTS,
        SILVER_QUARANTINE,
    }
    assert files_of(own_lake.home / "warehouse") == before


def test_both_spellings_of_a_location_are_understood_and_sizes_of_manifests_are_right(
    own_lake: Settings, place: Settings, bronze: "Table"
) -> None:
    commit(bronze, range(2))
    # As Iceberg's Java library writes it.
    java = bronze.metadata_location.replace("file:///", "file:/").replace("metadata.json", "java.metadata.json")
    text = Path(bronze.metadata_location.removeprefix("file://")).read_text()
    Path(java.removeprefix("file:")).write_text(text.replace('"manifest-list":"file:///', '"manifest-list":"file:/'))
    catalog = open_catalog(own_lake)
    catalog.drop_table(BRONZE_EVENTS)
    catalog.register_table(BRONZE_EVENTS, java)

    moved(own_lake, place)

    assert offsets(place) == [0, 1]
    there = tables(place, BRONZE_EVENTS)
    snapshot = there.current_snapshot()
    assert snapshot is not None
    for manifest in snapshot.manifests(there.io):
        with there.io.new_input(manifest.manifest_path).open() as content:
            assert manifest.manifest_length == len(content.read())


def test_a_data_file_whose_first_snapshot_has_expired_comes_along(
    own_lake: Settings, place: Settings, bronze: "Table"
) -> None:
    first = commit(bronze, range(3))
    commit(bronze, range(3, 4))
    bronze.maintenance.expire_snapshots().by_id(first).commit()
    moved(own_lake, place)
    assert offsets(place) == [0, 1, 2, 3]


def test_the_moved_lake_goes_on_where_it_was(own_lake: Settings, place: Settings, bronze: "Table") -> None:
    commit(bronze, range(2))
    moved(own_lake, place)
    assert prepare_lake(place) == []
    commit(tables(place, BRONZE_EVENTS), range(2, 4))
    assert (offsets(place), offsets(own_lake)) == ([0, 1, 2, 3], [0, 1])


@pytest.mark.parametrize("after", [0, 7])
def test_an_attempt_that_ends_early_leaves_no_table_behind_and_the_next_one_completes_it(
    own_lake: Settings, place: Settings, bronze: "Table", after: int
) -> None:
    for partition in range(4):
        commit(bronze, range(2), partition=partition)
    write, sends = Store.write, iter(range(100))

    def die(store: Store, location: str, content: bytes) -> None:
        if next(sends) == after + 1:  # the first is the note
            raise KeyboardInterrupt
        write(store, location, content)

    with patch.object(Store, "write", die), pytest.raises(KeyboardInterrupt):
        moved(own_lake, place)
    assert open_catalog(place).list_namespaces() == []
    assert offsets(own_lake) == [0, 0, 0, 0, 1, 1, 1, 1]

    sent: list[Path] = []
    send = Store._send

    def note(store: Store, location: str, path: Path) -> int:
        sent.append(path)
        return send(store, location, path)

    with patch.object(Store, "_send", note):
        moved(own_lake, place)
    assert not [path for path in sent if "/bronze/events/" in str(path)]
    assert offsets(place) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_lake_that_went_on_after_an_unfinished_move_is_moved_as_it_is_now(
    own_lake: Settings, place: Settings, bronze: "Table"
) -> None:
    commit(bronze, range(2))
    moved(own_lake, place)
    commit(bronze, range(2, 5))
    moved(own_lake, place)
    assert offsets(place) == [0, 1, 2, 3, 4]


def test_what_is_written_while_the_lake_is_moved_is_noticed(
    own_lake: Settings, place: Settings, bronze: "Table"
) -> None:
    whole = move(own_lake, place)
    whole.claim()
    whole.bring()
    commit(bronze, range(2))
    with pytest.raises(ShoplakeError, match=r"written to bronze\.events while it was moved"):
        whole.compare()


def test_a_file_that_has_not_arrived_whole_is_noticed(own_lake: Settings, place: Settings, bronze: "Table") -> None:
    commit(bronze, range(2))
    send = Store._send

    def cut(store: Store, location: str, path: Path) -> int:
        half = path.with_suffix(".half")
        half.write_bytes(path.read_bytes()[:-1])
        try:
            return send(store, location, half)
        finally:
            half.unlink()

    with patch.object(Store, "_send", cut), pytest.raises(ShoplakeError, match="have not arrived"):
        moved(own_lake, place)
    assert open_catalog(place).list_namespaces() == []


def test_the_tables_of_another_lake_are_not_touched(own_lake: Settings, place: Settings) -> None:
    prepare_lake(place)
    with pytest.raises(ShoplakeError, match=r"has a bronze\.events of another lake"):
        moved(own_lake, place)


def test_a_copy_that_has_been_written_to_is_not_replaced(own_lake: Settings, place: Settings, bronze: "Table") -> None:
    commit(bronze, range(2))
    moved(own_lake, place)
    commit(tables(place, BRONZE_EVENTS), range(2, 3))
    with pytest.raises(ShoplakeError, match=r"bronze\.events was moved there before and has been written to since"):
        moved(own_lake, place)
    assert offsets(place) == [0, 1, 2]


def test_files_of_somebody_else_are_not_mixed_with_the_lake_s(own_lake: Settings, place: Settings) -> None:
    Store(place).write(f"{place.catalog.warehouse}/report.csv", b"a,b\n")
    with pytest.raises(ShoplakeError, match=r"holds other files already, such as s3://lake-\d+/ware house/report\.csv"):
        moved(own_lake, place)


def test_a_file_outside_of_the_table_s_folder_is_a_reason_not_to_begin(
    own_lake: Settings, place: Settings, bronze: "Table", tmp_path: Path
) -> None:
    gaps = tables(own_lake, BRONZE_GAPS)
    schema = gaps.schema().as_arrow()
    loose = tmp_path / "loose.parquet"
    pa.parquet.write_table(schema.empty_table(), loose)
    gaps.add_files([str(loose)])
    with pytest.raises(ShoplakeError, match=r"bronze\.gaps has a file outside of its folder"):
        move(own_lake, place)


def test_deletions_that_were_made_by_hand_are_a_reason_not_to_begin(own_lake: Settings) -> None:
    quarantine = tables(own_lake, SILVER_QUARANTINE)
    put(quarantine, [record(1, "no session_id")])
    snapshot = quarantine.current_snapshot()
    assert snapshot is not None
    path = next(one.manifest_path for one in snapshot.manifests(quarantine.io) if one.added_rows_count)
    entries: Any = reader(io.BytesIO(Path(path.removeprefix("file://")).read_bytes()))
    deletions = io.BytesIO()
    changed = [{**entry, "data_file": {**entry["data_file"], "content": 1}} for entry in entries]
    writer(deletions, json.loads(entries.metadata["avro.schema"]), changed, metadata=entries.metadata)
    with pytest.raises(ShoplakeError, match="holds deletions that were made by hand"):
        rewrite_manifest(deletions.getvalue(), Relocation("silver.quarantine", quarantine.location(), "s3://b/q"))
