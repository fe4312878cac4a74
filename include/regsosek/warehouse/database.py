"""The edge to PostgreSQL: engine, COPY in and out, and what the planner is told."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from typing import Any

from psycopg import sql
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text

from regsosek.errors import ConfigurationError
from regsosek.settings import Part, Settings, variable, warehouse_field
from regsosek.transport import warehouse_tls

CHUNK_BYTES = 1 << 20
LONGEST_HOST = 40  # PostgreSQL keeps 63 bytes of an application's name
# A peer that is gone is noticed within a minute: after 20 s of silence it is asked every 5 s, four times; what was sent
# must be taken within 40 s. By us, and, as the session's own settings, by the server, whatever it is configured to.
# A proxy in front of a dead server takes a connection and never speaks: whoever opens one would wait for ever.
CONNECT_SECONDS = 30
SOCKET = {
    "keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 40_000,
}  # fmt: skip
SESSION = {
    "tcp_keepalives_idle": "20", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4", "tcp_user_timeout": "40s",
    "client_connection_check_interval": "10s",
    # A session waits for the store, or for DuckDB, as long as that takes.
    "idle_session_timeout": "0", "idle_in_transaction_session_timeout": "0",
    # Days are read and written as ISO 8601, however the database writes them for others.
    "datestyle": "ISO",
}  # fmt: skip


def connect(settings: Settings, part: Part | None = None, *, patience_seconds: int | None = None) -> Engine:
    """An engine on the warehouse.

    Args:
        part: whose account it is; none: that of REGSOSEK_WAREHOUSE_URL.
        patience_seconds: the longest wait for a connection, and for a query; none: as long as it takes.

    Raises:
        ConfigurationError: the URL names another driver than psycopg 3, whose COPY everything here rests on; or it
            wants less than a proved server, outside this machine.
    """
    url = make_url(settings.warehouse_of(part).get_secret_value())
    if url.drivername != "postgresql+psycopg":
        raise ConfigurationError(
            f"{variable(warehouse_field(part))} uses {url.drivername}; write postgresql+psycopg://... (psycopg 3)"
        )
    session, longest = dict(SESSION), CONNECT_SECONDS
    if patience_seconds is not None:
        session["statement_timeout"] = f"{patience_seconds}s"
        longest = min(longest, patience_seconds)
    given = url.query.get("options", "")
    options = " ".join([*(f"-c {name}={value}" for name, value in session.items()), str(given)]).strip()
    # A statement that is prepared once for all provinces is planned without knowing which partition it is for: a query
    # of milliseconds has taken minutes. So nothing is prepared, and each province's query is planned for itself.
    own: dict[str, Any] = {"application_name": _name(), "prepare_threshold": None, "connect_timeout": longest, **SOCKET}
    own = {name: value for name, value in own.items() if name not in url.query} | {"options": options}
    own |= tls_of(settings, url)
    return create_engine(url, pool_pre_ping=True, connect_args=own)


def tls_of(settings: Settings, url: URL) -> dict[str, str]:
    """What the driver is told beside ``url`` so that it accepts a proved server alone; nothing where it may be plain.

    Raises:
        ConfigurationError: the URL wants less, to a host that no setting allows it for.
    """
    return warehouse_tls(settings, {**url.query, "host": hosts_named(url)})


def hosts_named(url: URL) -> tuple[str, ...]:
    """Where a URL of PostgreSQL leads, in its own words."""
    return tuple(filter(None, (url.host, *_several(url.query.get("host")))))


def _several(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return given if isinstance(given, tuple) else tuple((given or "").split(","))


def _name() -> str:
    """Tells at the server which process of which machine a session belongs to."""
    return f"regsosek {gethostname()[:LONGEST_HOST]}:{os.getpid()}"


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
    connection.execute(text("SELECT core.analyse_cases(:province)"), {"province": province})


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
