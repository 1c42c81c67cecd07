"""What `doctor` finds."""

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shoplake_assets.cli import main
from shoplake_assets.runtime import jars
from shoplake_assets.runtime.ports import choose_free_ports
from shoplake_assets.settings import Settings, load_settings


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SHOPLAKE_HOME", str(tmp_path))
    monkeypatch.setenv("SHOPLAKE_RUNTIME__CACHE", str(tmp_path / "cache"))
    choose_free_ports(load_settings())
    return load_settings()


def doctor() -> tuple[int, dict[str, dict[str, object]]]:
    result = CliRunner().invoke(main.app, ["doctor", "--json"])
    return result.exit_code, {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}


@pytest.mark.usefixtures("lake")
def test_the_versions_that_must_match_do() -> None:
    _, findings = doctor()
    names = ("java", "spark", "spark connect", "scala", "iceberg", "kafka connector", "kafka", "ports")
    assert {name: findings[name]["ok"] for name in names} == dict.fromkeys(names, True)


def test_a_damaged_jar_is_a_problem_with_the_command_that_mends_it(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{hashlib.sha256(b'good').hexdigest()}  spark/one-1.jar  a:one:1\n"
    monkeypatch.setattr("shoplake_assets.runtime.diagnosis.locked_jars", lambda: jars.parse_lock(text))
    monkeypatch.setattr(jars, "locked_jars", lambda: jars.parse_lock(text))
    folder = jars.jars_folder(lake)
    (folder / "spark").mkdir(parents=True)
    (folder / "spark" / "one-1.jar").write_bytes(b"damaged")
    code, findings = doctor()
    assert code == 1
    assert findings["jars"]["detail"] == "spark/one-1.jar is not the file that jars.lock names"
    assert findings["jars"]["remedy"] == f"rm -r '{folder}' && shoplake up"


def test_a_java_that_does_not_run_is_a_problem(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPLAKE_RUNTIME__JAVA", str(lake.home / "none"))
    code, findings = doctor()
    assert code == 1
    assert findings["java"]["remedy"] == "export SHOPLAKE_RUNTIME__JAVA=wheel"
