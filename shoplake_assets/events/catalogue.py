"""What the synthetic shop sells: the same products, names and prices in every run, whatever its seed.

Belongs here: products and how popular they are. Does not belong here: shoppers.
"""

from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from shoplake_assets.events.shape import money

if TYPE_CHECKING:
    import orjson

PRODUCTS = 1_000
_CATALOGUE_SEED = 20_260_301
_ZIPF_EXPONENT = 1.05
_BRANDS = ("Alba", "Boreal", "Cedro", "Delta", "Eiger", "Fjord", "Gala", "Hestia", "Iris", "Juno", "Kodo", "Lumen")
# Category, things it holds, and the cheapest and the dearest price in cents.
_SHELVES = (
    ("audio", ("headphones", "speaker", "earbuds", "soundbar"), 1_990, 39_900),
    ("books", ("novel", "cookbook", "atlas", "comic"), 590, 4_900),
    ("computers", ("laptop", "monitor", "keyboard", "mouse"), 1_490, 189_900),
    ("garden", ("hose", "planter", "shears", "lantern"), 790, 12_900),
    ("grocery", ("coffee", "tea", "olive oil", "chocolate"), 249, 2_490),
    ("home", ("lamp", "cushion", "rug", "mirror"), 990, 29_900),
    ("kitchen", ("kettle", "blender", "knife", "pan"), 890, 34_900),
    ("phones", ("smartphone", "charger", "case", "cable"), 690, 119_900),
    ("shoes", ("sneakers", "boots", "sandals", "slippers"), 1_490, 17_900),
    ("sports", ("mat", "dumbbell", "bottle", "racket"), 690, 19_900),
    ("toys", ("puzzle", "blocks", "doll", "kite"), 490, 8_900),
    ("wear", ("jacket", "shirt", "jeans", "scarf"), 1_290, 24_900),
)


class Product(NamedTuple):
    """A product of the synthetic shop."""

    id: str
    name: str
    category: str
    price: "orjson.Fragment"


@lru_cache(maxsize=1)
def products() -> tuple[Product, ...]:
    """All products, the most popular first."""
    rng = Random(_CATALOGUE_SEED)  # noqa: S311  # plausible, not secret
    return tuple(_product(number, rng) for number in range(1, PRODUCTS + 1))


@lru_cache(maxsize=1)
def popularity() -> tuple[float, ...]:
    """For each product the share of all views that goes to it and to the more popular ones: a long tail (Zipf)."""
    weights = list(accumulate(1 / rank**_ZIPF_EXPONENT for rank in range(1, PRODUCTS + 1)))
    return tuple(weight / weights[-1] for weight in weights)


def _product(number: int, rng: Random) -> Product:
    category, things, cheapest, dearest = rng.choice(_SHELVES)
    cents = round(cheapest * (dearest / cheapest) ** rng.random())
    return Product(
        id=f"p{number:04d}",
        name=f"{rng.choice(_BRANDS)} {rng.choice(things)}",
        category=category,
        price=money(f"{cents // 100}.{cents % 100:02d}"),
    )
