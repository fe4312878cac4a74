"""Every format says what the CSV says, reads back in the hands of others, and has the same bytes each time."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from frictionless import Package
from pysdmx.io import get_datasets, read_sdmx
from pysdmx.model.dataflow import Component

from regsosek.errors import ConfigurationError
from regsosek.release.build import formats
from regsosek.release.figures.schema import key_of, kind_of, typed
from regsosek.release.files.sdmx import area
from regsosek.release.files.tables import table_files
from regsosek.release.files.workbook import COVER, SHEETS
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.measures.status import status_words
from support.figures import made_up

HOSTILE = '=HYPERLINK("http://x","1")'


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    figures = made_up.figures(name=HOSTILE)
    tables = table_files(figures)
    return {**tables, **formats(figures.about, tables)}


@pytest.fixture(scope="module")
def folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release")
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def tables(files: Iterable[str]) -> list[str]:
    return sorted(n for n in files if n.endswith(".csv") and not n.endswith(".sdmx.csv"))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def as_text(value: Any, written: str) -> str:
    """A typed value in the spelling of the CSV cell ``written``."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{len(written.partition('.')[2])}f}"
    return str(value)


def test_every_definition_has_a_kind() -> None:
    kinds = Counter(kind_of(each) for each in definitions().values())
    assert min(kinds[kind] for kind in ("text", "date", "count", "number")) > 5


def test_a_table_that_nobody_named_a_key_for_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(ConfigurationError, match=r"tak_dikenal\.csv"):
        key_of("tak_dikenal.csv")


def test_the_key_of_every_table_names_each_row_once(files: dict[str, bytes]) -> None:
    for name in tables(files):
        counted = Counter(tuple(row[column] for column in key_of(name)) for row in rows(files[name]))
        assert counted.most_common(1)[0][1] == 1, name


def test_parquet_says_what_csv_says_with_types(files: dict[str, bytes]) -> None:
    for name in tables(files):
        table = pq.read_table(io.BytesIO(files[name.replace(".csv", ".parquet")]))
        written = rows(files[name])
        read = [
            {column: as_text(value, cells[column]) for column, value in row.items()}
            for row, cells in zip(table.to_pylist(), written, strict=True)
        ]
        assert read == written, name
    schema = pq.read_schema(io.BytesIO(files["provinsi.parquet"]))
    columns = ("kode", "dikunjungi", "persen_dikunjungi_dari_target", "malam")
    assert [schema.field(c).type for c in columns] == [pa.string(), pa.int64(), pa.float64(), pa.date32()]
    assert schema.field("kode").metadata[b"description"].startswith(b"Kode BPS")
    assert schema.field("dikunjungi").metadata[b"unit"] == b"keluarga"
    told = {key: schema.metadata[key].decode() for key in (b"night", b"scale", b"simulated", b"licence")}
    assert list(told.values()) == ["2022-10-23", "0.0005", "true", "CC-BY-4.0"]
    assert "Papua" in schema.metadata[b"incomplete_provinces"].decode()


def test_a_cell_that_is_not_what_its_definition_says_stops_the_release() -> None:
    with pytest.raises(pa.ArrowInvalid, match="banyak"):
        typed("provinsi.csv", b"kode,dikunjungi\n11,banyak\n")


def test_all_formats_are_the_same_bytes_from_the_same_tables(files: dict[str, bytes]) -> None:
    given = {name: files[name] for name in files if name in tables(files)}
    again = formats(made_up.figures(name=HOSTILE).about, given)
    assert again == {name: files[name] for name in again}
    assert len(again) == len(given) + 5


def test_the_data_package_is_valid_and_so_are_its_tables(folder: Path, files: dict[str, bytes]) -> None:
    package = Package(str(folder / "datapackage.json"))
    report = package.validate()
    assert report.valid, report.flatten(["title", "message"])[:5]
    assert sorted(str(each.path) for each in package.resources) == tables(files)
    field = package.get_resource("provinsi").schema.get_field("dikunjungi")
    assert (field.type, field.title) == ("integer", "Dikunjungi")
    assert package.get_resource("desa").schema.primary_key == ["kode"]
    [leads] = package.get_resource("harian").schema.foreign_keys
    assert leads["reference"] == {"resource": "wilayah", "fields": ["kode"]}
    status = package.get_resource("provinsi").schema.get_field("status")
    assert status.constraints["enum"] == [words.label.id for words in status_words().values()]


