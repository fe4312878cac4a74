"""The digest of conditions at places of every level, in both languages, as text and HTML: whole, ranked, harmless."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.alerts.conditions.condition import Kind, Notification, Place, Severity, State, Why
from regsosek.alerts.conditions.province_figures import (
    KabkotaFigures,
    ProvinceFigures,
    RowCounts,
    RuleViolations,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.outbox.personal_data import Personal, suspects
from regsosek.alerts.sentences.context import Context, ExplainingEvent, Officer
from support.checks.matrix import examples
from support.worlds.notified_conditions import BALIKPAPAN, BERAU, PROVINCE, sub_sls, told

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
TOLD_KINDS = [kind for kind in Kind if kind is not Kind.PIPELINE_FAULT]
OFFICER = Place("petugas", "6403-0012", "Budi Santoso", "6403")
INDONESIAN = re.compile(
    r"\b(yang|dan|dari|tidak|belum|keluarga|malam|sejak|batas|rencana|kiriman|petugas|seluruh|lain|untuk|dengan|atasan|"
    r"diketahui|pusat|baru|hari|pulih|perlu|tanpa|angka|sudah|provinsi|anggota|kritis|perhatian)\b",
    re.IGNORECASE,
)
HOSTILE = [
    "<script>alert(1)</script>", "<img src=https://x.example/p>", "=HYPERLINK(1)", "{{ 7*7 }}{% if 1 %}", "{night}{0}",
    "a\r\nBcc: b@c.example", "\u202eltr\u2066\u200f", "\x00\x1b[31m", '"onload="x', "6403015502840001",
]  # fmt: skip


def words_of(message: Message) -> str:
    return " ".join(message.body.split())


def digest(figures: ProvinceFigures, conditions: list[Notification], context: Context) -> Message:
    return compose_digest(figures, conditions, LIMITS, context)


class Structure(HTMLParser):
    """Tags and attributes of a page, and the texts between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


@pytest.fixture
def full(context: Context) -> Context:
    events = {"banjir-1": ExplainingEvent("banjir", date(2022, 10, 30))}
    return replace(context, events=events, officers={OFFICER.code: Officer("PPL", "PML", "6403-P003")})


@pytest.fixture
def everywhere() -> list[Notification]:
    """Every kind at every level, every state and every reason."""
    places = (PROVINCE, BERAU, Place("desa", "6403010001", "", "6403"), sub_sls(1), OFFICER)
    conditions = [told(kind, place, families=7, severity=Severity.CRITICAL) for kind in TOLD_KINDS for place in places]
    conditions += [told(Kind.ZERO, BALIKPAPAN, why=why, since=date(2022, 10, 24)) for why in Why]
    return conditions + [told(Kind.CODE, sub_sls(9), state=state, until=date(2022, 10, 29)) for state in State]


def test_a_line_says_what_where_how_many_since_when_who_does_what_until_when(night: Night, full: Context) -> None:
    behind = told(Kind.BEHIND, BERAU, families=7200, since=date(2022, 10, 24), why=Why.WORSE,
                  figures={"visited": 28_800, "target": 60_000, "plan_percent": 60})  # fmt: skip
    message = digest(night(), [behind], full)
    assert message.subject == ("[PERHATIAN] Kalimantan Timur, 26 Okt: tertinggal di 1 kab/kota")
    assert (
        "1. 6403 Kabupaten Berau – TERTINGGAL DARI RENCANA [PERHATIAN], sejak 24 Okt 2022, malam ke-3; memburuk "
        "Dikunjungi 48,0 % dari 60.000 keluarga, rencana 60 %: kurang 7.200 keluarga. "
        "> Koseka, BPS Kabupaten Berau: tanyakan sebabnya, lalu atur bantuan petugas – paling "
        "lambat 28 Okt 2022 pukul 12.00 WITA"
    ) in words_of(message)


