"""A service that runs: a process that is started once others are ready, asked for its health, and started again.

Belongs here: the life of one process and of its children. Does not belong here: which processes there are (`cluster`),
and what each is run with (`local`).
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_POLL_SECONDS = 0.5
_RESTART_SECONDS = 1.0
_CHECK_SECONDS = 30.0
_STOP_SECONDS = 20.0


def _nothing() -> None:
    """What most services need done before their process is started."""


@dataclass(frozen=True)
class Plan:
    """How a service is run on this machine.

    Attributes:
        name: The service.
        command: What is run.
        environment: With which environment, and no other.
        folder: Where, and where its log is kept.
        health: A command that ends with 0, or a question that is answered with yes, once it is ready to serve; None
            where it is ready once it has been started.
        setup: What is done before its first start.
        after: The services that it waits for.
        once: Whether it ends by itself, and is ready then.
        restarts: Whether it is started again when it ends.
        user: As whom, if not as whoever runs this.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    health: Sequence[str] | Callable[[], bool] | None
    setup: Callable[[], None] = _nothing
    after: tuple[str, ...] = ()
    once: bool = False
    restarts: bool = True
    user: int | None = None

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / f"{self.name}.log"


@dataclass
class Running:
    """A service, from the moment at which it is planned.

    Attributes:
        plan: How it is run.
        ready: Set once it has been ready for the first time.
        ended: Set once it will not be started again.
        trouble: Why it has not become ready, if so.
        exits: The codes with which its process has ended without having been asked to.
        ready_after: Seconds from its start until it was ready.
        process: Its process; None before its first start.
    """

    plan: Plan
    ready: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    trouble: str | None = None
    exits: list[int] = field(default_factory=list)
    ready_after: float = 0.0
    process: "subprocess.Popen[bytes] | None" = None
    _unwanted: threading.Event = field(default_factory=threading.Event)

    def run(self, others: Mapping[str, "Running"]) -> None:
        """Live, until it is stopped or killed. For a thread of its own."""
        try:
            if all(self._has_become_ready(others[name]) for name in self.plan.after):
                self._live()
        except Exception as error:  # whatever it is, who waits for the service must be told
            self.trouble = f"{self.plan.name} cannot be started: {error}"
        finally:
            self.ended.set()

    def words(self) -> str:
        """The end of its log."""
        return self.plan.log.read_text(errors="replace")[-3000:] if self.plan.log.exists() else ""

    def kill(self) -> None:
        """`kill -9` for the process and its children, which is not started again."""
        self._unwanted.set()
        self._signal(signal.SIGKILL)
        self.ended.wait(_STOP_SECONDS)

    def stop(self) -> None:
        """Ask the process to end, end it if it does not, and its children with it."""
        self._unwanted.set()
        if self.process is not None:
            if self.process.poll() is None:
                self.process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(_STOP_SECONDS)
            self._signal(signal.SIGKILL)
        self.ended.wait(_STOP_SECONDS)

    def _has_become_ready(self, other: "Running") -> bool:
        while not other.ready.wait(_POLL_SECONDS):
            if other.ended.is_set() or self._unwanted.is_set():
                return other.ready.is_set()
        return True

    def _live(self) -> None:
        self.plan.setup()
        while not self._unwanted.is_set():
            began = time.monotonic()
            code = self._lead(began)
            if self.plan.once:
                if code == 0:
                    self.ready_after = time.monotonic() - began
                    self.ready.set()
                else:
                    self.trouble = f"{self.plan.name} has ended with {code}:\n{self.words()}"
                return
            if self._unwanted.is_set():
                return
            self.exits.append(code)
            if not self.plan.restarts:
                self.trouble = f"{self.plan.name} has ended with {code}:\n{self.words()}"
                return
            self._unwanted.wait(_RESTART_SECONDS)

    def _lead(self, began: float) -> int:
        """One life of the process, from its start to its end."""
        with self.plan.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  the command is that of the compose file
                self.plan.command,
                env=dict(self.plan.environment),
                cwd=self.plan.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.plan.user,
                group=self.plan.user,
                extra_groups=None if self.plan.user is None else (),
            )
        if not self.plan.once:
            while self.process.poll() is None and not self._unwanted.is_set():
                if self._is_healthy():
                    self.ready_after = self.ready_after or time.monotonic() - began
                    self.ready.set()
                    break
                self._unwanted.wait(_POLL_SECONDS)
        return self.process.wait()

    def _is_healthy(self) -> bool:
        health = self.plan.health
        if health is None or callable(health):
            return health is None or health()
        try:
            done = subprocess.run(  # noqa: S603  the command is that of the compose file
                health,
                env=dict(self.plan.environment),
                cwd=self.plan.folder,
                capture_output=True,
                check=False,
                timeout=_CHECK_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _signal(self, number: signal.Signals) -> None:
        """Signal all that the process has started, too: they are one group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
