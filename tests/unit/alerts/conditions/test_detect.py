"""Each kind of condition on both sides of its threshold, when it is muted, and when it is gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.conditions.condition import Condition, Kind, Place, Severity, State, Why
from regsosek.alerts.conditions.detect import EXPLAINED, detect
from regsosek.alerts.conditions.evaluation import Rules, common_silence
from regsosek.alerts.conditions.notification_policy import urgency
from regsosek.alerts.conditions.phase import awaited
from regsosek.alerts.conditions.province_figures import (
    NOBODY,
    CodeDesa,
    HeadNotMet,
    KabkotaFigures,
    OfficerFigures,
    ProvinceFigures,
    RejectedDelivery,
    RowCounts,
    RuleViolations,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.known_events import KnownEvent
from regsosek.geography.plan import STEADY, PlanCurve, plan_shapes
from regsosek.warehouse.nights.holding import HeldDelivery
from support.worlds.alert_memory import told_before

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
SILENT: dict[str, Any] = {"deliveries": {}, "families": RowCounts(), "persons": RowCounts()}
OPENS, CLOSES = date(2022, 10, 15), date(2022, 11, 14)
HELD = HeldDelivery("64", "01GFXKQ2Z8V3M5N7P9R1T3W5Z9", date(2022, 10, 26), date(2022, 10, 26), 700, 2100, ())
REJECTED = RejectedDelivery("01GFXKQ2Z8V3M5N7P9R1T3W5Y7", date(2022, 10, 26), "file_missing", 700)


def found(figures: ProvinceFigures) -> dict[str, str]:
    of_province = (each for each in detect(figures, LIMITS) if each.place.level == "provinsi")
    return {each.kind.value: each.severity.value for each in of_province}


def gone(figures: ProvinceFigures, *before: tuple[str, date]) -> list[str]:
    """The kinds that were told the night before and are told as recovered now."""
    judgement = told_before(figures.province, figures.night, before).judge(figures, Rules(LIMITS))
    return [each.condition.kind.value for each in judgement.telling.told if each.why is Why.RECOVERED]


def quarantined(n: int, judged: int = 1000) -> dict[str, Any]:
    """A night that brings ``n`` families into quarantine, of ``judged``."""
    rows = RowCounts(received=judged, loaded=judged - n, quarantined=n)
    return {"families": rows, "waiting": Waiting(n, date(2022, 10, 26), n) if n else NOBODY}


def coded(n: int) -> Waiting:
    """Families that the night brings and whose code leads to no SLS."""
    return Waiting(n, date(2022, 10, 26), n, new_sls=n, code_since=date(2022, 10, 26), code_tonight=n)


def test_a_healthy_night_has_no_condition(night: Night) -> None:
    assert detect(night(), LIMITS) == ()


@pytest.mark.parametrize(("last", "severity"), [(25, "PERHATIAN"), (24, "KRITIS")])
def test_silence_is_critical_from_the_second_night(night: Night, last: int, severity: str) -> None:
    assert found(night(**SILENT, last_arrival=date(2022, 10, last))) == {"NO_DATA": severity}


def test_a_province_that_never_delivered_is_silent_since_its_window_opened(night: Night) -> None:
    first_day = night(**SILENT, last_arrival=None, night=OPENS, visited=0)
    assert (first_day.silent_nights, found(first_day)) == (1, {"NO_DATA": "PERHATIAN"})
    assert night(**SILENT, last_arrival=None).silent_nights == 12


def test_nothing_is_awaited_before_the_window_opens(night: Night) -> None:
    assert found(night(**SILENT, last_arrival=None, night=OPENS - timedelta(days=1), visited=0)) == {}


def test_an_empty_accepted_delivery_arrived_but_zero(night: Night) -> None:
    assert found(night(families=RowCounts(), deliveries={"accepted": 1})) == {"ZERO": "PERHATIAN"}
    assert found(night(families=RowCounts(), deliveries={"accepted": 1}, last_arrival=date(2022, 10, 24))) == {
        "ZERO": "KRITIS"
    }


def test_what_is_rejected_or_held_did_arrive(night: Night) -> None:
    rejected = night(deliveries={"rejected": 1}, families=RowCounts(received=700, rejected=700), rejected=(REJECTED,))
    assert found(rejected) == {"REJECTED": "KRITIS"}
    assert found(night(deliveries={"rejected": 1}, families=RowCounts(), rejected=(REJECTED,))) == {
        "REJECTED": "KRITIS"
    }
    held = night(deliveries={"held": 1}, families=RowCounts(received=700, held=700), held=(HELD,))
    assert found(held) == {"HELD": "KRITIS"}


def test_a_held_delivery_is_critical_once_and_then_waits_for_us(night: Night) -> None:
    waiting = replace(HELD, night=night().night - timedelta(days=1))
    assert found(night(held=(waiting,))) == {"HELD": "PERHATIAN"}
    assert found(night(held=(waiting, HELD))) == {"HELD": "KRITIS"}
    assert gone(night(), ("HELD", waiting.night)) == ["HELD"]


@pytest.mark.parametrize(
    ("n", "expected"),
    [(50, {}), (51, {"QUALITY": "PERHATIAN"}), (150, {"QUALITY": "PERHATIAN"}), (151, {"QUALITY": "KRITIS"})],
)
def test_quality_is_a_share_of_the_families_judged(night: Night, n: int, expected: dict[str, str]) -> None:
    assert found(night(**quarantined(n))) == expected
    with_rejected = RowCounts(received=2000, loaded=1000 - n, quarantined=n, held=400, rejected=600)
    assert found(night(**quarantined(n) | {"families": with_rejected})) == expected


def test_a_handful_of_families_has_no_share(night: Night) -> None:
    assert found(night(**quarantined(19, judged=19))) == {}
    assert found(night(**quarantined(9, judged=20))) == {"QUALITY": "PERHATIAN"}
    assert found(night(**quarantined(10, judged=20))) == {"QUALITY": "KRITIS"}


def test_of_few_families_in_quarantine_the_list_tells_enough(night: Night) -> None:
    assert found(night(**quarantined(4, judged=30))) == {}
    assert found(night(**quarantined(5, judged=30))) == {"QUALITY": "PERHATIAN"}


def test_behind_ends_on_the_night_that_the_page_calls_it_on_plan_again(night: Night) -> None:
    """It is not eased like other limits: the mail would say behind where the page does not."""
    for visited, stands in ((32_999, True), (33_000, False)):
        memory = told_before("64", night().night, [("BEHIND", night().night - timedelta(days=1))])
        told = memory.judge(night(visited=visited), Rules(LIMITS)).conditions
        assert [each.state is not State.RESOLVED for each in told] == [stands]


@pytest.mark.parametrize(
    ("visited", "expected"),
    [
        (33_000, {}),
        (32_999, {"BEHIND": "PERHATIAN"}),
        (18_000, {"BEHIND": "PERHATIAN"}),
        (17_999, {"BEHIND": "KRITIS"}),
    ],
)
def test_behind_is_more_than_15_points_below_plan(night: Night, visited: int, expected: dict[str, str]) -> None:
    assert found(night(visited=visited)) == expected


def test_behind_is_muted_on_the_first_three_days(night: Night) -> None:
    opened = FieldWindow("64", date(2022, 10, 1), CLOSES, plan=STEADY)
    for day, expected in ((3, {}), (4, {"BEHIND": "PERHATIAN"})):
        assert found(night(night=date(2022, 10, day), window=opened, visited=6_000)) == expected


def test_a_window_closed_and_complete_awaits_nothing(night: Night) -> None:
    closed = CLOSES + timedelta(days=1)
    assert found(night(**SILENT, night=closed, visited=100_000)) == {}
    assert found(night(**SILENT, night=closed, visited=84_999)) == {"NO_DATA": "PERHATIAN", "BEHIND": "KRITIS"}
    assert found(night(**SILENT, night=CLOSES, visited=100_000)) == {"NO_DATA": "KRITIS"}


@pytest.mark.parametrize(("visited", "sent"), [(33, True), (32, False)])
def test_no_good_news_where_the_page_calls_a_kabkota_behind_however_small_it_is(
    night: Night, visited: int, sent: bool
) -> None:
    """It is told of nothing, for its load is one officer's, and nobody congratulates its province."""
    figures = night(kabkota=(replace(KABKOTA, load=100, visited=visited),))
    judgement = told_before(figures.province, figures.night, ()).judge(figures, Rules(LIMITS))
    assert (judgement.conditions, judgement.telling.told, judgement.telling.send) == ((), (), sent)


