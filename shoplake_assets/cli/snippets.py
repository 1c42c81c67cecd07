"""How to read the lake from other tools.

Belongs here: one snippet for each tool, filled in with the lake's coordinates. A test runs them as they are printed.
"""

import json
from typing import TYPE_CHECKING

from shoplake_assets.lake.catalog import catalog_properties, spark_catalog_conf
from shoplake_assets.passwords import password_file
from shoplake_assets.runtime.jars import COORDINATES, groups
from shoplake_assets.tables import CATALOG, GOLD_HOURLY_SALES

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

_DUCKDB = """\
hourly = table.scan().to_duckdb("hourly_sales")
print(hourly.sql("SELECT sum(revenue) FROM hourly_sales"))
"""


def snippets(settings: "Settings") -> dict[str, str]:
    """A snippet for each tool, by the tool's name."""
    properties = ",\n    ".join(
        f"{_literal(key)}: {_literal(value)}" for key, value in catalog_properties(settings).items()
    )
    pyiceberg = f"""\
from pyiceberg.catalog import load_catalog

catalog = load_catalog("{CATALOG}", **{{
    {properties},
}})
table = catalog.load_table("{GOLD_HOURLY_SALES}")
"""
    options = spark_catalog_conf(settings)
    if (passwords := password_file(settings)) is not None:
        options["spark.driver.extraJavaOptions"] = f"-Dorg.postgresql.pgpassfile={passwords}"
    conf = "".join(f'    .config("{key}", "{value}")\n' for key, value in options.items())
    return {
        "pyiceberg": f"{pyiceberg}print(table.scan().to_arrow())\n",
        "DuckDB": pyiceberg + _DUCKDB,
        "Polars": f'{pyiceberg}print(table.to_polars().select("event_hour", "revenue").collect())\n',
        "Spark": f"""\
from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.config("spark.jars.packages", "{packages(settings)}")
{conf}    .getOrCreate()
)
spark.table("{CATALOG}.{GOLD_HOURLY_SALES}").show()
""",
    }


def packages(settings: "Settings") -> str:
    """The Maven coordinates of all that Spark gets from us, less the connector to Kafka."""
    wanted = set(groups(settings)) - {"kafka"}
    return ",".join(str(jar) for jar in COORDINATES if jar.conf in wanted and "kafka" not in jar.module)


def _literal(text: str) -> str:
    return json.dumps(text)
