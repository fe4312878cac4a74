"""Which rows a reader sees: policies on every table that a person may read, and what the owner does for others.

A reader sees the rows of the provinces whose roles are granted to the login; rows of cases only in a session that it
opened by saying what for (``opened_reading.py``). The parts of the pipeline see all rows, by a policy that says so; the
owner too, for the policies bind it as well. They stand on the tables as a whole: a partition of a province is open to
the loader's COPY alone. Two things that only an owner may do, the loader asks the owner to do by functions: making the
partitions of a night, and taking statistics.
"""

from sqlalchemy import Connection, text

from regsosek.warehouse.access.hidden_cases import CASE_COLUMNS, HIDDEN_POLICY
from regsosek.warehouse.access.hidden_cases import make_function as make_hidden_function
from regsosek.warehouse.access.hidden_cases import policy as hidden_policy
from regsosek.warehouse.access.opened_reading import IS_OPEN, make_reading_functions
from regsosek.warehouse.access.rights import PARTS, PREFIX, READERS, province_role, tables_of_readers

OWN_PROVINCES = "reference.provinces_of_reader"
LOADER = f"{PREFIX}loader"
STAFF_POLICY, READER_POLICY = "parts_of_the_pipeline", "readers_by_province"
OPENED_POLICY = "readers_who_said_what_for"
CASES = "core."

# Asked once a query, not once a row.
_ITS_PROVINCES = f"(province = ANY ((SELECT {OWN_PROVINCES}())::text[]))"
_OPENED = f"({_ITS_PROVINCES} AND (SELECT {IS_OPEN}()))"

_OWN_PROVINCES = f"""
CREATE OR REPLACE FUNCTION {OWN_PROVINCES}() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(right(rolname, 2)), '{{}}') FROM pg_roles
    WHERE rolname ~ '^{province_role("[0-9]{2}")}$' AND pg_has_role(oid, 'USAGE')
$$
"""

_NIGHT_PARTITIONS = """
CREATE OR REPLACE FUNCTION core.make_night_partitions(province text, night date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    split text;
    parent text;
    child text;
BEGIN
    IF province !~ '^[0-9][0-9]$' THEN
        RAISE EXCEPTION 'no province has this code' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOREACH split IN ARRAY ARRAY[{tables}] LOOP
        parent := split || '_p' || province;
        child := parent || to_char(night, '_YYYYMMDD');
        IF to_regclass(child) IS NULL THEN
            EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%L)', parent, child, night);
        END IF;
    END LOOP;
END $$
"""

_ANALYSE = """
CREATE OR REPLACE FUNCTION core.analyse_cases(province text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE core.%I', 'kasus_p' || province);
END $$
"""


def make_functions(connection: Connection, split_by_night: list[str]) -> None:
    """Makes the functions that policies and loader rest on; those of the owner are the loader's alone."""
    tables = ", ".join(f"'{table}'" for table in split_by_night)
    for function, source in (
        ("core.make_night_partitions(text, date)", _NIGHT_PARTITIONS.format(tables=tables)),
        ("core.analyse_cases(text)", _ANALYSE),
    ):
        connection.execute(text(source))
        connection.execute(text(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"))
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {function} TO {LOADER}"))
    connection.execute(text(_OWN_PROVINCES))
    make_reading_functions(connection)
    make_hidden_function(connection)


def secure_rows(connection: Connection) -> None:
    """Puts the policies on what readers may read, and lets views ask in the name of who looks; differences alone."""
    standing = {(row.on, row.policyname): sorted(row.roles) for row in connection.execute(text(_POLICIES))}
    for table in connection.execute(text(_READ), {"tables": sorted(tables_of_readers())}).all():
        if table.relkind == "v":
            if not table.asks_for_its_reader:
                connection.execute(text(f"ALTER VIEW {table.name} SET (security_invoker = true)"))
        elif table.by_province:
            if not table.secured:
                both = "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
                connection.execute(text(f"ALTER TABLE {table.name} {both}"))
            wanted = _policies(table.name, table.owner)
            for name in {READER_POLICY, OPENED_POLICY} - wanted.keys():
                connection.execute(text(f"DROP POLICY IF EXISTS {name} ON {table.name}"))
            for name, (roles, rule) in wanted.items():
                if standing.get((table.name, name)) != sorted(roles):
                    connection.execute(text(f"DROP POLICY IF EXISTS {name} ON {table.name}"))
                    connection.execute(text(f"CREATE POLICY {name} ON {table.name} {rule.format(', '.join(roles))}"))


def _policies(table: str, owner: str) -> dict[str, tuple[list[str], str]]:
    """Each policy of a table with the roles that it is for, and what it lets them do."""
    name, rule = (OPENED_POLICY, _OPENED) if table.startswith(CASES) else (READER_POLICY, _ITS_PROVINCES)
    policies = {
        STAFF_POLICY: ([*PARTS, owner], "TO {} USING (true) WITH CHECK (true)"),
        name: ([*READERS], f"FOR SELECT TO {{}} USING {rule}"),
    }
    if table in CASE_COLUMNS:
        policies[HIDDEN_POLICY] = ([*READERS], hidden_policy(table))
    return policies


_READ = """
SELECT n.nspname || '.' || c.relname AS name, c.relkind, pg_get_userbyid(c.relowner) AS owner,
       c.relrowsecurity AND c.relforcerowsecurity AS secured,
       coalesce('security_invoker=true' = ANY(c.reloptions), false) AS asks_for_its_reader,
       EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'province') AS by_province
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY(:tables) ORDER BY 1
"""
_POLICIES = "SELECT schemaname || '.' || tablename AS on, policyname, roles::text[] AS roles FROM pg_policies"