def test_the_small_kabkota_that_are_not_told_are_counted_where_their_province_is(night: Night) -> None:
    small = replace(KABKOTA, load=100, visited=32)
    parts = (small, replace(small, code="6402"), replace(small, code="6409", visited=33))
    [behind] = detect(night(visited=30_000, kabkota=parts), LIMITS)
    assert (behind.kind, behind.figures["small_kabkota"], behind.figures["small_limit"]) == (Kind.BEHIND, 2, 200)


@pytest.mark.parametrize(("visited", "silent"), [(94_999, {"NO_DATA", "BEHIND"}), (95_000, set())])
def test_silence_after_closing_is_no_news_of_a_province_that_is_not_behind(
    night: Night, visited: int, silent: set[str]
) -> None:
    """The target is an estimate: nobody knows what the last of it is."""
    assert set(found(night(**SILENT, night=CLOSES + timedelta(days=1), visited=visited))) == silent
    assert "NO_DATA" in found(night(**SILENT, night=CLOSES, visited=visited))


def test_a_province_that_never_sent_anything_is_awaited_after_closing(night: Night) -> None:
    assert "NO_DATA" in found(night(**SILENT, night=CLOSES + timedelta(days=1), visited=0))


def test_a_window_that_is_extended_takes_nothing_from_what_is_expected(night: Night) -> None:
    """The plan stretches over the longer window: yesterday is looked at as it is known today."""
    decided = date(2022, 11, 12)
    shape = plan_shapes()["s-curve"]
    window = FieldWindow("64", OPENS, CLOSES, CLOSES + timedelta(days=7), decided, plan=shape)
    [zero] = detect(night(night=decided, window=window, families=RowCounts(), deliveries={"accepted": 1}), LIMITS)[:1]
    assert zero.kind is Kind.ZERO
    assert zero.figures["expected"] > 0