def test_a_changed_table_no_longer_fits_the_data_package(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name in (*tables(files), "datapackage.json"):
        (tmp_path / name).write_bytes(files[name])
    (tmp_path / "desa.csv").write_bytes(files["desa.csv"].replace(b"1101010001", b"9999990001", 1))
    assert not Package(str(tmp_path / "datapackage.json")).validate().valid


def test_the_workbook_opens_with_codes_as_text_and_the_header_in_view(folder: Path, files: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(folder / "rilis.xlsx")
    assert book.sheetnames == [COVER, *SHEETS.values()]
    sheet = book["Provinsi"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref.split(":")[0]) == ("C2", "A1")
    titles = [cell.value for cell in sheet[1]]
    first = dict(zip(titles, sheet[2], strict=True))
    [csv_row, *_] = rows(files["provinsi.csv"])
    assert (first["Kode wilayah"].value, first["Kode wilayah"].data_type) == ("11", "s")
    assert (first["Dikunjungi"].value, first["Dikunjungi"].number_format) == (int(csv_row["dikunjungi"]), "#,##0")
    assert first["Dikunjungi dari target"].number_format == "0.00"
    assert first["Malam pengolahan"].value.date() == made_up.NIGHT
    assert (first["Skala"].value, first["Skala"].number_format) == (0.0005, "General")
    assert first["Nama wilayah"].value == HOSTILE
    assert len(set(titles)) == len(titles)


def test_no_cell_of_the_workbook_is_a_formula(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "rilis.xlsx")
    assert not [cell for sheet in book for row in sheet for cell in row if cell.data_type == "f" or cell.hyperlink]


def test_the_workbook_leaves_changes_of_small_places_to_the_tables(folder: Path) -> None:
    sheet = openpyxl.load_workbook(folder / "rilis.xlsx")["Perubahan"]
    assert {row[0].value for row in sheet.iter_rows(min_row=2)} == {"nasional", "provinsi", "kabkota"}


@pytest.mark.parametrize("version", ["harian.sdmx.csv", "harian-2.0.sdmx.csv"])
def test_the_sdmx_structure_is_valid_sdmx_ml_and_its_data_fit_it(folder: Path, version: str) -> None:
    read_sdmx(folder / "struktur.sdmx.xml", validate=True)
    [dataset] = get_datasets(folder / version, folder / "struktur.sdmx.xml", validate=True)
    assert set(dataset.data["OBS_STATUS"]) == {"P"}
    components = {each.id: each for each in dataset.structure.components if each.attachment_level != "D"}
    assert list(dataset.data.columns) == list(components)
    of_all = {each.id for each in dataset.structure.components} - set(components)
    assert of_all == set(dataset.attributes) == {"NIGHT", "INCOMPLETE_PROVINCES"}
    assert not [fault for each in components.values() for fault in misfits(each, dataset.data[each.id])]
    key = [each.id for each in dataset.structure.components.dimensions]
    assert not dataset.data.duplicated(key).any()


def misfits(component: Component, values: Any) -> list[str]:
    if component.required and (values.isna().any() or (values.astype(str) == "").any()):
        return [f"{component.id} is empty"]
    known = {code.id for code in component.enumeration.items} if component.enumeration else set(values)
    return [f"{component.id}: {value} is no code" for value in set(values) - known]


def test_sdmx_says_what_the_daily_table_says(files: dict[str, bytes]) -> None:
    told = {
        (row["REF_AREA"], row["INDICATOR"], row["TIME_PERIOD"]): row["OBS_VALUE"]
        for row in rows(files["harian.sdmx.csv"])
    }
    for row in rows(files["harian.csv"]):
        at = (area(row["kode"]), "VISITED", row["tanggal_pencacahan"])
        assert told.pop(at) == row["dikunjungi"]
    assert {indicator for _, indicator, _ in told} >= {"COMPLETE", "PERSONS", "TARGET_FAMILIES"}
    assert "VISITED" not in {indicator for _, indicator, _ in told}


def test_the_data_package_names_bytes_and_hash_of_each_table(files: dict[str, bytes]) -> None:
    for resource in json.loads(files["datapackage.json"])["resources"]:
        assert resource["bytes"] == len(files[resource["path"]])
