"""The check that Pandera does not have and the contracts need.

Belongs here: Pandera's side of it, so that `Contract.validate` knows it, too. Does not belong here: its row rule
(`contracts.rules`). Importing this module makes it known to `pa.Field`.
"""

from typing import TYPE_CHECKING

from pandera.api.extensions import register_check_method
from pyspark.sql import functions as F  # noqa: N812  the name under which Spark's functions are known

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NOT_LATER_THAN = "not_later_than"


@register_check_method(statistics=["time", "than", "minutes"])  # type: ignore[untyped-decorator]  # Pandera's is untyped
def not_later_than(rows: "DataFrame", *, time: str, than: str, minutes: int) -> bool:
    """Does no time lie more than so many minutes after that in another column?

    The column must be named once more (`time`), because on Spark Pandera does not tell a check of one's own where it
    stands.
    """
    latest = F.col(than) + F.make_dt_interval(mins=F.lit(minutes))
    return rows.where(F.col(time) > latest).limit(1).count() == 0
