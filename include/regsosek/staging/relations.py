"""One part of a delivery as typed relations, with the facts that rules ask of roster and frame.

After :func:`stage` the database holds, for this part alone:

``keluarga_text``, ``anggota_text``
    the delivered text, ``row_no`` and one column per variable of the delivery's version of the questionnaire;
``roster``
    ``anggota_row, keluarga_row, key, misfit``: which family each member belongs to;
``kasus``
    one row per family row: ``keluarga_row, case_id, content_hash, placed_code`` and what the log needs (where a family
    belongs is known to :mod:`regsosek.staging.placement`);
``keluarga``, ``anggota``
    what the rules see: ``row_no``, typed columns, ``<column>__untyped`` (the text that could not be typed) and the
    facts (of members: :mod:`regsosek.staging.roster`), without withdrawn documents. Variables that only other versions
    have are there and empty. Tables, not views: some hundred queries read them.
"""

from collections.abc import Collection
from datetime import date
from functools import cache

import duckdb

from regsosek.contract.codebook import DATASETS, Variable, all_variables, variables
from regsosek.contract.instruments import first_version, instrument_of
from regsosek.errors import ContractBreachError
from regsosek.geography.calendar import PossibleDays, field_windows
from regsosek.staging.case_facts import case_facts
from regsosek.staging.placement import DESA, FRAME_STATUS, place_families
from regsosek.staging.pseudonyms import keyed_hash
from regsosek.staging.reading.files import text_table
from regsosek.staging.reading.typing_sql import SQL_TYPES, can_be_untyped, typed, untyped_column
from regsosek.staging.repeats import WITHDRAWN, clear_repeats, count_repeats, note_part, sixteen_digits
from regsosek.staging.roster import ANGGOTA, COUPLES, NIKS_OF_SEVERAL


def stage(
    connection: duckdb.DuckDBPyConnection,
    *,
    part: int,
    province: str,
    on: date,
    version: str,
    days: PossibleDays | None = None,
    alone: bool = True,
) -> None:
    """Types the part read last and builds its roster, cases and relations.

    Args:
        province: of the delivery; a family that names another one is misplaced.
        on: the day of delivery; it stands in for a missing date of enumeration when the frame's validity is looked up.
        version: of the questionnaire, as the part was read by.
        days: when its families can have been enumerated; without it the packaged window of the province, until ``on``.
        alone: the part is the whole delivery; otherwise :mod:`regsosek.staging.repeats` has counted all parts.

    Raises:
        ContractBreachError: ``parts_misaligned``: members whose family is not in this part.
    """
    if alone:
        clear_repeats(connection)
        note_part(connection)
        count_repeats(connection)
    for dataset in DATASETS:
        connection.execute(typed_table(dataset, version))
    connection.execute(_ROSTER)
    _check_alignment(connection, part)
    place_families(connection, province=province, on=on)
    connection.execute(_KASUS, {"province": province})
    for statement in (_MISFITS, _ROSTER_FACTS, COUPLES, NIKS_OF_SEVERAL):
        connection.execute(statement)
    window = days or PossibleDays.of(field_windows()[province], latest=on)
    connection.execute(_KELUARGA.format(filled_iii_v=_filled_iii_v()), {"delivered_on": on, **window.facts})
    for statement in (
        ANGGOTA,
        "DROP TABLE anggota_typed",
        "DROP TABLE keluarga_typed",
    ):
        connection.execute(statement)


def typed_table(dataset: str, version: str) -> str:
    """SQL: makes ``<dataset>_typed`` of ``<dataset>_text``: typed columns, what could not be typed, ``digest``."""
    given = {v.name for v in variables(dataset, version)}
    columns = ", ".join(_typed_columns(v) if v.name in given else _absent_columns(v) for v in all_variables(dataset))
    return (
        f"CREATE OR REPLACE TABLE {dataset}_typed AS "
        f"SELECT t.row_no, {columns}, {_digest(dataset, given)} AS digest FROM {text_table(dataset)} t"
    )


def _digest(dataset: str, given: Collection[str]) -> str:
    """SQL: a hash of the answers, the same whatever version of the questionnaire carried them.

    The variables of the first version stand at their places, the later ones by name and only where answered: a new
    version leaves the hashes of what was delivered before as they are.
    """
    first = {v.name for v in variables(dataset, first_version(instrument_of(dataset)))}
    placed = [
        f"coalesce(t.{name}, chr(30))" if name in given else "chr(30)" for name in _names(dataset) if name in first
    ]
    named = [f"'{name}=' || t.{name}" for name in _names(dataset) if name not in first and name in given]
    return f"sha256(concat_ws(chr(31), {', '.join(placed + named)}))"


def _names(dataset: str) -> list[str]:
    return [v.name for v in all_variables(dataset)]


