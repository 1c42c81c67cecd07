"""What a line of each format becomes."""

import json
import uuid

import pytest

from shoplake_assets.events.formats.base import Mapped, UnmappableError, namespace
from shoplake_assets.events.formats.jsonlines import JSONLINES
from shoplake_assets.events.formats.rees46 import REES46
from shoplake_assets.events.formats.retailrocket import RETAILROCKET

REES46_ROW = (
    b"2019-11-01 00:00:00 UTC,view,5000088,2053013566100866035,appliances.sewing_machine,janome,293.65,530496790,s1"
)


def test_a_rees46_row_becomes_an_event() -> None:
    key, value, seconds = REES46.read(REES46_ROW)
    event = json.loads(value, parse_float=str)
    assert (key, seconds) == (b"530496790", 1572566400.0)
    assert event.pop("event_id") == str(uuid.uuid5(uuid.UUID(bytes=namespace("rees46")), REES46_ROW.decode()))
    assert event == {
        "event_type": "view_item",
        "event_time": "2019-11-01T00:00:00Z",
        "user_id": "530496790",
        "session_id": "s1",
        "product_id": "5000088",
        "product_name": "janome sewing machine",
        "category": "appliances.sewing_machine",
        "price": "293.65",
    }


@pytest.mark.parametrize(("source", "ours"), [("view", "view_item"), ("cart", "add_to_cart"), ("purchase", "purchase")])
def test_rees46_types_have_our_names(source: str, ours: str) -> None:
    value = REES46.read(REES46_ROW.replace(b",view,", f",{source},".encode())).value
    assert json.loads(value)["event_type"] == ours


@pytest.mark.parametrize(
    ("code", "brand", "name", "category"),
    [
        ("", "creed", "creed", "77"),
        ("electronics.smartphone", "", "smartphone", "electronics.smartphone"),
        ("", "", None, "77"),
    ],
)
def test_a_rees46_row_without_code_or_brand_takes_what_there_is(
    code: str, brand: str, name: str | None, category: str
) -> None:
    row = f"2019-11-01 00:00:00 UTC,view,1,77,{code},{brand},1.00,2,s"
    event = json.loads(REES46.read(row.encode()).value)
    assert (event["product_name"], event["category"]) == (name, category)


def test_a_rees46_row_without_price_and_session_is_still_an_event() -> None:
    event = json.loads(REES46.read(b"2019-11-01 00:00:00 UTC,view,1,77,,,,2,").value)
    assert (event["price"], event["session_id"]) == (None, None)


def test_a_quoted_field_may_hold_a_comma() -> None:
    row = b'2019-11-01 00:00:00 UTC,view,1,77,a.b,"smith, ""sons""",1.00,2,s'
    assert json.loads(REES46.read(row).value)["product_name"] == 'smith, "sons" b'


@pytest.mark.parametrize(
    "line",
    [
        b"2019-11-01 00:00:00 UTC,view,100346",
        REES46_ROW + b",one more",
        REES46_ROW.replace(b",view,", b",remove_from_cart,"),
        REES46_ROW.replace(b"2019-11-01", b"2019-13-01"),
        REES46_ROW.replace(b" UTC", b""),
        REES46_ROW.replace(b"293.65", b"cheap"),
        REES46_ROW.replace(b"530496790", b""),
        REES46_ROW.replace(b"5000088", b""),
        REES46_ROW.replace(b"janome", b'"janome'),
        REES46_ROW.replace(b"janome", b"\xff\xfe"),
    ],
)
def test_a_rees46_line_that_is_no_event_says_so(line: bytes) -> None:
    with pytest.raises(UnmappableError):
        REES46.read(line)


def test_a_retailrocket_row_becomes_an_event() -> None:
    row = b"1433221332117,257597,transaction,355908,4000"
    key, value, seconds = RETAILROCKET.read(row)
    event = json.loads(value)
    assert (key, seconds) == (b"257597", 1433221332.117)
    assert event.pop("event_id") == str(uuid.uuid5(uuid.UUID(bytes=namespace("retailrocket")), row.decode()))
    assert event == {
        "event_type": "purchase",
        "event_time": "2015-06-02T05:02:12.117Z",
        "user_id": "257597",
        "session_id": "257597-2015-06-02",
        "product_id": "355908",
        "product_name": None,
        "category": None,
        "price": None,
        "transaction_id": "4000",
    }


@pytest.mark.parametrize(
    "line",
    [
        b"1433221332117,257597,view",
        b"1433221332117,257597,wish,355908,",
        b"yesterday,257597,view,355908,",
        b"999999999999999,257597,view,355908,",
        b"1433221332117,,view,355908,",
    ],
)
def test_a_retailrocket_line_that_is_no_event_says_so(line: bytes) -> None:
    with pytest.raises(UnmappableError):
        RETAILROCKET.read(line)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ('"2026-03-01T10:00:00Z"', 1772359200.0),
        ('"2026-03-01T12:00:00+02:00"', 1772359200.0),
        ("1772359200", 1772359200.0),
        ("1772359200000", 1772359200.0),
        ('"yesterday"', None),
        ("null", None),
    ],
)
def test_our_own_line_is_sent_byte_for_byte(time: str, seconds: float | None) -> None:
    line = f'{{"event_id": "e1",  "event_time": {time}, "user_id": "u1", "price": 1.10}}'.encode()
    assert JSONLINES.read(line) == Mapped(b"u1", line, seconds)


def test_our_own_line_without_an_id_gets_one_and_keeps_the_rest() -> None:
    line = b' {"user_id": 7, "price": 12345678901234567.10}'
    identity = uuid.uuid5(uuid.UUID(bytes=namespace("jsonl")), line.decode())
    expected = f'{{"event_id":"{identity}","user_id": 7, "price": 12345678901234567.10}}'.encode()
    assert JSONLINES.read(line) == Mapped(b"7", expected, None)


def test_an_empty_object_gets_an_id_too() -> None:
    assert list(json.loads(JSONLINES.read(b"{ }").value)) == ["event_id"]


@pytest.mark.parametrize("line", [b'{"event_id": "e1", "event_ti', b"[1]", b"null", b"plain text", b"\xff"])
def test_a_line_that_is_no_object_says_so(line: bytes) -> None:
    with pytest.raises(UnmappableError):
        JSONLINES.read(line)
