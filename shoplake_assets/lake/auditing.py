"""The checks that a refresh must pass before it is published.

Belongs here: each check as a function that looks at an audit branch and answers with a `Check`. Does not belong here:
which tables have which, and how a check is shown.
"""

from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.contract import ContractType, table_of
from shoplake_assets.contracts.validation import validate
from shoplake_assets.lake.refresh import CONTRACT, KEY_UNIQUE, RECONCILES, Check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from pyspark.sql import DataFrame


def check_contract(rows: "DataFrame", *, contract: ContractType) -> Check:
    """Columns, types, nulls and every rule of the contract hold for the rows."""
    verdict = validate(rows, contract)
    faults = [*verdict.schema_errors, *(f"{reason} in {count:,} rows" for reason, count in verdict.broken.items())]
    return Check(
        table=table_of(contract).name,
        name=CONTRACT,
        passed=verdict.passed,
        says="; ".join(faults) or f"{verdict.rows:,} rows keep the contract",
        metadata={"rows": verdict.rows, "broken": verdict.broken},
    )


def check_key_unique(rows: "DataFrame", *, contract: ContractType) -> Check:
    """No two of the rows share the table's key."""
    table = table_of(contract)
    repeated = rows.groupBy(*table.key).count().where(F.col("count") > 1)
    found = repeated.agg(F.count(F.lit(1)), F.sum("count")).first()
    keys, members = (found[0], found[1] or 0) if found is not None else (0, 0)
    name = ", ".join(table.key)
    return Check(
        table=table.name,
        name=KEY_UNIQUE,
        passed=keys == 0,
        says=f"({name}) is unique" if keys == 0 else f"{keys:,} values of ({name}) occur {members:,} times",
        metadata={"repeated_keys": keys},
    )


def check_fates(*, table: str, records: int, accepted: int, rejected: int, repeated: int) -> Check:
    """Every Bronze record of the increment ended in exactly one place."""
    accounted = accepted + rejected + repeated
    verb = "=" if accounted == records else "is not"
    return Check(
        table=table,
        name=RECONCILES,
        passed=accounted == records,
        says=f"{records:,} Bronze records {verb} {accepted:,} Silver + {rejected:,} quarantine + {repeated:,} repeats",
        metadata={"records": records, "silver": accepted, "quarantine": rejected, "duplicates": repeated},
    )


def totals(rows: "DataFrame", **columns: str) -> "Mapping[str, Decimal | int]":
    """Add up purchases, units and revenue.

    Args:
        rows: What is added up; an empty table adds up to 0.
        **columns: For each total, the SQL aggregate that gives it.
    """
    found = rows.selectExpr(*(f"coalesce({aggregate}, 0) AS {name}" for name, aggregate in columns.items())).first()
    return {} if found is None else found.asDict()


def check_totals(*, table: str, expected: "Mapping[str, Decimal | int]", found: "Mapping[str, Decimal | int]") -> Check:
    """Gold adds up to what Silver says for the same hours, to the cent."""
    faults = [
        f"{name} is {found[name]:,} and should be {value:,}" for name, value in expected.items() if found[name] != value
    ]
    return Check(
        table=table,
        name=RECONCILES,
        passed=not faults,
        says="; ".join(faults)
        or f"equals Silver: {', '.join(f'{name} {value:,}' for name, value in expected.items())}",
        metadata={name: str(value) for name, value in found.items()},
    )
