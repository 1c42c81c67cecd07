"""What a lake stands on that is not its own: Postgres and an S3 store.

Belongs here: waiting for them, and making in them what a lake needs. Does not belong here: Kafka (`events.topic`), the
tables (`lake.tables`). A lake in a folder needs none of this.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import postgres_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoplake_assets.settings import Settings

_PATIENCE_SECONDS = 3
_ABSENT = 404
# The one region that may not be named when a bucket is made.
_FIRST_REGION = "us-east-1"


class OutsideError(ShoplakeError):
    """A database or a store does not answer, or refuses."""


def prepare_outside(settings: "Settings", *, seconds: float) -> None:
    """Wait until each of them answers, and make the buckets that are absent.

    Args:
        settings: Name them.
        seconds: How long each is waited for.

    Raises:
        OutsideError: One does not answer in time, or refuses; the message names the setting.
    """
    attempts = Retrying(
        retry=retry_if_exception_type(OutsideError),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    for variable, uri in _databases(settings).items():
        attempts(_ask_postgres, settings, uri, variable=variable)
    for variable, bucket in buckets(settings).items():
        attempts(_ask_bucket, settings, bucket, variable=variable, make=True)


def outside_problems(settings: "Settings") -> dict[str, str]:
    """What is wrong with each of them now, by a name of it; empty where it answers. Nothing is made."""
    problems = {}
    for variable, uri in _databases(settings).items():
        problems[f"postgres {make_url(uri).database}"] = _problem(_ask_postgres, settings, uri, variable=variable)
    for variable, bucket in buckets(settings).items():
        problems[f"bucket {bucket}"] = _problem(_ask_bucket, settings, bucket, variable=variable, make=False)
    return problems


def _problem(ask: "Callable[..., None]", *what: object, **how: object) -> str:
    try:
        ask(*what, **how)
    except OutsideError as error:
        return str(error)
    return ""


def _databases(settings: "Settings") -> dict[str, str]:
    uris = {
        "SHOPLAKE_CATALOG__URI": settings.catalog.uri if settings.catalog.kind == "postgres" else None,
        "SHOPLAKE_DAGSTER__STORAGE_URI": settings.dagster.storage_uri,
    }
    return {variable: uri for variable, uri in uris.items() if uri}


def buckets(settings: "Settings") -> dict[str, str]:
    """The buckets that the settings name, by the variable of each."""
    places = {
        "SHOPLAKE_CATALOG__WAREHOUSE": settings.catalog.warehouse,
        "SHOPLAKE_EXPORTS__DESTINATION": settings.exports.destination,
    }
    found = {name: urlsplit(place).netloc for name, place in places.items() if place and place.startswith("s3://")}
    if settings.dagster.compute_log_bucket:
        found["SHOPLAKE_DAGSTER__COMPUTE_LOG_BUCKET"] = settings.dagster.compute_log_bucket
    return found


def _ask_postgres(settings: "Settings", uri: str, *, variable: str) -> None:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import OperationalError

    engine = create_engine(postgres_url(settings, uri), connect_args={"connect_timeout": _PATIENCE_SECONDS})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError as error:
        said, password = str(error.orig).strip().splitlines()[0], variable.replace("URI", "PASSWORD")
        raise OutsideError(f"Postgres at {uri} says: {said}. See {variable} and {password}.") from error
    finally:
        engine.dispose()


def _ask_bucket(settings: "Settings", bucket: str, *, variable: str, make: bool) -> None:
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    s3 = settings.s3
    patience = Config(
        connect_timeout=_PATIENCE_SECONDS, read_timeout=_PATIENCE_SECONDS, retries={"total_max_attempts": 1}
    )
    client = boto3.client("s3", endpoint_url=s3.endpoint, region_name=s3.region, config=patience)
    try:
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if not make or error.response["ResponseMetadata"]["HTTPStatusCode"] != _ABSENT:
                raise
            region = {"CreateBucketConfiguration": {"LocationConstraint": s3.region}}
            client.create_bucket(Bucket=bucket, **({} if s3.region == _FIRST_REGION else region))
    except (BotoCoreError, ClientError) as error:
        where = s3.endpoint or "AWS"
        raise OutsideError(
            f"bucket {bucket!r} at {where}: {error}. See {variable}, SHOPLAKE_S3__ENDPOINT and AWS_ACCESS_KEY_ID, or "
            "what else gives this process its keys."
        ) from error
