"""Real processes under a real supervisor, small ones."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.runtime import supervision
from shoplake_assets.runtime.home import create_home
from shoplake_assets.runtime.processes import BROKER, ProcessSpec
from shoplake_assets.runtime.supervisor_conf import process_log, socket_path
from shoplake_assets.settings import Settings

SLEEP = "import signal; signal.pause()"


def python(name: str, code: str, **more: object) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-u", "-c", code), **more)  # type: ignore[arg-type]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so, at most half a minute."""
    again = retry(retry=retry_if_result(lambda so: not so), stop=stop_after_delay(30), wait=wait_fixed(0.1))
    again(condition)()


@pytest.fixture
def lake(settings: Settings) -> Iterator[Settings]:
    create_home(settings)
    yield settings
    supervision.stop(settings)


def states(lake: Settings) -> dict[str, supervision.ProcessState]:
    return supervision.process_states(lake, probes={})


def test_a_process_is_running_only_once_its_probe_says_that_it_is_ready(lake: Settings, tmp_path: Path) -> None:
    supervision.start(lake, [python("one", SLEEP)])
    ready = tmp_path / "ready"
    probes = {"one": lambda _since: ready.exists()}
    assert supervision.process_states(lake, probes=probes)["one"].state == "starting"
    ready.touch()
    state = supervision.process_states(lake, probes=probes)["one"]
    assert state.state == "running"
    assert state.pid is not None
    assert psutil.pid_exists(state.pid)
    assert state.since is not None
    assert state.since.endswith("+00:00")
    assert state.restarts == 0


def test_a_killed_process_comes_back_and_its_restart_is_counted(lake: Settings) -> None:
    supervision.start(lake, [python("one", SLEEP), python("two", SLEEP)])
    eventually(lambda: all(state.pid for state in states(lake).values()))
    first = states(lake)["one"].pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: states(lake)["one"].pid not in (None, first))
    assert (states(lake)["one"].restarts, states(lake)["two"].restarts) == (1, 0)


def test_stop_lets_processes_end_in_order_and_leaves_nothing(lake: Settings, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    script = tmp_path / "writes_when_it_ends.py"
    script.write_text(
        "import signal, sys\n"
        "def end(*_):\n"
        f"    open({str(diary)!r}, 'a').write(sys.argv[1] + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()\n"
    )
    supervision.start(
        lake,
        [
            ProcessSpec("aaa", (sys.executable, str(script), "user")),
            ProcessSpec("zzz", (sys.executable, str(script), "broker"), stage=BROKER),
        ],
    )
    eventually(lambda: all(supervision.log_tail(lake, name) == ["ready"] for name in ("aaa", "zzz")))
    pids = [state.pid for state in states(lake).values()]
    assert supervision.stop(lake)
    assert diary.read_text() == "user broker "
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not supervision.is_up(lake)
    assert not supervision.stop(lake)


def test_two_who_stop_the_lake_at_once_both_wait_and_ask_each_process_once(lake: Settings, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    script = tmp_path / "ends_slowly.py"
    script.write_text(
        "import signal, threading\n"
        "asked = threading.Event()\n"
        "def end(*_):\n"
        f"    open({str(diary)!r}, 'a').write('asked ')\n"
        "    asked.set()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "while not asked.wait(0.1): pass\n"
        "threading.Event().wait(2)\n"
    )
    supervision.start(lake, [ProcessSpec("slow", (sys.executable, str(script)))])
    eventually(lambda: supervision.log_tail(lake, "slow") == ["ready"])
    with ThreadPoolExecutor() as pool:
        first = pool.submit(supervision.stop, lake)
        eventually(diary.exists)
        assert supervision.is_up(lake)
        assert supervision.stop(lake)
        assert first.result()
    assert diary.read_text() == "asked "
    assert not supervision.is_up(lake)


def test_a_process_whose_program_is_missing_waits_for_its_next_chance(lake: Settings) -> None:
    supervision.start(lake, [ProcessSpec("broken", (str(lake.home / "no such program"),))])
    eventually(lambda: states(lake)["broken"].state == "backoff")
    assert states(lake)["broken"].pid is None


def test_a_process_that_does_not_stay_up_is_told_and_is_yet_never_given_up(lake: Settings) -> None:
    supervision.start(lake, [python("broken", "raise SystemExit('no space left')"), python("one", SLEEP)])
    eventually(lambda: states(lake)["broken"].fails_to_start)
    assert states(lake)["one"].state == "running"
    assert not states(lake)["one"].fails_to_start
    assert set(supervision.log_tail(lake, "broken")) == {"no space left"}
    # supervisord gives a process that fails to start three further chances by default.
    eventually(lambda: states(lake)["broken"].restarts > supervision.FAILED_STARTS + 1)


def test_the_environment_reaches_the_process_as_it_is(lake: Settings) -> None:
    value = "100% of 'it', a=b; c\\d \u00e9"
    code = f"import os; print(ascii(os.environ['ODD'])); {SLEEP}"
    supervision.start(lake, [python("one", code, environment={"ODD": value})])
    eventually(lambda: supervision.log_tail(lake, "one") == [ascii(value)])
    assert process_log(lake, "one").parent == lake.home / "logs"


def test_a_second_start_of_the_same_lake_is_refused(lake: Settings) -> None:
    supervision.start(lake, [python("one", SLEEP)])
    with pytest.raises(ShoplakeError, match="already up"):
        supervision.start(lake, [python("one", SLEEP)])


def test_what_a_killed_supervisor_left_behind_is_stopped_before_the_next_start(lake: Settings) -> None:
    supervision.start(lake, [python("one", SLEEP)])
    eventually(lambda: states(lake)["one"].pid is not None)
    orphan = states(lake)["one"].pid
    supervisor = psutil.Process(orphan).parent()
    supervisor.kill()
    supervisor.wait()
    assert psutil.pid_exists(orphan)
    supervision.start(lake, [python("one", SLEEP)])
    assert not psutil.pid_exists(orphan)
    assert states(lake)["one"].restarts == 0


def test_stop_ends_what_a_killed_process_of_the_lake_had_started(lake: Settings) -> None:
    starts_another = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).pid); {SLEEP}"
    supervision.start(lake, [python("one", starts_another)])
    eventually(lambda: bool(supervision.log_tail(lake, "one")))
    orphan, parent = int(supervision.log_tail(lake, "one")[0]), states(lake)["one"].pid
    assert parent is not None
    os.kill(parent, signal.SIGKILL)
    eventually(lambda: states(lake)["one"].pid not in (None, parent))
    assert psutil.pid_exists(orphan)
    supervision.stop(lake)
    assert not psutil.pid_exists(orphan)


def test_a_home_too_deep_for_a_socket_gets_one_in_a_private_folder(tmp_path: Path) -> None:
    deep = Settings(home=tmp_path / ("deep" * 30))
    create_home(deep)
    supervision.start(deep, [python("one", SLEEP)])
    assert socket_path(deep).parent.stat().st_mode & 0o777 == 0o700
    assert set(states(deep)) == {"one"}
    assert supervision.stop(deep)


@pytest.mark.parametrize("value", ["a #b", "a ;b", "a\nb", 'a"b'])
def test_a_value_that_supervisord_would_spoil_is_refused(lake: Settings, value: str) -> None:
    with pytest.raises(ShoplakeError, match="Keep SHOPLAKE_HOME and the installation in folders without"):
        supervision.start(lake, [python("one", SLEEP, environment={"ODD": value})])
