"""The file of Postgres passwords: who may read it, what is in it, and that several may write it at once."""

import stat
import threading
from pathlib import Path

import pytest

from shoplake_assets.lake.catalog import spark_catalog_conf
from shoplake_assets.passwords import password_file
from shoplake_assets.runtime.dagster_home import instance_config
from shoplake_assets.settings import Settings, load_settings

CATALOG = "postgresql://shoplake_catalog@db.example:5433/catalog"
DAGSTER = "postgresql://shoplake_dagster@db.example/dagster"


def made(*, catalog: str | None, dagster: str | None) -> Settings:
    """A lake on Postgres with these passwords."""
    return load_settings(
        catalog={"uri": CATALOG, "password": catalog}, dagster={"storage_uri": DAGSTER, "storage_password": dagster}
    )


def test_the_file_is_its_owner_s_alone_and_has_a_line_for_each_database() -> None:
    file = password_file(made(catalog="one", dagster="two"))
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == (
        "db.example:5433:catalog:shoplake_catalog:one\ndb.example:5432:dagster:shoplake_dagster:two\n"
    )


def test_a_file_that_others_could_read_is_replaced() -> None:
    settings = made(catalog="one", dagster=None)
    file = password_file(settings)
    assert file is not None
    file.chmod(0o644)
    assert password_file(settings) == file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("password", "written"), [("a:b", "a\\:b"), ("a\\b", "a\\\\b"), ("\\:", "\\\\\\:"), ("ü #%@/", "ü #%@/")]
)
def test_what_separates_fields_is_escaped(password: str, written: str) -> None:
    file = password_file(made(catalog=password, dagster=None))
    assert file is not None
    assert file.read_text() == f"db.example:5433:catalog:shoplake_catalog:{written}\n"


def test_without_a_password_there_is_no_file_and_no_address_names_one(tmp_path: Path) -> None:
    settings = made(catalog=None, dagster=None)
    assert password_file(settings) is None
    assert not (settings.home / "run").exists()
    assert "passfile" not in str(instance_config(settings))


def test_a_password_that_changes_is_written_anew() -> None:
    password_file(made(catalog="old", dagster=None))
    file = password_file(made(catalog="new", dagster=None))
    assert file is not None
    assert file.read_text().endswith(":new\n")


def test_several_processes_may_write_it_at_once_and_leave_no_draft() -> None:
    settings = [made(catalog=f"{'long' * 500}{number % 2}", dagster="two") for number in range(8)]
    wanted = {password_file(each).read_text() for each in settings[:2] if password_file(each)}  # type: ignore[union-attr]
    seen: list[str] = []

    def write(mine: Settings) -> None:
        for _ in range(50):
            file = password_file(mine)
            assert file is not None
            seen.append(file.read_text())

    threads = [threading.Thread(target=write, args=(each,)) for each in settings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 * 50
    assert set(seen) == wanted
    assert [path.name for path in (settings[0].home / "run").iterdir()] == ["postgres.passwords"]


def test_no_configuration_holds_a_password() -> None:
    settings = made(catalog="unmistakeably", dagster="unmistakeably")
    assert "unmistakeably" not in str(spark_catalog_conf(settings)) + str(instance_config(settings))
    assert f"passfile={settings.home}" in instance_config(settings)["storage"]["postgres"]["postgres_url"].replace(
        "%2F", "/"
    )
