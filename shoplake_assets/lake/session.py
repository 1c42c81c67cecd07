"""What a Spark session must be set to, wherever Spark runs.

Belongs here: settings without which a refresh would come out otherwise. Does not belong here: how Spark is started
(`runtime.spark`), or the catalog (`lake.catalog`).
"""

SESSION_CONF = {
    "spark.sql.session.timeZone": "UTC",
    # A payload that breaks off in a field is broken; with partial results the field would silently be null.
    "spark.sql.json.enablePartialResults": "false",
}
