"""A staged part: members find their family whatever the order, and what is misplaced is told, not lost."""

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.errors import ContractBreachError
from regsosek.staging.engine import open_engine
from support.checks.matrix import examples
from support.deliveries.families import DESA, SUBSLS, Row, anggota_row, keluarga_row, stage_rows

NIK = "6403015202840001"


def family(number: int, members: int = 2, **changes: str) -> tuple[Row, list[Row]]:
    key = {"id_dokumen": f"D{number}", "r110_no_keluarga": str(number)} | changes
    return keluarga_row(**key), [anggota_row(n, **key) for n in range(1, members + 1)]


def staged(connection: duckdb.DuckDBPyConnection, directory: Path, *families: tuple[Row, list[Row]]) -> None:
    stage_rows(connection, directory, [k for k, _ in families], [m for _, members in families for m in members])


def fetched(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def rosters(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Members and misfits of each family by its number."""
    rows = fetched(connection, "SELECT r110_no_keluarga, roster_rows, roster_misfits FROM keluarga")
    return {number: (members, misfits) for number, members, misfits in rows}


def test_members_belong_to_the_family_with_their_document_and_revision(engine, tmp_path: Path) -> None:
    staged(engine, tmp_path, family(1), family(2, 3), family(3, 0))
    assert rosters(engine) == {1: (2, 0), 2: (3, 0), 3: (0, 0)}


def test_two_revisions_of_a_case_keep_their_own_members(engine, tmp_path: Path) -> None:
    staged(engine, tmp_path, family(1, 2), family(1, 3, versi="2"))
    assert fetched(engine, "SELECT versi, members FROM kasus ORDER BY versi") == [(1, 2), (2, 3)]
    assert fetched(engine, "SELECT DISTINCT roster_misfits, same_revision_rows FROM keluarga") == [(0, 1)]


def test_a_member_without_its_document_is_found_by_its_key_and_told(engine, tmp_path: Path) -> None:
    household, members = family(1)
    members[1]["id_dokumen"] = "D99"
    staged(engine, tmp_path, (household, members), family(2))
    assert rosters(engine) == {1: (2, 1), 2: (2, 0)}


def test_a_family_whose_member_went_to_another_is_told_too(engine, tmp_path: Path) -> None:
    household, members = family(1)
    members[1]["id_dokumen"] = "D2"
    staged(engine, tmp_path, (household, members), family(2))
    found = rosters(engine)
    assert found[2] == (3, 1)
    assert found[1][1] == 1, "family 1 must not load with one member less"


def test_families_without_a_document_do_not_take_each_others_members(engine, tmp_path: Path) -> None:
    other, others = family(2)
    others[1]["id_dokumen"] = ""
    nameless, members = family(1)
    staged(engine, tmp_path, (nameless | {"id_dokumen": ""}, members), (other, others))
    assert rosters(engine) == {1: (2, 0), 2: (2, 0)}


def test_every_family_that_shares_the_key_of_a_misfit_is_told(engine, tmp_path: Path) -> None:
    household, members = family(1)
    members[1]["id_dokumen"] = "D99"
    withdrawn = keluarga_row(id_dokumen="D0", r110_no_keluarga="1", status_dokumen="9")
    staged(engine, tmp_path, (withdrawn, []), (household, members))
    assert rosters(engine)[1][1] > 0


def test_members_without_a_family_reject_the_part_and_are_counted_not_quoted(engine, tmp_path: Path) -> None:
    _, strangers = family(7)
    strangers[0]["r403_nik"] = NIK
    with pytest.raises(ContractBreachError, match="parts_misaligned: part 1: 2 members without their family") as raised:
        staged(engine, tmp_path, family(1), (keluarga_row(), strangers))
    assert NIK not in str(raised.value)


def test_withdrawn_documents_are_cases_but_not_judged(engine, tmp_path: Path) -> None:
    staged(engine, tmp_path, family(1), _withdrawn(2))
    assert fetched(engine, "SELECT case_id, withdrawn FROM kasus ORDER BY case_id") == [("D1", False), ("D2", True)]
    assert fetched(engine, "SELECT id_dokumen FROM keluarga") == [("D1",)]
    assert fetched(engine, "SELECT DISTINCT id_dokumen FROM anggota") == [("D1",)]


def _withdrawn(number: int) -> tuple[Row, list[Row]]:
    household, members = family(number)
    return household | {"status_dokumen": "9"}, members


def test_what_cannot_be_typed_is_kept_as_received(engine, tmp_path: Path) -> None:
    household, members = family(1)
    staged(engine, tmp_path, (household | {"r302_luas_lantai": "36 m2"}, members))
    kept = fetched(engine, "SELECT r302_luas_lantai, r302_luas_lantai__untyped, r303_lantai__untyped FROM keluarga")
    assert kept == [(None, "36 m2", None)]


@pytest.mark.parametrize(
    ("change", "status", "placed"),
    [
        ({}, "known", SUBSLS),
        ({"id_subsls": DESA + "000200", "r105a_sls": "0002"}, "desa_known", DESA),
        ({"r201_tanggal_pencacahan": "2021-12-31"}, "desa_known", DESA),
        ({"id_subsls": "6403010999000100", "r104_desa": "999"}, "unknown", "6403010"),
        ({"id_subsls": "6499010999000100", "r102_kabkota": "99"}, "unknown", "64"),
        ({"id_subsls": "6403010999000100", "r104_desa": ""}, None, "6403010"),
        ({"id_subsls": ""}, None, DESA),
    ],
)
def test_a_case_is_placed_at_the_lowest_known_region(
    engine, tmp_path: Path, change: Row, status: str | None, placed: str
) -> None:
    staged(engine, tmp_path, (keluarga_row(**change), []))
    assert fetched(engine, "SELECT frame_status, placed_code FROM kasus") == [(status, placed)]


def hashes(connection: duckdb.DuckDBPyConnection) -> dict[str, bytes]:
    return dict(fetched(connection, "SELECT case_id, content_hash FROM kasus"))


@settings(max_examples=examples(5), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(engine, tmp_path: Path, seed: int) -> None:
    families = [family(n, n) for n in range(1, 5)]
    staged(engine, tmp_path, *families)
    expected = hashes(engine), rosters(engine)
    shuffle = random.Random(seed).shuffle
    households, members = [k for k, _ in families], [m for _, of in families for m in of]
    shuffle(households)
    shuffle(members)
    stage_rows(engine, tmp_path, households, members)
    assert (hashes(engine), rosters(engine)) == expected


@settings(max_examples=examples(5), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from([c for c in anggota_row() if c not in {"id_dokumen", "versi"}]))
def test_any_other_answer_of_a_member_is_another_content(engine, tmp_path: Path, column: str) -> None:
    household, members = family(1)
    staged(engine, tmp_path, (household, members))
    before = hashes(engine)
    members[1][column] += "7"
    staged(engine, tmp_path, (household, members))
    assert hashes(engine)["D1"] != before["D1"]


def test_an_answer_in_the_next_column_is_another_content(engine, tmp_path: Path) -> None:
    found = []
    for change in ({"r106_nama_sls": "RT 1", "r107_alamat": ""}, {"r106_nama_sls": "", "r107_alamat": "RT 1"}):
        staged(engine, tmp_path, (keluarga_row(**change), []))
        found.append(hashes(engine)["D1"])
    assert found[0] != found[1]


def test_a_part_replaces_the_one_before(engine, tmp_path: Path) -> None:
    staged(engine, tmp_path, family(1), family(2))
    staged(engine, tmp_path, family(3))
    assert rosters(engine) == {3: (2, 0)}


def test_the_memory_limit_holds_and_the_rest_spills_beside_it(tmp_path: Path) -> None:
    with open_engine(tmp_path, memory_limit="64MB", threads=1) as connection:
        assert fetched(connection, "SELECT current_setting('memory_limit')") == [("61.0 MiB",)]
        connection.execute("CREATE TABLE big AS SELECT i, repeat(i::VARCHAR, 20) AS s FROM range(600000) r(i)")
        connection.execute("SELECT count(*) FROM (SELECT s, count(*) FROM big GROUP BY s)").fetchall()
        assert list((tmp_path / "spill").iterdir())
        assert fetched(connection, "SELECT sum(memory_usage_bytes) < 64000000 FROM duckdb_memory()") == [(True,)]


def test_a_nik_in_place_of_the_code_goes_no_further_though_the_desa_beside_it_is_known(engine, tmp_path: Path) -> None:
    staged(engine, tmp_path, family(1, id_subsls="9171030302840001"), family(2, id_subsls=DESA + "099900"))
    assert fetched(engine, "SELECT id_subsls FROM kasus ORDER BY case_id") == [(None,), (DESA + "099900",)]
