"""Alerts: the way from a check that is reported to Dagster to a webhook, both of them real."""

import json
import logging
import socket
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import dagster as dg
import pytest

from shoplake_assets.alerts import Cursor, alert_sensors
from shoplake_assets.definitions import build_definitions
from shoplake_assets.described import describe_settings
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.dagster_home import dagster_folder, prepare_dagster
from shoplake_assets.settings import Settings, load_settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
SHARE = dg.AssetCheckKey(dg.AssetKey(["silver", "events"]), "quarantine_share")
ALIVE = dg.AssetCheckKey(dg.AssetKey(["bronze", "events"]), "ingest_alive")
SHARE_NAME, ALIVE_NAME = "silver/events:quarantine_share", "bronze/events:ingest_alive"
HIDDEN = "T024BE7LD/s3cr3t"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass
class Webhook:
    """What a webhook was sent, and what it answers: 200 unless told otherwise."""

    address: str
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[str, str, Any]] = field(default_factory=list)

    def titles(self) -> list[str]:
        """The first line of each message, oldest first."""
        return [content["text"].splitlines()[0] for _, _, content in self.taken]


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A real HTTP server, which no proxy of the machine's stands in front of."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.taken.append((self.path, self.headers["Content-Type"], content))
            self.send_response(served.answers.pop(0) if served.answers else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Webhook(f"http://127.0.0.1:{server.server_port}/services/{HIDDEN}")
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's own storage, as a lake has it."""
    settings = Settings(home=tmp_path / "lake")
    prepare_dagster(settings)
    with dg.DagsterInstance.from_config(str(dagster_folder(settings))) as instance:
        yield instance


def report(instance: dg.DagsterInstance, key: dg.AssetCheckKey, *, passed: bool, severe: bool = True) -> None:
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=passed,
            severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
            description="966 of 5,000 records go to quarantine",
        )
    )


def tick(instance: dg.DagsterInstance, address: str, cursor: str | None = None) -> tuple[str | None, str | None]:
    """What a tick says and remembers, of a sensor that was just loaded."""
    (sensor,) = alert_sensors(Settings(alerts={"webhook_url": address}))
    done = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor))
    return done.skip_message, done.cursor


