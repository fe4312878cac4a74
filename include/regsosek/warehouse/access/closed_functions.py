"""Functions of PostgreSQL that it opens to every login, and by which any of them could stop the night."""

from functools import cache
from importlib import resources

from sqlalchemy import Connection, text

FILE = "closed_functions.sql"


@cache
def closing() -> str:
    """The statement that closes them; a superuser alone may run it."""
    return resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")


def close_functions(connection: Connection) -> None:
    """Closes them where the account may; where it may not, the doctor names what is open."""
    if connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar_one():
        connection.execute(text(closing()))


def locks_are_open(connection: Connection) -> bool:
    """Whether every login may take the locks of nights and releases."""
    return bool(connection.execute(text(_OPEN)).scalar_one())


_OPEN = "SELECT has_function_privilege('public', 'pg_advisory_lock(integer, integer)', 'EXECUTE')"
