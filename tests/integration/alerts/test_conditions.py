"""Conditions on a real warehouse: found where they are, kept, acted upon, told to whom they concern."""

import io
from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine, select, text

from regsosek.alerts.conditions.operator_actions import Verb
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.nightly import alert_platform, alert_provinces
from regsosek.alerts.persistence.night_figures import read_figures
from regsosek.alerts.persistence.operating import take
from regsosek.alerts.persistence.place_figures import with_places
from regsosek.alerts.sending.send_due import deliver
from regsosek.alerts.weekly import alert_week, read_week
from regsosek.asking.tables.alert_tables import acts_table, conditions_table
from regsosek.errors import DecisionError
from regsosek.geography.calendar import field_windows
from regsosek.geography.provinces import provinces
from regsosek.settings import Settings
from regsosek.warehouse import tables
from support.worlds.alerted_night import (
    DESA,
    NIGHT,
    NIK,
    OTHER_SUBSLS,
    SUBSLS,
    compose,
    deliver_families,
    outbox,
    put,
    quarantine,
)


def conditions(seeded: Engine, night: date) -> dict[tuple[str, str], Any]:
    with seeded.begin() as connection:
        rows = connection.execute(select(tables.condition).where(tables.condition.c.night == night))
        return {(row.kind, row.region_code): row for row in rows}


def test_parts_of_a_province_are_found_where_they_are_and_kept_with_their_figures(
    seeded: Engine, services_env: Settings
) -> None:
    deliver_families(seeded, visited=480)
    with seeded.begin() as connection:
        connection.execute(text("UPDATE mart.total SET visited = 60 WHERE code = '6471'"))
        for code, visited, night in ((OTHER_SUBSLS, 60, NIGHT - timedelta(days=9)), (SUBSLS, 480, NIGHT)):
            put(connection, tables.total, province="64", code=code, placed=True, night=night, visited=visited)
    compose(seeded, services_env)
    found = conditions(seeded, NIGHT)
    silent, behind = found["NO_DATA", "6471"], found["BEHIND", "6471"]
    assert (silent.level, silent.name, silent.since, silent.families) == (
        "kabkota",
        "Kota Balikpapan",
        NIGHT - timedelta(days=8),
        340,
    )
    assert (behind.severity, behind.families, behind.figures["target"]) == ("KRITIS", 132, 400)
    below = found["NO_DATA", OTHER_SUBSLS]
    assert (below.level, below.kabkota, below.families, below.figures) == ("subsls", "6471", 340, {"silent_nights": 9})
    assert set(found) == {("NO_DATA", "6471"), ("BEHIND", "6471"), ("NO_DATA", OTHER_SUBSLS)}


def test_the_desa_of_a_new_sls_is_named_and_stands_in_the_work_list(seeded: Engine, services_env: Settings) -> None:
    deliver_families(seeded, visited=480, quarantined=12, off_frame=12)
    compose(seeded, services_env)
    found = conditions(seeded, NIGHT)
    assert {key for key in found if key[0] == "CODE"} == {("CODE", each) for each in ("64", "6403", DESA)}
    assert (found["CODE", DESA].level, found["CODE", DESA].kabkota, found["CODE", DESA].families) == (
        "desa",
        "6403",
        12,
    )
    [message] = outbox(seeded)
    assert DESA in message.body
    [work_list] = message.attachments
    assert "6403 010 001" in b64decode(work_list["content"]).decode()


def test_an_officer_who_makes_most_of_the_quarantine_is_found_by_code(seeded: Engine, services_env: Settings) -> None:
    deliver_families(seeded, visited=480)
    with seeded.begin() as connection:
        for n in range(52):
            ppl = "0012" if n < 30 else "nobody knows who" if n < 41 else "0013"
            quarantine(connection, f"c-{n}", NIGHT, ppl=ppl)
    compose(seeded, services_env)
    found = conditions(seeded, NIGHT)
    assert {key for key in found if key[0] == "QUALITY"} == {("QUALITY", each) for each in ("64", "6403", "0012")}
    officer = found["QUALITY", "0012"]
    assert (officer.level, officer.kabkota, officer.families) == ("petugas", "6403", 30)


