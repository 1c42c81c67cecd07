"""Each JVM has a temporary folder of its own, empty when it starts."""

import subprocess
from pathlib import Path

from shoplake_assets.runtime.scratch import scratch_folder, with_emptied
from shoplake_assets.settings import Settings


def test_a_command_begins_in_an_empty_folder_and_leaves_those_of_others_alone(settings: Settings) -> None:
    own, other = (scratch_folder(settings, name) for name in ("connect", "ingest"))
    for folder in (own, other):
        (folder / "blockmgr-1").mkdir(parents=True)
        (folder / "blockmgr-1" / "shuffle").touch()
    command = with_emptied(own, ["sh", "-c", 'ls -A "$1" | wc -l; echo $$', "sh", str(own)])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own command
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    # The command takes the place of what empties the folder: the process that the supervisor started.
    assert said.split() == ["0", str(process.pid)]
    assert (other / "blockmgr-1" / "shuffle").exists()


def test_a_jvm_that_was_never_started_here_finds_its_folder(tmp_path: Path) -> None:
    folder = scratch_folder(Settings(home=tmp_path / "new home"), "kafka")
    subprocess.run(with_emptied(folder, ["true"]), check=True, timeout=60)  # noqa: S603  our own command
    assert folder.is_dir()
