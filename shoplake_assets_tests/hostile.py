"""Hostile payloads, each with the fate that the contract gives it.

Belongs here: payloads that are odd as a whole, and fates, all written by hand. Does not belong here: odd values of one
field (`hostile_values`), why a payload is refused (`test_parsing`), or anything that the code under test computes.

Fates hold for the payloads in this order, as records of one partition that Kafka took at `building.KAFKA_TIME`.
"""

import gzip
import json
from typing import Any

from shoplake_assets_tests.building import event, purchase
from shoplake_assets_tests.hostile_values import VALUES, Payloads, of, with_json

_MEGABYTE = 1_000_000


def _first(member: str) -> bytes:
    return event().replace(b"{", b"{" + member.encode() + b", ", 1)


def _last(member: str, **fields: Any) -> bytes:
    return event(**fields)[:-1] + b", " + member.encode() + b"}"


def _named(name: str | bytes) -> bytes:
    """An event whose product name is these very bytes in quotes."""
    raw = name if isinstance(name, bytes) else name.encode()
    return with_json("product_name", b'"' + raw + b'"')


def _filled(field: str) -> bytes:
    """An event of exactly a million bytes."""
    short = of({"event_id": f"filled {field}", field: ""})
    return of({"event_id": f"filled {field}", field: "x" * (_MEGABYTE - len(short))})


def _arrays(levels: int) -> str:
    return "[" * levels + "]" * levels


