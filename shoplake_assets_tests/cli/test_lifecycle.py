"""The commands that start, stop and wipe a lake, without starting anything big."""

import errno
import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.runtime.home import MARKER, create_home
from shoplake_assets.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPLAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHOPLAKE_RUNTIME__CACHE", str(tmp_path / "cache"))
    return tmp_path / "home"


def shoplake(*arguments: str, answer: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(main.app, list(arguments), input=answer)
    return result.exit_code, result.stdout, result.stderr


def test_down_says_so_when_nothing_runs(home: Path) -> None:
    assert shoplake("down") == (0, f"Nothing runs in {home}.\n", "")


def test_a_taken_port_is_one_line_without_a_stack_trace(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("SHOPLAKE_KAFKA__PORT", str(port))
        code, out, err = shoplake("up", "-d")
    assert (code, out) == (1, "")
    assert err.startswith(f"shoplake: port {port} is taken by process ")
    assert err.count("\n") == 1
    assert not (home / "kafka").exists()


def test_a_malformed_setting_names_its_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPLAKE_KAFKA__PORT", "many")
    code, _, err = shoplake("up", "-d")
    assert code == 1
    assert err.startswith("shoplake: SHOPLAKE_KAFKA__PORT='many'")
    assert not home.exists()


def test_traceback_shows_where_a_failure_comes_from(home: Path) -> None:
    home.mkdir()
    (home / "letters").mkdir()
    result = CliRunner().invoke(main.app, ["--traceback", "up"])
    assert "holds other things (letters) and is no lake" in str(result.exception)
    assert result.exc_info is not None


def test_up_takes_no_folder_that_holds_other_things(home: Path) -> None:
    home.mkdir()
    (home / "letters").mkdir()
    code, _, err = shoplake("up")
    assert code == 1
    assert "holds other things (letters) and is no lake. Set SHOPLAKE_HOME to" in err


def test_reset_wipes_the_lake_and_keeps_what_belongs_to_the_user(home: Path) -> None:
    create_home(Settings(home=home))
    for name in ("kafka", "warehouse", "letters"):
        (home / name).mkdir()
    (home / "catalog.db").touch()
    (home / "settings.json").write_text(json.dumps({"currency": "EUR"}))
    code, out, _ = shoplake("reset", "--yes")
    assert (code, out) == (0, f"The lake in {home} is wiped. Kept: letters, settings.json.\n")
    assert {entry.name for entry in home.iterdir()} == {"letters", "settings.json"}


def test_reset_refuses_a_folder_that_is_no_lake(home: Path) -> None:
    (home / "kafka").mkdir(parents=True)
    code, _, err = shoplake("reset", "--yes")
    assert code == 1
    assert f"it has no {MARKER} file); nothing was removed" in err
    assert (home / "kafka").exists()


def test_reset_asks_first_and_does_nothing_unasked_in_a_script(home: Path) -> None:
    create_home(Settings(home=home))
    code, _, err = shoplake("reset", answer="")
    assert code == 1
    assert "Confirm it with --yes" in err
    assert (home / MARKER).exists()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "/data/x: the disk is full. Free some space and run the command again."),
        (errno.EACCES, "/data/x: permission denied. Make it yours, or name another."),
        (errno.EHOSTDOWN, "/data/x: Host is down."),
    ],
)
def test_what_the_system_refuses_is_said_with_the_file_and_the_remedy(number: int, expected: str) -> None:
    import os

    assert main.explain(OSError(number, os.strerror(number), "/data/x")) == expected
