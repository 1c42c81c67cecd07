"""A run in a code server on another machine: whether it lives is asked of that server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil  # type: ignore[import-untyped]
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget

from shoplake_assets.launcher import AskingRunLauncher
from shoplake_assets.runtime.ports import free_ports
from shoplake_assets.runtime.probes import probes
from shoplake_assets.settings import load_settings
from shoplake_assets_tests.waiting import wait_until

CODE = """
import dagster as dg, pathlib, time

@dg.op
def waits():
    while not pathlib.Path({file!r}).exists():
        time.sleep(0.1)

@dg.job(executor_def=dg.in_process_executor)
def job():
    waits()

defs = dg.Definitions(jobs=[job])
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": "shoplake_assets.launcher", "class": "AskingRunLauncher"}
    (tmp_path / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance"), overrides={"run_launcher": launcher}) as instance:
        yield instance


@contextmanager
def code_server(folder: Path, *, port: int) -> Iterator[None]:
    """A real code server; it ends together with its runs, as in a container."""
    code = folder / "code.py"
    code.write_text(CODE.format(file=str(folder / "done")))
    command = [sys.executable, "-m", "dagster", "api", "grpc", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  as the product starts it, with other code
            [*command, "--python-file", str(code), "--location-name", "elsewhere"], stdout=log, stderr=log
        )
    serves = probes(load_settings(dagster={"code_server_port": port}))["code-server"]
    try:
        wait_until(lambda: serves(0.0), what="the code server serves", seconds=120)
        yield
    finally:
        for each in [*psutil.Process(process.pid).children(recursive=True), process]:
            each.kill()
        process.wait()


def launched(instance: dg.DagsterInstance, *, port: int) -> dg.DagsterRun:
    """A run that the code server has started."""
    target = GrpcServerTarget(host="127.0.0.1", port=port, socket=None, location_name="elsewhere")
    with WorkspaceProcessContext(instance, target) as context:
        workspace = context.create_request_context()
        (repository,) = workspace.get_code_location("elsewhere").get_repositories().values()
        job = repository.get_full_job("job")
        run: dg.DagsterRun = create_run_for_test(
            instance,
            job_name="job",
            remote_job_origin=job.get_remote_origin(),
            job_code_origin=job.get_python_origin(),
        )
        return instance.launch_run(run.run_id, workspace)


def health(instance: dg.DagsterInstance, run_id: str) -> WorkerStatus:
    """What the launcher says of a run."""
    assert isinstance(instance.run_launcher, AskingRunLauncher)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return instance.run_launcher.check_run_worker_health(run).status


def test_a_run_lives_as_long_as_its_code_server_knows_it(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with code_server(tmp_path, port=port):
        run = launched(instance, port=port)
        assert json.loads(instance.get_run_by_id(run.run_id).tags[GRPC_INFO_TAG])["port"] == port  # type: ignore[union-attr]
        assert health(instance, run.run_id) == WorkerStatus.RUNNING
        wait_until(lambda: started(instance, run.run_id), what="the run has started")
        assert health(instance, run.run_id) == WorkerStatus.RUNNING
    # Gone, it cannot be asked, and nothing is given up on its account.
    assert health(instance, run.run_id) == WorkerStatus.RUNNING
    with code_server(tmp_path, port=port):
        assert health(instance, run.run_id) == WorkerStatus.NOT_FOUND
        # What has ended is not given up either, although its server has forgotten it.
        (tmp_path / "done").touch()
        other = launched(instance, port=port)
        wait_until(lambda: instance.get_run_by_id(other.run_id).is_finished, what="the run has ended")  # type: ignore[union-attr]
        assert instance.get_run_by_id(other.run_id).status == dg.DagsterRunStatus.SUCCESS  # type: ignore[union-attr]
        assert health(instance, other.run_id) == WorkerStatus.RUNNING


def started(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether the process of a run has said that it works."""
    run = instance.get_run_by_id(run_id)
    return run is not None and run.status == dg.DagsterRunStatus.STARTED
