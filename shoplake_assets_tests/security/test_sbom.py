"""`security/sbom.py`: every jar with its hash, every package of an installation, and a document that is valid."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The document as the command writes it."""
    file = tmp_path_factory.mktemp("sbom") / "new" / "sbom.cdx.json"
    command = [sys.executable, str(ROOT / "security" / "sbom.py"), "--output", str(file)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  our own command
    return file.read_text()


@pytest.fixture(scope="module")
def document(text: str) -> dict[str, Any]:
    """The same, parsed."""
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_the_document_is_valid_by_the_schema_of_cyclonedx(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace('"library"', '"lamp"')) is not None


def test_every_jar_of_the_lock_is_listed_with_its_coordinate_and_hash(document: dict[str, Any]) -> None:
    lines = (ROOT / "shoplake_assets" / "runtime" / "jars.lock").read_text().splitlines()
    locked = {}
    for line in lines:
        sha256, _, coordinate = line.split()
        organisation, module, revision = coordinate.split(":")
        locked[f"pkg:maven/{organisation}/{module}@{revision}"] = sha256
    listed = {one["purl"]: one["hashes"] for one in document["components"] if one["purl"].startswith("pkg:maven")}
    assert listed == {purl: [{"alg": "SHA-256", "content": sha256}] for purl, sha256 in locked.items()}
    assert "pkg:maven/org.apache.iceberg/iceberg-aws-bundle@1.12.0" in listed
    assert len(listed) > 40


def test_packages_of_an_installation_are_listed_and_tools_of_developers_are_not(document: dict[str, Any]) -> None:
    listed = {one["name"]: one["version"] for one in document["components"] if one["purl"].startswith("pkg:pypi")}
    for name in ("pyspark", "dagster", "pyiceberg", "alembic", "fsspec"):
        assert listed[name] == version(name)
    assert not {"pytest", "ruff", "mypy", "moto", "pip-audit"} & set(listed)


def test_the_document_says_who_needs_what(document: dict[str, Any]) -> None:
    needs = {one["ref"]: one.get("dependsOn", []) for one in document["dependencies"]}
    product = document["metadata"]["component"]["bom-ref"]
    assert product == f"pkg:pypi/shoplake@{version('shoplake')}"
    assert f"pkg:pypi/dagster@{version('dagster')}" in needs[product]
    assert "pkg:maven/org.postgresql/postgresql@42.7.8" in needs[product]
    assert f"pkg:pypi/alembic@{version('alembic')}" in needs[f"pkg:pypi/dagster@{version('dagster')}"]
