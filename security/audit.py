"""`make audit`: has one of the pinned Python packages a vulnerability that is known?

Belongs here: asking, and comparing with what is accepted. Does not belong here: jars and images (`scan.sh` beside it).

The service is asked first for a package that is known to be vulnerable. Where that does not come back, from an offline
machine or through a proxy that answers everything with nothing, no answer of it means anything: that is said in one
line, and it is no failure unless `--required` is given. Everything else that goes wrong is one.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent
OSV = "https://api.osv.dev/v1/query"
KNOWN_TO_BE_VULNERABLE = {"package": {"name": "pycrypto", "ecosystem": "PyPI"}, "version": "2.6.1"}
_SECONDS = 10


@dataclass(frozen=True)
class Acceptance:
    """A vulnerability that somebody has looked at and lives with.

    Attributes:
        id: Its name in any of the catalogues.
        because: Why it does no harm here.
        until: The day from which it has to be looked at again.
    """

    id: str
    because: str
    until: date


@dataclass(frozen=True)
class Vulnerability:
    """What is known of a package.

    Attributes:
        package: Name and version.
        ids: Its names in all catalogues, the best known first.
        fixed_in: Versions that do not have it.
    """

    package: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        """One line for the person who reads it."""
        others = f" ({', '.join(self.ids[1:])})" if self.ids[1:] else ""
        return f"{self.package} has {self.ids[0]}{others}, fixed in {', '.join(self.fixed_in) or 'no version yet'}"


class AuditError(Exception):
    """The audit could not be made; the message says why."""


def can_be_asked(osv: str) -> bool:
    """Whether the service knows what is known to everybody."""
    try:
        answer = httpx.post(osv, json=KNOWN_TO_BE_VULNERABLE, timeout=_SECONDS).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(answer, dict) and bool(answer.get("vulns"))


def accepted(file: Path, *, today: date) -> dict[str, Acceptance]:
    """What is accepted today, by id.

    Raises:
        AuditError: An entry does not say why, or until when.
    """
    entries = []
    for entry in tomllib.loads(file.read_text()).get("accepted", []):
        try:
            entries.append(Acceptance(**entry))
        except TypeError as error:
            raise AuditError(f"{file}: an entry needs id, because and until, and has {', '.join(entry)}") from error
    for one in entries:
        if not one.because.strip():
            raise AuditError(f"{file}: {one.id} does not say why it is accepted")
    return {one.id: one for one in entries if today < one.until}


def vulnerabilities(requirements: Path, *, osv: str) -> list[Vulnerability]:
    """Ask pip-audit about every pin of a file.

    Raises:
        AuditError: It could not look at all of them.
    """
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--disable-pip", "--no-deps"),
        *("--vulnerability-service", "osv", "--osv-url", osv, "--timeout", str(_SECONDS)),
        *("--format", "json", "--aliases", "on", "--progress-spinner", "off"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    try:
        found: Sequence[Mapping[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        says = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise AuditError(f"pip-audit ended with {done.returncode}: {says}") from error
    if skipped := [one["name"] for one in found if "skip_reason" in one]:
        raise AuditError(f"pip-audit could not look at {', '.join(skipped)}")
    return list(_found(found))


def _found(dependencies: Sequence[Mapping[str, Any]]) -> Iterator[Vulnerability]:
    for one in dependencies:
        for known in one["vulns"]:
            ids = (known["id"], *sorted(known.get("aliases", ())))
            yield Vulnerability(f"{one['name']} {one['version']}", ids, tuple(known["fix_versions"]))


def audit(requirements: Path, file: Path, *, osv: str) -> int:
    """Make the audit, say what came out, and give the exit code."""
    today = datetime.now(UTC).date()
    lived_with = accepted(file, today=today)
    found = vulnerabilities(requirements, osv=osv)
    open_ones = [one for one in found if not lived_with.keys() & set(one.ids)]
    for one in open_ones:
        _say(f"audit: {one}.")
    for name in sorted(lived_with.keys() - {name for one in found for name in one.ids}):
        _say(f"audit: {name} is accepted in {file.name} and is not there any more; take it out.")
    if open_ones:
        _say(f"audit: {len(open_ones)} known. Take a version that is fixed, or say in {file.name} why it does no harm.")
        return 1
    _say(f"audit: nothing known in {requirements.name} but for {len(found)} accepted.")
    return 0


def _say(line: str) -> None:
    print(line)  # noqa: T201  for the person who runs it


def main() -> int:
    """Read the options, audit, and give the exit code: 1 for what is known and not accepted, 2 for no audit at all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requirements", type=Path, default=ROOT / "constraints.txt", help="File of pins.")
    parser.add_argument("--accepted", type=Path, default=ROOT / "security" / "accepted.toml", help="What is accepted.")
    parser.add_argument("--osv-url", default=OSV, help="Where OSV, or a mirror of it, is asked.")
    parser.add_argument("--required", action="store_true", help="Fail where the service cannot be asked.")
    options = parser.parse_args()
    if not can_be_asked(options.osv_url):
        _say(f"audit: nothing was audited, {options.osv_url} cannot be asked from here.")
        return 2 if options.required else 0
    try:
        return audit(options.requirements, options.accepted, osv=options.osv_url)
    except AuditError as error:
        _say(f"audit: {error}.")
        return 2


if __name__ == "__main__":
    sys.exit(main())
