"""Cases that are counted and shown to nobody: limited on request until that is lifted, or erased.

Lists leave them out by :func:`is_shown`. A reader's login sees no row of them by a policy of its own, which asks the
owner: no reader may read the requests. Whatever a policy asks, its reader can ask too, so the answer names nobody: it
is of the reader's own provinces, by hashes.
"""

from sqlalchemy import Connection, text

from regsosek.warehouse.access.rights import READERS, province_role

HIDDEN_MARKS, HIDDEN_POLICY = "core.marks_of_hidden_cases", "no_hidden_case"
_ACTIVE = "FROM ledger.case_request h WHERE h.lifted_at IS NULL"
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {HIDDEN_MARKS}() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(hashtextextended(h.province || '/' || h.case_id, 0)), '{{}}') {_ACTIVE}
    AND h.province IN (SELECT right(rolname, 2) FROM pg_roles
                       WHERE rolname ~ '^{province_role("[0-9]{2}")}$' AND pg_has_role(session_user, oid, 'MEMBER'))
$$
"""
# SQL: the cases of ``:province`` that were erased. They count as ever; nobody is asked to correct them.
ERASED_CASES = "(SELECT e.case_id FROM ledger.case_request e WHERE e.kind = 'erased' AND e.province = :province)"
# The column of each table that names its case.
CASE_COLUMNS = {
    "core.kasus": "case_id",
    "core.kasus_terkini": "case_id",
    "core.keluarga": "id_dokumen",
    "core.anggota": "id_dokumen",
}


def is_shown(alias: str) -> str:
    """SQL: whether a case of ``alias`` (``province``, ``case_id``) may stand in a list."""
    return f"NOT EXISTS (SELECT 1 {_ACTIVE} AND h.province = {alias}.province AND h.case_id = {alias}.case_id)"


def hidden_cases(connection: Connection, province: str) -> set[str]:
    """The cases of ``province`` that are shown to nobody."""
    query = f"SELECT h.case_id {_ACTIVE} AND h.province = :province"
    return set(connection.execute(text(query), {"province": province}).scalars())


def make_function(connection: Connection) -> None:
    """Makes the function that the policies ask."""
    connection.execute(text(_FUNCTION))
    connection.execute(text(f"REVOKE ALL ON FUNCTION {HIDDEN_MARKS}() FROM PUBLIC"))
    connection.execute(text(f"GRANT EXECUTE ON FUNCTION {HIDDEN_MARKS}() TO {', '.join(READERS)}"))


def policy(table: str) -> str:
    """SQL: the rule of a table of cases, beside those that let a reader see rows at all."""
    mark = f"hashtextextended(province || '/' || {CASE_COLUMNS[table]}, 0)"
    hidden = f"(SELECT {HIDDEN_MARKS}())::bigint[]"
    return f"AS RESTRICTIVE FOR SELECT TO {{}} USING (({mark} = ANY ({hidden})) IS NOT TRUE)"
