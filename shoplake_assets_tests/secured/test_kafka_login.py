"""A broker that wants a login over TLS, and what becomes of the password."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli.main import app
from shoplake_assets.events.topic import describe_topic, end_offsets
from shoplake_assets.lake.tables import prepare_lake
from shoplake_assets.runtime.internal import internal_client
from shoplake_assets.runtime.ports import free_ports
from shoplake_assets.runtime.probes import probes
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.ingest.running import bronze_rows, drain, drained, produce, running
from shoplake_assets_tests.secured import looking
from shoplake_assets_tests.secured.authorities import authority
from shoplake_assets_tests.secured.broker import Login, secured_broker

pytestmark = pytest.mark.spark

TELLING = "unmistakeably"
LOGIN = Login(user="shop", password=f'a "quoted" back\\slash;={TELLING}')


@dataclass(frozen=True)
class Broker:
    """The broker, and who may and may not vouch for it."""

    bootstrap: str
    known: Path
    unknown: Path


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("broker")
    known, unknown = authority(folder, "known"), authority(folder, "unknown")
    own, controller, secured = free_ports(3)
    base = load_settings(home=folder / "home", kafka={"port": own, "controller_port": controller})
    with secured_broker(base, port=secured, authority=known, login=LOGIN) as bootstrap:
        yield Broker(bootstrap, known.file, unknown.file)


@pytest.fixture(autouse=True)
def secrets(broker: Broker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The settings as somebody has them who uses this broker: the password in a file, all else in variables."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "shoplake_kafka__password").write_text(f"{LOGIN.password}\n")
    for name, value in {
        "SECRETS": folder,
        "KAFKA__BOOTSTRAP": broker.bootstrap,
        "KAFKA__SECURITY": "SASL_SSL",
        "KAFKA__USERNAME": LOGIN.user,
        "KAFKA__CA_FILE": broker.known,
    }.items():
        monkeypatch.setenv(f"SHOPLAKE_{name}", str(value))
    return folder


def made(topic: str, *, mechanism: str = "SCRAM-SHA-512") -> Settings:
    """The settings, with an empty lake."""
    settings = load_settings()
    settings = load_settings(kafka={**settings.kafka.model_dump(), "topic": topic, "mechanism": mechanism})
    prepare_lake(settings)
    return settings


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_our_clients_log_in(mechanism: str) -> None:
    settings = made(f"clients-{mechanism}", mechanism=mechanism)
    produce(settings, [b"1", b"2", b"3"])
    assert sum(end_offsets(settings).values()) == 3
    assert describe_topic(settings).partitions == (0, 1)
    assert probes(settings)["kafka"](0.0)


def test_the_ingest_logs_in_and_its_password_is_nowhere_to_be_seen(
    secrets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = made("events")
    produce(settings, [b"one", b"two"])
    monkeypatch.setenv("SHOPLAKE_KAFKA__MECHANISM", "PLAIN")
    logged = drained(settings)
    assert sorted(row["payload"] for row in bronze_rows(settings)) == [b"one", b"two"]

    monkeypatch.setenv("SHOPLAKE_KAFKA__MECHANISM", "SCRAM-SHA-512")
    with running(settings, tmp_path / "ingest.log") as ingest:
        produce(settings, [b"three"])
        ingest.wait_for_rows(1)
        with internal_client(timeout=5) as client:
            own = [(path, client.get(f"{ingest.address}/{path}").text) for path in ("status", "metrics")]
        shown = [*own, *looking.spark_pages(ingest.interface)]
        assert f"{ingest.interface}/SQL/execution/?id=0" in dict(shown)
        left = looking.files(tmp_path, but=list(secrets.iterdir()))
        content = [("the first log", logged), *shown, *left, *looking.command_lines()]
    assert looking.places_with(TELLING, content) == []


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SHOPLAKE_KAFKA__PASSWORD", "wrong", "refuses the login of 'shop': SASL authentication error: "),
        ("SHOPLAKE_KAFKA__CA_FILE", "unknown", "is not believed: SSL handshake failed: certificate verify failed"),
        ("SHOPLAKE_KAFKA__CA_FILE", "absent", "No such file or directory."),
    ],
)
def test_who_is_not_let_in_is_told_why(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    settings = made("nobody")
    value = {"unknown": str(broker.unknown), "absent": f"{broker.unknown}-not"}.get(value, value)
    monkeypatch.setenv(variable, value)
    generated = CliRunner().invoke(app, ["generate", "--count", "1", "--wait", "60"])
    assert generated.exit_code == 1
    ingested = drain(settings)
    assert ingested.returncode == 1
    for line in (generated.stderr, ingested.stderr):
        assert line.count("\n") == 1
        assert line.startswith("shoplake: ")
        assert said in line
        assert variable in line
    status = CliRunner().invoke(app, ["status"])
    assert status.exit_code == 0
    assert said.split(maxsplit=1)[0] in status.stdout
    assert variable in status.stdout
