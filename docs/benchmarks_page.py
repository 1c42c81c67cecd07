"""Makes the page of benchmarks from what they have measured.

Belongs here: the tables, and whether a target is met. Does not belong here: the words around them
(`benchmarks.md.template`), or measuring (`shoplake_assets_tests.benchmarks`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from string import Template
from typing import Any

_DOCS = Path(__file__).parent
_MEASURED = ("drain", "sustained", "latency", "refresh_cost", "start", "reading", "profile")
_BRONZE, _SILVER = "Shoplake: to Bronze", "Shoplake: to published Silver"
_CONNECT, _LOOP = "Iceberg's sink for Kafka Connect", "Python loop"
_CONSUMER, _FLINK = "Python consumer that writes nothing", "Flink SQL"
_MB, _GB = 1e6, 1e9
_SMALL, _LARGE = 1_000_000, 20_000_000


@dataclass(frozen=True, kw_only=True)
class Target:
    """What was aimed at, and what came out.

    Attributes:
        measure: What was measured.
        aim: What it should be, in words.
        found: What it is, in words.
        met: Whether that is what it should be.
    """

    measure: str
    aim: str
    found: str
    met: bool


def benchmarks_page(note: str) -> str:
    """The page.

    Args:
        note: The line that says that the page is made.
    """
    found = {name: json.loads((_DOCS / "measurements" / f"{name}.json").read_text()) for name in _MEASURED}
    drain = found["drain"]
    return Template((_DOCS / "benchmarks.md.template").read_text()).substitute(
        note=note,
        machine=drain["machine"],
        measured_on=" to ".join(dict.fromkeys(sorted({one["measured_on"] for one in found.values()}))),
        versions=", ".join(f"{name.replace('_', ' ')} {number}" for name, number in drain["versions"].items()),
        targets=_grid(
            ("Measure", "Target", "Measured", "Met"),
            ((one.measure, one.aim, one.found, "yes" if one.met else "**no**") for one in targets(found)),
            words=3,
        ),
        events=f"{drain['events']:,}",
        rounds=drain["rounds"],
        drain=_drain_table(drain["summary"]),
        rate=f"{found['sustained']['events_per_second']:,.0f}",
        minutes=f"{found['sustained']['minutes']:g}",
        trigger=found["sustained"]["trigger_seconds"],
        trials=_trials_table(found["sustained"]["trials"]),
        warm_up=found["latency"]["warm_up_commits"],
        latency=_latency_tables(found["latency"]["rates"]),
        refreshes=_refresh_table(found["refresh_cost"]["summary"]),
        refresh_parts=_parts_table(found["refresh_cost"]["parts"]),
        start=_start_table(found["start"]),
        spent=_spent_table(found["start"]),
        memory=_memory_table(found["start"]["memory"]),
        lake_events=f"{found['reading']['events']:,}",
        reading=_reading_table(found["reading"]["pages"]),
        profile=_profile_table(found["profile"]["shares"]),
    )


def targets(found: Mapping[str, Any]) -> Iterable[Target]:
    """Each target with what was measured; medians of the rounds."""
    drain = found["drain"]["summary"]

    def warm(contender: str) -> float:
        """The rate over all for one that is never warm."""
        rates = drain[contender]
        return float(rates.get("warm_events_per_second", rates["events_per_second"])["median"])

    for peer, times in ((_FLINK, 2.5), (_LOOP, 2.5), (_CONNECT, 4.0), (_CONSUMER, 1.2)):
        yield _at_least(f"Bronze drain, warm, beside {peer}", times, warm(_BRONZE) / warm(peer))
    per_cpu = {name: one["events_per_cpu_second_consuming"]["median"] for name, one in drain.items()}
    yield _at_least(f"Bronze drain, events per CPU second, beside {_FLINK}", 2.0, per_cpu[_BRONZE] / per_cpu[_FLINK])
    whole = {name: one["events_per_second"]["median"] for name, one in drain.items()}
    yield _at_least(f"Kafka to published Silver, beside {_FLINK}", 1.0, whole[_SILVER] / whole[_FLINK])
    slow = next(one for one in found["latency"]["rates"] if one["rate"] == 200)  # noqa: PLR2004  the target's rate
    yield _at_most("producer to Gold, p95, 200 events/s", 20, slow["producer_to"]["Gold"]["p95"], "s")
    yield _at_most("Bronze commit to Gold, p95, 200 events/s", 12, slow["commit_to"]["Gold"]["p95"], "s")
    refresh = found["refresh_cost"]["summary"]
    small, large = (refresh[f"increment, {size:,} events"]["median"] for size in (_SMALL, _LARGE))
    yield _at_most("refresh of 100,000 events, 20 M lake against 1 M", 1.2, large / small, "times")
    classic = sum(refresh[f"classic {job}, {_LARGE:,} events"]["median"] for job in ("silver", "gold"))
    yield _at_least("refresh of 100,000 events at 20 M, against the classic batch", 20, classic / large)
    start = found["start"]
    yield _at_most("`up` to all ready", 30, median(start["ready_seconds"]), "s")
    yield _at_most("`up` to the first row of Gold", 60, median(start["gold_seconds"]), "s")
    yield _at_most("resident memory of everything, 50 events/s", 3.0, start["memory"]["all"]["median"] / _GB, "GB")
    slowest = max(one["p95"] for what, one in found["reading"]["pages"].items() if what.endswith("figures"))
    yield _at_most("dashboard figure, p95, 20 M events", 0.5, slowest, "s")


def _at_least(measure: str, aim: float, found: float) -> Target:
    return Target(measure=measure, aim=f"{aim:g} times or more", found=f"{found:.2f} times", met=found >= aim)


def _at_most(measure: str, aim: float, found: float, unit: str) -> Target:
    return Target(measure=measure, aim=f"{aim:g} {unit} or less", found=f"{found:.2f} {unit}", met=found <= aim)


def _drain_table(summary: Mapping[str, Any]) -> str:
    columns = {
        "events/s": "events_per_second",
        "cold": "cold_events_per_second",
        "warm": "warm_events_per_second",
        "per CPU s, consuming": "events_per_cpu_second_consuming",
        "per CPU s, whole": "events_per_cpu_second",
        "bytes/event": "bytes_per_event",
        "files": "files",
        "commits": "commits",
    }
    return _grid(
        ("Contender", *columns),
        ((name, *(_spread(one.get(key)) for key in columns.values())) for name, one in summary.items()),
        words=1,
    )


def _spread(figure: Mapping[str, float] | None) -> str:
    """The median, and between which bounds the rounds lay; nothing where no round has it."""
    if figure is None:
        return ""
    least, middle, most = (f"{figure[key]:,.0f}" for key in ("least", "median", "most"))
    return middle if least == most else f"{middle} ({least} to {most})"


def _trials_table(trials: Iterable[Mapping[str, Any]]) -> str:
    columns = {"events/s": "rate", "came": "came", "seconds": "seconds", "waiting at the end": "waiting"}
    return _grid(
        ("Held", *columns, "micro-batch, p95, s"),
        (
            ("yes" if one["held"] else "no", *(f"{one[key]:,.0f}" for key in columns.values()), one["batch_p95"])
            for one in trials
        ),
        words=1,
    )


def _latency_tables(rates: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for one in rates:
        rows = [
            (f"{before}{name}", *(f"{figures[key]:.1f}" for key in ("p50", "p95", "p99")))
            for part, before in (("producer_to", "producer to "), ("commit_to", "Bronze commit to "), ("steps", ""))
            for name, figures in one[part].items()
            if (part, name) != ("commit_to", "Bronze")
        ]
        heading = f"{one['rate']:,.0f} events/s, {one['commits']} commits, seconds"
        parts.append(_grid((heading, "p50", "p95", "p99"), rows, words=1))
    return "\n\n".join(parts)


def _refresh_table(summary: Mapping[str, Mapping[str, float]]) -> str:
    return _grid(
        ("Seconds", "median", "least", "most"),
        ((what, *(f"{one[key]:.1f}" for key in ("median", "least", "most"))) for what, one in summary.items()),
        words=1,
    )


def _parts_table(parts: Mapping[str, Mapping[str, float]]) -> str:
    names = next(iter(parts.values()))
    return _grid(
        ("Of an increment, seconds", *(f"{int(size):,} events" for size in parts)),
        ((name, *(f"{of_size[name]:.1f}" for of_size in parts.values())) for name in names),
        words=1,
    )


def _start_table(start: Mapping[str, Any]) -> str:
    rows = {"all ready": start["ready_seconds"], **start["milestones"], "first row of Gold": start["gold_seconds"]}
    return _grid(
        ("From `shoplake up`, seconds", "median", "least", "most"),
        ((what, *(f"{pick(all_):.1f}" for pick in (median, min, max))) for what, all_ in rows.items()),
        words=1,
    )


def _spent_table(start: Mapping[str, Any]) -> str:
    columns = [
        {**spent, "all": sum(spent.values()), "there were": start["cores"] * median(start[seconds])}
        for spent, seconds in (
            (start["cpu_seconds"], "ready_seconds"),
            (start["cpu_seconds_to_gold"], "gold_seconds"),
        )
    ]
    return _grid(
        ("CPU seconds", "until all are ready", "until the first row of Gold"),
        ((name, *(f"{column[name]:.1f}" for column in columns)) for name in columns[0]),
        words=1,
    )


def _memory_table(memory: Mapping[str, Mapping[str, float]]) -> str:
    return _grid(
        ("Resident, MB", "median", "most"),
        ((name, *(f"{one[key] / _MB:,.0f}" for key in ("median", "most"))) for name, one in memory.items()),
        words=1,
    )


def _reading_table(pages: Mapping[str, Mapping[str, float]]) -> str:
    return _grid(
        ("Seconds", "p50", "p95", "p99", "the first", "kB"),
        (
            (what, *(f"{one[key]:.3f}" for key in ("p50", "p95", "p99", "first")), f"{one['bytes'] / 1e3:,.0f}")
            for what, one in pages.items()
        ),
        words=1,
    )


def _profile_table(shares: Mapping[str, Mapping[str, float]]) -> str:
    kinds = dict.fromkeys(kind for one in shares.values() for kind in one)
    heads = {"ingest": "ingest", "silver": "Silver, many events", "few": "Silver and Gold, few events"}
    return _grid(
        ("Share of processor time", *heads.values()),
        ((kind, *(f"{shares[run].get(kind, 0):.0%}" for run in heads)) for kind in kinds),
        words=1,
    )


def _grid(heads: Sequence[str], rows: Iterable[Sequence[object]], *, words: int) -> str:
    """A table whose first columns are words and whose others are figures."""
    rule = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (heads, rule, *rows))
