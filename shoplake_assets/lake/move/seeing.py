"""A Spark session that sees the catalog of another lake than its server was started for.

Belongs here: setting it so. Does not belong here: opening it. Both lakes can so be verified by one server, under the
one name that all code knows the catalog by.
"""

from typing import TYPE_CHECKING

from shoplake_assets.lake.catalog import spark_catalog_conf
from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from shoplake_assets.settings import Settings


def see_catalog(spark: "SparkSession", settings: "Settings", *, served: "Settings") -> None:
    """Let a session, before its first look at the catalog, see that of these settings.

    Args:
        spark: The session.
        settings: Name the catalog.
        served: The settings that its server was started with.
    """
    wanted, given = (
        {key: value for key, value in spark_catalog_conf(of).items() if key.startswith(f"spark.sql.catalog.{CATALOG}")}
        for of in (settings, served)
    )
    for key in given.keys() - wanted.keys():
        spark.conf.unset(key)
    for key, value in wanted.items():
        spark.conf.set(key, value)
