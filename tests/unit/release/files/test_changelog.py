"""The changes in words: the same from the same figures, each number as its readers write it, nothing left out."""

from dataclasses import replace

import pandas as pd
import pytest

from regsosek.release.figures.figures import Figures
from regsosek.release.figures.words import night_states
from regsosek.release.files.changelog import changelogs, restated_provinces
from support.figures import made_up

FIGURES = made_up.figures(scale=1)


@pytest.fixture(scope="module")
def texts() -> tuple[str, str]:
    written = changelogs(FIGURES)
    return written["perubahan.md"].decode(), written["changes.md"].decode()


def with_changes(**changes: object) -> Figures:
    return replace(FIGURES, changes=replace(FIGURES.changes, **changes))  # type: ignore[arg-type]


def test_the_same_figures_give_the_same_words() -> None:
    assert changelogs(FIGURES) == changelogs(made_up.figures(scale=1))


def test_numbers_are_written_as_each_language_does(texts: tuple[str, str]) -> None:
    row = FIGURES.changes.table.query("code == '00' and measure == 'visited'").iloc[0]
    assert row["before"] > 1_000_000
    assert f"Dikunjungi: {row['before']:,} menjadi".replace(",", ".") in texts[0]
    assert f"Visited: {row['before']:,} to {row['now']:,} (+{row['now'] - row['before']:,})" in texts[1]
    assert f"data terlambat +{row['cause_late']:,}".replace(",", ".") in texts[0]
    assert "22 Oktober 2022" in texts[0]
    assert "22 October 2022" in texts[1]


def test_who_is_missing_held_or_back_is_named_in_both(texts: tuple[str, str]) -> None:
    told = (
        ("Ditahan (1): Kalimantan Timur (1.234 keluarga ditahan).", "Ditolak (1): Maluku.",
         "Tidak ada data keluarga (1): Papua.", "Lengkap kembali: DKI Jakarta."),
        ("Held (1): Kalimantan Timur (1,234 families held).", "Rejected (1): Maluku.",
         "No families delivered (1): Papua.", "Whole again: DKI Jakarta."),
    )  # fmt: skip
    for text, lines in zip(texts, told, strict=True):
        assert [line for line in lines if f"- {line}\n" not in text] == []


def test_a_new_frame_and_nights_processed_again_are_told() -> None:
    table = FIGURES.changes.table.copy()
    table.loc[(table["code"] == "35") & (table["measure"] == "visited"), "cause_reopened"] = 3
    written = changelogs(with_changes(reference={"sls": ("1", "2")}, table=table))
    assert "Berkas `sls`: versi 1 menjadi 2." in written["perubahan.md"].decode()
    assert "Published nights processed again: Jawa Timur." in written["changes.md"].decode()


def test_nights_that_were_processed_again_to_the_same_figures_leave_no_trace_of_the_clock() -> None:
    assert changelogs(with_changes(processed_again=frozenset({"35"}))) == changelogs(with_changes())


def test_the_first_release_compares_with_nothing() -> None:
    written = changelogs(with_changes(former_id=None, former_night=None, former_missing=()))
    assert "Ini rilis pertama" in written["perubahan.md"].decode()
    assert "This is the first release" in written["changes.md"].decode()


def test_the_most_restated_come_first_and_the_days_own_news_is_not_restatement() -> None:
    table = FIGURES.changes.table.copy()
    province = (table["level"] == "provinsi") & (table["measure"] == "visited")
    table.loc[province, "cause_late"] = 0
    table.loc[province & (table["code"] == "12"), ["cause_late", "cause_withdrawn"]] = [5, -4]
    table.loc[province & (table["code"] == "91"), "cause_corrected"] = -10
    assert [each.name for each in restated_provinces(with_changes(table=table))] == ["Papua Barat", "Sumatera Utara"]


def test_nothing_below_the_province_is_named(texts: tuple[str, str]) -> None:
    lower = made_up.regions().query("level in ['kabkota', 'kecamatan', 'desa']")["name"]
    assert [name for text in texts for name in pd.unique(lower) if name in text] == []


def test_every_state_of_a_night_has_its_english_word() -> None:
    assert all(words.label.en for words in night_states().values())
