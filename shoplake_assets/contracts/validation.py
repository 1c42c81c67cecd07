"""Does a table keep its contract?

Belongs here: the verdict on a DataFrame. Pandera judges the schema; the rows are judged by all rules of the contract in
one pass, because Pandera would run one Spark job for each check. Does not belong here: when this happens, and what
follows from it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
from pandera.config import ValidationDepth, config_context

from shoplake_assets.contracts.contract import ContractType
from shoplake_assets.contracts.rules import row_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True)
class Verdict:
    """What a validation found.

    Attributes:
        rows: Rows that were looked at.
        schema_errors: What Pandera says of columns and types, a line each.
        broken: Broken rules, each with the number of rows that break it.
        also: What the further aggregates came to, in their order.
    """

    rows: int
    schema_errors: tuple[str, ...]
    broken: dict[str, int]
    also: tuple[Any, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the contract is kept."""
        return not self.schema_errors and not self.broken


def validate(rows: "DataFrame", contract: ContractType, *, also: "Sequence[Column]" = ()) -> Verdict:
    """Judge the rows by the contract: one metadata look for the schema, one Spark job for all rows and rules.

    Args:
        rows: What is judged.
        contract: What they are judged by.
        also: Further aggregates that are computed in the same job.
    """
    errors = schema_errors(rows, contract)
    if errors:
        return Verdict(rows=0, schema_errors=errors, broken={})
    rules = row_rules(contract)
    aggregates = [F.count(F.lit(1)), *(F.count_if(rule.breaks) for rule in rules), *also]
    (found,) = rows.select(*(part.alias(str(number)) for number, part in enumerate(aggregates))).collect()
    broken, further = found[1 : len(rules) + 1], found[len(rules) + 1 :]
    return Verdict(
        rows=found[0],
        schema_errors=(),
        broken={rule.broken: count for rule, count in zip(rules, broken, strict=True) if count},
        also=tuple(further),
    )


def schema_errors(rows: "DataFrame", contract: ContractType) -> tuple[str, ...]:
    """What Pandera says of the columns and their types; runs no Spark job."""
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_ONLY):
        # Pandera adds the accessor when it is imported, so type checkers do not know of it.
        report = contract.validate(rows).pandera.errors  # type: ignore[attr-defined, arg-type]
    return tuple(finding["error"] for findings in dict(report or {}).get("SCHEMA", {}).values() for finding in findings)
