"""The maintenance of the whole lake: one table after the other, whatever becomes of each.

Belongs here: that the failure of one table does not touch the others. Does not belong here: what is done to a table
(`table`), or how it is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

from shoplake_assets.lake.maintenance.table import Maintained, maintain_table
from shoplake_assets.tables import ALL

if TYPE_CHECKING:
    from shoplake_assets.lake.lake import Lake
    from shoplake_assets.sections import MaintenanceSettings

_MOST_CHARACTERS = 300


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A table whose maintenance broke off; what was done to it before stays done.

    Attributes:
        table: The table.
        error: What was raised.
    """

    table: str
    error: Exception

    @property
    def says(self) -> str:
        """One line for the person who reads the report."""
        reason = shorten(str(self.error), _MOST_CHARACTERS, placeholder=" …") or type(self.error).__name__
        return f"{self.table}: maintenance failed, no row has changed: {reason}"


def maintain_lake(lake: "Lake", limits: "MaintenanceSettings") -> Iterator[Maintained | Failed]:
    """Maintain every table, and tell of each as soon as it is done.

    Whatever a table raises, from Spark, the catalog or the disk, is told of it, and the next one is maintained.
    """
    for name in ALL:
        outcome: Maintained | Failed
        try:
            outcome = maintain_table(lake, name, limits=limits)
        except Exception as error:
            outcome = Failed(table=name, error=error)
        yield outcome
