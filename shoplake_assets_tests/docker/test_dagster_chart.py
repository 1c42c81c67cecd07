"""What the values for Dagster's own chart have to say; the chart itself is not at hand here."""

from typing import Any

from sqlalchemy.engine import make_url

from shoplake_assets.runtime.dagster_home import LOCATION, instance_config
from shoplake_assets.settings import Settings
from shoplake_assets_tests.docker.kustomize import CODE, DAEMON, VALUES, container, pods


def test_the_chart_gives_dagster_the_policy_of_one_machine(lake: Settings) -> None:
    config = instance_config(lake)
    queue = DAEMON["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert _snake(queue) == {"dequeue_use_threads": False, **config["run_coordinator"]["config"]}
    concurrency = dict(VALUES["concurrency"])
    assert concurrency.pop("enabled") is True
    assert _snake(concurrency) == config["concurrency"]
    # A node may have to fetch the image first. A run that ends is looked at by its Job, and never taken up halfway.
    its_own = {"start_timeout_seconds": 300, "max_resume_run_attempts": 0}
    assert _snake(DAEMON["runMonitoring"]) == config["run_monitoring"] | its_own
    assert _snake(DAEMON["runRetries"]) == config["run_retries"]
    assert _snake(DAEMON["sensors"]) == config["sensors"]
    assert _snake(DAEMON["schedules"]) == config["schedules"]
    assert VALUES["retention"]["schedule"]["purgeAfterDays"] == config["retention"]["schedule"]["purge_after_days"]
    assert VALUES["telemetry"] == config["telemetry"]
    more = VALUES["additionalInstanceConfig"]
    assert more == {name: config[name] for name in ("nux", "auto_materialize", "freshness")}
    spoken_of = {"run_coordinator", "concurrency", "run_monitoring", "run_retries", "sensors", "schedules", "retention"}
    the_charts_own = {"storage", "local_artifact_storage", "compute_logs", "run_launcher"}
    assert set(config) == spoken_of | {"telemetry"} | set(more) | the_charts_own


def test_the_values_say_again_what_the_variables_say(lake: Settings) -> None:
    storage = make_url(lake.dagster.storage_uri or "")
    postgres = VALUES["postgresql"]
    assert postgres == {
        "enabled": False,
        "postgresqlHost": storage.host,
        "postgresqlUsername": storage.username,
        "postgresqlDatabase": storage.database,
        "service": {"port": storage.port},
    }
    logs = VALUES["computeLogManager"]["config"]["s3ComputeLogManager"]
    assert _snake(logs) == instance_config(lake)["compute_logs"]["config"]
    assert VALUES["global"]["dagsterHome"] == str(lake.home / "dagster")
    webserver = VALUES["dagsterWebserver"]
    assert lake.dagster.host == f"dagster-{webserver['nameOverride']}"
    assert lake.dagster.port == webserver["service"]["port"]
    code_server = {"host": lake.dagster.code_server_host, "port": lake.dagster.code_server_port, "name": LOCATION}
    assert webserver["workspace"] == {"enabled": True, "servers": [code_server]}
    assert (CODE["name"], CODE["port"]) == (code_server["host"], code_server["port"])


def test_a_run_has_what_the_lake_needs() -> None:
    assert CODE["includeConfigInLaunchedRuns"] == {"enabled": True}
    assert CODE["envConfigMaps"] == [{"name": "shoplake"}]
    assert CODE["envSecrets"] == [{"name": "shoplake-s3"}]
    mounts = {mount["name"]: mount["mountPath"] for mount in CODE["volumeMounts"]}
    ours = {mount["name"]: mount["mountPath"] for mount in container(dict(pods("base"))["dashboard"])["volumeMounts"]}
    assert mounts == ours | {"dagster-home": VALUES["global"]["dagsterHome"]}
    (secrets,) = [volume for volume in CODE["volumes"] if volume["name"] == "secrets"]
    # Kubernetes' own 0440, which Dagster reads as JSON and not as YAML.
    assert secrets["secret"] == {"secretName": "shoplake-secrets", "defaultMode": 0o440}
    projected = dict(pods("base"))["prepare"]["spec"]["volumes"]
    names = [one["secret"]["name"] for volume in projected for one in volume.get("projected", {}).get("sources", [])]
    assert names == ["shoplake-secrets", VALUES["global"]["postgresqlSecretName"]]


def _snake(values: Any) -> Any:
    """Values with the chart's names for keys turned into Dagster's."""
    if not isinstance(values, dict):
        return values
    return {
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key): _snake(value)
        for key, value in values.items()
    }
