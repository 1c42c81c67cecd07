"""The dashboard as a browser asks for it."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from plotly.offline import get_plotlyjs_version  # type: ignore[import-untyped]

from shoplake_assets.dashboard.__main__ import serve
from shoplake_assets.dashboard.app import build_app
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.sections import LOOPBACK
from shoplake_assets.settings import Settings
from shoplake_assets.tables import GOLD_TOP_USERS


def ask(app: Dash, part: str, **given: Any) -> dict[str, Any]:
    """What the callback that makes this part answers, where the browser holds these values."""
    client = app.server.test_client()
    (callback,) = [one for one in client.get("/_dash-dependencies").get_json() if f"{part}." in one["output"]]
    names = [one.rpartition(".") for one in callback["output"].strip(".").split("...")]
    outputs = [{"id": id_, "property": prop} for id_, _, prop in names]

    def filled(properties: list[dict[str, str]]) -> list[dict[str, Any]]:
        return [{**one, "value": given.get(one["id"].replace("-", "_"))} for one in properties]

    answer = client.post(
        "/_dash-update-component",
        json={
            "output": callback["output"],
            "outputs": outputs if callback["output"].startswith("..") else outputs[0],
            "inputs": filled(callback["inputs"]),
            "state": filled(callback["state"]),
            "changedPropIds": [f"{callback['inputs'][0]['id']}.{callback['inputs'][0]['property']}"],
        },
    )
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()["response"]
    return found


def insights(settings: Settings, query: str = "") -> dict[str, Any]:
    """What the page of Gold gets when it asks for the first time."""
    return ask(build_app(settings), "insights-shown", url=query, zone="UTC", insights_shown={})


def test_the_pages_are_served_without_a_lake_and_load_nothing_from_elsewhere(settings: Settings) -> None:
    app = build_app(settings)
    client = app.server.test_client()
    answer = client.get("/")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert '<html lang="en">' in page
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(loaded) > 5
    assert all(address.startswith("/") for address in loaded)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert client.get("/_dash-layout").status_code == 200
    for path, title in (("/", "Live"), ("/insights", "Batch Insights (Gold Layer)"), ("/health", "Data health")):
        shown = ask(app, "content", url=path)
        assert title in json.dumps(shown["content"])
        assert [link["props"]["className"] for link in shown["pages"]["children"]].count("current") == 1
    assert "No event has reached Gold yet" in insights(settings)["insights-empty"]["children"]


def test_plotlys_small_build_is_loaded_first_and_is_that_of_the_installed_plotly(settings: Settings) -> None:
    client = build_app(settings).server.test_client()
    scripts = re.findall(r'src="([^"]*)"', client.get("/").get_data(as_text=True))
    (small,) = [address for address in scripts if "plotly" in address]
    (renderer,) = [address for address in scripts if "dash_renderer" in address]
    # Where a page has Plotly already, a chart does not fetch the full build, which is four times as large.
    assert scripts.index(small) < scripts.index(renderer)
    with client.get(small) as answer:
        head = answer.get_data(as_text=True)[:200]
    assert f"plotly.js (basic - minified) v{get_plotlyjs_version()}\n" in head


def test_an_address_that_is_no_page_shows_the_first(settings: Settings) -> None:
    assert "live-shown" in json.dumps(ask(build_app(settings), "content", url="/nowhere"))


@pytest.mark.usefixtures("shop")
def test_the_page_shows_gold_and_which_state_of_it(settings: Settings) -> None:
    found = insights(settings, "?window=all")
    assert found["insights-panels"]["hidden"] is False
    assert "$1,100.30" in json.dumps(found["insights-tiles"])
    source = json.dumps(found["insights-source"])
    assert "reflects Kafka partition 0 to offset 1,500, partition 1 to offset 7." in source
    chosen = [link for link in found["insights-windows"]["children"] if link["props"].get("aria-current")]
    assert [link["props"]["children"]["props"]["href"] for link in chosen] == ["?window=all"]


@pytest.mark.usefixtures("shop")
def test_what_a_viewer_chooses_goes_into_the_url(settings: Settings) -> None:
    app = build_app(settings)

    def chosen(**fields: str) -> Any:
        return ask(app, "url", url="?window=7d", **fields)["url"]["search"]

    days = {"insights_first": "2026-03-01", "insights_last": "2026-03-02", "insights_category": ""}
    assert chosen(**days) == "?from=2026-03-01&to=2026-03-02"
    assert chosen(**{**days, "insights_category": "a & b"}) == "?from=2026-03-01&to=2026-03-02&category=a+%26+b"
    assert chosen(insights_first="", insights_last="", insights_category="toys") == "?window=7d&category=toys"


@pytest.mark.usefixtures("shop")
def test_a_download_is_the_panel_of_the_same_address(settings: Settings) -> None:
    client = build_app(settings).server.test_client()
    answer = client.get("/insights/categories.csv?window=all&category=toys")
    assert answer.headers["Content-Disposition"] == "attachment; filename=categories.csv"
    assert answer.get_data(as_text=True).splitlines() == [
        "rank,category,revenue,purchases,units",
        "1,toys,1066.77,2,2",
        "2,home,33.53,3,5",
    ]
    assert client.get("/insights/secrets.csv").status_code == 404


@pytest.mark.usefixtures("shop")
def test_a_lake_that_cannot_be_read_is_told_on_the_page(settings: Settings) -> None:
    table = open_catalog(settings).load_table(GOLD_TOP_USERS)
    for file in table.inspect.files()["file_path"].to_pylist():
        Path(file.removeprefix("file://")).unlink()
    found = insights(settings)
    assert found["insights-trouble"]["hidden"] is False
    assert found["insights-trouble"]["children"].startswith("The lake could not be read just now: ")
    assert "insights-empty" not in found


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
        "print({'pyspark', 'pandera', 'dagster'} & sys.modules.keys() or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    assert done.stdout.strip() == "light"
