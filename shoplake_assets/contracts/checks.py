"""The check that Pandera does not have and the contracts need.

Belongs here: Pandera's side of it, so that `Contract.validate` knows it, too. Does not belong here: its row rule
(`contracts.rules`). Importing this module makes it known to `pa.Field`.
"""

from pandera.api.extensions import register_check_method
from pandera.api.pyspark.types import PysparkDataframeColumnObject
from pyspark.sql import functions as F  # noqa: N812  the name under which Spark's functions are known

NOT_LATER_THAN = "not_later_than"


@register_check_method(statistics=["column", "minutes"])  # type: ignore[untyped-decorator]  # Pandera's is untyped
def not_later_than(data: PysparkDataframeColumnObject, *, column: str, minutes: int) -> bool:
    """Does no time lie more than so many minutes after the time in another column?"""
    latest = F.col(column) + F.make_dt_interval(mins=F.lit(minutes))
    late = data.dataframe.filter(F.col(data.column_name) > latest)  # type: ignore[arg-type]  # taken for a pandas one
    return late.limit(1).count() == 0
