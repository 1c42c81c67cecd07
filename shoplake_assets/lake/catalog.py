"""Where the lake is: one Iceberg catalog, seen alike by pyiceberg and by Spark.

Belongs here: the catalog's coordinates for each kind of reader, and how to open it. Does not belong here: what is in
the tables. Every reader and writer takes its coordinates from here, so that they cannot disagree.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.passwords import password_file
from shoplake_assets.tables import CATALOG

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from shoplake_assets.settings import Settings

# Seconds that a writer waits for SQLite's lock before it gives up: longer than any commit, shorter than a patience.
LOCK_TIMEOUT_SECONDS = 30
POSTGRES_PORT = 5432


def catalog_properties(settings: "Settings") -> dict[str, str]:
    """Properties with which pyiceberg opens the catalog named `tables.CATALOG`; no secret is among them."""
    catalog = settings.catalog
    match catalog.kind:
        case "sqlite":
            uri = f"sqlite:///{_database(settings)}?timeout={LOCK_TIMEOUT_SECONDS}"
            where = {"type": "sql", "uri": uri, "warehouse": _warehouse(settings)}
        case "postgres":
            where = {"type": "sql", "uri": postgres_url(settings, catalog.uri), "warehouse": _warehouse(settings)}
        case "rest":
            where = {"type": "rest", "uri": catalog.uri or "", **_named_warehouse(settings)}
    return where | _s3_properties(settings) | catalog.properties


def catalog_secrets(settings: "Settings") -> dict[str, str]:
    """The properties that are secrets: what a REST catalog wants to be shown, for pyiceberg and Spark alike."""
    catalog = settings.catalog
    secrets = {"credential": catalog.credential, "token": catalog.token}
    return {name: secret.get_secret_value() for name, secret in secrets.items() if secret}


def spark_catalog_conf(settings: "Settings") -> dict[str, str]:
    """Spark configuration with which a session sees the same catalog under the same name; no secret is in it.

    Caching is off: a session that lives for days would read stale tables.
    """
    prefix = f"spark.sql.catalog.{CATALOG}"
    return {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        **{f"{prefix}.{key}": value for key, value in _iceberg_properties(settings).items()},
        f"{prefix}.cache-enabled": "false",
        # Spark declares every column of a Kafka source or a join nullable. Iceberg's writer still refuses a null in a
        # required column; only the declaration is no longer compared.
        "spark.sql.iceberg.check-nullability": "false",
    }


def spark_catalog_secrets(settings: "Settings") -> dict[str, str]:
    """What of that configuration is secret."""
    return {f"spark.sql.catalog.{CATALOG}.{name}": secret for name, secret in catalog_secrets(settings).items()}


def postgres_url(settings: "Settings", uri: str | None) -> str:
    """A Postgres address as SQLAlchemy takes it; it names the file of passwords, if the settings have one."""
    url = make_url(uri or "").set(drivername="postgresql+psycopg2")
    if (file := password_file(settings)) is not None:
        url = url.update_query_dict({"passfile": str(file)})
    return url.render_as_string(hide_password=False)


def open_catalog(settings: "Settings") -> "Catalog":
    """Open the catalog with pyiceberg; its database is made on first use.

    Raises:
        ShoplakeError: A catalog that is not the lake's own does not answer, or refuses.
    """
    from pyiceberg.exceptions import RESTError
    from requests import RequestException
    from sqlalchemy.exc import OperationalError

    settings.home.mkdir(parents=True, exist_ok=True)
    properties = tuple(sorted((catalog_properties(settings) | catalog_secrets(settings)).items()))
    try:
        return _open(properties)
    except (RESTError, RequestException, OperationalError) as error:
        if settings.catalog.uri is None:
            raise
        said = str(error.orig if isinstance(error, OperationalError) else error).strip().splitlines()[-1]
        secret = "PASSWORD" if settings.catalog.kind == "postgres" else "TOKEN"
        raise ShoplakeError(
            f"the catalog at {settings.catalog.uri} says: {said}. See SHOPLAKE_CATALOG__URI and "
            f"SHOPLAKE_CATALOG__{secret}."
        ) from error


def existing_tables(catalog: "Catalog", names: Iterable[str]) -> dict[str, "Table"]:
    """Those of the tables that exist, as they are now, loaded in this order."""
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    tables = {}
    for name in names:
        with suppress(NoSuchTableError, NoSuchNamespaceError):
            tables[name] = catalog.load_table(name)
    return tables


@lru_cache(maxsize=8)
def _open(properties: tuple[tuple[str, str], ...]) -> "Catalog":
    from pyiceberg.catalog import load_catalog

    return load_catalog(CATALOG, **dict(properties))


def _database(settings: "Settings") -> Path:
    return settings.home / "catalog.db"


def _warehouse(settings: "Settings") -> str:
    wanted = settings.catalog.warehouse
    if wanted is None:
        return (settings.home / "warehouse").as_uri()
    return wanted.rstrip("/") if wanted.startswith("s3://") else Path(wanted).expanduser().absolute().as_uri()


def on_s3(settings: "Settings") -> bool:
    """Whether tables may have their files on S3; a REST catalog decides that by itself."""
    return settings.catalog.kind == "rest" or _warehouse(settings).startswith("s3://")


def _named_warehouse(settings: "Settings") -> dict[str, str]:
    """The warehouse as a REST catalog is asked for it."""
    return {"warehouse": settings.catalog.warehouse} if settings.catalog.warehouse else {}


def _s3_properties(settings: "Settings") -> dict[str, str]:
    """How pyiceberg finds the store; who may is left to AWS's own ways."""
    style = str(not settings.s3.path_style).lower()
    return _of_store(settings, region="s3.region", style={"s3.force-virtual-addressing": style})


