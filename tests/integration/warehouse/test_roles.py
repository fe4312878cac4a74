"""Every role of the warehouse on every table with every verb: what it may do stands in the data, and no more is let.

What is asked is asked of PostgreSQL: each statement is run by the role itself on an empty table of the real schema.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Date,
    DateTime,
    Double,
    Engine,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    create_engine,
    func,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from regsosek.errors import ConfigurationError
from regsosek.local.stack import Stack
from regsosek.local.warehouse_accounts import account_url, ensure_accounts, ensure_owner
from regsosek.settings import Settings
from regsosek.warehouse.access.closed_functions import locks_are_open
from regsosek.warehouse.access.hidden_cases import HIDDEN_MARKS
from regsosek.warehouse.access.rights import (
    NATION,
    PARTS,
    READERS,
    all_roles,
    apply_rights,
    province_role,
    standing_rights,
    table_rights,
    tables_of_readers,
    wanted_rights,
)
from regsosek.warehouse.access.row_security import secure_rows
from regsosek.warehouse.database import analyse_cases, connect
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.logins import CLOSED, GIVEN, LONGEST, Login, close, give
from regsosek.warehouse.migration import ensure_current, ensure_night_partitions, migrate
from regsosek.warehouse.tables import SCHEMAS, case_request, kasus, metadata
from support.worlds.alerted_night import NIGHT

TABLES = metadata.sorted_tables


@pytest.fixture(scope="module")
def engine(services_env: Settings) -> Iterator[Engine]:
    engine = connect(services_env)
    migrate(engine)
    with engine.begin() as connection:
        ensure_night_partitions(connection, "64", NIGHT)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that leaves nothing."""
    with engine.connect() as connection:
        yield connection


def test_the_catalogs_say_what_the_data_say(connection: Connection) -> None:
    assert standing_rights(connection) == wanted_rights(connection)


REFUSED = {"42501", "55000"}  # insufficient privilege; a view that nobody can write to


def refused(connection: Connection, role: str, statement: str) -> bool:
    """Whether PostgreSQL refuses ``statement`` to ``role``."""
    with connection.begin_nested() as attempt:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        try:
            connection.execute(text(statement))
        except DBAPIError as error:
            assert getattr(error.orig, "sqlstate", None) in REFUSED, f"{role}: {statement}: {error.orig}"
            return True
        finally:
            attempt.rollback()
    return False


RELATIONS = text(
    "SELECT n.nspname || '.' || c.relname AS name, (SELECT min(a.attname::text) FROM pg_attribute a "
    "WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND a.attgenerated = '') AS some_column "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE nspname = ANY(:schemas) AND relkind IN ('r', 'p', 'v') AND relname !~ '_p[0-9]{2}(_[0-9]{8})?$' ORDER BY 1"
)
STATEMENTS = {
    "SELECT": "SELECT * FROM {0} LIMIT 0",
    "INSERT": "INSERT INTO {0} SELECT NULL WHERE false",
    "UPDATE": "UPDATE {0} SET {1} = DEFAULT WHERE false",
    "DELETE": "DELETE FROM {0} WHERE false",
}


@pytest.mark.parametrize("role", [*PARTS, *READERS])
def test_a_role_does_what_the_table_of_rights_says_and_nothing_else(connection: Connection, role: str) -> None:
    allowed = {(right.on, right.privilege) for right in table_rights() if right.role == role and not right.column}
    relations = connection.execute(RELATIONS, {"schemas": list(SCHEMAS)}).all()
    done = {
        (relation.name, privilege)
        for relation in relations
        for privilege, statement in STATEMENTS.items()
        if not refused(connection, role, statement.format(relation.name, relation.some_column))
    }
    assert done == allowed