def _typed_columns(variable: Variable) -> str:
    value = typed(variable, f"t.{variable.name}")
    if not can_be_untyped(variable):
        return f"{value} AS {variable.name}"
    kept = f"CASE WHEN ({value}) IS NULL THEN t.{variable.name} END"
    return f"{value} AS {variable.name}, {kept} AS {untyped_column(variable.name)}"


def _absent_columns(variable: Variable) -> str:
    empty = f"NULL::{SQL_TYPES[variable.kind]} AS {variable.name}"
    return f"{empty}, NULL::VARCHAR AS {untyped_column(variable.name)}" if can_be_untyped(variable) else empty


def _either(column: str) -> str:
    """The typed value, else the text as it came: good enough to find one's family, never to be shown."""
    return f"coalesce({column}::VARCHAR, {untyped_column(column)}, '')"


_KEY = " || chr(31) || ".join(_either(c) for c in ("id_subsls", "r109_no_bangunan", "r110_no_keluarga"))
# Whoever knows the family key could find the id behind a plain hash by trying all NIK; so it is keyed, as is the
# content: what a family answered could be guessed as well.
_PLAIN_ID = f"left(sha256({_KEY} || {_either('id_dokumen')}), 32)"
_PLAIN_CONTENT = "left(sha256(k.digest || coalesce(m.digests, '')), 32)"
_UNSHOWN_ID = f"'?' || lower(hex({keyed_hash(_PLAIN_ID)}))"
_SHARED = ("id_dokumen", "versi", "id_subsls", "r109_no_bangunan", "r110_no_keluarga")
_DISAGREES = " OR ".join(f"coalesce(l.{column} <> k.{column}, FALSE)" for column in _SHARED)

# A member belongs to the family row with its document and revision; if there is none, to one with its key. Where the
# two disagree, or several families share that key, the member is a misfit. A document that is missing matches
# nothing: two families without one would otherwise take each other's members.
_ROSTER = f"""
CREATE OR REPLACE TABLE roster AS
WITH families AS (SELECT row_no, id_dokumen, versi, {_KEY} AS key FROM keluarga_typed),
by_revision AS (SELECT id_dokumen, versi, min(row_no) AS row_no FROM families GROUP BY id_dokumen, versi),
by_key AS (SELECT key, min(row_no) AS row_no, count(*) > 1 AS shared FROM families GROUP BY key),
linked AS (
    SELECT m.row_no, {", ".join(f"m.{column}" for column in _SHARED)}, m.key,
           coalesce(r.row_no, k.row_no) AS keluarga_row, r.row_no IS NULL AND k.shared AS ambiguous
    FROM (SELECT *, {_KEY} AS key FROM anggota_typed) m
    LEFT JOIN by_revision r ON r.id_dokumen = m.id_dokumen AND r.versi = m.versi
    LEFT JOIN by_key k ON k.key = m.key
)
SELECT l.row_no AS anggota_row, l.keluarga_row, l.key, coalesce(l.ambiguous, FALSE) OR {_DISAGREES} AS misfit
FROM linked l LEFT JOIN keluarga_typed k ON k.row_no = l.keluarga_row
"""

# A misfit tells on the family it was given to and on every family with its key: whichever of them lost a member, none
# is loaded smaller than it is (rule S02).
_MISFITS = f"""
CREATE OR REPLACE TABLE misfits AS
WITH taken AS (SELECT keluarga_row, count(*) AS n FROM roster WHERE misfit GROUP BY keluarga_row),
claimed AS (SELECT key, count(*) AS n FROM roster WHERE misfit GROUP BY key)
SELECT k.row_no AS keluarga_row, greatest(coalesce(t.n, 0), coalesce(c.n, 0)) AS misfits
FROM (SELECT row_no, {_KEY} AS key FROM keluarga_typed) k
LEFT JOIN taken t ON t.keluarga_row = k.row_no LEFT JOIN claimed c ON c.key = k.key
"""


def _officer_digits() -> int | None:
    return next(v.width for v in all_variables("keluarga") if v.name == "r202_kode_ppl")


_KASUS = f"""
CREATE OR REPLACE TABLE kasus AS
WITH members AS (
    SELECT r.keluarga_row, count(*) AS members, string_agg(a.digest, '' ORDER BY a.digest) AS digests,
           {", ".join(f"{sql} AS {fact}" for fact, sql in case_facts().items())}
    FROM roster r JOIN anggota_typed a ON a.row_no = r.anggota_row GROUP BY r.keluarga_row
)
SELECT k.row_no AS keluarga_row,
       coalesce(k.id_dokumen, {_UNSHOWN_ID}) AS case_id,
       coalesce(k.versi, 0) AS versi,
       {keyed_hash(_PLAIN_CONTENT)} AS content_hash,
       k.status_dokumen IS NOT DISTINCT FROM {WITHDRAWN} AS withdrawn,
       -- sixteen digits that lie in no known desa may be somebody's NIK: they go no further than quarantine
       CASE WHEN p.in_frame OR p.is_retired OR starts_with(k.id_subsls, p.desa) THEN k.id_subsls END AS id_subsls,
       k.r109_no_bangunan, k.r110_no_keluarga, p.placed_code, $province AS delivery_province,
       {FRAME_STATUS} AS frame_status,
       k.r201_tanggal_pencacahan AS enumerated_on, k.r205_hasil AS result,
       -- nor does any number that is longer than an officer's code
       CASE WHEN length(k.r202_kode_ppl) = {_officer_digits()} THEN k.r202_kode_ppl END AS ppl,
       coalesce(m.members, 0) AS members, {", ".join(f"coalesce(m.{fact}, 0) AS {fact}" for fact in case_facts())}
FROM keluarga_typed k JOIN placement p ON p.row_no = k.row_no LEFT JOIN members m ON m.keluarga_row = k.row_no
"""

