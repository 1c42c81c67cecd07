"""The rehearsal runs what the compose file says, and says what it leaves out."""

import re
import shlex
from pathlib import Path

import pytest

from shoplake_assets.runtime.jars import Jars
from shoplake_assets.runtime.java import Java
from shoplake_assets_tests.cluster.compose import Composition, read_compose
from shoplake_assets_tests.cluster.local import NOT_REHEARSED, Machine, plan
from shoplake_assets_tests.cluster.variables import new_variables

REHEARSED = {
    *("kafka-1", "kafka-2", "kafka-3", "s3", "postgres", "prepare"),
    *("spark-master", "spark-worker-1", "spark-worker-2", "spark", "ingest"),
    *("code-server", "webserver", "daemon", "dashboard"),
}


@pytest.fixture
def composition(tmp_path: Path) -> Composition:
    return read_compose(new_variables(tmp_path))


def test_every_service_is_rehearsed_or_there_is_a_reason(composition: Composition) -> None:
    assert {told.name for told in composition.started} - set(NOT_REHEARSED) == REHEARSED
    assert set(composition.services) == REHEARSED | set(NOT_REHEARSED)


def test_a_process_is_told_what_its_container_is_told_but_for_machines_and_folders(
    composition: Composition, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, Java(Path("/java"), 21, "system"), Jars(spark=(), kafka=()))
    for told in composition.started:
        if told.name in NOT_REHEARSED | {"s3": ""}:
            continue
        planned = plan(told, composition, machine)
        for name, value in told.environment.items():
            here = re.sub(r"[a-z0-9-]+\.shoplake\.internal|0\.0\.0\.0", "127.0.0.1", value)
            here = re.sub("^(/var/lib/(shoplake|kafka)|/etc)", lambda path: f"{tmp_path}/{told.name}{path[0]}", here)  # noqa: B023
            assert planned.environment[name] == here, (told.name, name)
        if told.command and told.name != "postgres":
            said = " ".join(told.command).replace(f"{told.name}.shoplake.internal", "127.0.0.1")
            assert shlex.join(planned.command) == said.replace("spark-master.shoplake.internal", "127.0.0.1")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("$NAME ${NAME} $$NAME", "value value $NAME"),
        ("${NAME:-other} ${EMPTY:-other} ${ABSENT:-other}", "value other other"),
        ("${NAME-other}|${EMPTY-other}|${ABSENT-other}", "value||other"),
        ("${EMPTY?needed}|${NAME:?needed}", "|value"),
        ("${ABSENT:-spark://host:7077}", "spark://host:7077"),
    ],
)
def test_variables_are_replaced_as_compose_does(text: str, meant: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(f"services: {{one: {{image: '{text}'}}}}")
    told = read_compose({"NAME": "value", "EMPTY": ""}, file=file)
    assert told.services["one"].image == meant


def test_a_variable_that_is_needed_and_absent_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services: {one: {image: '${ABSENT:?run it first}'}}")
    with pytest.raises(KeyError, match="ABSENT: run it first"):
        read_compose({}, file=file)
