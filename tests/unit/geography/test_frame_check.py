"""Which rows of a reference file are used, which are left out, and what the report says."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.geography.frame import ReferenceDataset
from regsosek.geography.frame_check import CheckedRows, Row, check_reference_rows
from regsosek.geography.regions import RawRegion, place_regions

REGIONS = place_regions(
    [
        RawRegion("provinsi", "11", "00", "ACEH"),
        RawRegion("provinsi", "12", "00", "SUMATERA UTARA"),
        RawRegion("kabkota", "1101", "11", "KABUPATEN SIMEULUE"),
        RawRegion("kabkota", "1201", "12", "KABUPATEN NIAS"),
        RawRegion("kecamatan", "1101010", "1101", "TEUPAH SELATAN"),
        RawRegion("kecamatan", "1201060", "1201", "IDANO GAWO"),
        RawRegion("desa", "1101010001", "1101010", "LATIUNG"),
        RawRegion("desa", "1101010002", "1101010", "LABUHAN BAJAU"),
        RawRegion("desa", "1201060001", "1201060", "HILI"),
    ],
    {"11": 1, "12": 1},
)


def sls(**changes: str) -> Row:
    row = {
        "id_subsls": "1101010001000100",
        "id_desa": "1101010001",
        "nama_sls": "RT 001",
        "jenis": "1",
        "families_load": "80",
        "valid_from": "2022-01-01",
        "valid_to": "",
        "code_system": "BPS",
    }
    return row | changes


def officer(code: str, role: str, superior: str, **changes: str) -> Row:
    row = {"kode_petugas": code, "peran": role, "province": "11", "id_kabkota": "1101", "kode_atasan": superior}
    return row | {"valid_from": "2022-10-01", "valid_to": ""} | changes


def target(**changes: str) -> Row:
    return {"province": "11", "target_families": "1533", "source": "estimated", "scale": "0.001"} | changes


def checked(dataset: ReferenceDataset, *rows: Row, scale: float = 0.001) -> CheckedRows:
    return check_reference_rows(dataset, iter(rows), province="11", scale=scale, regions=REGIONS)


def faults(dataset: ReferenceDataset, *rows: Row) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(fault.kind, fault.column, fault.rows) for fault in checked(dataset, *rows).faults]


def test_sound_rows_pass_in_file_order() -> None:
    rows = (sls(id_subsls="1101010001000200"), sls())
    assert checked("sls", *rows) == CheckedRows(rows, ())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id_subsls", "110101000100010"),
        ("id_subsls", "11010100010001000"),
        ("id_subsls", "110101000100010x"),
        ("id_subsls", "'101010001000100"),
        ("id_desa", "110101000"),
        ("nama_sls", "x" * 101),
        ("nama_sls", "RT\n001"),
        ("jenis", "3"),
        ("families_load", "-1"),
        ("families_load", "8.0"),
        ("families_load", "1234567890"),
        ("valid_from", "20220101"),
        ("valid_from", "2022-02-30"),
        ("valid_to", "kini"),
        ("code_system", "Kemendagri"),
    ],
)
def test_a_value_that_does_not_fit_leaves_its_row_out(column: str, value: str) -> None:
    assert faults("sls", sls(id_subsls="1101010001000200"), sls(**{column: value})) == [
        ("malformed_value", column, (2,))
    ]
    assert checked("sls", sls(**{column: value})).rows == ()


@pytest.mark.parametrize("around", [" ", "\u00a0", "\t", "\u200b", " \u3000"])
def test_blanks_around_a_value_leave_nothing_out(around: str) -> None:
    surrounded = {name: f"{around}{value}{around}" if value else value for name, value in sls().items()}
    assert checked("sls", surrounded) == CheckedRows((sls(),), ())


@pytest.mark.parametrize(
    ("column", "value"), [("families_load", "0"), ("nama_sls", "x" * 100), ("nama_sls", "7"), ("jenis", "2")]
)
def test_values_on_the_edge_pass(column: str, value: str) -> None:
    assert faults("sls", sls(**{column: value})) == []


@pytest.mark.parametrize(
    "column", ["id_subsls", "id_desa", "nama_sls", "jenis", "families_load", "valid_from", "code_system"]
)
def test_what_is_required_must_be_there(column: str) -> None:
    assert faults("sls", sls(**{column: ""})) == [("missing_value", column, (1,))]


def test_an_unknown_desa_is_left_out_and_reported() -> None:
    assert faults("sls", sls(id_desa="1101010009")) == [("unknown_parent", "id_desa", (1,))]
    assert checked("sls", sls(id_desa="1101010009")).rows == ()


def test_a_desa_of_another_province_is_left_out() -> None:
    assert faults("sls", sls(id_desa="1201060001")) == [("wrong_province", "id_desa", (1,))]


def test_an_id_that_begins_with_another_desa_stays_and_is_reported() -> None:
    result = checked("sls", sls(id_desa="1101010002"))
    assert [(fault.kind, fault.left_out) for fault in result.faults] == [("desa_differs", False)]
    assert len(result.rows) == 1


def test_of_two_equal_beginnings_the_first_row_stays() -> None:
    rows = (sls(nama_sls="A"), sls(nama_sls="B"))
    assert faults("sls", *rows) == [("duplicate", "id_subsls", (2,))]
    assert checked("sls", *rows).rows == rows[:1]


@pytest.mark.parametrize(("begins", "fits"), [("2022-10-20", False), ("2022-10-21", True), ("2022-11-01", True)])
def test_a_successor_begins_after_the_last_day_of_its_predecessor(begins: str, fits: bool) -> None:
    rows = (sls(valid_from=begins), sls(valid_to="2022-10-20"))
    assert faults("sls", *rows) == ([] if fits else [("overlap", "valid_from", (1,))])


def test_an_open_row_leaves_no_room_for_a_successor() -> None:
    assert faults("sls", sls(), sls(valid_from="2030-01-01")) == [("overlap", "valid_from", (2,))]


def test_a_validity_of_one_day_is_one_and_a_reversed_one_is_none() -> None:
    assert faults("sls", sls(valid_to="2022-01-01")) == []
    assert faults("sls", sls(valid_to="2021-12-31")) == [("validity_reversed", "valid_to", (1,))]


def change(old: str, new: str, **changes: str) -> Row:
    row = {"id_subsls_lama": old, "id_subsls_baru": new, "status": "1", "valid_from": "2022-10-18"}
    return row | changes


def test_one_code_may_become_several_and_several_one() -> None:
    codes = [f"1101010001000{n}00" for n in range(1, 4)]
    rows = (change(codes[0], codes[1]), change(codes[0], codes[2]), change(codes[2], codes[1]))
    assert checked("psls", *rows) == CheckedRows(rows, ())


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        (change("1101010001000100", "1101010001000200"), ("duplicate", "id_subsls_lama", (2,))),
        (change("1101010001000100", "1101010001000200", valid_from="2022-10-20"), ("overlap", "valid_from", (2,))),
        (change("1101010001000100", "1201060001000200"), ("wrong_province", "id_subsls_baru", (2,))),
        (change("1201060001000100", "1101010001000200"), ("wrong_province", "id_subsls_lama", (2,))),
        (change("1101010001000100", "1101010001000200", status="4"), ("malformed_value", "status", (2,))),
        (change("1101010001000100", ""), ("missing_value", "id_subsls_baru", (2,))),
    ],
)
def test_a_change_that_cannot_be_used_is_left_out(second: Row, fault: tuple[str, str, tuple[int, ...]]) -> None:
    first = change("1101010001000100", "1101010001000200")
    assert faults("psls", first, second) == [fault]
    assert checked("psls", first, second).rows == (first,)


DAYS = st.integers(0, 30).map(lambda n: date(2022, 10, 1) + timedelta(days=n))


@st.composite
def validities(draw: st.DrawFn) -> Row:
    begin, end = draw(DAYS), draw(st.none() | DAYS)
    end = max(begin, end) if end else None
    id_subsls = draw(st.sampled_from(["1101010001000100", "1101010001000200"]))
    return sls(id_subsls=id_subsls, valid_from=begin.isoformat(), valid_to=end.isoformat() if end else "")


@given(st.lists(validities(), max_size=12))
def test_on_no_day_do_two_kept_rows_of_one_id_hold(rows: list[Row]) -> None:
    result = checked("sls", *rows)
    for day in (date(2022, 10, 1) + timedelta(days=n) for n in range(32)):
        holding = [row["id_subsls"] for row in result.rows if _holds(row, day)]
        assert len(holding) == len(set(holding))


@given(st.lists(validities(), max_size=12))
def test_every_row_is_kept_or_reported_once_and_never_without_a_conflict(rows: list[Row]) -> None:
    result = checked("sls", *rows)
    out = [number for fault in result.faults for number in fault.rows]
    assert len(out) == len(set(out))
    assert len(out) + len(result.rows) == len(rows)
    for row in (rows[number - 1] for number in out):
        begin = date.fromisoformat(row["valid_from"])
        assert any(kept["id_subsls"] == row["id_subsls"] and _holds(kept, begin) for kept in result.rows)


def _holds(row: Row, day: date) -> bool:
    return row["valid_from"] <= day.isoformat() and (not row["valid_to"] or day.isoformat() <= row["valid_to"])


ROSTER = (officer("K1", "Koseka", ""), officer("M1", "PML", "K1"), officer("P1", "PPL", "M1"))


def test_a_chain_of_supervision_passes_whatever_the_order() -> None:
    assert faults("petugas", *ROSTER) == []
    assert faults("petugas", *reversed(ROSTER)) == []


@pytest.mark.parametrize(
    "doubtful",
    [officer("P2", "PPL", ""), officer("P2", "PPL", "K1"), officer("M2", "PML", "X"), officer("K2", "Koseka", "K1")],
)
def test_an_officer_without_the_right_superior_stays_and_is_reported(doubtful: Row) -> None:
    result = checked("petugas", *ROSTER, doubtful)
    assert [(fault.kind, fault.rows) for fault in result.faults] == [("superior_unknown", (4,))]
    assert len(result.rows) == 4


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (officer("P2", "PPL", "M1", province="12"), ("wrong_province", "province")),
        (officer("P2", "PPL", "M1", id_kabkota="1201"), ("wrong_province", "id_kabkota")),
        (officer("P2", "PPL", "M1", id_kabkota="1109"), ("unknown_parent", "id_kabkota")),
        (officer("P2", "Pencacah", "M1"), ("malformed_value", "peran")),
        (officer("SITI AMINAH", "PPL", "M1"), ("malformed_value", "kode_petugas")),
        (officer("1101011501800001", "PPL", "M1"), ("malformed_value", "kode_petugas")),
        (officer("P1", "PPL", "M1"), ("duplicate", "kode_petugas")),
    ],
)
def test_an_officer_that_cannot_be_placed_is_left_out(row: Row, fault: tuple[str, str]) -> None:
    assert faults("petugas", *ROSTER, row) == [(*fault, (4,))]
    assert len(checked("petugas", *ROSTER, row).rows) == 3


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (target(province="12"), ("wrong_province", "province")),
        (target(scale="1"), ("wrong_scale", "scale")),
        (target(scale="0.0"), ("malformed_value", "scale")),
        (target(scale="1e-3"), ("malformed_value", "scale")),
        (target(source="guess"), ("malformed_value", "source")),
        (target(target_families="~1500"), ("malformed_value", "target_families")),
    ],
)
def test_a_target_that_does_not_fit_is_left_out(row: Row, fault: tuple[str, str]) -> None:
    assert faults("target", row) == [(*fault, (1,))]


@pytest.mark.parametrize(
    ("of_manifest", "of_row", "fits"), [(1, "1", True), (1, "0.9", False), (0.001, "0.0029", True), (0.001, "1", False)]
)
def test_a_part_of_the_operation_is_told_from_the_whole(of_manifest: float, of_row: str, fits: bool) -> None:
    assert bool(checked("target", target(scale=of_row), scale=of_manifest).rows) == fits


def test_a_province_has_one_target() -> None:
    assert faults("target", target()) == []
    assert faults("target", target(), target(target_families="1")) == [("duplicate", "province", (2,))]


def test_a_report_holds_no_value() -> None:
    result = checked("petugas", officer("SITI AMINAH", "PPL", "1101011501800001"))
    assert "SITI" not in repr(result.faults)
    assert "1101011501800001" not in repr(result.faults)
