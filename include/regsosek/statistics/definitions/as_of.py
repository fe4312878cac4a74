"""What a picture of the campaign is as of: its night, and of each province the night that its figures stand at.

The two differ where a province's own night failed: it then stays at an earlier one, and every output names it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, text

from regsosek.geography.provinces import provinces
from regsosek.warehouse.nights.lost_nights import WHOLE
from regsosek.warehouse.tables import each_measure


@dataclass(frozen=True)
class AsOf:
    """The picture of ``night``; a province that is absent from ``nights`` has no usable figures yet."""

    night: date
    nights: Mapping[str, date]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that :data:`AS_OF` asks for, and the night itself."""
        return {"provinces": list(self.nights), "nights": list(self.nights.values()), "night": self.night}

    def holding_back(self, codes: Iterable[str], last_good: Mapping[str, date]) -> "AsOf":
        """The same picture with the provinces ``codes`` at their last good night, or without figures if none was."""
        held = set(codes)
        kept = {code: night for code, night in self.nights.items() if code not in held}
        back = {code: last_good[code] for code in held if code in last_good}
        return AsOf(self.night, dict(sorted({**kept, **back}.items())))

    def night_before(self) -> "AsOf":
        """What was known the night before: provinces that stand at this very night go back by one."""
        before = self.night - timedelta(days=1)
        return AsOf(before, {code: min(night, before) for code, night in self.nights.items()})


_LAST_REFRESHED = f"""
SELECT province, max(night) AS night FROM ({WHOLE}) whole WHERE night <= :night GROUP BY province
"""


def last_refreshed(connection: Connection, night: date) -> AsOf:
    """Each province at the last night up to ``night`` whose statistics hold everything that it brought.

    A province that lacks a sealed night of the archive stands before that night, whatever came in after it.
    """
    found = {row.province: row.night for row in connection.execute(text(_LAST_REFRESHED), {"night": night})}
    return AsOf(night, {province.code: found[province.code] for province in provinces() if province.code in found})


def processed_nights(connection: Connection) -> list[date]:
    """The nights that any province was refreshed for, oldest first."""
    return [row.night for row in connection.execute(text("SELECT DISTINCT night FROM mart.refreshed ORDER BY night"))]


def summed() -> str:
    """SQL: the sum of every measure of progress."""
    return each_measure("sum({0})::bigint AS {0}")


# CTE: the night that each province stands at.
AS_OF = """
as_of AS (
    SELECT * FROM unnest(CAST(:provinces AS text[]), CAST(:nights AS date[])) AS a (province, last_night)
)"""


def newest_total(province: str, code: str, night: str, *, placed: bool) -> str:
    """SQL: the one row of ``mart.total`` that holds for a code as of a night, as a lateral subquery.

    One look into the key for each code: what it costs does not depend on how many nights were before. The table goes
    by its own name in here: an alias would take the place of the caller's of the same name.
    """
    return (
        f"LATERAL (SELECT * FROM mart.total WHERE total.province = {province} AND total.code = {code} "
        f"AND total.placed = {placed} AND total.night <= {night} ORDER BY total.night DESC LIMIT 1)"
    )
