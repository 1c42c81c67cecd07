"""`shoplake verify` as checks of the tables: on a schedule, and whenever somebody executes them.

Belongs here: the Dagster shell, and how proofs are shown. Does not belong here: any proof (`lake.verify`).
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from shoplake_assets.assets.specification import key_of
from shoplake_assets.resources import LakeConnection, SparkConnectResource
from shoplake_assets.tables import BRONZE_EVENTS, DERIVED, GOLD, SILVER_EVENTS, SILVER_QUARANTINE

if TYPE_CHECKING:
    from shoplake_assets.lake.verify.proof import Proof

VERIFIED = "verified"
VERIFIABLE = (BRONZE_EVENTS, *DERIVED)

_DESCRIPTIONS = {
    BRONZE_EVENTS: "Every Kafka offset from the first to the position is there once, but for recorded gaps.",
    SILVER_EVENTS: "Every Bronze record is in one place, every row says what its record says, every event_id is there "
    "once.",
    SILVER_QUARANTINE: "Every row is its Bronze record, byte for byte.",
    **dict.fromkeys(GOLD, "Every figure equals a full recomputation from Silver, by SQL of its own."),
}


def _condition(table: str) -> "dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey] | None":
    """Never: for the schedule, or a person, to ask for.

    A check without a condition of its own would ride along with every refresh of its table. Nothing refreshes Bronze.
    """
    if table == BRONZE_EVENTS:
        return None
    under_way = dg.AutomationCondition.in_progress()
    return (under_way & ~under_way).with_label("only by the schedule 'verify', or on request")


@dg.multi_asset_check(
    name="verification",
    specs=[
        dg.AssetCheckSpec(
            VERIFIED, asset=key_of(name), description=_DESCRIPTIONS[name], automation_condition=_condition(name)
        )
        for name in VERIFIABLE
    ],
    can_subset=True,
)
def verification(
    context: dg.AssetCheckExecutionContext, connection: dg.ResourceParam[LakeConnection], spark: SparkConnectResource
) -> Iterator[dg.AssetCheckResult]:
    """Verify the whole lake and report the tables that were asked for."""
    from shoplake_assets.lake.verify.full import verify_fully

    asked = {key.asset_key for key in context.selected_asset_check_keys}
    found = verify_fully(
        connection.lake(spark.spark_session),
        kafka=connection.kafka_range,
        say=lambda proof: context.log.info("%s %s: %s", proof.table, proof.name, proof.says),
    )
    for name in VERIFIABLE:
        if key_of(name) in asked:
            yield verdict(name, [proof for proof in found.proofs if proof.table == name])


def verdict(table: str, proofs: "Sequence[Proof]") -> dg.AssetCheckResult:
    """What the proofs of a table say together: an error if one is refuted, a warning if one is not proven."""
    wrong = [proof for proof in proofs if proof.holds is False]
    unsure = [proof for proof in proofs if proof.holds is None]
    says = [f"{proof.name}: {proof.says}" for proof in wrong or unsure or proofs]
    findings = [f"- {proof.name}: {finding}" for proof in wrong for finding in proof.findings]
    return dg.AssetCheckResult(
        asset_key=key_of(table),
        check_name=VERIFIED,
        passed=not wrong and not unsure,
        severity=dg.AssetCheckSeverity.WARN if unsure and not wrong else dg.AssetCheckSeverity.ERROR,
        description="; ".join(says),
        metadata={
            **{f"shoplake/{proof.name}": proof.says for proof in proofs},
            **({"shoplake/findings": dg.MetadataValue.md("\n".join(findings))} if findings else {}),
        },
    )
