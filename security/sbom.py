"""`make sbom`: what Shoplake ships, as a CycloneDX document.

Belongs here: the Python packages that an installation without extras brings, and the jars of `jars.lock`. Does not
belong here: whether one of them is vulnerable (`audit.py`, `scan.sh`); what an image has beside them, and the jars
within the pyspark package, which a scanner finds in the image.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shoplake_assets.runtime.jars import locked_jars

ROOT = Path(__file__).parent.parent
PRODUCT = "shoplake"


def bill_of_materials() -> Bom:
    """The product with everything that it needs, and who needs what."""
    bom = Bom()
    packages = dict(installed_with(PRODUCT))
    components = {name: _package(found) for name, (found, _) in packages.items()}
    product = bom.metadata.component = components[PRODUCT]
    jars = jar_components()
    for component in (*(one for one in components.values() if one is not product), *jars):
        bom.components.add(component)
    for name, (_, needs) in packages.items():
        bom.register_dependency(components[name], [components[need] for need in sorted(needs)])
    bom.register_dependency(product, jars)
    return bom


def installed_with(root: str) -> Iterator[tuple[str, tuple[Distribution, set[str]]]]:
    """Every distribution that the root's requirements bring here, with the names of those that it needs itself.

    Raises:
        PackageNotFoundError: One of them is not installed.
    """
    seen: dict[str, set[str]] = {}
    waiting = [(root, frozenset[str]())]
    asked: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in asked:
            continue
        asked.add((name, extras))
        for need in _requirements(distribution(name), extras):
            needed = canonicalize_name(need.name)
            seen.setdefault(name, set()).add(needed)
            waiting.append((needed, frozenset(need.extras)))
    for name in sorted({name for name, _ in asked}):
        yield name, (distribution(name), seen.get(name, set()) - {name})


def _requirements(found: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for line in found.requires or ():
        need = Requirement(line)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield need


def jar_components() -> list[Component]:
    """A component for each jar of the lock; one that the broker and Spark both have is one."""
    found = {}
    for jar in locked_jars():
        at = jar.coordinate
        url = PackageURL("maven", at.organisation, at.module, at.revision)
        found[str(url)] = Component(
            type=ComponentType.LIBRARY,
            group=at.organisation,
            name=at.module,
            version=at.revision,
            purl=url,
            bom_ref=str(url),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=jar.sha256)],
        )
    return list(found.values())


def _package(found: Distribution) -> Component:
    name = canonicalize_name(found.name)
    url = PackageURL("pypi", None, name, found.version)
    kind = ComponentType.APPLICATION if name == PRODUCT else ComponentType.LIBRARY
    return Component(type=kind, name=name, version=found.version, purl=url, bom_ref=str(url))


def main() -> int:
    """Write the document, if it is valid by CycloneDX's own schema."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, default=ROOT / "dist" / "sbom.cdx.json", help="The file to write.")
    output: Path = parser.parse_args().output
    try:
        document = JsonV1Dot6(bill_of_materials()).output_as_string(indent=2)
    except PackageNotFoundError as error:
        print(f"sbom: {error.name} is not installed; 'make install' does that.", file=sys.stderr)  # noqa: T201
        return 1
    if (fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(document)) is not None:
        print(f"sbom: the document is not valid: {fault}", file=sys.stderr)  # noqa: T201
        return 1
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(document + "\n")
    print(f"sbom: {output}")  # noqa: T201  for the person who runs it
    return 0


if __name__ == "__main__":
    sys.exit(main())
