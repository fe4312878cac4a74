"""Families under a retired code: the successor if there is one, else the smallest region that holds all successors."""

from pathlib import Path

import duckdb
import pytest

from support.deliveries.families import DESA, SUBSLS, keluarga_row, stage_rows

NEIGHBOUR = "6403010002"
ELSEWHERE = "6471010001"


def placed(connection: duckdb.DuckDBPyConnection, directory: Path, code: str, day: str = "2022-10-20") -> tuple:
    row = keluarga_row(id_subsls=code, r105a_sls=code[10:14], r105b_subsls=code[14:], r201_tanggal_pencacahan=day)
    stage_rows(connection, directory, [row], [])
    [found] = connection.execute("SELECT frame_status, placed_code, id_subsls FROM kasus").fetchall()
    return found


@pytest.mark.parametrize(
    ("number", "day", "status", "place"),
    [
        ("000400", "2022-10-20", "retired", SUBSLS),
        ("000400", "2022-10-17", "known", DESA + "000400"),
        ("000500", "2022-10-20", "retired", SUBSLS),
        ("000500", "2022-10-17", "retired", DESA + "000400"),
        ("000300", "2022-10-20", "retired", DESA),
        ("000300", "2022-10-17", "known", DESA + "000300"),
        ("000700", "2022-10-20", "retired", DESA),
        ("000600", "2022-10-20", "desa_known", DESA),
    ],
)
def test_a_retired_code_is_placed_with_what_it_became(
    engine, tmp_path: Path, number: str, day: str, status: str, place: str
) -> None:
    assert placed(engine, tmp_path, DESA + number, day) == (status, place, DESA + number)


def test_successors_that_share_an_sls_of_the_region_master_are_placed_there(engine, tmp_path: Path) -> None:
    engine.execute("INSERT INTO region VALUES (?, 'sls')", [DESA + "0003"])
    assert placed(engine, tmp_path, DESA + "000300")[1] == DESA + "0003"
    assert placed(engine, tmp_path, DESA + "000700")[1] == DESA


@pytest.mark.parametrize(("desa", "place"), [(NEIGHBOUR, "6403010"), (ELSEWHERE, "64")])
def test_the_frame_says_the_desa_of_a_successor(engine, tmp_path: Path, desa: str, place: str) -> None:
    engine.execute("UPDATE frame SET id_desa = ? WHERE id_subsls = ?", [desa, DESA + "000302"])
    assert placed(engine, tmp_path, DESA + "000300")[1] == place


def test_changes_that_run_in_a_circle_come_to_an_end(engine, tmp_path: Path) -> None:
    pair = [DESA + "000901", DESA + "000902"]
    engine.execute("INSERT INTO psls VALUES ($1, $2, 3, '2022-01-01'), ($2, $1, 3, '2022-01-01')", pair)
    assert placed(engine, tmp_path, pair[0])[0] == "desa_known"


def test_without_a_list_of_changes_no_code_is_retired(engine, tmp_path: Path) -> None:
    engine.execute("DROP TABLE psls")
    assert placed(engine, tmp_path, DESA + "000300")[0] == "desa_known"
