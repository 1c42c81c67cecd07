"""What becomes of a payload: the typed row, or all the reasons why there is none."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from shoplake_assets.contracts.limits import ACCEPTED, FATE, REJECTED
from shoplake_assets.transforms.silver import conform
from shoplake_assets_tests.building import event
from shoplake_assets_tests.transforms.records import bronze_records

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

_TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)
_PLAIN = {
    "event_id": "e",
    "event_type": "view_item",
    "event_time": _TEN,
    "user_id": "u1",
    "session_id": "s1",
    "product_id": "p1",
    "product_name": "Lamp",
    "category": "light",
    "price": Decimal("10.00"),
    "quantity": 1,
    "price_defaulted": False,
}


def _given(**fields: Any) -> bytes:
    """A plain event with the fields as given, in JSON's own types."""
    return event(event_id="e", **fields) if "event_id" not in fields else event(**fields)


def _priced(number: bytes) -> bytes:
    """A plain event with the price as these very bytes."""
    return _given(price="PRICE").replace(b'"PRICE"', number)


def _without(*names: str) -> bytes:
    return json.dumps({name: value for name, value in json.loads(_given()).items() if name not in names}).encode()


# Each payload with what differs from the plain row.
GOOD: Mapping[str, tuple[bytes, Mapping[str, Any]]] = {
    "plain": (_given(), {}),
    "offset east": (_given(at="2026-03-01T15:30:00+05:30"), {}),
    "offset west": (_given(at="2026-02-28T23:00:00-11:00"), {}),
    "lower case": (_given(at="2026-03-01t10:00:00z"), {}),
    "a space": (_given(at="2026-03-01 10:00:00Z"), {}),
    "microseconds": (_given(at="2026-03-01T10:00:00.123456Z"), {"event_time": _TEN.replace(microsecond=123456)}),
    "nanoseconds": (_given(at="2026-03-01T10:00:00.123456789Z"), {"event_time": _TEN.replace(microsecond=123456)}),
    "epoch seconds": (_given(at=1772359200), {}),
    "epoch seconds as text": (_given(at="1772359200"), {}),
    "epoch seconds with a fraction": (_given(at=1772359200.25), {"event_time": _TEN.replace(microsecond=250_000)}),
    "epoch milliseconds": (_given(at=1772359200007), {"event_time": _TEN.replace(microsecond=7000)}),
    "first day": (_given(at="2000-01-01T00:00:00Z"), {"event_time": datetime(2000, 1, 1, tzinfo=UTC)}),
    "a fast clock": (_given(at="2026-03-01T10:15:00Z"), {"event_time": _TEN.replace(minute=15)}),
    "view": (_given(event_type="view"), {}),
    "cart": (_given(event_type="cart"), {"event_type": "add_to_cart"}),
    "add_to_cart": (_given(event_type="add_to_cart"), {"event_type": "add_to_cart"}),
    "purchase": (_given(event_type="purchase"), {"event_type": "purchase"}),
    "null price": (_given(price=None), {"price": Decimal("0.00"), "price_defaulted": True}),
    "no price": (_without("price"), {"price": Decimal("0.00"), "price_defaulted": True}),
    "free": (_given(price=0), {"price": Decimal("0.00")}),
    "price as text": (_given(price=" 12.50 "), {"price": Decimal("12.50")}),
    "price with more zeros": (_given(price="12.5000000000000000000000"), {"price": Decimal("12.50")}),
    "price with an exponent": (_given(price="1.25e1"), {"price": Decimal("12.50")}),
    "highest price": (_given(price="10000000.00"), {"price": Decimal("10000000.00")}),
    "quantity 2": (_given(quantity=2), {"quantity": 2}),
    "quantity 2.0": (_given(quantity=2.0), {"quantity": 2}),
    "quantity as text": (_given(quantity="3"), {"quantity": 3}),
    "quantity null": (_given(quantity=None), {}),
    "no quantity": (_without("quantity"), {}),
    "highest quantity": (_given(quantity=100_000), {"quantity": 100_000}),
    "no session": (_given(session_id=None), {"session_id": None}),
    "no names": (_without("product_name", "category"), {"product_name": None, "category": None}),
    "empty names": (_given(product_name="", category=""), {"product_name": "", "category": ""}),
    "unicode": (_given(product_name="Lámpara 灯 \U0001f4a1"), {"product_name": "Lámpara 灯 \U0001f4a1"}),
    "raw utf-8": (_given().replace(b"Lamp", "灯".encode()), {"product_name": "灯"}),
    "escaped NUL": (_given(product_name="a\0b"), {"product_name": "a\0b"}),
    "number as id": (_given(user_id=42), {"user_id": "42"}),
    "number with a fraction as id": (_given(product_id=4.5), {"product_id": "4.5"}),
    "question mark": (_given(product_name="why?"), {"product_name": "why?"}),
    "escaped whole character": (_given().replace(b'"Lamp"', rb'"\ud83d\udca1?"'), {"product_name": "\U0001f4a1?"}),
    "braces in a text": (_given(product_name="{}"), {"product_name": "{}"}),
    "brackets in a text": (_given(product_name="[1, 2]"), {"product_name": "[1, 2]"}),
    "true in quotes": (_given(product_name="true"), {"product_name": "true"}),
    "longest id": (_given(event_id="i" * 128), {"event_id": "i" * 128}),
    "longest id in another script": (_given(user_id="\U0001f6d2" * 128), {"user_id": "\U0001f6d2" * 128}),
    "longest name": (_given(product_name="n" * 500), {"product_name": "n" * 500}),
    "unknown field": (_given(colour="red", nested={"a": [1]}), {}),
    "white space": (b"\n\t " + _given() + b" \r\n", {}),
    "digits": (_priced(b"8999999.99"), {"price": Decimal("8999999.99")}),
    "cents that are no binary fraction": (_priced(b"0.07"), {"price": Decimal("0.07")}),
}

