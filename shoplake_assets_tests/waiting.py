"""Waiting for a condition, with a deadline: the only way in which tests wait."""

from collections.abc import Callable

from tenacity import RetryError, retry, retry_if_result, stop_after_delay, wait_fixed


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 300) -> None:
    """Wait until the condition holds; fail with `what` if it does not in time."""
    attempt = retry(
        retry=retry_if_result(lambda holds: not holds), stop=stop_after_delay(seconds), wait=wait_fixed(0.1)
    )(condition)
    try:
        attempt()
    except RetryError as error:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from error
