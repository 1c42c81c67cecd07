"""Sessions for commands, on a real Spark Connect server."""

import gc
import weakref

import pytest
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator  # noqa: TID253  what closes

from shoplake_assets.lake.session import open_session
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