_NOT_TEXT = "payload is not UTF-8"
_NOT_OBJECT = "payload is not a JSON object"
_FUTURE = "event_time is more than 15 minutes after kafka_timestamp"
_UNKNOWN_TYPE = "event_type is none of view_item, add_to_cart, purchase"

# Each payload with exactly the reasons why it is no event.
BAD: Mapping[str, tuple[bytes | None, set[str]]] = {
    "null payload": (None, {"payload is missing"}),
    "empty payload": (b"", {_NOT_OBJECT}),
    "text": (b"hello", {_NOT_OBJECT}),
    "cut object": (_given()[:-5], {_NOT_OBJECT}),
    "cut text": (b'{"event_id": "e', {_NOT_OBJECT}),
    "NUL bytes": (b"\0\0\0\0", {_NOT_OBJECT}),
    "NUL in a text": (_given().replace(b"Lamp", b"La\0mp"), {_NOT_OBJECT}),
    "two objects": (_given() + _given(event_id="f"), {_NOT_OBJECT}),
    "object and rubbish": (_given() + b"}", {_NOT_OBJECT}),
    "null": (b"null", {_NOT_OBJECT}),
    "number": (b"5", {_NOT_OBJECT}),
    "text in quotes": (b'"hello"', {_NOT_OBJECT}),
    "two arrays' worth": (_given() + b"],[" + _given(), {_NOT_OBJECT}),
    "object, then an open array": (_given() + b"],[", {_NOT_OBJECT}),
    "object and a comma": (_given() + b",", {_NOT_OBJECT}),
    "comment": (b"/* shop */" + _given(), {_NOT_OBJECT}),
    "byte order mark": (b"\xef\xbb\xbf" + _given(), {_NOT_OBJECT}),
    "array": (b"[" + _given() + b"]", {_NOT_OBJECT}),
    "empty array": (b"[]", {_NOT_OBJECT}),
    "two objects with a comma": (_given() + b"," + _given(event_id="f"), {_NOT_OBJECT}),
    "invalid UTF-8": (_given().replace(b"Lamp", b"La\xffmp"), {_NOT_TEXT}),
    "Latin-1": ("é".encode("latin-1"), {_NOT_TEXT}),
    "UTF-16": (_given().decode().encode("utf-16"), {_NOT_TEXT}),
    "surrogate": (_given().replace(b"Lamp", b"\xed\xa0\x80"), {_NOT_TEXT}),
    "unparsable time": (_given(at="yesterday"), {"event_time is not a time"}),
    "time without a zone": (_given(at="2026-03-01T10:00:00"), {"event_time is not a time"}),
    "no such day": (_given(at="2026-02-30T10:00:00Z"), {"event_time is not a time"}),
    "epoch microseconds": (_given(at=1772359200000000), {"event_time is not a time"}),
    "empty time": (_given(at=""), {"event_time is not a time"}),
    "before year 1": (_given(at="0001-01-01T00:00:00+01:00"), {"event_time is not a time"}),
    "after year 9999": (_given(at="9999-12-31T23:30:00-01:00"), {"event_time is not a time"}),
    "no time": (_without("event_time"), {"event_time is missing"}),
    "second before the first day": (_given(at="1999-12-31T23:59:59Z"), {"event_time is before 2000-01-01"}),
    "epoch zero": (_given(at=0), {"event_time is before 2000-01-01"}),
    "year 1": (_given(at="0001-01-01T00:00:00Z"), {"event_time is before 2000-01-01"}),
    "a clock that is too fast": (_given(at="2026-03-01T10:15:00.000001Z"), {_FUTURE}),
    "year 9999": (_given(at="9999-12-31T23:59:59Z"), {_FUTURE}),
    "leap second": (_given(at="2016-12-31T23:59:60Z"), {"event_time is not a time"}),
    "id of spaces that do not break": (_given(event_id="\u00a0\u200b"), {"event_id is blank"}),
    "half a character": (_given(user_id="u").replace(b'"u"', rb'"\ud800"'), {"user_id has half a character"}),
    "text that breaks off": (_given().replace(b'"Lamp"', rb'"\u12"'), {_NOT_OBJECT}),
    "single quotes": (_given().replace(b'"Lamp"', b"'Lamp'"), {_NOT_OBJECT}),
    "infinite id": (_given(user_id="U").replace(b'"U"', b"1e400"), {"user_id is not a text"}),
    "blank id": (_given(event_id=" \t\n"), {"event_id is blank"}),
    "long id": (_given(event_id="i" * 129), {"event_id is longer than 128 characters"}),
    "long name": (_given(product_name="n" * 501), {"product_name is longer than 500 characters"}),
    "object as id": (_given(user_id={"id": 1}), {"user_id is not a text"}),
    "array as id": (_given(product_id=["p1"]), {"product_id is not a text"}),
    "true as id": (_given(event_id=True), {"event_id is not a text"}),
    "empty object as name": (_given(product_name={}), {"product_name is not a text"}),
    "false as session": (_given(session_id=False), {"session_id is not a text"}),
    "object as type": (_given(event_type={"view": 1}), {_UNKNOWN_TYPE}),
    "array as price": (_given(price=[1]), {"price is not a number"}),
    "price Infinity": (_priced(b"Infinity"), {_NOT_OBJECT}),
    "price above all reason": (_given(price="10000000.01"), {"price is above 10,000,000"}),
    "highest price of the column": (_given(price="9999999999.99"), {"price is above 10,000,000"}),
    "quantity above all reason": (_given(quantity=100_001), {"quantity is above 100,000"}),
    "null id": (_given().replace(b'"e"', b"null"), {"event_id is missing"}),
    "empty id": (_given().replace(b'"e"', b'""'), {"event_id is blank"}),
    "unknown type": (_given(event_type="refund"), {_UNKNOWN_TYPE}),
    "type in capitals": (_given(event_type="VIEW"), {_UNKNOWN_TYPE}),
    "negative price": (_given(price=-1), {"price is below 0"}),
    "price in words": (_given(price="ten"), {"price is not a number"}),
    "price with a comma": (_given(price="1,50"), {"price is not a number"}),
    "price empty": (_given(price=""), {"price is not a number"}),
    "price NaN": (_priced(b"NaN"), {_NOT_OBJECT}),
    "price true": (_given(price=True), {"price is not a number"}),
    "tenth of a cent": (_given(price="9.999"), {"price is finer than a cent"}),
    "hair above a price": (_given(price="9.990000000000000000001"), {"price is finer than a cent"}),
    "hair above nothing": (_given(price="0.00000000000000000000001"), {"price is finer than a cent"}),
    "hair with an exponent": (_given(price="1e-40"), {"price is finer than a cent"}),
    "negative and too fine": (_given(price="-1.005"), {"price is below 0", "price is finer than a cent"}),
    "huge price": (_given(price="10000000000"), {"price is out of range"}),
    "rounds to a huge price": (_given(price="9999999999.999"), {"price is out of range"}),
    "enormous price": (_given(price="1" + "0" * 60), {"price is out of range"}),
    "astronomic price": (_given(price="1e300"), {"price is out of range"}),
    "quantity 0": (_given(quantity=0), {"quantity is below 1"}),
    "quantity -2": (_given(quantity=-2), {"quantity is below 1"}),
    "quantity 2.5": (_given(quantity=2.5), {"quantity is not whole"}),
    "hair above 2": (_given(quantity="2.000000000000000000001"), {"quantity is not whole"}),
    "quantity in words": (_given(quantity="two"), {"quantity is not a number"}),
    "quantity too high": (_given(quantity=2**31), {"quantity is out of range"}),
    "quantity astronomic": (_given(quantity="1e99"), {"quantity is out of range"}),
    "nothing in it": (
        b"{}",
        {f"{name} is missing" for name in ("event_id", "event_time", "event_type", "user_id", "product_id")},
    ),
    "all of it wrong": (
        event("gift", at="soon", event_id="e", user_id="", product_id=None, price="much", quantity=0.5),
        {
            _UNKNOWN_TYPE,
            "event_time is not a time",
            "user_id is blank",
            "product_id is missing",
            "price is not a number",
            "quantity is not whole",
        },
    ),
}


