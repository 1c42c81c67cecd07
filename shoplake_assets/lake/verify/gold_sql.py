"""What each figure of Gold means, said a second time, in SQL of its own.

Belongs here: one query for each Gold table, written in another way than `transforms.gold` computes it. Must not use
that module: a fault there would be in both.
"""
# ruff: noqa: S608  what is put together are constants of this module

from shoplake_assets.tables import (
    GOLD_CATEGORY_SALES,
    GOLD_HOURLY_FUNNEL,
    GOLD_HOURLY_SALES,
    GOLD_PRODUCT_HOURLY,
    GOLD_TOP_PRODUCTS,
    GOLD_TOP_USERS,
    GOLD_USER_HOURLY,
)

_SOLD = "count(*) AS purchases, sum(quantity) AS units, sum(price * quantity) AS revenue"
_NO_SALES = "coalesce(purchases, 0) AS purchases, coalesce(units, 0) AS units, coalesce(revenue, 0) AS revenue"
FROM_SILVER = {
    GOLD_HOURLY_SALES: f"""
        SELECT hour AS event_hour, events, sessions, coalesce(buyers, 0) AS buyers, {_NO_SALES},
               round(revenue / purchases, 2) AS average_order_value
        FROM (SELECT hour, count(*) AS events, count(DISTINCT session_id) AS sessions FROM {{events}} GROUP BY hour)
        LEFT JOIN (
            SELECT hour, {_SOLD}, count(DISTINCT user_id) AS buyers
            FROM {{events}} WHERE event_type = 'purchase' GROUP BY hour
        ) USING (hour)""",
    GOLD_HOURLY_FUNNEL: """
        SELECT hour AS event_hour, viewed, added, purchased,
               round(cast(added AS decimal(18, 0)) / nullif(viewed, 0), 4) AS add_rate,
               round(cast(purchased AS decimal(18, 0)) / nullif(viewed, 0), 4) AS purchase_rate
        FROM (
            SELECT hour, coalesce(sum(cast(view_item AS int)), 0) AS viewed,
                   coalesce(sum(cast(add_to_cart AS int)), 0) AS added,
                   coalesce(sum(cast(purchase AS int)), 0) AS purchased
            FROM (
                SELECT hour, session_id, session_id IS NOT NULL AND bool_or(event_type = 'view_item') AS view_item,
                       session_id IS NOT NULL AND bool_or(event_type = 'add_to_cart') AS add_to_cart,
                       session_id IS NOT NULL AND bool_or(event_type = 'purchase') AS purchase
                FROM {events} GROUP BY hour, session_id
            ) GROUP BY hour
        )""",
    GOLD_PRODUCT_HOURLY: f"""
        WITH cells AS (
            SELECT hour, product_id, named_category, count_if(event_type = 'view_item') AS views,
                   count_if(event_type = 'add_to_cart') AS carts
            FROM {{events}} GROUP BY ALL
        ),
        sales AS (
            SELECT hour, product_id, named_category, {_SOLD} FROM {{events}} WHERE event_type = 'purchase' GROUP BY ALL
        ),
        names AS (
            SELECT hour, product_id, named_category, product_name, row_number() OVER (
                PARTITION BY hour, product_id, named_category ORDER BY event_time DESC, event_id DESC
            ) AS place FROM {{events}}
        )
        SELECT hour AS event_hour, product_id, named_category AS category, product_name, views, carts, {_NO_SALES}
        FROM cells JOIN (SELECT * FROM names WHERE place = 1) USING (hour, product_id, named_category)
        LEFT JOIN sales USING (hour, product_id, named_category)""",
    GOLD_USER_HOURLY: f"""
        SELECT hour AS event_hour, user_id, {_SOLD} FROM {{events}} WHERE event_type = 'purchase' GROUP BY ALL""",
    GOLD_CATEGORY_SALES: f"""
        SELECT event_date, named_category AS category, {_NO_SALES}
        FROM (SELECT DISTINCT to_date(event_time) AS event_date, named_category FROM {{events}})
        LEFT JOIN (
            SELECT to_date(event_time) AS event_date, named_category, {_SOLD}
            FROM {{events}} WHERE event_type = 'purchase' GROUP BY ALL
        ) USING (event_date, named_category)""",
}
"""By table, from `{events}`: Silver with the hour, and with the category's name where there is none."""
_SOLD_IN_WINDOWS = """
    WITH sold AS (
        SELECT * FROM {facts}
        JOIN (SELECT * FROM VALUES ('24h', 24), ('7d', 168), ('30d', 720), ('all', NULL) AS w (window, hours))
          ON hours IS NULL OR event_hour > timestamp({newest}) - make_interval(0, 0, 0, 0, hours)
        WHERE purchases > 0
    )"""
_ADDED = "sum(purchases) AS purchases, sum(units) AS units, sum(revenue) AS revenue"
LISTS = {
    GOLD_TOP_PRODUCTS: f"""{_SOLD_IN_WINDOWS},
        sums AS (SELECT window, product_id, {_ADDED} FROM sold GROUP BY ALL),
        named AS (
            SELECT window, product_id, product_name, category, row_number() OVER (
                PARTITION BY window, product_id ORDER BY event_hour DESC, category DESC
            ) AS place FROM sold
        ),
        ranked AS (
            SELECT *, row_number() OVER (PARTITION BY window ORDER BY revenue DESC, product_id) AS rank FROM sums
        )
        SELECT * FROM ranked JOIN (SELECT * FROM named WHERE place = 1) USING (window, product_id) WHERE rank <= 100""",
    GOLD_TOP_USERS: f"""{_SOLD_IN_WINDOWS},
        sums AS (SELECT window, user_id, {_ADDED} FROM sold GROUP BY ALL),
        ranked AS (SELECT *, row_number() OVER (PARTITION BY window ORDER BY revenue DESC, user_id) AS rank FROM sums)
        SELECT * FROM ranked WHERE rank <= 100""",
}
"""By list, from `{facts}`, which is what the SQL above gives for the table of facts, never that table itself."""
