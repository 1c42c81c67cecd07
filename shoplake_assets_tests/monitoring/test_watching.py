"""What watches a lake names only what there is."""

import pytest
from prometheus_client import CollectorRegistry

from shoplake_assets.ingest.metrics import Metrics
from shoplake_assets.metrics.lake import lake_registry
from shoplake_assets_tests.health.picture import health
from shoplake_assets_tests.monitoring.watching import expressions, named_metrics, names_in


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up == 0", {"up"}),
        ("time() - max_over_time(a_seconds[1h]) > 10 + 3 * b_seconds", {"a_seconds", "b_seconds"}),
        ('sum by (job, le) (rate(a_bucket{le="b_c", x!~"d|e"}[5m])) or vector(0)', {"a_bucket"}),
        ("a / ignoring(fate) group_left(table) sum without (fate) (delta(b[30m] offset 5m))", {"a", "b"}),
        ("quantile_over_time(0.9, rate(a[1m])[1h:5m]) unless on(job) b and bool_c > bool 2", {"a", "b", "bool_c"}),
        ("1e9 * -(a)", {"a"}),
    ],
)
def test_the_names_in_an_expression_are_those_of_its_metrics(expression: str, names: set[str]) -> None:
    assert names_in(expression) == names


@pytest.mark.parametrize("wrong", ["rate(a)", "sum(a", "a[5m] > 1"])
def test_what_is_no_promql_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        names_in(wrong)


def test_an_annotation_that_asks_for_a_figure_is_an_expression_as_well() -> None:
    assert "shoplake_table_lag_events{table='x'}" in set(expressions())


def test_every_metric_of_shoplake_that_is_named_exists() -> None:
    exist = names(Metrics(trigger_seconds=10).registry) | names(lake_registry(health))
    assert {name for name in named_metrics() if name.startswith("shoplake_")} <= exist


def names(registry: CollectorRegistry) -> set[str]:
    """The names under which a registry's samples may appear, labelled ones that nothing has been noted of as well."""
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
    return {f"{one.name}{suffix}" for one in registry.collect() for suffix in suffixes.get(one.type, ())}
