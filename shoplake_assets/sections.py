"""The sections of the settings: what may be set, its default, its unit, its description.

Belongs here: one class for each group of settings. Does not belong here: where settings are read from (`settings`), how
they are shown (`described`). A secret is a `SecretStr`: it is never shown, logged or kept with a run.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    PostgresDsn,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

LOOPBACK = "127.0.0.1"


class Section(BaseModel):
    """A group of settings; a name that does not exist is an error, never silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _web_address(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return str(HttpUrl(value)).rstrip("/")
    except ValidationError:
        raise PydanticCustomError("secret_address", "must be an address that begins with http:// or https://") from None


def _postgres_address(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        address = PostgresDsn(value)
    except ValidationError:
        address = None
    if address is None or address.scheme != "postgresql" or not address.path or not address.hosts()[0]["username"]:
        raise PydanticCustomError("secret_address", "must be postgresql://user@host:port/database")
    if address.hosts()[0]["password"]:
        raise PydanticCustomError("secret_address", "must not hold the password, which has a setting of its own")
    return value


WebAddress = Annotated[str | None, AfterValidator(_web_address)]
PostgresAddress = Annotated[str | None, AfterValidator(_postgres_address)]


class KafkaSettings(Section):
    """Where shop events come from."""

    bootstrap: str | None = Field(
        None, description="Broker list of an existing Kafka, `host:port,...`; empty starts the embedded broker."
    )
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT",
        description="How an existing Kafka is talked to: over TLS with the two that end in `SSL`, with a login with "
        "the two that begin with `SASL`.",
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How the login proves that it knows its password."
    )
    username: str | None = Field(None, description="Login at an existing Kafka.")
    password: SecretStr | None = Field(None, description="Password of that login. A secret, which is never shown.")
    ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities that may vouch for an existing Kafka's certificate; empty means those "
        "that the system knows.",
    )
    port: int = Field(9092, ge=1, le=65535, description="Port of the embedded broker.")
    controller_port: int = Field(9093, ge=1, le=65535, description="Port of the embedded broker's KRaft controller.")
    topic: str = Field(
        "shop-events", pattern=r"^[A-Za-z0-9._-]{1,249}$", description="Topic of shop events, made on first use."
    )
    partitions: int = Field(2, ge=1, description="Partitions of the topic when it is made.")
    retention_hours: int = Field(168, ge=1, description="Hours for which the topic keeps events when it is made.")
    heap_mb: int = Field(384, ge=128, description="Heap of the embedded broker, MiB.")

    @property
    def with_login(self) -> bool:
        """Whether a client logs in."""
        return self.security.startswith("SASL")

    @property
    def with_tls(self) -> bool:
        """Whether a client talks over TLS."""
        return self.security.endswith("SSL")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.security != "PLAINTEXT" and self.bootstrap is None:
            raise PydanticCustomError("incomplete", "security is for an existing Kafka: set bootstrap, too")
        if self.with_login and not (self.username and self.password):
            raise PydanticCustomError("incomplete", "a login needs username and password")
        return self


class CatalogSettings(Section):
    """Where the tables are listed, and where their files are."""

    uri: str | None = Field(
        None,
        description="`postgresql://user@host:port/database`, or the address of an Iceberg REST catalog; empty means "
        "SQLite in the home.",
    )
    password: SecretStr | None = Field(
        None,
        description="Password of the Postgres user; empty means that libpq's own ways, such as `~/.pgpass`, give it. "
        "A secret, which is never shown.",
    )
    credential: SecretStr | None = Field(
        None, description="`id:secret` of a client of a REST catalog (OAuth2). A secret, which is never shown."
    )
    token: SecretStr | None = Field(
        None, description="Bearer token for a REST catalog. A secret, which is never shown."
    )
    warehouse: str | None = Field(
        None,
        pattern=r"^(s3://[a-z0-9.-]+(/.*)?|[^:]+)$",
        description="Where new tables keep their files: `s3://bucket/prefix` or a folder; for a REST catalog, its name "
        "of the warehouse. Empty means `warehouse/` in the home.",
    )
    properties: dict[str, str] = Field(
        {},
        description="Further properties of a REST catalog as Iceberg names them, such as `scope`; JSON. Not for "
        "secrets.",
    )

    @property
    def kind(self) -> Literal["sqlite", "postgres", "rest"]:
        """What kind of catalog it is."""
        if self.uri is None:
            return "sqlite"
        return "postgres" if self.uri.startswith("postgresql:") else "rest"

    @field_validator("uri")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return _postgres_address(value) if value and value.startswith("postgres") else _web_address(value)


