"""The kab/kota of a place, in SQL: the way up is reference data, never a substring of a code."""

# CTEs; parameter: province. A place is a sub-SLS or the lowest region that a code leads to:
# sub_sls.id_subsls -> id_desa, then kabkota.code -> ancestor_code.
KABKOTA_OF_PLACE = """
sub_sls AS (
    SELECT DISTINCT ON (id_subsls) id_subsls, id_desa FROM reference.subsls WHERE province = :province
    ORDER BY id_subsls, valid_from DESC
),
kabkota AS (
    SELECT a.code, a.ancestor_code FROM reference.region_ancestor a
    JOIN reference.region r ON r.code = a.ancestor_code AND r.level = 'kabkota'
)"""
