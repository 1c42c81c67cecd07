"""From a contract's checks to conditions on a row.

Belongs here: the translation of Pandera's checks into Spark conditions and into words, so that one pass can judge every
row by all rules at once and every reader is told the same. Does not belong here: what is done with a row that breaks a
rule. A check that has no translation is an error, never a rule that is silently not applied.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
from pyspark.sql import Column

from shoplake_assets.contracts.checks import NOT_LATER_THAN
from shoplake_assets.contracts.errors import ContractError

if TYPE_CHECKING:
    import pandera.pyspark as pa
    from pandera.api.checks import Check

    Model = type[pa.DataFrameModel[Any]]

# Spelt out, because Python and Java, which both read it, share no name for white space beyond ASCII.
NOT_BLANK = r"[^\s\u0000-\u0020\u0085\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]"
"""Pattern for `str_contains`: anything that can be seen."""

Given = Mapping[str, Any]


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


def row_rules(contract: "Model") -> tuple[RowRule, ...]:
    """All rules of the contract, column by column."""
    rules: list[RowRule] = []
    for name, column in contract.to_schema().columns.items():
        value = F.col(name)
        if not column.nullable:
            rules.append(RowRule(name, f"{name} is missing", value.isNull()))
        for check in column.checks:
            kind, given = _KINDS[check.name], check.statistics or {}
            # A null breaks no rule but the one that forbids nulls, as in Pandera.
            breaks = ~F.coalesce(kind.holds(value, given), F.lit(True))
            rules.append(RowRule(name, f"{name} {kind.broken(given)}", breaks))
    return tuple(rules)


def rule_in_words(check: "Check") -> str:
    """What a check demands of a value, for catalogues: "at least 0"."""
    return _KINDS[check.name].demands(check.statistics or {})


def require_translations(contract: "Model") -> None:
    """Make sure that every check of the contract is applied to every row.

    Raises:
        ContractError: A check cannot be turned into a row rule.
    """
    schema = contract.to_schema()
    for name, column in schema.columns.items():
        for check in column.checks:
            if check.name not in _KINDS:
                raise ContractError(
                    f"{contract.__name__}.{name}: the check {check.name!r} cannot be turned into a row rule; "
                    "take one that can, or add it to contracts.rules"
                )
    if schema.checks:
        names = ", ".join(str(check.name) for check in schema.checks)
        raise ContractError(
            f"{contract.__name__}: the check of the whole table ({names}) cannot be turned into a row rule; "
            "put it on a column"
        )


@dataclass(frozen=True)
class _Kind:
    """A kind of check: in words for the catalogue and for a row that breaks it, and as a condition."""

    demands: Callable[[Given], str]
    broken: Callable[[Given], str]
    holds: Callable[[Column, Given], Column]


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return (
            f"{value:%Y-%m-%d}"
            if (value.hour, value.minute, value.second) == (0, 0, 0)
            else f"{value:%Y-%m-%d %H:%M:%S}"
        )
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _listed(values: object) -> str:
    return ", ".join(_shown(value) for value in values)  # type: ignore[attr-defined]


def _below(limit: object) -> str:
    return f"is {'before' if isinstance(limit, datetime) else 'below'} {_shown(limit)}"


def _above(limit: object) -> str:
    return f"is {'after' if isinstance(limit, datetime) else 'above'} {_shown(limit)}"


def _span(given: Given) -> str:
    least, most = given["min_value"], given["max_value"]
    return (
        f"{'at least' if given['include_min'] else 'more than'} {_shown(least)} and "
        f"{'at most' if given['include_max'] else 'less than'} {_shown(most)}"
    )


def _in_span(value: Column, given: Given) -> Column:
    least, most = given["min_value"], given["max_value"]
    above: Column = value >= least if given["include_min"] else value > least
    below: Column = value <= most if given["include_max"] else value < most
    return above & below


def _lengths(given: Given) -> tuple[int, int | None]:
    exact = given.get("exact_value")
    return (exact, exact) if exact is not None else (given.get("min_value") or 0, given.get("max_value"))


def _length(given: Given) -> str:
    least, most = _lengths(given)
    if least == most:
        return f"{least:,} characters long"
    if most is None:
        return f"at least {least:,} characters long"
    return f"{least:,} to {most:,} characters long" if least else f"at most {most:,} characters long"


def _wrong_length(given: Given) -> str:
    least, most = _lengths(given)
    return f"is longer than {most:,} characters" if most is not None and not least else f"is not {_length(given)}"


def _has_length(value: Column, given: Given) -> Column:
    least, most = _lengths(given)
    return F.length(value) >= least if most is None else F.length(value).between(least, most)


def _pattern(given: Given) -> str:
    pattern = given["pattern"]
    return str(getattr(pattern, "pattern", pattern))


def _anchored(given: Given) -> str:
    pattern = _pattern(given)
    return pattern if pattern.startswith("^") else f"^{pattern}"


_KINDS: dict[str | None, _Kind] = {
    "equal_to": _Kind(
        lambda given: f"exactly {_shown(given['value'])}",
        lambda given: f"is not {_shown(given['value'])}",
        lambda value, given: value == given["value"],
    ),
    "not_equal_to": _Kind(
        lambda given: f"not {_shown(given['value'])}",
        lambda given: f"is {_shown(given['value'])}",
        lambda value, given: value != given["value"],
    ),
    "greater_than": _Kind(
        lambda given: f"more than {_shown(given['min_value'])}",
        lambda given: f"is not more than {_shown(given['min_value'])}",
        lambda value, given: value > given["min_value"],
    ),
    "greater_than_or_equal_to": _Kind(
        lambda given: f"at least {_shown(given['min_value'])}",
        lambda given: _below(given["min_value"]),
        lambda value, given: value >= given["min_value"],
    ),
    "less_than": _Kind(
        lambda given: f"less than {_shown(given['max_value'])}",
        lambda given: f"is not less than {_shown(given['max_value'])}",
        lambda value, given: value < given["max_value"],
    ),
    "less_than_or_equal_to": _Kind(
        lambda given: f"at most {_shown(given['max_value'])}",
        lambda given: _above(given["max_value"]),
        lambda value, given: value <= given["max_value"],
    ),
    "in_range": _Kind(_span, lambda given: f"is not {_span(given)}", _in_span),
    "isin": _Kind(
        lambda given: f"one of {_listed(given['allowed_values'])}",
        lambda given: f"is none of {_listed(given['allowed_values'])}",
        lambda value, given: value.isin(list(given["allowed_values"])),
    ),
    "notin": _Kind(
        lambda given: f"none of {_listed(given['forbidden_values'])}",
        lambda given: f"is one of {_listed(given['forbidden_values'])}",
        lambda value, given: ~value.isin(list(given["forbidden_values"])),
    ),
    "str_matches": _Kind(
        lambda given: f"begins with {_pattern(given)}",
        lambda given: f"does not begin with {_pattern(given)}",
        lambda value, given: value.rlike(_anchored(given)),
    ),
    "str_contains": _Kind(
        lambda given: "not blank" if _pattern(given) == NOT_BLANK else f"contains {_pattern(given)}",
        lambda given: "is blank" if _pattern(given) == NOT_BLANK else f"does not contain {_pattern(given)}",
        lambda value, given: value.rlike(_pattern(given)),
    ),
    "str_startswith": _Kind(
        lambda given: f"begins with {given['string']}",
        lambda given: f"does not begin with {given['string']}",
        lambda value, given: value.startswith(given["string"]),
    ),
    "str_endswith": _Kind(
        lambda given: f"ends with {given['string']}",
        lambda given: f"does not end with {given['string']}",
        lambda value, given: value.endswith(given["string"]),
    ),
    "str_length": _Kind(_length, _wrong_length, _has_length),
    NOT_LATER_THAN: _Kind(
        lambda given: f"at most {given['minutes']} minutes after {given['than']}",
        lambda given: f"is more than {given['minutes']} minutes after {given['than']}",
        lambda value, given: value <= F.col(given["than"]) + F.make_dt_interval(mins=F.lit(given["minutes"])),
    ),
}
