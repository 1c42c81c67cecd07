"""The dashboard as a browser and an operator meet it."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shoplake_assets.dashboard.__main__ import serve
from shoplake_assets.dashboard.app import build_app
from shoplake_assets.dashboard.layout import window_of
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import LOOPBACK, Settings
from shoplake_assets.tables import GOLD_TOP_USERS


def refresh(settings: Settings, *, search: str = "") -> dict[str, Any]:
    """What the page gets when it asks for the first time."""
    client = build_app(settings).server.test_client()
    (callback,) = client.get("/_dash-dependencies").get_json()
    outputs = [part.rpartition(".") for part in callback["output"].strip(".").split("...")]
    answer = client.post(
        "/_dash-update-component",
        json={
            "output": callback["output"],
            "outputs": [{"id": id_, "property": prop} for id_, _, prop in outputs],
            "inputs": [
                {"id": one["id"], "property": one["property"], "value": search if one["id"] == "url" else 0}
                for one in callback["inputs"]
            ],
            "state": [{"id": "shown", "property": "data", "value": {}}],
            "changedPropIds": ["url.search"],
        },
    )
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()["response"]
    return found


def test_the_page_is_served_without_a_lake_and_loads_nothing_from_elsewhere(settings: Settings) -> None:
    client = build_app(settings).server.test_client()
    answer = client.get("/")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert '<html lang="en">' in page
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(loaded) > 5
    assert all(address.startswith("/") for address in loaded)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert client.get("/_dash-layout").status_code == 200
    assert "No event has reached Gold yet" in refresh(settings)["empty"]["children"]


@pytest.mark.usefixtures("shop")
def test_the_page_shows_gold_and_which_state_of_it(settings: Settings) -> None:
    found = refresh(settings, search="?window=all")
    assert found["panels"]["hidden"] is False
    assert "$1,100.30" in json.dumps(found["tiles"])
    assert "reflects Kafka partition 0 to offset 1,500, partition 1 to offset 7." in json.dumps(found["source"])
    chosen = [link for link in found["windows"]["children"] if link["props"].get("aria-current")]
    assert [link["props"]["children"]["props"]["href"] for link in chosen] == ["?window=all"]


@pytest.mark.usefixtures("shop")
def test_a_lake_that_cannot_be_read_is_told_on_the_page(settings: Settings) -> None:
    table = open_catalog(settings).load_table(GOLD_TOP_USERS)
    for file in table.inspect.files()["file_path"].to_pylist():
        Path(file.removeprefix("file://")).unlink()
    found = refresh(settings)
    assert found["trouble"]["hidden"] is False
    assert found["trouble"]["children"].startswith("The lake could not be read just now: ")
    assert "empty" not in found


@pytest.mark.parametrize(
    ("search", "window"),
    [("", "24h"), (None, "24h"), ("?window=7d", "7d"), ("?window=99d", "24h"), ("?window=%3Cb%3E", "24h")],
)
def test_the_url_names_the_window(search: str | None, window: str) -> None:
    assert window_of(search) == window


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        settings = Settings(home=tmp_path, dashboard={"port": port})
        with pytest.raises(
            ShoplakeError, match=rf"port {port} cannot be had \(Address already in use\).*SHOPLAKE_DASHBOARD__PORT"
        ):
            serve(settings)


def test_the_dashboard_starts_without_spark_pandera_and_dagster() -> None:
    code = (
        "import sys, shoplake_assets.dashboard.app, shoplake_assets.dashboard.__main__;"
        "print({'pyspark', 'pandera', 'dagster', 'pandas'} & sys.modules.keys() or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    assert done.stdout.strip() == "light"
