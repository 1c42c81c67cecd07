"""What faults are done to: a product under traffic, in a home of its own.

Belongs here: starting it as a user does, and stopping all of it whatever has become of it. Does not belong here: the
faults.
"""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libfaketime  # type: ignore[import-untyped]
import psutil  # type: ignore[import-untyped]

from shoplake_assets.events.topic import describe_topic
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.position import Position
from shoplake_assets.runtime.jars import resolve_jars
from shoplake_assets.runtime.java import find_java
from shoplake_assets.settings import Settings
from shoplake_assets_tests.embedded import unusual_ports
from shoplake_assets_tests.faults.traffic import Traffic
from shoplake_assets_tests.product.conftest import Product

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

_LIBFAKETIME = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
_GONE_SECONDS = 10
TRIGGER_SECONDS = 5
"""Half of the default, so that a hundred faults fit into an hour; recovery is to the next commits' Gold."""
MAINTENANCE = {"min_files": 3, "snapshot_minutes": 1, "metadata_files": 10}
"""Something to do for a maintenance whenever one is started."""
_STEP_EVENTS = 200_000
"""So few that a refresh comes to its end now and then between two kills, however far behind they have left it."""


@dataclass(frozen=True)
class Ground:
    """A running product and what is sent to it.

    Attributes:
        product: The `shoplake` command for its home.
        settings: Its settings.
        traffic: What is sent to it.
        topic_id: Kafka's id of its topic.
    """

    product: Product
    settings: Settings
    traffic: Traffic
    topic_id: str

    @property
    def catalog(self) -> "Catalog":
        """Its catalog."""
        return open_catalog(self.settings)

    def table(self, name: str) -> "Table":
        """A table's metadata as of now."""
        return self.catalog.load_table(name)

    def position(self, offsets: dict[int, int]) -> Position:
        """Offsets of its topic as a position."""
        return Position.of_topic(self.topic_id, offsets)

    def set_clock(self, offset: str) -> None:
        """Set the clock of an ingest's JVM that is started while it is behind, such as `-3600`, or set it right again.

        The JVM looks every second, and ends where it finds half a file.
        """
        clock = self.settings.home.parent / "java" / "clock"
        new = clock.with_suffix(".new")
        new.write_text(offset)
        new.replace(clock)


@contextmanager
def product_under_traffic(folder: Path, *, rate: float) -> Iterator[Ground]:
    """Start a product in the folder and send events to it; at the end stop both.

    Raises:
        AssertionError: `shoplake down` left a process; it was killed.
    """
    product = Product(folder / "home")
    product.home.mkdir(parents=True)
    own: dict[str, dict[str, Any]] = unusual_ports(Settings(home=product.home))
    own["ingest"]["trigger_seconds"] = TRIGGER_SECONDS
    own["maintenance"] = MAINTENANCE
    own["refresh"] = {"max_events": _STEP_EVENTS}
    own["runtime"] = {"java": str(_java_with_a_clock(folder / "java"))}
    (product.home / "settings.json").write_text(json.dumps(own))
    try:
        product.run("up", "-d", "--no-generator")
        settings = Settings(home=product.home)
        topic = describe_topic(settings)
        with Traffic(bootstrap=settings.bootstrap, topic=settings.kafka.topic, rate=rate) as traffic:
            yield Ground(product, settings, traffic, topic.id)
    finally:
        down = product.run("down", check=False)
        left = [process for process in psutil.process_iter() if _belongs(process, product.home)]
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=_GONE_SECONDS)
        assert not left, f"'shoplake down' has left {left} running: {down.stdout}{down.stderr}"


def _belongs(process: psutil.Process, home: Path) -> bool:
    try:
        return process.environ().get("SHOPLAKE_HOME") == str(home) or str(home) in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _java_with_a_clock(home: Path) -> Path:
    """Make a JAVA_HOME whose ingest driver has the clock of a file, if it is behind when the driver starts.

    So only that one JVM is ever told a wrong time, by libfaketime, and the machine's clock is left alone. Steady time
    (CLOCK_MONOTONIC) goes on as it is, as it does when a real clock is set back. libfaketime's fix for old C libraries
    is off: with it, a JVM's timed waits end at once, and it starts in minutes, with its processors busy.
    """
    own = Settings(home=home)
    java = find_java(own)
    resolve_jars(own, java)
    script = home / "bin" / "java"
    script.parent.mkdir(parents=True)
    real, clock = shlex.quote(str(java.executable)), shlex.quote(str(home / "clock"))
    script.write_text(
        "#!/bin/sh\n"
        f'case "$*" in\n--list-modules) {real} "$@" && echo jdk.incubator.vector@; exit;;\n'
        f"*shoplake-ingest*) if grep -qs ^- {clock}; then\n"
        f"  export LD_PRELOAD={shlex.quote(str(_LIBFAKETIME))} FAKETIME_TIMESTAMP_FILE={clock}\n"
        "  export FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0\nfi;;\nesac\n"
        f'exec {real} "$@"\n'
    )
    script.chmod(0o755)
    return home
