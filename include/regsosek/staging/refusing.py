"""How an error of the engine while it reads a delivered file becomes a refusal: its own message never passes.

It may quote the offending line, which holds personal data; or be no text at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from regsosek.errors import ContractBreachError

# SQL that does not fit the database is our own fault, whatever the file holds.
_OURS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.InterruptException)


@contextmanager
def refusing(reason: str, detail: str, *, too_large: str) -> Iterator[None]:
    """Turns what the engine raises inside into a breach of the contract.

    Args:
        detail: names the file, what is wrong with it, and the fix.
        too_large: the detail where the file takes more memory than a task has.

    Raises:
        ContractBreachError: ``reason``, or ``file_too_large``.
    """
    try:
        yield
    except _OURS:
        raise
    except duckdb.OutOfMemoryException:
        raise ContractBreachError("file_too_large", too_large) from None
    except (duckdb.Error, UnicodeDecodeError):
        raise ContractBreachError(reason, detail) from None


def more_parts(name: str) -> str:
    """What to do with a file that takes more memory than a task has."""
    return f"{name} takes more memory than a part may; divide it into more parts"