def _objects(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def _without(*names: str) -> bytes:
    return json.dumps({name: value for name, value in json.loads(event()).items() if name not in names}).encode()


_BYTES: Payloads = {
    "tombstone": (None, "quarantine"),
    "nothing": (b"", "quarantine"),
    "white space": (b" \t\r\n", "quarantine"),
    "a byte that is never UTF-8": (_named(b"La\xffmp"), "quarantine"),
    "that byte in a field that nobody knows": (_last('"x": "?"').replace(b"?", b"\xff"), "quarantine"),
    "a continuation of nothing": (_named(b"La\x80mp"), "quarantine"),
    "a character that is cut": (_named(b"La\xe7\x81"), "quarantine"),
    "an end within a character": (event()[:30] + b"\xf0\x9f", "quarantine"),
    "an overlong slash": (_named(b"\xc0\xaf"), "quarantine"),
    "an overlong NUL": (_named(b"\xc0\x80"), "quarantine"),
    "a surrogate as three bytes": (_named(b"\xed\xa0\x80"), "quarantine"),
    "a character beyond Unicode": (_named(b"\xf4\x90\x80\x80"), "quarantine"),
    "a character of five bytes": (_named(b"\xf8\x88\x80\x80\x80"), "quarantine"),
    "Latin-1": (_named("Café".encode("latin-1")), "quarantine"),
    "UTF-16 with a mark": (event().decode().encode("utf-16"), "quarantine"),
    "UTF-16 without a mark": (event().decode().encode("utf-16-be"), "quarantine"),
    "UTF-32": (event().decode().encode("utf-32"), "quarantine"),
    "a byte order mark before the object": (b"\xef\xbb\xbf" + event(), "quarantine"),
    "a byte order mark in a text": (_named("\ufeffLamp"), "silver"),
    "the last characters of Unicode": (_named("\uffff\U0010ffff"), "silver"),
    "NULs alone": (b"\0" * 64, "quarantine"),
    "NUL before the object": (b"\0" + event(), "quarantine"),
    "NUL behind the object": (event() + b"\0", "quarantine"),
    "NUL raw in a text": (_named(b"La\0mp"), "quarantine"),
    "NUL raw in a key": (event().replace(b"user_id", b"user\0id"), "quarantine"),
    "NUL escaped in a text": (event(product_name="La\0mp"), "silver"),
    "NUL escaped in an id": (event(event_id="nul\0id"), "silver"),
    "NUL escaped in a key": (event().replace(b"user_id", b"user_id\\u0000"), "quarantine"),
    "gzip": (gzip.compress(event(), mtime=0), "quarantine"),
    # Half a surrogate pair is no character. Two ids of which each is another half must not become one.
    "the first half of a pair as id": (with_json("event_id", r'"\ud800"'), "quarantine"),
    "the second half of a pair as id": (with_json("event_id", r'"\udc00"'), "quarantine"),
    "the first half of a pair in a text": (_named(r"a\ud83d b"), "quarantine"),
    "a pair the wrong way round": (_named(r"\udca1\ud83d"), "quarantine"),
    "a pair": (_named(r"\ud83d\udca1"), "silver"),
    "a backslash before what looks like half a pair": (_named(r"\\ud800"), "silver"),
    "half a pair in a field that nobody knows": (_last(r'"x": "\ud800"'), "silver"),
    "half a pair in a key": (_last(r'"\udfff": 1'), "silver"),
}

_SYNTAX: Payloads = {
    "null": (b"null", "quarantine"),
    "true": (b"true", "quarantine"),
    "a number": (b"5", "quarantine"),
    "a text": (json.dumps(event().decode()).encode(), "quarantine"),
    "an array with an event": (b"[" + event() + b"]", "quarantine"),
    "an event within an object": (b'{"data": ' + event() + b"}", "quarantine"),
    "an empty array": (b"[]", "quarantine"),
    "an empty object": (b"{}", "quarantine"),
    "two events": (event() + event(), "quarantine"),
    "two events on two lines": (event() + b"\n" + event(), "quarantine"),
    "two events with a comma": (event() + b"," + event(), "quarantine"),
    "two arrays' worth": (event() + b"],[" + event(), "quarantine"),
    "an end mark behind the event": (event() + b',{"_end":"1"}', "quarantine"),
    "an end mark for an event": (b'{"_end":"1"}', "quarantine"),
    "an end mark within the event": (event(_end="1"), "silver"),
    "a line end behind the event": (event() + b"\r\n", "silver"),
    "written over many lines": (json.dumps(json.loads(event()), indent="\t").encode(), "silver"),
    "cut": (event()[:-1], "quarantine"),
    "single quotes": (event().replace(b'"', b"'"), "quarantine"),
    "one text in single quotes": (with_json("product_name", "'Lamp'"), "quarantine"),
    "a key without quotes": (event().replace(b'"user_id"', b"user_id"), "quarantine"),
    "a comma before the end": (event()[:-1] + b",}", "quarantine"),
    "no comma": (event().replace(b", ", b" ", 1), "quarantine"),
    "no colon": (event().replace(b": ", b" ", 1), "quarantine"),
    "a comment of C": (b"/* event */" + event(), "quarantine"),
    "a comment at the end": (event() + b" // event", "quarantine"),
    "a comment of a shell": (b"# event\n" + event(), "quarantine"),
    "NaN as price": (with_json("price", "NaN"), "quarantine"),
    "NaN as id": (with_json("user_id", "NaN"), "quarantine"),
    "NaN that nobody knows": (_last('"x": NaN'), "quarantine"),
    "Infinity as price": (with_json("price", "Infinity"), "quarantine"),
    "minus Infinity as id": (with_json("session_id", "-Infinity"), "quarantine"),
    "INF as time": (with_json("event_time", "+INF"), "quarantine"),
    "undefined": (with_json("price", "undefined"), "quarantine"),
    "None of Python": (with_json("price", "None"), "quarantine"),
    "a hexadecimal number": (with_json("quantity", "0x10"), "quarantine"),
    "a leading zero": (with_json("quantity", "007"), "quarantine"),
    "a leading plus": (with_json("quantity", "+1"), "quarantine"),
    "nothing before the point": (with_json("price", ".5"), "quarantine"),
    "nothing behind the point": (with_json("price", "5."), "quarantine"),
    "an underscore in a number": (with_json("price", "1_000"), "quarantine"),
    "an escape that is none": (_named(r"\x41"), "quarantine"),
    # The next three end where a text might end: a parser that goes on there has lost a field without a word.
    "a name whose escape is cut": (_named(r"\u12"), "quarantine"),
    "a price whose escape is cut": (with_json("price", r'"\u12"'), "quarantine"),
    "a price that a line end cuts": (with_json("price", b'"10\n'), "quarantine"),
    "a tab in a text": (_named(b"La\tmp"), "quarantine"),
    "a line end in a text": (_named(b"La\nmp"), "quarantine"),
    "a no-break space before the event": (b"\xc2\xa0" + event(), "quarantine"),
    "a form feed before the event": (b"\x0c" + event(), "quarantine"),
    "a record separator": (b"\x1e" + event() + b"\n", "quarantine"),
    "a web page": (b"<html><body>502 Bad Gateway</body></html>", "quarantine"),
    "a query": (b"'; DROP TABLE silver.events; --", "quarantine"),
}

_KEYS: Payloads = {
    # Of a key that is given twice the last counts.
    "a price twice": (_last('"price": 2', price=1), "silver"),
    "a price, then null": (_last('"price": null', price=1), "silver"),
    "an id twice": (_first('"event_id": "given first"'), "silver"),
    "an array, then an id": (_first('"user_id": []'), "silver"),
    "an id, then an array": (_last('"user_id": []'), "quarantine"),
    "a time, then no time": (_last('"event_time": "soon"'), "quarantine"),
    "a key that nobody knows, twice": (_last('"x": 1, "x": 2'), "silver"),
    "keys that differ by case": (_last('"PRICE": 2, "Event_Id": 7', price=1), "silver"),
    "an id whose key is in capitals": (event().replace(b"event_id", b"EVENT_ID"), "quarantine"),
    "a space behind a key": (event().replace(b"user_id", b"user_id "), "quarantine"),
    "a key with a Cyrillic letter": (event().replace(b"user_id", "us\u0435r_id".encode()), "quarantine"),
    "an escaped key": (event().replace(b"user_id", rb"\u0075ser_id"), "silver"),
    "an empty key": (of({"": 1}), "silver"),
    "a key with a point": (of({"price.eur": 2, "user_id.x": []}), "silver"),
    "a key that other languages inherit from": (event(__proto__={"price": -1}), "silver"),
    "no key but those needed": (_without("session_id", "product_name", "category", "price", "quantity"), "silver"),
}

# What only a parser without a limit could read: 1,000 levels, numbers of 1,000 digits and keys of 50,000 characters are
# enough for anybody, and more of it is refused whole.
_SIZES: Payloads = {
    "a megabyte that nobody knows": (_filled("x"), "silver"),
    "a megabyte of name": (_filled("product_name"), "quarantine"),
    "a megabyte of id": (_filled("user_id"), "quarantine"),
    "a megabyte of event type": (_filled("event_type"), "quarantine"),
    "a megabyte of time": (with_json("event_time", '"' + "9" * (_MEGABYTE - 300) + '"'), "quarantine"),
    "a megabyte of price": (with_json("price", '"' + "9" * (_MEGABYTE - 300) + '"'), "quarantine"),
    "a megabyte of quantity": (with_json("quantity", '"' + "1" * (_MEGABYTE - 300) + '"'), "quarantine"),
    "a megabyte of key": (of({"x" * (_MEGABYTE - 300): 1}), "quarantine"),
    "a megabyte of keys": (of({f"x{number}": number for number in range(60_000)}), "silver"),
    "a megabyte of letters": (b"a" * _MEGABYTE, "quarantine"),
    "a megabyte of what is not UTF-8": (b"\xfe" * _MEGABYTE, "quarantine"),
    "a megabyte of brackets": (b"[" * _MEGABYTE, "quarantine"),
    "a megabyte of white space": (b" " * _MEGABYTE, "quarantine"),
    "a megabyte of white space before the event": (event().rjust(_MEGABYTE), "silver"),
    "a megabyte of numbers for a name": (with_json("product_name", "[" + "1," * 499_800 + "1]"), "quarantine"),
    "100 arrays that nobody knows": (_last(f'"x": {_arrays(100)}'), "silver"),
    "500 objects that nobody knows": (_last(f'"x": {_objects(500)}'), "silver"),
    "5,000 arrays that nobody knows": (_last(f'"x": {_arrays(5000)}'), "quarantine"),
    "5,000 objects that nobody knows": (_last(f'"x": {_objects(5000)}'), "quarantine"),
    "100 arrays": (_arrays(100).encode(), "quarantine"),
    "5,000 arrays": (_arrays(5000).encode(), "quarantine"),
    "100 objects": (_objects(100).encode(), "quarantine"),
    "5,000 objects": (_objects(5000).encode(), "quarantine"),
    "100 arrays for a name": (with_json("product_name", _arrays(100)), "quarantine"),
    "990 arrays for a name": (with_json("product_name", _arrays(990)), "quarantine"),
    "990 objects for a name": (with_json("product_name", _objects(990)), "quarantine"),
    "990 objects for an id": (with_json("user_id", _objects(990)), "quarantine"),
    "990 objects for a price": (with_json("price", _objects(990)), "quarantine"),
    "500 objects beside a name that looks like one": (_last(f'"x": {_objects(500)}', product_name="{"), "silver"),
    "5,000 arrays for a name": (with_json("product_name", _arrays(5000)), "quarantine"),
    "a number of 5,000 digits as price": (with_json("price", "1" + "0" * 5000), "quarantine"),
    "a text of 5,000 digits as price": (with_json("price", '"1' + "0" * 5000 + '"'), "quarantine"),
    "a number of 5,000 digits that nobody knows": (_last(f'"x": 1{"0" * 5000}'), "quarantine"),
}

# Repeats stand behind what they repeat. An event is named by its id as it was read, so neither the form of the JSON nor
# what nobody knows makes a repeat differ.
_REPEATS: Payloads = {
    "the first": (purchase(event_id="twin", price=4, user_id="first"), "silver"),
    "the same bytes": (purchase(event_id="twin", price=4, user_id="first"), "duplicate"),
    "the same in another form": (
        b"\n" + purchase(event_id="twin", price="4.00", user_id="first", quantity="1", x=[1]),
        "duplicate",
    ),
    "the same time of another zone": (
        purchase(event_id="twin", price=4, user_id="first", at="2026-03-01T15:30:00+05:30"),
        "duplicate",
    ),
    "its id given last": (
        _last('"event_id": "twin"', event_type="purchase", event_id="other", price=4, user_id="first"),
        "duplicate",
    ),
    "its id at another price": (purchase(event_id="twin", price=5, user_id="first"), "duplicate"),
    "its id for another shopper": (purchase(event_id="twin", price=4, user_id="second"), "duplicate"),
    "its id within the same hour": (
        purchase(event_id="twin", price=4, user_id="first", at="2026-03-01T10:59:59Z"),
        "duplicate",
    ),
    "its id and no event": (purchase(event_id="twin", price="much"), "quarantine"),
    "free": (event(event_id="cheap", price=0), "silver"),
    "its id without a price": (event(event_id="cheap", price=None), "duplicate"),
    "a number as id": (of({"event_id": 42}), "silver"),
    "the same number as text": (event(event_id="42"), "duplicate"),
    "no event yet": (event(event_id="mended", quantity=0), "quarantine"),
    "mended": (event(event_id="mended", quantity=2), "silver"),
}
CONFLICTS = frozenset(
    {
        "its id at another price",
        "its id for another shopper",
        "its id within the same hour",
        "its id without a price",
    }
)
"""The duplicates that do not say what the event says that they repeat."""

PARTS = (_BYTES, _SYNTAX, _KEYS, _SIZES, _REPEATS, VALUES)
CORPUS: Payloads = {name: payload for part in PARTS for name, payload in part.items()}
"""All of them, by name, in the order in which they arrive."""
