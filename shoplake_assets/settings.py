"""Every setting of Shoplake, described once.

Belongs here: what a user may set, its default, its unit, its description. Does not belong here: anything that is
computed from the state of the machine, and how settings are shown (`described`).

Precedence, highest first: environment variables (`SHOPLAKE_`, nested with `__`), `<home>/settings.json` (written by
`shoplake up --ports auto`, yours to edit), defaults. No other module reads the environment.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PREFIX = "SHOPLAKE_"
DEFAULT_HOME = Path("~/.shoplake")
LOOPBACK = "127.0.0.1"


class Section(BaseModel):
    """A group of settings; a name that does not exist is an error, never silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class KafkaSettings(Section):
    """Where shop events come from."""

    bootstrap: str | None = Field(
        None, description="Broker list of an existing Kafka, `host:port,...`; empty starts the embedded broker."
    )
    port: int = Field(9092, ge=1, le=65535, description="Port of the embedded broker.")
    controller_port: int = Field(9093, ge=1, le=65535, description="Port of the embedded broker's KRaft controller.")
    topic: str = Field(
        "shop-events", pattern=r"^[A-Za-z0-9._-]{1,249}$", description="Topic of shop events, made on first use."
    )
    partitions: int = Field(2, ge=1, description="Partitions of the topic when it is made.")
    retention_hours: int = Field(168, ge=1, description="Hours for which the topic keeps events when it is made.")
    heap_mb: int = Field(384, ge=128, description="Heap of the embedded broker, MiB.")


class SparkSettings(Section):
    """The Spark Connect server that every batch step shares."""

    remote: str | None = Field(
        None, description="An existing Spark Connect endpoint, `sc://host:port`; empty starts the embedded server."
    )
    connect_port: int = Field(15002, ge=1, le=65535, description="Port of the embedded Spark Connect server.")
    ui_port: int = Field(
        4040, ge=1024, le=65535, description="Port of the embedded server's Spark UI and of its `/metrics/prometheus/`."
    )
    cores: int = Field(2, ge=1, description="Task slots of the Connect server and of the ingest driver, each.")
    memory_mb: int = Field(2048, ge=1024, description="Heap of the embedded Connect server, MiB.")


class IngestSettings(Section):
    """The streaming job from Kafka to Bronze."""

    trigger_seconds: float = Field(10.0, gt=0, description="Seconds between two micro-batches, hence Bronze commits.")
    max_offsets_per_trigger: int = Field(
        1_000_000, ge=1, description="Most events in one micro-batch, so that catching up stays in bounded steps."
    )
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

    port: int = Field(3000, ge=1, le=65535, description="Port of the Dagster UI.")
    code_server_port: int = Field(4266, ge=1, le=65535, description="Port of the code server.")
    sensor_seconds: int = Field(5, ge=1, description="Least seconds between two ticks of the Bronze ingest sensor.")
    automation_seconds: int = Field(5, ge=1, description="Least seconds between two automation evaluations.")
    export_cron: str = Field("*/15 * * * *", description="When the CSV exports are written, cron in UTC.")
    maintenance_cron: str = Field("7,37 * * * *", description="When tables and histories are maintained, cron in UTC.")
    verify_cron: str = Field(
        "30 3 * * *", description="When the whole lake is verified, as 'shoplake verify' does, cron in UTC."
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
    def _web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if not value:
            return None
        try:
            return SecretStr(str(HttpUrl(value.get_secret_value())))
        except ValidationError:
            says = "must be an address that begins with http:// or https://"
            raise PydanticCustomError("web_address", says) from None


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

    port: int = Field(8050, ge=1, le=65535, description="Port of the dashboard.")


class ExportSettings(Section):
    """CSV exports of the Gold tables."""

    destination: str | None = Field(
        None, description="A folder, or `s3://bucket/prefix`; empty means `exports/` in the home."
    )
    s3_endpoint: str | None = Field(
        None, description="Endpoint of an S3-compatible store for exports and compute logs; empty means AWS."
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


class Settings(BaseSettings):
    """All settings; `load_settings` reads them from where they are kept."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(DEFAULT_HOME, description="Folder of all local state: broker, lake, Dagster, logs.")
    kafka: KafkaSettings = KafkaSettings()
    spark: SparkSettings = SparkSettings()
    ingest: IngestSettings = IngestSettings()
    refresh: RefreshSettings = RefreshSettings()
    dagster: DagsterSettings = DagsterSettings()
    alerts: AlertsSettings = AlertsSettings()
    generator: GeneratorSettings = GeneratorSettings()
    dashboard: DashboardSettings = DashboardSettings()
    exports: ExportSettings = ExportSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    currency: Literal["USD", "EUR", "GBP", "JPY", "INR"] = Field(
        "USD", description="Currency that prices are shown in."
    )

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def bootstrap(self) -> str:
        """Broker list, as Kafka clients take it."""
        return self.kafka.bootstrap or f"{LOOPBACK}:{self.kafka.port}"

    @property
    def spark_remote(self) -> str:
        """Spark Connect endpoint, as Spark's clients take it."""
        return self.spark.remote or f"sc://{LOOPBACK}:{self.spark.connect_port}"

    @property
    def dagster_url(self) -> str:
        """Where the Dagster UI is."""
        return f"http://{LOOPBACK}:{self.dagster.port}"

    @property
    def dashboard_url(self) -> str:
        """Where the dashboard is."""
        return f"http://{LOOPBACK}:{self.dashboard.port}"

    @property
    def exports_folder(self) -> Path | None:
        """The folder that exports go to; None where they go to S3."""
        wanted = self.exports.destination
        if wanted is None:
            return self.home / "exports"
        return None if wanted.startswith("s3://") else Path(wanted).expanduser()

    @property
    def settings_file(self) -> Path:
        """The file of settings that belong to this lake."""
        return self.home / "settings.json"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the lake's own file beneath the environment; see the module's docstring."""
        given = init_settings().get("home") or os.environ.get(f"{PREFIX}HOME") or DEFAULT_HOME
        file = Path(given).expanduser() / "settings.json"
        return init_settings, env_settings, JsonConfigSettingsSource(settings_cls, json_file=file)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Args:
        **overrides: Sections or values that win over the environment, for tests and command line options.

    Raises:
        ShoplakeError: A value is malformed or a name does not exist; the message names the variable and the remedy.
    """
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ShoplakeError("; ".join(_explain(dict(problem)) for problem in error.errors())) from error
    except (json.JSONDecodeError, OSError) as error:
        raise ShoplakeError(f"settings.json in the home cannot be read: {error}. Mend or delete it.") from error


def _refuse_unknown_variables() -> None:
    """A misspelt variable would otherwise be ignored, and its author would wonder."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for variable in os.environ:
        upper = variable.upper()
        if upper.startswith(PREFIX) and upper.split("__")[0] not in known:
            raise ShoplakeError(f"{variable} is not a setting. See 'shoplake settings' for all of them.")


def _explain(problem: dict[str, Any]) -> str:
    name = PREFIX + "__".join(str(part) for part in problem["loc"]).upper()
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting. See 'shoplake settings' for all of them"
    given = "" if _may_hold_a_secret(problem["loc"][0]) else f"={problem['input']!r}"
    return f"{name}{given}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _may_hold_a_secret(name: str) -> bool:
    """Whether a section has a secret; then nothing that was given for it is shown."""
    fields: dict[str, FieldInfo] = getattr(Settings.model_fields[name].annotation, "model_fields", {})
    return any(SecretStr in get_args(field.annotation) for field in fields.values())
