"""The provinces of the frame (34 in 2022): names, zones, targets. DAG files read them: nothing heavy loads."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from regsosek.errors import ReferenceDataError
from regsosek.geography.reference_table import DATA, read_table

COLUMNS = (
    "code",
    "name",
    "timezone",
    "target_published",
    "target_estimated",
    "officers_published",
    "kabkota_2018",
    "kecamatan_2018",
    "desa_2018",
    "families_dukcapil_202302",
    "persons_dukcapil_202302",
    "note",
)


@dataclass(frozen=True, slots=True)
class Province:
    """One province; where its figures come from stands in ``data/SOURCES.md``.

    ``target`` is in families: the published figure, else the estimate from Dukcapil families. ``officers`` is None
    where no figure was published. ``kabkota``, ``kecamatan`` and ``desa`` are counts of 2018.
    """

    code: str
    name: str
    timezone: str
    target: int
    target_source: Literal["published", "estimated"]
    officers: int | None
    kabkota: int
    kecamatan: int
    desa: int
    families_dukcapil: int
    persons_dukcapil: int
    note: str

    @property
    def office(self) -> str:
        """What its BPS office is called."""
        return f"BPS Provinsi {self.name}"


@cache
def provinces() -> tuple[Province, ...]:
    """All provinces, ordered by BPS code."""
    rows = read_table(DATA / "provinces.csv", COLUMNS)
    return tuple(sorted((_province(row) for row in rows), key=lambda province: province.code))


def province(code: str) -> Province:
    """The province with BPS code ``code``.

    Raises:
        ReferenceDataError: there is none in the 2022 frame.
    """
    try:
        return _by_code()[code]
    except KeyError:
        fix = "use a BPS code of the 2022 frame (11 to 94; Kemendagri codes differ, provinces formed later have none)"
        raise ReferenceDataError(f"no province has the code {code!r}; {fix}") from None


def clock_offset(code: str, moment: datetime) -> timedelta:
    """How far the clock of a province is ahead of UTC at ``moment``."""
    offset = moment.astimezone(ZoneInfo(province(code).timezone)).utcoffset()
    assert offset is not None, "a moment on a clock of a zone has an offset"
    return offset


@cache
def _by_code() -> MappingProxyType[str, Province]:
    return MappingProxyType({province.code: province for province in provinces()})


def _province(row: dict[str, str]) -> Province:
    published, officers = row["target_published"], row["officers_published"]
    return Province(
        code=row["code"],
        name=row["name"],
        timezone=row["timezone"],
        target=int(published or row["target_estimated"]),
        target_source="published" if published else "estimated",
        officers=int(officers) if officers else None,
        kabkota=int(row["kabkota_2018"]),
        kecamatan=int(row["kecamatan_2018"]),
        desa=int(row["desa_2018"]),
        families_dukcapil=int(row["families_dukcapil_202302"]),
        persons_dukcapil=int(row["persons_dukcapil_202302"]),
        note=row["note"],
    )