class S3Settings(Section):
    """The store of everything that is on `s3://`: warehouse, exports, compute logs.

    Who may is not set here: keys come from where AWS's own tools take them, which is `AWS_ACCESS_KEY_ID` and
    `AWS_SECRET_ACCESS_KEY`, a credentials file, or the role of the machine.
    """

    endpoint: WebAddress = Field(None, description="Address of an S3-compatible store; empty means AWS.")
    region: str = Field("us-east-1", description="Region of the buckets.")
    path_style: bool = Field(
        False,
        description="Whether the bucket is a part of the path and not of the host name, as most stores other than AWS "
        "want it.",
    )


class SparkSettings(Section):
    """The Spark Connect server that every batch step shares."""

    remote: str | None = Field(
        None, description="An existing Spark Connect endpoint, `sc://host:port`; empty starts the embedded server."
    )
    master: str | None = Field(
        None,
        pattern="^(spark|k8s)://",
        description="Cluster that the Connect server and the ingest compute on, `spark://host:port` or "
        "`k8s://https://host:port`; empty means this machine.",
    )
    driver_host: str = Field(
        LOOPBACK, description="Name of this process's machine, by which the executors of a cluster find their driver."
    )
    executor_memory_mb: int = Field(1024, ge=512, description="Heap of an executor on a cluster, MiB.")
    conf: dict[str, str] = Field(
        {},
        description="Further Spark configuration of the Connect server and the ingest, JSON; it wins over Shoplake's. "
        "Not for secrets.",
    )
    connect_port: int = Field(15002, ge=1, le=65535, description="Port of the embedded Spark Connect server.")
    ui_port: int = Field(
        4040, ge=1024, le=65535, description="Port of the embedded server's Spark UI and of its `/metrics/prometheus/`."
    )
    cores: int = Field(2, ge=1, description="Task slots of the Connect server and of the ingest, each.")
    memory_mb: int = Field(2048, ge=1024, description="Heap of the embedded Connect server, MiB.")


class IngestSettings(Section):
    """The streaming job from Kafka to Bronze."""

    trigger_seconds: float = Field(10.0, gt=0, description="Seconds between two micro-batches, hence Bronze commits.")
    max_offsets_per_trigger: int = Field(
        1_000_000, ge=1, description="Most events in one micro-batch, so that catching up stays in bounded steps."
    )
    host: str = Field(LOOPBACK, description="Machine of the ingest, as the other processes find it.")
    port: int = Field(9108, ge=1, le=65535, description="Port of the ingest's `/status` and `/metrics`.")
    spark_ui_port: int = Field(
        4041, ge=1024, le=65535, description="Port of the ingest's Spark UI and of its `/metrics/prometheus/`."
    )
    memory_mb: int = Field(1024, ge=512, description="Heap of the ingest driver, MiB.")


class RefreshSettings(Section):
    """The refreshes of Silver and Gold."""

    max_events: int = Field(
        500_000,
        ge=1,
        description="Most events that one refresh of Silver takes in, so that a long way behind is worked off in steps "
        "that survive a crash; a commit of the stream is never divided.",
    )


class DagsterSettings(Section):
    """The orchestrator."""

    host: str = Field(LOOPBACK, description="Machine of the Dagster UI, as the other processes find it.")
    port: int = Field(3000, ge=1, le=65535, description="Port of the Dagster UI.")
    public_url: WebAddress = Field(
        None, description="Address of the Dagster UI in a browser, for links; empty means host and port."
    )
    read_only: bool = Field(
        False, description="Whether the Dagster UI only shows; what Shoplake's commands start then needs another one."
    )
    code_server_host: str = Field(LOOPBACK, description="Machine of the code server, as the other processes find it.")
    code_server_port: int = Field(4266, ge=1, le=65535, description="Port of the code server.")
    sensor_seconds: int = Field(2, ge=1, description="Least seconds between two ticks of the Bronze ingest sensor.")
    automation_seconds: int = Field(2, ge=1, description="Least seconds between two automation evaluations.")
    export_cron: str = Field("*/15 * * * *", description="When the CSV exports are written, cron in UTC.")
    maintenance_cron: str = Field("7,37 * * * *", description="When tables and histories are maintained, cron in UTC.")
    verify_cron: str = Field(
        "30 3 * * *", description="When the whole lake is verified, as 'shoplake verify' does, cron in UTC."
    )
    storage_uri: PostgresAddress = Field(
        None,
        description="`postgresql://user@host:port/database` for runs, events and schedules; empty means SQLite in the "
        "home.",
    )
    storage_password: SecretStr | None = Field(
        None, description="Password of that user, as for the catalog. A secret, which is never shown."
    )
    compute_log_bucket: str | None = Field(
        None, description="S3 bucket for the compute logs of runs (dagster-aws); empty keeps them in the home."
    )


