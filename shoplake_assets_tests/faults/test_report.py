"""What the page of a run says was lost, by what was counted and what was not."""

from datetime import UTC, datetime

import pytest

from shoplake_assets_tests.faults.accounting import Account
from shoplake_assets_tests.faults.campaign import Strike
from shoplake_assets_tests.faults.recovery import Recovery
from shoplake_assets_tests.faults.report import Run, page

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def harm(*, lost: int = 0, doubled: int = 0) -> Account:
    rows = {"bronze.events": 10, "silver.events": 10, "silver.quarantine": 0}
    return Account(produced=10, rows=rows, lost=lost, doubled=doubled)


@pytest.mark.parametrize(
    ("counted", "whole", "says"),
    [
        (None, harm(), ["0", "0"]),
        (None, harm(lost=1), ["not counted", "not counted"]),
        (None, None, ["not counted", "not counted"]),
        (harm(), None, ["0", "0"]),
        (harm(lost=2, doubled=1), harm(lost=2, doubled=1), ["2", "1"]),
    ],
)
def test_a_fault_is_called_harmless_only_where_that_was_counted(
    counted: Account | None, whole: Account | None, says: list[str]
) -> None:
    strike = Strike(fault="kill kafka", at=NOW, recovery=Recovery(1.0, 2.0, None), account=counted)
    run = Run(command="c", seed=1, rate=5, patience=15, began=NOW, strikes=[strike], whole=whole, wrong=[])
    (row,) = [line for line in page(run).splitlines() if line.startswith("| kill kafka |")]
    assert [cell.strip() for cell in row.split("|")][-3:-1] == says
