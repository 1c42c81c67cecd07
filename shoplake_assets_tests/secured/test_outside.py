"""A real Postgres and a real S3 store under a lake: what it needs of them, and what it says when they refuse."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import dagster as dg
import psycopg2  # type: ignore[import-untyped]
import pytest
from dagster._core.test_utils import create_run_for_test
from sqlalchemy.engine import make_url

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.dagster_home import dagster_folder, make_storage, prepare_dagster
from shoplake_assets.runtime.outside import prepare_outside
from shoplake_assets.runtime.ports import free_ports
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.secured import looking
from shoplake_assets_tests.servers import S3, postgres, s3

# What a file of passwords must escape, and a word by which it is found.
PASSWORD = "a:b\\c 'unmistakeably'"  # noqa: S105


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database whose one role owns a schema there and may do nothing else, as `init.sql` makes it."""
    folder = tmp_path_factory.mktemp("servers")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # Postgres may run as somebody else, who has to get there
    with postgres(folder / "postgres", password="of-the-superuser") as server:  # noqa: S106
        url = make_url(server.uri)
        with closing(
            psycopg2.connect(
                host=url.host, port=url.port, dbname=url.database, user=url.username, password=server.password
            )
        ) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("CREATE ROLE lake LOGIN PASSWORD %s", [PASSWORD])
            cursor.execute(f"REVOKE ALL ON DATABASE {url.database} FROM PUBLIC")
            cursor.execute(f"GRANT CONNECT ON DATABASE {url.database} TO lake")
            cursor.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            cursor.execute("CREATE SCHEMA AUTHORIZATION lake")
        yield url.set(username="lake").render_as_string()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3(tmp_path_factory.mktemp("servers") / "s3") as server:
        yield server


@pytest.fixture
def keys(store: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the store, where AWS's own tools look for them."""
    give_keys(store.keys, monkeypatch)


def give_keys(keys: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these be the keys of this process, which may have had others."""
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def on_s3(store: S3, *, endpoint: str | None = None) -> Settings:
    """A lake with its files in a bucket that is not there yet."""
    where = {"endpoint": endpoint or store.endpoint, "path_style": True}
    return load_settings(catalog={"warehouse": "s3://absent/warehouse"}, s3=where)


def test_a_role_with_a_schema_of_its_own_is_enough_for_the_catalog(database: str) -> None:
    settings = load_settings(catalog={"uri": database, "password": PASSWORD})
    prepare_outside(settings, seconds=0)
    made = prepare_lake(settings)
    assert sorted(open_catalog(settings).list_namespaces()) == [("bronze",), ("gold",), ("silver",)]
    assert "bronze.events" in made
    assert prepare_lake(settings) == []


def test_dagster_keeps_its_runs_in_postgres_and_no_file_of_its_own_has_the_password(database: str) -> None:
    settings = load_settings(dagster={"storage_uri": database, "storage_password": PASSWORD})
    prepare_dagster(settings)
    folder = dagster_folder(settings)
    make_storage(folder)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        run: dg.DagsterRun = create_run_for_test(instance)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        assert [each.run_id for each in instance.get_runs()] == [run.run_id]
        assert "unmistakeably" not in instance.info_str()
    assert looking.places_with("unmistakeably", looking.files(settings.home)) == [
        str(settings.home / "run" / "postgres.passwords")
    ]


@pytest.mark.usefixtures("keys")
def test_a_bucket_that_is_absent_is_made_and_one_that_is_there_is_left_alone(store: S3) -> None:
    settings = on_s3(store)
    for _ in range(2):
        prepare_outside(settings, seconds=0)
        assert boto3.client("s3", endpoint_url=store.endpoint, region_name="us-east-1").head_bucket(Bucket="absent")


def refused(settings: Settings) -> str:
    """What is said of a database or a store that refuses or is not there: one line."""
    with pytest.raises(ShoplakeError) as caught:
        prepare_outside(settings, seconds=0)
    said = str(caught.value)
    assert "\n" not in said
    assert "unmistakeably" not in said
    return said


def test_keys_that_the_store_does_not_know_are_told_with_the_settings_to_look_at(
    store: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_keys({"AWS_ACCESS_KEY_ID": "unknown", "AWS_SECRET_ACCESS_KEY": "unmistakeably"}, monkeypatch)
    said = refused(on_s3(store))
    assert said.startswith(f"bucket 'absent' at {store.endpoint}: ")
    for name in ("SHOPLAKE_CATALOG__WAREHOUSE", "SHOPLAKE_S3__ENDPOINT", "AWS_ACCESS_KEY_ID"):
        assert name in said


@pytest.mark.usefixtures("keys")
def test_a_store_whose_name_nobody_knows_is_told(store: S3) -> None:
    said = refused(on_s3(store, endpoint="http://store.invalid:9000"))
    assert "store.invalid" in said
    assert "SHOPLAKE_S3__ENDPOINT" in said


def test_no_keys_at_all_are_told(store: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    nowhere = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_EC2_METADATA_DISABLED": "true"}
    give_keys({**nowhere, "AWS_CONFIG_FILE": str(tmp_path / "none")}, monkeypatch)
    assert "AWS_ACCESS_KEY_ID" in refused(on_s3(store))


def test_a_database_that_refuses_or_is_not_there_is_told_with_its_setting(database: str) -> None:
    wrong = refused(load_settings(catalog={"uri": database, "password": "unmistakeably-not"}))
    assert 'password authentication failed for user "lake"' in wrong
    assert wrong.endswith("See SHOPLAKE_CATALOG__URI and SHOPLAKE_CATALOG__PASSWORD.")
    (port,) = free_ports(1)
    silent = refused(load_settings(dagster={"storage_uri": f"postgresql://lake@127.0.0.1:{port}/dagster"}))
    assert "Connection refused" in silent
    assert silent.endswith("See SHOPLAKE_DAGSTER__STORAGE_URI and SHOPLAKE_DAGSTER__STORAGE_PASSWORD.")
    unknown = refused(load_settings(catalog={"uri": "postgresql://lake@postgres.invalid/catalog"}))
    assert "postgres.invalid" in unknown