def test_two_weeks_after_closing_silence_is_no_news(night: Night) -> None:
    for days, expected in ((14, {"NO_DATA", "BEHIND"}), (15, set())):
        assert set(found(night(**SILENT, night=CLOSES + timedelta(days=days), visited=80_000))) == expected


@pytest.mark.parametrize(
    ("off", "judged", "expected"),
    [
        (0, 1000, {}),
        (4, 1000, {}),
        (5, 1000, {"CODE": "PERHATIAN"}),
        (499, 100_000, {}),
        (500, 100_000, {"CODE": "PERHATIAN"}),
        (49, 1000, {"CODE": "PERHATIAN"}),
        (50, 1000, {"CODE": "KRITIS"}),
        (2, 32, {}),
        (3, 32, {"CODE": "PERHATIAN"}),
        (9, 32, {"CODE": "PERHATIAN"}),
        (10, 32, {"CODE": "KRITIS"}),
    ],
)
def test_codes_off_the_frame_by_share_of_no_few_families(
    night: Night, off: int, judged: int, expected: dict[str, str]
) -> None:
    families = RowCounts(received=judged, loaded=judged)
    everything = found(night(families=families, visited=100_000, waiting=coded(off)))
    assert {kind: severity for kind, severity in everything.items() if kind == "CODE"} == expected


