"""How an error of the engine while it reads a delivered file becomes a refusal: its own message never passes.

It may quote the offending line, which holds personal data; or be no text at all. A task that runs out of memory or
disk is no fault of the province: what a file itself makes too large was bounded before. Nor is what the engine has
not implemented.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from regsosek.errors import ContractBreachError, EngineFaultError

# SQL that does not fit the database is our own fault, whatever the file holds.
_OURS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.InterruptException)
# How the system words a disk without room; the engine passes it on and has no kind of error for it.
_NO_ROOM = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE))


@contextmanager
def refusing(name: str, reason: str, detail: str) -> Iterator[None]:
    """Turns what the engine raises inside about the file ``name`` into a breach of the contract.

    Args:
        detail: names the file, what is wrong with it, and the fix.

    Raises:
        ContractBreachError: ``reason``.
        EngineFaultError: memory or disk of the task ran out, or a limit of the engine was met; the file may be as good
            as any.
    """
    try:
        yield
    except _OURS:
        raise
    except duckdb.OutOfMemoryException:
        raise EngineFaultError(
            f"reading {name} took more memory or spill space than the task has; raise REGSOSEK_MEMORY_LIMIT or make "
            "room in REGSOSEK_WORK_DIR, then run the province again"
        ) from None
    except duckdb.NotImplementedException:
        raise EngineFaultError(
            f"the engine has not implemented what {name} needs; the file may be sound and nothing is rejected: run the "
            "province again with a DuckDB that reads it"
        ) from None
    except duckdb.IOException as error:
        if any(words in str(error) for words in _NO_ROOM):
            raise EngineFaultError(
                f"reading {name} failed on the disk of the task; make room in REGSOSEK_WORK_DIR, then run the province "
                "again"
            ) from None
        raise ContractBreachError(reason, detail) from None
    except (duckdb.Error, UnicodeDecodeError):
        raise ContractBreachError(reason, detail) from None
