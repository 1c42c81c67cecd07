"""The way of a lake from its home to S3 and Postgres, as a command goes it.

Belongs here: what must be so before, the order of proofs and steps, and making the lake use the new place. Does not
belong here: options and output (`move`), copying (`lake.move`).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime import home, supervision
from shoplake_assets.runtime.engine import engine
from shoplake_assets.runtime.settings_file import keep_settings, kept_settings
from shoplake_assets.settings import PREFIX, Settings, load_settings
from shoplake_assets.tables import BRONZE_EVENTS

if TYPE_CHECKING:
    from shoplake_assets.lake.move.moving import Extent
    from shoplake_assets.lake.verify.proof import Verification

# What the move sets, by section.
_WRITTEN = {"catalog": ("uri", "warehouse"), "s3": ("endpoint", "region", "path_style")}
_OUTSIDE_SECONDS = 10.0
_KAFKA = (BRONZE_EVENTS, "kafka")

Start = Callable[["Settings"], AbstractContextManager["Settings"]]
"""Starts a Spark that sees the catalog of the settings, as `runtime.engine.engine` does."""


class Audience(Protocol):
    """Who is told how it goes."""

    def say(self, line: str) -> None:
        """Take a line about a step that is done."""

    def copying(self, extent: "Extent") -> Any:
        """Give a context, in which copying goes on, that is called with the number of bytes that have arrived."""


def target_settings(settings: "Settings", *, catalog: dict[str, Any], s3: dict[str, Any]) -> "Settings":
    """The lake's settings once it has been moved.

    Args:
        settings: As they are.
        catalog: What is other in that section.
        s3: What is other in that section.

    Raises:
        ShoplakeError: They name no Postgres and no S3, or the environment would win over them.
    """
    target = load_settings(
        home=settings.home,
        catalog=settings.catalog.model_dump() | catalog,
        s3=settings.s3.model_dump() | s3,
    )
    if target.catalog.kind != "postgres" or not (target.catalog.warehouse or "").startswith("s3://"):
        raise ShoplakeError(
            "a lake moves to Postgres and S3: give --catalog postgresql://user@host:port/database and --warehouse "
            "s3://bucket/prefix."
        )
    kept = kept_settings(settings)
    for section, names in _WRITTEN.items():
        now, then, default = (getattr(one, section) for one in (settings, target, Settings.model_construct()))
        for name in names:
            in_file = kept.get(section, {}).get(name, getattr(default, name))
            if getattr(now, name) not in (in_file, getattr(then, name)):
                variable = f"{PREFIX}{section}__{name}".upper()
                raise ShoplakeError(f"{variable} is set in the environment and would win over the move. Unset it.")
    return target


def is_there(settings: "Settings", target: "Settings") -> bool:
    """Whether the lake has been moved to the target already.

    Raises:
        ShoplakeError: It is somewhere else, or there is none.
    """
    catalog = settings.catalog
    if catalog.uri is None:
        if not (settings.home / home.DATABASE[0]).is_file():
            raise ShoplakeError(f"there is no lake in {settings.home}. 'shoplake up' makes it.")
        return False
    if (catalog.uri, catalog.warehouse) == (target.catalog.uri, target.catalog.warehouse):
        return True
    raise ShoplakeError(f"the lake is at {catalog.uri} and no longer in its home; only such a lake can be moved.")


def move_lake(settings: "Settings", target: "Settings", audience: Audience, *, start: Start = engine) -> "Extent":
    """Move the tables, prove that they are what they were, and make the lake use the new place.

    Args:
        settings: The lake, in its home.
        target: Where it goes.
        audience: Is told how it goes.
        start: Starts the Spark that verifies.

    Returns:
        How much was moved.

    Raises:
        ShoplakeError: A proof fails, or something is in the way. The lake stays where it is and can be used as before.
    """
    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.move.moving import Move
    from shoplake_assets.lake.move.store import Store
    from shoplake_assets.runtime.outside import prepare_outside

    with _alone(settings):
        prepare_outside(target, seconds=_OUTSIDE_SECONDS)
        warehouse = (target.catalog.warehouse or "").rstrip("/")
        move = Move(old=open_catalog(settings), new=open_catalog(target), store=Store(target), warehouse=warehouse)
        move.claim()
        audience.say("Spark starts. It verifies the lake before anything is copied.")
        with start(target) as served:
            _prove("As it is", settings, served, audience)
            with audience.copying(move.extent) as told:
                move.bring(told=told)
            move.compare()
            audience.say("In the new place all tables have their rows, snapshots, branches and positions.")
            _prove("In the new place", served, served, audience)
            move.compare()
        keep_settings(
            settings,
            {
                section: {name: getattr(getattr(target, section), name) for name in names}
                for section, names in _WRITTEN.items()
            },
        )
        move.release()
    return move.extent


@contextmanager
def _alone(settings: "Settings") -> Iterator[None]:
    """Keep everything else of the lake from starting; what runs already is a reason not to begin."""
    from shoplake_assets.ingest.lock import single_writer

    home.create_home(settings)
    try:
        with FileLock(home.run_folder(settings) / "up.filelock", timeout=0):
            if supervision.is_up(settings):
                raise ShoplakeError(f"the lake in {settings.home} is up. 'shoplake down' stops it; then move it.")
            with single_writer(settings):
                yield
    except Timeout as error:
        raise ShoplakeError(f"another command starts or moves the lake in {settings.home}. Wait for it.") from error


def _prove(when: str, lake: "Settings", served: "Settings", audience: Audience) -> None:
    """Verify every row of a lake.

    Raises:
        ShoplakeError: A proof does not hold.
    """
    found = _verify(lake, served)
    kafka = next(proof for proof in found.proofs if (proof.table, proof.name) == _KAFKA)
    for proof in found.proofs:
        # Of a Kafka that is not there it is only said: it is the same before and after.
        if not proof.holds and not (proof is kafka and proof.holds is None):
            verdict = "fails" if proof.holds is False else "is not proven"
            raise ShoplakeError(
                f"{when.lower()}, {proof.name} of {proof.table} {verdict}: {proof.says}. The lake stays where it is; "
                "'shoplake up' and 'shoplake verify' show all."
            )
    held = sum(proof.holds is True for proof in found.proofs)
    audience.say(f"{when}: {held} of {len(found.proofs)} proofs hold. {kafka.says}.")


def _verify(lake: "Settings", served: "Settings") -> "Verification":
    from pyiceberg.exceptions import NoSuchTableError
    from pyspark.errors import PySparkException

    from shoplake_assets.lake.catalog import open_catalog
    from shoplake_assets.lake.session import open_session
    from shoplake_assets.runtime.stream import kafka_range

    try:
        with open_session(served) as spark:
            from shoplake_assets.lake.lake import Lake
            from shoplake_assets.lake.move.seeing import see_catalog
            from shoplake_assets.lake.verify.full import verify_fully

            see_catalog(spark, lake, served=served)
            return verify_fully(Lake(open_catalog(lake), spark), kafka=lambda: kafka_range(served))
    except NoSuchTableError as error:
        raise ShoplakeError(f"a table is missing: {error}. 'shoplake up' makes it; then move the lake.") from error
    except PySparkException as error:
        line = str(error).strip().splitlines()[0]
        raise ShoplakeError(f"Spark ended before all was verified: {line}") from error