def test_what_a_night_could_not_judge_says_so_until_it_is_judged(night: Night, full: Context) -> None:
    quality = {"quarantined": 40, "judged": 200, "limit_percent": 5}
    stale = told(Kind.QUALITY, BERAU, families=40, since=date(2022, 10, 24), figures=quality, judged=False)
    said = "belum ada data baru untuk menilainya"
    for judged in (False, True):
        each = replace(stale, condition=replace(stale.condition, judged=judged), why=Why.STANDING)
        assert (said in words_of(digest(night(), [each], full))) is not judged
    recovered = replace(stale, why=Why.RECOVERED)
    assert said not in words_of(digest(night(), [recovered], full))


def test_places_below_the_kabkota_are_counted_and_told_by_code(night: Night, full: Context) -> None:
    silent = [told(Kind.NO_DATA, sub_sls(n), families=10, figures={"silent_nights": n}) for n in range(1, 6)]
    message = digest(night(), [*silent, told(Kind.QUALITY, OFFICER, families=4)], full)
    codes = ", ".join(f"6403010001{n:04d}00" for n in (1, 2, 3))
    assert f"Sudah 5 malam tidak ada data keluarga yang masuk. 5 sub-SLS: {codes}, …" in words_of(message)
    assert message.subject.endswith("26 Okt: sebagian tanpa data masuk; +1")
    assert message.attachments[0].content.decode("utf-8-sig").count("\r\n") == 7
    assert "Budi" not in message.body + message.html


def test_an_officer_is_told_by_role_and_code_with_the_superior(night: Night, full: Context) -> None:
    body = words_of(digest(night(), [told(Kind.QUALITY, OFFICER, figures={"observed": 41, "expected": 10})], full))
    assert "Teramati 41, seharusnya 10." in body
    assert "> PPL 6403-0012 (atasan PML 6403-P003); PML memeriksa, PPL menanyakan kembali; BPS Kabupaten Berau" in body
    assert "petugas 6403-0012;" in words_of(digest(night(), [told(Kind.QUALITY, OFFICER)], replace(full, officers={})))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": State.ACKNOWLEDGED, "until": date(2022, 10, 28)}, "sedang ditangani s.d. 28 Okt 2022"),
        ({"state": State.SNOOZED, "until": date(2022, 10, 28)}, "ditunda s.d. 28 Okt 2022"),
        ({"state": State.ESCALATED, "why": Why.ESCALATED}, "baru malam ini; diteruskan ke BPS pusat Dikunjungi"),
        ({"event": "banjir-1"}, "diketahui: banjir s.d. 30 Okt"),
        ({"why": Why.STANDING}, "masih berlangsung"),
        ({"why": Why.WOKEN}, "penundaan berakhir"),
        ({"why": Why.REMINDER}, "pengingat"),
    ],
)
def test_where_it_stands_is_said(night: Night, full: Context, changes: dict[str, Any], said: str) -> None:
    assert said in words_of(digest(night(), [told(Kind.BEHIND, BERAU, **changes)], full))


def test_heads_that_are_not_looked_for_do_not_wait_for_data(night: Night, full: Context) -> None:
    stale = told(Kind.APPOINTMENT, BERAU, families=66, why=Why.STANDING, judged=False, figures={"sls": 1})
    body = words_of(digest(night(), [stale], full))
    assert "tidak diperiksa malam ini, di luar masa pencacahan" in body and "belum ada data baru" not in body


def test_at_most_ten_kabkota_and_the_rest_in_the_work_list(night: Night, full: Context) -> None:
    many = tuple(KabkotaFigures(f"64{n:02d}", f"Kabupaten {n}", 500, 10, 5) for n in range(1, 15))
    conditions = [told(kind, Place("kabkota", each.code, each.name), families=9)
                  for kind in (Kind.BEHIND, Kind.QUALITY) for each in many]  # fmt: skip
    message = digest(night(kabkota=many), conditions, full)
    assert re.findall(r"^ ?\d+\. (64\d\d)", message.body, re.MULTILINE) == [f"64{n:02d}" for n in range(1, 11)]
    assert "(10 dari 14)" in message.body
    assert message.body.count("Juga MUTU ISIAN") == 10
    [attached] = message.attachments
    assert attached.name in message.body
    assert attached.content.count(b"\r\n") == 1 + 28


