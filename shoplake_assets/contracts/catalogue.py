"""All contracts, found by the name of their table.

Belongs here: the list. A new table is one contract and one line here.
"""

from shoplake_assets.contracts.bronze import BronzeEvents, BronzeGaps
from shoplake_assets.contracts.contract import ContractType, table_of
from shoplake_assets.contracts.gold import (
    CategorySales,
    HourlyFunnel,
    HourlySales,
    ProductHourly,
    TopProducts,
    TopUsers,
    UserHourly,
)
from shoplake_assets.contracts.silver import SilverEvents, SilverQuarantine

CONTRACTS: dict[str, ContractType] = {
    table_of(contract).name: contract
    for contract in (
        BronzeEvents,
        BronzeGaps,
        SilverEvents,
        SilverQuarantine,
        HourlySales,
        HourlyFunnel,
        ProductHourly,
        UserHourly,
        CategorySales,
        TopProducts,
        TopUsers,
    )
}
