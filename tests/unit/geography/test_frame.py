"""The format of the reference files: manifest, keys, columns, reading, and that its page tells the truth."""

import gzip
import json
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.frame import (
    DATASETS,
    ReferenceColumn,
    ReferenceDataset,
    file_key,
    manifest_key,
    parse_reference_manifest,
    read_reference_rows,
    reference_columns,
)
from regsosek.geography.frame_check import KEPT_FAULTS, FaultKind

PAGE = Path(__file__).parents[3] / "docs" / "reference-files.md"


def file_entry(province: str = "11", **changes: Any) -> dict[str, Any]:
    entry = {"name": f"prov={province}.csv.gz", "province": province, "rows": 1, "bytes": 9, "sha256": "0" * 64}
    return entry | changes


def manifest_bytes(**changes: Any) -> bytes:
    manifest = {
        "contract_version": "1",
        "dataset": "sls",
        "version": "2022-10-01",
        "produced_at": "2022-10-01T09:00:00+07:00",
        "producer": "test",
        "scale": 0.001,
        "note": "",
        "files": [file_entry("11"), file_entry("94")],
    }
    return json.dumps(manifest | changes).encode()


def parsed(document: bytes) -> Any:
    return parse_reference_manifest(document, dataset="sls", version="2022-10-01")


def test_a_manifest_is_read_and_names_its_gaps() -> None:
    manifest = parsed(manifest_bytes())
    assert manifest.scale == 0.001
    assert len(manifest.missing_provinces) == 32
    assert not {"11", "94"} & set(manifest.missing_provinces)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"contract_version": "2"}, "contract_version"),
        ({"dataset": "petugas"}, "describes petugas 2022-10-01"),
        ({"version": "2022-10-01.02"}, "describes sls 2022-10-01.02"),
        ({"version": "latest"}, "version"),
        ({"produced_at": "2022-10-01T09:00:00"}, "produced_at"),
        ({"scale": 0}, "scale"),
        ({"scale": 1.01}, "scale"),
        ({"files": []}, "files"),
        ({"files": [file_entry(), file_entry()]}, "more than one file"),
        ({"files": [file_entry("92")]}, "unknown provinces: 92"),
        ({"files": [file_entry(name="prov=12.csv.gz")]}, "must be named prov=11.csv.gz"),
        ({"files": [file_entry(sha256="0" * 63)]}, "sha256"),
        ({"files": [file_entry(rows=-1)]}, "rows"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_manifest_that_breaks_the_format_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        parsed(manifest_bytes(**changes))


@pytest.mark.parametrize("document", [b"", b"\xff", b"{", b"[]", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(document: bytes) -> None:
    with pytest.raises(ReferenceDataError, match=r"reference/sls/2022-10-01/manifest\.json"):
        parsed(document)


def test_a_scale_of_one_is_the_whole() -> None:
    assert parsed(manifest_bytes(scale=1)).scale == 1


def test_keys() -> None:
    assert file_key("petugas", "2022-10-01", "11") == "reference/petugas/2022-10-01/prov=11.csv.gz"
    assert manifest_key("target", "2022-10-01.02") == "reference/target/2022-10-01.02/manifest.json"


def test_columns_are_in_order_and_typed() -> None:
    first = reference_columns("sls")[0]
    assert (first.name, first.type, first.digits, first.required) == ("id_subsls", "digits", 16, True)
    assert [column.name for column in reference_columns("target")] == ["province", "target_families", "source", "scale"]
    assert next(c for c in reference_columns("petugas") if c.name == "peran").codes == ("PPL", "PML", "Koseka")


TARGET = "province,target_families,source,scale"


def zipped(text: str, encoding: str = "utf-8") -> BytesIO:
    return BytesIO(gzip.compress(text.encode(encoding)))


@pytest.mark.parametrize("text", [f"{TARGET}\n11,5,published,1\n", f"\ufeff{TARGET}\r\n11,5,published,1\r\n"])
def test_rows_are_read_as_text(text: str) -> None:
    row = {"province": "11", "target_families": "5", "source": "published", "scale": "1"}
    assert list(read_reference_rows("target", zipped(text), province="11")) == [row]


def test_a_file_without_rows_is_no_fault() -> None:
    assert list(read_reference_rows("target", zipped(f"{TARGET}\n"), province="11")) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (zipped(""), "header must be"),
        (zipped("province,target_families,scale,source\n"), "header must be"),
        (zipped(f"{TARGET}\n11,5,published,1\n11,5\n"), "data row 2 must have 4 cells"),
        (zipped(f"{TARGET}\n11,5,\u00e9,1\n", "latin-1"), "UnicodeDecodeError"),
        (BytesIO(b"not gzip"), "BadGzipFile"),
        (BytesIO(gzip.compress(TARGET.encode() * 99)[:40]), "EOFError"),
        (BytesIO(gzip.compress(b"x")[:10] + b"\xff\xff\xff"), "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_name(content: BytesIO, told: str) -> None:
    with pytest.raises(ReferenceDataError, match=rf"target prov=11\.csv\.gz: .*{told}"):
        list(read_reference_rows("target", content, province="11"))


def page_row(column: ReferenceColumn) -> str:
    values = column.digits or ", ".join(column.codes)
    required = "yes" if column.required else "no"
    return f"| `{column.name}` | {column.type} | {values} | {required} | {column.meaning_en} |"


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_page_shows_every_column_in_order(dataset: ReferenceDataset) -> None:
    table = "\n".join(page_row(column) for column in reference_columns(dataset))
    assert table in PAGE.read_text(encoding="utf-8")


def test_the_page_shows_every_fault_and_what_becomes_of_the_row() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    told = {
        line.split("`")[1]: line.endswith("stays, reported |")
        for line in lines
        if line.endswith(("| left out |", "| stays, reported |"))
    }
    assert told == {kind: kind in KEPT_FAULTS for kind in get_args(FaultKind)}


def test_the_example_on_the_page_is_a_manifest() -> None:
    example = PAGE.read_text(encoding="utf-8").split("```json")[1].split("```")[0]
    assert parsed(example.encode()).dataset == "sls"