def test_what_is_nothing_is_not_told_and_what_is_not_known_neither(night: Night, full: Context) -> None:
    silent = night(families=RowCounts(), last_arrival=date(2022, 10, 25))
    body = words_of(digest(silent, [told(Kind.NO_DATA, PROVINCE)], full))
    assert "Sudah 1 malam tidak ada data keluarga yang masuk." in body
    assert "folder kiriman" not in body and "SLS aktif" not in body
    assert "Dikunjungi 0,0 % dari 60.000 keluarga" in words_of(
        digest(night(), [told(Kind.BEHIND, BERAU, figures={"visited": 0})], full)
    )


def test_an_appointment_names_the_sls_or_only_its_families(night: Night, full: Context) -> None:
    conditions = [told(Kind.APPOINTMENT, BERAU, families=120, figures={"sls": 3}),
                  told(Kind.APPOINTMENT, sub_sls(1, "6471"), families=40)]  # fmt: skip
    body = words_of(digest(night(), conditions, full))
    assert (
        "Di 3 SLS pendataan sudah berjalan, tetapi ketua SLS belum ditemui. Daftar 120 keluarga belum diverifikasi"
        in body
    )
    assert "sub-SLS: 6471010001000100" in body and "Daftar 40 keluarga belum" in body


def test_good_news_is_short_and_asks_for_nothing(night: Night, full: Context) -> None:
    message = digest(night(), [], full)
    assert message.subject.startswith("[AMAN]") and message.subject.endswith("tidak ada masalah")
    assert "KABAR BAIK" in message.body and "YANG HARUS" not in message.body
    assert len(message.body.splitlines()) <= 19
    assert message.attachments == ()


def test_good_news_says_who_waits_all_the_same(night: Night, full: Context) -> None:
    message = digest(night(waiting=Waiting(14, date(2022, 10, 25))), [], full)
    assert "Masih menunggu perbaikan di karantina: 14 keluarga, di bawah batas" in words_of(message)
    assert "Tidak ada masalah yang belum selesai" not in message.body + message.html


def test_a_fault_of_ours_is_never_told_to_a_province(night: Night, full: Context) -> None:
    assert digest(night(), [told(Kind.PIPELINE_FAULT, PROVINCE)], full) == digest(night(), [], full)


@pytest.mark.parametrize("language", ["id", "en"])
def test_text_and_html_say_the_same(night: Night, full: Context, everywhere: list[Notification], language: Any) -> None:
    message = digest(night(), everywhere, replace(full, language=language))
    seen = " ".join(Structure(message.html).text.split())
    for line in ("6403010001000100", "6403 Kabupaten Berau", "6403-P003", message.attachments[0].name):
        assert line in seen and line in words_of(message)
    plain = {word for word in re.findall(r"[\w%.-]+", message.body) if word.strip(".-")}
    assert plain - set(re.findall(r"[\w%.-]+", seen)) == set()


def test_english_speaks_no_indonesian(night: Night, full: Context, everywhere: list[Notification]) -> None:
    english = replace(full, language="en", events={}, rule_texts={"P05": "Exactly one head."})
    figures = night(repairs={"byte_order_mark": 1}, unfinished=2, scale=0.5, night=date(2022, 11, 20))
    for message in (digest(figures, everywhere, english), digest(figures, [], english)):
        shown = message.subject + message.body + "".join(each.content.decode() for each in message.attachments)
        shown = re.sub(r"BPS Provinsi Kalimantan Timur|Kabupaten \w+|Kota \w+|--province", "", shown)
        assert INDONESIAN.findall(shown) == []


