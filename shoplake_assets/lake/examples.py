"""Rows to show of a check that failed: up to ten, of as many kinds as there are.

Belongs here: finding them. They are looked for only when a check has failed, so a good refresh pays nothing. Does not
belong here: the check (`lake.auditing`, `lake.limits`).
"""

from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here
from pyspark.sql import Window  # noqa: TID253  only processes that hold a session come here

from shoplake_assets.contracts.contract import ContractType, table_of
from shoplake_assets.contracts.limits import Limit
from shoplake_assets.contracts.rules import row_rules
from shoplake_assets.lake.payloads import MOST_BYTES, shortened

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    Example = dict[str, str]

MOST = 10
# The Dagster UI does not break long lines, and what lies beside the screen is not read.
_WIDTH = 100
_MOST_REASONS = 20


def rows_that_break(rows: "DataFrame", *, contract: ContractType) -> "list[Example]":
    """Rows that break a rule of the contract, with the rules that they break."""
    told = (F.when(rule.breaks, F.lit(rule.broken)) for rule in row_rules(contract))
    judged = rows.withColumn("_breaks", F.array_compact(F.array(*told)))
    whole = F.to_json(F.struct(*rows.columns), {"ignoreNullFields": "false"})
    found = judged.where(F.size("_breaks") > 0).select(
        F.array_join("_breaks", "; ").alias("breaks"), whole.alias("row")
    )
    return [{"breaks": row["breaks"], "row": shortened(row["row"], most=_WIDTH)} for row in found.limit(MOST).collect()]


def keys_that_repeat(rows: "DataFrame", *, contract: ContractType) -> "list[Example]":
    """Keys that more than one row has, with the number of rows."""
    key = table_of(contract).key
    repeated = rows.groupBy(*key).agg(F.count(F.lit(1)).alias("rows")).where(F.col("rows") > 1)
    found = (
        repeated.orderBy(F.desc("rows"), *key).limit(MOST).select(*(F.col(name).cast("string") for name in key), "rows")
    )
    return [{name: shortened(str(value)) for name, value in row.asDict().items()} for row in found.collect()]


def odd_records(fates: "DataFrame", limit: Limit) -> "tuple[dict[str, int], list[Example]]":
    """What a limit counts: why they were rejected, if they were, and records with as many kinds of reasons as fit."""
    odd = fates.where(F.expr(f"({limit.odd}) AND ({limit.among})"))
    reasons = odd.select(F.explode("reasons").alias("reason")).groupBy("reason").count()
    counted = reasons.orderBy(F.desc("count"), "reason").limit(_MOST_REASONS).collect()
    first = Window.partitionBy("reasons").orderBy("topic_id", "partition", "offset")
    found = odd.withColumn("_place", F.row_number().over(first)).orderBy("_place", "partition", "offset").limit(MOST)
    columns: list[Column] = [F.col("partition"), F.col("offset"), F.array_join("reasons", "; ").alias("reasons")]
    examples = found.select(*columns, F.substring("payload", 1, MOST_BYTES).alias("payload")).collect()
    return {row["reason"]: row["count"] for row in counted}, [
        {
            "partition": str(row["partition"]),
            "offset": str(row["offset"]),
            "reasons": row["reasons"],
            "payload": shortened(None if row["payload"] is None else bytes(row["payload"]), most=_WIDTH),
        }
        for row in examples
    ]