def test_the_most_severe_stands_first_and_what_recovered_last(night: Night) -> None:
    bad = quarantined(200)
    bad["waiting"] = replace(bad["waiting"], new_sls=6, code_since=date(2022, 10, 26), code_tonight=6)
    figures = night(visited=30_000, **bad, rejected=(REJECTED,))
    memory = told_before("64", figures.night, [("NO_DATA", date(2022, 10, 25))])
    told = memory.judge(figures, Rules(LIMITS)).telling.told
    assert [(each.condition.kind, each.condition.severity, each.why) for each in told] == [
        (Kind.REJECTED, Severity.CRITICAL, Why.NEW),
        (Kind.QUALITY, Severity.CRITICAL, Why.NEW),
        (Kind.BEHIND, Severity.ATTENTION, Why.NEW),
        (Kind.CODE, Severity.ATTENTION, Why.NEW),
        (Kind.NO_DATA, Severity.ATTENTION, Why.RECOVERED),
    ]
    assert sorted(told, key=urgency) == list(told)


def test_a_condition_gone_is_told_once(night: Night) -> None:
    memory = told_before("64", night().night, [("BEHIND", date(2022, 10, 20)), ("NO_DATA", date(2022, 10, 25))])
    told = memory.judge(night(), Rules(LIMITS)).telling.told
    assert {(each.condition.kind.value, each.why) for each in told} == {
        ("BEHIND", Why.RECOVERED),
        ("NO_DATA", Why.RECOVERED),
    }
    again = memory.judge(night(night=date(2022, 10, 27)), Rules(LIMITS)).telling
    assert (again.told, again.send) == ((), False)


@pytest.mark.parametrize("kind", ["REJECTED"])
def test_silence_makes_nothing_better(night: Night, kind: str) -> None:
    memory = told_before("64", night().night, [(kind, date(2022, 10, 25))])
    judgement = memory.judge(night(**SILENT), Rules(LIMITS))
    assert not [each for each in judgement.telling.told if each.why is Why.RECOVERED]
    assert {(each.kind.value, each.judged) for each in judgement.conditions} == {("NO_DATA", True), (kind, False)}


BAD = Waiting(60, date(2022, 10, 25), new_sls=60, code_since=date(2022, 10, 25))


@pytest.mark.parametrize("kind", ["QUALITY", "CODE"])
def test_families_told_of_stand_until_none_of_them_waits(night: Night, kind: str) -> None:
    """What arrives tonight is clean, or nothing does: those that wait are no fewer for it."""
    for later in (night(waiting=BAD), night(waiting=BAD, **SILENT), night(waiting=replace(BAD, families=1, new_sls=1))):
        memory = told_before("64", later.night, [(kind, date(2022, 10, 25))])
        judgement = memory.judge(later, Rules(LIMITS))
        [stands] = [each for each in judgement.conditions if each.kind is Kind(kind)]
        assert (stands.state, stands.within_limits, stands.since) == (State.OPEN, True, date(2022, 10, 25))
        assert stands.families == later.waiting.families
        assert Why.RECOVERED not in {each.why for each in judgement.telling.told}
    clean = told_before("64", night().night, [(kind, date(2022, 10, 25))]).judge(night(), Rules(LIMITS))
    assert [(each.condition.kind, each.why) for each in clean.telling.told] == [(Kind(kind), Why.RECOVERED)]


def test_what_waits_within_its_limits_is_told_again_once_a_week_and_never_goes_to_the_centre(night: Night) -> None:
    memory = told_before("64", night().night, [("QUALITY", date(2022, 10, 25))])
    nights = [
        night(night=date(2022, 10, 26) + timedelta(n), waiting=BAD, visited=99_000, kabkota=()) for n in range(15)
    ]
    assert [n for n, each in enumerate(nights) if memory.judge(each, Rules(LIMITS)).telling.send] == [6, 13]
    assert {each.state for stood in memory.conditions.values() for each in stood} == {State.OPEN}


