"""Targets that a deployment supplies beside those of the provinces: families of a kab/kota, SLS of any region."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from regsosek.errors import ReferenceDataError
from regsosek.geography.plan import VERSION_DIGITS
from regsosek.geography.reference_table import read_table
from regsosek.geography.regions import NATION, region_master

_COLUMNS = ("region", "families", "sls", "source")


@dataclass(frozen=True, slots=True)
class RegionTarget:
    """What one region is to enumerate, already scaled; None where the file leaves a cell empty."""

    families: int | None
    sls: int | None
    source: str


@dataclass(frozen=True)
class RegionTargets:
    """The supplied targets by code; ``version`` is the beginning of the file's SHA-256, empty if there is none."""

    by_region: Mapping[str, RegionTarget]
    version: str

    def families(self, code: str) -> int | None:
        """The families that a region is to enumerate; None where nothing is supplied."""
        return self.by_region[code].families if code in self.by_region else None


NO_TARGETS = RegionTargets({}, "")


def region_targets(path: Path | None = None) -> RegionTargets:
    """The targets of a file.

    Args:
        path: CSV with the columns region (BPS code of the nation, a province or kab/kota), families (of kab/kota alone:
            provinces have the reference dataset ``target``), sls and source; none means that none are known.

    Raises:
        ReferenceDataError: the file cannot be read, or a line names no such region, repeats one, or gives no number.
    """
    if path is None:
        return NO_TARGETS
    found: dict[str, RegionTarget] = {}
    for row in read_table(path, _COLUMNS):
        if row["region"] in found:
            raise ReferenceDataError(f"{path.name}: region {row['region']} stands twice; keep one line")
        found[row["region"]] = _target(f"{path.name}: region {row['region']}", row)
    return RegionTargets(found, sha256(path.read_bytes()).hexdigest()[:VERSION_DIGITS])


def _target(place: str, row: Mapping[str, str]) -> RegionTarget:
    region = region_master().regions.get(row["region"])
    if region is None or region.level not in {"nasional", "provinsi", "kabkota"}:
        raise ReferenceDataError(f"{place}: no such region; write {NATION} or the BPS code of a province or kab/kota")
    numbers = {column: row[column] for column in ("families", "sls") if row[column]}
    if not numbers or not all(n.isascii() and n.isdigit() and int(n) > 0 for n in numbers.values()):
        raise ReferenceDataError(f"{place}: give families, sls or both as whole numbers from 1")
    if "families" in numbers and region.level != "kabkota":
        raise ReferenceDataError(f"{place}: families are given of kab/kota alone; send those of provinces as `target`")
    if not row["source"]:
        raise ReferenceDataError(f"{place}: say in column source where the number comes from")
    given = {column: int(n) for column, n in numbers.items()}
    return RegionTarget(given.get("families"), given.get("sls"), row["source"])
