"""The jars of the broker and of Spark, by their Maven coordinates.

Belongs here: which jars (`COORDINATES`), the lock that fixes every one of them by its hash, and bringing them into the
cache. Does not belong here: how Ivy is called (`ivy`), what runs with the jars (`broker`, `spark`).

`jars.lock` has one line per jar: `sha256  conf/filename  organisation:module:revision`. It is made by

    python -m shoplake_assets.runtime.jars lock

which resolves `COORDINATES` with all they depend on, less what pyspark already ships. A start needs only the lines of
the lock that its settings ask for: it fetches just these jars, compares each with its hash, and moves each group of
them at once into `<cache>/jars-<hash of the lock>`. From then on neither the network nor Java is needed to know them.
An image is made with all of them, by `python -m shoplake_assets.runtime.jars fetch`.
"""

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.lake.catalog import on_s3
from shoplake_assets.runtime import ivy
from shoplake_assets.runtime.ivy import Coordinate, Ivy

if TYPE_CHECKING:
    from shoplake_assets.runtime.java import Java
    from shoplake_assets.settings import Settings

SCALA_LINE = "2.13"
SPARK_VERSION = "4.1.1"
SPARK_LINE = "4.1"
ICEBERG_VERSION = "1.12.0"
KAFKA_VERSION = "4.1.1"
SQLITE_JDBC_VERSION = "3.50.3.0"
# Of the line that the broker's own log4j belongs to; without this binding the broker would log nothing at all.
LOG4J_VERSION = "2.24.3"
POSTGRES_JDBC_VERSION = "42.7.8"

COORDINATES = (
    Coordinate("spark", "org.apache.iceberg", f"iceberg-spark-runtime-{SPARK_LINE}_{SCALA_LINE}", ICEBERG_VERSION),
    Coordinate("spark", "org.apache.spark", f"spark-sql-kafka-0-10_{SCALA_LINE}", SPARK_VERSION),
    Coordinate("spark", "org.xerial", "sqlite-jdbc", SQLITE_JDBC_VERSION),
    Coordinate("s3", "org.apache.iceberg", "iceberg-aws-bundle", ICEBERG_VERSION),
    Coordinate("postgres", "org.postgresql", "postgresql", POSTGRES_JDBC_VERSION),
    Coordinate("kafka", "org.apache.kafka", f"kafka_{SCALA_LINE}", KAFKA_VERSION),
    Coordinate("kafka", "org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
)
GROUPS = tuple(dict.fromkeys(one.conf for one in COORDINATES))
LOCK_FILE = "jars.lock"


@dataclass(frozen=True)
class Jars:
    """Where the jars are.

    Attributes:
        spark: What Spark needs beside its own, for the store and the catalog of the settings, too.
        kafka: The class path of the broker.
    """

    spark: tuple[Path, ...]
    kafka: tuple[Path, ...]


@dataclass(frozen=True)
class LockedJar:
    """One line of the lock."""

    sha256: str
    coordinate: Coordinate
    filename: str

    @property
    def path(self) -> str:
        """Where the jar is, within the folder of all jars."""
        return f"{self.coordinate.conf}/{self.filename}"

    def __str__(self) -> str:
        return f"{self.sha256}  {self.path}  {self.coordinate}"


def resolve_jars(
    settings: "Settings", java: "Java", on_progress: Callable[[ivy.Progress], None] = lambda _: None
) -> Jars:
    """Give the jars, fetching them if the cache lacks them.

    Args:
        settings: `runtime.cache` is where they are kept.
        java: Runs Ivy, if something is to be fetched.
        on_progress: Told about each jar as its download starts and once more at the end.

    Raises:
        ShoplakeError: They cannot be fetched, or what was fetched is not what the lock says.
    """
    # An image has them, and its files may be for reading only.
    if ready := cached_jars(settings):
        return ready
    cache = settings.runtime.cache
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "jars.filelock"):
        if ready := cached_jars(settings):
            return ready
        _fetch(settings, java, groups(settings), on_progress)
    ready = cached_jars(settings)
    if ready is None:
        raise ShoplakeError(f"{cache} lost jars while they were being fetched. Run the command again.")
    return ready


def cached_jars(settings: "Settings") -> Jars | None:
    """Give the jars if all are in the cache. Starts no Java and reads no jar."""
    wanted = groups(settings)
    if missing_groups(settings, wanted):
        return None
    folder = jars_folder(settings)
    found: dict[str, list[Path]] = {"spark": [], "kafka": []}
    for jar in locked_jars():
        if jar.coordinate.conf in wanted:
            found["kafka" if jar.coordinate.conf == "kafka" else "spark"].append(folder / jar.path)
    return Jars(spark=tuple(found["spark"]), kafka=tuple(found["kafka"]))


def groups(settings: "Settings") -> tuple[str, ...]:
    """The groups of jars that the settings ask for, as the lock calls them."""
    s3 = ("s3",) if on_s3(settings) else ()
    return ("spark", "kafka", *s3, *(("postgres",) if settings.catalog.kind == "postgres" else ()))


def missing_groups(settings: "Settings", wanted: Iterable[str]) -> list[str]:
    """Those of the groups of which the cache lacks a jar."""
    folder = jars_folder(settings)
    lacking = {jar.coordinate.conf for jar in locked_jars() if not (folder / jar.path).is_file()}
    return [group for group in wanted if group in lacking]


