"""How a night went, as one value: what `regsosek status` shows and gives as JSON (docs/status.md)."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from statistics import median

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text

from regsosek.asking.night_history import ProvinceLine, province_lines
from regsosek.errors import NoNightError, ObjectStoreError
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.provinces import provinces
from regsosek.landing.store import Store
from regsosek.release.lifecycle.current_release import StandingRelease, standing_release
from regsosek.release.lifecycle.publication import publication_fault
from regsosek.statistics.definitions.as_of import last_refreshed, processed_nights
from regsosek.statistics.nights.conclusion import conclusion
from regsosek.statistics.nights.province_nights import provinces_of_the_night
from regsosek.warehouse.nights.holding import held_deliveries
from regsosek.warehouse.nights.night_faults import faults_of
from regsosek.wording.nouns import counted

USUAL_NIGHTS = 7  # before the one that is shown


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProvinceNightState(_Frozen):
    """A province: what it is short of, and the counts of :class:`ProvinceLine` (families, deliveries)."""

    code: str
    name: str
    state: str
    plan_percent: float
    counts: Mapping[str, int]


class PublishedNight(_Frozen):
    """What became of the night's release, and what readers see, whichever night that is of."""

    fault: str | None
    first_published_at: datetime | None
    readers_see: str | None
    readers_night: date | None
    revision: int | None
    signed_by: str | None
    rolled_back: tuple[str, ...]


class Duration(_Frozen):
    """From the first province's beginning to the first publication, in seconds, beside the median of nights before."""

    begun_at: datetime | None
    seconds: float | None
    usual_seconds: float | None
    usual_of_nights: int


class WaitingCounts(_Frozen):
    """What waits: families in quarantine now, deliveries held as of the night with their families."""

    quarantined_families: int
    quarantined_of_the_night: int
    held_deliveries: int
    held_families: int


class Alerts(_Frozen):
    """Messages of the night in the outbox."""

    sent: int
    waiting: int


class LastNight(_Frozen):
    """A night as a whole."""

    night: date
    summary: str
    by_state: Mapping[str, int]
    provinces: tuple[ProvinceNightState, ...]
    release: PublishedNight
    duration: Duration
    waiting: WaitingCounts
    alerts: Alerts

    @property
    def problems(self) -> tuple[str, ...]:
        """What of ours failed; deliveries that are held or rejected, and provinces that sent nothing, are outcomes."""
        missing, due = self.by_state.get("not_processed", 0), self.alerts.sent + self.alerts.waiting
        found = (
            f"{missing} of {counted(len(self.provinces), 'province', 'provinces')} not processed" if missing else "",
            self.release.fault or "",
            f"{self.alerts.waiting} of {counted(due, 'message', 'messages')} not sent" if self.alerts.waiting else "",
        )
        return tuple(filter(None, found))


def newest_night(connection: Connection) -> date:
    """The last night that any province was processed for.

    Raises:
        NoNightError: there is none.
    """
    nights = processed_nights(connection)
    if not nights:
        raise NoNightError("no night has been processed yet; run `regsosek night`")
    return nights[-1]


def last_night(
    connection: Connection, store: Store, bucket: str, night: date, windows: Mapping[str, FieldWindow]
) -> tuple[LastNight, StandingRelease | None]:
    """Everything about ``night``, and the release that readers see; none where nothing is published or seen."""
    table = provinces_of_the_night(connection, last_refreshed(connection, night), windows)
    states = dict(zip(table["province"], table["state"], strict=True))
    lines = {line.province: line for line in province_lines(connection, night)}
    standing, unseen = _standing(connection, store, bucket)
    found = LastNight(
        night=night,
        summary=conclusion(connection, night, list(states), windows),
        by_state=Counter(states.values()),
        provinces=tuple(
            _province(each.code, each.name, states[each.code], lines.get(each.code), windows[each.code], night)
            for each in provinces()
        ),
        release=_release(connection, night, standing, unseen),
        duration=_duration(connection, night),
        waiting=_waiting(connection, night),
        alerts=Alerts(**connection.execute(_ALERTS, {"night": night}).one()._mapping),
    )
    return found, standing


def _province(
    code: str, name: str, state: str, line: ProvinceLine | None, window: FieldWindow, night: date
) -> ProvinceNightState:
    counts = {name: int(value) for name, value in vars(line).items() if name not in _NO_COUNT} if line else {}
    plan = round(100 * window.plan_share(night, night), 1)
    return ProvinceNightState(code=code, name=name, state=state, plan_percent=plan, counts=counts)


_NO_COUNT = {"province", "refreshed"}


def _standing(connection: Connection, store: Store, bucket: str) -> tuple[StandingRelease | None, str | None]:
    try:
        return standing_release(connection, store, bucket), None
    except ObjectStoreError:
        return None, "what readers see is not known: the object store does not answer"


def _release(
    connection: Connection, night: date, standing: StandingRelease | None, unseen: str | None
) -> PublishedNight:
    position = standing.position if standing else None
    first = connection.execute(_FIRST_PUBLISHED, {"night": night}).scalar()
    return PublishedNight(
        fault=publication_fault(connection, night, faults_of(connection, night)) or unseen,
        first_published_at=first,
        readers_see=position.release_id if position else None,
        readers_night=position.night if position else None,
        revision=position.revision if position else None,
        signed_by=standing.signed_by if standing else None,
        rolled_back=position.rolled_back if position else (),
    )


def _duration(connection: Connection, night: date) -> Duration:
    spans = {row.night: row for row in connection.execute(_SPANS, {"night": night, "nights": USUAL_NIGHTS + 1})}
    own = spans.pop(night, None)
    usual = [row.seconds for row in spans.values() if row.seconds is not None]
    return Duration(
        begun_at=own.begun_at if own else None,
        seconds=own.seconds if own else None,
        usual_seconds=median(usual) if usual else None,
        usual_of_nights=len(usual),
    )


def _waiting(connection: Connection, night: date) -> WaitingCounts:
    held = held_deliveries(connection, night=night)
    quarantined = connection.execute(_QUARANTINED, {"night": night}).one()
    return WaitingCounts(
        **quarantined._mapping,
        held_deliveries=len(held),
        held_families=sum(each.families for each in held),
    )


_FIRST_PUBLISHED = text("SELECT min(first_published_at) FROM release.release WHERE night = :night")
_SPANS = text("""
SELECT s.night, s.begun_at, extract(epoch FROM r.published_at - s.begun_at)::double precision AS seconds
FROM (SELECT night, min(sealed_at) AS begun_at FROM ledger.seal WHERE night <= :night GROUP BY night) s
LEFT JOIN (SELECT night, min(first_published_at) AS published_at FROM release.release GROUP BY night) r USING (night)
ORDER BY s.night DESC LIMIT :nights
""")
_QUARANTINED = text("""
SELECT count(*) AS quarantined_families, count(*) FILTER (WHERE night = :night) AS quarantined_of_the_night
FROM core.kasus_terkini WHERE waiting IS NOT NULL
""")
_ALERTS = text("""
SELECT count(*) FILTER (WHERE state = 'sent') AS sent, count(*) FILTER (WHERE state = 'waiting') AS waiting
FROM alert.outbox WHERE night = :night
""")