@pytest.mark.parametrize("role", [*PARTS, *READERS])
def test_a_role_reads_the_columns_that_are_listed_for_it_and_no_others(connection: Connection, role: str) -> None:
    rights = [right for right in table_rights() if right.role == role and right.privilege == "SELECT"]
    whole = {right.on for right in rights if not right.column}
    single = {(right.on, right.column) for right in rights if right.column and right.on not in whole}
    asked = [table for table in TABLES if {"core", "restricted"} & {table.schema} and table.fullname not in whole]
    found = {
        (table.fullname, column.name)
        for table in asked
        for column in table.columns
        if not refused(connection, role, f"SELECT {column.name} FROM {table.fullname} LIMIT 0")
    }
    assert found == single


def test_nobody_reaches_a_partition_but_the_loader_that_copies_into_it(connection: Connection) -> None:
    """No policy stands on partitions."""
    partitions = set(connection.execute(PARTITIONS, {"schemas": list(SCHEMAS)}).scalars())
    assert "core.anggota_p64_20221026" in partitions
    on_them = {right for right in standing_rights(connection) if right.on in partitions}
    assert {(right.role, right.privilege) for right in on_them} == {("regsosek_loader", "INSERT")}


PARTITIONS = text(
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE nspname = ANY(:schemas) AND relispartition AND relkind IN ('r', 'p')"
)


def test_what_a_reader_may_read_is_kept_apart_by_province_for_the_owner_too(connection: Connection) -> None:
    secured = set(connection.execute(SECURED).scalars())
    assert secured == {table.fullname for table in TABLES if by_province(table)}
    views = {name for name in tables_of_readers() if name not in {table.fullname for table in TABLES}}
    assert views == set(connection.execute(INVOKED).scalars())


SECURED = text(
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relrowsecurity AND c.relforcerowsecurity"
)
INVOKED = text(
    "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE relkind = 'v' AND 'security_invoker=true' = ANY(c.reloptions)"
)


def by_province(table: Table) -> bool:
    return table.fullname in tables_of_readers() and "province" in table.columns


def fill(connection: Connection, provinces: tuple[str, ...]) -> None:
    """One row of each province in every table that is kept apart."""
    for province in provinces:
        ensure_night_partitions(connection, province, NIGHT)
        for table in filter(by_province, TABLES):
            needed = [column for column in table.columns if not column.nullable and column.server_default is None]
            values = {column.name: FILLING[type(column.type)] for column in needed} | {"province": province}
            connection.execute(insert(table).values(**values))


FILLING: dict[type, Any] = {
    Text: "x", Integer: 1, BigInteger: 1, SmallInteger: 1, Date: NIGHT, DateTime: datetime(2022, 10, 26, tzinfo=UTC),
    Boolean: False, LargeBinary: b"x", Numeric: 1, Double: 1.0, JSONB: {},
}  # fmt: skip


def seen(connection: Connection, table: Table) -> list[str]:
    rows = connection.execute(text(f"SELECT province FROM {table.fullname} ORDER BY 1")).scalars()
    return list(rows)


@pytest.mark.parametrize(
    ("granted", "provinces"),
    [
        ((province_role("64"),), ["64"]),
        ((province_role("63"), province_role("64")), ["63", "64"]),
        ((NATION,), ["63", "64", "65"]),
        ((), []),
    ],
)
def test_a_login_sees_the_rows_of_the_provinces_that_it_is_given(
    connection: Connection, granted: tuple[str, ...], provinces: list[str]
) -> None:
    fill(connection, ("63", "64", "65"))
    connection.execute(text("CREATE ROLE statistician"))
    connection.execute(text(f"GRANT {', '.join([*READERS, *granted])} TO statistician"))
    as_if_opened(connection)
    connection.execute(text("SET LOCAL ROLE statistician"))
    assert {table.fullname: seen(connection, table) for table in TABLES if by_province(table)} == {
        table.fullname: provinces for table in TABLES if by_province(table)
    }
    progress = connection.execute(text("SELECT province FROM mart.progress ORDER BY 1")).scalars()
    assert list(progress) == provinces


