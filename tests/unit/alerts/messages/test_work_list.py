"""The work list as a spreadsheet opens it: codes whole, no formula, a row for each place."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.conditions.condition import Kind, Notification, Place, Severity, State, Why
from regsosek.alerts.conditions.notification_policy import urgency
from regsosek.alerts.conditions.province_figures import CodeDesa, KabkotaFigures, ProvinceFigures, Waiting
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.messages.work_list import cell, grouped, spreadsheet, work_list
from regsosek.alerts.sentences.context import Context
from regsosek.alerts.sentences.texts import words_of
from support.worlds.notified_conditions import BALIKPAPAN, BERAU, NIGHT, PROVINCE, sub_sls, told

Night = Callable[..., ProvinceFigures]


def rows(night: Night, context: Context, conditions: list[Notification]) -> list[dict[str, str]]:
    attachment = work_list(conditions, night(), thresholds(), context)
    assert attachment.content.startswith(b"\xef\xbb\xbf")
    delimiter = ";" if context.language == "id" else ","
    text = attachment.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def test_each_place_is_told_whole(night: Night, context: Context) -> None:
    silent = told(Kind.NO_DATA, sub_sls(1), families=40, severity=Severity.CRITICAL, figures={"silent_nights": 3})
    [row] = rows(night, context, [silent])
    assert row == {
        "kab_kota": "6403", "nama_kab_kota": "Kabupaten Berau", "tingkat": "sub-SLS",
        "kode": "6403 010 001 0001 00", "nama": "", "masalah": "TIDAK ADA DATA MASUK",
        "tingkat_masalah": "KRITIS", "keadaan": "baru malam ini", "keluarga": "40", "sejak": "2022-10-26",
        "temuan": "Sudah 3 malam tidak ada data keluarga yang masuk.",
        "pelaksana": "PML dan Koseka, BPS Kabupaten Berau",
        "tindakan": "pastikan semua PPL menyinkronkan perangkatnya",
        "batas": "paling lambat 27 Okt 2022 pukul 18.00 WITA",
    }  # fmt: skip


def test_the_list_of_an_english_reader_opens_in_an_english_spreadsheet(night: Night, context: Context) -> None:
    english = replace(context, language="en")
    [row] = rows(night, english, [told(Kind.BEHIND, BERAU, families=12)])
    assert (row["kind"], row["level"], row["severity"]) == ("BEHIND PLAN", "kab/kota", "ATTENTION")
    assert row["finding"] == "Visited 48.0% of 60,000 families, plan 48%: 12 families short."


def test_names_below_the_kabkota_may_be_persons_and_are_not_told(night: Night, context: Context) -> None:
    conditions = [told(kind, sub_sls(1), families=3) for kind in Kind if kind is not Kind.PIPELINE_FAULT]
    content = work_list(conditions, night(), thresholds(), context).content.decode("utf-8-sig")
    assert "Budi" not in content
    assert len(content.splitlines()) == len(conditions) + 1


@given(st.text())
def test_no_cell_is_a_formula_or_breaks_the_table(value: str) -> None:
    attachment = spreadsheet("x.csv", ["a", "b"], [[value, "end"]], words_of("id"))
    text = attachment.content.decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    assert len(read) == 2 and read[1][1] == "end"
    assert not read[1][0].startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("officer", ["=1+1", "@SUM(A1)", "-2", "+62", " =cmd|' /C calc'!A0", "a\r\nb;c"])
def test_a_hostile_code_stays_a_text_of_its_cell(night: Night, context: Context, officer: str) -> None:
    [row] = rows(night, context, [told(Kind.QUALITY, Place("petugas", officer, "", "6403"), families=1)])
    assert not row["kode"].startswith(("=", "+", "-", "@"))
    assert None not in row and len(row) == 14


@pytest.mark.parametrize(
    ("code", "written"),
    [("64", "64"), ("6403", "6403"), ("6403010001", "6403 010 001"), ("6403010001000100", "6403 010 001 0001 00"),
     ("6403-12", "6403-12")],
)  # fmt: skip
def test_long_codes_are_no_numbers(code: str, written: str) -> None:
    assert grouped(code) == written


def test_a_cell_keeps_what_is_harmless() -> None:
    assert [cell(value) for value in ("48 %", "=1", " x ", "-2", -2)] == ["48 %", "'=1", "x", "'-2", "-2"]


def test_every_kabkota_that_a_mail_counts_is_a_row(night: Night, context: Context) -> None:
    """The small ones that are behind, and the parts of a quarantine that only the whole province is told of."""
    waiting, since = Waiting(9, NIGHT, 9, 9, 0, NIGHT, 9), NIGHT - timedelta(3)
    small = KabkotaFigures("6411", "Kabupaten Mahakam Ulu", 150, 15, 5)
    parts = (replace(night().kabkota[0], waiting=waiting), small)
    figures = night(
        visited=20_000, kabkota=parts, waiting=waiting, code_desa=(CodeDesa("6403010001", "6403", 9, "Teluk Bayur"),)
    )
    conditions = [replace(told(kind, PROVINCE, families=9), first=since) for kind in (Kind.BEHIND, Kind.CODE)]
    message = compose_digest(figures, conditions, thresholds(), context)
    content = message.attachments[0].content.decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))
    assert [
        (row["kode"], row["nama"], row["masalah"], row["tingkat_masalah"], row["keluarga"]) for row in found[2:]
    ] == [
        ("6411", "Kabupaten Mahakam Ulu", "TERTINGGAL DARI RENCANA", "PERHATIAN", "57"),
        ("6403", "Kabupaten Berau", "KODE WILAYAH", "PERHATIAN", "9"),
        ("6403 010 001", "Teluk Bayur", "KODE WILAYAH", "PERHATIAN", "9"),
    ]
    waits = "masih menunggu perbaikan, dihitung dalam masalah provinsi"
    assert [(row["keadaan"], row["sejak"]) for row in found[2:]] == [("jauh tertinggal", ""), (waits, ""), (waits, "")]
    assert found[2]["batas"] == found[0]["batas"] and message.attachments[0].name in message.body


@pytest.mark.parametrize("recovered", [False, True], ids=["a problem", "an end"])
def test_whoever_is_behind_is_a_row_of_every_mail_far_behind_first_then_most_families(
    night: Night, context: Context, recovered: bool
) -> None:
    """They are too small to be told of, and the mail is about something else: they are asked for nothing."""
    parts = [KabkotaFigures(f"64{n}", f"Kabupaten N{n}", load, 20, 5) for n, load in ((11, 190), (12, 90), (13, 150))]
    told_of = told(Kind.QUALITY, BERAU, families=9, why=Why.RECOVERED if recovered else Why.NEW)
    message = compose_digest(night(kabkota=(*night().kabkota, *parts)), [told_of], thresholds(), context)
    content = message.attachments[0].content.decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))[0 if recovered else 1 :]
    assert [(row["kode"], row["keadaan"], row["tingkat_masalah"], row["tindakan"] + row["batas"]) for row in found] == [
        ("6411", "jauh tertinggal", "", ""),
        ("6413", "jauh tertinggal", "", ""),
        ("6412", "tertinggal", "", ""),
    ]
    assert "2 di antaranya jauh tertinggal: Kab. N11 (71), Kab. N13 (52)" in " ".join(message.body.split())
    assert ("(1 dari 4)" in message.body) is not recovered and message.attachments[0].name in message.body


def test_a_part_that_is_only_counted_says_who_has_its_province_in_hand(night: Night, context: Context) -> None:
    waiting = Waiting(9, NIGHT, 9, 9, 0, NIGHT, 9)
    figures = night(kabkota=(replace(night().kabkota[0], waiting=waiting),), waiting=waiting)
    whole = told(Kind.CODE, PROVINCE, families=9, why=Why.ESCALATED, state=State.ESCALATED)
    content = work_list([whole], figures, thresholds(), context).content.decode("utf-8-sig")
    row = list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))[1]
    assert row["keadaan"].endswith("dihitung dalam masalah provinsi; diteruskan ke BPS pusat")


def test_rows_stand_in_the_order_of_the_mail_which_says_it(night: Night, context: Context) -> None:
    """The province, then one kab/kota after the other with all that it has, as text and HTML number them."""
    ranked = sorted(
        [
            told(Kind.BEHIND, BERAU, families=900),
            told(Kind.NO_DATA, sub_sls(1), families=40),
            told(Kind.BEHIND, BALIKPAPAN, families=300, severity=Severity.CRITICAL),
            told(Kind.NO_DATA, sub_sls(2, "6471"), families=90),
            told(Kind.BEHIND, PROVINCE, families=1200),
        ],
        key=urgency,
    )
    both = tuple(KabkotaFigures(each.code, each.name, 50_000, 24_000, 50) for each in (BERAU, BALIKPAPAN))
    message = compose_digest(night(kabkota=both), ranked, thresholds(), context)
    content = message.attachments[0].content.decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))
    assert [(row["kab_kota"], row["tingkat"]) for row in found] == [
        ("", "provinsi"), ("6471", "kab/kota"), ("6471", "sub-SLS"), ("6403", "kab/kota"), ("6403", "sub-SLS"),
    ]  # fmt: skip
    for text in (message.body, message.html):
        assert text.index("6471 Kota Balikpapan") < text.index("6403 Kabupaten Berau")
        assert "Urutan, di sini dan dalam daftar kerja: yang kritis;" in " ".join(text.split())


def test_the_whole_province_is_a_row_too(night: Night, context: Context) -> None:
    [row] = rows(night, context, [told(Kind.BEHIND, PROVINCE, families=9)])
    assert (row["kab_kota"], row["tingkat"], row["kode"], row["nama"]) == ("", "provinsi", "64", "Kalimantan Timur")