class AlertsSettings(Section):
    """Messages about failed checks and a dead ingest."""

    webhook_url: SecretStr | None = Field(
        None,
        description="Address of a webhook that takes Slack's JSON. It is told when a blocking check fails or the "
        "ingest is dead, and when that is well again; empty tells nobody. A secret, which is never shown.",
    )

    @field_validator("webhook_url")
    @classmethod
    def _address(cls, value: SecretStr | None) -> SecretStr | None:
        return SecretStr(_web_address(value.get_secret_value()) or "") if value else None


class GeneratorSettings(Section):
    """Synthetic shoppers, on by default so that a first look shows data."""

    enabled: bool = Field(True, description="Whether `shoplake up` starts the generator.")
    rate: float = Field(50.0, gt=0, description="Events per second.")
    seed: int = Field(7, description="Seed: the same seed gives the same shoppers.")
    late_rate: float = Field(0.01, ge=0, le=1, description="Share of events that arrive hours late.")
    duplicate_rate: float = Field(0.01, ge=0, le=1, description="Share of events that the producer sends twice.")
    bad_rate: float = Field(0.002, ge=0, le=1, description="Share of events that are malformed.")


class DashboardSettings(Section):
    """The dashboard."""

    host: str = Field(LOOPBACK, description="Machine of the dashboard, as the other processes find it.")
    public_url: WebAddress = Field(
        None, description="Address of the dashboard in a browser, for links; empty means host and port."
    )
    port: int = Field(8050, ge=1, le=65535, description="Port of the dashboard.")


class ExportSettings(Section):
    """CSV exports of the Gold tables."""

    destination: str | None = Field(
        None, description="A folder, or `s3://bucket/prefix`; empty means `exports/` in the home."
    )


class MaintenanceSettings(Section):
    """How much of what piles up is kept: the bounds of the lake, of Dagster's storage and of the logs."""

    grace_minutes: float = Field(
        10, gt=0, description="Minutes from the end of an hour until its small files are put together."
    )
    min_files: int = Field(
        8, ge=2, description="Files from which an hour that has ended is put together; fewer are left as they are."
    )
    snapshot_minutes: float = Field(
        60, gt=0, description="Minutes for which a snapshot that nothing refers to can still be read."
    )
    snapshots: int = Field(
        30,
        ge=1,
        description="Newest snapshots that a table keeps, whatever their age; the check `volume` looks back on 20 "
        "refreshes, and compactions lie between them.",
    )
    metadata_files: int = Field(20, ge=1, description="Metadata files of a table that are kept beside the newest one.")
    branch_days: float = Field(7, gt=0, description="Days for which the branch of a blocked refresh can be looked at.")
    orphan_days: float = Field(
        3, ge=3, description="Days after which a file that no table refers to is removed; a writer may be that slow."
    )
    checkpoint_batches: int = Field(100, ge=2, description="Micro-batches of which the checkpoint keeps the files.")
    history_hours: float = Field(
        24,
        gt=0,
        description="Hours for which Dagster keeps finished runs, their logs, ticks and reports; the newest of each "
        "table stay.",
    )
    log_mb: int = Field(10, ge=1, description="Size at which the log of a process is put aside, MB.")
    log_backups: int = Field(3, ge=1, description="Logs that were put aside and are kept, for each process.")


class RuntimeSettings(Section):
    """Java and the jars."""

    java: str = Field(
        "auto",
        description="`auto` takes a system Java 17 or 21, else the JRE wheel; `wheel` takes the wheel; or a JAVA_HOME.",
    )
    cache: Path = Field(
        Path("~/.cache/shoplake"), description="Folder for downloaded jars; lakes of one user share it."
    )
    trust_store: Path | None = Field(
        None, description="Java trust store for downloads behind a TLS-inspecting proxy; empty means Java's own."
    )

    @field_validator("cache", "trust_store")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().absolute()
