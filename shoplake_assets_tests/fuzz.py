"""Fuzzed event payloads: for hypothesis, and very many at once from a seed.

Belongs here: making them. Does not belong here: what becomes of them; written fates are in `hostile`.

One description serves both. It takes every decision by the dice that it is given: hypothesis throws dice of its own,
so that it can shrink what it found, and a seed throws a hundred thousand payloads in seconds, always the same.
"""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_HOUR = datetime(2025, 3, 1, tzinfo=UTC)
_HOURS = 48
# Values of few times only: every event hour is a partition.
_TIMES = (
    *("2000-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z", "2000-01-01T13:59:59+14:00", "1999-12-31T12:00:00-12:00"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2025-02-29T00:00:00Z", "2024-02-29T12:00:00+05:30"),
    *("2016-12-31T23:59:60Z", "2025-03-01t10:00:00z", "2025-03-01 10:00:00Z", "2025-03-01T10:00:00", "2025-03-01"),
    *("2025-03-30T02:30:00+01:00", "2025-03-01T10:00:00.123456789Z", "2025-03-01T10:00:00+19:00", "soon", "", "now"),
    *(0, -1, 946684799, 946684800, 1740823200, 1740823200.5, 1740823200123, 1740823200123456, 2**63, "1740823200"),
)
_NUMBERS = (
    *("0", "-0", "-0.0", "-1", "1", "0.01", "0.009", "9.999", "1e0", "1E+2", "1e-400", "1e400", "1e999999999"),
    *("100000", "100001", "2147483647", "2147483648", "4294967297", "9223372036854775807", "18446744073709551617"),
    *("10000000", "10000000.01", "9999999999.99", "99999999999", "1" + "0" * 60, "1" + "0" * 999, "1" + "0" * 1500),
    *("NaN", "Infinity", "-Infinity", "0x10", "007", "+1", ".5", "5.", "1_000", "1,5", "0." + "0" * 40 + "1"),
)
_WORDS = (
    *("", " ", "\t\n", "\0", "null", "true", "NaN", "Infinity", "{}", "[1, 2]", '{"a": [', "view", "cart", "purchase"),
    *("<script>alert(1)</script>", "'; DROP TABLE events; --", "${jndi:ldap://x}", "=1+1", "../..", "%s%n", "\\", '"'),
    *(
        "منضدة",
        "שולחן",
        "👩‍👩‍👧‍👦",
        "\u202egnp.pmaL",
        "u\u200b1",
        "caf\u00e9",
        "cafe\u0301",
        "\ufeff",
        "\U0010ffff",
        "٣",
    ),
    *("10", "1.5", "-1", "1e3", " 12.50 ", "1,50", "0x10", "9" * 400),
)
_HALVES = (
    r'"\ud800"',
    r'"a\udc00b"',
    r'"\udca1\ud83d"',
    r'"\ud83d\udca1"',
    r'"\\ud800"',
    r'"\u0000"',
    r'"\u12"',
    r'"\x"',
)
_FIELDS = (
    *("event_id", "event_type", "event_time", "user_id", "session_id"),
    *("product_id", "product_name", "category", "price", "quantity"),
)
_LETTERS = ((0x20, 0x7E), (0, 0x1F), (0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFD), (0x1F300, 0x1FAFF))


def payloads() -> "st.SearchStrategy[bytes]":
    """Fuzzed payloads, for property tests."""
    return st.one_of(st.randoms(use_true_random=False).map(payload), st.binary(max_size=200))


def fuzzed(count: int, *, seed: int) -> list[bytes]:
    """So many fuzzed payloads, always the same for a seed.

    About a third are valid events, and one of twenty repeats an earlier payload, as it was or with another price.
    """
    dice = Random(seed)  # noqa: S311  reproducible, not secret
    made: list[bytes] = []
    while len(made) < count:
        repeats = made and dice.random() < 0.05
        made.append(_again(dice.choice(made), dice) if repeats else payload(dice))
    return made


def payload(dice: Random) -> bytes:
    """One fuzzed payload."""
    (make,) = dice.choices((_valid, _odd, _mutated, _json, _bytes), weights=(32, 33, 23, 8, 4))
    return make(dice)


def _event(dice: Random) -> dict[str, str]:
    """A valid event, as the JSON of each of its fields."""
    time = _FIRST_HOUR + timedelta(hours=dice.randrange(_HOURS), seconds=dice.randrange(3600))
    event = {
        "event_id": f"{dice.getrandbits(64):016x}",
        "event_type": dice.choice(("view_item", "add_to_cart", "purchase")),
        "event_time": time.isoformat(),
        "user_id": f"u{dice.randrange(500)}",
        "session_id": dice.choice((None, f"s{dice.randrange(2000)}")),
        "product_id": f"p{dice.randrange(100)}",
        "product_name": dice.choice((None, "Lamp", "灯", "Lámpara 💡")),
        "category": dice.choice((None, "light", "wood")),
        "price": dice.choice((None, dice.randrange(100_000) / 100)),
        "quantity": dice.choice((1, 1, dice.randrange(1, 100))),
    }
    return {name: json.dumps(value) for name, value in event.items()}


def _valid(dice: Random) -> bytes:
    return _written(_event(dice), dice)


def _written(event: dict[str, str], dice: Random) -> bytes:
    names = list(event)
    if dice.random() < 0.3:
        dice.shuffle(names)
    space = dice.choice(("", " ", "\n\t"))
    return f"{{{space}{f',{space}'.join(f'{json.dumps(name)}:{space}{event[name]}' for name in names)}}}".encode()


def _odd(dice: Random) -> bytes:
    """A valid event of which one field, and each other perhaps, has an odd value, or is missing, or is there twice."""
    event = _event(dice)
    certain = dice.choice(_FIELDS)
    for name in _FIELDS:
        if name == certain or dice.random() < 0.1:
            event[name] = _odd_value(dice)
    if dice.random() < 0.1:
        del event[dice.choice(_FIELDS)]
    if dice.random() < 0.2:
        event[dice.choice(("", "x", "EVENT_ID", "price ", "_end", "a.b"))] = _odd_value(dice)
    written = _written(event, dice)
    if dice.random() < 0.05:
        return written[:-1] + f',"{dice.choice(_FIELDS)}":{_odd_value(dice)}}}'.encode()
    return written


def _odd_value(dice: Random) -> str:
    """JSON of any kind, or what looks like it."""
    levels = dice.choice((1, 5, 60))
    makers: tuple[Callable[[], str], ...] = (
        lambda: dice.choice(("null", "true", "false", "[]", "{}", '["e1"]', '{"id": "u1"}', "undefined", "'x'")),
        lambda: dice.choice(_NUMBERS),
        lambda: json.dumps(dice.choice(_NUMBERS)),
        lambda: json.dumps(dice.choice(_TIMES)),
        lambda: json.dumps(dice.choice(_WORDS), ensure_ascii=dice.random() < 0.5),
        lambda: dice.choice(_HALVES),
        lambda: json.dumps(_text(dice), ensure_ascii=dice.random() < 0.5),
        lambda: json.dumps(_text(dice)[:1] * dice.choice((128, 129, 500, 501, 3000))),
        lambda: "[" * levels + "]" * levels,
        lambda: '{"a":' * levels + "1" + "}" * levels,
    )
    return dice.choice(makers)()


def _text(dice: Random) -> str:
    letters = (dice.choice(_LETTERS) for _ in range(dice.randrange(1, 12)))
    return "".join(chr(dice.randint(first, last)) for first, last in letters)


def _mutated(dice: Random) -> bytes:
    """An event whose bytes something has damaged."""
    whole = _odd(dice) if dice.random() < 0.2 else _valid(dice)
    place, other = sorted((dice.randrange(len(whole)), dice.randrange(len(whole))))
    flipped = bytes([whole[place] ^ 1 << dice.randrange(8)])
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: whole[:place],
        lambda: whole[place:],
        lambda: whole[:place] + whole[other:],
        lambda: whole[:place] + flipped + whole[place + 1 :],
        lambda: (
            whole[:place]
            + dice.choice((b"\0", b"\xff", b"\n", b'"', b",", b"}", b"\\", b"\xef\xbb\xbf"))
            + whole[place:]
        ),
        lambda: whole[:place] + _bytes(dice) + whole[place:],
        lambda: whole + dice.choice((b"", b",", b"\n", b"],[")) + whole,
        lambda: whole.decode().encode(dice.choice(("utf-16", "utf-16-be", "utf-32"))),
        lambda: dice.choice((b"[", b"//x\n", b"\xef\xbb\xbf", b"\x1e")) + whole,
        lambda: whole + dice.choice((b"]", b"}", b"\0", b"#", b',{"_end":"1"}')),
    )
    return dice.choice(ways)()


def _json(dice: Random) -> bytes:
    """JSON that has nothing to do with events."""
    return _tree(dice, levels=3).encode()


def _tree(dice: Random, *, levels: int) -> str:
    kind = dice.randrange(3) if levels else 2
    if kind == 0:
        return f"[{','.join(_tree(dice, levels=levels - 1) for _ in range(dice.randrange(4)))}]"
    if kind == 1:
        names = [dice.choice((*_FIELDS, "_end", "x")) for _ in range(dice.randrange(4))]
        return f"{{{','.join(f'{json.dumps(name)}:{_tree(dice, levels=levels - 1)}' for name in names)}}}"
    return _odd_value(dice)


def _bytes(dice: Random) -> bytes:
    return bytes(dice.randrange(256) for _ in range(dice.randrange(40)))


def _again(earlier: bytes, dice: Random) -> bytes:
    return earlier if dice.random() < 0.7 else earlier.replace(b'"price": ', b'"price": 7')
