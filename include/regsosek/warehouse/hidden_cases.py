"""Cases that are counted and shown to nobody: limited on request until that is lifted, or erased.

Lists leave them out by :func:`is_shown`. A reader's login sees no row of them by a policy of its own, which asks the
owner for the ids of the reader's session: no reader may read the requests.
"""

from sqlalchemy import Connection, text

from regsosek.warehouse.rights import PARTS, READERS

HIDDEN_CASES, HIDDEN_POLICY = "core.hidden_cases", "no_hidden_cases"
_ACTIVE = "FROM ledger.case_request h WHERE h.lifted_at IS NULL"
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {HIDDEN_CASES}() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(h.province || '/' || h.case_id), '{{}}') {_ACTIVE}
$$
"""
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
    """Makes the function that the policies ask: whoever may read a case may know which ones are not to be seen."""
    connection.execute(text(_FUNCTION))
    connection.execute(text(f"REVOKE ALL ON FUNCTION {HIDDEN_CASES}() FROM PUBLIC"))
    connection.execute(text(f"GRANT EXECUTE ON FUNCTION {HIDDEN_CASES}() TO {', '.join((*READERS, *PARTS))}"))


def policy(table: str) -> str:
    """SQL: the rule of a table of cases, beside those that let a reader see rows at all."""
    named = f"province || '/' || {CASE_COLUMNS[table]}"
    hidden = f"(SELECT {HIDDEN_CASES}())::text[]"
    return f"AS RESTRICTIVE FOR SELECT TO {{}} USING (({named} = ANY ({hidden})) IS NOT TRUE)"
