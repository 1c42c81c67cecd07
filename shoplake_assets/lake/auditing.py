"""The checks that a refresh must pass before it is published.

Belongs here: each check as a function that looks at an audit branch and answers with a `Check`. Does not belong here:
which tables have which, and how a check is shown.
"""

from typing import TYPE_CHECKING

import pyspark.sql.functions as F  # noqa: N812, TID253  only processes that hold a session come here

from shoplake_assets.contracts.contract import ContractType, table_of
from shoplake_assets.contracts.validation import validate
from shoplake_assets.lake.examples import keys_that_repeat, rows_that_break
from shoplake_assets.lake.refresh import CONTRACT, KEY_UNIQUE, RECONCILES, Check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from pyspark.sql import Column, DataFrame

    from shoplake_assets.contracts.validation import Verdict

    Totals = Mapping[str, Decimal | int]


def check_contract(rows: "DataFrame", *, contract: ContractType) -> Check:
    """Columns, types, nulls and every rule of the contract hold for the rows."""
    return _contract_check(validate(rows, contract), rows, contract=contract)


def check_key_unique(rows: "DataFrame", *, contract: ContractType) -> Check:
    """No two of the rows share the table's key.

    Where no two share a 64-bit hash of it, none do; the keys themselves are compared only where two hashes are alike.
    """
    key = table_of(contract).key
    count, keys = _distinct(rows, F.xxhash64(*key))
    if count != keys:
        count, keys = _distinct(rows, F.struct(*key))
    return _key_check(rows, count=count, keys=keys, contract=contract)


def _distinct(rows: "DataFrame", value: "Column") -> tuple[int, int]:
    """How many rows there are, and how many distinct values."""
    (found,) = rows.groupBy(value.alias("value")).count().agg(F.sum("count"), F.count(F.lit(1))).collect()
    return found[0] or 0, found[1]


def check_small_table(
    rows: "DataFrame", *, contract: ContractType, sums: "Mapping[str, Column]"
) -> "tuple[list[Check], Totals]":
    """Contract, key and totals of a table in one Spark job.

    For Gold and the quarantine, whose rows are few: where they are many, keys are better counted apart.

    Args:
        rows: What is checked.
        contract: Its contract.
        sums: For each total, the aggregate that gives it.

    Returns:
        The two checks, and the totals by their names.
    """
    key = F.count_distinct(F.struct(*table_of(contract).key))
    verdict = validate(rows, contract, also=[key, *(F.coalesce(part, F.lit(0)) for part in sums.values())])
    keys, *found = verdict.also or (0, *(0 for _ in sums))
    checks = [
        _contract_check(verdict, rows, contract=contract),
        _key_check(rows, count=verdict.rows, keys=keys, contract=contract),
    ]
    return checks, dict(zip(sums, found, strict=True))


def _contract_check(verdict: "Verdict", rows: "DataFrame", *, contract: ContractType) -> Check:
    faults = [*verdict.schema_errors, *(f"{reason} in {count:,} rows" for reason, count in verdict.broken.items())]
    return Check(
        table=table_of(contract).name,
        name=CONTRACT,
        passed=verdict.passed,
        says="; ".join(faults) or f"{verdict.rows:,} rows keep the contract",
        metadata={"rows": verdict.rows},
        broken=verdict.broken,
        examples=rows_that_break(rows, contract=contract) if verdict.broken else (),
    )


def _key_check(rows: "DataFrame", *, count: int, keys: int, contract: ContractType) -> Check:
    table = table_of(contract)
    name = ", ".join(table.key)
    return Check(
        table=table.name,
        name=KEY_UNIQUE,
        passed=count == keys,
        says=f"({name}) is unique" if count == keys else f"{count - keys:,} of {count:,} rows repeat a ({name})",
        metadata={"repeats": count - keys},
        examples=() if count == keys else keys_that_repeat(rows, contract=contract),
    )


def check_fates(  # noqa: PLR0913  # one argument per fate
    *, table: str, records: int, accepted: int, rejected: int, repeated: int, moved: int = 0
) -> Check:
    """Every record ended in exactly one place.

    Args:
        table: The table.
        records: Records that were taken in.
        accepted: Rows that Silver has gained.
        rejected: Rows of them that the quarantine has.
        repeated: Records whose event was there.
        moved: Records that an interrupted replay had moved to Silver already.
    """
    accounted = accepted + rejected + repeated + moved
    verb = "=" if accounted == records else "is not"
    parts = f"{accepted:,} Silver + {rejected:,} quarantine + {repeated:,} repeats"
    earlier = f" + {moved:,} moved earlier" if moved else ""
    return Check(
        table=table,
        name=RECONCILES,
        passed=accounted == records,
        says=f"{records:,} records {verb} {parts}{earlier}",
        metadata={"records": records, "silver": accepted, "quarantine": rejected, "duplicates": repeated},
    )


def totals(rows: "DataFrame", sums: "Mapping[str, str]") -> "Totals":
    """Add up.

    Args:
        rows: What is added up; an empty table adds up to 0.
        sums: For each total, the SQL aggregate that gives it.
    """
    (found,) = rows.selectExpr(*(f"coalesce({sql}, 0) AS {name}" for name, sql in sums.items())).collect()
    return found.asDict()


def check_totals(*, table: str, expected: "Totals", found: "Totals") -> Check:
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
