"""Grafana's dashboards are whole: Grafana itself is not here to say so."""

from itertools import combinations
from typing import Any

import pytest

from shoplake_assets_tests.monitoring.watching import GRAFANA, dashboards, read_yaml

FILES = tuple(dashboards())
PANELS = [(file, panel) for file, dashboard in dashboards().items() for panel in dashboard["panels"]]
COLUMNS = 24


def test_there_is_one_dashboard_for_each_thing_to_look_at() -> None:
    assert {file: dashboard["uid"] for file, dashboard in dashboards().items()} == {
        "pipeline.json": "shoplake-pipeline",
        "quality.json": "shoplake-quality",
        "spark.json": "shoplake-spark",
    }


@pytest.mark.parametrize("file", FILES)
def test_a_dashboard_holds_nothing_of_an_export(file: str) -> None:
    dashboard = dashboards()[file]
    assert dashboard.keys() == {
        *("uid", "title", "description", "tags", "schemaVersion", "editable", "graphTooltip", "refresh", "time"),
        *("links", "panels"),
    }
    assert dashboard["schemaVersion"] == 42


@pytest.mark.parametrize("file", FILES)
def test_panels_have_an_id_and_a_place_of_their_own(file: str) -> None:
    panels = dashboards()[file]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert len({panel["title"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert max(place["x"] + place["w"] for place in places) <= COLUMNS
    assert [(one, other) for one, other in combinations(places, 2) if overlap(one, other)] == []


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two panels would lie on each other."""
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


@pytest.mark.parametrize(("file", "panel"), PANELS, ids=[f"{file}:{panel['title']}" for file, panel in PANELS])
def test_a_panel_says_what_it_shows_in_which_unit_and_from_where(file: str, panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    (source,) = read_yaml(GRAFANA / "datasources" / "prometheus.yaml")["datasources"]
    assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}
    assert [target["refId"] for target in panel["targets"]] == list("ABCDEF"[: len(panel["targets"])])
    assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])


def test_grafana_is_told_where_prometheus_is_as_it_is_elsewhere_in_containers() -> None:
    (source,) = read_yaml(GRAFANA / "datasources" / "prometheus.yaml")["datasources"]
    assert source["url"] == "$PROMETHEUS_URL"


def test_grafana_is_pointed_to_the_dashboards() -> None:
    (provider,) = read_yaml(GRAFANA / "dashboards" / "shoplake.yaml")["providers"]
    assert provider["options"] == {"path": "$GF_PATHS_PROVISIONING/dashboards"}
