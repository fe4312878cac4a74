"""A month of the nation: every problem reaches its office once, nobody gets a storm, and the documentation says so."""

from collections import Counter

import pytest

from regsosek.alerts.conditions.condition import Kind, Why
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.geography.provinces import provinces
from regsosek.settings import PROJECT_ROOT
from support.worlds.alert_month import (
    EVENTS,
    IN_HAND,
    LATE,
    NIGHTS,
    OUTAGE,
    PLANTED,
    SILENT_LANDING,
    Month,
    Planted,
    day,
    run_month,
)

DOCUMENT = PROJECT_ROOT / "docs" / "alerts.md"
BEGIN, END = "<!-- month: begin -->", "<!-- month: end -->"
TOUCHED = {each.province for each in PLANTED} | set(LATE)
WEEKS = 5


@pytest.fixture(scope="module")
def month() -> Month:
    return run_month()


@pytest.mark.parametrize("planted", [each for each in PLANTED if not each.known], ids=lambda each: each.words)
def test_every_problem_reaches_its_office_once_and_nobody_else(month: Month, planted: Planted) -> None:
    told = [code for (code, kind, place), n in month.news().items() if (kind, place) == (planted.kind, planted.place)
            for _ in range(n)]  # fmt: skip
    assert told == [planted.province]


def test_every_problem_that_ended_was_told_as_recovered_once(month: Month) -> None:
    gone = Counter(
        (told.condition.kind, told.condition.place.code)
        for memory in month.memory.values()
        for of_night in memory.told.values()
        for told in of_night
        if told.why is Why.RECOVERED
    )
    ended = {(each.kind, each.place) for each in PLANTED if not each.known}
    assert {key: n for key, n in gone.items() if key in ended} == dict.fromkeys(ended, 1)
    assert all(n == 1 for n in gone.values())


def test_nothing_is_told_that_was_not_planted(month: Month) -> None:
    roots = {(each.province, each.kind) for each in PLANTED if not each.known}
    assert {(code, kind) for code, kind, _ in month.news()} == roots


def test_what_a_known_event_explains_and_what_is_late_is_not_told(month: Month) -> None:
    for code in ("51", "81"):
        assert not [key for key in month.news() if key[0] == code]
    assert not [key for key in month.news() if key[2] == "3374"]
    explained = {each.event for memory in month.memory.values() for c in memory.conditions.values() for each in c}
    assert explained - {""} == {event.id for event in EVENTS}


def test_outages_are_ours_alone(month: Month) -> None:
    outage = [day(n) for n in OUTAGE]
    assert [month.ours[night] for night in outage] == ["object storage"] * len(OUTAGE)
    assert month.ours[day(SILENT_LANDING)] == "landing"
    assert [night for night, told in month.ours.items() if told == "landing"] == [day(SILENT_LANDING)], "on no other"
    assert not [code for code, memory in month.memory.items() if set(outage) & set(memory.told)]
    of_that_night = [memory.told.get(day(SILENT_LANDING), ()) for memory in month.memory.values()]
    assert not [told for told in of_that_night if told], "good news needs something that arrived"


def test_nobody_gets_a_storm(month: Month) -> None:
    budget = thresholds().economy
    for each in provinces():
        if each.code not in TOUCHED:
            assert month.messages(each.code) <= NIGHTS // budget.good_news_nights, each.code
        assert month.messages(each.code) <= budget.messages_per_week * WEEKS


def test_what_nobody_has_in_hand_comes_to_the_centre_and_what_is_in_hand_does_not_come_again(month: Month) -> None:
    escalated = {
        (told.condition.kind, told.condition.place.code): night
        for memory in month.memory.values()
        for night, of_night in memory.told.items()
        for told in of_night
        if told.why is Why.ESCALATED
    }
    assert escalated[Kind.NO_DATA, "94"] == day(8)
    assert {key for key in escalated if key[1][:2] == "53"} >= {(Kind.BEHIND, "53")}
    after = [told for night, told in month.memory["53"].told.items() if day(IN_HAND) < night <= day(22)]
    assert {each.why for told in after for each in told} <= {Why.RECOVERED}


def test_the_documentation_states_what_was_counted(month: Month) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    stated = text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip()
    assert stated == counted(month), "put this table into docs/alerts.md:\n" + counted(month)


def counted(month: Month) -> str:
    """The table of docs/alerts.md."""
    lines = ["| planted | days | told to | as new | messages to it in the month |", "|---|---|---|---:|---:|"]
    for each in PLANTED:
        told = month.news()[each.province, each.kind, each.place]
        to = "nobody: known event" if each.known else each.province
        own = month.messages(each.province)
        lines.append(f"| {each.words} ({each.kind}) | {each.first}–{each.last} | {to} | {told} | {own} |")
    ours = Counter(month.ours.values())
    healthy = [month.messages(each.code) for each in provinces() if each.code not in TOUCHED]
    every = [month.messages(each.code) for each in provinces()]
    whys = sum((month.whys(each.code) for each in provinces()), Counter())
    lines += [
        "",
        f"In all {sum(every)} messages to 34 provinces in {NIGHTS} nights, at most {max(every)} to one; "
        f"{min(healthy)} to {max(healthy)} to each of the {len(healthy)} without a problem, all of them good news.",
        f"To us {sum(ours.values())}: " + ", ".join(f"{n} {what}" for what, n in sorted(ours.items())) + ".",
        "Conditions told: " + ", ".join(f"{whys[why]} {why}" for why in Why if whys[why]) + ".",
    ]
    return "\n".join(lines)