def test_who_asked_to_be_hidden_is_named_to_no_login(connection: Connection) -> None:
    """What a policy asks its reader can ask too: by itself, of other provinces, before it said what for."""
    fill(connection, ("63", "64"))
    connection.execute(text("CREATE ROLE statistician"))
    connection.execute(text(f"GRANT {', '.join(READERS)}, {province_role('64')} TO statistician"))
    as_if_opened(connection)
    for asked in ("63/x", "64/x", "64/y"):
        values = {"province": asked[:2], "case_id": asked[3:], "kind": "limited"}
        connection.execute(insert(case_request).values(**values, request="1", by="a", reason="b", at=func.now()))
    connection.execute(text("SET LOCAL SESSION AUTHORIZATION statistician"))
    told = connection.execute(text(f"SELECT {HIDDEN_MARKS}()")).scalar_one()
    assert len(told) == 2
    assert {type(each) for each in told} == {int}
    found = connection.execute(DEFINERS, {"schemas": list(SCHEMAS)}).scalars()
    assert set(found) == {"reference.open_reading", "reference.reading_is_open", HIDDEN_MARKS}


DEFINERS = text("""
SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY(:schemas) AND p.prosecdef AND has_function_privilege(p.oid, 'EXECUTE')
""")


def as_if_opened(connection: Connection) -> None:
    """A session that said what for, in a transaction before this one."""
    connection.execute(text(OPEN))
    change_entries(connection, "transaction = 1")


def change_entries(connection: Connection, change: str) -> None:
    """As only retention may."""
    connection.execute(text("SET LOCAL regsosek.ends_access = 'on'"))
    connection.execute(text(f"UPDATE ledger.access SET {change}"))


TODAY = datetime.now(UTC).date()
GROUPS = (
    "SELECT array_agg(rolname ORDER BY rolname) FROM pg_roles r "
    "WHERE r.rolname LIKE 'regsosek%' AND pg_has_role(current_user, r.oid, 'MEMBER')"
)
FAULTY: tuple[tuple[dict[str, Any], str], ...] = (
    ({"valid_until": TODAY + 2 * LONGEST}, "last day"),
    ({"reads": frozenset({"loader"})}, "say what it reads"),
    ({"provinces": frozenset({"10"})}, "no such role"),
)


def a_person_is_let_in_and_out_again(owner: Engine, services: Stack) -> None:
    """By the account of the owner, who is no superuser."""
    asked = Login("statistik_uji", frozenset({"analyst", "health"}), frozenset({"64"}), TODAY + LONGEST)
    about: dict[str, Any] = {"today": TODAY, "by": "sari", "reason": "surat 12"}
    with pytest.raises(ConfigurationError, match="may not grant regsosek_analyst"), owner.begin() as connection:
        give(connection, asked, **about)
    with services.postgres.connect() as superuser:
        superuser.execute(f"GRANT {', '.join(READERS)} TO regsosek_owner WITH ADMIN OPTION")
        superuser.execute("CREATE ROLE another CREATEDB")
    with owner.begin() as connection:
        password = give(connection, asked, **about)
        assert password is not None
        fewer = replace(asked, reads=frozenset({"analyst"}), provinces=frozenset({"63"}))
        assert give(connection, fewer, **about) is None  # again: what is asked now, by the password that it has
    person = create_engine(owner.url.set(username=asked.name, password=password))
    count = text("SELECT count(*) FROM mart.province_day")
    with person.connect() as reading:
        groups = reading.execute(text(GROUPS)).scalar_one()
        assert groups == ["regsosek_analyst", "regsosek_province_63"]
        assert reading.execute(count).scalar_one() == 0
        with owner.begin() as connection:
            close(connection, asked.name, **about)
        with pytest.raises(DBAPIError, match="permission denied"):
            reading.execute(count)
    person.dispose()
    with pytest.raises(DBAPIError, match="statistik_uji"):
        person.connect()
    with owner.connect() as connection:
        noted = connection.execute(text("SELECT kind, detail ->> 'by' FROM ledger.event ORDER BY id")).all()
        assert [tuple(each) for each in noted[-3:]] == [(GIVEN, "sari"), (GIVEN, "sari"), (CLOSED, "sari")]
        for name in ("a b", "another"):
            with pytest.raises(ConfigurationError, match="begins with a letter" if " " in name else "another kind"):
                give(connection, replace(asked, name=name), **about)
        for faulty, told in FAULTY:
            with pytest.raises(ConfigurationError, match=told):
                give(connection, replace(asked, **faulty), **about)
        connection.rollback()
    with owner.begin() as connection:
        connection.execute(text(f"DROP ROLE {asked.name}"))
    with services.postgres.connect() as superuser:
        superuser.execute("DROP ROLE another")


