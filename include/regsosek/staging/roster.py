"""What a roster says about each of its members, as SQL: the couple at its head, the age that the dates make, the
level of schooling, a NIK that another member bears too.

Facts are NULL where an answer they rest on is missing: the rules that ask for them then do not apply.
"""

from collections.abc import Callable

from regsosek.contract.schooling import SchoolLevel, school_levels
from regsosek.staging.repeats import sixteen_digits

# Only who lives with the family counts. Head and spouse are known once exactly one head is named.
COUPLES = """
CREATE OR REPLACE TABLE couples AS
SELECT r.keluarga_row,
       count(*) FILTER (a.r409_hubungan = 2) AS roster_spouses,
       count(*) FILTER (a.r409_hubungan = 1) = 1 AS one_head,
       CASE WHEN one_head THEN max(a.r407_umur) FILTER (a.r409_hubungan = 1) END AS head_age,
       CASE WHEN one_head THEN max(a.r405_jenis_kelamin) FILTER (a.r409_hubungan = 1) END AS head_sex,
       CASE WHEN one_head AND bool_and(a.r407_umur IS NOT NULL) FILTER (a.r409_hubungan IN (1, 2))
            THEN min(a.r407_umur) FILTER (a.r409_hubungan IN (1, 2)) END AS youngest_of_couple
FROM roster r JOIN anggota_typed a ON a.row_no = r.anggota_row
WHERE a.r404_keberadaan IN (1, 5)
GROUP BY r.keluarga_row
"""

NIKS_OF_SEVERAL = """
CREATE OR REPLACE TABLE niks_of_several AS
SELECT r.keluarga_row, a.r403_nik, count(*) AS members
FROM roster r JOIN anggota_typed a ON a.row_no = r.anggota_row
WHERE a.r404_keberadaan IN (1, 5) AND a.r403_nik IS NOT NULL
GROUP BY r.keluarga_row, a.r403_nik HAVING count(*) > 1
"""

# The engine's own difference of dates lets somebody born on 29 February come of age on the 28th; here the birthday has
# to be reached, which is 1 March in a common year.
COMPLETED_AGE = """
year(k.r201_tanggal_pencacahan) - year(a.r406_tanggal_lahir)
    - (strftime(k.r201_tanggal_pencacahan, '%m%d') < strftime(a.r406_tanggal_lahir, '%m%d'))::INTEGER
"""


def _by_code(column: str, fact: Callable[[SchoolLevel], int | None]) -> str:
    known = [(each.code, fact(each)) for each in school_levels()]
    return f"CASE {column} {' '.join(f'WHEN {code} THEN {value}' for code, value in known if value is not None)} END"


_SCHOOLING = ", ".join(
    (
        f"{_by_code('a.r413_jenjang', lambda each: each.level if each.youngest_pupil else None)} AS r413_level",
        f"{_by_code('a.r413_jenjang', lambda each: each.youngest_pupil)} AS r413_youngest",
        f"{_by_code('a.r415_ijazah', lambda each: each.level)} AS r415_level",
        f"{_by_code('a.r415_ijazah', lambda each: each.youngest_graduate)} AS r415_youngest",
    )
)

ANGGOTA = f"""
CREATE OR REPLACE TABLE anggota AS
SELECT a.*, r.keluarga_row, k.r205_hasil, k.r201_tanggal_pencacahan,
       CASE WHEN k.r205_hasil IN (1, 2) THEN a.r404_keberadaan END AS asked_existence,
       p.head_age, p.head_sex, p.youngest_of_couple, {COMPLETED_AGE} AS completed_age,
       coalesce(n.members, 1) AS nik_in_family,
       CASE WHEN a.id_dokumen IS NOT NULL AND a.r404_keberadaan IN (1, 5)
                 AND {sixteen_digits("a.r403_nik")} IS NOT NULL
            THEN coalesce(s.cases, 1) END AS nik_cases_in_delivery,
       {_SCHOOLING}
FROM anggota_typed a
JOIN roster r ON r.anggota_row = a.row_no
JOIN keluarga_typed k ON k.row_no = r.keluarga_row
JOIN kasus c ON c.keluarga_row = k.row_no
LEFT JOIN couples p ON p.keluarga_row = r.keluarga_row
LEFT JOIN niks_of_several n ON n.keluarga_row = r.keluarga_row AND n.r403_nik = a.r403_nik
LEFT JOIN nik_repeats s ON s.nik = {sixteen_digits("a.r403_nik")}
WHERE NOT c.withdrawn
"""
