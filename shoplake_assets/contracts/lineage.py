"""Which columns each column of a derived table is computed from.

Belongs here: names, as plain data that costs nothing to load. Does not belong here: how a value is computed
(`transforms`), or what a column means (its contract).

A column names what its own value is computed from. What decides which rows count, the same for all columns of a table,
is named by none of them: the grouping appears as the column that shows it, a filter not at all.
"""

from collections.abc import Mapping

from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
    MADE_FROM,
    SILVER_EVENTS,
    SILVER_QUARANTINE,
)


def _same(*columns: str) -> dict[str, str]:
    """Columns that are taken over under their names."""
    return {column: column for column in columns}


_COORDINATES = _same("topic_id", "partition", "offset", "kafka_timestamp")
_SALES_OF_EVENTS = {
    "purchases": "event_type",
    "units": "event_type quantity",
    "revenue": "event_type price quantity",
}
_SALES_OF_FACTS = _same("purchases", "units", "revenue")
_SESSIONS_OF_A_KIND = "event_type session_id"

# Each column of a table with those of the table that it is made from.
_COLUMNS: dict[str, dict[str, str]] = {
    SILVER_EVENTS: {
        "event_id": "payload",
        "event_time": "payload",
        "event_type": "payload",
        "user_id": "payload",
        "session_id": "payload",
        "product_id": "payload",
        "product_name": "payload",
        "category": "payload",
        "price": "payload",
        "quantity": "payload",
        "price_defaulted": "payload",
        **_COORDINATES,
    },
    SILVER_QUARANTINE: {
        **_COORDINATES,
        **_same("key", "payload"),
        # An event's time is judged by that of its record.
        "reasons": "payload kafka_timestamp",
        "quarantined_at": "",
    },
    GOLD_HOURLY_SALES: {
        "event_hour": "event_time",
        # A count of all rows depends on nothing but the hour into which they fall.
        "events": "event_time",
        "buyers": "event_type user_id",
        "sessions": "session_id",
        "average_order_value": "event_type price quantity",
        **_SALES_OF_EVENTS,
    },
    GOLD_HOURLY_FUNNEL: {
        "event_hour": "event_time",
        "viewed": _SESSIONS_OF_A_KIND,
        "added": _SESSIONS_OF_A_KIND,
        "purchased": _SESSIONS_OF_A_KIND,
        "add_rate": _SESSIONS_OF_A_KIND,
        "purchase_rate": _SESSIONS_OF_A_KIND,
    },
    GOLD_PRODUCT_HOURLY: {
        "event_hour": "event_time",
        **_same("product_id", "category"),
        "product_name": "product_name event_time event_id",
        "views": "event_type",
        "carts": "event_type",
        **_SALES_OF_EVENTS,
    },
    GOLD_USER_HOURLY: {"event_hour": "event_time", **_same("user_id"), **_SALES_OF_EVENTS},
    GOLD_CATEGORY_SALES: {"event_date": "event_hour", **_same("category"), **_SALES_OF_FACTS},
    GOLD_TOP_PRODUCTS: {
        "window": "event_hour",
        "rank": "revenue product_id",
        "product_id": "product_id",
        "product_name": "product_name event_hour category",
        "category": "category event_hour",
        **_SALES_OF_FACTS,
    },
    GOLD_TOP_USERS: {"window": "event_hour", "rank": "revenue user_id", **_same("user_id"), **_SALES_OF_FACTS},
}


def column_lineage(table: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Each column of a derived table, with the table and the name of every column that it is computed from.

    A column that comes from no other, such as the time at which a row was made, has none.
    """
    source = MADE_FROM[table]
    return {column: tuple((source, name) for name in names.split()) for column, names in _COLUMNS[table].items()}
