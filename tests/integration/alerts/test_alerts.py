"""Alerts on a real warehouse and a real SMTP server: decided from tables, composed once, sent once, lost never."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from local_services.mail_sink import MailSink
from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.nightly import alert_platform, alert_provinces
from regsosek.alerts.outbox.gate import require_clean
from regsosek.alerts.persistence.night_figures import read_officers
from regsosek.alerts.sending.send_due import SendReport, deliver
from regsosek.alerts.sentences.context import Officer
from regsosek.errors import PersonalDataError
from regsosek.geography.provinces import Province, provinces
from regsosek.settings import Settings
from regsosek.warehouse import tables
from support.worlds.alerted_night import (
    NIGHT,
    NIK,
    OTHER_DESA,
    OTHER_SUBSLS,
    SUBSLS,
    compose,
    deliver_families,
    delivery_of,
    letter,
    mails,
    outbox,
    put,
    unreachable,
    words,
)


def test_a_night_with_everything_reaches_the_office_once(
    seeded: Engine, services_env: Settings, mail_sink: MailSink
) -> None:
    deliver_families(seeded, visited=100, quarantined=20, rejected=70, off_frame=6)
    assert compose(seeded, services_env) == {"prov64": "composed", "prov73": "not_processed"}
    assert deliver(seeded, services_env) == SendReport(1, 0, 0)
    [mail] = mails(mail_sink)
    body = words(mail)
    assert mail["X-Envelope-To"] == "prov64@bps.example"
    assert mail["Subject"].startswith("[KRITIS] Kalimantan Timur, 26 Okt: kiriman ditolak")
    for line in (
        "1 dari 2 kiriman malam ini ditolak. 70 keluarga di dalamnya belum dimuat.",
        "14 dari 100 keluarga dalam kiriman malam ini (14,0 %) masuk karantina karena isiannya; batas 5 %.",
        "hanya menunggu kode wilayahnya dan tidak perlu ditanyakan kembali: 6.",
        "14 keluarga: Kepala keluarga (rincian 409 = 1) harus tepat satu",
        "Dikunjungi 10,0 % dari 1.000 keluarga, rencana 48 %: kurang 380 keluarga",
        "6 dari 100 keluarga dalam kiriman malam ini (6,0 %) berkode wilayah yang tidak ada dalam kerangka SLS.",
        "1. 6403 Kabupaten Berau – TERTINGGAL DARI RENCANA [KRITIS], baru malam ini Dikunjungi 16,7 % dari 600",
        "Juga MUTU ISIAN [PERHATIAN]: 14 dari 100 keluarga dalam kiriman malam ini (14,0 %) masuk karantina",
        "170 masuk = 80 dimuat + 20 karantina + 70 ditolak",
    ):
        assert line in " ".join(body.split()), line
    assert not re.search(NIK, mail.as_string() + str(outbox(seeded)))
    with seeded.begin() as connection:
        kinds = set(connection.execute(select(tables.condition.c.kind)).scalars())
    assert kinds == {"REJECTED", "QUALITY", "BEHIND", "CODE"}


def test_a_second_run_sends_and_changes_nothing(seeded: Engine, services_env: Settings, mail_sink: MailSink) -> None:
    deliver_families(seeded, visited=100)
    compose(seeded, services_env)
    deliver(seeded, services_env)
    before = outbox(seeded)
    deliver_families(seeded, night=NIGHT - timedelta(days=1), visited=50)
    assert compose(seeded, services_env)["prov64"] == "sent_before"
    assert deliver(seeded, services_env) == SendReport(0, 0, 0)
    assert outbox(seeded) == before
    assert len(mails(mail_sink)) == 1


def test_an_unsent_digest_is_composed_anew_or_taken_back(seeded: Engine, services_env: Settings) -> None:
    deliver_families(seeded, visited=100)
    compose(seeded, services_env)
    [first] = outbox(seeded)
    with seeded.begin() as connection:
        connection.execute(text("UPDATE mart.total SET visited = 120 WHERE visited < 400"))
    compose(seeded, services_env)
    [second] = outbox(seeded)
    assert second.id == first.id
    assert ("12,0 %" in second.body, "12,0 %" in first.body) == (True, False)
    with seeded.begin() as connection:
        connection.execute(text("UPDATE mart.total SET visited = 480 WHERE visited < 400"))
        put(connection, tables.outbox, **letter(NIGHT - timedelta(days=6)))  # too early for good news
    assert compose(seeded, services_env)["prov64"] == "quiet"
    assert [row.night for row in outbox(seeded)] == [NIGHT - timedelta(days=6)]


def test_a_server_that_is_down_delays_and_doubles_nothing(
    seeded: Engine, services_env: Settings, mail_sink: MailSink
) -> None:
    deliver_families(seeded, visited=100)
    compose(seeded, services_env)
    now = datetime.now(UTC)
    for attempt in (1, 2):
        assert deliver(seeded, unreachable(services_env), now) == SendReport(0, 1, 1, unreached=1)
        [waiting] = outbox(seeded)
        assert (waiting.state, waiting.attempts) == ("waiting", attempt)
        assert waiting.last_error == "ConnectionRefusedError 111"
        assert deliver(seeded, services_env, now) == SendReport(0, 0, 1, unreached=1), "tried before its time"
        now = waiting.next_try_at
    assert deliver(seeded, services_env, now) == SendReport(1, 0, 0)
    assert deliver(seeded, services_env, now) == SendReport(0, 0, 0)
    [sent] = outbox(seeded)
    [mail] = mails(mail_sink)
    assert (sent.state, sent.attempts, sent.last_error) == ("sent", 3, None)
    numbers = rf"20221026\.prov64\.{sent.id}\.{delivery_of(seeded, sent.id)}"
    assert re.fullmatch(rf"<{numbers}\.[0-9a-f]{{16}}@bps\.example>", mail["Message-ID"])


def test_a_run_killed_between_sending_and_marking_repeats_under_the_same_id(
    seeded: Engine, services_env: Settings, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    deliver_families(seeded, visited=100)
    compose(seeded, services_env)
    with monkeypatch.context() as patch:
        patch.setattr("regsosek.alerts.sending.send_due.note", killed)
        with pytest.raises(KilledError):
            deliver(seeded, services_env)
    assert deliver(seeded, services_env) == SendReport(1, 0, 0)
    first, second = mails(mail_sink)
    assert first["Message-ID"] == second["Message-ID"]
    assert words(first) == words(second)


def test_two_runs_at_once_send_each_message_once(seeded: Engine, services_env: Settings, mail_sink: MailSink) -> None:
    for n in range(6):
        deliver_families(seeded, night=NIGHT + timedelta(days=n), visited=0)
        compose(seeded, services_env, NIGHT + timedelta(days=n))
    waiting = len(outbox(seeded))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: deliver(seeded, services_env), range(2)))
    assert sum(each.sent for each in results) == waiting == len(mails(mail_sink))
    assert sum(each.failed for each in results) == 0


def test_a_message_that_cannot_be_written_does_not_stop_the_others(
    seeded: Engine, services_env: Settings, mail_sink: MailSink
) -> None:
    deliver_families(seeded, visited=100)
    compose(seeded, services_env)
    alert_platform(seeded, services_env, NIGHT - timedelta(days=1), failed={"64": "broken"}, publication=None)
    with seeded.begin() as connection:
        connection.execute(text("UPDATE alert.outbox SET subject = E'a\\nBcc: c@d.example' WHERE kind = 'platform'"))
    assert deliver(seeded, services_env) == SendReport(2, 1, 0)
    [failed] = [row for row in outbox(seeded) if row.state == "failed"]
    assert failed.last_error == "cannot be written: ValueError"
    assert [mail["X-Envelope-To"] for mail in mails(mail_sink)] == ["prov64@bps.example", "platform@bps.example"]
    assert "[PIPELINE FAULT] sending: 1 not delivered" in mails(mail_sink)[1]["Subject"]


def test_unchanged_news_comes_every_second_night_and_recovery_once(seeded: Engine, services_env: Settings) -> None:
    told = []
    for n, visited in enumerate((300, 1, 1, 1, 500, 100)):
        night = NIGHT + timedelta(days=n)
        deliver_families(seeded, night=night, visited=visited)
        told.append(compose(seeded, services_env, night)["prov64"])
    # 30 % of 48 %; 30.1 of 52; 30.2 of 56; 30.3 of 60 is 29.7 points behind; 80 of 64: recovered; then nothing.
    assert told == ["composed", "unchanged", "composed", "unchanged", "composed", "quiet"]
    last = outbox(seeded)[-1]
    assert "tidak lagi tertinggal" in last.subject
    assert "- tidak lagi tertinggal, seluruh provinsi (tertinggal sejak 26 Okt 2022)" in last.body
    with seeded.begin() as connection:
        since = connection.execute(
            text("SELECT since FROM alert.condition WHERE kind = 'BEHIND' ORDER BY night DESC LIMIT 1")
        ).scalar_one()
    assert since == NIGHT


def test_an_end_that_an_earlier_night_showed_is_told_by_one_that_does_not_look(
    seeded: Engine, services_env: Settings
) -> None:
    """Nothing stood the night before either: that the heads were met is known of the night that looked."""
    tuesday, place = NIGHT - timedelta(days=1), {"province": "64", "region_code": "6403", "kabkota": ""}
    own = {**place, "kind": "APPOINTMENT", "level": "kabkota", "severity": "PERHATIAN", "families": 81, "news": "",
           "since": tuesday - timedelta(days=4)}  # fmt: skip
    with seeded.begin() as connection:
        put(connection, tables.told, **own, night=tuesday - timedelta(days=4), dispatch="digest", why="new")
        put(connection, tables.condition, **own, night=tuesday - timedelta(days=3), name="Berau", state="resolved",
            event="", judged=True, figures={})  # fmt: skip
    for night in (tuesday - timedelta(days=1), tuesday):
        deliver_families(seeded, night=night, visited=500)
    assert compose(seeded, services_env, tuesday)["prov64"] == "composed"
    assert "- ketua SLS belum ditemui, 6403 Kabupaten Berau" in outbox(seeded)[-1].body
    assert compose(seeded, services_env, tuesday)["prov64"] == "composed", "until it is sent"
    deliver_families(seeded, night=NIGHT, visited=1)
    assert compose(seeded, services_env, NIGHT)["prov64"] == "quiet"


def test_critical_news_comes_every_night(seeded: Engine, services_env: Settings) -> None:
    for n in range(3):
        deliver_families(seeded, night=NIGHT + timedelta(days=n), visited=1)
        assert compose(seeded, services_env, NIGHT + timedelta(days=n))["prov64"] == "composed"


def test_a_failed_night_between_does_not_make_standing_news_new(seeded: Engine, services_env: Settings) -> None:
    deliver_families(seeded, visited=300)
    compose(seeded, services_env)
    later = NIGHT + timedelta(days=2)
    deliver_families(seeded, night=later, visited=1)
    compose(seeded, services_env, later)
    assert "sejak 26 Okt 2022, malam ke-3" in outbox(seeded)[-1].body


def test_silence_is_told_with_the_last_arrival_and_folders_without_manifest(
    seeded: Engine, services_env: Settings
) -> None:
    for days in (-2, 1):  # a night processed again knows nothing of what came later
        deliver_families(seeded, night=NIGHT + timedelta(days=days), visited=480)
    with seeded.begin() as connection:
        put(connection, tables.refreshed, province="64", night=NIGHT)
        put(connection, tables.seal, province="64", night=NIGHT, sealed_at=datetime.now(UTC), unfinished=["a", "b"])
    compose(seeded, services_env)
    [row] = outbox(seeded)
    assert row.subject == "[KRITIS] Kalimantan Timur, 26 Okt: tanpa data masuk"
    body = " ".join(row.body.split())
    assert "2 folder kiriman belum lengkap: manifest.json belum ada. - Terakhir masuk: kiriman 24 Okt 2022." in body


def test_the_newest_published_release_is_named(seeded: Engine, services_env: Settings) -> None:
    deliver_families(seeded, visited=100)
    with seeded.begin() as connection:
        for n, published in ((-2, True), (-1, True), (0, False), (1, True)):
            put(connection, tables.published_release, release_id=str(n), night=NIGHT + timedelta(days=n),
                revision=1,
                content_hash="x", prefix=f"releases/{n}", manifest={}, built_at=datetime.now(UTC),
                published_at=datetime.now(UTC) if published else None)  # fmt: skip
    page = "https://regsosek.example"
    compose(seeded, services_env.model_copy(update={"page_url": page}))
    named = f"Rilis     : malam 25 Okt 2022\n   {page}/provinsi/64.html\n"
    assert named in outbox(seeded)[0].body


def test_a_province_without_a_target_is_named_and_stops_nobody(seeded: Engine, services_env: Settings) -> None:
    deliver_families(seeded, visited=100)
    with seeded.begin() as connection:
        put(connection, tables.refreshed, province="11", night=NIGHT)
    composed = alert_provinces(seeded, services_env, NIGHT, provinces=["11", "64"])
    assert composed.composed == ["prov64"]
    assert "province 11 has no target" in composed.failed["prov11"]


def test_a_fault_of_ours_goes_to_the_platform_team_alone(
    seeded: Engine, services_env: Settings, mail_sink: MailSink
) -> None:
    with seeded.begin() as connection:
        for each in provinces():
            if each.code not in {"64", "73"}:
                put(connection, tables.refreshed, province=each.code, night=NIGHT)
    for _ in range(2):
        alert_platform(seeded, services_env, NIGHT, failed={"64": f"ParityError: {NIK}"}, publication="AuditError: x")
        compose(seeded, services_env)
        deliver(seeded, services_env)
    [mail] = mails(mail_sink)
    assert mail["X-Envelope-To"] == "platform@bps.example"
    assert " ".join(mail["Subject"].split()) == "[PIPELINE FAULT] 2022-10-26: 2 provinces failed, publication at fault"
    assert NIK not in mail.as_string()


def test_a_fault_mended_before_it_was_sent_is_taken_back(seeded: Engine, services_env: Settings) -> None:
    alert_platform(seeded, services_env, NIGHT, failed={}, publication="AuditError: x", provinces=["64"])
    assert len(outbox(seeded)) == 1
    deliver_families(seeded, visited=480)
    composed = alert_platform(seeded, services_env, NIGHT, failed={}, publication=None, provinces=["64"])
    assert composed.quiet == ["platform"]
    assert outbox(seeded) == []


def test_a_digest_that_names_a_person_is_stopped_alone_and_told_to_us(
    seeded: Engine, services_env: Settings, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_families(seeded, visited=100)
    with seeded.begin() as connection:
        put(connection, tables.refreshed, province="73", night=NIGHT)
    with monkeypatch.context() as patch:
        named = {"64": "BPS Kaltim u.p. Siti Aminah"}
        patch.setattr(Province, "office", property(lambda own: named.get(own.code, f"BPS Provinsi {own.name}")))
        for _ in range(2):
            assert compose(seeded, services_env)["prov64"] == "stopped"
            deliver(seeded, services_env)
    fault, digest = sorted(mails(mail_sink), key=lambda mail: mail["X-Envelope-To"])
    assert digest["X-Envelope-To"] == "prov73@bps.example"
    assert fault["X-Envelope-To"] == "platform@bps.example"
    assert "1 message stopped" in fault["Subject"]
    assert "prov64: stopped a message: name of a person in its HTML (2)" in " ".join(words(fault).split())
    assert "Aminah" not in "".join(mail.as_string() for mail in (fault, digest)) + str(outbox(seeded))
    assert compose(seeded, services_env)["prov64"] == "composed"


@pytest.mark.parametrize("nobodys", [SUBSLS, f"6471 010 001 0001 00, desa {OTHER_DESA}", "Desa SRI RAHAYU"])
def test_codes_of_the_frame_and_names_of_villages_pass_the_gate(seeded: Engine, nobodys: str) -> None:
    with seeded.begin() as connection:
        require_clean(connection, Message("s", nobodys))


@pytest.mark.parametrize("somebodys", [NIK, f"{SUBSLS[:-1]}9", "Sri Rahayu Utami", "Siti Aminah", "081234567890"])
def test_what_no_region_has_does_not(seeded: Engine, somebodys: str) -> None:
    with seeded.begin() as connection, pytest.raises(PersonalDataError) as stopped:
        require_clean(connection, Message("s", f"{OTHER_SUBSLS} {somebodys}".replace(" ", ";", 1)))
    assert somebodys not in str(stopped.value)


def test_an_officer_is_told_with_the_superior_of_that_night(seeded: Engine) -> None:
    with seeded.begin() as connection:
        connection.execute(text("TRUNCATE reference.officer"))
        for code, role, supervisor, since, until in (
            ("A1", "PPL", "B1", date(2022, 10, 1), date(2022, 10, 20)), ("A1", "PPL", "B2", date(2022, 10, 21), None),
            ("B1", "PML", None, date(2022, 10, 1), None), ("B2", "PML", None, date(2022, 10, 1), None),
        ):  # fmt: skip
            put(connection, tables.officer, province="64", id_kabkota="6403", role=role, code=code, valid_from=since,
                valid_to=until, supervisor_code=supervisor, version="1")  # fmt: skip
        assert read_officers(connection, "64", NIGHT, ["A1", "none"]) == {"A1": Officer("PPL", "PML", "B2")}
        assert read_officers(connection, "64", date(2022, 10, 20), ["A1"])["A1"].superior == "B1"


def test_a_night_of_all_provinces_is_told_as_a_whole(seeded: Engine, services_env: Settings) -> None:
    deliver_families(seeded, visited=100)
    composed = alert_provinces(seeded, services_env, NIGHT)
    alert_platform(seeded, services_env, NIGHT, failed={}, publication=None, told=composed, provinces=["64"])
    assert [row.kind for row in outbox(seeded)] == ["digest"]
    alert_platform(seeded, services_env, NIGHT, failed={"73": "ParityError: P05"}, publication=None,
                   told=composed)  # fmt: skip
    [nation] = [row for row in outbox(seeded) if row.kind == "national" and row.language == "id"]
    assert nation.subject == "[KRITIS] Nasional, 26 Okt: 1 kritis; 2 gangguan sistem pusat"
    body = " ".join(nation.body.split())
    assert "100 dari 1.000 keluarga di 1 provinsi dikunjungi (10,0 %), rencana 48,0 %; " in body
    assert "data malam ini lengkap di 1 dari 34" in body
    assert "dan SQL hasil kompilasi berbeda; belum diolah: Sulawesi Selatan (ParityError: P05)" in body
    assert "1. Kalimantan Timur (64): 10,0 % dari 1.000, rencana 48 %, jauh tertinggal; 1 dari" in body
    assert " kab/kota tertinggal, 1 di antaranya jauh tertinggal [KRITIS]" in body
