"""The top of a digest: a subject that a phone shows, what to do, where, and a deadline that stays once it was told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from regsosek.alerts.conditions.condition import Kind, Place, Why
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.province_figures import (
    CodeDesa,
    HeadNotMet,
    KabkotaFigures,
    ProvinceFigures,
    RowCounts,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.national_digest import compose_national
from regsosek.alerts.messages.platform_message import PlatformFigures
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.messages.province_stand import ProvinceStand
from regsosek.alerts.sentences.context import Context
from regsosek.geography.plan import PlanCurve
from regsosek.warehouse.nights.replacing import ReplacedFamilies
from support.worlds.alert_memory import Memory, told_before
from support.worlds.notified_conditions import BERAU, PROVINCE, told

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
TONIGHT = date(2022, 10, 26)
TOLD = [kind for kind in Kind if kind is not Kind.PIPELINE_FAULT]


def body(figures: ProvinceFigures, memory: Memory, context: Context) -> str:
    judgement = memory.judge(figures, Rules(LIMITS))
    return " ".join(compose_digest(figures, judgement.telling.told, LIMITS, context).body.split())


def test_the_first_deadline_stays_and_passes(night: Night, context: Context) -> None:
    memory, bad = Memory(), Waiting(300, TONIGHT, new_sls=300, code_since=TONIGHT, tonight=200)
    said = [
        body(night(night=TONIGHT + timedelta(n), waiting=bad, visited=99_000, kabkota=()), memory, context)
        for n in range(6)
    ]
    due, over = "paling lambat 29 Okt 2022 pukul 12.00 WITA", "lewat batas sejak 29 Okt 2022 pukul 12.00 WITA"
    assert [due in each for each in said[:3]] == [True, True, True]
    assert [(due in each, over in each) for each in said[3:]] == [(False, True)] * 3


def test_the_same_families_have_no_second_deadline_unsaid(night: Night, context: Context) -> None:
    """A kab/kota was told of a night before its province: both deadlines stand where the province is told."""
    part = replace(told(Kind.QUALITY, BERAU, families=7, why=Why.STANDING), first=TONIGHT - timedelta(1))
    whole = told(Kind.QUALITY, PROVINCE, families=7)
    said = " ".join(compose_digest(night(), [whole, part], LIMITS, context).body.split())
    both = "paling lambat 29 Okt 2022 pukul 12.00 WITA; bagian yang lebih dulu diberitahukan paling lambat 28 Okt 2022"
    assert said.count(both) == 2
    later = replace(whole, first=TONIGHT - timedelta(2))
    assert "lebih dulu diberitahukan" not in compose_digest(night(), [later, part], LIMITS, context).body


def test_a_part_told_of_later_has_its_own_deadline_said_at_the_top(night: Night, context: Context) -> None:
    """Its line has it too: the top must not say less, whether the province was told of first or another kab/kota."""
    other = told(Kind.QUALITY, Place("kabkota", "6404", "Kutai Timur"), families=3)
    part = replace(told(Kind.QUALITY, BERAU, families=7), first=TONIGHT - timedelta(1))
    whole = replace(told(Kind.QUALITY, PROVINCE, families=10), first=TONIGHT - timedelta(2))
    for first, day in ((whole, 27), (part, 28)):
        said = " ".join(compose_digest(night(), [first, other], LIMITS, context).body.split())
        top = said.split("YANG HARUS DILAKUKAN")[1].split("KAB/KOTA YANG DIDAHULUKAN")[0]
        own, later = (f"paling lambat {each} Okt 2022 pukul 12.00 WITA" for each in (day, 29))
        assert f"{own}; bagian yang diberitahukan kemudian {later}" in top
    alone = compose_digest(night(), [whole, replace(other, first=whole.first)], LIMITS, context).body
    assert "diberitahukan kemudian" not in alone


def test_good_news_of_a_province_below_plan_says_so(night: Night, context: Context) -> None:
    """13 points are within the limits of the day, and nobody is asked: that all is on plan would not be so."""
    said = " ".join(compose_digest(night(visited=35_000, kabkota=()), [], LIMITS, context).body.split())
    assert "Tidak ada masalah yang belum selesai" in said
    within = "di bawah rencana (dalam batas), 13,0 poin di bawah, batas 15"
    assert f"Keadaan menurut rencana: {within}, kurang 13.000 keluarga. Terima kasih" in said
    assert f"selisih −13.000 keluarga: {within}" in said
    assert "sesuai rencana" not in said
    assert "Keadaan menurut rencana" not in compose_digest(night(kabkota=()), [], LIMITS, context).body


def test_what_is_new_again_has_a_deadline_of_its_own(night: Night, context: Context) -> None:
    """Families that waited were corrected; a week later others wait."""
    memory, bad = Memory(), Waiting(300, TONIGHT, tonight=200)
    waiting = {0: bad, 1: Waiting(), 7: bad}
    said = {
        n: body(night(night=TONIGHT + timedelta(n), waiting=each, visited=99_000, kabkota=()), memory, context)
        for n, each in waiting.items()
    }
    assert "paling lambat 29 Okt 2022" in said[0] and "paling lambat 5 Nov 2022" in said[7]


def test_what_to_do_names_the_kabkota_that_make_most_of_it(night: Night, context: Context) -> None:
    """None of them is large enough to be told of by itself."""
    parts = tuple(KabkotaFigures(f"64{n:02d}", f"Kabupaten N{n}", 150, 10 * n, 5) for n in range(1, 6))
    behind = body(night(visited=20_000, kabkota=parts), Memory(), context)
    assert "Tanyakan sebab ketertinggalan (28.000 keluarga): Kab. N1 (62), Kab. N2 (52), 2 lainnya" in behind
    assert "Terbanyak di Kab. N1 (62), Kab. N2 (52), Kab. N3 (42), Kab. N4 (32)." in behind  # the fifth is on plan
    assert "Jauh tertinggal: Kab. N1 (62), Kab. N2 (52)." in behind
    assert "kab/kota di bawah" not in behind
    waits = Waiting(9, TONIGHT, 9, 9, 0, TONIGHT, 9)
    one = replace(night().kabkota[0], waiting=waits)
    few, desa = replace(night().families, received=100), (CodeDesa("6403010001", "6403", 9, "Teluk Bayur"),)
    coded = body(night(waiting=waits, families=few, kabkota=(one,), code_desa=desa), Memory(), context)
    assert "- desa/kelurahan 6403010001 Teluk Bayur (9)" in coded
    assert "Betulkan kode wilayah atau daftarkan SLS baru (9 keluarga): Kab. Berau (9)" in coded


def test_a_kabkota_with_a_curve_of_its_own_lacks_what_that_expects(night: Night, context: Context) -> None:
    """40 % of 150 families by day 12, where its province plans 48; 26.7 % are on that plan and behind the other."""
    slow = PlanCurve((0.0, 30.0), (0.0, 1.0), "kurva")
    behind, on_plan, usual = (
        KabkotaFigures(f"64{n:02d}", f"Kabupaten N{n}", 150, visited, 5, curve=curve)
        for n, visited, curve in ((1, 10, slow), (2, 40, slow), (3, 40, None))
    )
    said = body(night(visited=20_000, kabkota=(behind, on_plan, usual)), Memory(), context)
    assert "Terbanyak di Kab. N1 (50), Kab. N3 (32)." in said


def test_the_end_of_a_rejection_does_not_say_that_its_families_came(night: Night, context: Context) -> None:
    """Another delivery was accepted: whether it held what was rejected, nobody knows."""
    said = body(night(), told_before("64", TONIGHT, [("REJECTED", TONIGHT - timedelta(1))]), context)
    assert "kiriman ditolak, seluruh provinsi (mulai 25 Okt 2022) – kiriman keluarga sesudahnya sudah diterima;" in said
    assert "pastikan isi kiriman yang ditolak ikut dikirim ulang" in said


@pytest.mark.parametrize(("simulated", "scale"), [(False, 1.0), (False, 0.5), (True, 1.0), (True, 0.5)])
def test_mails_call_simulated_what_the_reference_calls_so_and_a_part_a_part(
    night: Night, context: Context, simulated: bool, scale: float
) -> None:
    figures = night(simulated=simulated, scale=scale)
    nation = compose_national({"64": ProvinceStand(figures, ())}, PlatformFigures(TONIGHT, ["64"], {"64"}, {}, None))
    for said in (body(figures, Memory(), context), " ".join(nation.body.split())):
        assert ("DATA SIMULASI: bukan keluarga yang sebenarnya." in said) is simulated
        assert ("target di sini 50 % dari target operasi sebenarnya." in said) is (scale < 1)


def test_families_withdrawn_have_a_place_at_the_top_and_an_address(night: Night, context: Context) -> None:
    replaced = (
        ReplacedFamilies("6403", 9, 1, 0, "01GFXKQ2Z8V3M5N7P9R1T3W5Z9"),
        ReplacedFamilies("64", 1, 0, 1, "01GFXKQ2Z8V3M5N7P9R1T3W5ZA"),
    )
    address = f"https://{'portal.' * 8}example/deliveries/64/"
    former = {
        "01GFXKQ2Z8V3M5N7P9R1T3W5Z9": tuple(f"01GFXKQ2Z8V3M5N7P9R1T3W5{n:02}" for n in range(12)),
        "01GFXKQ2Z8V3M5N7P9R1T3W5ZA": ("01GFXKQ2Z8V3M5N7P9R1T3W5ZB",),
    }
    figures = night(replaced=replaced, superseded=former)
    plain, served = (body(figures, Memory(), replace(context, deliveries=each)) for each in ("", address))
    todo = "1. Periksa keluarga yang ditarik oleh kiriman pengganti (1 keluarga): Kab. Berau (1) – paling lambat"
    assert todo in plain and todo in served
    assert f"keluarga yang ditarik: {address}01GFXKQ2Z8V3M5N7P9R1T3W5Z9" in served, "whole, so that it can be opened"
    told = "Kiriman 01GFXKQ2Z8V3M5N7P9R1T3W5Z9 menggantikan 01GFXKQ2Z8V3M5N7P9R1T3W500, "
    assert told in plain and "dan 7 kiriman lain" in plain and "halaman" not in plain
    assert "W5ZA" not in served, "it withdrew nothing"


def test_who_sent_no_document_reads_what_other_streams_tell(night: Night, context: Context) -> None:
    """An office whose officers report daily must not read that nothing was done there."""
    silent = night(visited=0, last_arrival=None, deliveries={}, families=RowCounts())
    beside = {"64": {"progres": 1234, "geotag": 1200}}
    said = body(replace(silent, beside=beside), Memory(), context)
    assert (
        "Sumber lain sudah melaporkan: Laporan harian petugas 1.234 keluarga; Penandaan rumah 1.200 keluarga." in said
    )
    assert "Sumber lain" not in body(silent, Memory(), context)


def test_the_work_list_says_of_a_silent_kabkota_what_its_mail_says(night: Night, context: Context) -> None:
    """Its office gets the row of the list, not the mail."""
    silent = told(Kind.NO_DATA, BERAU)
    figures = night(beside={"6403": {"progres": 1234}})
    [attachment] = compose_digest(figures, [silent], LIMITS, context).attachments
    assert "Sumber lain sudah melaporkan: Laporan harian petugas 1.234 keluarga." in attachment.content.decode()


def test_an_appointment_that_was_not_made_names_the_next_day_for_it(night: Night, context: Context) -> None:
    """Told before a weekend that has passed: until the next one it can still be arranged."""
    heads = replace(told(Kind.APPOINTMENT, BERAU), first=TONIGHT - timedelta(6))
    said = " ".join(compose_digest(night(), [heads], LIMITS, context).body.split())
    assert "lewat batas sejak 21 Okt 2022 pukul 18.00 WITA; berikutnya 28 Okt 2022 pukul 18.00 WITA" in said


def test_an_address_is_told_where_somebody_serves_it(night: Night, context: Context) -> None:
    served = replace(
        context, address="https://r.example/provinsi/64.html", quarantine="https://p.example/quarantine/64"
    )
    memory = told_before("64", TONIGHT, ())
    assert "https://r.example/provinsi/64.html" in body(night(visited=20_000), memory, served)
    assert "https://p.example/quarantine/64" in body(night(visited=20_000), memory, served)
    plain = body(night(visited=20_000), memory, context)
    assert "http" not in plain and "s3:" not in plain and "regsosek quarantine" not in plain


def test_an_sls_to_be_visited_stays_named_on_a_night_that_does_not_look(night: Night, context: Context) -> None:
    """Who was told of stands, with the SLS, until a night looks again."""
    head = HeadNotMet("6403010001000100", "RT Pak Budi", "6403", 40, TONIGHT)
    memory, messages = Memory(), []
    for n, heads in enumerate(((head,), None, None, ())):
        # The third night is told of for another reason.
        figures = night(night=TONIGHT + timedelta(n), heads_not_met=heads, visited=20_000 if n == 2 else 99_000)
        told_tonight = memory.judge(figures, Rules(LIMITS)).telling.told
        messages.append(compose_digest(figures, told_tonight, LIMITS, context))
    for message in (messages[0], messages[2]):
        assert "Buat janji temu dengan ketua SLS yang belum ditemui (40 keluarga" in message.body
    last = messages[2]
    assert "tidak diperiksa malam ini" in " ".join(last.body.split()) and "1 sub-SLS: 6403010001000100" in last.body
    assert "6403 010 001 0001 00" in last.attachments[0].content.decode("utf-8-sig")
    assert "6403010001000100" not in messages[3].body


def test_who_is_far_behind_is_named_with_most_families_first_whatever_the_mail_is_about(
    night: Night, context: Context
) -> None:
    """None of them is large enough to be told of, and the province is on plan: each has its name, however many."""
    parts = tuple(KabkotaFigures(f"64{n:02d}", f"Kabupaten N{n}", 10 * n, 1, 5) for n in range(1, 8))
    figures = night(kabkota=parts)
    said = " ".join(compose_digest(figures, [told(Kind.QUALITY, PROVINCE, families=9)], LIMITS, context).body.split())
    plan = "selisih 0 keluarga: sesuai rencana; 7 dari 7 kab/kota tertinggal, 7 di antaranya jauh tertinggal:"
    named = "Kab. N7 (33), Kab. N6 (28), Kab. N5 (23), Kab. N4 (18), Kab. N3 (13), Kab. N2 (9), Kab. N1 (4)"
    assert f"{plan} {named}" in said
