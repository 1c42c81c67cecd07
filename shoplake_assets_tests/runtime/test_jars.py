"""Bringing the jars of the lock into the cache. A script plays Ivy, so that neither Java nor a network is needed."""

import hashlib
from pathlib import Path

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime import jars
from shoplake_assets.runtime.ivy import Progress, UnreachableError, pyspark_jars
from shoplake_assets.runtime.java import Java
from shoplake_assets.settings import Settings

GOOD = b"the jar"
DOWNLOAD = "echo 'downloading some://where/one-1.jar ...'; mkdir -p spark kafka; printf '%s' > spark/one-1.jar\n"
DONE = "printf 'the jar' > kafka/two-2.jar; echo '\t[SUCCESSFUL ] a#one;1!one.jar (3ms)'\n"


@pytest.fixture
def _small_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(GOOD).hexdigest()
    text = f"{digest}  spark/one-1.jar  a:one:1\n{digest}  kafka/two-2.jar  b:two:2\n"
    monkeypatch.setattr(jars, "_lock_text", lambda: text)
    monkeypatch.setattr(jars, "locked_jars", lambda: jars.parse_lock(text))


def ivy(tmp_path: Path, script: str) -> Java:
    """A Java that runs a shell script in place of Ivy."""
    home = tmp_path / "java"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text(f"#!/bin/sh\n{script}")
    (home / "bin" / "java").chmod(0o755)
    return Java(home=home, version=21, source="setting")


@pytest.mark.usefixtures("_small_lock")
def test_jars_are_fetched_once_and_then_known_without_java(settings: Settings, tmp_path: Path) -> None:
    seen: list[Progress] = []
    assert jars.cached_jars(settings) is None
    first = jars.resolve_jars(settings, ivy(tmp_path, DOWNLOAD % "the jar" + DONE), seen.append)
    assert [path.read_bytes() for path in (*first.spark, *first.kafka)] == [GOOD, GOOD]
    assert seen == [Progress(done=0, total=2, name="one-1.jar"), Progress(done=2, total=2, name="")]
    no_java = Java(home=tmp_path / "none", version=21, source="setting")
    assert jars.resolve_jars(settings, no_java) == first == jars.cached_jars(settings)


@pytest.mark.usefixtures("_small_lock")
def test_what_an_interrupted_download_left_behind_is_not_taken_for_the_jars(settings: Settings, tmp_path: Path) -> None:
    left = settings.runtime.cache / "fetching-abc" / "jars" / "spark"
    left.mkdir(parents=True)
    (left / "one-1.jar").write_bytes(GOOD[:3])
    assert jars.cached_jars(settings) is None
    assert jars.resolve_jars(settings, ivy(tmp_path, DOWNLOAD % "the jar" + DONE)).spark[0].read_bytes() == GOOD


@pytest.mark.usefixtures("_small_lock")
def test_a_poisoned_ivy_cache_is_thrown_away_and_the_jars_are_fetched_again(settings: Settings, tmp_path: Path) -> None:
    poison = settings.runtime.cache / "ivy" / "cut.jar"
    poison.parent.mkdir(parents=True)
    poison.touch()
    script = f"if [ -e '{poison}' ]; then {DOWNLOAD % 'the j'}{DONE}else {DOWNLOAD % 'the jar'}{DONE}fi\n"
    assert jars.resolve_jars(settings, ivy(tmp_path, script)).spark[0].read_bytes() == GOOD


@pytest.mark.usefixtures("_small_lock")
def test_a_jar_that_stays_wrong_is_named_and_nothing_is_kept(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ShoplakeError, match=r"spark/one-1\.jar is not the file that jars\.lock names"):
        jars.resolve_jars(settings, ivy(tmp_path, DOWNLOAD % "another jar" + DONE))
    assert jars.cached_jars(settings) is None


@pytest.mark.usefixtures("_small_lock")
def test_without_a_network_the_message_says_what_is_missing_and_when_it_is_needed(
    settings: Settings, tmp_path: Path
) -> None:
    script = "echo 'Server access error at url some://where (java.net.ConnectException: refused)'; exit 1\n"
    with pytest.raises(
        UnreachableError, match=r"no connection \(java\.net\.ConnectException: refused\)\. Only the first"
    ):
        jars.resolve_jars(settings, ivy(tmp_path, script))


def test_the_lock_that_is_shipped_holds_what_is_asked_for_and_nothing_that_pyspark_has() -> None:
    locked = jars.locked_jars()
    coordinates = {jar.coordinate for jar in locked}
    assert set(jars.COORDINATES) <= coordinates
    shipped = {path.name for path in pyspark_jars().glob("*.jar")}
    assert not {jar.filename for jar in locked if jar.coordinate.conf == "spark"} & shipped


def test_a_line_that_is_not_of_a_lock_is_named_by_its_number() -> None:
    good = str(jars.locked_jars()[0])
    with pytest.raises(ShoplakeError, match=r"jars\.lock, line 2"):
        jars.parse_lock(f"{good}\nnonsense\n")
