"""Where a family belongs: its sub-SLS in the frame of its day, what became of a retired one, the regions above.

BPS lists changes of SLS as PSLS (split, merged, renamed). A family written under a code that was retired before its
day of enumeration keeps its key as delivered, because building numbers of merged SLS collide; only its place moves.
"""

from datetime import date

import duckdb

# Optional reference: without it no code is known to be retired.
_PSLS = """
CREATE TABLE IF NOT EXISTS psls (id_subsls_lama VARCHAR, id_subsls_baru VARCHAR, status SMALLINT, valid_from DATE)
"""

DESA = "k.r101_provinsi || k.r102_kabkota || k.r103_kecamatan || k.r104_desa"
HOLDS = "BETWEEN f.valid_from AND coalesce(f.valid_to, DATE '9999-12-31')"

# Heirs are all codes that a retired one became, directly or through further changes, if the frame holds them that day.
# One heir takes the family; several leave it to the smallest region that holds them all: lowest and highest path share
# a beginning exactly if all paths do. The frame's column says the desa of an heir, whatever the digits of its code.
_PLACEMENT = f"""
CREATE OR REPLACE TABLE placement AS
WITH RECURSIVE dated AS (
    SELECT row_no, id_subsls, coalesce(r201_tanggal_pencacahan, $on) AS day FROM keluarga_typed
),
known AS (
    SELECT DISTINCT d.row_no FROM dated d JOIN frame f ON f.id_subsls = d.id_subsls AND d.day {HOLDS}
),
heirs (id_subsls, day, heir) AS (
    SELECT d.id_subsls, d.day, p.id_subsls_baru
    FROM dated d JOIN psls p ON p.id_subsls_lama = d.id_subsls AND p.valid_from <= d.day
    WHERE d.row_no NOT IN (SELECT row_no FROM known)
    UNION
    SELECT h.id_subsls, h.day, p.id_subsls_baru
    FROM heirs h JOIN psls p ON p.id_subsls_lama = h.heir AND p.valid_from <= h.day
),
inherited AS (
    SELECT h.id_subsls, h.day, count(*) AS heirs, min(h.heir) AS heir,
           min(f.id_desa || h.heir[11:]) AS first_path, max(f.id_desa || h.heir[11:]) AS last_path
    FROM heirs h JOIN frame f ON f.id_subsls = h.heir AND h.day {HOLDS}
    GROUP BY h.id_subsls, h.day
),
retired AS (
    SELECT i.id_subsls, i.day, CASE WHEN any_value(i.heirs) = 1 THEN any_value(i.heir)
                                    ELSE max_by(r.code, length(r.code)) END AS placed_code
    FROM inherited i LEFT JOIN region r ON starts_with(i.first_path, r.code) AND starts_with(i.last_path, r.code)
    GROUP BY i.id_subsls, i.day
)
SELECT k.row_no, known.row_no IS NOT NULL AS in_frame, retired.id_subsls IS NOT NULL AS is_retired, desa.code AS desa,
       coalesce(CASE WHEN known.row_no IS NOT NULL THEN k.id_subsls END, retired.placed_code,
                desa.code, kecamatan.code, kabkota.code, $province) AS placed_code
FROM keluarga_typed k
JOIN dated d ON d.row_no = k.row_no
LEFT JOIN known ON known.row_no = k.row_no
LEFT JOIN retired ON retired.id_subsls = d.id_subsls AND retired.day = d.day
LEFT JOIN region desa ON desa.code = {DESA}
LEFT JOIN region kecamatan ON kecamatan.code = k.r101_provinsi || k.r102_kabkota || k.r103_kecamatan
LEFT JOIN region kabkota ON kabkota.code = k.r101_provinsi || k.r102_kabkota
"""

# SQL over ``placement p`` and ``keluarga_typed k``: what the frame of the day says of the code; NULL where the code is
# missing, or neither it nor a whole desa is known.
FRAME_STATUS = f"""
CASE WHEN k.id_subsls IS NULL THEN NULL WHEN p.in_frame THEN 'known' WHEN p.is_retired THEN 'retired'
     WHEN p.desa IS NOT NULL THEN 'desa_known' WHEN {DESA} IS NOT NULL THEN 'unknown' END
"""


def know_changes(connection: duckdb.DuckDBPyConnection) -> None:
    """Sees to it that there is a list of changes, be it empty."""
    connection.execute(_PSLS)


def place_families(connection: duckdb.DuckDBPyConnection, *, province: str, on: date) -> None:
    """Fills ``placement``: ``row_no, in_frame, is_retired, desa, placed_code`` of every row of ``keluarga_typed``.

    Args:
        on: the day that stands in for a missing date of enumeration.
    """
    know_changes(connection)
    connection.execute(_PLACEMENT, {"province": province, "on": on})