def test_a_night_judged_again_after_it_was_sent_forgets_nothing_that_was_told(
    seeded: Engine, services_env: Settings
) -> None:
    def told() -> list[Any]:
        with seeded.begin() as connection:
            return list(connection.execute(select(tables.told).order_by(tables.told.c.kind)))

    deliver_families(seeded, visited=300)
    compose(seeded, services_env)
    first = told()
    deliver(seeded, services_env)
    with seeded.begin() as connection:
        connection.execute(text("UPDATE mart.total SET visited = 480 WHERE visited < 400"))
    compose(seeded, services_env)
    assert told() == first, "it was sent"
    later = NIGHT + timedelta(days=1)
    deliver_families(seeded, night=later, visited=40)
    assert compose(seeded, services_env, later)["prov64"] == "composed"
    assert {each.why for each in told() if each.night == later} == {"recovered"}


def test_an_act_silences_and_the_command_line_and_the_journal_tell_of_it(
    seeded: Engine, services_env: Settings
) -> None:
    deliver_families(seeded, visited=100)
    compose(seeded, services_env)

    def acted(name: str, verb: Verb, reason: str = "helpers are on their way", until: date | None = None) -> None:
        with seeded.begin() as connection:
            take(connection, name, verb, by="operator", reason=reason, until=until)

    for wrong, fix in (
        ({"name": "64/QUALITY/64", "verb": Verb.ACK}, "alerts list"),
        ({"name": "nonsense", "verb": Verb.ACK}, "64/BEHIND/6403"),
        ({"name": "64/BEHIND/64", "verb": Verb.SNOOZE}, "needs an end"),
        ({"name": "64/BEHIND/64", "verb": Verb.SNOOZE, "until": NIGHT}, "must lie after night"),
        ({"name": "64/BEHIND/64", "verb": Verb.SNOOZE, "until": NIGHT + timedelta(days=99)}, "not after"),
        ({"name": "64/BEHIND/64", "verb": Verb.WAKE}, "nothing to wake"),
        ({"name": "64/BEHIND/64", "verb": Verb.ACK, "reason": f"see {NIK}"}, "NIK"),
        ({"name": "64/BEHIND/64", "verb": Verb.ACK, "reason": " "}, "reason"),
    ):
        with pytest.raises(DecisionError, match=fix):
            acted(**wrong)
    acted("64/BEHIND/64", Verb.ACK)
    later = NIGHT + timedelta(days=1)
    deliver_families(seeded, night=later, visited=1)
    assert compose(seeded, services_env, later)["prov64"] == "unchanged"
    states = {key: row.state for key, row in conditions(seeded, later).items()}
    assert states == {("BEHIND", "64"): "acknowledged", ("BEHIND", "6403"): "acknowledged"}
    with seeded.begin() as connection:
        shown = Console(width=200, record=True, file=io.StringIO())
        shown.print(conditions_table(connection, ["64"], parts=False, ours=True))
        shown.print(acts_table(connection, ["64"], ours=True))
    lines = [line for line in shown.export_text().splitlines() if "64/BEHIND" in line]
    assert len(lines) == 3
    assert "acknowledged" in lines[0]
    assert "helpers are on their way" in lines[-1]


def test_many_silent_at_once_are_told_to_us_alone(seeded: Engine, services_env: Settings) -> None:
    codes = [each.code for each in provinces()]
    with seeded.begin() as connection:
        for code in codes:
            put(connection, tables.refreshed, province=code, night=NIGHT)
            if code not in {"64", "73"}:
                put(connection, tables.target, province=code, families=1000, source="published", scale=1, version="1")
            own = {"province": code, "delivery_id": "D", "delivered_on": NIGHT - timedelta(days=1)}
            put(connection, tables.delivery, **own, night=NIGHT - timedelta(days=1), position=0, prefix="p",
                state="accepted", versions={}, registered_at=datetime.now(UTC))  # fmt: skip
            put(connection, tables.delivery_count, **own, dataset="keluarga", received=1, loaded=1)
            put(connection, tables.total, province=code, code=code, placed=False, night=NIGHT - timedelta(days=1),
                visited=480)  # fmt: skip
        put(connection, tables.total, province="64", code="6403", placed=False, night=NIGHT, visited=480)
    try:
        told = alert_provinces(seeded, services_env, NIGHT)
        alert_platform(seeded, services_env, NIGHT, failed={}, publication=None, told=told)
        [letter_to_us] = outbox(seeded)
        assert letter_to_us.subject == f"[PIPELINE FAULT] {NIGHT}: 34 provinces silent at once"
        assert told.suspected == codes
        again = alert_provinces(seeded, services_env, NIGHT, provinces=["64"])
        assert again.composed == [], "one province judged anew rests on what was found of all"
        with seeded.begin() as connection:
            take(connection, "00/PIPELINE_FAULT/00-silence", Verb.ACK, by="operator", reason="known")
    finally:
        with seeded.begin() as connection:
            connection.execute(text("DELETE FROM reference.target WHERE province NOT IN ('64', '73')"))


