"""Events on the wire."""

import json

import orjson
import pytest

from shoplake_assets.events.shape import EventType, event_json, money, rfc3339


def test_an_event_is_written_with_the_digits_of_its_price() -> None:
    value = event_json(
        event_id="e1",
        event_type=EventType.PURCHASE,
        event_time="2026-03-01T10:00:00Z",
        user_id="u1",
        session_id="s1",
        product_id="p1",
        price=money("1234567890123456.10"),
        quantity=2,
    )
    assert value == (
        b'{"event_id":"e1","event_type":"purchase","event_time":"2026-03-01T10:00:00Z","user_id":"u1",'
        b'"session_id":"s1","product_id":"p1","product_name":null,"category":null,"price":1234567890123456.10,'
        b'"quantity":2}'
    )


def test_a_missing_price_is_null_and_one_piece_goes_without_saying() -> None:
    event = json.loads(
        event_json(
            event_id="e1",
            event_type=EventType.VIEW_ITEM,
            event_time="2026-03-01T10:00:00Z",
            user_id="u1",
            session_id=None,
            product_id="p1",
        )
    )
    assert event["price"] is None
    assert "quantity" not in event


@pytest.mark.parametrize("text", ["489.07", "0", "-1.50", "12"])
def test_money_keeps_the_text(text: str) -> None:
    assert orjson.dumps(money(text)) == text.encode()


@pytest.mark.parametrize("text", ["", "abc", "1,50", "01.5", ".5", "1.", "NaN", "1e3", "٣", '1,"x":2', " 1"])
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        money(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1433221332.117, "2015-06-02T05:02:12.117Z"),
        (1572566400, "2019-11-01T00:00:00Z"),
        (1572566400.9999, "2019-11-01T00:00:00.999Z"),
    ],
)
def test_a_moment_is_written_in_utc(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text


def test_a_moment_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match=r"year|moment"):
        rfc3339(1e15)
