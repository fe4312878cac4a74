"""Heads of SLS who were not met: told of while there is a day left to arrange for, and as met when they were met."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import pytest

from regsosek.alerts.conditions.condition import Why
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.province_figures import HeadNotMet, KabkotaFigures, ProvinceFigures
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.sentences.context import Context
from regsosek.geography import free_days
from support.worlds.alert_memory import Memory
from support.worlds.notified_conditions import NIGHT

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY = (NIGHT + timedelta(n) for n in range(7))
AWAY = [HeadNotMet(f"{code}010001000100", "RT", code, 40, NIGHT) for code in ("6403", "6404")]


def news_of_heads(
    night: Night, told_before: Memory, heads: Mapping[date, Sequence[HeadNotMet]]
) -> dict[date, list[tuple[str, Why]]]:
    """The kab/kota whose heads each message is about, and why, by its night; a night without a message is left out."""
    kabkota = tuple(KabkotaFigures(code, f"Kabupaten {code}", 10_000, 9_900, 100) for code in ("6403", "6404"))
    sent = {}
    for each, away in heads.items():
        figures = night(night=each, visited=99_000, kabkota=kabkota, heads_not_met=tuple(away))
        telling = told_before.judge(figures, Rules(LIMITS)).telling
        if telling.send:
            told_of = (own for own in telling.told if own.condition.place.level == "kabkota")
            sent[each] = [(own.condition.place.code, own.why) for own in told_of]
    return sent


def test_heads_met_on_a_monday_are_told_as_met_in_the_message_of_that_night(night: Night) -> None:
    """Every night looks for them; who was told of is no reason for a message while no free day is near."""
    away = dict.fromkeys((WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY), AWAY[:1])
    sent = news_of_heads(night, Memory(), {**away, MONDAY: []})
    assert sent == {
        WEDNESDAY: [("6403", Why.NEW)], FRIDAY: [("6403", Why.REMINDER)], MONDAY: [("6403", Why.RECOVERED)],
    }  # fmt: skip


def test_heads_are_told_of_in_the_last_message_before_the_day_that_is_left_to_arrange(night: Night) -> None:
    """A kab/kota that shows on Thursday does not wait until Friday, whose message is read on the free day itself."""
    sent = news_of_heads(night, Memory(), {WEDNESDAY: AWAY[:1], THURSDAY: AWAY})
    assert sent[THURSDAY] == [("6404", Why.NEW), ("6403", Why.STANDING)]


def test_a_spent_week_puts_no_appointment_off_beyond_its_day(night: Night) -> None:
    memory = Memory(told={NIGHT - timedelta(n): () for n in range(1, LIMITS.economy.messages_per_week + 1)})
    sent = news_of_heads(night, memory, {WEDNESDAY: AWAY[:1], THURSDAY: AWAY[:1]})
    assert sent == {THURSDAY: [("6403", Why.NEW)]}


@pytest.mark.parametrize(
    ("first", "until"), [(WEDNESDAY, FRIDAY), (THURSDAY, FRIDAY), (FRIDAY, SATURDAY), (SATURDAY, None), (MONDAY, None)]
)
def test_the_deadline_of_an_appointment_is_the_day_before_the_free_day_that_it_is_for(
    night: Night, context: Context, first: date, until: date | None
) -> None:
    """On Saturday night no free day of the week is left to arrange for: the message is read on Sunday."""
    figures = night(night=first, visited=99_000, heads_not_met=tuple(AWAY[:1]))
    told = Memory().judge(figures, Rules(LIMITS)).telling.told
    said = " ".join(compose_digest(figures, told, LIMITS, context).body.split())
    assert ("Buat janji temu" in said) is (until is not None)
    assert until is None or f"– paling lambat {until.day} Okt 2022 pukul 18.00 WITA" in said


def test_a_holiday_of_the_table_is_a_free_day_to_arrange_for(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not news_of_heads(night, Memory(told={SUNDAY: ()}), {MONDAY: AWAY[:1]})
    monkeypatch.setattr(free_days, "holidays", lambda: frozenset({(MONDAY + timedelta(days=2), "64")}))
    assert news_of_heads(night, Memory(), {MONDAY: AWAY[:1]}) == {MONDAY: [("6403", Why.NEW)]}
