"""Holds the locks against a file of known vulnerabilities, without a network.

The file is a copy of OSV's advisories (https://osv.dev: ``all.zip`` of the ecosystem PyPI, or a folder of its JSON
files), taken on a machine that may fetch it. What was looked at and found harmless here stands in
``tools/accepted-advisories.csv``, with its reason and until when.
Ends with 0: nothing is known; 1: something is; 2: nothing could be looked at.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from lock import LOCKS, pins
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
USUAL = ROOT / "var" / "advisories" / "all.zip"
ACCEPTED = ROOT / "tools" / "accepted-advisories.csv"
OLD_AFTER = timedelta(days=30)
FOUND, BLIND = 1, 2
Advisory = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """One advisory that a pin of a lock falls under."""

    package: str
    version: str
    id: str
    summary: str
    mended: str

    def __str__(self) -> str:
        mended = f"mended in {self.mended}" if self.mended else "no version mends it"
        return f"{self.package} {self.version}: {self.id} ({mended}) {self.summary}".strip()


def advisories(place: Path) -> Iterator[Advisory]:
    """Every advisory of a ZIP archive or a folder, in OSV's form."""
    if place.is_dir():
        yield from (json.loads(path.read_bytes()) for path in sorted(place.glob("*.json")))
        return
    with ZipFile(place) as archive:
        yield from (json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json"))


def known_in(locked: Mapping[str, Iterable[str]], told: Iterable[Advisory]) -> Iterator[Known]:
    """What ``told`` says of the pins."""
    for advisory, name, affected in _standing(told):
        for version in locked.get(name, ()):
            if is_affected(version, affected):
                first_line = "".join(str(advisory.get("summary", "")).splitlines()[:1])
                yield Known(name, version, advisory["id"], first_line, _mended(version, affected))


def _standing(told: Iterable[Advisory]) -> Iterator[tuple[Advisory, str, Mapping[str, Any]]]:
    """Each package of PyPI under each advisory that was not withdrawn."""
    for advisory in told:
        for affected in () if "withdrawn" in advisory else advisory.get("affected", ()):
            package = affected.get("package", {})
            if package.get("ecosystem") == "PyPI":
                yield advisory, canonicalize_name(package["name"]), affected


def is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    """Whether ``version`` stands in the list, or in a range, of an advisory."""
    if version in affected.get("versions", ()):
        return True
    ranges = (each for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM")
    return any(_within(Version(version), each["events"]) for each in ranges)


def accepted(today: date) -> dict[tuple[str, str], str]:
    """(package, advisory) to the reason why it is harmless here, while that holds."""
    with ACCEPTED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    standing = (row for row in rows if date.fromisoformat(row["until"]) >= today)
    return {(row["package"], row["advisory"]): row["reason"] for row in standing}


def _within(version: Version, events: Iterable[Mapping[str, str]]) -> bool:
    """The events of a range, in the order of versions, switch it on and off."""
    inside = False
    for kind, told in sorted(((k, v) for event in events for k, v in event.items()), key=lambda each: _order(each[1])):
        if kind == "introduced" and version >= _order(told):
            inside = True
        if (kind == "fixed" and version >= _order(told)) or (kind == "last_affected" and version > _order(told)):
            inside = False
    return inside


def _order(told: str) -> Version:
    try:
        return Version(told)
    except InvalidVersion:
        return Version("0")


def _mended(version: str, affected: Mapping[str, Any]) -> str:
    events = (event for each in affected.get("ranges", ()) for event in each.get("events", ()))
    later = [event["fixed"] for event in events if "fixed" in event and _order(event["fixed"]) > Version(version)]
    return min(later, key=_order, default="")


def _day_of(told: Iterable[Advisory]) -> datetime | None:
    """The newest change in the file: how much later things are known nobody sees from it."""
    days = [datetime.fromisoformat(each["modified"]) for each in told if each.get("modified")]
    return max((day if day.tzinfo else day.replace(tzinfo=UTC) for day in days), default=None)


def report(place: Path, now: datetime) -> tuple[int, list[str]]:
    """The end code, and what is said."""
    if not place.exists():
        return BLIND, [f"NOTHING WAS LOOKED AT: there is no {place}; SECURITY.md says where advisories come from"]
    told = list(advisories(place))
    day = _day_of(told)
    if day is None:
        return BLIND, [f"NOTHING WAS LOOKED AT: {place} holds no advisory"]
    said = [f"{len(told):,} advisories, the newest of {day:%Y-%m-%d}"]
    if now - day > OLD_AFTER:
        said.append(f"they are {(now - day).days} days old: take a newer file")
    harmless = accepted(now.date())
    found = [
        (f"{lock}.txt: {known}", harmless.get((known.package, known.id)))
        for lock in LOCKS
        for known in sorted(known_in(pins((ROOT / f"{lock}.txt").read_text(encoding="utf-8")), told), key=str)
    ]
    said += [f"{line} [accepted: {reason}]" if reason else line for line, reason in found]
    to_mend = sum(reason is None for _, reason in found)
    return (FOUND, [*said, f"{to_mend} to mend"]) if to_mend else (0, [*said, "nothing to mend"])


def main() -> int:
    """Entry of `make audit`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path, nargs="?", default=USUAL, help="all.zip of OSV for PyPI, or its folder")
    code, said = report(parser.parse_args().place, datetime.now(UTC))
    print(*said, sep="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
