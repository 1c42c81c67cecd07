"""What watches a lake, read from `docker/`: rules, dashboards, and the metrics that they name.

Belongs here: reading the files, and names in PromQL. Does not belong here: running Prometheus (`prometheus`).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parent.parent.parent
PROMETHEUS = ROOT / "docker" / "prometheus"
GRAFANA = ROOT / "docker" / "grafana"
RUNBOOKS = ROOT / "docs" / "runbooks.md"

# An annotation may ask for a figure itself; where it puts a label into the question, any word will do.
_QUERY = re.compile(r'query \(?(?:printf )?"([^"]+)"')


def read_yaml(path: Path) -> Any:
    """The one document of a YAML file."""
    return yaml.safe_load(path.read_text())


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert by its name."""
    groups = read_yaml(PROMETHEUS / "rules.yaml")["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def dashboards() -> dict[str, dict[str, Any]]:
    """Every dashboard by its file."""
    return {path.name: json.loads(path.read_text()) for path in sorted((GRAFANA / "dashboards").glob("*.json"))}


def expressions() -> Iterator[str]:
    """Every PromQL expression of the rules and the dashboards, as Prometheus gets it."""
    for alert in alerts().values():
        yield alert["expr"]
        for text in alert["annotations"].values():
            yield from (query.replace("%s", "x") for query in _QUERY.findall(text))
    for dashboard in dashboards().values():
        for panel in dashboard["panels"]:
            yield from (target["expr"].replace("$__rate_interval", "1m") for target in panel["targets"])


def names_in(expression: str) -> set[str]:
    """The metrics that a PromQL expression names.

    Raises:
        ValueError: It is no PromQL.
    """
    names: set[str] = set()

    def note(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.VectorSelector):
            assert part.name, f"a selector without a name: {part}"
            names.add(part.name)

    promql_parser.walk(promql_parser.parse(expression), note)
    return names


def named_metrics() -> set[str]:
    """Every metric that a rule or a dashboard names."""
    return set().union(*map(names_in, expressions()))
