"""Each kind of condition on both sides of its threshold, when it is muted, and when it is gone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.conditions import KINDS, Condition, Standing, decide, recovered_kinds
from regsosek.alerts.province_figures import ProvinceFigures, RejectedDelivery, RowCounts, RuleViolations
from regsosek.alerts.thresholds import thresholds
from regsosek.geography.calendar import FieldWindow
from regsosek.warehouse.holding import HeldDelivery

Night = Callable[..., ProvinceFigures]
LIMITS = thresholds()
SILENT: dict[str, Any] = {"deliveries": {}, "families": RowCounts(), "persons": RowCounts()}
OPENS, CLOSES = date(2022, 10, 15), date(2022, 11, 14)
HELD = HeldDelivery("64", "01GFXKQ2Z8V3M5N7P9R1T3W5Z9", date(2022, 10, 26), date(2022, 10, 26), 700, 2100, ())
REJECTED = RejectedDelivery("01GFXKQ2Z8V3M5N7P9R1T3W5Y7", date(2022, 10, 26), "file_missing", 700)


def found(figures: ProvinceFigures, before: tuple[Standing, ...] = ()) -> dict[str, str]:
    return {each.kind: each.severity for each in decide(figures, LIMITS, before)}


def quarantined(n: int, judged: int = 1000) -> RowCounts:
    return RowCounts(received=judged, loaded=judged - n, quarantined=n)


def test_a_healthy_night_has_no_condition(night: Night) -> None:
    assert decide(night(), LIMITS) == ()


@pytest.mark.parametrize(("last", "severity"), [(25, "PERHATIAN"), (24, "KRITIS")])
def test_silence_is_critical_from_the_second_night(night: Night, last: int, severity: str) -> None:
    assert found(night(**SILENT, last_arrival=date(2022, 10, last))) == {"NO_DATA": severity}


def test_a_province_that_never_delivered_is_silent_since_its_window_opened(night: Night) -> None:
    first_day = night(**SILENT, last_arrival=None, night=OPENS, visited=0)
    assert (first_day.silent_nights, found(first_day)) == (1, {"NO_DATA": "PERHATIAN"})
    assert night(**SILENT, last_arrival=None).silent_nights == 12


def test_nothing_is_awaited_before_the_window_opens(night: Night) -> None:
    assert found(night(**SILENT, last_arrival=None, night=OPENS - timedelta(days=1), visited=0)) == {}


def test_an_empty_accepted_delivery_is_no_data(night: Night) -> None:
    assert "NO_DATA" in found(night(families=RowCounts(), deliveries={"accepted": 1}))


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
    [gone] = decide(night(), LIMITS, [Standing("HELD", waiting.night)])
    assert recovered_kinds(gone) == ("HELD",)


@pytest.mark.parametrize(
    ("n", "expected"),
    [(50, {}), (51, {"QUALITY": "PERHATIAN"}), (150, {"QUALITY": "PERHATIAN"}), (151, {"QUALITY": "KRITIS"})],
)
def test_quality_is_a_share_of_the_families_judged(night: Night, n: int, expected: dict[str, str]) -> None:
    assert found(night(families=quarantined(n))) == expected
    with_rejected = RowCounts(received=2000, loaded=1000 - n, quarantined=n, held=400, rejected=600)
    assert found(night(families=with_rejected)) == expected


def test_a_handful_of_families_has_no_share(night: Night) -> None:
    assert found(night(families=quarantined(19, judged=19))) == {}
    assert found(night(families=quarantined(20, judged=20))) == {"QUALITY": "KRITIS"}


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
    opened = FieldWindow("64", date(2022, 10, 1), CLOSES)  # plan of 4 % a day reaches the margin on day 4
    for day, expected in ((3, {}), (4, {"BEHIND": "PERHATIAN"})):
        assert found(night(night=date(2022, 10, day), window=opened, visited=0)) == expected


def test_a_window_closed_and_complete_awaits_nothing(night: Night) -> None:
    closed = CLOSES + timedelta(days=1)
    assert found(night(**SILENT, night=closed, visited=100_000)) == {}
    assert found(night(**SILENT, night=closed, visited=84_999)) == {"NO_DATA": "PERHATIAN", "BEHIND": "PERHATIAN"}
    assert found(night(**SILENT, night=CLOSES, visited=100_000)) == {"NO_DATA": "KRITIS"}


def test_two_weeks_after_closing_silence_is_no_news(night: Night) -> None:
    for days, expected in ((14, {"NO_DATA", "BEHIND"}), (15, set())):
        assert set(found(night(**SILENT, night=CLOSES + timedelta(days=days), visited=80_000))) == expected


@pytest.mark.parametrize(
    ("off", "judged", "expected"),
    [
        (0, 1000, {}),
        (4, 1000, {}),
        (5, 1000, {"CODE": "PERHATIAN"}),
        (9, 100_000, {}),
        (10, 100_000, {"CODE": "PERHATIAN"}),
        (49, 1000, {"CODE": "PERHATIAN"}),
        (50, 1000, {"CODE": "KRITIS"}),
    ],
)
def test_codes_off_the_frame_by_share_or_number(night: Night, off: int, judged: int, expected: dict[str, str]) -> None:
    families = RowCounts(received=judged, loaded=judged)
    assert found(night(families=families, in_known_desa=off)) == expected
    assert found(night(families=families, above_desa=off)) == expected


def test_the_most_severe_stands_first(night: Night) -> None:
    everything = decide(
        night(visited=30_000, families=quarantined(200), in_known_desa=6, rejected=(REJECTED,)),
        LIMITS,
        (Standing("NO_DATA", date(2022, 10, 25)),),
    )
    assert [(each.kind, each.severity) for each in everything] == [
        ("REJECTED", "KRITIS"),
        ("QUALITY", "KRITIS"),
        ("BEHIND", "PERHATIAN"),
        ("CODE", "PERHATIAN"),
        ("RECOVERED", "PULIH"),
    ]


def test_a_condition_gone_is_told_once(night: Night) -> None:
    before = (Standing("BEHIND", date(2022, 10, 20)), Standing("NO_DATA", date(2022, 10, 25)))
    [gone] = decide(night(), LIMITS, before)
    assert (gone.kind, gone.severity, recovered_kinds(gone)) == ("RECOVERED", "PULIH", ("NO_DATA", "BEHIND"))
    assert decide(night(), LIMITS, ()) == ()


@pytest.mark.parametrize("kind", ["QUALITY", "CODE", "REJECTED"])
def test_silence_makes_nothing_better(night: Night, kind: Any) -> None:
    before = (Standing(kind, date(2022, 10, 25)),)
    assert set(found(night(**SILENT), before)) == {"NO_DATA"}


def test_since_is_carried_from_night_to_night(night: Night) -> None:
    figures = night(visited=0)
    [standing] = decide(figures, LIMITS, (Standing("BEHIND", date(2022, 10, 20)),))
    [new] = decide(figures, LIMITS, ())
    assert (standing.since, new.since) == (date(2022, 10, 20), date(2022, 10, 26))


def test_another_most_frequent_rule_is_news(night: Night) -> None:
    first, second = (
        decide(night(families=quarantined(100), rules=(RuleViolations(rule, 80),)), LIMITS) for rule in ("P05", "P01")
    )
    assert [each.news for each in (*first, *second)] == ["P05", "P01"]


@given(
    visited=st.integers(0, 200_000),
    n=st.integers(0, 1000),
    off=st.integers(0, 1000),
    day=st.integers(-3, 60),
    before=st.sets(st.sampled_from([kind for kind in KINDS if kind != "RECOVERED"])),
)
def test_every_kind_is_open_or_gone_never_both(visited: int, n: int, off: int, day: int, before: set[Any]) -> None:
    figures = ProvinceFigures(
        province="64",
        night=OPENS + timedelta(days=day),
        window=FieldWindow("64", OPENS, CLOSES),
        target=100_000,
        target_source="published",
        scale=1.0,
        visited=visited,
        deliveries={"accepted": 1},
        families=quarantined(n),
        in_known_desa=off,
    )
    conditions: tuple[Condition, ...] = decide(figures, LIMITS, [Standing(kind, OPENS) for kind in before])
    open_kinds = {each.kind for each in conditions} - {"RECOVERED"}
    gone = {kind for each in conditions if each.kind == "RECOVERED" for kind in recovered_kinds(each)}
    assert not open_kinds & gone
    assert gone <= before
    assert before <= open_kinds | gone
