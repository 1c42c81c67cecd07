"""Branches of refreshes that were not published: the newest are kept for inspection, the others go."""

from itertools import count

from shoplake_assets.lake.audit import MainMovedError, again_where_main_moved, forget_old_branches
from shoplake_assets.lake.catalog import open_catalog
from shoplake_assets.settings import Settings
from shoplake_assets.tables import SILVER_EVENTS


def test_only_the_newest_branches_of_a_refresh_that_stays_blocked_are_kept(own_lake: Settings) -> None:
    table = open_catalog(own_lake).load_table(SILVER_EVENTS)
    names = [f"audit_try{number}" for number in (3, 1, 4, 2, 9, 6, 5)]
    main = table.metadata.current_snapshot_id
    assert main is not None
    for name in names:
        table.manage_snapshots().create_branch(main, name).commit()
        table.append(table.schema().as_arrow().empty_table(), branch=name)
    table.manage_snapshots().create_branch(main, "of_a_person").commit()
    forget_old_branches(table)
    kept = {"main", "of_a_person", *names[2:]}
    assert set(open_catalog(own_lake).load_table(SILVER_EVENTS).refs()) == kept
    forget_old_branches(table)
    assert set(open_catalog(own_lake).load_table(SILVER_EVENTS).refs()) == kept
    assert table.metadata.current_snapshot_id == main


def test_a_refresh_outlasts_a_maintenance_that_comes_to_a_week_for_the_first_time() -> None:
    portions, lists_of_files = 7, 1
    attempts = count(1)

    @again_where_main_moved
    def refresh() -> int:
        if (attempt := next(attempts)) <= portions + lists_of_files:
            raise MainMovedError
        return attempt

    assert refresh() == 9
