"""The history of releases: revision, signature, what readers see, what was rolled back, what the full audit found."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from regsosek.release.lifecycle.pointer import Position

MOST = 60


@dataclass(frozen=True)
class ReleaseLine:
    """A release as the warehouse knows it.

    Attributes:
        signed_by: id of the public key that its signature is checked with; None of one that is not signed.
        held_back, missing: provinces published at their last good figures; provinces that it names as not whole.
        audited, audit_faults, audited_at: provinces (and the nation) of the last full audit, and what did not hold.
        current: readers see it.
    """

    release_id: str
    night: date
    revision: int
    published_at: datetime
    signed_by: str | None
    rolled_back_at: datetime | None
    held_back: tuple[str, ...]
    missing: tuple[str, ...]
    audited: int
    audit_faults: int
    audited_at: datetime | None
    current: bool


_RELEASES = """
SELECT r.release_id, r.night, r.revision, r.published_at, r.manifest ->> 'signed_by' AS signed_by, r.rolled_back_at,
       r.manifest -> 'held_back' AS held_back, r.manifest -> 'missing' AS missing,
       count(a.province) AS audited, coalesce(sum(jsonb_array_length(a.faults)), 0)::bigint AS audit_faults,
       max(a.at) AS audited_at
FROM release.release r LEFT JOIN release.full_audit a USING (release_id)
WHERE r.published_at IS NOT NULL
GROUP BY r.release_id, r.night, r.revision, r.published_at, r.manifest, r.rolled_back_at
ORDER BY r.night DESC, r.revision DESC LIMIT :most
"""


def release_lines(connection: Connection, standing: Position | None, most: int = MOST) -> list[ReleaseLine]:
    """The last releases, the newest night and revision first; ``standing``: what readers see."""
    current = standing.release_id if standing else None
    return [_line(dict(row._mapping), current) for row in connection.execute(text(_RELEASES), {"most": most})]


def _line(row: dict[str, Any], current: str | None) -> ReleaseLine:
    lists = {
        "held_back": tuple(row["held_back"] or ()),
        "missing": tuple(each["code"] for each in row["missing"] or ()),
    }
    return ReleaseLine(**row | lists, current=row["release_id"] == current)
