"""When Dagster refreshes a table: the condition that stands in the place of a DAG file.

Belongs here: the condition. Does not belong here: what a refresh does.
"""

from functools import reduce
from operator import or_

import dagster as dg

from shoplake_assets.tables import DERIVED


def refresh_when_changed_below() -> dg.AutomationCondition[dg.AssetKey]:
    """Refresh a table when the one below it has changed.

    One tick leads to one run for the whole chain: a table that is asked for takes those above it along, and nothing is
    asked for while a refresh of any of them is under way.
    """
    changed = (
        (dg.AutomationCondition.newly_missing() | dg.AutomationCondition.any_deps_updated())
        # Not "since last handled", as in `eager`: an update that comes while the refresh runs would be forgotten when
        # the refresh is done, although it has not read it.
        .since(dg.AutomationCondition.newly_requested())
        .with_label("changed below since the last request")
    )
    # Not `all_deps_blocking_checks_passed`, which the first run of all cannot meet: no check has passed by then.
    refused = dg.AutomationCondition.any_deps_match(
        dg.AutomationCondition.any_checks_match(
            dg.AutomationCondition.check_failed() & ~dg.AutomationCondition.will_be_requested(), blocking_only=True
        )
    )
    possible = (~dg.AutomationCondition.any_deps_missing() & ~refused).with_label(
        "all below is there and no blocking check of it has failed"
    )
    return (changed & ~_chain_under_way() & possible).with_label("refresh when the table below changes")


def first_time() -> dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey]:
    """Make a thing once, as soon as it can be; whoever makes it from then on goes by the clock.

    Not `on_missing`, which forgets what was missing already when it is evaluated for the first time.
    """
    missing = dg.AutomationCondition.missing()
    possible = ~dg.AutomationCondition.any_deps_missing() & ~dg.AutomationCondition.in_progress()
    return (missing & possible & ~dg.AutomationCondition.execution_failed()).with_label("make it the first time")


def _chain_under_way() -> dg.AutomationCondition[dg.AssetKey]:
    parts = (
        dg.AutomationCondition.asset_matches(dg.AssetKey(name.split(".")), dg.AutomationCondition.in_progress())
        for name in DERIVED
    )
    return reduce(or_, parts).with_label("a refresh of Silver or Gold is under way")
