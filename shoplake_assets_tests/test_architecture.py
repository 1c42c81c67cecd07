"""The parts of the package know each other in one direction, and the light processes stay light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import shoplake_assets

PACKAGE = Path(shoplake_assets.__file__).parent

# Each part with the parts that it may import; what stands higher in the list knows nothing of what stands below it.
MAY_IMPORT = {
    "errors": set(),
    "tables": set(),
    "sections": set(),
    "settings": {"errors", "sections"},
    "described": {"sections", "settings"},
    "passwords": {"settings"},
    "events": {"errors", "settings"},
    "contracts": {"errors", "events", "tables"},
    "transforms": {"contracts", "events"},
    "lake": {"contracts", "errors", "passwords", "sections", "settings", "tables", "transforms"},
    "runtime": {"errors", "events", "lake", "passwords", "sections", "settings"},
    "ingest": {"contracts", "errors", "events", "lake", "runtime", "settings", "tables"},
    "health": {"errors", "lake", "runtime", "settings", "tables"},
    "metrics": {"health", "tables"},
    "dashboard": {"errors", "events", "health", "lake", "metrics", "settings", "tables"},
    "cli": {
        "described",
        "errors",
        "events",
        "ingest",
        "lake",
        "passwords",
        "runtime",
        "settings",
        "tables",
    },
    "launcher": set(),
    "daemon": {"settings"},
    "resources": {"lake", "runtime", "settings"},
    "checks": {"assets", "contracts", "lake", "resources", "runtime", "tables"},
    "assets": {"checks", "contracts", "dashboard", "lake", "resources", "sections", "settings", "tables"},
    "sensors": {"assets", "checks", "lake", "resources", "settings", "tables"},
    "alerts": {"assets", "checks", "errors", "settings", "tables"},
    "maintenance": {"assets", "lake", "resources", "runtime", "tables"},
    "schedules": {"assets", "checks", "maintenance", "settings"},
    "definitions": {
        "alerts",
        "assets",
        "checks",
        "lake",
        "maintenance",
        "resources",
        "schedules",
        "sensors",
        "settings",
    },
    "code_server": set(),
}
# The assets name their checks, and the checks their assets: one layer in two folders.
ONE_LAYER = {"assets", "checks"}

SPARK_CODE = ("shoplake_assets.contracts", "shoplake_assets.transforms")
DAGSTER = {"dagster", "dagster_aws", "dagster_pyspark"}
SPARK = {"pandera", "pyspark"}
WITHOUT_DAGSTER = ("contracts", "dashboard", "events", "health", "ingest", "lake", "metrics", "transforms")
LIGHT = ("cli", "dashboard", "events", "health", "metrics", "runtime", "settings", "tables")


def imports(node: ast.AST, *, at_start_only: bool = False) -> Iterator[str]:
    """Names of the modules that the code imports; `at_start_only` leaves out what is imported later or never."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif not (at_start_only and (_is_function(child) or _is_for_types(child))):
            yield from imports(child, at_start_only=at_start_only)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def part_of(path: Path) -> str:
    """`cli/main.py` belongs to `cli`, `settings.py` to `settings`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules(*parts: str) -> list[Path]:
    """The modules of the parts; of all parts if none is named."""
    found = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.stem != "__init__"]
    return [path for path in found if not parts or part_of(path) in parts]


def name_of(path: Path) -> str:
    """How a failing test calls a module."""
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_imports_only_from_parts_that_its_own_part_may_know(path: Path) -> None:
    own = part_of(path)
    named = {name.split(".")[1] for name in imports(ast.parse(path.read_text())) if name.startswith("shoplake_assets.")}
    assert named - {own} <= MAY_IMPORT[own]


def test_the_table_of_parts_points_one_way() -> None:
    above: set[str] = set()
    for part, known in MAY_IMPORT.items():
        assert known <= above | (ONE_LAYER if part in ONE_LAYER else set()), part
        above.add(part)


@pytest.mark.parametrize("path", modules(*WITHOUT_DAGSTER), ids=name_of)
def test_what_can_be_used_without_dagster_imports_none(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(ast.parse(path.read_text()))} & DAGSTER


@pytest.mark.parametrize("path", modules(*LIGHT), ids=name_of)
def test_what_must_start_fast_imports_neither_spark_nor_contracts_nor_dagster_at_its_start(path: Path) -> None:
    at_start = set(imports(ast.parse(path.read_text()), at_start_only=True))
    assert not {name.split(".")[0] for name in at_start} & (SPARK | DAGSTER)
    assert not {
        name for name in at_start if name.startswith(("shoplake_assets.contracts", "shoplake_assets.transforms"))
    }


@pytest.mark.parametrize(
    "start", ["import shoplake_assets.dashboard.app", "from shoplake_assets.cli.main import app; app(['--help'])"]
)
def test_the_command_line_and_the_dashboard_start_without_spark_and_dagster(start: str) -> None:
    program = (
        "import atexit, sys; "
        f"atexit.register(lambda: print(sorted({SPARK | DAGSTER!r} & set(sys.modules)), file=sys.stderr)); {start}"
    )
    done = subprocess.run(  # noqa: S603  the program is written above
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == "[]"
