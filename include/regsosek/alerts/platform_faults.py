"""Faults of ours as conditions: a province that could not be received, a night not published, a landing area that looks
empty. They are kept under the code of the nation and are never told to a province."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import Connection, text

from regsosek.alerts.conditions.condition import Condition, Kind, Place, Severity, State
from regsosek.alerts.conditions.lifecycle import live
from regsosek.alerts.messages.platform_message import PlatformFigures
from regsosek.alerts.persistence.condition_store import OURS, acts_of, write_conditions

PUBLICATION, SILENCE, ASTRAY, UNTOLD = "publication", "silence", "astray", "untold"
# Several faults of the nation at once are told apart by the codes of their places.
_PLACES = {each: Place("nasional", f"{OURS}-{each}") for each in (PUBLICATION, SILENCE, ASTRAY, UNTOLD)}
_LAST_GOOD = """
SELECT province, max(night) AS night FROM mart.refreshed WHERE night < :night GROUP BY province
UNION ALL SELECT :ours, max(night) FROM release.release WHERE published_at IS NOT NULL AND night < :night
"""


def faults(figures: PlatformFigures, last_good: Mapping[str, date]) -> tuple[Condition, ...]:
    """What of ours is the matter, each since the night after the last good one.

    Args:
        last_good: by province, the last night before this one that was received; of the nation, that was published.
    """
    broken = sorted({*figures.failed, *figures.stale})
    found = [_fault(Place("provinsi", code), last_good.get(code), figures.night) for code in broken]
    ours = {
        PUBLICATION: figures.publication,
        SILENCE: figures.silent,
        ASTRAY: figures.unrecognised,
        UNTOLD: figures.untold,
    }
    since = {PUBLICATION: last_good.get(OURS)}
    found += [_fault(_PLACES[each], since.get(each), figures.night, each) for each, holds in ours.items() if holds]
    return tuple(found)


def _fault(place: Place, last_good: date | None, night: date, news: str = "") -> Condition:
    since = min(night, last_good + timedelta(days=1)) if last_good else night
    return Condition(Kind.PIPELINE_FAULT, place, Severity.CRITICAL, since, 0, news=news)


def note_faults(connection: Connection, figures: PlatformFigures) -> bool:
    """Writes the faults of a night as they stand; says whether all of them are acknowledged or snoozed."""
    asked = {"night": figures.night, "ours": OURS}
    last_good = {row.province: row.night for row in connection.execute(text(_LAST_GOOD), asked) if row.night}
    found = faults(figures, last_good)
    acts = acts_of(connection, OURS)
    stands = live((), found, acts, figures.night, shows=lambda *_: True, expires=True, escalation={})
    write_conditions(connection, OURS, figures.night, stands)
    in_hand = {State.ACKNOWLEDGED, State.SNOOZED}
    return bool(stands) and all(each.state in in_hand for each in stands)


def suspected_before(connection: Connection, night: date) -> bool:
    """Whether silence of ``night`` was found to be ours when all provinces were judged together."""
    query = "SELECT 1 FROM alert.condition WHERE province = :ours AND night = :night AND news = :news"
    asked = {"ours": OURS, "night": night, "news": SILENCE}
    return connection.execute(text(query), asked).first() is not None
