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
            here = re.sub(r"[a-z0-9-]+\.shoplake\.internal", "localhost", value).replace("0.0.0.0", "127.0.0.1")  # noqa: S104  as text
            here = re.sub(r"(?<![\w/])/var/lib/(shoplake|kafka)", rf"{tmp_path}/{told.name}\g<0>", here)
            assert planned.environment[name] == here, (told.name, name)
        if told.command and told.name != "postgres":
            said = re.sub(r"spark-[a-z0-9-]+\.shoplake\.internal", "localhost", " ".join(told.command))
            assert shlex.join(planned.command) == said
