"""Plausible shoppers: sessions that look at several things, sometimes keep one, sometimes buy.

Belongs here: what shoppers do, in which order. Does not belong here: ids of events, time, and what goes wrong on the
way (`generator`).
"""

from bisect import bisect
from typing import TYPE_CHECKING, NamedTuple

from shoplake_assets.events.catalogue import PRODUCTS, Product, popularity, products
from shoplake_assets.events.shape import EventType

if TYPE_CHECKING:
    from random import Random

_USERS = 20_000
_MEAN_VIEWS = 6
_MOST_VIEWS = 40
_ADD_SHARE = 0.12
_SEVERAL_SHARE = 0.15


class Step(NamedTuple):
    """One thing that a shopper does."""

    event_type: EventType
    product: Product
    quantity: int


class Session(NamedTuple):
    """A visit: who, and what is still to come, the next step last."""

    user_id: str
    session_id: str
    steps: list[Step]


def start_session(rng: "Random", *, session_id: str, busyness: float) -> Session:
    """Plan a visit from its first view to its end.

    Args:
        rng: Decides.
        session_id: The visit's id.
        busyness: Share of the busiest hour; in busy hours more of the full carts are bought.
    """
    random = rng.random
    # A square pulls towards the low numbers: regulars come often.
    user = int(random() ** 2 * _USERS)
    views = min(_MOST_VIEWS, 1 + int(rng.expovariate(1 / (_MEAN_VIEWS - 0.5))))
    steps: list[Step] = []
    cart: list[Step] = []
    for _ in range(views):
        product = products()[min(bisect(popularity(), random()), PRODUCTS - 1)]
        steps.append(Step(EventType.VIEW_ITEM, product, 1))
        if random() < _ADD_SHARE:
            quantity = 1 + int(random() < _SEVERAL_SHARE) + int(random() < _SEVERAL_SHARE**2)
            steps.append(Step(EventType.ADD_TO_CART, product, quantity))
            cart.append(Step(EventType.PURCHASE, product, quantity))
    if random() < 0.25 + 0.35 * busyness:
        steps.extend(cart)
    steps.reverse()
    return Session(user_id=f"u{user:05d}", session_id=session_id, steps=steps)