_ROSTER_FACTS = """
CREATE OR REPLACE TABLE roster_facts AS
SELECT r.keluarga_row,
       count(*) AS roster_rows,
       count(*) FILTER (a.r401_no_urut IS NULL) AS roster_unnumbered,
       count(DISTINCT a.r401_no_urut) AS roster_numbers,
       min(a.r401_no_urut) AS roster_first,
       max(a.r401_no_urut) AS roster_last,
       count(*) FILTER (a.r404_keberadaan IN (1, 5)) AS roster_present,
       count(*) FILTER (a.r404_keberadaan IN (1, 5) AND a.r409_hubungan = 1) AS roster_heads,
       count(*) FILTER (a.r404_keberadaan IS NULL OR (a.r404_keberadaan IN (1, 5) AND a.r409_hubungan IS NULL))
           AS roster_unrelated
FROM roster r JOIN anggota_typed a ON a.row_no = r.anggota_row GROUP BY r.keluarga_row
"""


@cache
def _filled_iii_v() -> str:
    """SQL: how many cells of blocks III and V hold anything, readable or not."""
    return " + ".join(
        f"(k.{v.name} IS NOT NULL OR k.{untyped_column(v.name)} IS NOT NULL)::INTEGER"
        for v in all_variables("keluarga")
        if v.block in {"III", "V"}
    )


_KELUARGA = f"""
CREATE OR REPLACE TABLE keluarga AS
SELECT k.*, c.case_id, c.frame_status, c.placed_code, c.delivery_province,
       {DESA} || k.r105a_sls || k.r105b_subsls AS joined_code,
       $delivered_on::DATE AS delivered_on, $opens::DATE AS window_opens, $closes::DATE AS window_closes,
       $latest::DATE AS latest_day, {{filled_iii_v}} AS filled_iii_v,
       coalesce(f.roster_rows, 0) AS roster_rows, coalesce(f.roster_unnumbered, 0) AS roster_unnumbered,
       coalesce(f.roster_numbers, 0) AS roster_numbers, coalesce(f.roster_first, 1) AS roster_first,
       coalesce(f.roster_last, 0) AS roster_last,
       coalesce(f.roster_present, 0) AS roster_present, coalesce(f.roster_heads, 0) AS roster_heads,
       coalesce(f.roster_unrelated, 0) AS roster_unrelated, m.misfits AS roster_misfits,
       coalesce(p.roster_spouses, 0) AS roster_spouses,
       count(*) OVER (PARTITION BY c.case_id, k.versi) AS same_revision_rows,
       CASE WHEN k.id_dokumen IS NOT NULL AND {sixteen_digits("k.id_subsls")} + k.r109_no_bangunan + k.r110_no_keluarga
                 IS NOT NULL THEN coalesce(d.documents, 1) END AS key_documents_in_delivery,
       CASE WHEN k.id_dokumen IS NOT NULL AND {sixteen_digits("k.r114_no_kk")} IS NOT NULL
            THEN coalesce(b.families, 1) END AS kk_families_in_delivery
FROM keluarga_typed k
JOIN kasus c ON c.keluarga_row = k.row_no
JOIN misfits m ON m.keluarga_row = k.row_no
LEFT JOIN roster_facts f ON f.keluarga_row = k.row_no
LEFT JOIN couples p ON p.keluarga_row = k.row_no
LEFT JOIN key_repeats d ON d.subsls = {sixteen_digits("k.id_subsls")}
    AND d.building = k.r109_no_bangunan AND d.family = k.r110_no_keluarga
LEFT JOIN kk_repeats b ON b.kk = {sixteen_digits("k.r114_no_kk")}
WHERE NOT c.withdrawn
"""


def _check_alignment(connection: duckdb.DuckDBPyConnection, part: int) -> None:
    [(orphans,)] = connection.execute("SELECT count(*) FROM roster WHERE keluarga_row IS NULL").fetchall()
    if orphans:
        raise ContractBreachError("parts_misaligned", f"part {part}: {orphans} members without their family")
