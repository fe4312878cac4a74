"""Writes what a server runs as a bill of materials (CycloneDX 1.6) with licences, from the lock alone, or checks it.

The licence of each package is data, in ``docs/sbom/licences.csv``: the same on every machine, whatever is installed.
Writing adds what the lock gained, in the words of the installed package where it says an SPDX expression.
"""

import argparse
import csv
import io
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.spdx import is_expression
from cyclonedx.validation.json import JsonStrictValidator
from lock import pins, requirements_of
from packageurl import PackageURL
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK, WANTED = ROOT / "requirements.txt", ROOT / "requirements.in"
FOLDER = ROOT / "docs" / "sbom"
LICENCES, BILL = FOLDER / "licences.csv", FOLDER / "sbom.cdx.json"
COLUMNS = ("package", "licence")
# Terms that a deployment at an office takes without asking its lawyers; LGPL: libraries that are called, not changed.
TAKEN = frozenset(
    {
        "0BSD", "Apache-2.0", "Artistic-1.0-Perl", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LGPL-3.0-only",
        "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip


def known_licences() -> dict[str, str]:
    """Package to SPDX expression."""
    with LICENCES.open(encoding="utf-8", newline="") as file:
        return {row["package"]: row["licence"] for row in csv.DictReader(file)}


def with_new(names: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The licences of ``names``; of a package that is new what it says itself, nothing where it says no expression."""
    return {name: known.get(name) or _own_word(name) for name in sorted(names)}


def faults_of(names: Sequence[str], licences: Mapping[str, str]) -> list[str]:
    """Packages whose licence is not known, is no SPDX expression, or is none that is taken without a question."""
    return [
        *(f"{name}: write its licence into {LICENCES.name}" for name in names if not licences.get(name)),
        *(
            f"{name}: {said} is no SPDX expression"
            for name, said in licences.items()
            if said and not is_expression(said)
        ),
        *(f"{name}: {said} is none of the licences that are taken" for name, said in licences.items() if refused(said)),
        *(f"{name}: it is in the lock no more" for name in licences if name not in names),
    ]


def refused(expression: str) -> bool:
    """Whether no choice that ``expression`` leaves is made of terms that are taken alone."""
    choices = re.split(r"\bOR\b", expression)
    return not any(set(re.findall(r"[A-Za-z0-9.-]+", choice)) - {"AND", "WITH"} <= TAKEN for choice in choices)


def licence_list(licences: Mapping[str, str]) -> str:
    """The table as it is committed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(licences.items())
    return out.getvalue()


def bill(lock: str, wanted: str, licences: Mapping[str, str]) -> str:
    """The bill of materials; the same text for the same lock and licences, on every machine and day."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    factory = LicenseFactory()
    product = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION,
        bom_ref=project["name"], licenses=[factory.make_from_string(project["license"])],
    )  # fmt: skip
    parts = {
        name: [_component(name, version, factory, licences[name]) for version in versions]
        for name, versions in pins(lock).items()
    }
    made = Bom(components=[part for each in parts.values() for part in each])
    made.metadata.component, made.metadata.timestamp = product, None  # type: ignore[assignment]  # a day would differ daily
    made.serial_number = uuid5(NAMESPACE_URL, sha256((lock + licence_list(licences)).encode()).hexdigest())
    direct = {canonicalize_name(requirement.name) for requirement in requirements_of(wanted)}
    made.register_dependency(product, [part for name in sorted(direct) for part in parts[name]])
    return make_outputter(made, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1) + "\n"


def invalid(text: str) -> str | None:
    """What the standard's own schema has against a bill of materials."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if error is None else str(error)


def _component(name: str, version: str, factory: LicenseFactory, licence: str) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    licences = [factory.make_from_string(licence)]
    return Component(name=name, version=version, purl=purl, bom_ref=str(purl), licenses=licences)


def _own_word(name: str) -> str:
    try:
        own = str(distribution(name).metadata.json.get("license_expression", ""))
    except PackageNotFoundError:
        return ""
    return own if own and is_expression(own) else ""


def main() -> int:
    """Entry of `make sbom` and `make check`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail when out of step with the lock")
    check = parser.parse_args().check
    lock, wanted = LOCK.read_text(encoding="utf-8"), WANTED.read_text(encoding="utf-8")
    names = sorted(pins(lock))
    licences = known_licences() if check else with_new(names, known_licences())
    if not check:
        LICENCES.write_text(licence_list(licences), encoding="utf-8")
    if faults := faults_of(names, licences):
        print(*faults, sep="\n", file=sys.stderr)
        return 1
    text = bill(lock, wanted, licences)
    if check and text != BILL.read_text(encoding="utf-8"):
        print(f"{BILL.relative_to(ROOT)} is not what the lock says; run `make sbom` and commit it", file=sys.stderr)
        return 1
    if not check:
        BILL.write_text(text, encoding="utf-8")
        print(f"wrote {BILL.relative_to(ROOT)}: {len(names)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
