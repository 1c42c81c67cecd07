"""An answer that several share."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.health.shared import Answer, Shared

VIEWERS = 8


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    return clock


def counting() -> Callable[[], int]:
    """A question whose answer is how often it has been asked."""
    asked: list[None] = []

    def ask() -> int:
        asked.append(None)
        return len(asked)

    return ask


def test_an_answer_holds_for_some_seconds_and_no_longer(clock: Clock) -> None:
    shared = Shared(counting(), otherwise=0, seconds=2)
    assert shared() == shared() == Answer(1)
    clock.seconds += 1.9
    assert shared() == Answer(1)
    clock.seconds += 0.1
    assert shared() == Answer(2)


def test_those_who_come_together_ask_once() -> None:
    together = Barrier(VIEWERS)
    shared = Shared(counting(), otherwise=0, seconds=60)

    def look() -> Answer[int]:
        together.wait()
        return shared()

    with ThreadPoolExecutor(VIEWERS) as pool:
        looks = [pool.submit(look) for _ in range(VIEWERS)]
    assert [one.result() for one in looks] == [Answer(1)] * VIEWERS


def test_silence_is_shared_as_well_and_ends_when_the_part_answers_again(clock: Clock) -> None:
    words: Iterator[ShoplakeError | int] = iter([ShoplakeError("it does not answer"), 7])

    def ask() -> int:
        word = next(words)
        if isinstance(word, ShoplakeError):
            raise word
        return word

    shared = Shared(ask, otherwise=0, seconds=2)
    assert shared() == shared() == Answer(0, "it does not answer")
    clock.seconds += 2
    assert shared() == Answer(7)
