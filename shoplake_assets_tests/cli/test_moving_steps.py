"""The settings of a lake name the new place only once all is proven there, whatever happens before.

No Spark runs here: what it would say of the rows is given, and all else is real.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

import pytest

from shoplake_assets.cli import moving
from shoplake_assets.cli.moving import move_lake
from shoplake_assets.errors import ShoplakeError
from shoplake_assets.ingest.lock import single_writer
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.lake.move.store import Store
from shoplake_assets.lake.verify.proof import Proof, Verification
from shoplake_assets.settings import Settings, load_settings
from shoplake_assets.tables import BRONZE_EVENTS, SILVER_EVENTS, SILVER_QUARANTINE
from shoplake_assets_tests.cli.conftest import put, record
from shoplake_assets_tests.lake.moved import Listener, Servers, servers

KAFKA = Proof(name="kafka", table=BRONZE_EVENTS, holds=None, says="Kafka does not answer")
RIGHT = Proof(name="fates", table=SILVER_EVENTS, holds=True, says="all is well")
WRONG = Proof(name="fates", table=SILVER_EVENTS, holds=False, says="3 records are lost")
UNSURE = Proof(name="fates", table=SILVER_EVENTS, holds=None, says="a snapshot is gone")


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("outside")) as both:
        yield both


@pytest.fixture
def target(outside: Servers, lake: Settings) -> Settings:
    put(open_catalog(lake).load_table(SILVER_QUARANTINE), [record(1, "no session_id")])
    return outside.place(lake)


@contextmanager
def spark_says(*verdicts: Proof) -> Iterator[None]:
    """What the verifications come to, one after the other."""
    answers = iter(verdicts)

    def verify(_lake: Settings, _served: Settings) -> Verification:
        return Verification(quick=False, proofs=[KAFKA, next(answers)], snapshots={})

    with patch.object(moving, "_verify", verify):
        yield


def move(lake: Settings, target: Settings) -> Listener:
    listener = Listener()
    move_lake(lake, target, listener, start=nullcontext)
    return listener


def is_moved(lake: Settings, target: Settings) -> bool:
    return load_settings(home=lake.home).catalog.uri == target.catalog.uri


def test_the_settings_name_the_new_place_and_keep_the_rest(lake: Settings, target: Settings) -> None:
    before = json.loads(lake.settings_file.read_text())
    with spark_says(RIGHT, RIGHT):
        listener = move(lake, target)
    assert json.loads(lake.settings_file.read_text()) == before | {
        "catalog": {"uri": target.catalog.uri, "warehouse": target.catalog.warehouse},
        "s3": {"endpoint": target.s3.endpoint, "region": "us-east-1", "path_style": True},
    }
    assert listener.lines == [
        "Spark starts. It verifies the lake before anything is copied.",
        "As it is: 1 of 2 proofs hold. Kafka does not answer.",
        "In the new place all tables have their rows, snapshots, branches and positions.",
        "In the new place: 1 of 2 proofs hold. Kafka does not answer.",
    ]
    assert Store(target).read(f"{target.catalog.warehouse}/.shoplake-move.json") is None


@pytest.mark.parametrize("verdict", [WRONG, UNSURE])
def test_a_lake_that_does_not_pass_is_not_moved(lake: Settings, target: Settings, verdict: Proof) -> None:
    with (
        spark_says(verdict),
        pytest.raises(ShoplakeError, match=rf"as it is, fates of silver\.events .*{verdict.says}"),
    ):
        move(lake, target)
    assert not is_moved(lake, target)
    assert open_catalog(target).list_namespaces() == []


def test_a_lake_that_does_not_pass_in_the_new_place_stays_and_can_be_moved_later(
    lake: Settings, target: Settings
) -> None:
    with spark_says(RIGHT, WRONG), pytest.raises(ShoplakeError, match=r"in the new place, .*3 records are lost"):
        move(lake, target)
    assert not is_moved(lake, target)
    with spark_says(RIGHT, RIGHT):
        move(lake, target)
    assert is_moved(lake, target)


@pytest.mark.parametrize("step", ["send", "write", "sizes_below"])
def test_an_attempt_that_ends_at_any_step_leaves_the_lake_in_use_and_the_next_completes_it(
    lake: Settings, target: Settings, step: str
) -> None:
    with spark_says(RIGHT), dying(step), pytest.raises(KeyboardInterrupt):
        move(lake, target)
    assert not is_moved(lake, target)
    assert open_catalog(lake).load_table(SILVER_QUARANTINE).scan().to_arrow().num_rows == 1
    with spark_says(RIGHT, RIGHT):
        move(lake, target)
    assert is_moved(lake, target)
    assert open_catalog(target).load_table(SILVER_QUARANTINE).scan().to_arrow().num_rows == 1


def test_a_lake_that_somebody_ingests_into_is_not_moved(lake: Settings, target: Settings) -> None:
    with single_writer(lake), pytest.raises(ShoplakeError, match="already ingests into"):
        move(lake, target)


@contextmanager
def dying(step: str) -> Iterator[None]:
    """The process dies at the fifth call of a step of the store."""
    real: Callable[..., object] = getattr(Store, step)
    calls = iter(range(1_000))

    def die(store: Store, *given: object, **named: object) -> object:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return real(store, *given, **named)

    with patch.object(Store, step, die):
        yield
