"""Fills ``mart.verified`` from the recap: the list of every place of the frame, a row where a night changed it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, insert, text

from regsosek.statistics.streams.lists import COUNTS, PlacedList, Statement, placed_lists
from regsosek.warehouse.cases.stream_state import newest_messages
from regsosek.warehouse.tables import verified

_COLUMNS = ("jumlah_keluarga_verifikasi", "nonrespon", "sangat_miskin", "miskin", "tidak_miskin")
_FRAME = """
SELECT DISTINCT ON (id_subsls) id_subsls, families_load FROM reference.subsls
WHERE province = :province AND :night BETWEEN valid_from AND coalesce(valid_to, 'infinity')
ORDER BY id_subsls, valid_from DESC
"""
_HEIRS = """
SELECT id_subsls_lama AS code, id_subsls_baru AS heir FROM reference.psls
WHERE province = :province AND valid_from <= :night
"""
_FORMER = """
SELECT DISTINCT ON (id_subsls) * FROM mart.verified WHERE province = :province AND night < :night
ORDER BY id_subsls, night DESC
"""
_VALUES = (*COUNTS, "not_found")
_NOT_ENTERED: Mapping[str, Any] = dict.fromkeys(COUNTS) | {"not_found": False}


def write_verified(connection: Connection, province: str, night: date) -> None:
    """Writes the lists that ``night`` changed in ``province``, by new lines or by a new frame; an earlier try goes."""
    own = {"province": province, "night": night}
    of_night = (verified.c.province == province) & (verified.c.night == night)
    connection.execute(delete(verified).where(of_night))
    former = {row.id_subsls: row._asdict() for row in connection.execute(text(_FORMER), own)}
    statements = list(_statements(connection, own))
    if not statements and not former:
        return
    loads = {row.id_subsls: row.families_load for row in connection.execute(text(_FRAME), own)}
    found, _ = placed_lists(statements, loads, _heirs(connection, own))
    rows = [{**own, **row} for row in _changed(found, former, loads)]
    if rows:
        connection.execute(insert(verified), rows)


def _changed(
    found: Mapping[str, PlacedList], former: Mapping[str, Mapping[str, Any]], loads: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """Lists that differ from what stood before; one that nobody tells any more is not entered."""
    for code in sorted(set(found) | (set(former) & set(loads))):
        before = former.get(code)
        values = _values(found[code]) if code in found else dict(_NOT_ENTERED)
        if before is None or any(values[name] != before[name] for name in _VALUES):
            told_by = found[code].newest[1] if code in found else former[code]["delivery_id"]
            yield {"id_subsls": code, **values, "delivery_id": told_by}


def _values(placed: PlacedList) -> dict[str, Any]:
    counts = placed.counts or (None,) * len(COUNTS)
    return dict(zip(COUNTS, counts, strict=True)) | {"not_found": placed.not_found}


def _statements(connection: Connection, own: Mapping[str, Any]) -> Iterator[Statement]:
    for row in connection.execute(text(newest_messages("rekap_vk")), own):
        counts = [getattr(row, name) for name in _COLUMNS]
        yield Statement(
            source=row.id_subsls,
            target=row.id_subsls_baru or row.id_subsls,
            not_found=row.flag_tidak_ditemukan == 1,
            counts=None if counts[0] is None else tuple(count or 0 for count in counts),
            order=(row.produced_at, row.delivery_id, row.part, row.row_no),
            delivery_id=row.delivery_id,
        )


def _heirs(connection: Connection, own: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(text(_HEIRS), own):
        found[row.code].append(row.heir)
    return found
