"""How the proofs of a table are shown in Dagster."""

import dagster as dg

from shoplake_assets.checks.verification import verdict
from shoplake_assets.lake.verify.proof import Proof
from shoplake_assets.tables import BRONZE_EVENTS

GOOD = Proof(name="files", table=BRONZE_EVENTS, holds=True, says="3 records in 1 file")
UNSURE = Proof(name="kafka", table=BRONZE_EVENTS, holds=None, says="Kafka does not answer")
WRONG = Proof(name="offsets", table=BRONZE_EVENTS, holds=False, says="1 offset missing", findings=("offset 7 missing",))


def test_a_table_passes_if_all_its_proofs_hold() -> None:
    shown = verdict(BRONZE_EVENTS, [GOOD])
    assert (shown.passed, shown.description) == (True, "files: 3 records in 1 file")


def test_what_is_not_proven_is_a_warning_and_what_is_wrong_an_error_that_names_it() -> None:
    unsure, wrong = verdict(BRONZE_EVENTS, [GOOD, UNSURE]), verdict(BRONZE_EVENTS, [GOOD, UNSURE, WRONG])
    assert (unsure.passed, unsure.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert unsure.description == "kafka: Kafka does not answer"
    assert (wrong.passed, wrong.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert wrong.description == "offsets: 1 offset missing"
    assert wrong.metadata["shoplake/findings"] == dg.MetadataValue.md("- offsets: offset 7 missing")
