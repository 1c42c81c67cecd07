"""An independent account of Silver and Gold, in plain Python: what the tables must hold for a list of events.

Belongs here: dictionaries, sets and decimals. Does not belong here: anything of `shoplake_assets`. It is given events
that are valid; it removes repeats itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Event = Mapping[str, Any]
Row = dict[str, Any]

WINDOWS = {"24h": 24, "7d": 168, "30d": 720, "all": None}
LONGEST_LIST = 100
NO_CATEGORY = "(none)"


def unique(events: Iterable[Event]) -> list[Event]:
    """The first of the events that share an id."""
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event["event_id"], event)
    return list(first.values())


def gold(events: Iterable[Event]) -> dict[str, list[Row]]:
    """All Gold tables and their facts, each sorted by its key.

    Args:
        events: In the order of Kafka, with `event_time` as a moment and `price` as a decimal.
    """
    kept = unique(events)
    products, users = _product_hourly(kept), _user_hourly(kept)
    newest = max(_hour(event) for event in kept)
    return {
        "gold.hourly_sales": _hourly_sales(kept),
        "gold.hourly_funnel": _hourly_funnel(kept),
        "gold.product_hourly": products,
        "gold.user_hourly": users,
        "gold.category_sales": _category_sales(products),
        "gold.top_products": top_list(products, by="product_id", newest=newest),
        "gold.top_users": top_list(users, by="user_id", newest=newest),
    }


def top_list(facts: Sequence[Row], *, by: str, newest: datetime) -> list[Row]:
    """Who sold most, or bought most, in each window, from hourly facts; sorted by the key."""
    rows: list[Row] = []
    for window, hours in WINDOWS.items():
        within = [
            fact
            for fact in facts
            if fact["purchases"] and (hours is None or fact["event_hour"] > newest - timedelta(hours=hours))
        ]
        ranked = sorted(
            ((name, group, _added_up(group)) for name, group in _grouped(within, lambda fact: fact[by])),
            key=lambda entry: (-entry[2]["revenue"], entry[0]),
        )
        for rank, (name, group, total) in enumerate(ranked[:LONGEST_LIST], start=1):
            latest = max(group, key=lambda fact: (fact["event_hour"], fact.get("category", "")))
            also = {key: latest[key] for key in ("product_name", "category") if key in latest}
            rows.append({"window": window, "rank": rank, by: name, **also, **total})
    return sorted(rows, key=lambda row: (row["window"], row["rank"]))


def _hourly_sales(events: Sequence[Event]) -> list[Row]:
    rows = []
    for hour, group in _grouped(events, _hour):
        bought = [event for event in group if event["event_type"] == "purchase"]
        total = _sales(bought)
        rows.append(
            {
                "event_hour": hour,
                "events": len(group),
                "buyers": len({event["user_id"] for event in bought}),
                "sessions": len({event["session_id"] for event in group} - {None}),
                "average_order_value": _ratio(total["revenue"], len(bought), "0.01"),
                **total,
            }
        )
    return rows


def _hourly_funnel(events: Sequence[Event]) -> list[Row]:
    rows = []
    for hour, group in _grouped(events, _hour):
        viewed, added, purchased = (
            len({event["session_id"] for event in group if event["event_type"] == kind} - {None})
            for kind in ("view_item", "add_to_cart", "purchase")
        )
        rows.append(
            {
                "event_hour": hour,
                "viewed": viewed,
                "added": added,
                "purchased": purchased,
                "add_rate": _ratio(Decimal(added), viewed, "0.0001"),
                "purchase_rate": _ratio(Decimal(purchased), viewed, "0.0001"),
            }
        )
    return rows


def _product_hourly(events: Sequence[Event]) -> list[Row]:
    rows = []
    for (hour, product, category), group in _grouped(
        events, lambda event: (_hour(event), event["product_id"], _category(event))
    ):
        newest = max(group, key=lambda event: (event["event_time"], event["event_id"]))
        rows.append(
            {
                "event_hour": hour,
                "product_id": product,
                "category": category,
                "product_name": newest["product_name"],
                "views": sum(event["event_type"] == "view_item" for event in group),
                "carts": sum(event["event_type"] == "add_to_cart" for event in group),
                **_sales(event for event in group if event["event_type"] == "purchase"),
            }
        )
    return rows


def _user_hourly(events: Sequence[Event]) -> list[Row]:
    bought = [event for event in events if event["event_type"] == "purchase"]
    return [
        {"event_hour": hour, "user_id": user, **_sales(group)}
        for (hour, user), group in _grouped(bought, lambda event: (_hour(event), event["user_id"]))
    ]


def _category_sales(products: Sequence[Row]) -> list[Row]:
    return [
        {"event_date": day, "category": category, **_added_up(group)}
        for (day, category), group in _grouped(products, lambda row: (row["event_hour"].date(), row["category"]))
    ]


def _grouped(rows: Iterable[Any], key: Any) -> list[tuple[Any, list[Any]]]:
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return sorted(groups.items(), key=lambda item: item[0])


def _sales(bought: Iterable[Event]) -> Row:
    rows = list(bought)
    return {
        "purchases": len(rows),
        "units": sum(event["quantity"] for event in rows),
        "revenue": sum((event["price"] * event["quantity"] for event in rows), Decimal("0.00")),
    }


def _added_up(facts: Iterable[Row]) -> Row:
    rows = list(facts)
    return {
        "purchases": sum(row["purchases"] for row in rows),
        "units": sum(row["units"] for row in rows),
        "revenue": sum((row["revenue"] for row in rows), Decimal("0.00")),
    }


def _ratio(value: Decimal, by: int, step: str) -> Decimal | None:
    return (value / by).quantize(Decimal(step), rounding=ROUND_HALF_UP) if by else None


def _hour(event: Event) -> datetime:
    time: datetime = event["event_time"]
    return time.replace(minute=0, second=0, microsecond=0)


def _category(event: Event) -> str:
    return NO_CATEGORY if event["category"] is None else str(event["category"])