def test_every_table_has_its_line_of_rights() -> None:
    """A table without one would be closed to all, and nobody would have said so."""
    assert {table.fullname for table in TABLES} <= {right.on for right in table_rights()}


@pytest.fixture
def login(engine: Engine) -> Iterator[Connection]:
    """A session of statisticians of 64, with a case there and one of 65."""
    with engine.begin() as connection:
        for statement in (
            *LOGINS,
            MANY_CASES.replace("20000", "1"),
            MANY_CASES.replace("20000", "1").replace("64", "65"),
        ):
            connection.execute(text(statement))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
        connection.execute(text("RESET SESSION AUTHORIZATION"))
        for statement in ("TRUNCATE core.kasus, core.kasus_terkini", "SET LOCAL regsosek.ends_access = 'on'",
                          "TRUNCATE ledger.access", "DROP ROLE sari", "DROP ROLE budi"):  # fmt: skip
            connection.execute(text(statement))
        connection.commit()


LOGINS = [
    statement.format(name)
    for name in ("sari", "budi")
    for statement in ("CREATE ROLE {}", "GRANT regsosek_analyst, regsosek_province_64 TO {}")
]
READ, WHAT_FOR = "SELECT province FROM core.kasus", "tables of housing for the yearbook"
OPEN = f"SELECT reference.open_reading('{WHAT_FOR}')"
NOT_OPENED = "say first what the rows are read for, and commit"


def as_login(connection: Connection, name: str) -> None:
    connection.rollback()
    connection.execute(text(f"SET SESSION AUTHORIZATION {name}"))
    connection.commit()


def test_cases_are_shown_to_a_login_that_said_what_for_and_committed_it(login: Connection) -> None:
    as_login(login, "sari")
    for before in ([], [OPEN], ["SAVEPOINT one", OPEN, "RELEASE one"]):
        with pytest.raises(DBAPIError, match=NOT_OPENED):
            for statement in (*before, READ):
                login.execute(text(statement))
        login.rollback()
    login.execute(text(OPEN))
    login.commit()
    assert login.execute(text(READ)).scalars().all() == ["64"]
    with pytest.raises(DBAPIError, match="permission denied"):
        login.execute(text("SELECT * FROM ledger.access"))
    login.rollback()
    entry = login.execute(text("SHOW regsosek.reading")).scalar_one()
    as_login(login, "budi")
    login.execute(text("SELECT set_config('regsosek.reading', :entry, false)"), {"entry": entry})
    with pytest.raises(DBAPIError, match=NOT_OPENED):
        login.execute(text(READ))
    as_login(login, "DEFAULT")
    [told] = login.execute(text("SELECT account, role, provinces, way, reason FROM ledger.access"))
    assert tuple(told) == ("sari", "regsosek_analyst", ["64"], "sql", WHAT_FOR)


HIDE = """
INSERT INTO ledger.case_request (province, case_id, kind, request, by, reason, at, lifted_at)
SELECT province, case_id, 'limited', '1', 'sari', 'asked', now(), {} FROM core.kasus WHERE province = '64'
"""


