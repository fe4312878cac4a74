"""The digest as its reader meets it: what to do first, every figure with its denominator, and nobody's data."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from regsosek.alerts.conditions.condition import Kind
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.province_figures import (
    CODE_RULES,
    KabkotaFigures,
    ProvinceFigures,
    RejectedDelivery,
    RowCounts,
    RuleViolations,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.sentences.context import Context
from regsosek.contract.reasons import rejection_reasons
from regsosek.quality.rules import load_suites
from regsosek.settings import PROJECT_ROOT
from regsosek.warehouse.nights.holding import HeldDelivery, MeasuredShare
from support.worlds.alert_memory import told_before

Standing = tuple[str, date]
Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
NIK = "6403015502840001"
ULID = "01GFXKQ2Z8V3M5N7P9R1T3W5Y7"
HELD = HeldDelivery(
    "64", "01GFXKQ2Z8V3M5N7P9R1T3W5Z9", date(2022, 10, 26), date(2022, 10, 26), 100, 310,
    (MeasuredShare("keluarga", 100, 60, Decimal(40), 50), MeasuredShare("anggota", 310, 62, Decimal("25.0"), 150)),
)  # fmt: skip
REJECTED = RejectedDelivery(ULID, date(2022, 10, 26), "file_missing", 700)


def parts(n: int) -> Waiting:
    return Waiting(n, date(2022, 10, 26), n, 2, 0, date(2022, 10, 26), 2)


EVERYTHING: dict[str, Any] = {
    "visited": 20_000,
    "deliveries": {"accepted": 2, "rejected": 1, "held": 1, "registered": 1},
    "families": RowCounts(2000, 700, 200, 100, 700, 300),
    "persons": RowCounts(6200, 2100, 700, 300, 2100, 1000),
    "rejected": (REJECTED,),
    "held": (HELD,),
    "held_rules": (RuleViolations("P05", 60),),
    "rules": (RuleViolations("P05", 120), RuleViolations("P01", 60)),
    "kabkota": tuple(
        KabkotaFigures(f"64{n:02d}", f"Kabupaten Nomor {n}", 5000, 100 * n, 50 + n, parts(n)) for n in range(1, 21)
    ),
    "waiting": Waiting(300, date(2022, 10, 20), 200, 30, 12, date(2022, 10, 20), 42),
    "unfinished": 2,
    "scale": 0.001,
    "target_source": "estimated",
}
# Short words that Indonesian does not have; file names, field words and the command are no sentences.
ENGLISH = re.compile(
    r"\b(the|of|and|not|is|are|was|with|for|from|to|by|on|at|data of|night|case|rule|rejected|accepted|held|registered|"
    r"province|delivery|deliveries|families|persons|behind|quality|no data|code|recovered|attention|critical|deadline|"
    r"published|estimated|none|null|true|false|undefined)\b",
    re.IGNORECASE,
)


def told(figures: ProvinceFigures, context: Context, *before: Standing) -> Message:
    memory = told_before(figures.province, figures.night, before)
    return compose_digest(figures, memory.judge(figures, Rules(LIMITS)).telling.told, LIMITS, context)


def flat(message: Message) -> str:
    """The body without its line breaks."""
    return " ".join(message.body.split())


def without_commands(body: str) -> str:
    return "\n".join(line for line in body.splitlines() if "regsosek quarantine" not in line and "s3://" not in line)


@pytest.fixture
def messages(night: Night, context: Context) -> list[Message]:
    """Every kind of condition and every optional line in at least one message."""
    silent = {"deliveries": {}, "families": RowCounts(), "persons": RowCounts()}
    published = replace(context, release="s3://regsosek-release/releases/20221025 (malam 25 Okt 2022)")
    before = [(kind, date(2022, 10, 24)) for kind in Kind if kind is not Kind.PIPELINE_FAULT]
    return [
        told(night(**EVERYTHING), context, ("NO_DATA", date(2022, 10, 25))),
        told(night(**EVERYTHING), published, *before),
        told(night(**silent, unfinished=3), context, *before),
        told(night(**silent, last_arrival=None), context),
        told(night(), context, *before),
        told(night(night=date(2022, 11, 20), visited=50_000), context),
        told(night(rejected=(replace(REJECTED, families=0, reason="unheard_of"),) * 9), context),
    ]


def test_what_to_do_stands_first_with_its_deadline(night: Night, context: Context) -> None:
    message = told(night(**EVERYTHING), context)
    assert message.subject == ("[KRITIS] Kalimantan Timur, 26 Okt: kiriman ditolak; +4 lagi")
    head = message.body.splitlines()[:6]
    assert head[0] == "[KRITIS] BPS Provinsi Kalimantan Timur \u2013 data s.d. 27 Okt 2022 pukul 00.59 WITA"
    assert "YANG HARUS DILAKUKAN" in head
    body = flat(message)
    rejected = (
        "1. Perbaiki dan kirim ulang kiriman yang ditolak (700 keluarga) \u2013 paling lambat 27 Okt 2022 pukul 18.00"
    )
    assert rejected in body
    behind = (
        "4. Tanyakan sebab ketertinggalan (28.000 keluarga): Kab. Nomor 1 (2.300), Kab. Nomor 2 (2.200), 14 lainnya"
    )
    assert f"{behind} \u2013 paling lambat 28 Okt 2022 pukul 12.00 WITA" in body


def test_every_share_names_its_whole(messages: list[Message]) -> None:
    for message in messages:
        for line in without_commands(message.body).splitlines():
            if re.search(r"\d,\d %", line) and "rencana" not in line:
                assert " dari " in line, line


def test_the_figures_of_each_condition(night: Night, context: Context) -> None:
    body = flat(told(night(**EVERYTHING), context))
    assert "200 dari 1.200 keluarga dalam kiriman malam ini (16,7 %) masuk karantina karena isiannya; batas 5 %" in body
    assert "Masih menunggu perbaikan: 300 keluarga, yang terlama sudah 7 malam." in body
    assert "120 keluarga: Kepala keluarga harus tepat satu. (aturan P05)" in body
    assert f"{ULID} (26 Okt 2022): berkas yang disebut dalam manifest.json tidak ada" in body
    assert "Dikunjungi 20,0 % dari 100.000 keluarga, rencana 48 %: kurang 28.000 keluarga" in body
    assert "42 dari 1.200 keluarga dalam kiriman malam ini (3,5 %) berkode wilayah yang tidak ada" in body
    assert "2.000 masuk = 700 dimuat + 200 karantina + 100 ditahan + 700 ditolak + 300 ganda" in body
    assert "2 diterima, 1 ditolak, 1 ditahan, 1 belum selesai diproses; 2 folder belum lengkap" in body
    assert "malam ini \u221224.000" in body
    assert "300 keluarga menunggu perbaikan, yang terlama sejak 20 Okt 2022" in body


def test_a_held_delivery_says_what_waits_over_which_limit_and_who_decides(night: Night, context: Context) -> None:
    message = told(night(held=(HELD,), held_rules=(RuleViolations("P05", 60),)), context)
    body = flat(message)
    assert message.subject == "[KRITIS] Kalimantan Timur, 26 Okt: kiriman ditahan (100 keluarga)"
    assert "1. Periksa kiriman yang ditahan (100 keluarga)" in body
    assert "1 kiriman ditahan karena bagian yang salah atau yang akan ditarik melebihi batas." in body
    assert "100 keluarga dan 310 anggota di dalamnya" in body
    assert f"{HELD.delivery_id} (26 Okt 2022): 60 dari 100 keluarga (60,0 %) salah, batas 40 %" in body
    assert "% %" not in body
    assert "62 dari 310" not in body  # a share within its limit is not why
    assert "P05, 60 kali: Kepala keluarga harus tepat satu." in body
    assert "keputusan: tim platform BPS pusat" in body


def test_silence_says_since_when_and_what_lies_unfinished(night: Night, context: Context) -> None:
    silent = night(deliveries={}, families=RowCounts(), unfinished=3, last_arrival=date(2022, 10, 24))
    message = told(silent, context, ("NO_DATA", date(2022, 10, 25)))
    assert message.subject.startswith("[KRITIS]")
    assert "Sudah 2 malam tidak ada data keluarga yang masuk." in message.body
    assert "Terakhir masuk: kiriman 24 Okt 2022." in message.body
    assert "sejak 25 Okt 2022, malam ke-2" in message.body
    assert "3 folder kiriman belum lengkap" in flat(message)


def test_at_most_ten_kabkota_the_heaviest_first(night: Night, context: Context) -> None:
    body = told(night(**EVERYTHING), context).body
    lines = re.findall(r"^ ?\d+\. (64\d\d) Kabupaten", body, re.MULTILINE)
    # Eight are critically behind their plan; then come those of which too much is in quarantine.
    assert lines[:8] == [f"64{n:02d}" for n in range(1, 9)]
    assert len(lines) == 10
    assert "(10 dari 20)" in body


def test_kabkota_without_a_burden_are_not_named(night: Night, context: Context) -> None:
    rejected_only = told(night(rejected=(REJECTED,)), context)
    assert "KAB/KOTA YANG DIDAHULUKAN" not in rejected_only.body


def test_a_sample_says_so(night: Night, context: Context) -> None:
    assert "target di sini 0,1 % dari target operasi" in flat(told(night(**EVERYTHING), context))
    assert "SIMULASI" not in told(night(visited=0), context).body


def test_what_is_to_be_seen_can_be_opened(night: Night, context: Context) -> None:
    figures, page = night(**EVERYTHING), "https://regsosek.example/provinsi/64.html"
    served = told(figures, replace(context, release="malam 30 Okt 2022", address=page))
    assert f"LIHAT JUGA\n   Rilis     : malam 30 Okt 2022\n   {page}\n" in served.body
    nobody_serves = told(figures, replace(context, release="malam 30 Okt 2022"))
    assert "LIHAT JUGA" not in nobody_serves.body and "Rilis" not in nobody_serves.body


def test_recovery_alone_asks_for_nothing(night: Night, context: Context) -> None:
    message = told(night(), context, ("BEHIND", date(2022, 10, 20)))
    assert message.subject == "[TERATASI] Kalimantan Timur, 26 Okt: tidak lagi tertinggal"
    ended = "tidak lagi tertinggal, seluruh provinsi (tertinggal sejak 20 Okt 2022) – kini sesuai rencana"
    assert f"SUDAH TERATASI - {ended}" in flat(message)
    assert "YANG HARUS DILAKUKAN" not in message.body


def test_no_english_is_left(messages: list[Message]) -> None:
    for message in messages:
        assert ENGLISH.findall(message.subject + without_commands(message.body)) == []


def test_lines_fit_a_mail_window(messages: list[Message]) -> None:
    long = [line for message in messages for line in message.body.splitlines() if len(line) > 110]
    assert long == []


def test_every_reason_of_the_contract_and_every_rule_fits_in(night: Night, context: Context) -> None:
    rules = [rule for suite in load_suites(PROJECT_ROOT / "expectations").values() for rule in suite.rules]
    full = replace(context, rule_texts={rule.id: rule.text_id for rule in rules})
    for reason in rejection_reasons().values():
        body = flat(told(night(rejected=(replace(REJECTED, reason=reason.id),)), full))
        assert reason.text.id in body
    for rule in rules:
        body = flat(told(night(waiting=Waiting(100, tonight=100), rules=(RuleViolations(rule.id, 9),)), full))
        # Nobody is asked again for a region code: what is wrong with it stands under CODE.
        assert (f"9 keluarga: {rule.text_id} (aturan {rule.id})" in body) is (rule.id not in CODE_RULES)


@pytest.mark.parametrize(
    "hostile", [f"X\r\nBcc: a@b.example\r\n{NIK}", "{{ 7 * 7 }}", f"<script>{NIK}</script>", "\u202e\x00"]
)
def test_hostile_text_neither_breaks_a_line_nor_carries_a_nik(night: Night, context: Context, hostile: str) -> None:
    figures = night(
        **EVERYTHING
        | {
            "kabkota": (KabkotaFigures("6403", hostile, 5000, 1, 5, Waiting(1, tonight=1, new_sls=1)),),
            "rejected": (RejectedDelivery(hostile, date(2022, 10, 26), hostile, 7),),
            "rules": (RuleViolations(hostile, 5),),
        }
    )
    own = replace(context, office=hostile, rule_texts={hostile: hostile}, release=hostile)
    message = told(figures, own, ("NO_DATA", date(2022, 10, 25)))
    for text in (message.subject, message.body):
        assert NIK not in text
        assert "\x00" not in text
        assert "\u202e" not in text
        assert "Bcc:" not in [line.split(" ")[0] for line in text.splitlines()]
    assert len(message.subject.splitlines()) == 1
    assert ("7 * 7" in message.body) == ("7 * 7" in hostile)


def test_the_same_night_gives_the_same_words(night: Night, context: Context) -> None:
    first, second = (told(night(**EVERYTHING), context) for _ in range(2))
    assert first == second


def test_repairs_are_told_in_one_line_so_that_the_office_can_mend_its_export(night: Night, context: Context) -> None:
    body = flat(told(night(**EVERYTHING | {"repairs": {"apostrophe": 1234, "column_unknown": 1, "crlf": 8}}), context))
    assert (
        "Dibetulkan otomatis; mohon perbaiki ekspornya: 1.234 isian: kode diawali tanda petik satu; ekspor tanpa "
        "melalui lembar kerja; 1 kolom: kolom tidak ada dalam buku kode, isinya tidak dimuat" in body
    )
    assert "CRLF" not in body
    assert "Dibetulkan" not in flat(told(night(**EVERYTHING), context))
