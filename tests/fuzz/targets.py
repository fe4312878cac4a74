"""What must hold for every input: only a breach of the contract with a known reason comes out, and quotes nothing."""

import gzip
import resource
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import duckdb

from fuzz.inputs import NIK, SECRET
from regsosek.contract.codebook import DATASETS, variables
from regsosek.contract.manifest import parse_manifest
from regsosek.contract.reasons import rejection_reasons
from regsosek.errors import ContractBreachError
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Suite, load_suites
from regsosek.release.rereading.archived_text import read_columns
from regsosek.settings import PROJECT_ROOT
from regsosek.staging.engine import open_engine
from regsosek.staging.reading.files import read_part, text_table
from support.deliveries.families import VERSION, Row, described_file, reference_tables, stage_rows
from support.deliveries.faulty_writers import letters, said

LONGEST_ERROR = 1500
CPU_SECONDS = 20
MEMORY_LIMIT = "400MB"
WITA = timedelta(hours=8)


@dataclass
class Tally:
    """How many inputs ended how, and what the dearest of them took."""

    outcomes: Counter[str] = field(default_factory=Counter)
    longest: float = 0

    @property
    def tried(self) -> int:
        return self.outcomes.total()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """CPU seconds of one input, all threads."""
        begun = time.process_time()
        yield
        took = time.process_time() - begun
        assert took < CPU_SECONDS, f"{took:.0f} CPU-seconds for one input"
        self.longest = max(self.longest, took)


def peak_memory() -> int:
    """The most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


@dataclass
class Bench:
    """One engine and one directory for many inputs."""

    connection: duckdb.DuckDBPyConnection
    directory: Path
    suites: Mapping[str, Suite]
    tally: Tally = field(default_factory=Tally)

    def try_manifest(self, document: bytes) -> None:
        """A manifest is read in one way, or refused."""
        with self.tally.timed():
            try:
                read = parse_manifest(document, province="64", delivery_id="01GFWC1W80A0B1C2D3E4F5G6H7")
                again = parse_manifest(
                    read.model_dump_json().encode(), province=read.province, delivery_id=read.delivery_id
                )
                assert again == read
                self.tally.outcomes["read"] += 1
            except ContractBreachError as breach:
                self._refused(breach)

    def try_file(self, dataset: str, format_: str, content: bytes, rows: int) -> None:
        """A file is read whole, with as many rows as its manifest says, or refused."""
        with self.tally.timed():
            outcome = self._read(dataset, format_, content, rows)
        self.tally.outcomes[outcome] += 1
        assert not list(self.directory.glob("unpacked-*")), "unpacked text was left behind"
        if outcome == "read":
            assert self._counted(dataset) == rows
            assert self._contents(dataset) == self._contents_again(dataset, format_, content, rows)
            self._read_alike(dataset, format_, content, rows)

    def try_writer(self, dataset: str, rows: Sequence[Sequence[str]], text: str) -> None:
        """Rows of a faulty writer are read as they are written, or refused; rows are counted, not files."""
        with self.tally.timed():
            outcome = read_of_faulty_writer(self.connection, self.directory, dataset, rows, text)
        self.tally.outcomes[outcome] += len(rows) - 1

    def _read(self, dataset: str, format_: str, content: bytes, rows: int) -> str:
        file, path = described_file(dataset, content, rows, self.directory, format_=format_)
        try:
            read_part(self.connection, file, path, version=VERSION, offset=WITA)
        except ContractBreachError as breach:
            check_breach(breach)
            return breach.reason
        return "read"

    def _read_alike(self, dataset: str, format_: str, content: bytes, rows: int) -> None:
        """The audit's second reading finds the same text in every column, by code of its own."""
        file, path = described_file(dataset, content, rows, self.directory, format_=format_)
        again = read_columns(path, file.format, variables(dataset, VERSION), WITA)
        columns = ", ".join(f"coalesce({name}, '')" for name in again)
        once = self.connection.execute(f"SELECT {columns} FROM {text_table(dataset)} ORDER BY row_no").fetchall()
        assert list(again.itertuples(index=False, name=None)) == once

    def _counted(self, dataset: str) -> int:
        columns = {row[0] for row in self.connection.execute(f"DESCRIBE {text_table(dataset)}").fetchall()}
        assert columns == {"row_no", *(v.name for v in variables(dataset, VERSION))}
        [(rows,)] = self.connection.execute(f"SELECT count(*) FROM {text_table(dataset)}").fetchall()
        return int(rows)

    def _contents(self, dataset: str) -> list[tuple[object, ...]]:
        return self.connection.execute(f"SELECT * FROM {text_table(dataset)} ORDER BY row_no").fetchall()

    def _contents_again(self, dataset: str, format_: str, content: bytes, rows: int) -> list[tuple[object, ...]]:
        assert self._read(dataset, format_, content, rows) == "read"
        return self._contents(dataset)

    def try_part(self, keluarga: list[Row], anggota: list[Row]) -> None:
        """A part is staged without losing a row and judged by every rule, twice in the same way; or refused."""
        with self.tally.timed():
            try:
                stage_rows(self.connection, self.directory, keluarga, anggota)
            except ContractBreachError as breach:
                self._refused(breach)
                return
            self._judged(len(keluarga), len(anggota))
        self.tally.outcomes["judged"] += 1

    def _judged(self, families: int, members: int) -> None:
        asked = "SELECT count(*), count(DISTINCT keluarga_row), sum(members) FROM kasus"
        [(cases, rows, given)] = self.connection.execute(asked).fetchall()
        assert (cases, rows, given or 0) == (families, families, members)
        found = [self._reasons(dataset) for dataset in DATASETS]
        assert found == [self._reasons(dataset) for dataset in DATASETS]

    def _reasons(self, dataset: str) -> list[tuple[int, str]]:
        explain(self.connection, dataset, self.suites[dataset].rules)
        asked = f"SELECT row_no, rule_id FROM {dataset}_reasons ORDER BY ALL"
        return [(row_no, rule_id) for row_no, rule_id in self.connection.execute(asked).fetchall()]

    def _refused(self, breach: ContractBreachError) -> None:
        check_breach(breach)
        self.tally.outcomes[breach.reason] += 1


