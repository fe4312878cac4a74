"""What occurs more than once in one delivery: family keys, KK numbers and NIK, counted over all its parts.

Parts are judged apart and a rule sees one row, so what a rule must know of the other parts has to be a column of that
row. One pass over the files, before any part is judged, notes the few columns that are compared; what remains of it
are the repeated values alone. It is a function of the delivered content, so a replay finds the same, and it is bounded:
some 20 bytes per row, spilling like everything else in the engine, and nothing once it is counted.

How to use it (:func:`regsosek.staging.relations.stage` does so by itself for a delivery of one part)::

    clear_repeats(connection)
    for each part: read_part(connection, file, path) for both files; note_part(connection)
    count_repeats(connection)

Then the relations have ``key_documents_in_delivery`` and ``kk_families_in_delivery`` (keluarga) and
``nik_cases_in_delivery`` (anggota): how many different documents of the delivery carry the row's family key, KK number
or NIK; 1 where it is alone, NULL where the number is missing or not of 16 digits or the row has no document id. Only
the newest revision of each document counts, none that is withdrawn, and of members only those who live there (404 is
1 or 5): whoever moved between two families stands rightly in both.
"""

import duckdb

from regsosek.contract.codebook import all_variables
from regsosek.staging.reading.files import text_table
from regsosek.staging.reading.typing_sql import typed

_COMPARED = {
    "keluarga": (
        "id_dokumen", "versi", "status_dokumen", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "r114_no_kk",
    ),
    "anggota": ("id_dokumen", "versi", "r403_nik", "r404_keberadaan"),
}  # fmt: skip
WITHDRAWN = 9

_TABLES = (
    "CREATE OR REPLACE TABLE delivery_family (document UBIGINT, versi INTEGER, withdrawn BOOLEAN, subsls BIGINT, "
    "building INTEGER, family INTEGER, kk BIGINT)",
    "CREATE OR REPLACE TABLE delivery_person (document UBIGINT, versi INTEGER, nik BIGINT)",
)


def sixteen_digits(column: str) -> str:
    """SQL: the typed text ``column`` as a number if it has sixteen digits, else NULL."""
    return f"CASE WHEN length({column}) = 16 THEN TRY_CAST({column} AS BIGINT) END"


def clear_repeats(connection: duckdb.DuckDBPyConnection) -> None:
    """Forgets the delivery before."""
    for statement in _TABLES:
        connection.execute(statement)


def note_part(connection: duckdb.DuckDBPyConnection) -> None:
    """Notes what the part read last (``<dataset>_text``) has to compare."""
    # A document is compared by 64 bits of its id: two ids of one delivery that share them are out of reach of chance.
    connection.execute(
        "INSERT INTO delivery_family SELECT hash(id_dokumen), coalesce(versi, 0), "
        f"status_dokumen IS NOT DISTINCT FROM {WITHDRAWN}, {sixteen_digits('id_subsls')}, r109_no_bangunan, "
        f"r110_no_keluarga, {sixteen_digits('r114_no_kk')} FROM {_compared('keluarga')} WHERE id_dokumen IS NOT NULL"
    )
    connection.execute(
        f"INSERT INTO delivery_person SELECT hash(id_dokumen), coalesce(versi, 0), {sixteen_digits('r403_nik')} AS nik "
        f"FROM {_compared('anggota')} WHERE id_dokumen IS NOT NULL AND r404_keberadaan IN (1, 5) AND nik IS NOT NULL"
    )


def count_repeats(connection: duckdb.DuckDBPyConnection) -> None:
    """Leaves ``key_repeats``, ``kk_repeats`` and ``nik_repeats``: values of several documents, and of how many."""
    for statement in (_COUNTED, _KEY_REPEATS, _KK_REPEATS, _NIK_REPEATS, "DROP TABLE counted", *_TABLES):
        connection.execute(statement)


def _compared(dataset: str) -> str:
    # Keys and numbers stand in every version of the questionnaire, in one form.
    known = {v.name: v for v in all_variables(dataset)}
    columns = (f"{typed(known[name], f't.{name}')} AS {name}" for name in _COMPARED[dataset])
    return f"(SELECT {', '.join(columns)} FROM {text_table(dataset)} t)"


_COUNTED = """
CREATE OR REPLACE TABLE counted AS
SELECT f.* FROM delivery_family f
JOIN (SELECT document, max(versi) AS versi FROM delivery_family GROUP BY document) newest USING (document, versi)
WHERE NOT f.withdrawn
"""
_KEY_REPEATS = """
CREATE OR REPLACE TABLE key_repeats AS
SELECT subsls, building, family, count(DISTINCT document) AS documents FROM counted
WHERE subsls IS NOT NULL AND building IS NOT NULL AND family IS NOT NULL
GROUP BY subsls, building, family HAVING count(DISTINCT document) > 1
"""
_KK_REPEATS = """
CREATE OR REPLACE TABLE kk_repeats AS
SELECT kk, count(DISTINCT document) AS families FROM counted
WHERE kk IS NOT NULL GROUP BY kk HAVING count(DISTINCT document) > 1
"""
_NIK_REPEATS = """
CREATE OR REPLACE TABLE nik_repeats AS
SELECT p.nik, count(DISTINCT p.document) AS cases
FROM delivery_person p SEMI JOIN counted c ON c.document = p.document AND c.versi = p.versi
GROUP BY p.nik HAVING count(DISTINCT p.document) > 1
"""
