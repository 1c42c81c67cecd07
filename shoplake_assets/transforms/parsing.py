"""From a payload to typed columns, and the reasons why that failed.

Belongs here: reading the event, leniently in form (synonyms, epoch times, numbers as text) and
strictly in meaning (nothing is rounded, guessed or dropped). Does not belong here: rules about values, which are in the
contract.
"""

import pyspark.sql.functions as F  # noqa: N812  the name under which Spark's functions are known
import pyspark.sql.types as T  # noqa: N812  the name under which Spark's types are known
from pyspark.sql import Column, DataFrame

from shoplake_assets.contracts.contract import ContractType
from shoplake_assets.contracts.rules import row_rules
from shoplake_assets.contracts.silver import MONEY
from shoplake_assets.events.shape import SYNONYMS

REASONS = "reasons"

_TEXTS = ("event_id", "user_id", "session_id", "product_id", "product_name", "category")
_FIELDS = (*_TEXTS, "event_type", "event_time", "price", "quantity")
_END = "_end"
# Every field is read as text, whatever its type. A JSON number with a fraction passes through a double on the way,
# which keeps 15 digits; money has 12.
_RAW = T.ArrayType(T.StructType([T.StructField(name, T.StringType()) for name in (*_FIELDS, _END)]))

# Spark's parser would also take texts in single quotes, and numbers that are none.
_STRICT = {"mode": "PERMISSIVE", "allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
_WIDE = "decimal(38,18)"
_BEYOND_WIDE = r"\.\d{18}\d*[1-9]"
_NOT_ZERO = r"^[^eE]*[1-9]"
_RFC3339 = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$"
# Digits are bounded, because reading a megabyte of them would take half a minute.
_EPOCH = r"^\d{1,20}(\.\d{1,400})?(E\+?\d{1,2})?$"
# Seconds since 1970: a time outside of these years is no date in Python.
_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800
# Epoch numbers from here on are milliseconds: as seconds they would lie after the year 5000.
_FIRST_MILLISECONDS = 100_000_000_000
# How an object or an array looks once it was read as text, and other values that are neither text nor number.
_NESTED = r"^[{\[]"
_CONSTANTS = ("true", "false", '"Infinity"', '"-Infinity"')
# A longer text breaks a rule of its own, and what nests deeper would cost stack.
_LONGEST_NESTED = 500
# An escape for one half of a character whose other half is missing.
_HALF = r"(?<!\\)(?:\\\\)*(?:\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F])"
# Numbers that nothing can be wrong with but their value.
_PLAIN = {"price": r"^\d{1,10}(\.\d{1,2})?$", "quantity": r"^\d{1,9}$"}
_NUMBER = r"^[+-]?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,3})?$"


def parse(records: DataFrame, *, contract: ContractType) -> DataFrame:
    """Add the event's columns, and `reasons`: everything that is wrong with the record, empty for a good one.

    All reasons of a record are found in one pass: what cannot be read, and every rule of the contract on what was.
    """
    text = F.col("payload").cast("string")
    read = records.withColumn("_all", _objects(text)).withColumn("_raw", _only_object())
    beforehand = _beforehand()
    typed = read.withColumns(beforehand).withColumns(_columns())
    unreadable = F.coalesce(
        F.when(F.col("payload").isNull(), F.lit("payload is missing")),
        F.when(~F.is_valid_utf8(text), F.lit("payload is not UTF-8")),
        F.when(F.col("_raw").isNull(), F.lit("payload is not a JSON object")),
    )
    broken = [
        (rule.breaks & _readable(rule.column), rule.broken) for rule in row_rules(contract) if _judged(rule.column)
    ]
    found = [*_unreadable_fields(), *broken]
    all_of_them = F.array_compact(F.array(*(F.when(condition, F.lit(reason)) for condition, reason in found)))
    reasons = (
        F.when(unreadable.isNotNull(), F.array(unreadable))
        .when(F.greatest(*(condition for condition, _ in found)), all_of_them)
        .otherwise(F.array().cast("array<string>"))
    )
    return typed.withColumn(REASONS, reasons).drop("_all", "_raw", *beforehand)


def _objects(text: Column) -> Column:
    """All JSON objects of the payload, and an end mark.

    A JSON parser stops behind the first value; what comes after it would be lost without a word. As an element of an
    array, followed by a mark, the payload parses only as a whole.
    """
    return F.from_json(F.concat(F.lit("["), text, F.lit(f',{{"{_END}":"1"}}]')), _RAW, _STRICT)


def _only_object() -> Column:
    first, second = F.get("_all", F.lit(0)), F.get("_all", F.lit(1))
    return F.when((F.size("_all") == 2) & second[_END].isNotNull(), first)  # noqa: PLR2004  the object and the mark


def _beforehand() -> dict[str, Column]:
    """What several columns and reasons need: the time, and whether a number is written as nearly all are.

    Only of a number that is not, more is asked: that costs ten times as much.
    """
    plain = {
        f"_plain_{name}": F.coalesce(F.col(f"_raw.{name}").rlike(form), F.lit(False)) for name, form in _PLAIN.items()
    }
    return {**plain, "_time": _time(F.col("_raw.event_time"))}


def _columns() -> dict[str, Column]:
    kind = F.col("_raw.event_type")
    for synonym, name in SYNONYMS.items():
        kind = F.when(F.col("_raw.event_type") == synonym, F.lit(name)).otherwise(kind)
    whole = (_number("quantity") == F.floor(_number("quantity"))) & ~F.coalesce(_cut("quantity"), F.lit(False))
    return {
        **{name: F.col(f"_raw.{name}") for name in _TEXTS},
        "event_type": kind,
        "event_time": F.when(
            (F.col("_time") >= F.timestamp_seconds(F.lit(_YEAR_1)))
            & (F.col("_time") < F.timestamp_seconds(F.lit(_YEAR_10000))),
            F.col("_time"),
        ),
        "price": _value("price", T.DecimalType(*MONEY), missing=0, odd=_number("price")),
        "quantity": _value("quantity", T.IntegerType(), missing=1, odd=F.when(whole, _number("quantity"))),
        "price_defaulted": F.col("_raw.price").isNull(),
    }


def _value(name: str, kind: T.DataType, *, missing: int, odd: Column) -> Column:
    """The number, read the short way where it is plain, and as `odd` where it is not."""
    text = F.col(f"_raw.{name}")
    plain = F.when(F.col(f"_plain_{name}"), text.try_cast(kind))
    return plain.when(text.isNull(), F.lit(missing).cast(kind)).otherwise(odd.try_cast(kind))


def _unreadable_fields() -> list[tuple[Column, str]]:
    def odd(name: str, condition: Column) -> Column:
        return ~F.col(f"_plain_{name}") & F.col(f"_raw.{name}").isNotNull() & condition

    price, quantity = _number("price"), _number("quantity")
    whole = quantity == F.floor(quantity)
    return [
        *((_is_no_text(name), f"{name} is not a text") for name in _TEXTS),
        *((_has_half(name), f"{name} has half a character") for name in _TEXTS),
        (F.col("_raw.event_time").isNotNull() & F.col("event_time").isNull(), "event_time is not a time"),
        (odd("price", ~_is_number("price")), "price is not a number"),
        (odd("price", _is_number("price") & F.col("price").isNull()), "price is out of range"),
        (odd("price", (price != F.col("price")) | _cut("price")), "price is finer than a cent"),
        (odd("quantity", ~_is_number("quantity")), "quantity is not a number"),
        (odd("quantity", ~whole | _cut("quantity")), "quantity is not whole"),
        (odd("quantity", _is_number("quantity") & quantity.isNull()), "quantity is out of range"),
        (odd("quantity", whole & ~_cut("quantity") & F.col("quantity").isNull()), "quantity is out of range"),
    ]


def _is_no_text(name: str) -> Column:
    """Whether the field is an object, an array, a truth value or infinite.

    As text they look like themselves, but a text in quotes may look so, too. Only for what does, the payload is read
    once more with its types; of a payload with a key that is given twice they are not known, and then it counts as no
    text. What is inside an object is never looked at: a function that goes along, such as `schema_of_variant`, would
    overflow the stack where it nests deep, and take Spark with it.
    """
    payload = F.try_parse_json(F.col("payload").cast("string"))
    path, text = f"$.{name}", F.col(f"_raw.{name}")
    nested = [F.try_variant_get(payload, path, kind) for kind in ("array<variant>", "map<string,variant>")]
    is_nested = payload.isNull() | nested[0].isNotNull() | nested[1].isNotNull()
    kind = F.schema_of_variant(F.try_variant_get(payload, path, "variant"))
    is_plain = F.coalesce(kind, F.lit("unknown")) != "STRING"
    looks_nested = text.rlike(_NESTED) & (F.length(text) <= _LONGEST_NESTED)
    return F.when(looks_nested, is_nested).when(text.isin(*_CONSTANTS), is_plain).otherwise(F.lit(False))


def _has_half(name: str) -> Column:
    """Whether the field lost half a character: Spark reads what is no character as a question mark."""
    return F.col(f"_raw.{name}").contains("?") & F.col("payload").cast("string").rlike(_HALF)


def _judged(column: str) -> bool:
    """Whether the contract's rules on the column are about the event; coordinates come from Kafka and are."""
    return column in _FIELDS


def _readable(column: str) -> Column:
    """A field that was given and could not be read has its reason already; "is missing" would be a wrong one."""
    if column not in _TEXTS:
        return F.col(column).isNotNull() | F.col(f"_raw.{column}").isNull()
    return F.lit(True)


def _text(name: str) -> Column:
    return F.trim(F.col(f"_raw.{name}"))


def _is_number(name: str) -> Column:
    return _text(name).rlike(_NUMBER)


def _number(name: str) -> Column:
    """The field as a wide decimal; null where it is no number or too large for one."""
    return F.when(_is_number(name), _text(name).try_cast(_WIDE))


def _cut(name: str) -> Column:
    """Whether the field has digits that even the wide decimal has no place for."""
    vanished = (_number(name) == 0) & _text(name).rlike(_NOT_ZERO)
    return _is_number(name) & (_text(name).rlike(_BEYOND_WIDE) | F.coalesce(vanished, F.lit(False)))


def _time(field: Column) -> Column:
    """The moment: RFC 3339 in the usual letters, which nearly all are; else an epoch, or RFC 3339 in small letters."""
    text = F.upper(field)
    epoch = F.when(text.rlike(_EPOCH), text.try_cast("decimal(23,9)"))
    seconds = F.when(epoch >= _FIRST_MILLISECONDS, epoch / 1000).otherwise(epoch)
    odd = F.coalesce(
        F.timestamp_micros((seconds * 1_000_000).try_cast("long")),
        F.when(text.rlike(_RFC3339), text.try_cast("timestamp")),
    )
    return F.when(field.rlike(_RFC3339), field.try_cast("timestamp")).otherwise(odd)
