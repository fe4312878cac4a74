"""What waits in quarantine, by province and age: counts that the whole nation's can be had of at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, text

# Nights that a case has waited, the one that it came in among them, as mails count: at most so many, and its name.
AGES = ((1, "1 night"), (3, "2–3 nights"), (7, "4–7 nights"), (10_000, "8 or more"))


@dataclass
class ProvinceWaiting:
    """What waits of one province.

    Attributes:
        by_age: families of which nothing was ever accepted, by the names of :data:`AGES`.
        oldest: since when the first of them waits.
        pending: families whose newest revision waits while an older one stays loaded.
        messages: of each stream, how many messages of accepted deliveries went into quarantine so far.
    """

    province: str
    by_age: dict[str, int] = field(default_factory=lambda: {name: 0 for _, name in AGES})
    oldest: date | None = None
    pending: int = 0
    messages: Mapping[str, int] = field(default_factory=dict)

    @property
    def families(self) -> int:
        """All that wait."""
        return sum(self.by_age.values()) + self.pending


_CASES = """
SELECT province, waiting AS state, night, count(*) AS cases FROM core.kasus_terkini
WHERE province = ANY(:provinces) AND waiting IS NOT NULL GROUP BY province, waiting, night
"""
_MESSAGES = """
SELECT d.province, c.dataset, sum(c.quarantined)::bigint AS messages
FROM ledger.delivery d
JOIN ledger.delivery_count c USING (province, delivery_id, delivered_on)
WHERE d.province = ANY(:provinces) AND d.state = 'accepted' AND c.quarantined > 0
  AND c.dataset NOT IN ('keluarga', 'anggota')
GROUP BY d.province, c.dataset ORDER BY d.province, c.dataset
"""


def waiting_by_province(connection: Connection, provinces: Collection[str], newest: date) -> list[ProvinceWaiting]:
    """What waits of each of ``provinces``, as counted from night ``newest``; the most first, then by code."""
    found = {code: ProvinceWaiting(code) for code in provinces}
    for row in connection.execute(text(_CASES), {"provinces": list(provinces)}):
        _count(found[row.province], row.state, row.night, row.cases, newest)
    messages: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(text(_MESSAGES), {"provinces": list(provinces)}):
        messages[row.province][row.dataset] = row.messages
    for code, each in messages.items():
        found[code].messages = each
    return sorted(found.values(), key=lambda each: (-each.families, each.province))


def age_of(night: date, newest: date) -> str:
    """What the age of a case is called that waits since ``night``."""
    waited = (newest - night).days + 1
    return next(name for most, name in AGES if waited <= most)


def _count(province: ProvinceWaiting, state: str, night: date, cases: int, newest: date) -> None:
    # The night of a pending case is that of its accepted revision: it does not say since when the newest waits.
    if state == "pending":
        province.pending += cases
        return
    province.by_age[age_of(night, newest)] += cases
    province.oldest = min(night, province.oldest or night)