def test_html_is_one_column_without_anything_remote(
    night: Night, full: Context, everywhere: list[Notification]
) -> None:
    message = digest(night(), everywhere, full)
    page = Structure(message.html)
    assert not {"img", "script", "link", "iframe", "table", "form", "object"} & set(page.tags)
    assert not {"href", "src", "srcset", "background", "action"} & {name for name, _ in page.attributes}
    assert "url(" not in message.html and "@import" not in message.html
    assert len(message.html.encode()) < 100_000  # a well-known mail program cuts off what is longer


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_are_texts(night: Night, full: Context, hostile: str) -> None:
    place = KabkotaFigures("6403", hostile, 5000, 1, 5, Waiting(1, tonight=1, new_sls=1))
    figures = night(kabkota=(place,))
    context = replace(
        full, office=hostile, release=hostile, events={"e": ExplainingEvent(hostile)}, rule_texts={"P": hostile}
    )
    conditions = [told(Kind.BEHIND, Place("kabkota", "6403", hostile), families=1, event="e", news=hostile),
                  told(Kind.NO_DATA, sub_sls(1), families=1, event=hostile),
                  told(Kind.QUALITY, PROVINCE, why=Why.RECOVERED)]  # fmt: skip
    message, plain = digest(figures, conditions, context), digest(night(), conditions, full)
    page, clean = Structure(message.html), Structure(plain.html)
    assert page.tags == clean.tags and [n for n, _ in page.attributes] == [n for n, _ in clean.attributes]
    everything = message.subject + message.body + page.text + message.attachments[0].content.decode()
    assert not set(everything) & set("\x00\x1b\u202e\u2066\u200f")
    assert len(message.subject.splitlines()) == 1
    assert "Bcc:" not in [line.split(" ")[0] for line in message.body.splitlines()]
    assert "49" not in message.subject
    assert "6403015502840001" not in everything
    assert [each for each in suspects(message) if each.value != "6403010001000100"] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(30))
@given(hostile=st.text(max_size=40))
def test_no_text_breaks_the_page_or_the_subject(night: Night, full: Context, hostile: str) -> None:
    figures = night(kabkota=(KabkotaFigures("6403", hostile, 5000, 1, 5, Waiting(1, tonight=1, new_sls=1)),))
    message = digest(figures, [told(Kind.BEHIND, BERAU)], replace(full, office=hostile))
    assert Structure(message.html).tags == Structure(digest(night(), [told(Kind.BEHIND, BERAU)], full).html).tags
    assert len(message.subject.splitlines()) == 1


def test_only_codes_of_sub_sls_are_suspected_in_all_that_a_digest_can_say(
    night: Night, full: Context, everywhere: list[Notification]
) -> None:
    figures = night(families=RowCounts(2000, 700, 200, 100, 700, 300), unfinished=3, scale=0.001, rejected=())
    for language in ("id", "en"):
        found = suspects(digest(figures, everywhere, replace(full, language=language)))
        assert {each.what for each in found} == {Personal.IDENTITY}
        assert {each.value for each in found} == {sub_sls(n).code for n in (1, 9)}


def test_a_kabkota_alone_is_told_by_which_rules_to_begin(night: Night, full: Context) -> None:
    """Its office has no list of the province before it: without a rule it could not begin."""
    rules = (RuleViolations("P05", 5), RuleViolations("G03", 3), RuleViolations("P01", 1))
    own = tuple(replace(each, rules=rules) if each.code == BERAU.code else each for each in night().kabkota)
    said = words_of(digest(night(kabkota=own), [told(Kind.QUALITY, BERAU, families=6)], full))
    assert "5 keluarga: " in said and "(aturan P05)" in said and "(aturan P01)" in said
    assert "(aturan G03)" not in said, "a wrong code is a condition of its own"
