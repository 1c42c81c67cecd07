"""Which Java is taken."""

import subprocess
from pathlib import Path

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime.java import find_java
from shoplake_assets.settings import Settings


def fake_java(home: Path, *, version: str, vector: bool = True) -> Path:
    """A JAVA_HOME whose `java` says that it is of a version, and otherwise repeats its arguments."""
    modules = f"java.base@{version}\n" + (f"jdk.incubator.vector@{version}\n" if vector else "")
    script = home / "bin" / "java"
    script.parent.mkdir(parents=True)
    script.write_text(
        f"#!/bin/sh\nif [ \"$1\" = --list-modules ]; then printf '{modules}'; else printf '%s|' \"$@\"; fi\n"
    )
    script.chmod(0o755)
    return home


def lake(tmp_path: Path, *, java: str = "auto", trust_store: Path | None = None) -> Settings:
    runtime = {"java": java, "cache": tmp_path / "a cache", "trust_store": trust_store}
    return Settings(home=tmp_path / "home", runtime=runtime)


def test_auto_takes_the_first_system_java_that_spark_supports(tmp_path: Path) -> None:
    candidates = [
        tmp_path / "not there",
        fake_java(tmp_path / "old", version="11.0.2"),
        fake_java(tmp_path / "fits", version="17.0.9"),
        fake_java(tmp_path / "fits too", version="21.0.1"),
    ]
    java = find_java(lake(tmp_path), candidates=candidates)
    assert (java.home, java.version, java.source) == (tmp_path / "fits", 17, "system")


def test_auto_takes_the_wheel_where_no_system_java_fits(tmp_path: Path) -> None:
    java = find_java(lake(tmp_path), candidates=[fake_java(tmp_path / "new", version="25.0.1")])
    assert (java.version, java.source) == (21, "wheel")


def test_a_java_without_the_vector_module_gets_a_wrapper_that_drops_just_that_argument(tmp_path: Path) -> None:
    bare = fake_java(tmp_path / "it's bare", version="21.0.1", vector=False)
    java = find_java(lake(tmp_path, java=str(bare)))
    assert java.home != bare
    command = [str(java.executable), "-Xmx1g", "--add-modules=jdk.incubator.vector", "-cp", "a b", "Main"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the script made above
    assert answer.stdout == "-Xmx1g|-cp|a b|Main|"


def test_a_java_home_that_does_not_run_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ShoplakeError, match=r"SHOPLAKE_RUNTIME__JAVA=.*nowhere.*no working bin/java"):
        find_java(lake(tmp_path, java=str(tmp_path / "nowhere")))


def test_a_java_of_another_version_is_refused_with_the_versions_that_work(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "new", version="25.0.1")
    with pytest.raises(ShoplakeError, match="is Java 25; Spark needs 17 or 21"):
        find_java(lake(tmp_path, java=str(home)))


def test_the_trust_store_of_the_settings_reaches_java(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.touch()
    home = fake_java(tmp_path / "java", version="21.0.1")
    assert find_java(lake(tmp_path, java=str(home), trust_store=store)).options == (
        f"-Djavax.net.ssl.trustStore={store}",
    )


def test_a_trust_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "java", version="21.0.1")
    with pytest.raises(ShoplakeError, match=r"SHOPLAKE_RUNTIME__TRUST_STORE=.*there is no such file"):
        find_java(lake(tmp_path, java=str(home), trust_store=tmp_path / "missing"))