def test_families_told_of_stand_though_the_nights_between_are_not_remembered(night: Night) -> None:
    memory = told_before("64", date(2022, 10, 16), [("QUALITY", date(2022, 10, 15))])
    judgement = memory.judge(night(waiting=BAD), Rules(LIMITS))
    assert [(each.kind, each.state) for each in judgement.conditions] == [(Kind.QUALITY, State.OPEN)]
    assert not judgement.telling.told or judgement.telling.told[0].why is not Why.RECOVERED


def test_many_families_that_wait_are_told_whatever_arrives(night: Night) -> None:
    """5 per cent of all visited, 0.5 with a code of no SLS; of a kab/kota 10 of these at least."""
    assert found(night(waiting=Waiting(2400, date(2022, 10, 20)))) == {}
    assert found(night(waiting=Waiting(2401, date(2022, 10, 20)))) == {"QUALITY": "PERHATIAN"}
    assert found(night(waiting=Waiting(7201, date(2022, 10, 20)))) == {"QUALITY": "KRITIS"}
    old = Waiting(240, date(2022, 10, 20), 0, 200, 40, date(2022, 10, 20))
    assert found(night(waiting=old)) == {"CODE": "PERHATIAN"}
    assert set(of_parts(night(kabkota=(replace(KABKOTA, waiting=old),)))) == {("CODE", "6403")}


def test_since_is_carried_from_night_to_night(night: Night) -> None:
    figures = night(visited=1_000)
    for before, since in (([("BEHIND", date(2022, 10, 20))], date(2022, 10, 20)), ([], date(2022, 10, 26))):
        [standing] = told_before("64", figures.night, before).judge(figures, Rules(LIMITS)).conditions
        assert standing.since == since


def test_silence_is_counted_by_the_warehouse_not_by_the_nights_that_were_judged(night: Night) -> None:
    [silence] = detect(night(**SILENT, last_arrival=date(2022, 10, 20)), LIMITS)
    assert (silence.since, silence.figures["silent_nights"]) == (date(2022, 10, 21), 6)


def test_the_most_frequent_rule_and_the_deliveries_are_the_news(night: Night) -> None:
    [quality] = detect(night(**quarantined(100), rules=(RuleViolations("P05", 80),)), LIMITS)
    [held] = detect(night(held=(HELD,)), LIMITS)
    assert (quality.news, held.news, held.families) == ("P05", HELD.delivery_id, 700)


def test_who_waits_for_a_code_alone_is_not_to_be_asked_again(night: Night) -> None:
    """Nine wait, six of them for their code and nothing else: they are told once, under CODE."""
    since = date(2022, 10, 20)
    waits = Waiting(9, since, 9, 7, 0, since, 7, 6, 6, date(2022, 10, 22))
    few = RowCounts(received=100, loaded=91, quarantined=9)
    figures = night(families=few, visited=100, target=208, waiting=waits, rules=(RuleViolations("G03", 7),))
    assert {each.kind: each.families for each in detect(figures, LIMITS) if each.place.level == "provinsi"} == {
        Kind.CODE: 7
    }
    more = replace(figures, waiting=replace(waits, families=12, tonight=12))
    [quality] = [each for each in detect(more, LIMITS) if each.kind is Kind.QUALITY]
    assert (quality.families, quality.news, quality.figures["waiting_nights"]) == (6, "", 5)


