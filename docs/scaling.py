"""What a rate of events needs, from what `benchmarks.capacity` has measured.

Belongs here: the formulas, and what is assumed. Does not belong here: measuring, or how it is shown (`scaling_page`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

_DAY, _HOUR = 86_400, 3_600
RATES = (10_000, 100_000, 1_000_000)
ASSUMED: Mapping[str, tuple[float, str]] = {
    "partition_mb": (5.0, "MB/s that one Kafka partition is planned to carry"),
    "headroom": (2.0, "times the cores that are busy on average: peaks, catching up, garbage collection"),
    "late_hours": (24.0, "hours over which late events are spread, where there are any"),
    "file_mb": (256.0, "MB of a file that maintenance has put together (`TARGET_BYTES` in the code)"),
    "gets_a_file": (4.0, "requests to read one Parquet file: its footer, and some columns"),
    "put_usd": (0.005, "US$ for 1,000 PUT requests: S3 Standard, us-east-1, list price as known in 2025"),
    "get_usd": (0.0004, "US$ for 1,000 GET requests, the same"),
    "gb_usd": (0.023, "US$ for a GB and month, the same, first 50 TB"),
    "kafka_copies": (3.0, "copies of each record in Kafka"),
    "entry_bytes": (210.0, "bytes of a file's entry in a manifest: 8 MiB hold 40,000"),
}
"""What is assumed and not measured, each with its meaning. Change a figure and run `make docs`."""
# For each rate: seconds between commits of the stream, and between refreshes.
TRIGGER = {10_000: 10, 100_000: 30, 1_000_000: 60}
REFRESH = {10_000: 60, 100_000: 300, 1_000_000: 900}


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What an event costs, per event or per row, from the measurement; CPU in microseconds.

    Attributes:
        ingest: The ingest, from Kafka to Bronze.
        broker: Kafka, for the reading.
        silver: Silver, for a new event.
        silver_known: Silver, for a row that is there already, in an hour that an event belongs to.
        gold: All Gold tables, for each Silver row of an hour that has changed.
        checks: Share of the checks in a refresh.
        ingest_rate: Events a second that the ingest came to on the machine.
        kafka_bytes: Bytes in Kafka, one copy.
        bronze_bytes: Bytes in Bronze.
        silver_bytes: Bytes in Silver.
    """

    ingest: float
    broker: float
    silver: float
    silver_known: float
    gold: float
    checks: float
    ingest_rate: float
    kafka_bytes: float
    bronze_bytes: float
    silver_bytes: float


def costs(found: Mapping[str, Any]) -> Costs:
    """Costs per event: differences of two measurements, so that what is fixed does not count."""
    start, drain = found["ingest"]["start"], found["ingest"]["drain"]
    events = drain["events"] - start["events"]
    few, many = _late(found, "late, few rows there"), _late(found, "late, many rows there")
    rows = many["rows"] - few["rows"]
    known = {
        layer: _each(many[layer] - few[layer], rows, whole=many[layer], of=many["rows"]) for layer in ("silver", "gold")
    }
    fixed = max(0.0, few["silver"] - known["silver"] * few["rows"])
    large = max(item["events"] for item in _increments(found, checks=True))
    taken = [item for item in _increments(found, checks=True) if item["events"] == large]
    new = [
        _each(
            cpu_seconds(item["silver"]) - fixed - known["silver"] * item["rows_in_hours"],
            large,
            whole=cpu_seconds(item["silver"]),
            of=large,
        )
        for item in taken
    ]
    small = min(item["events"] for item in _increments(found, checks=True))
    checked, bare = (
        median(
            cpu_seconds(item["silver"]) + cpu_seconds(item["gold"])
            for item in _increments(found, checks=on)
            if item["events"] == small
        )
        for on in (True, False)
    )
    tables = found["tables"]
    return Costs(
        ingest=1e6 * _of_drain(found, "ingest"),
        broker=1e6 * _of_drain(found, "kafka"),
        silver=1e6 * median(new),
        silver_known=1e6 * known["silver"],
        gold=1e6 * known["gold"],
        checks=max(0.0, checked - bare) / checked,
        ingest_rate=1 / _each(drain["seconds"] - start["seconds"], events, whole=drain["seconds"], of=drain["events"]),
        kafka_bytes=found["ingest"]["kafka_bytes"] / drain["events"],
        bronze_bytes=drain["bytes"] / drain["events"],
        silver_bytes=tables["silver.events"]["bytes"] / tables["silver.events"]["rows"],
    )