@pytest.fixture(scope="module")
def judged(spark: "SparkSession") -> dict[str, dict[str, Any]]:
    """Every payload, judged in one Spark job."""
    names = [*GOOD, *BAD]
    payloads = [payload for payload, _ in (*GOOD.values(), *BAD.values())]
    columns = [f"unix_micros({name}) AS {name}" if name == "event_time" else name for name in _PLAIN]
    rows = conform(bronze_records(spark, payloads)).selectExpr("offset", *columns, "reasons", FATE).collect()
    assert len(rows) == len(names)
    return {names[row["offset"]]: row.asDict() for row in rows}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_payload_becomes_its_typed_row(name: str, judged: dict[str, dict[str, Any]]) -> None:
    expected = {**_PLAIN, **GOOD[name][1]}
    since_1970 = expected["event_time"] - datetime(1970, 1, 1, tzinfo=UTC)
    expected["event_time"] = (since_1970.days * 86_400 + since_1970.seconds) * 1_000_000 + since_1970.microseconds
    found = judged[name]
    assert found["reasons"] == []
    assert {column: found[column] for column in _PLAIN} == expected
    assert found[FATE] == ACCEPTED


@pytest.mark.parametrize("name", BAD)
def test_a_bad_payload_has_all_its_reasons_and_no_other(name: str, judged: dict[str, dict[str, Any]]) -> None:
    found = judged[name]
    assert sorted(found["reasons"]) == sorted(BAD[name][1])
    assert found[FATE] == REJECTED
