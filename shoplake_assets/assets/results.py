"""From what a refresh found out to what Dagster shows.

Belongs here: the translation of `lake.refresh` into Dagster's results, with metadata under Dagster's own keys where it
has one. Does not belong here: any judgement.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from shoplake_assets.assets.check_specs import check_specs
from shoplake_assets.assets.specification import key_of, table_column_lineage
from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from shoplake_assets.lake.position import Position
    from shoplake_assets.lake.refresh import AuditFailedError, Check, Refresh
    from shoplake_assets.resources import LakeConnection


def materialized(
    refresh: "Refresh", *, connection: "LakeConnection", end: "Position | None"
) -> dg.MaterializeResult[None]:
    """The materialization of a table.

    Args:
        refresh: What was published.
        connection: Where the table is.
        end: The end of Kafka, for the lag; None while it does not answer.
    """
    metadata: dict[str, Any] = {
        "dagster/row_count": refresh.rows,
        "dagster/uri": connection.table(refresh.table).location(),
        "dagster/column_lineage": table_column_lineage(refresh.table),
        "shoplake/what": refresh.says,
        "shoplake/snapshot_id": str(refresh.snapshot_id),
        **position_metadata(refresh.position, end=end),
        **{f"shoplake/{name}": value for name, value in refresh.metadata.items()},
    }
    return dg.MaterializeResult(
        asset_key=key_of(refresh.table), metadata=metadata, data_version=dg.DataVersion(str(refresh.snapshot_id))
    )


def position_metadata(position: "Position", *, end: "Position | None") -> dict[str, Any]:
    """Position and lag, as every layer shows them."""
    lag = {} if end is None else {"shoplake/lag_events": position.events_behind(end)}
    return {"shoplake/position": dg.MetadataValue.json(_tree(position)), **lag}


def checked(checks: "Sequence[Check]") -> Iterator[dg.AssetCheckResult]:
    """Check results, each with the sentence that says what was found."""
    for check in checks:
        yield dg.AssetCheckResult(
            asset_key=key_of(check.table),
            check_name=check.name,
            passed=check.passed,
            severity=severity_of(blocks=check.blocks),
            description=check.says,
            metadata=check_metadata(check),
        )


def severity_of(*, blocks: bool) -> dg.AssetCheckSeverity:
    """An error if the check blocks; else a warning. The same whether it passes or not, so that it has one meaning."""
    return dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN


def standing(table: str, *, judged: "Sequence[Check]") -> Iterator[dg.AssetCheckResult]:
    """The checks of a table that had nothing to judge in this refresh, so that each run shows all of them.

    What is published was let through by those that block, and those that warn are about new records only.
    """
    done = {check.name for check in judged if check.table == table}
    for spec in check_specs(table):
        if spec.name not in done:
            says = "nothing new to judge" + ("; what is published has passed this check" if spec.blocking else "")
            yield dg.AssetCheckResult(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=True,
                severity=severity_of(blocks=spec.blocking),
                description=says,
            )


def leave_standing(context: dg.AssetExecutionContext, tables: "Sequence[str]", *, because: str) -> None:
    """Report the checks of tables that a refused run was to refresh and now leaves alone.

    Dagster would show them as failed, because the run that planned them failed, and on-call people would look for the
    fault where there is none.
    """
    chosen = context.run.asset_selection
    for table in tables:
        if chosen is None or key_of(table) in chosen:
            for spec in check_specs(table):
                context.instance.report_runless_asset_event(
                    dg.AssetCheckEvaluation(
                        asset_key=spec.asset_key,
                        check_name=spec.name,
                        passed=True,
                        severity=severity_of(blocks=spec.blocking),
                        description=f"not refreshed: {because}; what is published has passed this check",
                    )
                )


@contextmanager
def following_contracts() -> Iterator[None]:
    """Fail a run at once when a table cannot follow its contract: a retry would meet the same table.

    Raises:
        dg.Failure: It cannot; the description says which and what to do.
    """
    from shoplake_assets.contracts.evolution import IncompatibleContractError

    try:
        yield
    except IncompatibleContractError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def refused(failures: "Sequence[AuditFailedError]") -> dg.Failure:
    """The failure of a run in which audits failed; the same data would fail again, so it is not retried."""
    return dg.Failure(
        description="\n".join(str(failure) for failure in failures),
        metadata={f"branch of {failure.table}": failure.branch for failure in failures},
        allow_retries=False,
    )


def _tree(position: "Position") -> dict[str, dict[str, int]]:
    tree: dict[str, dict[str, int]] = {}
    for topic, partition, offset in position:
        tree.setdefault(topic, {})[str(partition)] = offset
    return tree


def check_metadata(check: "Check") -> dict[str, Any]:
    """The figures of a check, and of a failed one what is wrong with which rows, and where to look at them."""
    report: dict[str, Any] = {}
    if check.broken:
        report["broken rules"] = _table([{"rows": count, "rule": rule} for rule, count in check.broken.items()])
    if check.examples:
        report["examples"] = _table(check.examples)
    if check.branch is not None:
        report["branch to inspect"] = f"{CATALOG}.{check.table}.branch_{check.branch}"
    return {**report, **{name: _shown(value) for name, value in check.metadata.items()}}


def _shown(value: Any) -> Any:
    """The value in the type that Dagster shows best."""
    if isinstance(value, Mapping):
        return dg.MetadataValue.json(dict(value))
    return dg.MetadataValue.json(list(value)) if isinstance(value, list | tuple) else value


def _table(rows: "Sequence[Mapping[str, str | int]]") -> dg.MetadataValue[Any]:
    columns = [dg.TableColumn(name, "int" if isinstance(value, int) else "string") for name, value in rows[0].items()]
    return dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows], dg.TableSchema(columns=columns))