def _each(seconds: float, count: float, *, whole: float, of: float) -> float:
    """Seconds of one of so many; where the difference is lost in what varies anyway, all of the cost is divided."""
    return seconds / count if seconds > 0 else whole / of


def _of_drain(found: Mapping[str, Any], process: str) -> float:
    """CPU seconds of a process for an event that is drained."""
    start, drain = found["ingest"]["start"], found["ingest"]["drain"]
    whole = drain["cpu_seconds"][process]
    more, events = whole - start["cpu_seconds"][process], drain["events"] - start["events"]
    return _each(more, events, whole=whole, of=drain["events"])


def _late(found: Mapping[str, Any], what: str) -> dict[str, float]:
    items = [item for item in found["refreshes"] if item["what"] == what]
    return {
        "rows": median(item["rows_in_hours"] for item in items),
        **{layer: median(cpu_seconds(item[layer]) for item in items) for layer in ("silver", "gold")},
    }


def _increments(found: Mapping[str, Any], *, checks: bool) -> list[Mapping[str, Any]]:
    return [item for item in found["refreshes"] if item["what"] == "increment" and item["checks"] is checks]


def cpu_seconds(cost: Mapping[str, Any]) -> float:
    """CPU seconds of all processes of a step."""
    return float(sum(cost["cpu_seconds"].values()))


@dataclass(frozen=True)
class Need:
    """What a rate of events needs; all of it follows from the costs and from what is assumed."""

    rate: int
    costs: Costs
    found: Mapping[str, Any]

    def cores(self, layer: str, *, late: bool) -> float:
        """Cores of the ingest, of Silver, or of Gold.

        Args:
            layer: `ingest`, `silver` or `gold`.
            late: Whether late events touch all hours that they may belong to, with each refresh.
        """
        hours = assumed("late_hours") if late else 0.5  # the hour under way is half full on average
        rows_a_second = self.rate * _HOUR * hours / REFRESH[self.rate]
        busy = {
            "ingest": self.rate * self.costs.ingest,
            "silver": self.rate * self.costs.silver + rows_a_second * self.costs.silver_known,
            "gold": rows_a_second * self.costs.gold,
        }
        return busy[layer] / 1e6 * assumed("headroom")

    @property
    def partitions(self) -> int:
        """Kafka partitions: by MB/s, and one at least for each core of the ingest; a multiple of 3, for 3 brokers."""
        by_bytes = self.rate * self.costs.kafka_bytes / 1e6 / assumed("partition_mb")
        return 3 * math.ceil(max(by_bytes, self.cores("ingest", late=False)) / 3)

    @property
    def commits(self) -> int:
        """Commits of the stream a day."""
        return _DAY // TRIGGER[self.rate]

    @property
    def refreshes(self) -> int:
        """Refreshes a day."""
        return _DAY // REFRESH[self.rate]

    @property
    def files_before(self) -> int:
        """Data files a day of Bronze, before they are put together."""
        return self.partitions * self.commits

    @property
    def files_after(self) -> int:
        """The same after that: full files, and one at least for each partition and hour."""
        full = self.rate * _DAY * self.costs.bronze_bytes / 1e6 / assumed("file_mb")
        return max(math.ceil(full), 24 * self.partitions)

    @property
    def puts(self) -> float:
        """PUT requests a day: those of the commits, and of the refreshes, with the files of the measurement."""
        drain = self.found["ingest"]["drain"]
        beside = sum(drain["written"].values()) - drain["written"]["data"]
        commit = beside / drain["commits"] + self.partitions
        return float(self.commits * commit) + self.refreshes * requests(self.found, "written")

    @property
    def gets(self) -> float:
        """GET requests a day, at least: each file of a commit is read once by Silver, each list some times."""
        data = self.files_before * assumed("gets_a_file")
        return data + self.refreshes * requests(self.found, "read") * assumed("gets_a_file")

    def gb(self, layer: str) -> float:
        """GB a day."""
        sizes = {
            "kafka": self.costs.kafka_bytes * assumed("kafka_copies"),
            "bronze": self.costs.bronze_bytes,
            "silver": self.costs.silver_bytes,
        }
        return self.rate * _DAY * sizes[layer] / 1e9


def requests(found: Mapping[str, Any], kind: str) -> float:
    """Objects that a refresh of Silver and all Gold tables has `written`, or `read`."""
    items = _increments(found, checks=True)
    return float(median(sum(item["silver"][kind].values()) + sum(item["gold"][kind].values()) for item in items))


def assumed(name: str) -> float:
    """A figure that is assumed."""
    return ASSUMED[name][0]
