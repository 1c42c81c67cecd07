"""Where settings come from, which win, and that a secret among them is never shown."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli.main import app
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.settings import load_settings

SECRET = "unmistakeably"  # noqa: S105  what must not be shown


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the lake, and a folder of secrets beside it that is used."""
    home = tmp_path / "home"
    home.mkdir(parents=True)
    (tmp_path / "secrets").mkdir()
    monkeypatch.setenv("SHOPLAKE_SECRETS", str(tmp_path / "secrets"))
    return home


def put(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Set the variables, of which the prefix is left out here."""
    for name, value in variables.items():
        monkeypatch.setenv(f"SHOPLAKE_{name}", value)


def complaint() -> str:
    """What is said about the settings as they are."""
    with pytest.raises(ShoplakeError) as caught:
        load_settings()
    return str(caught.value)


def test_a_variable_wins_over_a_file_over_the_homes_settings_over_the_default(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().kafka.username is None
    written = {"kafka": {"username": "of the home", "topic": "of-the-home"}, "currency": "EUR"}
    (home / "settings.json").write_text(json.dumps(written))
    assert load_settings().kafka.username == "of the home"
    (home.parent / "secrets" / "shoplake_kafka__username").write_text("of the file")
    assert load_settings().kafka.username == "of the file"
    put(monkeypatch, {"KAFKA__USERNAME": "of the variable"})
    settings = load_settings()
    assert settings.kafka.username == "of the variable"
    assert (settings.kafka.topic, settings.currency, settings.kafka.partitions) == ("of-the-home", "EUR", 2)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("name", ["shoplake_catalog__password", "SHOPLAKE_CATALOG__PASSWORD"])
def test_a_secret_comes_from_a_file_without_the_end_of_its_line(home: Path, name: str, ending: str) -> None:
    (home.parent / "secrets" / name).write_text(f"pass word:\\{ending}", newline="")
    password = load_settings().catalog.password
    assert password is not None
    assert password.get_secret_value() == "pass word:\\"


def test_other_files_among_the_secrets_do_not_matter(home: Path) -> None:
    (home.parent / "secrets" / "aws_credentials").write_text("[default]")
    (home.parent / "secrets" / "..data").mkdir()
    assert load_settings().catalog.password is None


def test_secrets_need_no_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, {"SECRETS": str(home / "absent")})
    assert load_settings().catalog.password is None


def test_an_empty_variable_counts_as_unset(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("CATALOG__URI", "CATALOG__PASSWORD", "SPARK__MASTER", "S3__ENDPOINT", "KAFKA__BOOTSTRAP", "SPARK__CONF")
    put(monkeypatch, dict.fromkeys(names, ""))
    put(monkeypatch, {"CURRENCY": "", "BIND": ""})
    (home.parent / "secrets" / "shoplake_catalog__password").write_text("of the file")
    settings = load_settings()
    assert (settings.catalog.uri, settings.spark.master, settings.s3.endpoint) == (None, None, None)
    assert (settings.currency, settings.bind, settings.kafka.bootstrap, settings.spark.conf) == (
        "USD",
        "127.0.0.1",
        None,
        {},
    )
    assert settings.catalog.password is not None
    assert settings.catalog.password.get_secret_value() == "of the file"


@pytest.mark.parametrize(
    "variables",
    [
        {"CATALOG__URI": f"postgresql://shop:{SECRET}@db:5432/catalog"},
        {"CATALOG__URI": f"postgres://shop:{SECRET}@db:5432/catalog"},
        {"CATALOG__URI": f"http:shop:{SECRET}"},
        {"DAGSTER__STORAGE_URI": f"postgresql://shop:{SECRET}@db:5432/dagster"},
        {"DAGSTER__STORAGE_URI": f"mysql://shop:{SECRET}@db/dagster"},
        {"ALERTS__WEBHOOK_URL": f"hooks.example/{SECRET}"},
        {"KAFKA": f'{{"password": "{SECRET}", "pasword": "{SECRET}"}}'},
        {"KAFKA": f'{{"password": "{SECRET}"'},
        {"KAFKA": f'"{SECRET}"'},
        {"KAFKA": f'["{SECRET}"]'},
        {"CATALOG": f'{{"token": ["{SECRET}"]}}'},
        {"CATALOG__PROPERTIES": f'{{"token": "{SECRET}"'},
        {"CATALOG__PROPERTIES": f'["{SECRET}"]'},
        {"SPARK__CONF": f'{{"spark.hadoop.password": {{"is": "{SECRET}"}}}}'},
        {"KAFKA__SECURITY": "SASL_SSL", "KAFKA__BOOTSTRAP": "k:1", "KAFKA__PASSWORD": SECRET},
        {"S3__ENDPOINT": f"ftp://key:{SECRET}@store"},
    ],
    ids=str,
)
def test_no_complaint_shows_a_secret(home: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    put(monkeypatch, variables)
    said = complaint()
    assert SECRET not in said
    assert "\n" not in said
    assert f"SHOPLAKE_{next(iter(variables))}".split("__")[0] in said
    shown = CliRunner().invoke(app, ["settings"])
    assert shown.exit_code == 1
    assert SECRET not in shown.output


def test_the_home_s_settings_that_cannot_be_read_are_named_without_their_content(home: Path) -> None:
    (home / "settings.json").write_text(f'{{"kafka": {{"password": "{SECRET}"')
    said = complaint()
    assert "settings.json" in said
    assert SECRET not in said


def test_secrets_are_shown_as_asterisks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        monkeypatch,
        {
            "KAFKA__PASSWORD": SECRET,
            "CATALOG__PASSWORD": SECRET,
            "CATALOG__TOKEN": SECRET,
            "CATALOG__CREDENTIAL": f"id:{SECRET}",
            "DAGSTER__STORAGE_PASSWORD": SECRET,
            "ALERTS__WEBHOOK_URL": f"https://hooks.example/{SECRET}",
        },
    )
    text, document = CliRunner().invoke(app, ["settings"]), CliRunner().invoke(app, ["settings", "--json"])
    assert SECRET not in text.output + document.output + repr(load_settings()) + str(load_settings())
    assert SECRET not in load_settings().model_dump_json()
    values = {row["variable"]: row["value"] for row in json.loads(document.output)}
    assert {variable for variable, value in values.items() if value == "**********"} == {
        "SHOPLAKE_KAFKA__PASSWORD",
        "SHOPLAKE_CATALOG__PASSWORD",
        "SHOPLAKE_CATALOG__TOKEN",
        "SHOPLAKE_CATALOG__CREDENTIAL",
        "SHOPLAKE_DAGSTER__STORAGE_PASSWORD",
        "SHOPLAKE_ALERTS__WEBHOOK_URL",
    }
    assert "SHOPLAKE_KAFKA__PASSWORD=**********" in text.output


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"KAFKA__SECURITY": "SASL_SSL", "KAFKA__BOOTSTRAP": "k:1"}, "a login needs username and password"),
        (
            {"KAFKA__SECURITY": "SASL_SSL", "KAFKA__BOOTSTRAP": "k:1", "KAFKA__USERNAME": "shop"},
            "a login needs username and password",
        ),
        ({"KAFKA__SECURITY": "SSL"}, "security is for an existing Kafka: set bootstrap, too"),
        ({"SPARK__MASTER": "yarn"}, "SHOPLAKE_SPARK__MASTER='yarn': "),
        ({"SPARK__MASTER": "local[2]"}, "SHOPLAKE_SPARK__MASTER='local[2]': "),
        ({"CATALOG__WAREHOUSE": "s3a://bucket"}, "SHOPLAKE_CATALOG__WAREHOUSE='s3a://bucket': "),
        ({"SPARK__CONF": "{"}, "SHOPLAKE_SPARK: it, or a part of it, should be JSON and is not."),
        ({"CATALOG__URI": "postgresql://db/catalog"}, "must be postgresql://user@host:port/database"),
        ({"S3__ENDPOINT": "store:9000"}, "must be an address that begins with http:// or https://"),
        ({"KAFFKA__BOOTSTRAP": "k:1"}, "SHOPLAKE_KAFFKA__BOOTSTRAP is not a setting. See 'shoplake settings'"),
        ({"KAFKA__BOOTSTRAPS": "k:1"}, "SHOPLAKE_KAFKA__BOOTSTRAPS is not a setting. See 'shoplake settings'"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    put(monkeypatch, variables)
    assert said in complaint()


def test_a_cluster_is_named_as_spark_names_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for master in ("spark://spark-master.shoplake.internal:7077", "k8s://https://10.0.0.1:6443"):
        put(monkeypatch, {"SPARK__MASTER": master})
        assert load_settings().spark.master == master


def test_sets_of_properties_are_json(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        monkeypatch,
        {
            "SPARK__CONF": '{"spark.kubernetes.namespace": "shop", "spark.sql.shuffle.partitions": "16"}',
            "CATALOG__PROPERTIES": '{"scope": "PRINCIPAL_ROLE:ALL"}',
        },
    )
    settings = load_settings()
    assert settings.spark.conf == {"spark.kubernetes.namespace": "shop", "spark.sql.shuffle.partitions": "16"}
    assert settings.catalog.properties == {"scope": "PRINCIPAL_ROLE:ALL"}


def test_every_secret_says_that_it_is_one_and_is_never_shown(home: Path) -> None:
    document = json.loads(CliRunner().invoke(app, ["settings", "--json"]).output)
    named = {row["variable"] for row in document if re.search("PASSWORD|TOKEN|CREDENTIAL|WEBHOOK", row["variable"])}
    assert named == {row["variable"] for row in document if "A secret, which is never shown." in row["description"]}
