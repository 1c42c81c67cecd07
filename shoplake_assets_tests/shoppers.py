"""Random shoppers from a seed, for tests that compare whole tables with the oracle.

Belongs here: events with everything that makes Gold hard: ties, odd cents, missing sessions and categories, renamed
products, hours without a purchase, times far apart.
"""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

NEWEST = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
# Ages in hours that lie on both sides of each window's edge, and of a month's.
_AGES = (0, 1, 5, 23, 24, 167, 168, 719, 720)
_PRICES = ("0.01", "9.99", "10.00", "19.90", "333.33", "1234.56", "9999999.99")
_TYPES = ("view_item", "view_item", "view_item", "add_to_cart", "purchase", "purchase")


def random_events(seed: int, *, count: int) -> list[dict[str, Any]]:
    """Valid events, no two with one id."""
    dice = random.Random(seed)  # noqa: S311  reproducible, not secret
    events = []
    for number in range(count):
        age = dice.choice(_AGES)
        product = dice.randrange(1, 9)
        quiet = age == 5
        events.append(
            {
                "event_id": f"e{number:04}",
                "event_type": dice.choice(_TYPES[:4] if quiet else _TYPES),
                "event_time": NEWEST - timedelta(hours=age, seconds=dice.randrange(0, 1800)),
                "user_id": f"u{dice.randrange(1, 12)}",
                "session_id": dice.choice((None, *(f"s{visit}" for visit in range(9)))),
                "product_id": f"p{product}",
                "product_name": dice.choice((None, f"Product {product}", f"Product {product} (new)")),
                "category": dice.choice(("light", "wood", "light", None)),
                "price": Decimal(dice.choice(_PRICES[: 6 if number % 50 else 7])),
                "quantity": dice.choice((1, 1, 2, 7)),
            }
        )
    return events


def as_payloads(events: Sequence[dict[str, Any]]) -> list[bytes]:
    """The events as Kafka carries them."""
    return [
        json.dumps({**event, "event_time": event["event_time"].isoformat(), "price": str(event["price"])}).encode()
        for event in events
    ]
