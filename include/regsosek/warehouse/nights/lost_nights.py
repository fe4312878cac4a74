"""Nights that the archive has sealed and the warehouse lacks: it was restored, or a replay did not come to its end.

A night that was reopened since is lacked, too: its seal in the archive is larger than the one that the ledger knows.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from regsosek.warehouse.tables import archived_seal

SHOWN = 5
ArchivedSeals = Mapping[tuple[str, date], int]

# Seals of the archive whose nights the ledger lacks, wholly or since they were reopened.
LOST = """
SELECT a.province, a.night FROM ledger.archived_seal a LEFT JOIN ledger.seal s USING (province, night)
WHERE s.night IS NULL OR s.archived_bytes < a.bytes
"""
# Province and night of all that the statistics hold: behind a lost night no mark counts.
WHOLE = f"""
SELECT r.province, r.night FROM mart.refreshed r
LEFT JOIN (SELECT province, min(night) AS night FROM ({LOST}) lost GROUP BY province) l USING (province)
WHERE l.night IS NULL OR r.night < l.night
"""


def note_archived(connection: Connection, seals: ArchivedSeals, province: str = "") -> None:
    """Keeps what the archive has sealed, of one province or of all; what it no longer has goes."""
    table = archived_seal.c
    query = select(table.province, table.night, table.bytes).where((table.province == province) | (province == ""))
    kept = {(row.province, row.night): row.bytes for row in connection.execute(query)}
    changed = [(code, night, size) for (code, night), size in sorted(seals.items()) if kept.get((code, night)) != size]
    if changed:
        statement = insert(archived_seal).values(changed)
        keys = ["province", "night"]
        connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_={"bytes": statement.excluded.bytes})
        )
    gone = sorted(kept.keys() - seals.keys())
    if gone:
        connection.execute(archived_seal.delete().where(tuple_(table.province, table.night).in_(gone)))


def lost_nights(connection: Connection, province: str = "") -> dict[str, list[date]]:
    """The nights that the warehouse lacks of what was kept last, oldest first; provinces that lack none are absent."""
    query = f"{LOST} AND (:province = '' OR a.province = :province) ORDER BY 1, 2"
    found: dict[str, list[date]] = {}
    for code, night in connection.execute(text(query), {"province": province}):
        found.setdefault(code, []).append(night)
    return found


def told_lost(province: str, nights: Sequence[date]) -> str:
    """Names lost nights and the command that brings them back."""
    more = f" and {len(nights) - SHOWN} more" if len(nights) > SHOWN else ""
    return (
        f"province {province}: the warehouse lacks {', '.join(map(str, nights[:SHOWN]))}{more}, which the archive has "
        f"sealed; run `regsosek replay --from {nights[0]} -p {province}` (DAG regsosek_replay)"
    )
