"""What the command line asks of a running Dagster, over its GraphQL API.

Belongs here: putting a question, runs under way, starting a refresh, how a run ended and what it made. Does not belong
here: anything that the code location defines, or how well things are (`health.orchestrator`).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.dagster_home import LOCATION
from shoplake_assets.runtime.internal import internal_client

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

REFRESH_JOB = "refresh"
SILVER_OP = "silver"

_LAYERS = ("silver", "gold")
_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 1.0
_UNDER_WAY = ["QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING"]
_RUNS = """query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter, limit: 20) {
    __typename
    ... on Runs { results { runId jobName assetSelection { path } } }
    ... on PythonError { message }
  }
}"""
_RUN = """query Run($id: ID!) {
  runOrError(runId: $id) { ... on Run { status } }
  logsForRun(runId: $id) {
    ... on EventConnection { events {
      ... on ExecutionStepFailureEvent { error { message } failureMetadata { description } }
      ... on RunFailureEvent { message }
    } }
  }
}"""
_LAUNCH = """mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
_FIGURES = """query Figures($id: ID!) {
  runOrError(runId: $id) {
    ... on Run { assetMaterializations {
      assetKey { path }
      metadataEntries { label ... on IntMetadataEntry { intRepr } }
    } }
  }
}"""
_OURS = "shoplake/"
# What a webserver that was started with --read-only gives in the place of what was asked.
_UNAUTHORIZED = "UnauthorizedError"


@dataclass(frozen=True)
class RunOutcome:
    """How a run stands.

    Attributes:
        status: Dagster's word for it, such as `STARTED`, `SUCCESS` or `FAILURE`.
        failure: Why it failed, in one line; None if it did not.
    """

    status: str
    failure: str | None

    @property
    def under_way(self) -> bool:
        """Whether it will still do something."""
        return self.status in _UNDER_WAY


def refreshes_under_way(settings: "Settings") -> list[str]:
    """Ids of the runs that are queued or work on Silver or Gold.

    Raises:
        ShoplakeError: Dagster does not answer.
    """
    found = ask(settings, _RUNS, {"filter": {"statuses": _UNDER_WAY}})["runsOrError"]
    return [run["runId"] for run in found.get("results", ()) if is_refresh(run)]


def is_refresh(run: Mapping[str, Any]) -> bool:
    """Whether a run, told with its `jobName` and `assetSelection`, works on Silver or Gold."""
    return run["jobName"] == REFRESH_JOB or any(key["path"][0] in _LAYERS for key in run["assetSelection"] or ())


def launch_refresh(settings: "Settings", *, silver: Mapping[str, Any] | None = None) -> str:
    """Start the refresh job and give the run's id.

    Args:
        settings: The lake.
        silver: What Silver shall do in this run other than usual.

    Raises:
        ShoplakeError: Dagster does not answer, only shows, or refuses.
    """
    selector = {
        "repositoryLocationName": LOCATION,
        "repositoryName": "__repository__",
        "jobName": REFRESH_JOB,
    }
    params = {"selector": selector, "runConfigData": run_config(silver)}
    answer = ask(settings, _LAUNCH, {"params": params})["launchRun"]
    if answer["__typename"] == _UNAUTHORIZED:
        raise ShoplakeError(
            f"the Dagster UI at {settings.dagster_url} is read-only and starts nothing. Set SHOPLAKE_DAGSTER__HOST and "
            "SHOPLAKE_DAGSTER__PORT to the one of operators, or start one with SHOPLAKE_DAGSTER__READ_ONLY=false; "
            "docs/security.md shows how."
        )
    if answer["__typename"] != "LaunchRunSuccess":
        raise ShoplakeError(f"Dagster refuses the refresh: {_refusal(answer)}")
    run_id: str = answer["run"]["runId"]
    return run_id


def run_config(silver: Mapping[str, Any] | None) -> dict[str, Any]:
    """The refresh job's run config in which Silver is configured so."""
    return {} if silver is None else {"ops": {SILVER_OP: {"config": dict(silver)}}}


def _refusal(answer: Mapping[str, Any]) -> str:
    """Why a run was not started, in one line."""
    given = [answer["message"]] if "message" in answer else [error["message"] for error in answer.get("errors", ())]
    return "; ".join(" ".join(message.split()) for message in given) or str(answer["__typename"])


def run_outcome(settings: "Settings", run_id: str) -> RunOutcome:
    """Ask how a run stands.

    Raises:
        ShoplakeError: Dagster does not answer.
    """
    answer = ask(settings, _RUN, {"id": run_id})
    reasons = [
        (event.get("failureMetadata") or {}).get("description") or event["error"]["message"]
        for event in answer["logsForRun"].get("events", ())
        if event.get("error")
    ]
    status = answer["runOrError"].get("status", "CANCELED")
    failure = reasons[0].strip().splitlines()[0] if reasons else None
    return RunOutcome(status, failure if status == "FAILURE" else None)


def wait_for_run(settings: "Settings", run_id: str, *, timeout_seconds: float) -> RunOutcome:
    """Wait until a run has ended, well or not.

    Raises:
        ShoplakeError: It has not ended in time, or Dagster does not answer.
    """
    deadline = time.monotonic() + timeout_seconds
    while (outcome := run_outcome(settings, run_id)).under_way:
        if time.monotonic() > deadline:
            where = f"{settings.dagster_link}/runs/{run_id}"
            raise ShoplakeError(f"the run is still under way after {timeout_seconds:.0f} s, and goes on: {where}.")
        time.sleep(_POLL_SECONDS)
    return outcome


def figures_of(settings: "Settings", run_id: str, *, table: str) -> dict[str, int]:
    """The whole numbers that a run's materialization of a table reports; none if it reports none.

    Raises:
        ShoplakeError: Dagster does not answer.
    """
    run = ask(settings, _FIGURES, {"id": run_id})["runOrError"]
    figures: dict[str, int] = {}
    for made in run.get("assetMaterializations", ()):
        if ".".join(made["assetKey"]["path"]) == table:
            numbers = [entry for entry in made["metadataEntries"] if "intRepr" in entry]
            figures = {entry["label"].removeprefix(_OURS): int(entry["intRepr"]) for entry in numbers}
    return figures


def ask(
    settings: "Settings", query: str, variables: dict[str, Any], *, patience_seconds: float = _PATIENCE_SECONDS
) -> dict[str, Any]:
    """Put a question in GraphQL and give the `data` of its answer.

    Args:
        settings: The lake.
        query: The question.
        variables: Its variables.
        patience_seconds: Seconds to wait for each step of the answer.

    Raises:
        ShoplakeError: Dagster does not answer, or refuses.
    """
    url = f"{settings.dagster_url}/graphql"
    try:
        with internal_client(timeout=patience_seconds) as client:
            document = client.post(url, json={"query": query, "variables": variables}).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise ShoplakeError(f"Dagster does not answer at {url} ({error}). 'shoplake up' starts it.") from error
    if "errors" in document:
        raise ShoplakeError(f"Dagster at {url} refuses: {document['errors'][0]['message']}")
    data: dict[str, Any] = document["data"]
    return data
