"""A run whose process is gone is found, even where nobody has reported it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import psutil  # type: ignore[import-untyped]
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test

from shoplake_assets.launcher import WatchedRunLauncher


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": "shoplake_assets.launcher", "class": "WatchedRunLauncher"}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"run_launcher": launcher}) as instance:
        yield instance


def started(instance: dg.DagsterInstance, *, pid: int | None) -> dg.DagsterRun:
    """A run that was started in such a process."""
    run: dg.DagsterRun = create_run_for_test(instance)
    instance.report_engine_event("enqueued", run)
    if pid is not None:
        instance.report_engine_event("started", run, EngineEventData.in_process(pid))
    return run


def health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    """What the launcher says of a run."""
    assert isinstance(instance.run_launcher, WatchedRunLauncher)
    return instance.run_launcher.check_run_worker_health(run).status


def test_a_run_lives_as_long_as_its_process(instance: dg.DagsterInstance) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    run = started(instance, pid=process.pid)
    assert health(instance, run) == WorkerStatus.RUNNING
    process.communicate(b"\n")
    assert health(instance, run) == WorkerStatus.NOT_FOUND


def test_a_process_that_was_given_the_number_of_another_is_not_taken_for_it(instance: dg.DagsterInstance) -> None:
    run = started(instance, pid=os.getpid())
    with patch.object(psutil.Process, "create_time", lambda _: time.time() + 3600):
        assert health(instance, run) == WorkerStatus.NOT_FOUND


def test_a_clock_that_is_set_forward_makes_no_live_run_dead(instance: dg.DagsterInstance) -> None:
    run = started(instance, pid=os.getpid())
    assert health(instance, run) == WorkerStatus.RUNNING
    with patch.object(psutil.Process, "create_time", lambda _: time.time() + 3600):
        assert health(instance, run) == WorkerStatus.RUNNING


def test_a_run_that_has_not_told_its_process_is_left_alone(instance: dg.DagsterInstance) -> None:
    assert health(instance, started(instance, pid=None)) == WorkerStatus.RUNNING


def test_a_run_whose_process_has_ended_is_given_up(instance: dg.DagsterInstance) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert health(instance, started(instance, pid=ended.pid)) == WorkerStatus.NOT_FOUND
