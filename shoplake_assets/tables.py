"""The tables' names, for code that must not load a contract.

Belongs here: names, and which table is made from which, so that the dashboard and the command line start without
importing Spark's classes. What is true of a table is in `contracts`; a test holds the two together.
"""

CATALOG = "lake"

BRONZE_EVENTS = "bronze.events"
BRONZE_GAPS = "bronze.gaps"
SILVER_EVENTS = "silver.events"
SILVER_QUARANTINE = "silver.quarantine"
GOLD_HOURLY_SALES = "gold.hourly_sales"
GOLD_HOURLY_FUNNEL = "gold.hourly_funnel"
GOLD_PRODUCT_HOURLY = "gold.product_hourly"
GOLD_USER_HOURLY = "gold.user_hourly"
GOLD_CATEGORY_SALES = "gold.category_sales"
GOLD_TOP_PRODUCTS = "gold.top_products"
GOLD_TOP_USERS = "gold.top_users"

GOLD = (
    GOLD_HOURLY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_PRODUCT_HOURLY,
    GOLD_USER_HOURLY,
    GOLD_CATEGORY_SALES,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
)
DERIVED = (SILVER_EVENTS, SILVER_QUARANTINE, *GOLD)
ALL = (BRONZE_EVENTS, BRONZE_GAPS, *DERIVED)

MADE_FROM = {
    **dict.fromkeys((SILVER_EVENTS, SILVER_QUARANTINE), BRONZE_EVENTS),
    **dict.fromkeys(GOLD, SILVER_EVENTS),
    GOLD_CATEGORY_SALES: GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS: GOLD_PRODUCT_HOURLY,
    GOLD_TOP_USERS: GOLD_USER_HOURLY,
}
"""Each derived table with the table whose snapshots it reflects."""