def test_a_blocked_refresh_is_posted_once_and_again_when_it_goes_through(
    instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    assert tick(instance, webhook.address)[0] == "Nothing to tell: no check fails."
    report(instance, SHARE, passed=False)
    says, cursor = tick(instance, webhook.address)
    assert says == "Told: silver/events:quarantine_share fails."
    report(instance, SHARE, passed=False)
    says, cursor = tick(instance, webhook.address, cursor)
    assert says == "Nothing to tell: told before that silver/events:quarantine_share fails."
    report(instance, SHARE, passed=True)
    says, cursor = tick(instance, webhook.address, cursor)
    assert says == "Told: silver/events:quarantine_share is well again."
    assert tick(instance, webhook.address, cursor)[0] == "Nothing to tell: no check fails."
    assert webhook.titles() == ["Shoplake: 1 check fails", "Shoplake: 1 check is well again"]
    path, content_type, content = webhook.taken[0]
    assert (path, content_type) == (f"/services/{HIDDEN}", "application/json")
    assert "966 of 5,000 records go to quarantine" in content["blocks"][1]["text"]["text"]


def test_what_fails_together_is_one_message_and_a_warning_is_none(
    instance: dg.DagsterInstance, webhook: Webhook
) -> None:
    for name in ("contract", "key_unique", "reconciles"):
        report(instance, dg.AssetCheckKey(SHARE.asset_key, name), passed=False)
    report(instance, dg.AssetCheckKey(SHARE.asset_key, "volume"), passed=False, severe=False)
    report(instance, ALIVE, passed=False)
    says, _ = tick(instance, webhook.address)
    assert says == (
        "Told: silver/events:contract fails; silver/events:key_unique fails; silver/events:reconciles fails."
    )
    assert webhook.titles() == ["Shoplake: 3 checks fail"]


def test_a_dead_ingest_is_told_after_a_minute(instance: dg.DagsterInstance, webhook: Webhook) -> None:
    report(instance, ALIVE, passed=False)
    says, _ = tick(instance, webhook.address)
    assert says == "Nothing to tell: the ingest is away, which is told if it stays so."
    long_away = Cursor(waiting={ALIVE_NAME: datetime.now(UTC) - timedelta(minutes=1)})
    says, cursor = tick(instance, webhook.address, long_away.to_json())
    assert says == "Told: bronze/events:ingest_alive fails."
    report(instance, ALIVE, passed=True)
    assert tick(instance, webhook.address, cursor)[0] == "Told: bronze/events:ingest_alive is well again."
    assert webhook.titles() == ["Shoplake: 1 check fails", "Shoplake: 1 check is well again"]


def test_a_run_under_way_leaves_a_failure_as_it_was(instance: dg.DagsterInstance, webhook: Webhook) -> None:
    @dg.asset(key=SHARE.asset_key, check_specs=[dg.AssetCheckSpec(SHARE.name, asset=SHARE.asset_key)])
    def silver() -> Iterator[dg.MaterializeResult[None]]:
        """Silver, as far as a planned check needs it."""
        yield dg.MaterializeResult()

    graph = dg.Definitions([silver]).resolve_asset_graph()
    job = dg.define_asset_job("refresh").resolve(asset_graph=graph)
    instance.create_run_for_job(job)
    assert tick(instance, webhook.address)[0] == "Nothing to tell: no check fails."
    report(instance, SHARE, passed=False)
    instance.create_run_for_job(job)
    says, cursor = tick(instance, webhook.address)
    assert says == "Told: silver/events:quarantine_share fails."
    instance.create_run_for_job(job)
    says, _ = tick(instance, webhook.address, cursor)
    assert says == "Nothing to tell: told before that silver/events:quarantine_share fails."


def test_what_the_webhook_refuses_is_sent_again_with_the_next_tick(
    instance: dg.DagsterInstance, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    report(instance, SHARE, passed=False)
    webhook.answers[:] = [500, 302]
    for answer in (500, 302):
        with pytest.raises(ShoplakeError) as refused:
            tick(instance, webhook.address)
        assert str(refused.value) == (
            f"the webhook answers with {answer}. Not told, and tried again with the next tick: 1 check fails."
        )
        assert HIDDEN not in "".join(traceback.format_exception(refused.value))
    says, cursor = tick(instance, webhook.address)
    assert says == "Told: silver/events:quarantine_share fails."
    assert cursor is not None
    assert webhook.titles() == ["Shoplake: 1 check fails"] * 3
    assert HIDDEN not in says + cursor + caplog.text


def test_a_webhook_that_is_gone_or_silent_keeps_nobody_waiting_and_stays_secret(
    instance: dg.DagsterInstance, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    report(instance, SHARE, passed=False)
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        patch("shoplake_assets.alerts._PATIENCE_SECONDS", 0.2),
    ):
        port = silent.getsockname()[1]
        with pytest.raises(ShoplakeError, match=r"the webhook does not answer \(ReadTimeout\)") as slow:
            tick(instance, f"http://127.0.0.1:{port}/{HIDDEN}")
    with pytest.raises(ShoplakeError, match=r"the webhook does not answer \(ConnectError\)") as gone:
        tick(instance, f"http://127.0.0.1:{port}/{HIDDEN}")
    for error in (slow.value, gone.value):
        assert HIDDEN not in "".join(traceback.format_exception(error))
    assert HIDDEN not in caplog.text


def test_the_environments_proxy_is_used(
    instance: dg.DagsterInstance, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", webhook.address)
    report(instance, SHARE, passed=False)
    tick(instance, "http://alerts.invalid/hook")
    assert [path for path, _, _ in webhook.taken] == ["http://alerts.invalid/hook"]


def test_there_is_a_sensor_only_if_there_is_a_webhook() -> None:
    def sensors(address: str | None) -> dict[str, dg.DefaultSensorStatus]:
        definitions = build_definitions(Settings(alerts={"webhook_url": address}))
        return {sensor.name: sensor.default_status for sensor in definitions.get_repository_def().sensor_defs}

    assert sensors("https://hooks.slack.com/services/T/B/x")["alerts"] == dg.DefaultSensorStatus.RUNNING
    for nothing in (None, ""):
        assert "alerts" not in sensors(nothing)


def test_the_webhook_is_a_secret_wherever_settings_are_shown() -> None:
    settings = Settings(alerts={"webhook_url": f"https://hooks.slack.com/services/{HIDDEN}"})
    (row,) = (row for row in describe_settings(settings) if row.variable == "SHOPLAKE_ALERTS__WEBHOOK_URL")
    assert (row.value, row.default) == ("**********", "")
    assert HIDDEN not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "address", [f"ftp://{HIDDEN}", HIDDEN, f"http://x:99999/{HIDDEN}", f"file:///{HIDDEN}", "https://"]
)
def test_a_webhook_that_is_no_web_address_is_refused_in_one_line_that_does_not_show_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPLAKE_ALERTS__WEBHOOK_URL", address)
    with pytest.raises(ShoplakeError) as refused:
        load_settings()
    says = "SHOPLAKE_ALERTS__WEBHOOK_URL: must be an address that begins with http:// or https://"
    assert str(refused.value) == says
    assert HIDDEN not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("alerts", [f"https://{HIDDEN}", {"webhook_url": [f"https://{HIDDEN}"]}])
def test_a_settings_file_of_another_form_does_not_give_the_webhook_away(alerts: object, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({"alerts": alerts}))
    with pytest.raises(ShoplakeError) as refused:
        load_settings(home=tmp_path)
    assert HIDDEN not in "".join(traceback.format_exception(refused.value))
