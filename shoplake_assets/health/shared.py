"""An answer that several share.

Belongs here: who asks, for how long an answer holds, and what is answered while a part is silent. Does not belong here:
any question.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from shoplake_assets.errors import ShoplakeError

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a part of the lake has answered.

    Attributes:
        value: The answer, or what stands for it.
        trouble: Why there is none; None if there is.
    """

    value: T
    trouble: str | None = None


class Shared(Generic[T]):
    """Asks for all who come within some seconds: the others wait for the first instead of asking, too.

    Args:
        ask: The question; raises `ShoplakeError` where there is no answer.
        otherwise: What stands for the answer then.
        seconds: How long an answer holds, one of silence as well.
    """

    def __init__(self, ask: Callable[[], T], *, otherwise: T, seconds: float) -> None:
        self._ask = ask
        self._otherwise = otherwise
        self._seconds = seconds
        self._lock = Lock()
        self._last: Answer[T] | None = None
        self._asked_at = 0.0

    def __call__(self) -> Answer[T]:
        """The answer as it is now, or was a moment ago."""
        with self._lock:
            if self._last is None or time.monotonic() - self._asked_at >= self._seconds:
                self._last = self._new()
                self._asked_at = time.monotonic()
            return self._last

    def _new(self) -> Answer[T]:
        try:
            return Answer(self._ask())
        except ShoplakeError as error:
            return Answer(self._otherwise, str(error))
