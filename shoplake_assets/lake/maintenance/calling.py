"""Calling Iceberg's procedures, beside a stream and refreshes that commit to the same tables.

Belongs here: the call, and doing it again after a conflict. Does not belong here: which procedure, and when.
"""

from typing import TYPE_CHECKING

from pyspark.errors import PySparkException  # noqa: TID253  only processes that hold a session come here
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import Row

    from shoplake_assets.lake.lake import Lake

_ATTEMPTS = 4


@retry(
    retry=retry_if_exception_type(PySparkException),
    stop=stop_after_attempt(_ATTEMPTS),
    wait=wait_random_exponential(max=5),
    reraise=True,
)
def call(lake: "Lake", procedure: str, *, table: str, **arguments: str) -> "list[Row]":
    """Call a procedure of Iceberg's that leaves the table's rows as they are, and give the rows in which it answers.

    Iceberg itself takes a commit up again when an append came in between. What it cannot take up, such as a file to be
    rewritten that a rebuild has removed, it refuses as a whole: nothing has changed, and another call plans anew.

    Args:
        lake: The lake.
        procedure: Its name.
        table: The table.
        **arguments: Its other arguments, as SQL.

    Raises:
        pyspark.errors.PySparkException: It fails again and again.
    """
    given = ", ".join(
        f"{name} => {value}" for name, value in {"table": text(f"{CATALOG}.{table}"), **arguments}.items()
    )
    return lake.spark.sql(f"CALL {CATALOG}.system.{procedure}({given})").collect()


def text(value: str) -> str:
    """A text as SQL."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"
