"""Doing a commit of pyiceberg's again where another process has come first.

Belongs here: how often, and after how long. Does not belong here: the commits of Spark, which has attempts of its own.
"""

from pyiceberg.exceptions import CommitFailedException
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random

again_after_a_conflict = retry(
    retry=retry_if_exception_type(CommitFailedException),
    stop=stop_after_attempt(5),
    wait=wait_random(max=0.2),
    reraise=True,
)
"""Run a function that loads a table and changes it anew, from the table as it is now."""
