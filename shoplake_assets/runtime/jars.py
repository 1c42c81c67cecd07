"""The jars of the broker and of Spark, by their Maven coordinates.

Belongs here: which jars (`COORDINATES`), the lock that fixes every one of them by its hash, and bringing them into the
cache. Does not belong here: how Ivy is called (`ivy`), what runs with the jars (`broker`, `spark`).

`jars.lock` has one line per jar: `sha256  conf/filename  organisation:module:revision`. It is made by

    python -m shoplake_assets.runtime.jars lock

which resolves `COORDINATES` with all they depend on, less what pyspark already ships. A start needs only the lines of
the lock: it fetches just these jars, compares each with its hash, and moves all of them at once into
`<cache>/jars-<hash of the lock>`. From then on neither the network nor Java is needed to know them.
"""

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from shoplake_assets.errors import ShoplakeError
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

COORDINATES = (
    Coordinate("spark", "org.apache.iceberg", f"iceberg-spark-runtime-{SPARK_LINE}_{SCALA_LINE}", ICEBERG_VERSION),
    Coordinate("spark", "org.apache.spark", f"spark-sql-kafka-0-10_{SCALA_LINE}", SPARK_VERSION),
    Coordinate("spark", "org.xerial", "sqlite-jdbc", SQLITE_JDBC_VERSION),
    Coordinate("kafka", "org.apache.kafka", f"kafka_{SCALA_LINE}", KAFKA_VERSION),
    Coordinate("kafka", "org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
)
LOCK_FILE = "jars.lock"


@dataclass(frozen=True)
class Jars:
    """Where the jars are.

    Attributes:
        spark: What Spark needs beside its own.
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
    cache = settings.runtime.cache
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "jars.filelock"):
        if ready := cached_jars(settings):
            return ready
        downloads = cache / "ivy"
        try:
            _fetch(settings, java, downloads, on_progress)
        except ivy.UnreachableError:
            raise
        except ShoplakeError:
            # An interrupted download can leave a cache that Ivy trusts and should not: once more, from nothing.
            shutil.rmtree(downloads, ignore_errors=True)
            _fetch(settings, java, downloads, on_progress)
        shutil.rmtree(downloads, ignore_errors=True)
    ready = cached_jars(settings)
    if ready is None:
        raise ShoplakeError(f"{cache} lost jars while they were being fetched. Run the command again.")
    return ready


def cached_jars(settings: "Settings") -> Jars | None:
    """Give the jars if all are in the cache. Starts no Java and reads no jar."""
    folder = jars_folder(settings)
    found: dict[str, list[Path]] = {"spark": [], "kafka": []}
    for jar in locked_jars():
        path = folder / jar.path
        if not path.is_file():
            return None
        found[jar.coordinate.conf].append(path)
    return Jars(spark=tuple(found["spark"]), kafka=tuple(found["kafka"]))


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
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.fullmatch(r"([0-9a-f]{64})  (spark|kafka)/([^/\s]+)  ([^:\s]+):([^:\s]+):([^:\s]+)", line)
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


def _fetch(settings: "Settings", java: "Java", downloads: Path, on_progress: Callable[[ivy.Progress], None]) -> None:
    wanted = locked_jars()
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
        shutil.rmtree(jars_folder(settings), ignore_errors=True)
        folder.rename(jars_folder(settings))


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
            if conf == "spark" and filename in shipped:
                continue
            jars.append(LockedJar(_sha256(path), Coordinate(conf, organisation, module, revision), filename))
    return "".join(f"{jar}\n" for jar in sorted(jars, key=lambda jar: jar.path))


if __name__ == "__main__":
    from shoplake_assets.runtime.java import find_java
    from shoplake_assets.settings import load_settings

    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m shoplake_assets.runtime.jars lock")
    (Path(__file__).parent / LOCK_FILE).write_text(make_lock(find_java(load_settings())))
