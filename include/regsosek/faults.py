"""The edge at which a fault ends: typed, named with its kind and place, and without a value of a database.

Errors are typed, and a step catches what it can handle and nothing wider. Whatever else a step raises ends at an edge:
around each province, the publication and each digest. The edge turns it into a typed error, so that one step's fault
stops no other step. ``KeyboardInterrupt`` and ``SystemExit`` pass: they end the run.
"""

import csv
import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regsosek import errors
from regsosek.errors import DefectError, EngineFaultError, RegsosekError

WITHHELD = "the message is withheld, it may quote personal data"
PACKAGE = Path(__file__).parent
FIXES = Path(__file__).with_name("fault_fixes.csv")
# Packages whose errors quote statements, parameters and rows. By name: whoever only logs need not import them.
_DATABASES = frozenset({"sqlalchemy", "psycopg", "psycopg_pool", "duckdb", "_duckdb"})


@dataclass(frozen=True)
class Fix:
    """What mends a kind of fault: the error of ours that it becomes, and the setting or command, in words."""

    error: type[RegsosekError]
    words: str


@contextmanager
def edge(what: str, *, work_dir: Path | None = None, passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Lets every fault of a step leave as a typed error that names ``what``.

    Args:
        work_dir: where the step keeps its files; named when the disk is full.
        passing: kinds that a caller means as something else, such as the end of a command.

    Raises:
        EngineFaultError: in place of an error of a database, even of one that only led to the fault.
        MachineFaultError: memory, threads, files or disk are used up.
        DefectError: in place of anything that is not an error of ours.
    """
    try:
        yield
    except passing:
        raise
    except RegsosekError as error:
        if from_database(error) is None:
            raise
        raise error from None  # its own words are ours, those of the database behind it are not
    except Exception as error:
        if from_database(error) is None:
            raise typed(what, error, work_dir) from error
        raise typed(what, error, work_dir) from None


def typed(what: str, error: Exception, work_dir: Path | None = None) -> RegsosekError:
    """The error of ours that stands for ``error``: kind, place and what mends it; no word of a database or library."""
    culprit = from_database(error)
    fix = fix_of(culprit or error)
    kind = kind_of(culprit or error) + _place(error)
    if culprit is not None:
        made = fix.error if fix else EngineFaultError
        return made(f"{what}: {kind}; {WITHHELD}" + (f"; {fix.words}" if fix else ""))
    if fix is not None:
        named_dir = f"REGSOSEK_WORK_DIR ({work_dir})" if work_dir else "REGSOSEK_WORK_DIR"
        return fix.error(f"{what}: {kind}{_file_of(error)}; {fix.words.replace('REGSOSEK_WORK_DIR', named_dir)}")
    return DefectError(f"{what}: {kind}{_file_of(error)}; a step raised what it should not: report it with the log")


def named(error: RegsosekError) -> str:
    """A fault with its class, which decides whom it is for."""
    return f"{type(error).__name__}: {error}"


def kind_of(error: BaseException) -> str:
    """The class of an error, and the code of the database or machine: ``QueryCanceled (SQLSTATE 57014)``."""
    driver = getattr(error, "orig", None) or error
    code = _sqlstate(driver)
    number = getattr(driver, "errno", None) if isinstance(driver, OSError) else None
    told = f"SQLSTATE {code}" if code else errno.errorcode.get(number or 0, "")
    return type(driver).__name__ + (f" ({told})" if told else "")


def from_database(error: BaseException) -> BaseException | None:
    """The error of a database that ``error`` is, or came from: the one that knows its code, else the last in line."""
    found = [each for each in chain(error) if _is_database(each)]
    return next((each for each in found if _sqlstate(each)), found[-1] if found else None)


def chain(error: BaseException) -> list[BaseException]:
    """An error and everything that it came from, each once; a group's errors too."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if each is not None and all(each is not known for known in found):
            found.append(each)
            waiting += [*getattr(each, "exceptions", ()), each.__cause__, each.__context__]
    return found


def without_words(error: BaseException) -> BaseException:
    """``error`` for a log: behind a database or a defect, its like with the same frames and without its words.

    A database quotes rows, and an error that nobody foresaw may quote the value that it failed at. Errors of ours keep
    their words. Whatever lies between may repeat what was said, so it loses its own.
    """
    if from_database(error) is None and not any(isinstance(each, DefectError) for each in chain(error)):
        return error
    return _stand_in(error, {})


def _stand_in(error: BaseException, made: dict[int, BaseException]) -> BaseException:
    if id(error) not in made:
        kind = type(error)
        like = type(kind.__name__, (Exception,), {"__module__": kind.__module__})
        words = str(error) if isinstance(error, RegsosekError) else f"{kind_of(error)}; {WITHHELD}"
        made[id(error)] = stand_in = like(words).with_traceback(error.__traceback__)
        stand_in.__cause__ = error.__cause__ and _stand_in(error.__cause__, made)
        stand_in.__context__ = error.__context__ and _stand_in(error.__context__, made)
        stand_in.__suppress_context__ = error.__suppress_context__
    return made[id(error)]


def fix_of(error: BaseException) -> Fix | None:
    """What mends a kind of fault, by SQLSTATE (its class too), ``errno``, class of the error, or its known words."""
    driver = getattr(error, "orig", None) or error
    code = _sqlstate(driver) or ""
    number = errno.errorcode.get(getattr(driver, "errno", None) or 0, "") if isinstance(driver, OSError) else ""
    # pandas' DatabaseError is an OSError, and no fault of the machine.
    kinds = [each.__name__ for each in type(driver).__mro__ if each is not OSError or not _is_database(driver)]
    signs = [code, code[:2], number, *_words_of(driver), *kinds]
    return next((fixes()[sign] for sign in signs if sign and sign in fixes()), None)


@cache
def fixes() -> dict[str, Fix]:
    """``fault_fixes.csv`` by sign."""
    with FIXES.open(encoding="utf-8", newline="") as file:
        return {row["sign"]: Fix(getattr(errors, row["error"]), row["fix"]) for row in csv.DictReader(file)}


def _words_of(error: BaseException) -> list[str]:
    """Signs that stand in the words of an error alone: a refused connection and a refused thread have no code."""
    if not (isinstance(error, RuntimeError) or type(error).__name__ == "OperationalError"):
        return []
    said = str(error)
    return [sign for sign in fixes() if " " in sign and sign in said]


def _is_database(error: BaseException) -> bool:
    roots = {(each.__module__.split(".")[0], each.__name__) for each in type(error).__mro__}
    return any(root in _DATABASES for root, _ in roots) or ("pandas", "DatabaseError") in roots


def _sqlstate(error: BaseException) -> str | None:
    code = getattr(error, "sqlstate", None)
    return str(code) if code else None


def _file_of(error: BaseException) -> str:
    """The file that the operating system refused, if it names one."""
    name = error.filename if isinstance(error, OSError) else None
    return f": {name}" if isinstance(name, str) else ""


def _place(error: BaseException) -> str:
    """The last line of this package that the fault went through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if Path(each.filename).is_relative_to(PACKAGE) and each.filename != __file__]
    return f" at {Path(ours[-1].filename).relative_to(PACKAGE)}:{ours[-1].lineno}" if ours else ""