@pytest.mark.parametrize(("lifted", "seen_then"), [("NULL", []), ("now()", ["64"])], ids=["limited", "lifted"])
def test_a_limited_case_is_shown_to_no_login_until_that_is_lifted(
    login: Connection, lifted: str, seen_then: list[str]
) -> None:
    login.execute(text(HIDE.format(lifted)))
    assert login.execute(text(f"{READ} ORDER BY 1")).scalars().all() == ["64", "65"]  # the parts count it
    as_if_opened(login)
    login.execute(text("SET LOCAL ROLE sari"))
    assert login.execute(text(READ)).scalars().all() == seen_then


@pytest.mark.parametrize(
    ("purpose", "told"), [("short", "10 to 500"), ("looking for 3273012345670001", "without numbers of persons")]
)
def test_what_for_is_said_in_words(login: Connection, purpose: str, told: str) -> None:
    as_login(login, "sari")
    with pytest.raises(DBAPIError, match=told):
        login.execute(text("SELECT reference.open_reading(:purpose)"), {"purpose": purpose})


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("at = at - interval '11 hours'", True),
        ("at = at - interval '12 hours'", False),
        ("provinces = '{63,64}'", True),
        ("provinces = '{63}'", False),  # what was granted since does not stand in it
        ("role = ''", False),
        ("way = 'portal_quarantine'", False),
    ],
)
def test_it_holds_for_twelve_hours_and_for_what_the_login_could_read_then(
    login: Connection, change: str, shown: bool
) -> None:
    as_login(login, "sari")
    login.execute(text(OPEN))
    login.commit()
    login.execute(text("RESET SESSION AUTHORIZATION"))
    change_entries(login, change)
    login.execute(text("SET SESSION AUTHORIZATION sari"))
    assert refused(login, "sari", READ) is not shown


@pytest.mark.parametrize(
    "verb", ["UPDATE ledger.access SET account = 'x'", "DELETE FROM ledger.access_case", "TRUNCATE ledger.access"]
)
def test_the_trail_is_only_added_to_by_the_owner_too(connection: Connection, verb: str) -> None:
    with pytest.raises(DBAPIError, match="the trail of access is only added to"):
        connection.execute(text(verb))


def test_the_owner_and_the_parts_see_every_row(connection: Connection) -> None:
    fill(connection, ("63", "64"))
    connection.execute(text("CREATE ROLE owner_of_kasus"))
    connection.execute(text("GRANT USAGE ON SCHEMA core TO owner_of_kasus"))
    connection.execute(text("ALTER TABLE core.kasus OWNER TO owner_of_kasus"))
    secure_rows(connection)
    for role in ("owner_of_kasus", "regsosek_loader", "regsosek_publisher", "regsosek_alerter", "regsosek_portal"):
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        assert seen(connection, kasus) == ["63", "64"], role
        connection.execute(text("RESET ROLE"))


def test_the_policies_change_no_plan_of_a_part(connection: Connection) -> None:
    """A night asks as fast as without them: for a part they say nothing that a plan would have to keep."""
    connection.execute(text(MANY_CASES))
    connection.execute(text("ANALYZE core.kasus, core.kasus_terkini"))
    asked = text(f"EXPLAIN (COSTS OFF) {JOINED}")
    unbound = steps(connection.execute(asked).scalars())
    connection.execute(text("SET LOCAL ROLE regsosek_loader"))
    assert steps(connection.execute(asked).scalars()) == unbound


def steps(plan: Iterable[str]) -> list[str]:
    """A plan without the order in which a filter's conditions are asked."""
    return [line for line in plan if "Filter:" not in line]


MANY_CASES = """
WITH cases AS (
    INSERT INTO core.kasus (province, night, delivery_id, part, row_no, case_id, versi, rank_versi, produced_at,
                            content_hash, status, placed_code, enumerated_on, members, persons)
    SELECT '64', '2022-10-26', 'd', 1, n, 'c' || n, 1, 1, now(), 'h', 'loaded', 'p' || n % 100, '2022-10-26', 3, 3
    FROM generate_series(1, 20000) AS n RETURNING province, case_id
)
INSERT INTO core.kasus_terkini (province, case_id, state) SELECT province, case_id, 'loaded' FROM cases
"""
JOINED = """
SELECT k.placed_code, count(*) FROM core.kasus_terkini t JOIN core.kasus k USING (province, case_id)
WHERE t.province = '64' AND k.night <= '2022-10-26' AND k.case_id LIKE 'c1%' GROUP BY 1
"""


