"""`security/scan.sh`: which scanner looks at what, and what is said where there is none."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "security" / "scan.sh"
# A program that says what it was called with, and finds something.
PROGRAM = '#!/bin/sh\necho "${0##*/} $*"\nexit 1\n'


def scan(folder: Path, *installed: str, image: str = "") -> tuple[int, str]:
    """The exit code and the output of a scan where these programs are installed and nothing else."""
    for tool in ("bash", "dirname"):
        (folder / tool).symlink_to(Path("/usr/bin") / tool)
    for name in installed:
        (folder / name).write_text(PROGRAM)
        (folder / name).chmod(0o755)
    done = subprocess.run(  # noqa: S603  our own command
        ["/usr/bin/bash", SCRIPT],
        env={"PATH": str(folder), "IMAGE": image},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("installed", "image", "code", "line"),
    [
        ((), "", 0, "scan: nothing was scanned, neither grype nor trivy is installed here."),
        (("grype",), "lamp:1", 0, "scan: nothing was scanned, there is no docker here that could have lamp:1."),
        (("docker",), "lamp:1", 0, "scan: nothing was scanned, neither grype nor trivy is installed here."),
        (("grype", "trivy"), "", 1, "grype --only-fixed --fail-on high sbom:dist/sbom.cdx.json"),
        (("grype", "docker"), "lamp:1", 1, "grype --only-fixed --fail-on high lamp:1"),
        (
            ("trivy",),
            "",
            1,
            "trivy sbom --exit-code 1 --severity HIGH,CRITICAL --ignore-unfixed dist/sbom.cdx.json",
        ),
        (
            ("trivy", "docker"),
            "lamp:1",
            1,
            "trivy image --exit-code 1 --severity HIGH,CRITICAL --ignore-unfixed lamp:1",
        ),
    ],
)
def test_what_is_installed_scans_the_image_or_what_is_shipped_and_its_verdict_counts(
    tmp_path: Path, installed: tuple[str, ...], image: str, code: int, line: str
) -> None:
    assert scan(tmp_path, *installed, image=image) == (code, f"{line}\n")