def jars_folder(settings: "Settings") -> Path:
    """The folder of exactly the jars of this lock."""
    return settings.runtime.cache / f"jars-{hashlib.sha256(_lock_text().encode()).hexdigest()[:12]}"


@lru_cache(maxsize=1)
def locked_jars() -> tuple[LockedJar, ...]:
    """The lines of the lock that this version of Shoplake ships."""
    return parse_lock(_lock_text())


def parse_lock(text: str) -> tuple[LockedJar, ...]:
    """Read a lock.

    Raises:
        ShoplakeError: A line is not one of a lock.
    """
    jars, confs = [], "|".join(GROUPS)
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.fullmatch(rf"([0-9a-f]{{64}})  ({confs})/([^/\s]+)  ([^:\s]+):([^:\s]+):([^:\s]+)", line)
        if match is None:
            raise ShoplakeError(
                f"{LOCK_FILE}, line {number}: not 'sha256  conf/filename  organisation:module:revision'."
            )
        sha256, conf, filename, organisation, module, revision = match.groups()
        jars.append(LockedJar(sha256, Coordinate(conf, organisation, module, revision), filename))
    return tuple(jars)


def mismatches(folder: Path, jars: Iterable[LockedJar]) -> list[str]:
    """Compare jars in a folder with the lock; one sentence for each that is missing or differs."""
    problems = []
    for jar in jars:
        path = folder / jar.path
        if not path.is_file():
            problems.append(f"{jar.path} is missing")
        elif _sha256(path) != jar.sha256:
            problems.append(f"{jar.path} is not the file that {LOCK_FILE} names")
    return problems


def _fetch(
    settings: "Settings", java: "Java", wanted: Iterable[str], on_progress: Callable[[ivy.Progress], None]
) -> None:
    """Fetch what the cache lacks of the groups."""
    missing = missing_groups(settings, wanted)
    downloads = settings.runtime.cache / "ivy"
    try:
        _fetch_groups(settings, java, missing, downloads, on_progress)
    except ivy.UnreachableError:
        raise
    except ShoplakeError:
        # An interrupted download can leave a cache that Ivy trusts and should not: once more, from nothing.
        shutil.rmtree(downloads, ignore_errors=True)
        _fetch_groups(settings, java, missing, downloads, on_progress)
    shutil.rmtree(downloads, ignore_errors=True)


def _fetch_groups(
    settings: "Settings",
    java: "Java",
    missing: Sequence[str],
    downloads: Path,
    on_progress: Callable[[ivy.Progress], None],
) -> None:
    wanted = [jar for jar in locked_jars() if jar.coordinate.conf in missing]
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=settings.runtime.cache) as temporary:
        folder = Path(temporary) / "jars"
        folder.mkdir()
        Ivy(java, cache=downloads).retrieve(
            [jar.coordinate for jar in wanted],
            into=folder,
            pattern="[conf]/[artifact]-[revision].[ext]",
            on_progress=on_progress,
        )
        if problems := mismatches(folder, wanted):
            raise ShoplakeError(
                f"the download of the jars failed its check: {'; '.join(problems)}. Run the command again; if it "
                "stays, something between this machine and the registry changes files."
            )
        jars_folder(settings).mkdir(exist_ok=True)
        for group in missing:
            shutil.rmtree(jars_folder(settings) / group, ignore_errors=True)
            (folder / group).rename(jars_folder(settings) / group)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)
def _lock_text() -> str:
    return files("shoplake_assets.runtime").joinpath(LOCK_FILE).read_text()


def make_lock(java: "Java") -> str:
    """Resolve `COORDINATES` anew, with all they depend on, and give the text of their lock."""
    with tempfile.TemporaryDirectory(prefix="shoplake-lock-") as temporary:
        folder = Path(temporary) / "jars"
        folder.mkdir()
        Ivy(java, cache=Path(temporary) / "ivy", with_dependencies=True).retrieve(
            COORDINATES,
            into=folder,
            pattern="[conf]/[organisation]/[module]/[revision]/[artifact]-[revision].[ext]",
        )
        shipped = {path.name for path in ivy.pyspark_jars().glob("*.jar")}
        jars = []
        for path in sorted(folder.rglob("*.jar")):
            conf, organisation, module, revision, filename = path.relative_to(folder).parts
            if conf != "kafka" and filename in shipped:
                continue
            jars.append(LockedJar(_sha256(path), Coordinate(conf, organisation, module, revision), filename))
    return "".join(f"{jar}\n" for jar in sorted(jars, key=lambda jar: jar.path))


def _main(*arguments: str) -> None:
    from shoplake_assets.runtime.java import find_java
    from shoplake_assets.settings import load_settings

    settings = load_settings()
    match arguments:
        case ["lock"]:
            (Path(__file__).parent / LOCK_FILE).write_text(make_lock(find_java(settings)))
        case ["fetch"]:
            settings.runtime.cache.mkdir(parents=True, exist_ok=True)
            _fetch(settings, find_java(settings), GROUPS, lambda _: None)
        case _:
            sys.exit("usage: python -m shoplake_assets.runtime.jars lock|fetch")


if __name__ == "__main__":
    _main(*sys.argv[1:])