@given(
    visited=st.integers(0, 200_000),
    n=st.integers(0, 1000),
    off=st.integers(0, 1000),
    day=st.integers(-3, 60),
    before=st.sets(st.sampled_from([kind.value for kind in Kind if kind is not Kind.PIPELINE_FAULT])),
)
def test_every_kind_is_open_or_gone_never_both(visited: int, n: int, off: int, day: int, before: set[str]) -> None:
    figures = ProvinceFigures(
        province="64",
        night=OPENS + timedelta(days=day),
        window=FieldWindow("64", OPENS, CLOSES),
        target=100_000,
        target_source="published",
        scale=1.0,
        visited=visited,
        deliveries={"accepted": 1},
        families=RowCounts(received=1000, loaded=1000 - n, quarantined=n),
        waiting=Waiting(max(n, off), OPENS, n, off, 0, OPENS, off),
        heads_not_met=(),
    )
    memory = told_before("64", figures.night, [(kind, OPENS) for kind in before])
    conditions: tuple[Condition, ...] = memory.judge(figures, Rules(LIMITS)).conditions
    opened = {each.kind.value for each in conditions if each.state is not State.RESOLVED}
    resolved = {each.kind.value for each in conditions if each.state is State.RESOLVED}
    assert not opened & resolved
    # Arrears that nobody asks about any more are forgotten, for they did not end.
    forgotten = set() if awaited(figures, LIMITS) else {Kind.BEHIND.value}
    assert resolved <= before and before - forgotten <= opened | resolved


KABKOTA = KabkotaFigures("6403", "Kabupaten Berau", 60_000, 28_800, 600)


def of_parts(figures: ProvinceFigures) -> dict[tuple[str, str], Condition]:
    conditions = detect(figures, LIMITS)
    return {(each.kind.value, each.place.code): each for each in conditions if each.place.level != "provinsi"}


@pytest.mark.parametrize(("last", "late", "silent"), [(24, 0, False), (23, 0, True), (23, 2, False), (21, 2, True)])
def test_a_kabkota_is_silent_after_three_nights_and_its_usual_delay(
    night: Night, last: int, late: float, silent: bool
) -> None:
    away = replace(KABKOTA, received=0, last_arrival=date(2022, 10, last), days_late=late)
    found = of_parts(night(kabkota=(away,)))
    assert (("NO_DATA", "6403") in found) is silent
    if silent:
        assert found["NO_DATA", "6403"].since == date(2022, 10, last + 1)
    assert not of_parts(night(kabkota=(replace(away, visited=60_000),))), "it is done"


@pytest.mark.parametrize(
    ("visited", "late", "severity"),
    [(19_800, 0, None), (19_799, 0, "PERHATIAN"), (19_799, 3, "PERHATIAN"), (10_799, 0, "KRITIS")],
)
def test_a_kabkota_is_behind_as_the_page_says_whatever_its_delay(
    night: Night, visited: int, late: float, severity: str | None
) -> None:
    found = of_parts(night(kabkota=(replace(KABKOTA, visited=visited, days_late=late),)))
    assert (found["BEHIND", "6403"].severity.value if found else None) == severity


def test_a_kabkota_follows_its_own_curve(night: Night) -> None:
    slow = PlanCurve((0.0, 30.0), (0.0, 1.0), "kurva")  # 40 % by day 12, not 48
    own = replace(KABKOTA, visited=18_000)
    assert ("BEHIND", "6403") in of_parts(night(kabkota=(own,)))
    assert not of_parts(night(kabkota=(replace(own, curve=slow),)))


def test_the_margin_narrows_when_the_window_closes(night: Night) -> None:
    visited = {"visited": 88_000, "kabkota": ()}
    assert found(night(night=CLOSES - timedelta(days=5), **visited)) == {}
    assert found(night(night=CLOSES - timedelta(days=4), **visited)) == {"BEHIND": "PERHATIAN"}


