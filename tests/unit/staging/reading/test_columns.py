"""Columns by the stated policy: what it lets pass passes and is counted, and what it rejects is rejected."""

import random
from pathlib import Path

import pyarrow as pa
import pytest

from regsosek.contract.codebook import variables
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.columns import match_columns
from regsosek.staging.reading.repairs import Repair
from support.checks.staging_reading import NIK, read
from support.deliveries.families import VERSION, anggota_row, parquet_of

EXPECTED = variables("anggota", VERSION)
NAMES = [variable.name for variable in EXPECTED]
FILE = DeliveredFile(
    name="anggota-00001.csv.gz", dataset="anggota", part=1, format="csv.gz", rows=0, bytes=0, sha256="0" * 64
)
SHUFFLED = random.Random(7).sample(NAMES, len(NAMES))
CAPITALS = [name.upper() for name in NAMES]
MORE = [*NAMES, "r432_baru", "SITI AMINAH", "6403015202840001"]


def kinds(names: list[str]) -> dict[tuple[str, str], int]:
    return {(repair.kind, repair.variable): repair.amount for repair in match_columns(FILE, names, EXPECTED).repairs}


def test_every_variable_is_found_where_its_name_stands() -> None:
    layout = match_columns(FILE, SHUFFLED, EXPECTED)
    assert [SHUFFLED[layout.positions[name]] for name in NAMES] == NAMES
    assert layout.repairs == ()


def test_unknown_columns_are_counted_and_only_items_are_named() -> None:
    assert kinds(MORE) == {("column_unknown", ""): 2, ("column_unknown", "r432"): 1}


def test_other_spellings_are_counted_by_column() -> None:
    assert kinds(CAPITALS) == {("header_spelling", name): 1 for name in NAMES}


@pytest.mark.parametrize(
    ("kind", "names"),
    [("columns_reordered", SHUFFLED), ("column_unknown", MORE), ("header_spelling", CAPITALS)],
)
def test_a_stricter_policy_is_obeyed(kind: str, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsosek.staging.reading.columns.is_rejected", lambda found: found == kind)
    with pytest.raises(ContractBreachError, match="columns_differ: anggota-00001") as raised:
        match_columns(FILE, names, EXPECTED)
    assert "AMINAH" not in str(raised.value)


def test_a_stricter_policy_on_types_is_obeyed(engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {name: pa.array([value or None], pa.string()) for name, value in anggota_row(1).items()}
    content = parquet_of(pa.table(row | {"r403_nik": pa.array([int(NIK)])}))
    assert read(engine, tmp_path, content, 1, format_="parquet") == [
        Repair("anggota", "number_for_code", "r403_nik", 1)
    ]
    monkeypatch.setattr("regsosek.staging.reading.repairs.is_rejected", lambda kind: kind == "retyped_exactly")
    with pytest.raises(ContractBreachError, match=r"column_type: anggota-00001\.parquet: number_for_code r403_nik"):
        read(engine, tmp_path, content, 1, format_="parquet")


def test_a_column_named_like_another_but_for_blanks_is_twice() -> None:
    with pytest.raises(ContractBreachError, match="1 named twice"):
        match_columns(FILE, [*NAMES, " r402_nama"], EXPECTED)
