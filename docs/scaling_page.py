"""Makes the page on capacity from what `benchmarks.capacity` and `benchmarks.planning` have measured.

Belongs here: the tables. Does not belong here: what is in them (`scaling`), or the words around them
(`scaling.md.template`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from scaling import ASSUMED, RATES, REFRESH, TRIGGER, Costs, Need, assumed, costs, cpu_seconds, requests

_DOCS = Path(__file__).parent
_CAPACITY, _PLANNING = _DOCS / "measurements" / "capacity.json", _DOCS / "measurements" / "planning.json"
_ROUND_FROM = 10
_ENOUGH_EVENTS, _QUIET = 500_000, 1.0


def scaling_page(note: str) -> str:
    """The page.

    Args:
        note: The line that says that the page is made.
    """
    found, planned = (json.loads(path.read_text()) for path in (_CAPACITY, _PLANNING))
    each = costs(found)
    needs = [Need(rate, each, found) for rate in RATES]
    largest = max(row["files"] for row in planned["by_files"])
    return Template((_DOCS / "scaling.md.template").read_text()).substitute(
        note=note,
        machine=found["machine"],
        measured_on=found["measured_on"],
        load=found["load_before"],
        caution=_caution(found),
        events=f"{found['ingest']['drain']['events']:,}",
        planning_machine=planned["machine"],
        planning_on=planned["measured_on"],
        largest=f"{largest:,}",
        versions=", ".join(f"{name} {number}" for name, number in found["versions"].items()),
        measured=_measured_table(each, found),
        needs=_needs_table(needs),
        lake=_lake_table(needs),
        planning=_planning_table(planned["by_files"], by="files"),
        compaction=_compaction(found),
        snapshots=_planning_table(planned["by_snapshots"], by="snapshots"),
        assumed=_grid(
            ("Name", "Value", "What it is"),
            ((f"`{name}`", f"{value:g}", says) for name, (value, says) in ASSUMED.items()),
            words=1,
        ),
    )


def _caution(found: Mapping[str, Any]) -> str:
    """A warning where the measurement is no good basis."""
    events, load = found["ingest"]["drain"]["events"], found["load_before"]
    if events >= _ENOUGH_EVENTS and load <= _QUIET:
        return ""
    return (
        "\n**These figures are too high:** they are from a machine that was busy, or from so few events that fixed\n"
        "costs drown the rest. Measure again on a quiet machine, with a million events, before you build on them.\n"
    )


def _measured_table(each: Costs, found: Mapping[str, Any]) -> str:
    drain, start = found["ingest"]["drain"], found["ingest"]["start"]
    metadata = sum(size for kind, size in drain["bytes_written"].items() if kind != "data") / drain["commits"]
    rows = [
        ("start of an ingest until the first rows are in Bronze", f"{start['seconds']:.0f} s"),
        ("ingest, events a second on the whole machine", f"{each.ingest_rate:,.0f}"),
        ("ingest, CPU for an event", _micro(each.ingest)),
        ("Kafka, CPU for an event that is read", _micro(each.broker)),
        ("Silver with its checks, CPU for a new event", _micro(each.silver)),
        ("Silver, CPU for a row that is there, in an hour that a new event belongs to", _micro(each.silver_known)),
        ("Gold with its checks, CPU for a Silver row of an hour that has changed", _micro(each.gold)),
        ("the checks' share of a refresh", f"{each.checks:.0%}"),
        (
            "bytes of an event in Kafka, Bronze, Silver",
            f"{each.kafka_bytes:.0f}, {each.bronze_bytes:.0f}, {each.silver_bytes:.0f}",
        ),
        ("metadata of a commit of the stream", f"{metadata / 1000:.0f} kB"),
        ("files written by a refresh of Silver and all Gold tables", f"{requests(found, 'written'):.0f}"),
    ]
    return _grid(("What", "Measured"), rows)


def _compaction(found: Mapping[str, Any]) -> str:
    """What was measured of compaction, in words."""
    parts = [
        f"{1e6 * cpu_seconds(cost) / cost['rows']:.1f} µs of CPU for a row of `{name}`, {cost['files_before']} files "
        f"to {cost['files_after']}"
        for name, cost in found["compaction"].items()
    ]
    return "measured were " + " and ".join(parts) + ", with all that is fixed"


def _micro(value: float) -> str:
    return f"{value:.1f} µs"


def _needs_table(needs: Sequence[Need]) -> str:
    lines = [
        ("`SHOPLAKE_KAFKA__PARTITIONS`", [f"{need.partitions:,}" for need in needs]),
        ("MB/s into Kafka, one copy", [f"{need.rate * need.costs.kafka_bytes / 1e6:,.0f}" for need in needs]),
        ("`SHOPLAKE_INGEST__TRIGGER_SECONDS`", [f"{TRIGGER[need.rate]}" for need in needs]),
        (
            "`SHOPLAKE_INGEST__MAX_OFFSETS_PER_TRIGGER`, at least",
            [f"{2 * need.rate * TRIGGER[need.rate]:,}" for need in needs],
        ),
        ("seconds between refreshes that are planned with", [f"{REFRESH[need.rate]}" for need in needs]),
        ("`SHOPLAKE_REFRESH__MAX_EVENTS`, at least", [f"{2 * need.rate * REFRESH[need.rate]:,}" for need in needs]),
        ("cores of the ingest", [_cores(need.cores("ingest", late=False)) for need in needs]),
        ("cores of Silver, no late events", [_cores(need.cores("silver", late=False)) for need in needs]),
        ("cores of Silver, late events in all hours", [_cores(need.cores("silver", late=True)) for need in needs]),
        ("cores of Gold, no late events", [_cores(need.cores("gold", late=False)) for need in needs]),
        ("cores of Gold, late events in all hours", [_cores(need.cores("gold", late=True)) for need in needs]),
    ]
    return _grid(("Events a second", *(f"{need.rate:,}" for need in needs)), ((name, *cells) for name, cells in lines))


def _lake_table(needs: Sequence[Need]) -> str:
    put, get, month = assumed("put_usd") / 1000, assumed("get_usd") / 1000, assumed("gb_usd")
    lines = [
        ("commits of the stream", [f"{need.commits:,}" for need in needs]),
        ("Bronze's files before compaction", [f"{need.files_before:,}" for need in needs]),
        ("Bronze's files after it", [f"{need.files_after:,}" for need in needs]),
        ("MB of manifests for these", [f"{need.files_after * assumed('entry_bytes') / 1e6:,.1f}" for need in needs]),
        ("days until Bronze has a million files", [f"{1e6 / need.files_after:,.0f}" for need in needs]),
        ("GB in Kafka, all copies", [f"{need.gb('kafka'):,.0f}" for need in needs]),
        ("GB in Bronze", [f"{need.gb('bronze'):,.0f}" for need in needs]),
        ("GB in Silver", [f"{need.gb('silver'):,.0f}" for need in needs]),
        ("PUT requests, thousands", [f"{need.puts / 1000:,.0f}" for need in needs]),
        ("GET requests, thousands, at least", [f"{need.gets / 1000:,.0f}" for need in needs]),
        ("US$ for these requests", [f"{need.puts * put + need.gets * get:,.2f}" for need in needs]),
        (
            "US$ a month for each day that is kept",
            [f"{(need.gb('bronze') + need.gb('silver')) * month:,.0f}" for need in needs],
        ),
    ]
    return _grid(
        ("A day at events a second", *(f"{need.rate:,}" for need in needs)), ((name, *cells) for name, cells in lines)
    )


def _cores(value: float) -> str:
    return f"{value:,.1f}" if value < _ROUND_FROM else f"{value:,.0f}"


def _planning_table(rows: Sequence[Mapping[str, Any]], *, by: str) -> str:
    sizes = sorted({row[by] for row in rows})
    cells = {(row["step"], row[by]): row for row in rows}
    steps = dict.fromkeys(row["step"] for row in rows)
    return _grid(
        ("Step", *(f"{size:,} {by}" for size in sizes), "Manifests", "MB of memory"),
        (
            (
                step,
                *(f"{cells[step, size]['seconds']:.2f} s" for size in sizes),
                *(
                    f"{cells[step, sizes[0]][what]:,.0f} → {cells[step, sizes[-1]][what]:,.0f}"
                    for what in ("manifests", "peak_mb")
                ),
            )
            for step in steps
        ),
    )


def _grid(headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 0) -> str:
    """A table of figures, but for the first column and the last ones that hold words."""
    figures = len(headings) - 1 - words
    lines = [headings, ["---", *["---:"] * figures, *["---"] * words], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
