"""Row rules say of each row what Pandera says of the whole, for every kind of check that a contract may have."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pandera.pyspark as pa  # noqa: TID253  a contract is a Pandera model
import pyspark.sql.types as T  # noqa: N812, TID253  a contract is written in Spark's types
import pytest
from pandera.config import ValidationDepth, config_context  # noqa: TID253  to have Pandera judge by itself

from shoplake_assets.contracts.contract import Contract, Table, describes
from shoplake_assets.contracts.rules import NOT_BLANK, row_rules, rule_in_words
from shoplake_assets.contracts.validation import validate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Case(NamedTuple):
    """A check as a contract writes it, what the catalogue and a broken row are told, and values on both sides."""

    given: dict[str, Any]
    demands: str
    broken: str
    good: Any
    bad: Any
    kind: type[T.DataType] = T.IntegerType


CASES = {
    "equal": Case({"eq": 3}, "exactly 3", "is not 3", 3, 4),
    "unequal": Case({"ne": 3}, "not 3", "is 3", 4, 3),
    "above": Case({"gt": 0}, "more than 0", "is not more than 0", 1, 0),
    "at_least": Case({"ge": 1_000}, "at least 1,000", "is below 1,000", 1_000, 999),
    "under": Case({"lt": 1_000}, "less than 1,000", "is not less than 1,000", 999, 1_000),
    "at_most": Case({"le": 1_000}, "at most 1,000", "is above 1,000", 1_000, 1_001),
    "between": Case(
        {"in_range": {"min_value": 1, "max_value": 5}},
        "at least 1 and at most 5",
        "is not at least 1 and at most 5",
        5,
        6,
    ),
    "inside": Case(
        {"in_range": {"min_value": 1, "max_value": 5, "include_min": False, "include_max": False}},
        "more than 1 and less than 5",
        "is not more than 1 and less than 5",
        2,
        1,
    ),
    "one_of": Case({"isin": ["a", "b"]}, "one of a, b", "is none of a, b", "b", "c", T.StringType),
    "none_of": Case({"notin": ["a", "b"]}, "none of a, b", "is one of a, b", "c", "b", T.StringType),
    "pattern": Case({"str_matches": "a+b"}, "begins with a+b", "does not begin with a+b", "aabc", "xab", T.StringType),
    "found": Case({"str_contains": "a+b"}, "contains a+b", "does not contain a+b", "xab", "xa", T.StringType),
    "filled": Case({"str_contains": NOT_BLANK}, "not blank", "is blank", " x", " \t\n", T.StringType),
    "begins": Case({"str_startswith": "a."}, "begins with a.", "does not begin with a.", "a.b", "ab", T.StringType),
    "ends": Case({"str_endswith": ".b"}, "ends with .b", "does not end with .b", "a.b", "ab", T.StringType),
    "short": Case(
        {"str_length": {"max_value": 3}},
        "at most 3 characters long",
        "is longer than 3 characters",
        "\U0001f6d2" * 3,
        "abcd",
        T.StringType,
    ),
    "long": Case(
        {"str_length": {"min_value": 2}},
        "at least 2 characters long",
        "is not at least 2 characters long",
        "ab",
        "a",
        T.StringType,
    ),
    "code": Case(
        {"str_length": {"exact_value": 2}}, "2 characters long", "is not 2 characters long", "ab", "abc", T.StringType
    ),
    "recent": Case(
        {"ge": datetime(2000, 1, 1, tzinfo=UTC)},
        "at least 2000-01-01",
        "is before 2000-01-01",
        NOON,
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
        T.TimestampType,
    ),
    "timely": Case(
        {"not_later_than": {"time": "timely", "than": "noon", "minutes": 15}},
        "at most 15 minutes after noon",
        "is more than 15 minutes after noon",
        NOON.replace(minute=15),
        NOON.replace(minute=15, microsecond=1),
        T.TimestampType,
    ),
}


def _contract() -> type[Contract]:
    fields = {name: pa.Field(nullable=True, description="", **case.given) for name, case in CASES.items()}
    types = {name: case.kind for name, case in CASES.items()}
    body = {
        "__doc__": "One column for each kind of check.",
        "__module__": __name__,
        "__annotations__": {"id": T.StringType, "noon": T.TimestampType, **types},
        "id": pa.Field(nullable=False, description=""),
        "noon": pa.Field(nullable=False, description=""),
        **fields,
    }
    return describes(Table(name="gold.kinds", key=("id",)))(type("Kinds", (Contract,), body))


KINDS = _contract()


def _frame(spark: "SparkSession", *rows: dict[str, Any]) -> "DataFrame":
    columns = KINDS.to_schema().columns
    schema = T.StructType([T.StructField(name, column.dtype.type) for name, column in columns.items()])
    return spark.createDataFrame([[{"noon": NOON, **row}.get(name) for name in columns] for row in rows], schema)


def _pandera(frame: "DataFrame") -> dict[str, Any]:
    """What Pandera itself finds wrong with the data, a Spark job for each check."""
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.DATA_ONLY):
        errors = KINDS.validate(frame).pandera.errors  # type: ignore[attr-defined, arg-type]
    found: dict[str, Any] = dict(errors or {}).get("DATA", {})
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_check_is_told_in_words(name: str) -> None:
    (check,) = KINDS.to_schema().columns[name].checks
    assert rule_in_words(check) == CASES[name].demands


@pytest.mark.spark
def test_each_rule_finds_the_rows_that_break_it_and_no_others(spark: "SparkSession") -> None:
    good = {name: case.good for name, case in CASES.items()}
    rows = [{"id": "good", **good}, {"id": "nulls"}]
    rows += [{**good, "id": name, name: case.bad} for name, case in CASES.items()]
    rules = [rule for rule in row_rules(KINDS) if rule.column in CASES]
    found = _frame(spark, *rows).select("id", *(rule.breaks.alias(rule.column) for rule in rules)).collect()
    assert {row["id"]: [name for name in CASES if row[name]] for row in found} == {
        "good": [],
        "nulls": [],
        **{name: [name] for name in CASES},
    }
    assert {rule.column: rule.broken for rule in rules} == {
        name: f"{name} {case.broken}" for name, case in CASES.items()
    }


@pytest.mark.spark
def test_pandera_by_itself_comes_to_the_same_verdict(spark: "SparkSession") -> None:
    good = {"id": "good", **{name: case.good for name, case in CASES.items()}}
    bad = {"id": "bad", **{name: case.bad for name, case in CASES.items()}}
    assert _pandera(_frame(spark, good)) == {}
    refused = _pandera(_frame(spark, good, bad))
    assert sorted(error["column"] for error in refused["DATAFRAME_CHECK"]) == sorted(CASES)
    assert validate(_frame(spark, good), KINDS).passed
    assert validate(_frame(spark, good, bad), KINDS).broken == {
        f"{name} {case.broken}": 1 for name, case in CASES.items()
    }


@pytest.mark.spark
def test_pandera_by_itself_finds_a_key_that_repeats(spark: "SparkSession") -> None:
    good = {"id": "twice", **{name: case.good for name, case in CASES.items()}}
    assert list(_pandera(_frame(spark, good, good))) == ["DUPLICATES"]
