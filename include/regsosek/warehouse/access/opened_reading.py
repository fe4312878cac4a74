"""What a person says before rows of cases are shown to its SQL login: what for, as a committed entry of the trail.

PostgreSQL does not say which rows a query showed, and whatever a query itself writes down is gone if the reader rolls
back. So a session is opened first: the entry names login, roles, provinces and purpose, and the policies show no row of
``core`` before it is committed by a transaction of its own. From then on, for :data:`LASTS`, the login may have read
every case of its provinces.
"""

from sqlalchemy import Connection, text

from regsosek.warehouse.access.rights import READERS, province_role

LASTS = "12 hours"
OPEN, IS_OPEN, READING_LASTS = "reference.open_reading", "reference.reading_is_open", "reference.reading_lasts"

_LASTS = f"""
CREATE OR REPLACE FUNCTION {READING_LASTS}() RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN interval '{LASTS}'
"""

# Membership, whether it is inherited or must be taken on: what the login can come to read.
_READER_NOW = f"""
    SELECT coalesce(string_agg(rolname, ' ' ORDER BY rolname)
               FILTER (WHERE rolname = ANY (ARRAY[{", ".join(f"'{role}'" for role in READERS)}])), '') AS roles,
           coalesce(array_agg(right(rolname, 2)::text ORDER BY rolname)
               FILTER (WHERE rolname ~ '^{province_role("[0-9]{2}")}$'), '{{}}') AS provinces
    FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')
"""

_OPEN = f"""
CREATE OR REPLACE FUNCTION {OPEN}(purpose text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry uuid := gen_random_uuid();
BEGIN
    purpose := btrim(regexp_replace(coalesce(purpose, ''), '\\s+', ' ', 'g'));
    IF length(purpose) NOT BETWEEN 10 AND 500 OR purpose ~ '[0-9]{{9}}' THEN
        RAISE EXCEPTION 'say in 10 to 500 characters what the rows are read for, without numbers of persons'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO ledger.access (id, account, role, provinces, way, told, reason, transaction)
    SELECT entry, session_user, roles, provinces, 'sql', '', purpose, pg_current_xact_id()::text::bigint
    FROM ({_READER_NOW}) now;
    PERFORM set_config('regsosek.reading', entry::text, false);
    RETURN now() + {READING_LASTS}();
END $$
"""

# An entry that this transaction wrote may yet be rolled back; and one does not speak of what was granted since.
_IS_OPEN = f"""
CREATE OR REPLACE FUNCTION {IS_OPEN}() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM ledger.access a CROSS JOIN ({_READER_NOW}) now
        WHERE a.id = nullif(current_setting('regsosek.reading', true), '')::uuid AND a.way = 'sql'
              AND a.account = session_user AND a.role = now.roles AND a.provinces @> now.provinces
              AND a.at > statement_timestamp() - {READING_LASTS}()
              AND a.transaction IS DISTINCT FROM pg_current_xact_id_if_assigned()::text::bigint
    ) THEN
        RAISE EXCEPTION 'say first what the rows are read for, and commit: SELECT {OPEN}(''...'')'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN true;
END $$
"""


def make_reading_functions(connection: Connection) -> None:
    """Makes the functions by which a reader's session is opened, and the one that the policies ask."""
    for source in (_LASTS, _OPEN, _IS_OPEN):
        connection.exec_driver_sql(source)
    connection.execute(text(f"REVOKE ALL ON FUNCTION {OPEN}(text) FROM PUBLIC"))
    connection.execute(text(f"GRANT EXECUTE ON FUNCTION {OPEN}(text) TO {', '.join(READERS)}"))
