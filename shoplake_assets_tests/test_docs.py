"""The documentation says what is true: generated pages are current, and what is named in prose exists."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement

from shoplake_assets.cli.main import app
from shoplake_assets.described import describe_settings
from shoplake_assets.runtime.ports import lake_ports
from shoplake_assets.settings import Settings

ROOT = Path(__file__).parent.parent
PROSE = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/runbooks.md",
    "docs/kubernetes.md",
    "docs/moving.md",
    "docs/SCALING.md",
    "docs/BENCHMARKS.md",
    "docs/security.md",
    "docs/upgrading.md",
    "docker/README.md",
)
README = (ROOT / "README.md").read_text()

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS: dict[str, typer.core.TyperCommand] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
GROUPS = {name: group.commands for name, group in COMMANDS.items() if isinstance(group, typer.core.TyperGroup)}
TEST_COMMAND = re.compile(r"^python3 -m venv .* && \.venv/bin/pytest$", re.MULTILINE)


def code_of(text: str) -> Iterator[str]:
    """What is set as code: lines of blocks that are commands, and spans in the prose."""
    for language, block in FENCE.findall(text):
        if language == "bash":
            yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def calls(text: str) -> Iterator[tuple[str, list[str]]]:
    """Every call of `shoplake` in code, as its command, of a group with the group's name, and its options."""
    for code in code_of(text):
        for call in re.findall(r"(?:^|[ /(])shoplake ([a-z].*?)(?=&&|$)", code):
            command, *words = call.split()
            if command in GROUPS and words:
                command = f"{command} {words.pop(0)}"
            yield command, [word.split("=")[0] for word in words if word.startswith("-")]


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """Every command of `shoplake` with its options; one of a group with the group's name before its own."""
    single = {name: command for name, command in COMMANDS.items() if name not in GROUPS}
    grouped = {f"{name} {inner}": command for name, group in GROUPS.items() for inner, command in group.items()}
    return {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in {**single, **grouped}.items()
    }


def test_a_call_of_a_command_in_a_group_is_understood() -> None:
    text = "Say `shoplake quarantine list --branch a --json`, or `shoplake up -d`:\n```bash\nshoplake status\n```\n"
    assert sorted(calls(text)) == [
        ("quarantine list", ["--branch", "--json"]),
        ("status", []),
        ("up", ["-d"]),
    ]


@pytest.mark.parametrize("page", PROSE)
def test_commands_and_options_that_a_page_names_exist(page: str, options: dict[str, set[str]]) -> None:
    for command, given in calls((ROOT / page).read_text()):
        assert command in options, f"{page}: shoplake {command}"
        assert set(given) <= options[command], f"{page}: shoplake {command} {' '.join(given)}"


def test_options_that_the_readme_names_by_themselves_exist(options: dict[str, set[str]]) -> None:
    named = {code.split()[0] for code in code_of(README) if code.startswith("-")}
    known = set().union(*options.values()) | {"-c"}  # pip's
    assert named <= known


def test_the_readme_shows_every_command(options: dict[str, set[str]]) -> None:
    assert {command for command, _ in calls(README)} == set(options)


@pytest.mark.parametrize("page", [*PROSE, "Makefile", ".ci/run"])
def test_settings_that_a_page_names_exist(page: str) -> None:
    known = {row.variable for row in describe_settings(Settings.model_construct())}
    assert set(re.findall(r"\bSHOPLAKE_[A-Z0-9_]+", (ROOT / page).read_text())) <= known


def test_the_readme_lists_every_port_with_its_setting() -> None:
    rows = re.findall(r"^\| .* \| (\d+) \| `(SHOPLAKE_\w+)` \|$", README, re.MULTILINE)
    assert {(int(number), variable) for number, variable in rows} == {
        (port.number, port.variable) for port in lake_ports(Settings.model_construct())
    }


@pytest.mark.parametrize("page", PROSE)
def test_files_that_a_page_links_to_exist(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text())
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("page", PROSE)
def test_make_targets_that_a_page_names_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {match[1] for code in code_of((ROOT / page).read_text()) if (match := re.match(r"make ([a-z-]+)", code))}
    assert named <= targets


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    pattern = re.search(r"command=\$\(grep -E '(.*)' README.md\)", script)
    assert pattern is not None
    assert TEST_COMMAND.findall(README) == re.findall(pattern[1], README, re.MULTILINE)
    assert len(TEST_COMMAND.findall(README)) == 1
    assert 'bash -c "$command"' in script


def test_generated_pages_are_current() -> None:
    done = subprocess.run(  # noqa: S603  the command is written here
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.returncode) == ("", 0)


def test_every_dependency_is_pinned_to_a_version_that_it_may_have() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {pin.name: pin for line in lines if (text := line.partition("#")[0].strip()) for pin in [Requirement(text)]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    for wanted in map(Requirement, named):
        if wanted.name != "shoplake":  # an extra that takes in another one
            (version,) = (one.version for one in pins[wanted.name.lower()].specifier)
            assert wanted.specifier.contains(version), wanted
