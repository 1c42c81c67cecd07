"""Ivy, as pyspark ships it: from Maven coordinates to files in a folder.

Belongs here: calling Ivy, following its output, and turning its failures into one sentence. Does not belong here:
which coordinates, and what is done with the files (`jars`). The registry is the one that Ivy itself takes for Maven
coordinates; its address is written nowhere in Shoplake.
"""

import importlib.util
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from shoplake_assets.runtime.java import Java

# `bundle` is what some projects call their jar; without it the broker lacks scala-logging.
TYPES = ("jar", "bundle")


class UnreachableError(ShoplakeError):
    """The registry did not answer, so that trying again at once is of no use."""


@dataclass(frozen=True)
class Coordinate:
    """A module in a Maven registry, and for whom (`conf`) it is wanted."""

    conf: str
    organisation: str
    module: str
    revision: str

    def __str__(self) -> str:
        return f"{self.organisation}:{self.module}:{self.revision}"


@dataclass(frozen=True)
class Progress:
    """How far a retrieval is.

    Attributes:
        done: Jars that are there.
        total: Jars that are wanted.
        name: The file that is downloading, empty at the end.
    """

    done: int
    total: int
    name: str


def pyspark_jars() -> Path:
    """The folder of jars inside pyspark, found without importing pyspark."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ShoplakeError("pyspark is not installed. Run 'pip install shoplake' in a fresh virtual environment.")
    return Path(spec.origin).parent / "jars"


@dataclass(frozen=True)
class Ivy:
    """One way of calling Ivy.

    Attributes:
        java: Runs it.
        cache: Ivy's own cache, from which an interrupted retrieval goes on.
        with_dependencies: Whether it also brings all that the modules depend on. Without, no description of a module
            is read, which saves most of the time.
    """

    java: "Java"
    cache: Path
    with_dependencies: bool = False

    def retrieve(
        self,
        coordinates: Sequence[Coordinate],
        *,
        into: Path,
        pattern: str,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """Bring modules into a folder.

        Args:
            coordinates: The modules.
            into: The folder, which exists.
            pattern: Ivy's pattern of the files to be made within the folder, with `[conf]`, `[artifact]` and so on.
            on_progress: Told about each jar as its download starts and once more at the end.

        Raises:
            UnreachableError: The registry cannot be reached.
            ShoplakeError: Ivy failed otherwise.
        """
        archive = next(pyspark_jars().glob("ivy-*.jar"), None)
        if archive is None:
            raise ShoplakeError(f"{pyspark_jars()} holds no ivy-*.jar. Run 'pip install --force-reinstall pyspark'.")
        with tempfile.TemporaryDirectory(prefix="shoplake-ivy-") as temporary:
            settings, module = Path(temporary) / "settings.xml", Path(temporary) / "ivy.xml"
            settings.write_text(_settings_xml(with_dependencies=self.with_dependencies))
            module.write_text(_module_xml(coordinates, with_dependencies=self.with_dependencies))
            command = [
                *(str(self.java.executable), *self.java.options, *_proxy_options(), "-jar", str(archive)),
                *("-settings", str(settings), "-ivy", str(module), "-cache", str(self.cache)),
                *("-confs", *_confs(coordinates), "-types", *TYPES, "-retrieve", pattern),
            ]
            _run(command, cwd=into, total=len(coordinates), on_progress=on_progress)


def _run(command: Sequence[str], *, cwd: Path, total: int, on_progress: Callable[[Progress], None]) -> None:
    output: list[str] = []
    done = 0
    with subprocess.Popen(  # noqa: S603 - the command is made above, of our own parts
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker; the line above asks for the pipe
        for line in process.stdout:
            output.append(line)
            if started := re.match(r"downloading \S*/(\S+) \.\.\.", line):
                on_progress(Progress(done=done, total=total, name=started[1]))
            elif "[SUCCESSFUL ]" in line:
                done += 1
    if process.returncode != 0:
        raise _failure(output)
    on_progress(Progress(done=total, total=total, name=""))


def _failure(output: Iterable[str]) -> ShoplakeError:
    """Say what Ivy found in one line."""
    text = "".join(output)
    if "PKIX path" in text or "SSLHandshakeException" in text:
        return UnreachableError(
            "the jars cannot be downloaded: Java does not trust the certificate of the registry (or of a proxy in "
            "between). Set SHOPLAKE_RUNTIME__TRUST_STORE to a trust store that holds it."
        )
    refused = re.search(r"Server access error at url (\S+) \((.*)\)", text)
    if refused or "UnknownHostException" in text:
        cause = f" ({refused[2]})" if refused else ""
        return UnreachableError(
            f"the jars of Kafka, Iceberg and Spark's connectors cannot be downloaded: no connection{cause}. Only the "
            "first start needs the network. Connect and run the command again; behind a proxy set HTTPS_PROXY, and "
            "SHOPLAKE_RUNTIME__TRUST_STORE if it inspects TLS."
        )
    missing = re.findall(r":: (\S+#\S+): (.*)", text)
    detail = "; ".join(f"{module}: {what}" for module, what in missing) or text.strip().rpartition("\n")[2]
    return ShoplakeError(f"the jars cannot be downloaded: {detail}. Run the command again.")


def _proxy_options() -> list[str]:
    """Java does not follow the system's proxy by itself; pip, which brought Shoplake here, did."""
    options = []
    for scheme, url in urllib.request.getproxies().items():
        proxy = urlsplit(url if "//" in url else f"//{url}")
        if scheme in ("http", "https") and proxy.hostname:
            options += [f"-D{scheme}.proxyHost={proxy.hostname}", f"-D{scheme}.proxyPort={proxy.port or 80}"]
    return options


def _settings_xml(*, with_dependencies: bool) -> str:
    """Ivy's settings. Hashes are compared by us, with the lock's, so that asking for the registry's is left out."""
    return (
        "<ivysettings><settings defaultResolver='maven'/><resolvers>"
        f"<ibiblio name='maven' m2compatible='true' usepoms='{str(with_dependencies).lower()}' "
        "useMavenMetadata='false' checksums=''/>"
        "</resolvers></ivysettings>"
    )


def _confs(coordinates: Iterable[Coordinate]) -> list[str]:
    return list(dict.fromkeys(one.conf for one in coordinates))


def _module_xml(coordinates: Sequence[Coordinate], *, with_dependencies: bool) -> str:
    transitive = str(with_dependencies).lower()
    dependencies = "".join(
        f"<dependency org={quoteattr(one.organisation)} name={quoteattr(one.module)} rev={quoteattr(one.revision)} "
        f"conf='{one.conf}->default' transitive='{transitive}'/>"
        for one in coordinates
    )
    confs = "".join(f"<conf name='{conf}'/>" for conf in _confs(coordinates))
    return (
        "<ivy-module version='2.0'><info organisation='shoplake' module='lake'/>"
        f"<configurations>{confs}</configurations><dependencies>{dependencies}</dependencies></ivy-module>"
    )
