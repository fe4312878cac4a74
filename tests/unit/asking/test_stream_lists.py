"""A work list as a spreadsheet opens it: names are no formulas, codes no numbers."""

import csv
from datetime import date
from pathlib import Path

from regsosek.asking.stream_lists import WorkList, write_work_list


def test_names_are_no_formulas_and_codes_no_numbers(tmp_path: Path) -> None:
    columns = ("kabkota", "kode", "nama", "sejak", "selisih")
    row = {
        "kabkota": "6403",
        "kode": "6403010001000100",
        "nama": "=HYPERLINK(1)",
        "sejak": date(2022, 10, 20),
        "selisih": 3,
    }
    write_work_list(WorkList("daftar", date(2022, 10, 21), columns, (row,)), tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        header, written = csv.reader(file)
    assert tuple(header) == columns
    assert written == ["6403", "6403 010 001 0001 00", "'=HYPERLINK(1)", "2022-10-20", "3"]
