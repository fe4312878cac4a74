"""What changed since the last release: before + causes = now for every region, whatever happened in between."""

import csv
import io
from dataclasses import replace

import pandas as pd
import pytest

from regsosek.release.audit.change_audit import CHANGES_FILE, change_faults
from regsosek.release.figures.changes import CAUSE_FIELDS, Changes, changes_table
from regsosek.release.files.tables import table_files
from regsosek.warehouse.tables import PROGRESS_MEASURES
from support.checks.matrix import FULL
from support.figures import made_up

FIGURES = made_up.figures()
NUMBERS = ["before", *CAUSE_FIELDS.values(), "now"]
BELOW = ("kecamatan", "desa")
NO_NEWS = pd.DataFrame(columns=["code", "cause", *PROGRESS_MEASURES])


def tree(**visited: int) -> pd.DataFrame:
    """The made-up regions, nothing counted but ``visited`` of some codes (written with an underscore before)."""
    shown = FIGURES.completion.copy()
    shown[list(PROGRESS_MEASURES)] = 0
    for code, count in visited.items():
        shown.loc[shown["code"] == code.removeprefix("_"), "visited"] = count
    return shown


def changed(code: str, cause: str, visited: int) -> dict[str, object]:
    return {"code": code, "cause": cause, **dict.fromkeys(PROGRESS_MEASURES, 0), "visited": visited}


def causes_of(table: pd.DataFrame, code: str) -> dict[str, int]:
    row = table[(table["code"] == code) & (table["measure"] == "visited")].iloc[0]
    return {name: int(row[name]) for name in NUMBERS if row[name]}


def test_every_row_adds_up_and_every_level_tells_only_what_is_public_there() -> None:
    table = FIGURES.changes.table
    assert (table["before"] + table[list(CAUSE_FIELDS.values())].sum(axis=1) == table["now"]).all()
    counted = table[table["measure"].isin(PROGRESS_MEASURES)]
    assert set(counted.loc[counted["level"].isin(BELOW), "measure"]) == {"visited"}
    assert set(counted.loc[counted["level"] == "kabkota", "measure"]) == set(PROGRESS_MEASURES)


def test_a_place_that_the_frame_moved_is_the_frames_cause_and_no_province_is_touched() -> None:
    before = tree(_00=9, _11=9, _1101=9).set_index("code")
    now = tree(_00=11, _11=11, _1101=5, _1101010=6)
    news = pd.DataFrame([changed(code, "late", 2) for code in ("00", "11", "1101010")])
    table = changes_table(now, before, news)
    assert causes_of(table, "11") == {"before": 9, "cause_late": 2, "now": 11}
    assert causes_of(table, "1101") == {"before": 9, "cause_frame": -4, "now": 5}
    assert causes_of(table, "1101010") == {"cause_late": 2, "cause_frame": 4, "now": 6}


def test_a_night_that_was_processed_again_is_a_cause_of_its_own() -> None:
    table = changes_table(
        tree(_00=12, _11=7, _1101=7, _12=5), tree(_00=9, _11=4, _1101=4, _12=5).set_index("code"), NO_NEWS
    )  # fmt: skip
    assert causes_of(table, "1101") == {"before": 4, "cause_reopened": 3, "now": 7}
    assert causes_of(table, "12") == {"before": 5, "now": 5}
    assert causes_of(table, "00") == {"before": 9, "cause_reopened": 3, "now": 12}


def test_a_province_that_was_never_published_comes_from_nothing() -> None:
    news = pd.DataFrame([changed(code, cause, n) for code in ("00", "11") for cause, n in (("new", 3), ("late", 2))])
    table = changes_table(tree(_00=5, _11=5), pd.DataFrame(index=pd.Index([], name="code")), news)
    assert causes_of(table, "11") == {"cause_new": 3, "cause_late": 2, "now": 5}


def test_a_changed_denominator_changes_by_the_frame() -> None:
    before = tree().set_index("code")
    before.loc["11", "frame_families"] += 7
    table = changes_table(tree(), before, NO_NEWS)
    row = table[(table["code"] == "11") & (table["measure"] == "frame_families")].iloc[0]
    assert (row["cause_frame"], row["now"] - row["before"]) == (-7, -7)


def faults(changes: Changes, edit: dict[tuple[str, str, str], int] | None = None) -> list[str]:
    """The faults of the published table, with cells (code, figure, column) raised by some number."""
    files = table_files(replace(FIGURES, changes=changes))
    rows = list(csv.DictReader(io.StringIO(files[CHANGES_FILE].decode())))
    for (code, measure, column), more in (edit or {}).items():
        for row in rows:
            if (row["kode"], row["ukuran"]) == (code, measure):
                row[column] = str(int(row[column]) + more)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return change_faults(changes, FIGURES.completion, files | {CHANGES_FILE: text.getvalue().encode()})


def test_a_sound_table_passes_the_audit() -> None:
    assert faults(FIGURES.changes) == []


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({("3501", "selesai", "sebab_baru"): 1}, "region 3501, complete: before and causes are not now"),
        ({("3501010001", "dikunjungi", "sekarang"): 1}, "region 3501010001, visited: now is not the figure released"),
        ({("35", "dikunjungi", "sebab_baru"): 1, ("35", "dikunjungi", "sebab_terlambat"): -1}, "nation .*provinces"),
        (
            {("3501", "dikunjungi", "sebab_baru"): 1, ("3501", "dikunjungi", "sebab_kerangka"): -1},
            "region 3501, visited: changes without a cause",
        ),
        (
            {("35", "dikunjungi", "sebab_diolah_lagi"): 1, ("35", "dikunjungi", "sebelum"): -1},
            "region 35, visited: changes without a cause",
        ),
    ],
)
def test_the_audit_names_what_does_not_add_up(edit: dict[tuple[str, str, str], int], told: str) -> None:
    assert any(pd.Series([fault]).str.contains(told).all() for fault in faults(FIGURES.changes, edit))


def test_a_new_frame_or_a_night_processed_again_explain_what_nothing_else_does() -> None:
    moved = {("3501", "dikunjungi", "sebab_baru"): 1, ("3501", "dikunjungi", "sebab_kerangka"): -1}
    assert faults(replace(FIGURES.changes, reference={"sls": ("1", "2")}), moved) == []
    again = {
        (code, "dikunjungi", column): more
        for code in ("00", "35")
        for column, more in (("sebab_diolah_lagi", 1), ("sebelum", -1))
    }
    assert faults(replace(FIGURES.changes, processed_again=frozenset({"35"})), again) == []
    assert faults(replace(FIGURES.changes, processed_again=frozenset({"36"})), again) != []


@FULL
def test_nothing_below_kabkota_tells_who_responded() -> None:
    def low(responding: bool) -> list[str]:
        rows = csv.DictReader(io.StringIO(table_files(made_up.figures(responding=responding))[CHANGES_FILE].decode()))
        return [",".join(row.values()) for row in rows if row["tingkat"] in BELOW]

    assert low(responding=True) == low(responding=False)
    assert low(responding=True)