def test_an_officer_is_named_where_he_makes_most_of_a_bad_kabkota(night: Night) -> None:
    bad = replace(KABKOTA, received=600, waiting=Waiting(60, date(2022, 10, 26), 60))
    one, other = OfficerFigures("0012", "6403", 31), OfficerFigures("0013", "6403", 29)
    found = of_parts(night(kabkota=(bad,), officers=(one, other)))
    assert set(found) == {("QUALITY", "6403"), ("QUALITY", "0012")}
    assert (found["QUALITY", "0012"].families, found["QUALITY", "0012"].place.kabkota) == (31, "6403")
    good = replace(bad, waiting=Waiting(30, date(2022, 10, 26), 30))
    assert not of_parts(night(kabkota=(good,), officers=(one,))), "the kab/kota is within its limit"


def test_the_desa_of_families_without_a_sub_sls_are_details_of_a_kabkota_that_has_many(night: Night) -> None:
    many = replace(KABKOTA, received=600, waiting=coded(12))
    desa = CodeDesa("6403010001", "6403", 9)
    found = of_parts(night(kabkota=(many,), code_desa=(desa,)))
    assert set(found) == {("CODE", "6403"), ("CODE", "6403010001")}
    assert (found["CODE", "6403010001"].place, found["CODE", "6403010001"].families) == (
        Place("desa", "6403010001", "", "6403"), 9,
    )  # fmt: skip
    assert not of_parts(night(kabkota=(replace(many, waiting=coded(9)),), code_desa=(desa,)))


def test_heads_not_met_are_listed_by_kabkota_and_sub_sls_as_far_as_rows_go(night: Night) -> None:
    heads = tuple(HeadNotMet(f"640301000100{n:04d}", "RT", "6403", n, date(2022, 10, 20)) for n in range(150))
    found = of_parts(night(heads_not_met=heads))
    assert found["APPOINTMENT", "6403"].figures == {"sls": 150}
    assert found["APPOINTMENT", "6403"].families == sum(range(150))
    assert len(found) == 1 + LIMITS.rows.subsls
    assert ("APPOINTMENT", heads[-1].code) in found, "the largest are kept"


def test_many_silent_sub_sls_are_zero(night: Night) -> None:
    for silent, severity in ((19, None), (20, "PERHATIAN"), (50, "KRITIS")):
        part = replace(KABKOTA, active=100, silent=silent)
        assert found(night(kabkota=(part,))).get("ZERO") == severity


def test_a_known_event_explains_what_it_names_where_it_is_and_as_long_as_it_lasts(night: Night) -> None:
    flood = KnownEvent(
        "banjir-1", "6403", frozenset({"BEHIND"}), date(2022, 10, 20), date(2022, 10, 26), "banjir", "BPS"
    )
    figures = night(visited=10_000, kabkota=(replace(KABKOTA, visited=600, waiting=Waiting(100, tonight=100)),))
    explained = {each.key[:3]: each.event for each in detect(figures, LIMITS, [flood]) if each.event}
    assert explained == {(Kind.BEHIND, "kabkota", "6403"): "banjir-1"}
    whole = detect(figures, LIMITS, [replace(flood, region="64")])
    assert {(each.place.level, each.severity.value) for each in whole if each.event} == {
        ("provinsi", "PERHATIAN"),
        ("kabkota", "PERHATIAN"),
    }
    over = replace(flood, closes=date(2022, 10, 25))
    assert not [each for each in detect(figures, LIMITS, [over]) if each.event]
    assert {kind.value for kind in EXPLAINED} == {"NO_DATA", "ZERO", "BEHIND", "APPOINTMENT"}


def test_so_many_silent_at_once_are_not_to_blame(night: Night) -> None:
    silent, busy = night(**SILENT), night()

    def suspected(away: int, at_work: int) -> list[str]:
        figures = [silent] * away + [busy] * at_work
        return common_silence(silent.night, {f"{n}": each for n, each in enumerate(figures)}, LIMITS)

    assert suspected(6, 4) == ["0", "1", "2", "3", "4", "5"]
    assert not suspected(6, 5)
    assert not suspected(4, 0)
    never = night(**SILENT, last_arrival=None)
    assert not common_silence(silent.night, {f"{n}": never for n in range(9)}, LIMITS), "nobody began yet"
