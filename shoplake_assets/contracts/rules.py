"""From a contract's checks to conditions on a row.

Belongs here: the translation of Pandera's checks into Spark conditions, so that one pass can judge every row by all
rules at once. Does not belong here: what is done with a row that breaks one. A check that has no translation is an
error, never a rule that is silently not applied.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
from pandera.api.checks import Check
from pyspark.sql import Column

from shoplake_assets.contracts.contract import ContractError, ContractType

Statistics = Mapping[str, Any]


@dataclass(frozen=True)
class RowRule:
    """One thing that must hold of a row.

    Attributes:
        column: The column that it is about.
        broken: What is wrong with a row that breaks it: the reason in the quarantine and the line in a check report.
        breaks: Condition that is true of a row that breaks it; never null.
    """

    column: str
    broken: str
    breaks: Column


def row_rules(contract: ContractType) -> tuple[RowRule, ...]:
    """All rules of the contract, column by column.

    Raises:
        ContractError: A check has no translation.
    """
    rules: list[RowRule] = []
    for name, column in contract.to_schema().columns.items():
        if not column.nullable:
            rules.append(RowRule(name, f"{name} is missing", F.col(name).isNull()))
        rules.extend(_translate(name, check) for check in column.checks)
    return tuple(rules)


def _translate(column: str, check: Check) -> RowRule:
    if check.name not in _TRANSLATIONS:
        raise ContractError(f"{column}: the check {check.name!r} cannot be turned into a row rule; see contracts.rules")
    text, holds = _TRANSLATIONS[check.name](F.col(column), check.statistics or {})
    # A null breaks no rule but the one that forbids nulls, as in Pandera.
    return RowRule(column, f"{column} {text}", ~F.coalesce(holds, F.lit(True)))


def _isin(value: Column, given: Statistics) -> tuple[str, Column]:
    allowed = list(given["allowed_values"])
    return f"is none of {', '.join(map(str, allowed))}", value.isin(allowed)


def _length(value: Column, given: Statistics) -> tuple[str, Column]:
    least, most = given["min_value"] or 0, given["max_value"]
    length = F.length(value)
    if most is None:
        return ("is empty" if least == 1 else f"is shorter than {least} characters"), length >= least
    return f"is not {least} to {most} characters long", length.between(least, most)


_TRANSLATIONS: dict[str | None, Callable[[Column, Statistics], tuple[str, Column]]] = {
    "greater_than_or_equal_to": lambda value, given: (f"is below {given['min_value']}", value >= given["min_value"]),
    "less_than_or_equal_to": lambda value, given: (f"is above {given['max_value']}", value <= given["max_value"]),
    "isin": _isin,
    "str_length": _length,
}
