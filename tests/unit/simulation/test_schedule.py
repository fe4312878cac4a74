"""The campaign is as far on each day as the operation of 2022 was, where that was published; provinces differ."""

import numpy as np
import pytest

from regsosek.geography.plan import shape_named
from regsosek.geography.provinces import provinces
from regsosek.simulation.field.campaign import Campaign, default_behaviour
from regsosek.simulation.field.frame import province_frame
from regsosek.simulation.field.schedule import schedule
from regsosek.simulation.field.timeline import messages

# Percent by day, as the offices or newspapers told it.
PUBLISHED = {
    "3512": (7, 24), "3671": (7, 25), "71": (9, 35), "3576": (11, 25), "1901": (12, 40), "33": (18, 57),
    "3313": (19, 54), "94": (25, 40), "64": (32, 90),
}  # fmt: skip
TARGETS = {each.code: each.target for each in provinces()}


def percent(campaign: Campaign, code: str, day: int) -> float:
    days = schedule(campaign, code[:2], code if len(code) > 2 else None)
    return 100 * float(days[min(day, len(days)) - 1])


def nation(campaign: Campaign, day: int) -> float:
    return sum(percent(campaign, code, day) * target for code, target in TARGETS.items()) / sum(TARGETS.values())


@pytest.mark.parametrize(("code", "day", "published"), [(code, *point) for code, point in PUBLISHED.items()])
def test_a_region_stands_where_it_was_published_to_stand(code: str, day: int, published: int) -> None:
    assert percent(Campaign(), code, day) == pytest.approx(published, abs=1.5)


def test_the_nation_stands_near_30_percent_on_day_15_and_ends_over_95() -> None:
    assert nation(Campaign(), 15) == pytest.approx(30, abs=2)
    assert nation(Campaign(), 31) > 95
    assert percent(Campaign(), "53", 32) > 99
    assert nation(Campaign(), 7) < 10
    assert nation(Campaign(), 22) - nation(Campaign(), 15) > 25


@pytest.mark.parametrize("day", [14, 15, 16])
def test_on_the_demos_nights_most_provinces_are_near_the_plan_and_some_behind(day: int) -> None:
    plan = shape_named("s-curve")
    assert 100 * plan.over(31).share(day) == pytest.approx(nation(Campaign(), day), abs=4)
    lengths = {code: len(schedule(Campaign(), code)) for code in TARGETS}
    gaps = np.array([percent(Campaign(), code, day) - 100 * plan.over(lengths[code]).share(day) for code in TARGETS])
    assert (abs(gaps) < 10).sum() > len(TARGETS) / 2
    assert 3 <= (gaps < -10).sum() <= 6
    assert 3 <= (gaps > 10).sum() <= 8


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_are_other_campaigns_of_the_same_kind(seed: int) -> None:
    assert nation(Campaign(seed=seed), 15) == pytest.approx(32, abs=8)
    on_day_15 = np.array([percent(Campaign(seed=seed), code, 15) for code in TARGETS])
    assert np.quantile(on_day_15, 0.9) - np.quantile(on_day_15, 0.1) > 10


@pytest.mark.parametrize("province", TARGETS)
def test_work_goes_on_every_day_and_ends_as_it_was_drawn(province: str) -> None:
    days = schedule(Campaign(), province)
    assert (np.diff(days, prepend=0) > 0).all()
    low, high = default_behaviour().enumeration.reached
    assert province in default_behaviour().enumeration.curve or low <= days[-1] <= high


def test_kabkota_are_ahead_and_behind_of_their_province() -> None:
    codes = np.unique(province_frame(Campaign(), "35").subsls.kabkota).tolist()
    on_day_15 = np.array([percent(Campaign(), str(code), 15) for code in codes])
    own = percent(Campaign(), "35", 15)
    assert on_day_15.min() < own - 3 < own + 3 < on_day_15.max()
    assert np.median(on_day_15) == pytest.approx(own, abs=3)


def test_families_are_visited_by_the_schedule() -> None:
    campaign = Campaign(scale=0.005)
    frame = province_frame(campaign, "33")
    sent = list(messages(campaign, frame, after=0, until=45, defect_share=0))
    visited = sum(int((piece.enumerated <= 18).sum()) for piece in sent)
    assert 100 * visited / frame.target == pytest.approx(57, abs=2.5)
