"""A product that is stopped and started again."""

import pytest

from shoplake_assets_tests.product.conftest import Product

pytestmark = [pytest.mark.spark, pytest.mark.product]


def test_down_and_up_and_drain_change_no_number(drained: Product) -> None:
    before = drained.numbers()
    drained.run("down")
    drained.run("up", "-d", "--no-generator", "--ports", "auto")
    drained.run("drain")
    assert drained.numbers() == before
