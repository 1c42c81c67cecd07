"""How values read."""

from decimal import Decimal

import pytest

from shoplake_assets.dashboard import wording


@pytest.mark.parametrize(
    ("amount", "before", "words"),
    [
        ("0.00", "80.00", "100.0 % less"),
        ("60.00", "80.00", "25.0 % less"),
        ("80.00", "80.00", "0.0 % more"),
        ("799.99", "80.00", "900.0 % more"),
        ("800.00", "80.00", "10 times as much"),
        ("123611.13", "121.46", "1,018 times as much"),
    ],
)
def test_an_amount_is_compared_with_another(amount: str, before: str, words: str) -> None:
    assert wording.compared(Decimal(amount), with_=Decimal(before)) == words
