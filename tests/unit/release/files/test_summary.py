"""The summary for applications: one language of keys and values, decimals of the tables, a schema that holds."""

import csv
import io
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from regsosek.release.files.code_lists import code_lists
from regsosek.release.files.summary import NAME, SCHEMA, summary_files
from regsosek.release.files.tables import REGION_TABLES, csv_bytes, region_table
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.forecast.table import FORECAST_WORDS, forecast_words
from support.figures import made_up

FIGURES = made_up.figures()


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    return {name: json.loads(content) for name, content in summary_files(FIGURES).items()}


def test_the_summary_fits_its_schema(documents: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(documents[SCHEMA])
    faults = [fault.message for fault in Draft202012Validator(documents[SCHEMA]).iter_errors(documents[NAME])]
    assert faults == []


def test_a_row_of_the_summary_is_the_row_of_the_table(documents: dict[str, Any]) -> None:
    content = csv_bytes(region_table(FIGURES, "provinsi"), REGION_TABLES["provinsi.csv"][1])
    for told, row in zip(documents[NAME]["provinsi"], csv.DictReader(io.StringIO(content.decode())), strict=True):
        for column, cell in row.items():
            value = told[column]
            assert cell == ("" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)), column


def test_no_word_of_the_summary_is_english(documents: dict[str, Any]) -> None:
    for field in ("status", "state", "target_source"):
        column = definitions()[field].column
        words = {row[column] for row in documents[NAME]["provinsi"]}
        assert words <= {*code_lists()[column], None}
        assert words - {None}


def test_a_column_of_a_forecast_lists_its_own_words_alone() -> None:
    lists = code_lists()
    assert lists["selesai_tepat_waktu"] == ("ya", "belum pasti", "tidak")
    of_forecasts = [lists[definitions()[field].column] for field in FORECAST_WORDS]
    assert all(of_forecasts) and {word for words in of_forecasts for word in words} == {
        word.id for word in forecast_words().values()
    }
