"""When Dagster refreshes a table: the condition that stands in the place of a DAG file.

Belongs here: the condition. Does not belong here: what a refresh does.
"""

import dagster as dg

_changed_below = (
    (dg.AutomationCondition.newly_missing() | dg.AutomationCondition.any_deps_updated())
    # Not "since last handled", as in `eager`: an update that comes while the refresh runs would be forgotten when the
    # refresh is done, although it has not read it.
    .since(dg.AutomationCondition.newly_requested())
    .with_label("something below changed since the last request")
)
_free = (
    (~dg.AutomationCondition.in_progress() & ~dg.AutomationCondition.any_deps_in_progress())
    .with_label("no refresh of it or below it is under way")
)  # fmt: skip
_possible = (
    ~dg.AutomationCondition.any_deps_missing() & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("everything below is there and passed its blocking checks")

REFRESH = (_changed_below & _free & _possible).with_label("refresh when the table below changes")