def read_of_faulty_writer(
    connection: duckdb.DuckDBPyConnection, directory: Path, dataset: str, rows: Sequence[Sequence[str]], text: str
) -> str:
    """Reads what a faulty writer made of ``rows``: as its text says and each value in its own column, or not at all.

    Returns:
        how it ended: a reason, or ``as meant``, ``as spelled`` (quoting left its marks), ``meant otherwise``.
    """
    file, path = described_file(dataset, gzip.compress(text.encode(), 1), len(rows) - 1, directory)
    try:
        read_part(connection, file, path, version=VERSION)
    except ContractBreachError as breach:
        check_breach(breach)
        return breach.reason
    columns = ", ".join(f"coalesce({name}, '')" for name in rows[0])
    found = connection.execute(f"SELECT {columns} FROM {text_table(dataset)} ORDER BY row_no").fetchall()
    spelled = said(text)
    assert spelled is not None, text
    assert len(found) == len(spelled) - 1 == len(rows) - 1, text
    endings = set()
    for read, told, meant in zip(found, spelled[1:], rows[1:], strict=True):
        assert all(map(_reads, read, told.cells)), text
        assert len(read) == len(told.cells), text
        endings.add(_ending(read, told.flawless, meant, text))
    return max(endings, default="as meant")


def _reads(read: str, told: str) -> bool:
    """Blanks around a value do not count, and a spreadsheet's apostrophe before a code is taken off."""
    told = told.strip(" ")
    return read == told or (told.startswith("'") and read == told[1:].strip(" "))


def _ending(read: Sequence[str], flawless: bool, meant: Sequence[str], text: str) -> str:
    if list(map(letters, read)) == list(map(letters, meant)):
        return "as meant" if all(map(_reads, read, meant)) else "as spelled"
    # A row in which nothing is amiss says something else than its writer meant: no reader can know.
    assert flawless, text
    return "meant otherwise"


def check_breach(breach: ContractBreachError) -> None:
    """A refusal has a reason of the contract, names no value and drags no error of a library along."""
    assert breach.reason in rejection_reasons()
    told = str(breach)
    assert len(told) < LONGEST_ERROR
    assert SECRET not in told
    assert NIK not in told
    assert breach.__cause__ is None
    assert breach.__suppress_context__ or breach.__context__ is None


@contextmanager
def open_bench(directory: Path) -> Iterator[Bench]:
    """A bench with the rules of the project."""
    with open_engine(directory, memory_limit=MEMORY_LIMIT, threads=1) as connection:
        reference_tables(connection)
        yield Bench(connection, directory, load_suites(PROJECT_ROOT / "expectations"))
