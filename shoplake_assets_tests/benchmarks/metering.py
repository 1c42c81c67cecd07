"""What a step costs: seconds, CPU seconds of all its processes, and the objects that it wrote and read.

Belongs here: counting from outside, on one machine. Does not belong here: what the steps are (`capacity`).

A file of the warehouse is an object on S3: a new one is a PUT, one that was read is a GET at least. The kernel notes a
first reading in a file's access time, which is put back before each step. So a file that is read twice counts once.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]

_POLL_SECONDS = 0.2
KINDS = ("data", "manifests", "manifest_lists", "metadata")


@dataclass
class Cost:
    """What a step has cost.

    Attributes:
        seconds: From its beginning to its end.
        cpu_seconds: CPU seconds of its processes, by the name that they were given.
        written: Objects written, by kind.
        read: Objects read, by kind.
        bytes_written: Their size, by kind.
    """

    seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    bytes_written: dict[str, int] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return sum(self.cpu_seconds.values())


class Processes:
    """Adds up the CPU seconds of processes and of their children, also of those that end meanwhile."""

    def __init__(self, roots: dict[str, int]) -> None:
        self._roots = roots
        self._history: list[tuple[float, float]] = []
        self._seen: dict[tuple[str, int, float], tuple[float, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._look(first=True)
        self._thread.start()

    def add(self, name: str, pid: int) -> None:
        """Watch another process, from its beginning."""
        self._roots = {**self._roots, name: pid}

    def stop(self) -> dict[str, float]:
        """CPU seconds since the beginning, by name."""
        self._over.set()
        self._thread.join()
        self._look(first=False)
        return {name: round(seconds, 2) for name, seconds in self._spent().items()}

    def spent_at(self, moment: float) -> float:
        """CPU seconds of all from the beginning to a moment, in seconds since 1970, between two looks by proportion."""
        times, spent = zip(*self._history, strict=True)
        return float(np.interp(moment, times, spent))

    def _spent(self) -> dict[str, float]:
        spent: dict[str, float] = dict.fromkeys(self._roots, 0.0)
        for (name, _, _), (began, now) in self._seen.items():
            spent[name] += now - began
        return spent

    def _watch(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            self._look(first=False)

    def _look(self, *, first: bool) -> None:
        for name, pid in self._roots.items():
            for process in _family(pid):
                try:
                    key, times = (name, process.pid, process.create_time()), process.cpu_times()
                except psutil.Error:
                    continue
                spent = times.user + times.system
                # One that is seen later has begun since, so all of its time counts.
                began, _ = self._seen.get(key, (spent if first else 0.0, spent))
                self._seen[key] = began, spent
        self._history.append((time.time(), sum(self._spent().values())))


def _family(pid: int) -> Sequence[psutil.Process]:
    try:
        process = psutil.Process(pid)
        # This process is looked at alone: what it has started is named by itself.
        return [process, *(process.children(recursive=True) if pid != os.getpid() else ())]
    except psutil.Error:
        return []


@contextmanager
def metered(warehouse: Path, roots: dict[str, int]) -> Iterator[tuple[Cost, Processes]]:
    """Measure what is done within; the cost is filled in at the end."""
    cost = Cost()
    before = {path: stat.st_mtime for path, stat in _files(warehouse)}
    for path, modified in before.items():
        os.utime(path, (0, modified))
    processes, began = Processes(roots), time.perf_counter()
    yield cost, processes
    cost.seconds = round(time.perf_counter() - began, 2)
    cost.cpu_seconds = processes.stop()
    written: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    read: Counter[str] = Counter()
    for path, stat in _files(warehouse):
        kind = _kind(path)
        if path not in before:
            written[kind] += 1
            sizes[kind] += stat.st_size
        if stat.st_atime > (0 if path in before else stat.st_mtime):
            read[kind] += 1
    cost.written, cost.read, cost.bytes_written = (
        {kind: found[kind] for kind in KINDS} for found in (written, read, sizes)
    )


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.rglob("*"):
        # Beside each file Hadoop leaves one with its checksum, which an object store does not have.
        if path.suffix != ".crc" and path.is_file():
            yield path, path.stat()


def _kind(path: Path) -> str:
    if path.parent.name != "metadata":
        return "data"
    if path.suffix != ".avro":
        return "metadata"
    return "manifest_lists" if path.name.startswith("snap-") else "manifests"
