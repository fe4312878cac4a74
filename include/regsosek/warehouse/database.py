"""The edge to PostgreSQL: engine, COPY in and out, and one lock per province."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from regsosek.errors import ConfigurationError, ProvinceBusyError
from regsosek.settings import Settings

# First half of the advisory lock's key: the second is the province, so provinces never wait for each other.
PROVINCE_LOCK = 0x5245_4753
CHUNK_BYTES = 1 << 20


def connect(settings: Settings, *, patience_seconds: int | None = None) -> Engine:
    """An engine on the warehouse.

    Args:
        patience_seconds: the longest wait for a connection, and for a query; none: as long as it takes.

    Raises:
        ConfigurationError: the URL names another driver than psycopg 3, whose COPY everything here rests on.
    """
    url = make_url(settings.warehouse_url.get_secret_value())
    if url.drivername != "postgresql+psycopg":
        raise ConfigurationError(
            f"REGSOSEK_WAREHOUSE_URL uses {url.drivername}; write postgresql+psycopg://... (psycopg 3)"
        )
    brief: dict[str, Any] = {}
    if patience_seconds is not None:
        brief = {"connect_timeout": patience_seconds, "options": f"-c statement_timeout={1000 * patience_seconds}"}
    # A statement that is prepared once for all provinces is planned without knowing which partition it is for: a query
    # of milliseconds has taken minutes. So nothing is prepared, and each province's query is planned for itself.
    own = {"application_name": "regsosek", "prepare_threshold": None, **brief}
    return create_engine(url, pool_pre_ping=True, connect_args=own)


@contextmanager
def province_lock(engine: Engine, province: str, *, wait: bool = True) -> Iterator[None]:
    """Holds the one right to load ``province``; a second holder waits, whatever process or machine it is on.

    Raises:
        ProvinceBusyError: somebody else holds it, and ``wait`` is false.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"lock": PROVINCE_LOCK, "province": int(province)}
        if wait:
            connection.execute(text("SELECT pg_advisory_lock(:lock, :province)"), key)
        elif not connection.execute(text("SELECT pg_try_advisory_lock(:lock, :province)"), key).scalar_one():
            raise ProvinceBusyError(f"province {province} is being worked on; try again when its run has ended")
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock, :province)"), key)


def provinces_at_work(connection: Connection) -> frozenset[str]:
    """The provinces whose lock somebody holds now."""
    query = (
        "SELECT lpad(objid::text, 2, '0') FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = :lock"
    )
    return frozenset(connection.execute(text(query), {"lock": PROVINCE_LOCK}).scalars())


def hold_province(connection: Connection, province: str) -> None:
    """Takes the right of :func:`province_lock` until the transaction ends."""
    key = {"lock": PROVINCE_LOCK, "province": int(province)}
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock, :province)"), key)


@contextmanager
def step_tables(connection: Connection, steps: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[None]:
    """Keeps the results of queries in temporary tables while the caller works, in the caller's transaction.

    The planner guesses the sizes of steps inside one query, and compares every row with every other where it guesses
    too low. It knows the size of a table that was analysed.

    Args:
        steps: the query of each table; it may read the tables before it.
        values: the parameters of all queries.
    """
    for table, query in steps.items():
        connection.execute(text(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {query}"), values)
        connection.execute(text(f"ANALYZE {table}"))
    yield
    connection.execute(text(f"DROP TABLE {', '.join(steps)}"))


def analyse_cases(connection: Connection, province: str) -> None:
    """Takes statistics of the log of ``province``; autovacuum does it a minute later, or never.

    A statement that joins the log needs them: without statistics the planner takes a case for one of two hundred, and
    compared each case of a first night with each other.
    """
    connection.execute(text(f"ANALYZE core.kasus_p{province}"))


def copy_in(connection: Connection, table: str, columns: list[str], path: Path) -> None:
    """Loads a CSV file with a header into ``table`` (``schema.name``, or a bare name) by COPY."""
    target = sql.Identifier(*table.split("."))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER true)").format(target, names)
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(statement) as copy, path.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            copy.write(chunk)


def copy_out(connection: Connection, query: str, path: Path) -> None:
    """Writes the rows of ``query`` as a CSV file with a header."""
    driver = connection.connection.driver_connection
    assert driver is not None
    # The query is composed in this package from names of the schema; values travel in temporary tables.
    statement = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER true)".encode()
    with path.open("wb") as target, driver.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            target.write(block)
