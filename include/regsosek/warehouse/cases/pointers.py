"""Which revision of each case is the current one: ``core.kasus_terkini``, as the log of revisions says it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from regsosek.warehouse.access.hidden_cases import ERASED_CASES
from regsosek.warehouse.cases.case_state import case_state_as_of, revised

_POINT = f"""
INSERT INTO core.kasus_terkini AS t (province, case_id, state, waiting, night, delivery_id, part, row_no, id_subsls,
                                     r109_no_bangunan, r110_no_keluarga)
SELECT :province, case_id, settled_state,
       CASE WHEN state IN ('quarantined', 'pending') AND case_id NOT IN {ERASED_CASES} THEN state END,
       night, delivery_id, part, row_no, id_subsls, r109_no_bangunan, r110_no_keluarga
FROM ({case_state_as_of("night")}) case_state
ON CONFLICT (province, case_id) DO UPDATE SET
    state = excluded.state, waiting = excluded.waiting, night = excluded.night, delivery_id = excluded.delivery_id,
    part = excluded.part, row_no = excluded.row_no, id_subsls = excluded.id_subsls,
    r109_no_bangunan = excluded.r109_no_bangunan, r110_no_keluarga = excluded.r110_no_keluarga
"""

_OF_DELIVERY = """
SELECT DISTINCT case_id FROM core.kasus
WHERE province = :province AND night = :delivered_night AND delivery_id = :delivery_id
"""


def refresh_pointers(connection: Connection, key: Mapping[str, Any]) -> None:
    """Points ``kasus_terkini`` at the current revision of every case that a delivery touches.

    Args:
        key: names its rows: ``province, night, delivery_id``.
    """
    values = {**key, "delivered_night": key["night"], "night": date.max}
    with revised(connection, _OF_DELIVERY, values):
        connection.execute(text(_POINT), values)


def rebuild_pointers(connection: Connection, province: str) -> None:
    """Points ``kasus_terkini`` of ``province`` anew, from the log alone."""
    own = {"province": province, "night": date.max}
    connection.execute(text("DELETE FROM core.kasus_terkini WHERE province = :province"), own)
    with revised(connection, "SELECT DISTINCT case_id FROM core.kasus WHERE province = :province", own):
        connection.execute(text(_POINT), own)
