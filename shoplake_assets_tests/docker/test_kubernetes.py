"""What has to hold of the Kustomize base and of the values for Dagster's chart."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from shoplake_assets.settings import Settings, load_settings
from shoplake_assets_tests.docker.kustomize import (
    CODE,
    DAEMON,
    KUBERNETES,
    VALUES,
    Manifest,
    container,
    environment,
    executor_pod,
    named,
    pods,
    rendered,
    spark_settings,
)

# The oldest of Kubernetes' releases that is still looked after, and the newest that has schemas.
RELEASES = ("1.34", "1.37")
VERSION = tomllib.loads((KUBERNETES.parents[1] / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("folder", ["base", "example"])
@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_would_take_every_object(folder: str, release: str) -> None:
    for one in rendered(folder):
        kubernetes_validate.validate(one, release, strict=True)


def test_the_template_of_an_executor_is_a_pod() -> None:
    pod = executor_pod()
    pod["spec"]["containers"][0]["image"] = "what Spark puts here"
    kubernetes_validate.validate(pod, RELEASES[-1], strict=True)


def test_the_base_has_every_process_that_is_no_part_of_dagster() -> None:
    runs = {name: container(pod)["command"] for name, pod in pods("example")}
    assert runs == {
        "prepare": ["shoplake", "prepare"],
        "spark": ["shoplake", "run", "spark"],
        "ingest": ["shoplake", "run", "ingest"],
        "dashboard": ["shoplake", "run", "dashboard"],
        "generator": ["shoplake", "run", "generator"],
        "executor": ["bash", "/etc/shoplake/executor/start.sh"],
    }
    assert "generator" not in dict(pods("base"))


def test_every_pod_keeps_to_the_restricted_standard() -> None:
    chart = {name: (part["podSecurityContext"], part["securityContext"]) for name, part in _parts_of_chart().items()}
    launcher = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
    chart["run"] = (launcher["runK8sConfig"]["podSpecConfig"]["securityContext"], launcher["securityContext"])
    ours = {name: (pod["spec"]["securityContext"], container(pod)["securityContext"]) for name, pod in pods("example")}
    for name, (of_pod, of_container) in (ours | chart).items():
        assert of_pod["runAsNonRoot"] is True, name
        assert of_pod["runAsUser"] == of_pod["runAsGroup"] == of_pod["fsGroup"] == 10000, name
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert of_container == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_only_drivers_have_a_token() -> None:
    for name, pod in pods("example"):
        spec = pod["spec"]
        is_driver = name in {"spark", "ingest"}
        assert spec.get("automountServiceAccountToken", True) is is_driver, name
        assert (spec.get("serviceAccountName") == "driver") is is_driver, name
    assert not [one for one in rendered("example") if one["kind"] in {"Secret", "ClusterRole", "ClusterRoleBinding"}]


def test_every_pod_has_bounds_and_no_variables_of_services() -> None:
    for name, pod in pods("example"):
        assert pod["spec"]["enableServiceLinks"] is False, name
        # Of an executor, Spark sets both.
        if name != "executor":
            resources = container(pod)["resources"]
            assert set(resources["requests"]) == {"cpu", "memory"}, name
            assert "memory" in resources["limits"], name
    for name, part in _parts_of_chart().items():
        assert set(part["resources"]["requests"]) == {"cpu", "memory"}, name
        assert "memory" in part["resources"]["limits"], name
    assert not CODE["name"].startswith("shoplake")


def test_base_chart_and_executors_have_one_image() -> None:
    images = {container(pod)["image"] for name, pod in pods("base") if name != "executor"}
    images |= {spark_settings(name)["spark.kubernetes.container.image"] for name in ("spark", "ingest")}
    images |= {f"{part['image']['repository']}:{part['image']['tag']}" for part in _parts_of_chart().values()}
    assert images == {f"registry.example.com/shoplake:{VERSION}"}


def test_who_changes_the_image_changes_that_of_executors() -> None:
    images = {container(pod)["image"] for name, pod in pods("example") if name != "executor"}
    drivers = [pod for name, pod in pods("example") if name in {"spark", "ingest"}]
    images |= {environment(pod, POD="", NAMESPACE="")["IMAGE"] for pod in drivers}
    assert images == {f"registry.my-company.example/shoplake:{VERSION}"}


def test_the_variables_are_settings(lake: Settings) -> None:
    assert lake.kafka.password is not None
    assert lake.kafka.password.get_secret_value() == "from-a-file"
    assert lake.catalog.kind == "postgres"
    mounts = {mount["mountPath"] for mount in container(dict(pods("base"))["spark"])["volumeMounts"]}
    assert mounts >= {named("base", "ConfigMap", "shoplake")["data"]["SHOPLAKE_SECRETS"], str(lake.home)}


def test_what_a_pod_sets_itself_are_settings_too(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, pod in pods("base"):
        with monkeypatch.context() as only_here:
            for variable, value in environment(pod, POD=f"{name}-0", NAMESPACE="shoplake").items():
                only_here.setenv(variable, value)
            settings = load_settings(secrets=lake.secrets)
        if name in {"spark", "ingest"}:
            assert settings.spark.driver_host == name
            assert settings.spark.conf["spark.kubernetes.driver.pod.name"] == f"{name}-0"


def test_both_drivers_make_their_executors_alike() -> None:
    spark, ingest = spark_settings("spark"), spark_settings("ingest")
    name = "spark.kubernetes.driver.pod.name"
    assert spark | {name: None} == ingest | {name: None}
    assert spark["spark.kubernetes.authenticate.executor.serviceAccountName"] == "lake"
    assert spark["spark.kubernetes.executor.podTemplateContainerName"] == container(executor_pod())["name"]
    # Named after its driver, an executor would be refused where one of the driver's last life lies about still.
    assert "spark.kubernetes.executor.podNamePrefix" not in spark


@pytest.mark.parametrize("driver", ["spark", "ingest"])
def test_executors_find_their_driver_by_its_name(driver: str) -> None:
    service, conf = named("base", "Service", driver)["spec"], spark_settings(driver)
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True
    ports = {port["port"] for port in service["ports"]}
    assert {int(conf["spark.driver.port"]), int(conf["spark.driver.blockManager.port"])} <= ports
    admitted = named("base", "NetworkPolicy", driver)["spec"]["ingress"]
    from_executors = [
        rule for rule in admitted if {"podSelector": {"matchLabels": {"app": "executor"}}} in rule["from"]
    ]
    assert [[port["port"] for port in rule["ports"]] for rule in from_executors] == [[7078, 7079]]
    assert executor_pod()["metadata"]["labels"]["app"] == "executor"


def test_every_port_that_is_served_is_admitted_for_somebody() -> None:
    for one in (one for one in rendered("base") if one["kind"] == "Service"):
        name = one["metadata"]["name"]
        policy = named("base", "NetworkPolicy", name)["spec"]
        assert policy["podSelector"] == {"matchLabels": one["spec"]["selector"]}
        admitted = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
        assert {port["port"] for port in one["spec"]["ports"]} == admitted, name
    assert named("base", "NetworkPolicy", "nobody")["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for name in ("dashboard", "run"):
        labels = CODE["labels"] if name == "run" else dict(pods("base"))[name]["metadata"]["labels"]
        assert labels["shoplake.client"] == "true"


def test_the_stream_never_runs_twice() -> None:
    ingest = named("base", "StatefulSet", "ingest")["spec"]
    assert ingest["replicas"] == 1
    (claim,) = ingest["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert "livenessProbe" not in container(ingest["template"])


def test_an_executor_starts_as_its_driver_wants(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(
        f'#!/bin/sh\n[ "$1" = --list-modules ] && exec echo "java.base@21\njdk.incubator.vector@21"\n'
        f'printf "%s\\n" "$@" > {tmp_path}/arguments\n'
    )
    java.chmod(0o755)
    script = tmp_path / "start.sh"
    text: str = named("base", "ConfigMap", "executor")["data"]["start.sh"]
    script.write_text(text.replace("cd /var/lib/shoplake", f"cd {tmp_path}"))
    spark = {
        "SPARK_EXECUTOR_MEMORY": "1024m",
        "SPARK_CONF_DIR": "/opt/spark/conf",
        "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@spark:7078",
        "SPARK_EXECUTOR_ID": "3",
        "SPARK_EXECUTOR_CORES": "1",
        "SPARK_APPLICATION_ID": "spark-1",
        "SPARK_EXECUTOR_POD_IP": "10.0.0.7",
        "SPARK_RESOURCE_PROFILE_ID": "0",
        "SPARK_EXECUTOR_POD_NAME": "shoplake-exec-3",
        # In the order of numbers, not of letters, and whole.
        **{f"SPARK_JAVA_OPT_{number}": f"-Dn={number} and a blank" for number in range(11)},
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    lake = {"SHOPLAKE_RUNTIME__JAVA": str(tmp_path), "SHOPLAKE_HOME": str(tmp_path), "PATH": path}
    arguments = ["bash", str(script), "executor"]
    subprocess.run(arguments, env=os.environ | spark | lake, check=True, timeout=60)  # noqa: S603  the script above
    said = (tmp_path / "arguments").read_text().splitlines()
    assert said[:13] == [*(f"-Dn={number} and a blank" for number in range(11)), "-Xms1024m", "-Xmx1024m"]
    assert said[13] == "-cp"
    assert said[14].startswith("/opt/spark/conf:")
    assert said[14].endswith("/pyspark/jars/*")
    assert said[15:] == [
        "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
        *("--driver-url", "spark://CoarseGrainedScheduler@spark:7078"),
        *("--executor-id", "3"),
        *("--cores", "1"),
        *("--app-id", "spark-1"),
        *("--hostname", "10.0.0.7"),
        *("--resourceProfileId", "0"),
        *("--podName", "shoplake-exec-3"),
    ]


def test_nothing_is_in_front_of_the_pages_by_itself() -> None:
    assert VALUES["ingress"] == {"enabled": False}
    assert VALUES["dagsterWebserver"]["enableReadOnly"] is True
    assert VALUES["dagsterWebserver"]["service"]["type"] == "ClusterIP"
    assert not [one for one in rendered("example") if one["kind"] == "Ingress"]
    services = [one["spec"] for one in rendered("example") if one["kind"] == "Service"]
    assert all(service.get("type", "ClusterIP") == "ClusterIP" for service in services)


def _parts_of_chart() -> dict[str, Manifest]:
    return {"webserver": VALUES["dagsterWebserver"], "daemon": DAEMON, "code-server": CODE}
