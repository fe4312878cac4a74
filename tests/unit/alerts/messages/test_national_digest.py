"""The digest of the nation: all provinces, the worst first, what was escalated, and what is ours."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from regsosek.alerts.blocked import compose_stopped
from regsosek.alerts.conditions.condition import Kind, Notification, Place, Severity, Why
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.province_figures import KabkotaFigures, ProvinceFigures, RowCounts, Waiting
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.national_digest import compose_national
from regsosek.alerts.messages.platform_message import PlatformFigures
from regsosek.alerts.messages.province_stand import ProvinceStand, worst_first
from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.outbox.personal_data import suspects
from regsosek.geography.provinces import provinces
from regsosek.warehouse.nights.holding import HeldDelivery
from support.worlds.alert_memory import Memory
from support.worlds.notified_conditions import BERAU, NIGHT, sub_sls, told

Night = Callable[..., ProvinceFigures]
CODES = [each.code for each in provinces()]
HELD = HeldDelivery("33", "01GFXKQ2Z8V3M5N7P9R1T3W5Z9", NIGHT, NIGHT, 700, 2100, ())


def ours(**changes: object) -> PlatformFigures:
    own = {"night": NIGHT, "asked": CODES, "refreshed": frozenset(CODES), "failed": {}, "publication": None, **changes}
    return PlatformFigures(**own)  # type: ignore[arg-type]  # fields by name


def stands(night: Night, **by_province: tuple[Notification, ...]) -> dict[str, ProvinceStand]:
    return {code: ProvinceStand(night(province=code), by_province.get(f"p{code}", ())) for code in CODES}


def of(province: str, kind: Kind, families: int, severity: Severity = Severity.ATTENTION) -> Notification:
    return told(kind, Place("provinsi", province), families=families, severity=severity)


def flat(message: Message) -> str:
    return " ".join(message.body.split())


def judged(figures: ProvinceFigures) -> ProvinceStand:
    """As the night leaves it: told of what ``detect`` finds, in its first message."""
    judgement = Memory().judge(figures, Rules(thresholds()))
    return ProvinceStand(figures, judgement.telling.told, judgement.put_off)


def rows_of(message: Message) -> list[dict[str, str]]:
    content = message.attachments[0].content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content), delimiter=";"))


def bad_night(night: Night) -> dict[str, ProvinceStand]:
    escalated = told(Kind.NO_DATA, sub_sls(1), families=40, why=Why.ESCALATED, since=date(2022, 10, 23))
    return stands(
        night,
        p11=(of("11", Kind.BEHIND, 900),),
        p64=(of("64", Kind.REJECTED, 700, Severity.CRITICAL), of("64", Kind.QUALITY, 20), escalated),
        p94=(of("94", Kind.NO_DATA, 0, Severity.CRITICAL), of("94", Kind.BEHIND, 5000, Severity.CRITICAL)),
        p35=(told(Kind.BEHIND, Place("provinsi", "35"), why=Why.RECOVERED),),
    )


def test_the_worst_province_stands_first(night: Night) -> None:
    found = bad_night(night)
    assert worst_first(found)[:3] == ["94", "64", "11"]
    message = compose_national(found, ours())
    assert message.subject == "[KRITIS] Nasional, 26 Okt: 2 kritis; 1 perhatian; dan hal lain"
    assert (
        "1. Papua (94): 48,0 % dari 100.000, rencana 48 %, sesuai rencana [KRITIS] tanpa data masuk; tertinggal"
        in flat(message)
    )
    assert "3. Aceh (11): 48,0 % dari 100.000, rencana 48 %, sesuai rencana [PERHATIAN] tertinggal (900 kel" in flat(
        message
    )
    assert "Tidak ada masalah (31 provinsi): Sumatera Utara, Sumatera Barat," in flat(message)


def test_who_did_not_deliver_stands_first_then_the_status_of_the_page_then_families(night: Night) -> None:
    """No families are added up that are counted in several ways."""
    found = stands(night, p82=(of("82", Kind.NO_DATA, 0),), p35=(told(Kind.BEHIND, BERAU, families=900),))
    for code, visited, waiting in (("19", 10_000, 0), ("31", 30_000, 0), ("36", 28_000, 0), ("35", 44_000, 66)):
        figures = night(province=code, visited=visited, waiting=Waiting(waiting, NIGHT if waiting else None))
        found[code] = replace(found[code], figures=figures)
    found["12"] = replace(found["12"], figures=night(province="12", waiting=Waiting(867, NIGHT)))
    assert worst_first(found)[:6] == ["82", "19", "36", "31", "35", "12"]


def test_counts_and_escalations_are_told(night: Night) -> None:
    body = flat(compose_national(bad_night(night), ours()))
    assert "- TERTINGGAL DARI RENCANA: 1 provinsi kritis, 1 perlu perhatian; 5.900 keluarga" in body
    assert (
        "- TIDAK ADA DATA MASUK: 1 provinsi kritis, 0 perlu perhatian, 1 sebagian (hanya di beberapa kab/kota); "
        "40 keluarga, belum termasuk 1 provinsi yang jumlah keluarganya tidak diketahui" in body
    )
    assert "Kalimantan Timur (64): TIDAK ADA DATA MASUK, sub-SLS 6403010001000100, sejak 23 Okt 2022 (40 kel" in body


def test_who_is_behind_in_part_is_counted_once_told_of_or_not(night: Night) -> None:
    """Behind as a whole, told of a large kab/kota, of a small one nothing, and of something else alone."""
    on_plan, large, small = (
        KabkotaFigures(f"64{n:02d}", f"Kabupaten N{n}", load, visited, 5)
        for n, load, visited in ((1, 60_000, 28_800), (2, 40_000, 4_000), (3, 150, 15))
    )
    waits = Waiting(900, NIGHT, 900)
    figures = {code: night(province=code) for code in CODES}
    figures["94"] = night(province="94", visited=20_000, kabkota=(on_plan, large))
    figures["32"] = night(province="32", kabkota=(on_plan, large, small))
    figures |= {code: night(province=code, kabkota=(on_plan, small)) for code in ("72", "73")}
    figures["11"] = night(province="11", kabkota=(on_plan, small), waiting=waits)
    message = compose_national({code: judged(each) for code, each in figures.items()}, ours())
    assert message.subject == "[KRITIS] Nasional, 26 Okt: 3 kritis; 4 tertinggal sebagian"
    behind = "TERTINGGAL DARI RENCANA: 1 provinsi kritis, 0 perlu perhatian, 4 sebagian (hanya di beberapa kab/kota)"
    assert f"- {behind}; 43.200 keluarga di tempat yang diberitahukan" in flat(message)
    rows = [row for row in rows_of(message) if row["kab_kota_tertinggal"] != "0"]
    in_part = {row["kode"] for row in rows if row["status"] not in ("tertinggal", "jauh tertinggal")}
    assert in_part == {"11", "32", "72", "73"}
    listed = [f"{n} dari {of} kab/kota tertinggal" for n, of in ((2, 3), (1, 2))]
    assert sum(flat(message).count(each) for each in listed) == 4 + 1


def test_a_number_of_families_says_where_nobody_knows_it(night: Night) -> None:
    silent = {code: judged(night(province=code, deliveries={}, families=RowCounts())) for code in ("82", "91")}
    told = flat(compose_national(stands(night) | silent, ours()))
    assert "TIDAK ADA DATA MASUK: 0 provinsi kritis, 2 perlu perhatian; jumlah keluarga tidak diketahui" in told
    assert "0 keluarga" not in told.split("MASALAH MENURUT JENIS")[1].split("PROVINSI")[0]


def test_the_nation_names_its_denominator_and_who_is_missing(night: Night) -> None:
    found = {code: stand for code, stand in bad_night(night).items() if code not in ("32", "73")}
    body = flat(
        compose_national(found, ours(failed={"73": f"ParityError: {sub_sls(1).code}\nx"}, refreshed=set(found)))
    )
    assert (
        "1.536.000 dari 3.200.000 keluarga di 32 provinsi dikunjungi (48,0 %), rencana 48,0 %; "
        "data malam ini lengkap di 32 dari 34 provinsi" in body
    )
    assert "Tanpa data lengkap malam ini: Jawa Barat (belum diolah), Sulawesi Selatan (belum diolah)." in body
    why = "Great Expectations dan SQL hasil kompilasi berbeda"
    assert f"- {why}; belum diolah: Sulawesi Selatan (ParityError: …)" in body
    assert "- Malam ini belum diolah: Jawa Barat" in body


def test_what_is_ours_and_what_waits_is_told_apart(night: Night) -> None:
    message = compose_national(
        stands(night), ours(publication="AuditError: sums differ", unrecognised={"64": 3, "32": 1}, held=(HELD,))
    )
    assert message.subject.startswith("[PERHATIAN]")
    assert "2 gangguan sistem pusat; dan hal lain" in message.subject
    assert "Penerbitan bermasalah: rilis tidak lulus auditnya (AuditError: sums differ)" in flat(message)
    assert "4 berkas di area penerimaan belum dapat diproses sebagai kiriman (Jawa Barat, Kalimantan Timur)" in flat(
        message
    )
    assert f"Jawa Tengah (33): {HELD.delivery_id}, sejak malam 26 Okt 2022, 700 keluarga" in flat(message)


def test_a_night_counts_the_provinces_of_which_it_is_whole(night: Night) -> None:
    found = stands(night)
    for code, deliveries in (("19", {"rejected": 1}), ("82", {}), ("35", {"accepted": 1, "held": 1})):
        found[code] = ProvinceStand(replace(night(province=code), deliveries=deliveries), ())
    body = flat(compose_national(found, ours()))
    assert "data malam ini lengkap di 31 dari 34 provinsi." in body
    gaps = "Kepulauan Bangka Belitung (ditolak), Jawa Timur (diterima sebagian), Maluku Utara (tidak ada kiriman)"
    assert f"Tanpa data lengkap malam ini: {gaps}." in body


def test_one_cause_in_many_provinces_is_one_fault(night: Night) -> None:
    failed = {code: f"ObjectStoreError: province {code}: no answer" for code in CODES}
    message = compose_national(
        {}, ours(failed=failed, refreshed=frozenset(), unrecognised=dict.fromkeys(CODES, 8)), "en"
    )
    assert "2 faults of ours" in message.subject
    body = flat(message)
    assert body.count("object storage did not answer") == 1 and "Files in the landing area" in body
    assert "critical" not in message.subject


def test_a_good_night_says_so_and_an_empty_one_divides_by_nothing(night: Night) -> None:
    good = compose_national(stands(night), ours(), "en")
    assert good.subject == "[ALL WELL] Nation, 26 Oct: no problem in 34 provinces"
    nothing = compose_national({}, ours(refreshed=frozenset()))
    assert (
        "0 dari 0 keluarga di 0 provinsi dikunjungi (–), rencana –; data malam ini lengkap di 0 dari 34 provinsi"
        in flat(nothing)
    )


def test_all_provinces_are_attached(night: Night) -> None:
    [attached] = compose_national(bad_night(night), ours()).attachments
    rows = list(csv.DictReader(io.StringIO(attached.content.decode("utf-8-sig")), delimiter=";"))
    assert [row["kode"] for row in rows[:3]] == ["94", "64", "11"] and len(rows) == 34
    assert rows[1] | {"kode": "64"} == {
        "kode": "64", "provinsi": "Kalimantan Timur", "tingkat": "KRITIS", "dikunjungi": "48000", "target": "100000",
        "rencana_persen": "48,0", "selisih_keluarga": "0", "status": "sesuai rencana",
        "kab_kota_tertinggal": "0", "masalah": "kiriman ditolak, mutu isian, tanpa data masuk",
        "menunggu_perbaikan": "0", "diteruskan": "1",
    }  # fmt: skip


def test_nothing_of_it_looks_personal_but_codes(night: Night) -> None:
    found = bad_night(night)
    hostile = ours(failed={"64": "x 6403015502840001 <b>Siti</b>\r\nBcc: a"}, publication="{{ 7 * 7 }}")
    message = compose_national(found, hostile)
    assert {each.value for each in suspects(message)} == {sub_sls(1).code}
    assert "<b>" not in message.html and len(message.subject.splitlines()) == 1


def test_a_province_is_judged_by_the_worst_of_what_is_open(night: Night) -> None:
    gone = replace(of("11", Kind.BEHIND, 1, Severity.CRITICAL), why=Why.RECOVERED)
    assert not ProvinceStand(night(), (gone,)).critical
    assert ProvinceStand(night(), (told(Kind.BEHIND, BERAU, severity=Severity.CRITICAL),)).critical


def test_a_stopped_message_is_told_by_group_without_a_value() -> None:
    message = compose_stopped(NIGHT, {"prov64": "stopped a message: phone number in its text (1)", "prov11": "x"})
    assert message.subject == "[PIPELINE FAULT] night 2022-10-26: 2 messages stopped"
    assert message.body.index("prov11: x") < message.body.index("prov64: stopped a message: phone number")
    assert suspects(message) == []


def test_who_is_behind_and_told_of_nothing_is_not_among_those_without_a_condition(night: Night) -> None:
    """What is acknowledged, snoozed or explained is not told: the page calls it behind all the same."""
    found = stands(night) | {"94": ProvinceStand(night(province="94", visited=30_000), ())}
    message = compose_national(found, ours())
    assert message.subject.startswith("[PERHATIAN]")
    told, well = (
        flat(message).split("ATAU DITUNDA; TIDAK DIBERITAHUKAN SEBAGAI MASALAH MALAM INI")[1].split("Tidak ada masalah")
    )
    assert "Papua (94): tertinggal" in told
    assert "Papua," not in well.split(".")[0]


def test_a_province_that_nobody_knows_is_not_well(night: Night) -> None:
    found = stands(night) | {"94": ProvinceStand(night(province="94", visited=0), ())}
    message = compose_national(found, ours())
    assert "Papua (94): tidak ada data" in flat(message)
    assert "Papua," not in flat(message).split("Tidak ada masalah")[1].split(".")[0]
    assert '"94";"Papua";"TIDAK DIBERITAHUKAN";' in message.attachments[0].content.decode("utf-8-sig")


def test_what_waits_from_an_earlier_night_is_held_and_a_held_stream_is_no_gap(night: Night) -> None:
    stream = replace(HELD, families=0, persons=0)
    found = stands(night)
    found["33"] = ProvinceStand(night(province="33", deliveries={}, held=(HELD,)), ())
    found["35"] = ProvinceStand(night(province="35", held=(stream,)), ())
    told = flat(compose_national(found, ours()))
    assert "Jawa Tengah (ditahan)" in told
    assert "Jawa Timur (" not in told.split("Tanpa data lengkap malam ini")[1].split(".")[0]


def test_who_is_short_of_the_plan_or_waits_is_named_among_those_without_a_problem(night: Night) -> None:
    """Nobody is told of them otherwise: no more of them than the limits allow."""
    found = stands(night)
    found["12"] = ProvinceStand(night(province="12", visited=35_000), ())
    for code, families in (("32", 30), ("33", 4)):
        found[code] = ProvinceStand(night(province=code, waiting=Waiting(families, NIGHT)), ())
    message = compose_national(found, ours())
    assert message.subject.startswith("[AMAN]")
    well = flat(message).split("Tidak ada masalah (34 provinsi): ")[1]
    assert (
        "Di antaranya di bawah rencana (dalam batas): Sumatera Utara (kurang 13.000 keluarga; 13,0 poin, batas 15)."
        in well
    )
    assert "Di antaranya 34 keluarga di 2 provinsi menunggu perbaikan di karantina, di bawah batas yang" in well
    assert "34 keluarga di 2 provinsi" in message.html
    assert "menunggu" not in flat(compose_national(stands(night), ours()))


def test_what_is_put_off_is_no_problem_told_and_not_gone_either(night: Night) -> None:
    found = stands(night)
    found["94"] = ProvinceStand(night(province="94", waiting=Waiting(9_000, NIGHT)), (), (Kind.QUALITY,))
    message = compose_national(found, ours())
    assert message.subject == "[PERHATIAN] Nasional, 26 Okt: 1 ditunda"
    assert "Papua (94): sesuai rencana; ditunda: mutu isian" in flat(message)
    content = message.attachments[0].content.decode("utf-8-sig")
    row = next(row for row in csv.DictReader(io.StringIO(content), delimiter=";") if row["kode"] == "94")
    assert (row["tingkat"], row["masalah"]) == ("TIDAK DIBERITAHUKAN", "sesuai rencana; ditunda: mutu isian")
    well = flat(message).split("Tidak ada masalah (33 provinsi): ")[1]
    assert ", Papua." not in well and "menunggu" not in well
