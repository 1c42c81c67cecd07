"""What the lake's keys may do, and that it is enough for where things go by default."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from shoplake_assets.runtime.dagster_home import instance_config
from shoplake_assets.settings import load_settings
from shoplake_assets_tests.docker.composing import DOCKER, document, filled_in

BUCKET = "arn:aws:s3:::shoplake"


def statements(file: str) -> list[dict[str, Any]]:
    policy = json.loads((DOCKER / "s3" / file).read_text())
    assert policy["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
    return list(policy["Statement"])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def rights(file: str) -> dict[str, set[str]]:
    """The actions that are allowed, by resource."""
    found: dict[str, set[str]] = {}
    for statement in statements(file):
        for resource in listed(statement["Resource"]):
            found.setdefault(resource, set()).update(listed(statement["Action"]))
    return found


def test_the_lake_may_read_and_write_its_own_objects_and_nothing_else() -> None:
    objects = {
        *("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        *("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    }
    assert rights("policy.json") == {
        BUCKET: {"s3:ListBucket"},
        f"{BUCKET}/warehouse/*": objects,
        f"{BUCKET}/exports/*": objects,
        f"{BUCKET}/shoplake-compute-logs/*": objects,
    }


def test_a_reader_may_read_tables_and_nothing_else() -> None:
    assert rights("policy-reader.json") == {BUCKET: {"s3:ListBucket"}, f"{BUCKET}/warehouse/*": {"s3:GetObject"}}


@pytest.mark.parametrize("variable", ["SHOPLAKE_CATALOG__WAREHOUSE", "SHOPLAKE_EXPORTS__DESTINATION"])
def test_what_the_lake_writes_by_default_is_allowed(variable: str) -> None:
    place = filled_in(document()["x-lake"][variable], {}).removeprefix("s3://")
    assert any(fnmatchcase(f"arn:aws:s3:::{place}/a/b", resource) for resource in rights("policy.json"))


def test_the_compute_logs_go_where_they_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = filled_in(document()["x-lake"]["SHOPLAKE_DAGSTER__COMPUTE_LOG_BUCKET"], {})
    monkeypatch.setenv("SHOPLAKE_DAGSTER__COMPUTE_LOG_BUCKET", bucket)
    config = instance_config(load_settings())["compute_logs"]["config"]
    assert f"arn:aws:s3:::{config['bucket']}/{config['prefix']}/*" in rights("policy.json")


def test_a_database_can_be_used_by_its_own_role_only() -> None:
    script = (DOCKER / "postgres" / "init.sql").read_text()
    grants = [line for line in script.splitlines() if line.startswith("GRANT")]
    assert grants == [
        "GRANT CONNECT ON DATABASE catalog TO shoplake_catalog;",
        "GRANT CONNECT ON DATABASE dagster TO shoplake_dagster;",
    ]
    assert script.count("NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS") == 2
    assert script.count("REVOKE ALL ON SCHEMA public FROM PUBLIC;") == 2
