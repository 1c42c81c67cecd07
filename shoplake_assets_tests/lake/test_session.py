"""Sessions for commands, on a real Spark Connect server."""

import gc
import weakref

import pytest
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator  # noqa: TID253  what closes

from shoplake_assets.lake.session import SESSION_CONF, close_session, open_session, shared_session
from shoplake_assets.settings import Settings

pytestmark = pytest.mark.spark


def test_a_closed_session_closes_nothing_more_when_it_is_collected(
    stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_session(stack) as session:
        assert session.range(3).count() == 3
    closings: list[str] = []
    monkeypatch.setattr(ExecutePlanResponseReattachableIterator, "shutdown", lambda: closings.append("again"))
    seen = weakref.ref(session)
    del session
    gc.collect()
    assert seen() is None
    assert closings == []


def test_refreshes_share_a_session_that_is_set_up_anew_and_one_that_was_closed_is_replaced(
    stack: Settings,
) -> None:
    first = shared_session(stack.spark_remote)
    for key in SESSION_CONF:
        first.conf.unset(key)
    first.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    close_session(first)
    again = shared_session(stack.spark_remote)
    assert again.session_id == first.session_id  # type: ignore[attr-defined]
    assert {key: again.conf.get(key) for key in SESSION_CONF} == SESSION_CONF
    again.release_session_on_close = True  # type: ignore[attr-defined]  # as the server does with one that is idle
    close_session(again)
    other = shared_session(stack.spark_remote)
    assert other.session_id != first.session_id  # type: ignore[attr-defined]
    assert other.range(3).count() == 3
    close_session(other)
