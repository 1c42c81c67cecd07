"""How runs are started: as Dagster does by itself, and with a look at whether their process still lives.

Belongs here: what Dagster's own launcher lacks. Does not belong here: what becomes of a run that is found dead, which
Dagster's run monitoring and run retries decide.

The code server reports the death of its runs. If it is killed together with one, nobody does: the run would count as
under way for ever, and every later refresh would wait for it.
"""

from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
from dagster import DagsterEventType
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

if TYPE_CHECKING:
    from dagster import DagsterRun, EventLogEntry
    from dagster._grpc.client import DagsterGrpcClient
    from dagster._serdes import ConfigurableClassData

# Between the start of a process and its first event, and for the rounding of clocks.
_LENIENCE_SECONDS = 1.0


class WatchedRunLauncher(DefaultRunLauncher):
    """Starts a run in a process of the code server, and tells whether that process is there.

    A process outlives the code server that started it and is left to finish; only one that is gone is given up.
    """

    def __init__(self, inst_data: "ConfigurableClassData | None" = None) -> None:
        super().__init__(inst_data)
        self._seen: dict[str, psutil.Process] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: "DagsterRun") -> CheckRunHealthResult:
        """Look for the process that has said it executes the run."""
        for entry in self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT):
            if (pid := _pid(entry)) is not None:
                if self._lives(run.run_id, pid, since=entry.timestamp):
                    return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=str(pid))
                return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"process {pid} is gone", run_worker_id=str(pid))
        return CheckRunHealthResult(WorkerStatus.RUNNING, "it has not told its process yet")

    def _lives(self, run_id: str, pid: int, *, since: float) -> bool:
        """Whether the process is there and is the one of then, not another that was given its number.

        When it began is told by the clock, which may be set forward later. So that is asked at the first look only;
        from then on the process is known.
        """
        self._seen = {seen: process for seen, process in self._seen.items() if process.is_running()}
        try:
            if run_id not in self._seen:
                process = psutil.Process(pid)
                if process.create_time() > since + _LENIENCE_SECONDS:
                    return False
                self._seen[run_id] = process
            return bool(self._seen[run_id].status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


class AskingRunLauncher(DefaultRunLauncher):
    """Starts a run in a process of a code server on another machine, and asks that server whether it still lives.

    There a run ends together with its code server, as in a container, so one that the server does not know is gone.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: "DagsterRun") -> CheckRunHealthResult:
        """Ask the code server; one that does not answer now is asked again at the next look."""
        client: DagsterGrpcClient | None = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "it has not been started yet, or has ended")
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "the code server does not answer")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel or self._has_ended(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code server, started since, does not know it")

    def _has_ended(self, run_id: str) -> bool:
        """Whether the run has ended since it was listed as one under way: its server forgets it then."""
        run = self._instance.get_run_by_id(run_id)
        return run is None or run.is_finished


def _pid(entry: "EventLogEntry") -> int | None:
    """The process that an event of the engine names, if it names one."""
    event = entry.dagster_event
    metadata = {} if event is None else event.engine_event_data.metadata
    value = metadata.get("pid")
    return None if value is None else int(str(value.value))
