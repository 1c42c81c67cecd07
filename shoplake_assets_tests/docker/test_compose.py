"""`docker/compose.yaml` keeps its promises, as far as they can be seen without Docker."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shoplake_assets.runtime.jars import Jars
from shoplake_assets.runtime.java import Java
from shoplake_assets.runtime.probes import probes
from shoplake_assets.runtime.processes import all_processes
from shoplake_assets.settings import load_settings
from shoplake_assets_tests.docker.composing import (
    COMPOSE,
    DOCKER,
    THIRD_WORKER,
    document,
    services,
    texts,
)

SERVICES = services()
OURS = "${LAKE_IMAGE:-shoplake:0.2.0}"
# Ends, or serves nobody.
NOT_ASKED = {"prepare", "generator"}
PROFILES = {
    "kafka": {"kafka-1", "kafka-2", "kafka-3"},
    "s3": {"s3"},
    "postgres": {"postgres"},
    "spark-cluster": {"spark-master", "spark-worker-1", "spark-worker-2"},
    "spark-connect": {"spark"},
    "generator": {"generator"},
    "monitoring": {"prometheus", "grafana"},
    "sso": {"sso", "webserver-read-only"},
}
ALWAYS = {"prepare", "ingest", "code-server", "webserver", "daemon", "dashboard"}
CONTROLLERS = {"kafka-1": 19092, "kafka-2": 19094, "kafka-3": 19096}
NAME = re.compile(r"([a-z0-9][a-z0-9-]*)\.shoplake\.internal(?::(\d+))?")

each_service = pytest.mark.parametrize(("name", "service"), SERVICES.items(), ids=SERVICES)


def profiles(service: dict[str, Any]) -> set[str]:
    return set(service.get("profiles", ()))


def ports(name: str) -> set[int]:
    """Every port that a service listens on."""
    published = {int(port.split(":")[-1]) for port in SERVICES[name].get("ports", ())}
    return published | {CONTROLLERS[name]} if name in CONTROLLERS else published


def validators() -> dict[str, list[str]]:
    """The programs that are here which know what a compose file is, and how each takes those of this folder."""
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    found = {"schema": [*schema, str(COMPOSE), str(THIRD_WORKER)]}
    docker = shutil.which("docker")
    if docker and not subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:  # noqa: S603  ours
        everything = [part for profile in PROFILES for part in ("--profile", profile)]
        files = ["-f", str(COMPOSE), "-f", str(THIRD_WORKER), "--env-file", ".env"]
        found["Docker Compose"] = [docker, "compose", *files, *everything, "config", "--quiet"]
    return found


@pytest.mark.parametrize("command", validators().values(), ids=validators())
def test_the_compose_files_are_such(command: list[str], tmp_path: Path) -> None:
    subprocess.run([DOCKER / "make-env", ".env"], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603  as above
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603  as above
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_these_services_and_a_part_that_one_has_elsewhere_can_be_left_out() -> None:
    found = document()["services"]
    assert {name for name, service in found.items() if not profiles(service)} == ALWAYS
    for profile, members in PROFILES.items():
        assert {name for name, service in found.items() if profile in profiles(service)} == members
    assert len(found) == len(ALWAYS) + sum(len(members) for members in PROFILES.values())


@each_service
def test_an_image_is_pinned_by_a_tag(name: str, service: dict[str, Any]) -> None:
    if service["image"] != OURS:
        assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"])


def test_every_process_of_ours_and_of_spark_is_of_one_image_that_is_built_once() -> None:
    ours = {name for name, service in SERVICES.items() if service["image"] == OURS}
    assert ours == {
        *("prepare", "spark-master", "spark-worker-1", "spark-worker-2", "spark-worker-3", "spark", "ingest"),
        *("code-server", "webserver", "webserver-read-only", "daemon", "dashboard", "generator"),
    }
    assert {name: service["build"] for name, service in SERVICES.items() if "build" in service} == {
        "prepare": {"context": "..", "dockerfile": "docker/Dockerfile"}
    }


@each_service
def test_a_service_is_asked_whether_it_serves(name: str, service: dict[str, Any]) -> None:
    if name in NOT_ASKED:
        assert "healthcheck" not in service
        return
    test = service["healthcheck"]["test"]
    said = test if isinstance(test, str) else " ".join(test)
    assert not re.search(r"/dev/tcp|\bnc\b|ncat|telnet|pg_isready", said), "that a port is open says little"
    assert {"interval", "timeout", "retries", "start_period", "start_interval"} <= service["healthcheck"].keys()


@each_service
def test_a_service_is_bounded_and_has_no_more_rights_than_it_needs(name: str, service: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["restart"] == ("no" if name == "prepare" else "unless-stopped")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert service["logging"] == {"driver": "local", "options": {"max-size": "10m", "max-file": "3"}}
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "container_name"}
    assert service.get("user") not in {"root", "0"}


def test_ports_are_published_to_this_machine_only_under_the_numbers_they_have_inside_and_each_once() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    numbers = [re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in published]
    assert all(numbers), published
    assert [port for port, times in Counter(published).items() if times > 1] == []
    assert {name: ports(name) for name in SERVICES if ports(name)} == {
        "kafka-1": {9092, 19092},
        "kafka-2": {9094, 19094},
        "kafka-3": {9096, 19096},
        "s3": {9000, 9001},
        "postgres": {5432},
        "spark-master": {7077, 8081},
        "spark-worker-1": {7078, 8082},
        "spark-worker-2": {7079, 8083},
        "spark-worker-3": {7080, 8084},
        "spark": {15002, 4040},
        "ingest": {9108, 4041},
        "code-server": {4266},
        "webserver": {3000},
        "webserver-read-only": {3002},
        "dashboard": {8050},
        "sso": {4180},
        "prometheus": {9090},
        "grafana": {3001},
    }


@each_service
def test_a_service_has_one_name_inside_and_outside(name: str, service: dict[str, Any]) -> None:
    alone = f"{name}.shoplake.internal"
    assert (service["hostname"], service["networks"]) == (alone, {"default": {"aliases": [alone]}})


@each_service
def test_what_a_service_is_told_to_talk_to_is_there(name: str, service: dict[str, Any]) -> None:
    for text in texts(service):
        assert "localhost" not in text
        assert "127.0.0.1" not in text
        for other, port in NAME.findall(text):
            assert other in SERVICES, text
            assert not port or int(port) in ports(other), text


@each_service
def test_a_service_waits_for_what_it_needs_unless_that_is_elsewhere(name: str, service: dict[str, Any]) -> None:
    for other, wait in service.get("depends_on", {}).items():
        assert wait["condition"] == ("service_completed_successfully" if other == "prepare" else "service_healthy")
        may_be_absent = not profiles(SERVICES[other]) <= profiles(service) and name != "spark-worker-3"
        assert wait.get("required", True) is not may_be_absent, other


def test_the_processes_that_are_run_and_asked_exist() -> None:
    settings = load_settings()
    java, jars = Java(home=Path("/opt/java"), version=21, source="system"), Jars(spark=(), kafka=())
    known = {spec.name for spec in all_processes(settings, java, jars)}
    for name, service in SERVICES.items():
        match service.get("command"):
            case ["shoplake", "run", process]:
                assert process in known
                assert process == name.removesuffix("-read-only")
                asked = service.get("healthcheck", {}).get("test")
                assert name in NOT_ASKED or asked == ["CMD", "shoplake", "ready", process]
                assert name in NOT_ASKED or process in probes(settings)
            case ["shoplake", command, *_]:
                assert (name, command) == ("prepare", "prepare")


def test_volumes_are_declared_and_what_is_mounted_from_here_exists_and_cannot_be_written() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", ())]
    named = {source for source, *_ in mounts if not source.startswith(".")}
    assert named == document()["volumes"].keys() | document(THIRD_WORKER)["volumes"].keys()
    here = [mount for mount in mounts if mount[0].startswith(".")]
    assert all((DOCKER / source).exists() and mode == "ro" for source, _, mode in here)


def test_a_record_is_on_three_brokers_and_acknowledged_by_two() -> None:
    for number in (1, 2, 3):
        told = SERVICES[f"kafka-{number}"]["environment"]
        assert told["KAFKA_NODE_ID"] == str(number)
        assert (told["KAFKA_DEFAULT_REPLICATION_FACTOR"], told["KAFKA_MIN_INSYNC_REPLICAS"]) == ("3", "2")
        assert told["KAFKA_ADVERTISED_LISTENERS"] == told["KAFKA_LISTENERS"].split(",")[0]
    assert len({SERVICES[f"kafka-{number}"]["environment"]["CLUSTER_ID"] for number in (1, 2, 3)}) == 1


def test_the_third_worker_is_the_second_with_other_numbers() -> None:
    def renumbered(value: Any) -> Any:
        match value:
            case dict():
                return {key: renumbered(inner) for key, inner in value.items() if key != "profiles"}
            case list():
                return [renumbered(inner) for inner in value]
            case str():
                return value.replace("worker-2", "worker-3").replace("7079", "7080").replace("8083", "8084")
            case _:
                return value

    assert SERVICES["spark-worker-3"] == renumbered(SERVICES["spark-worker-2"])
