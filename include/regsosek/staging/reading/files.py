"""Delivered files as relations of text, whatever their format: read, held to codebook and manifest, repaired."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from regsosek.contract.codebook import Variable, variables
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.engine import scratch_of
from regsosek.staging.reading.csv_files import read_csv
from regsosek.staging.reading.json_lines import read_json_lines
from regsosek.staging.reading.parquet_files import read_parquet
from regsosek.staging.reading.repairs import Repair, refuse_by_policy, take_off_apostrophes
from regsosek.staging.reading.unpacking import unpack

UTC = timedelta(0)


def text_table(dataset: str) -> str:
    """The table that holds the delivered text of ``dataset``, one part at a time."""
    return f"{dataset}_text"


def read_part(
    connection: duckdb.DuckDBPyConnection, file: DeliveredFile, path: Path, *, version: str, offset: timedelta = UTC
) -> tuple[Repair, ...]:
    """Reads one file into ``<dataset>_text``: ``row_no`` from 1 and one text column per variable, empty as NULL.

    Args:
        version: of the questionnaire, as the delivery's manifest names it; it decides the columns.
        offset: of the province's clock, for formats that keep instants in UTC alone.

    Returns:
        what had to be repaired or overlooked, counted.

    Raises:
        ContractBreachError: the file is damaged, too large, or not what contract and manifest say; it names the file
            and the fix and quotes no value.
    """
    expected = variables(file.dataset, version)
    table = text_table(file.dataset)
    if file.format == "parquet":
        repairs = read_parquet(connection, table, file, path, offset, expected)
    else:
        repairs = _read_text(connection, table, file, path, expected)
    refuse_by_policy(file, repairs)
    if file.format != "csv.gz":  # its bytes were looked through when it was unpacked
        _check_characters(connection, file, expected)
    _check_rows(connection, file)
    return (*repairs, *take_off_apostrophes(connection, table, file.dataset, expected))


def _read_text(
    connection: duckdb.DuckDBPyConnection, table: str, file: DeliveredFile, path: Path, expected: Sequence[Variable]
) -> tuple[Repair, ...]:
    with TemporaryDirectory(dir=scratch_of(connection), prefix="unpacked-") as directory:
        plain = Path(directory, "text")
        facts = unpack(file, path, plain)
        read = read_csv if file.format == "csv.gz" else read_json_lines
        repairs = read(connection, table, file, plain, facts, expected)
    bom = (Repair(file.dataset, "byte_order_mark", "", 1),) if facts.bom else ()
    return (*bom, *repairs)


def _check_characters(connection: duckdb.DuckDBPyConnection, file: DeliveredFile, expected: Sequence[Variable]) -> None:
    # PostgreSQL can store no NUL character, neither in text nor in the JSON of a quarantined case; JSON can spell it.
    nul = " OR ".join(f"contains({v.name}, chr(0))" for v in expected)
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {text_table(file.dataset)} WHERE {nul}").fetchall()
    if rows:
        raise ContractBreachError(
            "nul_characters", f"{file.name} has NUL characters in {rows} rows; remove them where the data are kept"
        )


def _check_rows(connection: duckdb.DuckDBPyConnection, file: DeliveredFile) -> None:
    [(rows,)] = connection.execute(f"SELECT count(*) FROM {text_table(file.dataset)}").fetchall()
    if rows != file.rows:
        raise ContractBreachError("row_count", f"{file.name} holds {rows} rows, the manifest says {file.rows}")
