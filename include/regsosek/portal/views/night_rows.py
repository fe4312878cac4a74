"""How the last nights went, province by province, as an operator asks it of the ledger."""

from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.regions import NATION
from regsosek.portal.login.viewer import Viewer
from regsosek.release.lifecycle.publication import Publication, publication_fault, release_of
from regsosek.statistics.definitions.as_of import last_refreshed
from regsosek.statistics.nights.province_nights import provinces_of_the_night
from regsosek.warehouse.nights.night_faults import faults_of

# Nothing is missing of these: what came is accepted, or nothing was to come.
COMPLETE = ("accepted", "closed")
UNDER_WAY = "not_processed"
FAILED = "failed"


@dataclass(frozen=True)
class ProvinceState:
    """What a night brought from one province; ``state`` is a state of ``states.csv``, ``reasons`` are reason ids."""

    province: str
    name: str
    state: str
    deliveries: int
    reasons: tuple[str, ...]

    @property
    def published_state(self) -> str:
        """The state in a release's words, which know of no task of ours."""
        return UNDER_WAY if self.state == FAILED else self.state


@dataclass(frozen=True)
class NightRow:
    """One night: the provinces that are looked at by code, what was published of it, and what is wrong with that."""

    night: date
    provinces: tuple[ProvinceState, ...]
    release: Publication | None
    fault: str | None

    def seen_by(self, viewer: Viewer) -> "NightRow":
        """The same night with what ``viewer`` may see: own provinces; faults of ours may name others."""
        own = tuple(each for each in self.provinces if viewer.sees(each.province))
        return replace(self, provinces=own, fault=self.fault if viewer.operator else None)

    def of(self, province: str) -> ProvinceState:
        """What the night brought from ``province``."""
        return next(each for each in self.provinces if each.province == province)

    @property
    def complete(self) -> int:
        """How many provinces miss nothing of the night."""
        return sum(each.state in COMPLETE for each in self.provinces)

    def gaps(self) -> Mapping[tuple[str, tuple[str, ...]], list[ProvinceState]]:
        """The provinces that miss something of the night, by state and reasons: one cause is told once."""
        found: defaultdict[tuple[str, tuple[str, ...]], list[ProvinceState]] = defaultdict(list)
        for each in self.provinces:
            if each.state not in COMPLETE:
                found[each.state, each.reasons].append(each)
        return found

    def by_state(self) -> Mapping[str, int]:
        """How many provinces are in each state."""
        return Counter(each.state for each in self.provinces)


_LAST_NIGHTS = """
SELECT night FROM (SELECT night FROM ledger.seal UNION SELECT night FROM mart.refreshed) AS worked_on
ORDER BY night DESC LIMIT :count
"""


def last_nights(connection: Connection, count: int) -> list[date]:
    """The last ``count`` nights that any province worked on, newest first."""
    return [row.night for row in connection.execute(text(_LAST_NIGHTS), {"count": count})]


def read_night(connection: Connection, night: date, windows: Mapping[str, FieldWindow]) -> NightRow:
    """How ``night`` went."""
    release, failed = release_of(connection, night), faults_of(connection, night)
    held_back = release.held_back if release is not None else ()
    newest = release is None and last_nights(connection, 1) == [night]
    table = provinces_of_the_night(connection, last_refreshed(connection, night), windows)
    states = tuple(
        ProvinceState(
            province=row["province"],
            name=row["name"],
            state="held_back" if row["province"] in held_back else _ended(row, failed, newest=newest),
            deliveries=int(row["deliveries"]),
            reasons=tuple(filter(None, row["reasons"].split(","))),
        )
        for row in table.to_dict("records")
    )
    under_way = NATION not in failed and any(each.state == UNDER_WAY for each in states)
    return NightRow(night, states, release, None if under_way else publication_fault(connection, night, failed))


def _ended(row: Mapping[Any, Any], failed: Container[str], *, newest: bool) -> str:
    """What is not processed failed, unless its task may still come: on the newest night, with nothing published."""
    may_come = newest and row["province"] not in failed
    return row["state"] if may_come or row["state"] != UNDER_WAY else FAILED


def read_nights(connection: Connection, nights: Sequence[date], windows: Mapping[str, FieldWindow]) -> list[NightRow]:
    """How each of ``nights`` went, in their order."""
    return [read_night(connection, night, windows) for night in nights]
