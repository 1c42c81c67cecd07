"""Writes the pages of the documentation that are made from the code, so that they cannot say anything else.

    python docs/generate.py           writes settings.md, tables.md, SCALING.md and BENCHMARKS.md in docs/
    python docs/generate.py --check   writes nothing; ends with 1 and the names of pages that are out of date

Belongs here: the form of these pages. Does not belong here: what they say: that is in `settings`, in `contracts`, and
in the lineage and the checks of `definitions`; `scaling_page` and `benchmarks_page` are made from what was measured.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg
from benchmarks_page import benchmarks_page
from scaling_page import scaling_page

from shoplake_assets.assets.check_specs import check_specs
from shoplake_assets.assets.specification import key_of
from shoplake_assets.contracts.catalogue import CONTRACTS
from shoplake_assets.contracts.contract import columns_of, description_of, table_of
from shoplake_assets.contracts.lineage import column_lineage
from shoplake_assets.contracts.rules import rule_in_words
from shoplake_assets.definitions import build_definitions
from shoplake_assets.described import SettingRow, describe_settings
from shoplake_assets.settings import PREFIX, Settings

DOCS = Path(__file__).parent
NOTE = "<!-- Made by `make docs` from the code. Do not edit: change the code and run it again. -->"
ABOUT_SETTINGS = """\
Every setting is an environment variable. `settings.json` in the lake's home keeps them for one lake; a variable wins
over the file. There a setting is nested as its name is: `{"kafka": {"partitions": 4}}` is
`SHOPLAKE_KAFKA__PARTITIONS=4`. A name that does not exist is an error, never ignored. `shoplake settings` shows the
values that are in force."""
ABOUT_TABLES = """\
All tables are Iceberg tables in the catalog `lake`; `shoplake connect` prints how to read them. Times are UTC. Money is
decimal and exact. A table of Silver or Gold is published only after its checks have passed on a branch of the new data,
so a reader never sees data that broke one. "Made from" names the columns of the table below that a column is computed
from; what only decides which rows count is not named."""


def settings_page() -> str:
    """The page of all settings, section by section, with defaults and not with the values of this machine."""
    defaults = Settings.model_construct()
    sections: dict[str, list[SettingRow]] = {}
    for row in describe_settings(defaults):
        name, nested, _ = row.variable.removeprefix(PREFIX).partition("__")
        sections.setdefault(name.lower() if nested else "", []).append(row)
    parts = [
        NOTE,
        "# Settings",
        ABOUT_SETTINGS,
    ]
    for name, rows in sections.items():
        title, about = (name.capitalize(), getattr(defaults, name).__doc__) if name else ("The lake", "")
        parts += [f"## {title}", *([about.strip()] if about else [])]
        parts.append(
            _grid(
                ("Variable", "Default", "What it is"),
                (
                    (f"`{row.variable}`", f"`{row.default}`" if row.default else "empty", row.description)
                    for row in rows
                ),
            )
        )
    return _page(parts)


def tables_page() -> str:
    """The catalogue of all tables, each as its contract has it."""
    parts = [
        NOTE,
        "# Tables",
        ABOUT_TABLES,
        _grid(
            ("Table", "What it is"),
            ((f"[`{name}`](#{_anchor(name)})", description_of(contract)) for name, contract in CONTRACTS.items()),
        ),
    ]
    sources = _lineage()
    for name in CONTRACTS:
        parts += _table_parts(name, sources[name])
    return _page(parts)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "tables.md": tables_page,
    "SCALING.md": lambda: scaling_page(NOTE),
    "BENCHMARKS.md": lambda: benchmarks_page(NOTE),
}


def _table_parts(name: str, sources: Sequence[str]) -> Iterator[str]:
    contract = CONTRACTS[name]
    table = table_of(contract)
    yield f"## {name}"
    yield description_of(contract)
    yield "\n".join(
        (
            f"- Made from: {_codes(sources)}",
            f"- Key: {_codes(table.key)}",
            f"- Partitioned by: {f'`{table.partitioned_by}`' if table.partitioned_by else 'nothing'}",
            f"- Stale after: {f'{_span(table.fresh_within)} without an update' if table.fresh_within else 'never'}",
            f"- Owner: `{table.owner}`; version of the transformation: {table.code_version}",
        )
    )
    columns = contract.to_schema().columns
    made_from = {} if table.layer == "bronze" else column_lineage(name)
    yield _grid(
        ("Column", "Type", "Null", "Rules", *(["Made from"] if made_from else []), "What it is"),
        (
            (
                f"`{column}`",
                f"`{columns[column].dtype.type.simpleString()}`",
                "yes" if columns[column].nullable else "no",
                "; ".join(rule_in_words(check) for check in columns[column].checks),
                *([_codes(source for _, source in made_from[column])] if made_from else []),
                columns[column].description or "",
            )
            for column in columns_of(contract)
        ),
    )
    if table.layer != "bronze":
        yield "Checked before it is published:"
        yield "\n".join(f"- `{spec.name}`: {spec.description}" for spec in check_specs(name))


def _lineage() -> dict[str, list[str]]:
    """What each table is made from, as Dagster has it."""
    graph = build_definitions(Settings.model_construct()).resolve_asset_graph()
    return {name: sorted(_dotted(key) for key in graph.get(key_of(name)).parent_keys) for name in CONTRACTS}


def _dotted(key: dg.AssetKey) -> str:
    return ".".join(key.path)


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hour{'' if hours == 1 else 's'}"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _anchor(heading: str) -> str:
    """How a heading is linked to where Markdown is shown: dots are left out."""
    return heading.replace(".", "")


def _grid(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the pages, or say which of them are out of date."""
    parser = argparse.ArgumentParser(description="Writes the pages that are made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    check: bool = parser.parse_args().check
    texts = {DOCS / name: make() for name, make in PAGES.items()}
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if not check:
            path.write_text(texts[path])
        sys.stdout.write(f"docs/{path.name}: {'out of date; run make docs' if check else 'written'}\n")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
