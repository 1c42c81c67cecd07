"""The settings of a lake: all sections together, and where they are read from.

Belongs here: precedence, loading, and the explanation of what is wrong. Does not belong here: what may be set
(`sections`), anything that is computed from the state of the machine, and how settings are shown (`described`).

Precedence, highest first: environment variables (`SHOPLAKE_`, nested with `__`), a file for each secret in the folder
of secrets, `<home>/settings.json` (written by `shoplake up --ports auto`, yours to edit), defaults. No other module
reads the environment.
"""

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    JsonConfigSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.sections import (
    LOOPBACK,
    AlertsSettings,
    CatalogSettings,
    DagsterSettings,
    DashboardSettings,
    ExportSettings,
    GeneratorSettings,
    IngestSettings,
    KafkaSettings,
    MaintenanceSettings,
    RefreshSettings,
    RuntimeSettings,
    S3Settings,
    SparkSettings,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PREFIX = "SHOPLAKE_"
# What an earlier release called otherwise.
RENAMED = {"SHOPLAKE_EXPORTS__S3_ENDPOINT": "SHOPLAKE_S3__ENDPOINT"}
DEFAULT_HOME = Path("~/.shoplake")
# Where Docker and Kubernetes put them.
DEFAULT_SECRETS = Path("/run/secrets")


class Settings(BaseSettings):
    """All settings; `load_settings` reads them from where they are kept."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        validate_default=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(DEFAULT_HOME, description="Folder of all local state: broker, lake, Dagster, logs.")
    secrets: Path = Field(
        DEFAULT_SECRETS,
        description="Folder with a file for each secret that is in no variable, named as its variable would be: "
        "`shoplake_catalog__password`.",
    )
    bind: str = Field(
        LOOPBACK,
        description="Address that the servers listen on. There is no login: only where somebody else closes the ports, "
        "as for containers, is it `0.0.0.0`.",
    )
    kafka: KafkaSettings = KafkaSettings()
    catalog: CatalogSettings = CatalogSettings()
    s3: S3Settings = S3Settings()
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

    @field_validator("home", "secrets")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
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
    def elsewhere(self) -> bool:
        """Whether the lake's processes are on several machines, or in containers, and not under one supervisor."""
        return self.dagster.code_server_host != LOOPBACK

    @property
    def dagster_url(self) -> str:
        """Where the Dagster UI is, for processes."""
        return f"http://{self.dagster.host}:{self.dagster.port}"

    @property
    def dagster_link(self) -> str:
        """Where the Dagster UI is, for people."""
        return self.dagster.public_url or self.dagster_url

    @property
    def dashboard_url(self) -> str:
        """Where the dashboard is, for processes."""
        return f"http://{self.dashboard.host}:{self.dashboard.port}"

    @property
    def dashboard_link(self) -> str:
        """Where the dashboard is, for people."""
        return self.dashboard.public_url or self.dashboard_url

    @property
    def ingest_url(self) -> str:
        """Where the ingest tells of itself."""
        return f"http://{self.ingest.host}:{self.ingest.port}"

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
        """Put the files beneath the environment; see the module's docstring."""

        def place(name: str, default: Path) -> Path:
            return Path(init_settings().get(name) or os.environ.get(f"{PREFIX}{name.upper()}") or default).expanduser()

        return (
            init_settings,
            env_settings,
            NestedSecretsSettingsSource(
                file_secret_settings, secrets_dir=place("secrets", DEFAULT_SECRETS), secrets_dir_missing="ok"
            ),
            JsonConfigSettingsSource(settings_cls, json_file=place("home", DEFAULT_HOME) / "settings.json"),
        )


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
    except SettingsError as error:
        section = re.sub(r'.*field "(\w+)".*', r"\1", str(error)).upper()
        raise ShoplakeError(f"{PREFIX}{section}: it, or a part of it, should be JSON and is not.") from None
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
    if name in RENAMED:
        return f"{name} is {RENAMED[name]} now: give it that name, in settings.json or in the environment"
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting. See 'shoplake settings' for all of them"
    given = "" if _may_hold_a_secret(problem) else f"={problem['input']!r}"
    return f"{name}{given}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _may_hold_a_secret(problem: dict[str, Any]) -> bool:
    """Whether what was given is a secret, or has one in it; then it is not shown. Properties can be anything."""
    if problem["type"] == "secret_address" or isinstance(problem["input"], (dict, list)):
        return True
    name, *rest = problem["loc"]
    fields: dict[str, FieldInfo] = getattr(Settings.model_fields[name].annotation, "model_fields", {})
    meant = [fields[rest[0]]] if rest and rest[0] in fields else fields.values()
    return any(SecretStr in get_args(field.annotation) for field in meant)
