"""Who publishes, licence, citation and limits are the same in every format; what is simulated says so in each."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from regsosek.errors import ConfigurationError
from regsosek.geography.frame import SIMULATED, simulated
from regsosek.release.figures.imprint import EXAMPLE, About, read_imprint
from regsosek.release.figures.parquet_tables import about_table
from regsosek.release.files.datapackage import datapackage
from regsosek.release.files.sdmx import sdmx_files
from regsosek.release.files.workbook import cover_lines
from regsosek.release.site.about import about_lines, limit_lines
from regsosek.release.site.language import LANGUAGES

ABOUT = About(read_imprint(None), date(2022, 10, 23), 0.0005, simulated=True, missing=("Papua",))
REAL = replace(ABOUT, scale=1.0, simulated=False)
NO_ROWS = b"kode,tanggal_pencacahan\n"


def structure(about: About) -> str:
    header = ",".join(_daily_columns())
    return sdmx_files(about, {"harian.csv": f"{header}\n".encode()})["struktur.sdmx.xml"].decode()


def _daily_columns() -> list[str]:
    from regsosek.release.files.tables import TABLE_FIELDS
    from regsosek.statistics.definitions.definitions import definitions

    return [definitions()[field].column for field in TABLE_FIELDS["harian.csv"]]


def told_by_format(about: About) -> dict[str, str]:
    """What each format says of the release, as one text."""
    return {
        "datapackage": datapackage(about, {}).decode(),
        "workbook": repr(cover_lines(about)),
        "parquet": repr(about_table(about)),
        "sdmx": structure(about),
        **{f"page {each.code}": repr(about_lines(about, each)) for each in LANGUAGES},
    }


@pytest.mark.parametrize("about", [ABOUT, REAL], ids=["simulated", "real"])
def test_every_format_names_publisher_and_licence_and_whether_it_is_simulated(about: About) -> None:
    for name, told in told_by_format(about).items():
        assert "Badan Pusat Statistik" in told or "BPS-Statistics Indonesia" in told, name
        assert "CC-BY-4.0" in told, name
        assert ("simulasi" in told.lower() or "simulated data" in told.lower()) is about.simulated, name


@pytest.mark.parametrize(("about", "test"), [(ABOUT, "true"), (REAL, "false")])
def test_sdmx_is_a_test_where_the_data_are_simulated(about: About, test: str) -> None:
    assert f"Test>{test}<" in structure(about)


def test_every_artefact_of_sdmx_is_of_the_agency_that_the_imprint_names() -> None:
    other = replace(ABOUT, imprint=ABOUT.imprint.model_copy(update={"agency": "DINAS"}))
    files = sdmx_files(other, {"harian.csv": f"{','.join(_daily_columns())}\n".encode()})
    told = files["struktur.sdmx.xml"].decode()
    assert set(re.findall(r'agencyID="(\w+)"', told)) == {"DINAS"} and 'Sender id="DINAS"' in told
    assert not re.search(r'"BPS"|BPS:', told)


def test_the_limits_stand_on_page_cover_and_in_the_package() -> None:
    package = json.loads(datapackage(ABOUT, {}))
    assert package["limits"] == limit_lines(ABOUT, LANGUAGES[0]) == ABOUT.limits("id")
    assert {told for _, told in cover_lines(ABOUT)} >= {*package["limits"], *package["limits_en"]}


def test_the_package_says_what_a_catalogue_asks_for_and_names_no_province() -> None:
    package = json.loads(datapackage(ABOUT, {}))
    assert (package["version"], package["created"]) == ("2022-10-23", "2022-10-23T23:59:00+07:00")
    assert package["licenses"] == [{
        "name": "CC-BY-4.0", "title": "Creative Commons Attribution 4.0 International",
        "path": "https://creativecommons.org/licenses/by/4.0/",
    }]  # fmt: skip
    assert [each["role"] for each in package["contributors"]] == ["publisher", "contributor"]
    assert package["next_release_en"].startswith("Night of ")
    assert "24 October 2022" in package["next_release_en"]
    assert "Papua" not in json.dumps(package)  # accounts of other provinces read it, too


def test_what_reference_files_say_of_themselves_decides_what_is_simulated() -> None:
    assert simulated((f"{SIMULATED} (seed 7)",))
    assert not simulated(("2022-10 edition",))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('agency = "BPS"', "agency: field required"),
        ('licence_url = "https', "licence_url"),
        ("publisher_en", "publisher_en: field required; "),
    ],
)
def test_a_faulty_imprint_is_told_without_its_values(tmp_path: Path, change: str, told: str) -> None:
    file = tmp_path / "imprint.toml"
    lines = [line for line in EXAMPLE.read_text().splitlines() if not line.startswith(change)]
    file.write_text("\n".join([*lines, 'unknown = "secret"']))
    with pytest.raises(ConfigurationError, match=told.rstrip("; ")) as raised:
        read_imprint(file)
    assert "secret" not in str(raised.value)


def test_a_missing_imprint_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_imprint(tmp_path / "none.toml")