def test_rights_that_earlier_versions_gave_are_taken_back(connection: Connection) -> None:
    """They gave schemas as a whole, and tables to come."""
    for statement in (
        "GRANT SELECT ON ALL TABLES IN SCHEMA core TO regsosek_analyst",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA core GRANT SELECT ON TABLES TO regsosek_analyst",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA alert TO regsosek_alerter, regsosek_loader",
        "GRANT SELECT ON restricted.quarantined TO PUBLIC",
    ):
        connection.execute(text(statement))
    apply_rights(connection)
    assert standing_rights(connection) == wanted_rights(connection)
    ensure_night_partitions(connection, "65", NIGHT)
    assert refused(connection, "regsosek_analyst", "SELECT 1 FROM core.anggota_p65_20221026")


def test_what_only_an_owner_may_do_the_loader_may_ask_for_and_nobody_else(connection: Connection) -> None:
    asked = ("SELECT core.make_night_partitions('63', '2022-10-27')", "SELECT core.analyse_cases('63')")
    may = {(role, call) for role in (*PARTS, *READERS) for call in asked if not refused(connection, role, call)}
    assert may == {("regsosek_loader", call) for call in asked}
    with pytest.raises(DBAPIError, match="no province has this code"):
        connection.execute(text("SELECT core.make_night_partitions('6; DROP', '2022-10-27')"))


def test_a_reader_takes_no_lock_that_a_night_waits_for_and_fills_no_disk(connection: Connection) -> None:
    asked = ("SELECT pg_advisory_lock(1, 64)", "SELECT pg_try_advisory_xact_lock_shared(64)", "SELECT lo_create(0)")
    may = {(role, call) for role in (*PARTS, *READERS) for call in asked if not refused(connection, role, call)}
    assert may == {(role, call) for role in set(PARTS) - {"regsosek_watchdog"} for call in asked[:2]}
    assert not locks_are_open(connection)


def test_an_owner_who_is_no_superuser_takes_over_and_makes_the_roles_and_the_loader_works_beside_it(
    engine: Engine, services: Stack
) -> None:
    """The database was filled by the server's own account, as those of earlier versions were."""
    server, database = services.postgres, engine.url.database or ""
    ensure_accounts(server)
    ensure_owner(server, database)
    with server.connect(database) as superuser:
        superuser.execute(f"DROP ROLE {', '.join(set(all_roles()) - set(PARTS) - set(READERS))}")
    owner, loader = (create_engine(account_url(server, database, part)) for part in ("owner", "loader"))
    migrate(owner)
    with owner.connect() as connection:
        assert standing_rights(connection) == wanted_rights(connection)
        assert set(connection.execute(FUNCTION_OWNERS).scalars()) == {"regsosek_owner"}
        assert not connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar()
    a_person_is_let_in_and_out_again(owner, services)
    migrate(owner)
    ensure_current(loader)
    with province_lock(loader, "64"), loader.begin() as connection:
        ensure_night_partitions(connection, "64", NIGHT + timedelta(days=1))
        analyse_cases(connection, "64")
    with pytest.raises(DBAPIError, match="permission denied for schema core"), loader.begin() as connection:
        connection.execute(text("CREATE TABLE core.own (a int)"))
    with owner.begin() as connection:
        connection.execute(text("UPDATE ledger.alembic_version SET version_num = '0001'"))
    with pytest.raises(ConfigurationError, match="is at 0001, not at "):
        ensure_current(loader)
    for each in (owner, loader):
        each.dispose()


FUNCTION_OWNERS = text(
    "SELECT pg_get_userbyid(proowner) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace "
    "WHERE nspname = ANY (ARRAY['core', 'reference'])"
)