def test_the_week_is_reported_once_with_what_was_acted_on(seeded: Engine, services_env: Settings) -> None:
    sunday = date(2022, 10, 30)
    deliver_families(seeded, visited=300)
    for n, visited in enumerate((300, 400, 0), start=1):
        compose(seeded, services_env, NIGHT + timedelta(days=n - 1))
        deliver_families(seeded, night=NIGHT + timedelta(days=n), visited=visited, quarantined=10)
    compose(seeded, services_env, NIGHT + timedelta(days=3))
    with seeded.begin() as connection:
        week = read_week(connection, sunday)
        assert read_week(connection, NIGHT).kinds == (), "the night's own messages have not gone out"
    kinds = {each.what: (each.conditions, each.gone, each.acted) for each in week.kinds}
    assert kinds["BEHIND"] == (1, 1, 1)
    assert kinds["QUALITY"][1:] == (0, 0)
    assert [each.what for each in week.rules] == ["P05"]
    assert alert_week(seeded, services_env, sunday)
    assert not alert_week(seeded, services_env, sunday - timedelta(days=1)), "no week ends on a Saturday"
    reports = {row.language: " ".join(row.body.split()) for row in outbox(seeded) if row.kind == "weekly"}
    assert "behind plan: 1 of 1 ended or in hand (1 ended, 0 acknowledged)" in reports["en"]
    assert "tertinggal: 1 dari 1 berakhir atau ditangani (1 berakhir, 0 dinyatakan sedang ditangani)" in reports["id"]
    assert "Kalimantan Timur: " in reports["id"] and "prov64" not in reports["id"]


def arrived(connection: Any, night: date, late: int, *, cause: str = "late", visited: int = 10) -> None:
    """Families of Berau that were enumerated ``late`` days before they arrived, and that something arrived at all."""
    enumerated = night - timedelta(days=late)
    put(connection, tables.change, province="64", placed_code=SUBSLS, enumerated_on=enumerated, night=night,
        cause=cause, visited=visited)  # fmt: skip


def days_late(seeded: Engine) -> float:
    window = field_windows()["64"]
    with seeded.begin() as connection:
        figures = with_places(connection, read_figures(connection, "64", NIGHT, window), thresholds())
    return next(each.days_late for each in figures.kabkota if each.code == "6403")


@pytest.mark.parametrize(("nights", "late"), [(4, 0), (5, 2)])
def test_the_delay_that_is_forgiven_is_that_of_first_arrivals_once_enough_nights_were_seen(
    seeded: Engine, nights: int, late: float
) -> None:
    with seeded.begin() as connection:
        for n in range(nights + 1):
            night = NIGHT - timedelta(days=n)
            put(connection, tables.province_arrivals, province="64", night=night, received=10)
            if n < nights:
                arrived(connection, night, 2)
                arrived(connection, night, 9, cause="corrected")
                arrived(connection, night, 12, cause="superseded", visited=-10)
    assert days_late(seeded) == late


def test_what_comes_after_a_silence_says_nothing_of_the_delay_that_is_usual(seeded: Engine) -> None:
    """Two nights without the network, then the backlog of a week: nobody is forgiven for it."""
    silent = {NIGHT - timedelta(days=n) for n in (3, 4)}
    with seeded.begin() as connection:
        for n in range(12):
            night = NIGHT - timedelta(days=n)
            if night not in silent:
                put(connection, tables.province_arrivals, province="64", night=night, received=10)
                arrived(connection, night, 7 if n == 2 else 1, visited=500 if n == 2 else 10)
    assert days_late(seeded) == 1