def _of_store(settings: "Settings", *, region: str, style: dict[str, str]) -> dict[str, str]:
    """Where the store is, with the names that a library has for it.

    A REST catalog tells its clients where its store is. What clients say by themselves would win, so that only what
    somebody has set is said.
    """
    if not on_s3(settings):
        return {}
    s3 = settings.s3
    said = s3.model_fields_set if settings.catalog.kind == "rest" else set(type(s3).model_fields)
    return {
        **({region: s3.region} if "region" in said else {}),
        **(style if "path_style" in said else {}),
        **({"s3.endpoint": s3.endpoint} if s3.endpoint else {}),
    }


def _iceberg_properties(settings: "Settings") -> dict[str, str]:
    """The catalog's properties as Iceberg's Java library names them."""
    catalog, s3 = settings.catalog, settings.s3
    match catalog.kind:
        case "sqlite":
            wait_ms = LOCK_TIMEOUT_SECONDS * 1000
            uri = f"jdbc:sqlite:{_database(settings)}?journal_mode=WAL&busy_timeout={wait_ms}"
            where = {"type": "jdbc", "uri": uri, "jdbc.schema-version": "V1", "warehouse": _warehouse(settings)}
        case "postgres":
            url = make_url(catalog.uri or "")
            uri = f"jdbc:postgresql://{url.host}:{url.port or POSTGRES_PORT}/{url.database}"
            login = {"jdbc.user": url.username or "", "jdbc.schema-version": "V1"}
            where = {"type": "jdbc", "uri": uri, **login, "warehouse": _warehouse(settings)}
        case "rest":
            where = {"type": "rest", "uri": catalog.uri or "", **_named_warehouse(settings)}
    style = {"s3.path-style-access": str(s3.path_style).lower()}
    where |= _of_store(settings, region="client.region", style=style)
    if on_s3(settings) and catalog.kind != "rest":
        where["io-impl"] = "org.apache.iceberg.aws.s3.S3FileIO"
    return where | catalog.properties
