"""REES46, "eCommerce behavior data from multi category store": CSV as published.

Belongs here: how one of its rows becomes an event. Does not belong here: reading files, sending.
"""

from datetime import UTC, datetime
from functools import lru_cache

from shoplake_assets.events.formats.base import Format, Mapped, UnmappableError, namespace, row_id, split_csv
from shoplake_assets.events.shape import EventType, event_json, money, rfc3339

_COLUMNS = (
    "event_time",
    "event_type",
    "product_id",
    "category_id",
    "category_code",
    "brand",
    "price",
    "user_id",
    "user_session",
)
_EVENT_TYPES = {"view": EventType.VIEW_ITEM, "cart": EventType.ADD_TO_CART, "purchase": EventType.PURCHASE}
_NAMESPACE = namespace("rees46")


def _read(line: bytes) -> Mapped:
    fields = split_csv(line)
    if len(fields) != len(_COLUMNS):
        raise UnmappableError(f"{len(fields)} fields instead of {len(_COLUMNS)}")
    time, kind, product, category_id, category_code, brand, price, user, session = fields
    event_type = _EVENT_TYPES.get(kind)
    if event_type is None or not product or not user:
        raise UnmappableError("unknown event type, or no product or user")
    try:
        seconds, event_time = _moment(time)
        return Mapped(
            key=user.encode(),
            value=event_json(
                event_id=row_id(line, within=_NAMESPACE),
                event_type=event_type,
                event_time=event_time,
                user_id=user,
                session_id=session or None,
                product_id=product,
                product_name=_product_name(brand, category_code),
                category=category_code or category_id or None,
                price=money(price) if price else None,
            ),
            seconds=seconds,
        )
    except ValueError as error:
        raise UnmappableError(str(error)) from error


@lru_cache(maxsize=4096)
def _moment(text: str) -> tuple[float, str]:
    """Events come many to a second, hence the cache."""
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    return moment.timestamp(), rfc3339(moment.timestamp())


@lru_cache(maxsize=65_536)
def _product_name(brand: str, category_code: str) -> str | None:
    """The data set has no names; brand and kind of thing come closest: `janome sewing machine`."""
    thing = category_code.rpartition(".")[2].replace("_", " ")
    return " ".join(part for part in (brand, thing) if part) or None


REES46 = Format(name="rees46", columns=_COLUMNS, read=_read)
