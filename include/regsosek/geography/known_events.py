"""Known events: why a region may rightly be silent or slow for some days (a flood, a feast), and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from regsosek.errors import ReferenceDataError
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import read_table
from regsosek.geography.regions import region_master

EVERYWHERE = "*"
LONGEST = timedelta(days=62)
_COLUMNS = ("id", "region", "kinds", "opens", "closes", "reason", "owner", "source")


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """One event.

    Attributes:
        region: BPS code of a province or kab/kota, ``*`` for all.
        kinds: kinds of condition (``alerts.condition.Kind``) that it explains.
        opens, closes: first and last day, both included.
        reason: for the offices, in Indonesian.
        owner: who answers for it.
    """

    id: str
    region: str
    kinds: frozenset[str]
    opens: date
    closes: date
    reason: str
    owner: str

    def covers(self, province: str, kabkota: str) -> bool:
        """Whether it happens in the whole of a place: a province (no ``kabkota``) or a kab/kota of it."""
        return self.region in {EVERYWHERE, province} or (bool(kabkota) and self.region == kabkota)


def known_events(path: Path | None, kinds: Sequence[str]) -> tuple[KnownEvent, ...]:
    """The events of a file, in its order.

    Args:
        path: CSV with the columns id, region, kinds (separated by spaces), opens, closes, reason, owner, source; none
            means no events.
        kinds: that an event can explain.

    Raises:
        ReferenceDataError: the file cannot be read, an id stands twice, a region or kind is unknown, an event has no
            reason, owner or end, ends before it begins, or lasts longer than :data:`LONGEST`.
    """
    if path is None:
        return ()
    events = tuple(_event(path.name, row, kinds) for row in read_table(path, _COLUMNS))
    ids = [event.id for event in events]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise ReferenceDataError(f"{path.name}: events {', '.join(twice)} stand twice; give each an id of its own")
    return events


def _event(file_name: str, row: dict[str, str], kinds: Sequence[str]) -> KnownEvent:
    place = f"{file_name}: event {row['id'] or '(without id)'}"
    lacking = [column for column in _COLUMNS if not row[column]]
    if lacking:
        raise ReferenceDataError(f"{place}: fill {', '.join(lacking)}; a silence needs a reason, an owner and an end")
    explained = frozenset(row["kinds"].split())
    if not explained <= set(kinds):
        strangers = ", ".join(sorted(explained - set(kinds)))
        raise ReferenceDataError(f"{place}: no such kinds: {strangers}; write some of {', '.join(kinds)}")
    if not _known(row["region"]):
        fix = f"write the BPS code of a province or kab/kota, or {EVERYWHERE}"
        raise ReferenceDataError(f"{place}: no such region: {row['region']}; {fix}")
    opens, closes = _days(place, row)
    return KnownEvent(row["id"], row["region"], explained, opens, closes, row["reason"], row["owner"])


def _known(region: str) -> bool:
    return (
        region == EVERYWHERE
        or region in {each.code for each in provinces()}
        or (region_master().region(region, "kabkota") is not None)
    )


def _days(place: str, row: dict[str, str]) -> tuple[date, date]:
    try:
        opens, closes = date.fromisoformat(row["opens"]), date.fromisoformat(row["closes"])
    except ValueError:
        raise ReferenceDataError(f"{place}: write opens and closes as YYYY-MM-DD") from None
    if closes < opens:
        raise ReferenceDataError(f"{place}: closes before it opens; exchange the dates")
    if closes - opens > LONGEST:
        raise ReferenceDataError(f"{place}: lasts more than {LONGEST.days} days; renew it when it must go on")
    return opens, closes
