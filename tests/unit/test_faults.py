"""The edge: whatever a step raises leaves as a typed error that names kind, place and fix, and quotes no database."""

import errno
import logging
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from sqlalchemy.exc import OperationalError

from regsosek.errors import DefectError, EngineFaultError, MachineFaultError, RegsosekError
from regsosek.faults import WITHHELD, edge, fix_of, fixes, from_database, without_words
from regsosek.telemetry.logs import GuardedRecord

STATEMENT = "SELECT r402_nama FROM core.anggota WHERE r402_nama = 'SITI CONTOH'"


ROW = "Key (r403_nik)=(SITI CONTOH) already exists."


def sqlalchemys() -> Exception:
    return OperationalError(STATEMENT, {"name": "SITI CONTOH"}, psycopg.errors.QueryCanceled(STATEMENT))


def after(first: Exception, second: Exception, *, said: bool) -> Exception:
    """The second as it is raised from the first, or while the first is handled."""
    second.__context__ = first
    second.__cause__ = first if said else None
    return second


def pandas_error() -> Exception:
    return after(sqlalchemys(), pd.errors.DatabaseError(f"Execution failed on sql '{STATEMENT}'"), said=True)


def while_handling() -> Exception:
    return after(psycopg.errors.UniqueViolation(ROW), KeyError(ROW), said=False)


def raised(error: Exception) -> Exception:
    raise error


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (sqlalchemys, EngineFaultError, r"QueryCanceled \(SQLSTATE 57014\); the message .*; statement_timeout of"),
        (pandas_error, EngineFaultError, r"QueryCanceled \(SQLSTATE 57014\)"),
        (lambda: pd.errors.DatabaseError(STATEMENT), EngineFaultError, "DatabaseError"),
        (while_handling, EngineFaultError, r"UniqueViolation \(SQLSTATE 23505\)"),
        (lambda: duckdb.ConversionException(STATEMENT), EngineFaultError, "ConversionException"),
        (lambda: duckdb.OutOfMemoryException(STATEMENT), MachineFaultError, "OutOfMemoryException.*REGSOSEK_MEMORY"),
        (lambda: ExceptionGroup("several", [sqlalchemys()]), EngineFaultError, "QueryCanceled"),
        (
            lambda: psycopg.OperationalError("FATAL: sorry, too many clients already"),
            EngineFaultError,
            "no connection is free: raise max_connections of the server that REGSOSEK_WAREHOUSE_URL names",
        ),
        (lambda: psycopg.OperationalError("x"), EngineFaultError, "REGSOSEK_WAREHOUSE_URL"),
        (MemoryError, MachineFaultError, "MemoryError.*REGSOSEK_MEMORY_LIMIT"),
        (lambda: pa.lib.ArrowMemoryError("malloc"), MachineFaultError, "ArrowMemoryError.*no memory is left"),
        (lambda: RuntimeError("can't start new thread"), MachineFaultError, "RuntimeError.*no thread can be started"),
        (
            lambda: OSError(errno.ENOSPC, "No space left on device", "/var/work/prov64/part.csv"),
            MachineFaultError,
            r"ENOSPC.*/var/work/prov64/part.csv; the disk is full: .*REGSOSEK_WORK_DIR \(/var/work\)",
        ),
        (lambda: OSError("x"), MachineFaultError, "OSError.*see the log"),
        (lambda: TypeError("SITI CONTOH"), DefectError, "TypeError"),
        (lambda: AssertionError("SITI CONTOH"), DefectError, "AssertionError"),
        (lambda: RuntimeError("SITI CONTOH"), DefectError, "RuntimeError"),
        (lambda: pd.errors.MergeError("SITI CONTOH"), DefectError, "MergeError"),
        (RecursionError, DefectError, "RecursionError.*nested too deeply"),
    ],
)
def test_whatever_a_step_raises_leaves_typed(
    make: Callable[[], Exception], kind: type[RegsosekError], said: str
) -> None:
    with (
        pytest.raises(kind, match=f"^province 64: .*{said}") as caught,
        edge("province 64", work_dir=Path("/var/work")),
    ):
        raise make()
    assert type(caught.value) is kind
    assert "SITI" not in str(caught.value) and "SELECT" not in str(caught.value)
    assert (WITHHELD in str(caught.value)) == (from_database(make()) is not None)


def test_the_place_is_the_last_line_of_ours() -> None:
    with pytest.raises(DefectError, match=r"Error at geography/provinces.py:\d+"), edge("x"):
        from regsosek.geography.provinces import clock_offset

        clock_offset("64", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_run_passes(end: type[BaseException]) -> None:
    with pytest.raises(end), edge("x"):
        raise end


def test_what_a_caller_means_otherwise_passes() -> None:
    with pytest.raises(StopIteration), edge("x", passing=(StopIteration,)):
        raise StopIteration


def test_an_error_of_ours_keeps_its_class_and_lets_go_of_the_database_behind_it() -> None:
    with pytest.raises(DefectError, match=r"^ours$") as caught, edge("x"):
        try:
            raise sqlalchemys()
        except OperationalError as error:
            raise DefectError("ours") from error
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize("make", [sqlalchemys, pandas_error, while_handling, lambda: duckdb.Error(STATEMENT)])
def test_a_record_has_the_frames_and_the_kind_but_no_word_of_the_database(make: Callable[[], Exception]) -> None:
    try:
        raised(make())
    except Exception as error:  # noqa: BLE001 - as a step would log whatever it caught
        record = GuardedRecord(
            "regsosek", logging.ERROR, __file__, 1, "failed: %s", (error,), (type(error), error, error.__traceback__)
        )
    told = logging.Formatter().format(record)
    assert "raise error" in told and WITHHELD in told
    assert type(make()).__name__ in told
    assert "SITI" not in told and "r402_nama =" not in told and "r403_nik" not in told


def test_an_error_that_has_nothing_of_a_database_stays_itself() -> None:
    error = ValueError("x")
    assert without_words(error) is error


def test_every_fix_names_what_is_to_be_done() -> None:
    for sign, fix in fixes().items():
        assert issubclass(fix.error, RegsosekError) and len(fix.words) > 20, sign


def test_an_error_that_nobody_foresaw_is_logged_with_its_frames_and_without_its_words() -> None:
    with pytest.raises(DefectError) as caught, edge("x"):
        float("Siti".upper())
    logged = "".join(traceback.format_exception(without_words(caught.value)))
    assert "SITI" not in logged
    assert "ValueError" in logged
    assert "test_an_error_that_nobody_foresaw" in logged


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(errno.ECONNREFUSED, "refused"), TimeoutError("timed out"), socket.gaierror(-2, "unknown"),
     OSError(errno.EHOSTUNREACH, "no route")],
    ids=repr,
)  # fmt: skip
def test_a_network_that_fails_is_not_laid_to_the_work_directory(error: OSError) -> None:
    fix = fix_of(error)
    assert fix is not None
    assert "REGSOSEK_WORK_DIR" not in fix.words
    assert "regsosek doctor" in fix.words
