"""`shoplake move`: what is in the way is said in one line, and nothing is changed."""

import json
from pathlib import Path

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from shoplake_assets.cli.main import app
from shoplake_assets.runtime import home
from shoplake_assets.runtime.settings_file import keep_settings
from shoplake_assets.settings import Settings

TO = ("--catalog", "postgresql://shoplake_catalog@127.0.0.1:1/catalog", "--warehouse", "s3://lake/warehouse")


def move(*options: str) -> tuple[int, str, str]:
    """Call the command; give its exit code and what it wrote."""
    done = CliRunner().invoke(app, ["move", *options])
    return done.exit_code, done.stdout, done.stderr


def test_without_a_lake_one_line_says_how_there_comes_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPLAKE_HOME", str(tmp_path / "none"))
    assert move(*TO) == (1, "", f"shoplake: there is no lake in {tmp_path / 'none'}. 'shoplake up' makes it.\n")


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("catalog", "warehouse"),
    [("https://rest.example.com", "s3://lake/warehouse"), ("postgresql://me@db:5432/catalog", "/data/warehouse")],
)
def test_it_goes_to_postgres_and_s3_only(catalog: str, warehouse: str) -> None:
    code, out, err = move("--catalog", catalog, "--warehouse", warehouse)
    assert (code, out) == (1, "")
    assert err.startswith("shoplake: a lake moves to Postgres and S3: give --catalog postgresql://")


@pytest.mark.usefixtures("lake")
def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    code, out, err = move("--catalog", "postgresql://me:hidden@db:5432/catalog", "--warehouse", "s3://lake/warehouse")
    assert (code, out) == (1, "")
    assert err == "shoplake: SHOPLAKE_CATALOG__URI: must not hold the password, which has a setting of its own\n"


@pytest.mark.usefixtures("lake")
def test_what_the_environment_would_win_over_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPLAKE_S3__REGION", "eu-central-1")
    said = "shoplake: SHOPLAKE_S3__REGION is set in the environment and would win over the move. Unset it.\n"
    assert move(*TO, "--s3-region", "eu-west-1") == (1, "", said)


def test_a_lake_that_another_command_starts_is_not_moved(lake: Settings) -> None:
    home.create_home(lake)
    with FileLock(home.run_folder(lake) / "up.filelock"):
        said = f"shoplake: another command starts or moves the lake in {lake.home}. Wait for it.\n"
        assert move(*TO) == (1, "", said)


def test_a_postgres_that_does_not_answer_is_named_and_the_settings_stay(lake: Settings) -> None:
    before = json.loads(lake.settings_file.read_text())
    code, out, err = move(*TO)
    assert (code, out) == (1, "")
    assert err.startswith("shoplake: Postgres at postgresql://shoplake_catalog@127.0.0.1:1/catalog says: ")
    assert json.loads(lake.settings_file.read_text()) == before


def test_a_lake_that_is_there_already_is_left_alone(lake: Settings) -> None:
    keep_settings(lake, {"catalog": {"uri": TO[1], "warehouse": TO[3]}})
    assert move(*TO) == (0, f"The lake in {lake.home} is at {TO[1]} and {TO[3]} already.\n", "")
    code, _, err = move("--catalog", "postgresql://me@elsewhere:5432/catalog", "--warehouse", "s3://lake/warehouse")
    assert (code, err) == (
        1,
        f"shoplake: the lake is at {TO[1]} and no longer in its home; only such a lake can be moved.\n",
    )
