"""What Dagster knows of the lake's health: checks, freshness, refreshes.

Belongs here: the questions, and the pure reading of their answers. Does not belong here: GraphQL's transport
(`runtime.dagster_api`), any judgement.

Dagster tells the newest execution of all checks at once, and those before only check by check, for ten times the price.
So the second question is asked for the checks alone whose newest execution says nothing: planned by a refresh that is
under way, or older than the newest materialization.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.health.state import CheckHealth, Freshness, RefreshHealth
from shoplake_assets.runtime.dagster_api import ask, is_refresh
from shoplake_assets.tables import ALL

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

_PATIENCE_SECONDS = 4.0
_FINISHED = ["SUCCESS", "FAILURE", "CANCELED"]
# Finished runs that are looked through; exports, maintenance and verification are among them.
_RUNS = 60
_REFRESHES = 20
# Executions of a check that are looked through: the newest may be planned only, or of runs that died before it.
_EXECUTIONS = 5
_EXECUTION = """fragment Execution on AssetCheckExecution {
  evaluation {
    success severity description timestamp
    metadataEntries { label ... on IntMetadataEntry { intRepr } ... on FloatMetadataEntry { floatValue } }
  }
}"""
_LAKE = (
    _EXECUTION
    + """
query Lake($tables: [AssetKeyInput!], $finished: RunsFilter!, $runs: Int!) {
  assetNodes(assetKeys: $tables) {
    assetKey { path }
    freshnessStatusInfo { freshnessStatus }
    assetChecksOrError { ... on AssetChecks {
      checks { name blocking executionForLatestMaterialization { ...Execution } }
    } }
  }
  runsOrError(filter: $finished, limit: $runs) {
    ... on Runs { results { runId jobName status startTime endTime assetSelection { path } } }
    ... on PythonError { message }
  }
}"""
)
_FRESHNESS = {
    "HEALTHY": Freshness.FRESH,
    "WARNING": Freshness.STALE,
    "DEGRADED": Freshness.STALE,
    "UNKNOWN": Freshness.UNKNOWN,
}

_Node = Mapping[str, Any]
_Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What Dagster says of the lake.

    Attributes:
        checks: Every check of every table, by table and name.
        freshness: Each table with a policy.
        refreshes: The newest finished refreshes, newest first.
    """

    checks: tuple[CheckHealth, ...]
    freshness: Mapping[str, Freshness]
    refreshes: tuple[RefreshHealth, ...]


NOTHING = Verdicts(checks=(), freshness={}, refreshes=())


def ask_dagster(settings: "Settings") -> Verdicts:
    """Ask for all of it.

    Raises:
        ShoplakeError: Dagster does not answer, or refuses.
    """
    tables = [{"path": name.split(".")} for name in ALL]
    variables = {"tables": tables, "finished": {"statuses": _FINISHED}, "runs": _RUNS}
    lake = ask(settings, _LAKE, variables, patience_seconds=_PATIENCE_SECONDS)
    if "message" in lake["runsOrError"]:
        raise ShoplakeError(f"Dagster cannot tell its runs: {lake['runsOrError']['message']}")
    silent = silent_checks(lake["assetNodes"])
    earlier = ask(settings, earlier_question(silent), {}, patience_seconds=_PATIENCE_SECONDS) if silent else {}
    return Verdicts(
        checks=checks_of(lake["assetNodes"], earlier=dict(zip(silent, earlier.values(), strict=True))),
        freshness=freshness_of(lake["assetNodes"]),
        refreshes=refreshes_of(lake["runsOrError"]["results"]),
    )


def silent_checks(nodes: Iterable[_Node]) -> list[_Key]:
    """Table and name of the checks whose newest execution says nothing."""
    return [
        (_table(node), check["name"])
        for node in nodes
        for check in _checks(node)
        if not (check["executionForLatestMaterialization"] or {}).get("evaluation")
    ]


def earlier_question(checks: Sequence[_Key]) -> str:
    """The question for the newest executions of the checks, one field for each, in their order."""
    fields = [
        f"c{number}: assetCheckExecutions(assetKey: {{path: {json.dumps(table.split('.'))}}}, "
        f"checkName: {json.dumps(name)}, limit: {_EXECUTIONS}) {{ ...Execution }}"
        for number, (table, name) in enumerate(checks)
    ]
    return f"{_EXECUTION}\nquery Earlier {{\n{chr(10).join(fields)}\n}}"


def checks_of(
    nodes: Iterable[_Node], *, earlier: Mapping[_Key, Sequence[Mapping[str, Any]]]
) -> tuple[CheckHealth, ...]:
    """Every check with its last finished evaluation.

    Args:
        nodes: The tables, as Dagster tells them.
        earlier: Executions of the checks whose newest says nothing, newest first.
    """
    found = []
    for node in nodes:
        for check in _checks(node):
            newest = check["executionForLatestMaterialization"]
            executions = [*([newest] if newest else []), *earlier.get((_table(node), check["name"]), ())]
            found.append(_check(node, check, [one["evaluation"] for one in executions if one["evaluation"]]))
    return tuple(sorted(found, key=lambda check: (ALL.index(check.table), check.name)))


def _check(node: _Node, check: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]]) -> CheckHealth:
    known: dict[str, Any] = {"table": _table(node), "name": check["name"], "blocking": check["blocking"]}
    if not evaluations:
        return CheckHealth(**known, passed=None, severe=check["blocking"], says="", at=None)
    last = evaluations[0]
    return CheckHealth(
        **known,
        passed=last["success"],
        severe=last["severity"] == "ERROR",
        says=last["description"] or "",
        at=_moment(last["timestamp"]),
        figures=dict(_figures(last["metadataEntries"])),
    )


def _figures(entries: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, float]]:
    for entry in entries:
        if (number := entry.get("intRepr", entry.get("floatValue"))) is not None:
            yield entry["label"], float(number)


def freshness_of(nodes: Iterable[_Node]) -> dict[str, Freshness]:
    """Each table with a policy, and whether it keeps it."""
    told = {_table(node): (node["freshnessStatusInfo"] or {}).get("freshnessStatus") for node in nodes}
    return {table: _FRESHNESS[status] for table, status in told.items() if status in _FRESHNESS}


def refreshes_of(runs: Iterable[Mapping[str, Any]]) -> tuple[RefreshHealth, ...]:
    """The newest refreshes among finished runs; one that was cancelled before it began took no time."""
    found = [
        RefreshHealth(
            run_id=run["runId"],
            ended_at=_moment(run["endTime"]),
            seconds=run["endTime"] - (run["startTime"] or run["endTime"]),
            succeeded=run["status"] == "SUCCESS",
        )
        for run in runs
        if is_refresh(run) and run["endTime"]
    ]
    return tuple(sorted(found, key=lambda run: run.ended_at, reverse=True)[:_REFRESHES])


def _table(node: _Node) -> str:
    return ".".join(node["assetKey"]["path"])


def _checks(node: _Node) -> Sequence[Mapping[str, Any]]:
    checks: Sequence[Mapping[str, Any]] = node["assetChecksOrError"].get("checks", ())
    return checks


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
