"""Resources hold what a run needs for as long as it needs it."""

import pytest

from shoplake_assets.resources import SparkConnectResource
from shoplake_assets.settings import Settings

pytestmark = pytest.mark.spark


def test_a_retry_begins_with_a_session_of_its_own(stack: Settings) -> None:
    resource = SparkConnectResource(spark_config={"spark.remote": stack.spark_remote})
    before = resource.spark_session
    assert before.range(3).count() == 3
    resource.begin_anew()
    assert before.is_stopped
    assert resource.spark_session.range(4).count() == 4
    resource.begin_anew()
