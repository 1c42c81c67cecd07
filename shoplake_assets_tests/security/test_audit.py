"""`security/audit.py` with the real pip-audit, and a stand-in for the service on this machine."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[2]
LAMP = {
    "id": "GHSA-lamp-lamp-lamp",
    "aliases": ["CVE-2026-1"],
    "summary": "It burns.",
    "affected": [
        {
            "package": {"name": "lamp", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}
KNOWN = {("pycrypto", "2.6.1"): [{"id": "GHSA-old"}], ("lamp", "1.0"): [LAMP]}
PINS = "lamp==1.0\ntable==2.0 ; python_version < '3'\n"
ACCEPTED = '[[accepted]]\nid = "CVE-2026-1"\nbecause = "Nobody lights it."\nuntil = {until}\n'


class Osv(BaseHTTPRequestHandler):
    """Knows what is in `KNOWN`."""

    def do_POST(self) -> None:
        """Answer as OSV does."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = self.known().get((asked["package"]["name"], asked["version"]))
        answer = json.dumps({"vulns": found} if found else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def known(self) -> dict[tuple[str, str], list[dict[str, object]]]:
        """What it knows."""
        return KNOWN  # type: ignore[return-value]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the server's
        """Say nothing."""


class Ignorant(Osv):
    """Knows nothing, as a proxy that answers everything."""

    def known(self) -> dict[tuple[str, str], list[dict[str, object]]]:
        """Nothing."""
        return {}


@pytest.fixture(params=[Osv])
def osv(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a service that runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), request.param) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def audit(folder: Path, osv: str, *options: str, pins: str = PINS, said: str = "") -> tuple[int, str]:
    """The exit code and the output of an audit of these pins, with what is accepted."""
    (folder / "pins.txt").write_text(pins)
    (folder / "accepted.toml").write_text(said)
    files = ("--requirements", folder / "pins.txt", "--accepted", folder / "accepted.toml", "--osv-url", osv)
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, ROOT / "security" / "audit.py", *files, *options], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_what_is_known_of_a_pin_fails_the_audit_and_is_named_with_the_version_that_is_fixed(
    tmp_path: Path, osv: str
) -> None:
    code, out = audit(tmp_path, osv)
    assert code == 1
    assert out.splitlines() == [
        "audit: lamp 1.0 has CVE-2026-1 (GHSA-lamp-lamp-lamp), fixed in 1.1.",
        "audit: 1 known. Take a version that is fixed, or say in accepted.toml why it does no harm.",
    ]


def test_what_is_accepted_passes_until_its_day_has_come(tmp_path: Path, osv: str) -> None:
    assert audit(tmp_path, osv, said=ACCEPTED.format(until="2999-01-01")) == (
        0,
        "audit: nothing known in pins.txt but for 1 accepted.\n",
    )
    assert audit(tmp_path, osv, said=ACCEPTED.format(until="2026-01-01"))[0] == 1


def test_an_acceptance_that_is_not_needed_any_more_is_told(tmp_path: Path, osv: str) -> None:
    code, out = audit(tmp_path, osv, pins="lamp==1.1\n", said=ACCEPTED.format(until="2999-01-01"))
    assert code == 0
    assert out.splitlines() == [
        "audit: CVE-2026-1 is accepted in accepted.toml and is not there any more; take it out.",
        "audit: nothing known in pins.txt but for 0 accepted.",
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('[[accepted]]\nid = "CVE-2026-1"\n', "an entry needs id, because and until, and has id."),
        (ACCEPTED.format(until="2999-01-01").replace("Nobody lights it.", " "), "CVE-2026-1 does not say why it is"),
    ],
)
def test_an_acceptance_without_a_reason_or_an_end_is_refused(tmp_path: Path, osv: str, said: str, why: str) -> None:
    code, out = audit(tmp_path, osv, said=said)
    assert code == 2
    assert why in out


@pytest.mark.parametrize("osv", [Ignorant], indirect=True)
def test_a_service_that_knows_nothing_is_not_taken_for_a_good_answer(tmp_path: Path, osv: str) -> None:
    line = f"audit: nothing was audited, {osv} cannot be asked from here.\n"
    assert audit(tmp_path, osv) == (0, line)
    assert audit(tmp_path, osv, "--required") == (2, line)


def test_a_service_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9/v1/query"
    assert audit(tmp_path, nobody) == (0, f"audit: nothing was audited, {nobody} cannot be asked from here.\n")


def test_a_pin_that_cannot_be_read_is_no_success(tmp_path: Path, osv: str) -> None:
    code, out = audit(tmp_path, osv, pins="lamp>=1.0\n")
    assert code == 2
    assert "pip-audit ended with 1" in out
