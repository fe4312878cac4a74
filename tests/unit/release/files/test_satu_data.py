"""The metadata forms of Satu Data: every variable and every indicator once, with what the forms ask for."""

import csv
import io
from pathlib import Path

import pytest

from regsosek.contract.codebook import ALL_DATASETS, all_variables
from regsosek.quality.rules import load_suites
from regsosek.release.files.satu_data import FOLDER, IND, KEG, VAR, documents
from regsosek.settings import PROJECT_ROOT
from regsosek.statistics.definitions.definitions import definitions

RULES = [rule for suite in load_suites(PROJECT_ROOT / "expectations").values() for rule in suite.rules]
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def forms() -> dict[str, Rows]:
    written = documents(Path(), RULES)
    return {path.name: list(csv.DictReader(io.StringIO(text))) for path, text in written.items()}


def test_every_variable_of_every_dataset_stands_once_with_the_rules_that_read_it(forms: dict[str, Rows]) -> None:
    aliases = [row["alias"] for row in forms[VAR]]
    assert aliases == [f"{dataset}.{each.name}" for dataset in ALL_DATASETS for each in all_variables(dataset)]
    floor = next(row for row in forms[VAR] if row["alias"] == "keluarga.r303_lantai")
    assert "C-303" in floor["aturan_validasi"].split()
    assert floor["klasifikasi_isian"].startswith("1 = ")


def test_every_indicator_says_definition_measure_unit_and_level(forms: dict[str, Rows]) -> None:
    shares = {each.column for each in definitions().values() if each.is_share}
    assert shares <= {row["kolom"] for row in forms[IND]}
    for row in forms[IND]:
        assert all((row["definisi"], row["ukuran"], row["satuan"], row["variabel_pembangun"], row["level_estimasi"]))
        assert bool(row["rumus"]) is (row["kolom"] in shares)


def test_the_activity_names_who_is_responsible(forms: dict[str, Rows]) -> None:
    told = {row["rincian"]: row["isi"] for row in forms[KEG]}
    assert all(told[name] for name in ("Judul kegiatan", "Instansi penyelenggara", "Unit penanggung jawab", "Kontak"))


def test_the_committed_forms_are_not_stale() -> None:
    for path, text in documents(PROJECT_ROOT, RULES).items():
        assert path.read_text(encoding="utf-8") == text, FOLDER / path.name
