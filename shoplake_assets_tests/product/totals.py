"""What Gold must say, computed in plain Python from the very payloads that were sent.

Belongs here: the expected figures of good and distinct events. It shares no code with the product.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
SYNONYMS = {"view": "view_item", "cart": "add_to_cart"}


@dataclass
class Sales:
    """Sums of purchases."""

    purchases: int = 0
    units: int = 0
    revenue: Decimal = Decimal(0)

    def add(self, event: dict[str, Any]) -> None:
        """Count the event if it is a purchase."""
        if event["event_type"] == "purchase":
            self.purchases += 1
            self.units += event["quantity"]
            self.revenue += event["price"] * event["quantity"]


@dataclass
class Hour(Sales):
    """Figures of an hour."""

    events: int = 0
    buyers: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    stages: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, event: dict[str, Any]) -> None:
        """Count the event."""
        super().add(event)
        self.events += 1
        self.sessions.add(event["session_id"])
        self.stages[event["event_type"]].add(event["session_id"])
        if event["event_type"] == "purchase":
            self.buyers.add(event["user_id"])

    def row(self, hour: datetime) -> dict[str, Any]:
        """The row of `gold.hourly_sales` that is expected."""
        average = (self.revenue / self.purchases).quantize(CENT, ROUND_HALF_UP) if self.purchases else None
        return {
            "event_hour": hour,
            "events": self.events,
            "purchases": self.purchases,
            "units": self.units,
            "revenue": self.revenue.quantize(CENT),
            "buyers": len(self.buyers),
            "sessions": len(self.sessions),
            "average_order_value": average,
        }


@dataclass
class Totals:
    """All figures of a set of events."""

    hours: dict[datetime, Hour] = field(default_factory=lambda: defaultdict(Hour))
    categories: dict[tuple[date, str], Sales] = field(default_factory=lambda: defaultdict(Sales))
    products: dict[str, Sales] = field(default_factory=lambda: defaultdict(Sales))
    users: dict[str, Sales] = field(default_factory=lambda: defaultdict(Sales))

    def funnel(self) -> dict[datetime, tuple[int, int, int]]:
        """Sessions that viewed, added and bought, by hour."""
        kinds = ("view_item", "add_to_cart", "purchase")
        return {
            hour: (len(figures.stages[kinds[0]]), len(figures.stages[kinds[1]]), len(figures.stages[kinds[2]]))
            for hour, figures in self.hours.items()
        }

    @staticmethod
    def top(sales: dict[str, Sales]) -> list[tuple[int, str, Decimal]]:
        """Rank, id and revenue of the hundred best."""
        sold = [(name, figures.revenue.quantize(CENT)) for name, figures in sales.items() if figures.purchases]
        best = sorted(sold, key=lambda item: (-item[1], item[0]))[:100]
        return [(rank, name, revenue) for rank, (name, revenue) in enumerate(best, start=1)]


def totals_of(payloads: Iterable[bytes]) -> Totals:
    """Add up the payloads of good and distinct events."""
    totals = Totals()
    for payload in payloads:
        event = _read(payload)
        hour = event["event_time"].replace(minute=0, second=0, microsecond=0)
        totals.hours[hour].add(event)
        totals.categories[hour.date(), event["category"]].add(event)
        totals.products[event["product_id"]].add(event)
        totals.users[event["user_id"]].add(event)
    return totals


def _read(payload: bytes) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(payload, parse_float=Decimal)
    return {
        **event,
        "event_type": SYNONYMS.get(event["event_type"], event["event_type"]),
        "event_time": datetime.fromisoformat(event["event_time"]).astimezone(UTC),
        "category": event.get("category") or "(none)",
        "price": Decimal(event.get("price") or 0),
        "quantity": int(event.get("quantity") or 1),
    }
