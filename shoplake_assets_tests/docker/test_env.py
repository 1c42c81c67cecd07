"""What compose takes from outside is explained, complete, and holds no secret of its own."""

import os
import re
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from shoplake_assets.described import describe_settings
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.docker.composing import (
    COMPOSE,
    DOCKER,
    ROOT,
    document,
    example,
    filled_in,
    services,
    variables,
)

# Docker Compose's own; no file has to name them.
OF_COMPOSE = {"COMPOSE_PROFILES", "COMPOSE_FILE"}
GENERATED = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SHOPLAKE_CATALOG__PASSWORD"),
    *("SHOPLAKE_DAGSTER__STORAGE_PASSWORD", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD", "SSO_COOKIE_SECRET"),
}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|ACCESS_KEY|WEBHOOK")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `make-env` writes."""
    return variables_of(make_env(tmp_path_factory.mktemp("env") / ".env"))


def make_env(file: Path) -> Path:
    subprocess.run([DOCKER / "make-env", file], check=True, capture_output=True, timeout=60)  # noqa: S603  ours
    return file


def variables_of(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z]\w*)=(.*)$", file.read_text(), re.MULTILINE))


def test_every_variable_that_compose_takes_is_explained_and_no_other() -> None:
    assert {variable.name for variable in variables()} == example().keys() - OF_COMPOSE


def test_the_example_shows_the_defaults_that_hold() -> None:
    shown = {name: line.value for name, line in example().items() if not line.needed and name not in OF_COMPOSE}
    assert {variable.name: variable.text for variable in variables() if variable.name in shown} == shown


def test_what_has_no_default_is_needed_and_generated() -> None:
    assert {variable.name for variable in variables() if "?" in variable.operator} == GENERATED - {"SSO_COOKIE_SECRET"}
    assert {name for name, line in example().items() if line.needed} == GENERATED | {"COMPOSE_PROFILES"}


def test_every_variable_of_ours_is_a_setting() -> None:
    known = {row.variable for row in describe_settings(Settings.model_construct())}
    told = {name for service in services().values() for name in service.get("environment", {})}
    named = {name for name in told | example().keys() if name.startswith("SHOPLAKE_")}
    assert named - known == set()


def test_no_secret_has_a_default() -> None:
    for variable in variables():
        if SECRET.search(variable.name):
            assert "?" in variable.operator or variable.text == "", variable
    for service in services().values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                assert re.fullmatch(r"\$\{\w+:?[-?][^}]*\}", value), name


def test_make_env_writes_what_is_needed_for_its_owner_only_and_never_twice(tmp_path: Path) -> None:
    file = make_env(tmp_path / ".env")
    first = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = subprocess.run([DOCKER / "make-env", file], check=False, capture_output=True, text=True, timeout=60)  # noqa: S603  ours
    assert again.returncode == 1
    assert "exists" in again.stderr
    assert file.read_text() == first


def test_made_secrets_are_long_and_each_is_another(made: dict[str, str], tmp_path: Path) -> None:
    other = variables_of(make_env(tmp_path / ".env"))
    secrets = [values[name] for values in (made, other) for name in GENERATED]
    assert len(set(secrets)) == 2 * len(GENERATED)
    assert all(re.fullmatch("[0-9a-f]{20,48}", secret) for secret in secrets)
    assert {name: value for name, value in made.items() if name not in GENERATED} == {
        "COMPOSE_PROFILES": "kafka,s3,postgres,spark-cluster,spark-connect,monitoring"
    }


def test_every_process_reads_its_environment_as_the_lake_that_is_meant(
    made: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("SHOPLAKE_")]:
        monkeypatch.delenv(name)
    for name, service in services().items():
        told = service.get("environment", {})
        if "SHOPLAKE_HOME" not in told:
            continue
        with monkeypatch.context() as context:
            for variable, value in told.items():
                context.setenv(variable, filled_in(value, made))
            context.setenv("SHOPLAKE_HOME", str(tmp_path))
            settings = load_settings()
        assert (settings.bind, settings.kafka.partitions) == ("0.0.0.0", 6)  # noqa: S104  in a container
        assert settings.catalog.kind == "postgres"
        assert settings.catalog.warehouse == "s3://shoplake/warehouse"
        assert (settings.s3.endpoint, settings.s3.path_style) == ("http://s3.shoplake.internal:9000", True)
        assert settings.spark.master == "spark://spark-master.shoplake.internal:7077"
        assert settings.dagster.read_only is (name == "webserver-read-only")
        assert settings.spark.driver_host == (
            f"{name}.shoplake.internal" if name in {"spark", "ingest"} else "127.0.0.1"
        )


def test_an_empty_endpoint_means_aws_and_not_the_store_of_this_file(made: dict[str, str]) -> None:
    endpoint = document()["services"]["ingest"]["environment"]["SHOPLAKE_S3__ENDPOINT"]
    assert filled_in(endpoint, made) == "http://s3.shoplake.internal:9000"
    assert filled_in(endpoint, made | {"SHOPLAKE_S3__ENDPOINT": ""}) == ""


def test_the_image_has_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {variable.text for variable in variables() if variable.name == "LAKE_IMAGE"} == {f"shoplake:{version}"}
    assert f"\nARG VERSION={version}\n" in (DOCKER / "Dockerfile").read_text()


def test_the_made_file_is_no_part_of_the_repository() -> None:
    assert "docker/.env" in (ROOT / ".gitignore").read_text().splitlines()
    assert COMPOSE.parent == DOCKER
