"""Between the figures and the files: steps of many families, sums of what is told, and no byte that tells of few."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsosek.geography.regions import NATION
from regsosek.release.build import build
from regsosek.release.figures.disclosure import CASE_CAUSES, RESULTS, as_told, merged, moves, policy
from regsosek.release.figures.figures import Figures
from regsosek.release.figures.previously_published import PreviouslyPublished
from regsosek.release.figures.protection import protected
from regsosek.release.files.tables import table_files
from support.checks.matrix import FULL, examples
from support.figures import made_up
from support.figures.small_country import told_by

LEAST = 10
CHAIN = (NATION, "11", "1101", "1101010", "1101010001")
ENDED = ("complete", "incomplete", "no_respondent", "refused", "moved", "quarantined")


def change(**counts: int) -> pd.DataFrame:
    return pd.DataFrame([counts], columns=list(RESULTS)).fillna(0).astype("int64")


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"complete": 9}, False),
        ({"complete": 10}, True),
        ({"complete": 9, "refused": 1}, True),
        ({"complete": 8, "refused": 2}, False),  # of one that refused among nine the reader would know
        ({"refused": 40}, False),
        ({"refused": 40, "quarantined": 9}, True),
        ({"quarantined": 12}, True),
        ({"complete": 500, "refused": -1}, False),  # who was taken back had refused
        ({"complete": 500, "no_respondent": -30, "refused": -1}, True),  # most were met on another day
        ({"complete": 3, "quarantined": -3}, False),
        ({"complete": 30, "quarantined": -3}, True),  # a correction, which tells of no place
        ({"complete": -10}, True),
        ({"refused": -10}, False),
        ({"persons": 30, "pending": 30, "conflicting": 30}, False),
        ({}, False),
    ],
    ids=str,
)
def test_a_step_is_of_many_families_of_which_enough_are_otherwise(counts: dict[str, int], told: bool) -> None:
    assert moves(change(**counts), LEAST).tolist() == [told]


seeds = st.integers(0, 2**32 - 1)
a_few = settings(max_examples=examples(8), deadline=None)
KABKOTA, NIGHTS = 300, 10


@a_few
@given(seeds)
def test_whatever_comes_what_is_told_moves_in_steps_of_many(seed: int) -> None:
    """Of hundreds of kab/kota at once, quiet ones and busy ones, with corrections and families taken back."""
    draws = np.random.default_rng(seed)
    pace = draws.integers(1, 12, (KABKOTA, 1))
    now = pd.DataFrame(0, range(KABKOTA), list(RESULTS))
    told = now.astype("Int64").mask(now == 0)
    for _ in range(NIGHTS):
        now = now + draws.integers(-pace, 2 * pace, (KABKOTA, len(RESULTS)))
        shown = as_told(told, now, moves(now - told.fillna(0).astype("int64"), LEAST))
        step = (shown.fillna(0) - told.fillna(0))[list(ENDED)].abs().sum(axis=1)
        assert ((step == 0) | (step >= LEAST)).all()
        stands, moved = ((shown.fillna(-1) == each.fillna(-1)).all(axis=1) for each in (told, now))
        assert (stands | moved).all(), "a kab/kota is told whole or not at all"
        told = shown


@a_few
@given(seeds)
def test_merged_causes_add_up_and_leave_none_of_few_families(seed: int) -> None:
    draws = np.random.default_rng(seed)
    sizes = draws.choice([0, 3, 40], (KABKOTA, len(CASE_CAUSES)))
    causes = pd.DataFrame(draws.integers(-sizes, sizes + 1), columns=list(CASE_CAUSES))
    shown = merged(causes, LEAST)
    told, hidden = shown[list(CASE_CAUSES)], shown[list(CASE_CAUSES)].isna()
    assert (shown.fillna(0).sum(axis=1) == causes.sum(axis=1)).all()
    assert (told.fillna(causes) == causes).all(axis=None)
    few = (causes != 0) & (causes.abs() < LEAST)
    assert (hidden.any(axis=1) == few.any(axis=1)).all()
    rows = hidden.any(axis=1)
    assert (told[rows].isna() | (told[rows].abs() >= LEAST)).all(axis=None), "no zero: it would leave fewer others"
    many = causes.abs().where(hidden, 0).sum(axis=1) >= LEAST
    assert (many | told.isna().all(axis=1))[rows].all(), "what is merged is of many, or all there is"


@pytest.fixture(scope="module")
def former() -> Figures:
    """The night before, of which everything was told."""
    return made_up.figures(night=made_up.FORMER)


@pytest.fixture(scope="module")
def told(former: Figures) -> PreviouslyPublished:
    return told_by(table_files(former))


@pytest.fixture(scope="module")
def grown() -> Figures:
    """A night on which every kab/kota grew by many families."""
    return made_up.figures(night=made_up.NIGHT)


def with_three_families(result: str, base: Figures, told: PreviouslyPublished, former: Figures) -> Figures:
    """A night on which three families of one desa ended so, and nothing else happened."""
    tree = made_up.completion(night=made_up.FORMER)
    moved = tree["code"].isin(CHAIN)
    persons = 11 if result == "complete" else 0
    for name, more in {"visited": 3, result: 3, "persons": persons}.items():
        tree[name] = tree[name] + more * moved
    shown = made_up.region_rows(tree, made_up.NIGHT)
    changes = made_up.changes(shown, former.completion)
    arrived = base.arrivals.assign(persons_received=base.arrivals["persons_received"] + persons)
    complete = int(result == "complete")
    return replace(
        base,
        completion=shown,
        daily=made_up.daily(tree, made_up.NIGHT),
        changes=replace(changes, before=told.regions),
        arrivals=arrived.assign(rows_quarantined=arrived["rows_quarantined"] + 1 - complete),
        restated=base.restated.assign(complete_now=base.restated["complete_now"] + complete),
    )


@pytest.fixture(scope="module")
def worlds(grown: Figures, told: PreviouslyPublished, former: Figures) -> dict[str, Figures]:
    known = {result: with_three_families(result, grown, told, former) for result in ("complete", "refused")}
    return {
        **{f"{result}, known": figures for result, figures in known.items()},
        **{result: protected(figures, told, policy()) for result, figures in known.items()},
    }


@FULL
def test_how_a_few_families_ended_changes_no_byte_of_any_file(worlds: dict[str, Figures]) -> None:
    files = [build(worlds[result]) for result in ("complete", "refused")]
    assert [name for name in files[0] if files[0][name] != files[1][name]] == []
    assert "ditahan" in files[0]["kabkota.csv"].decode()
    assert "are of the night of 22" in files[0]["en/kabkota/1101.html"].decode()
    assert files[0].keys() == files[1].keys()


def test_where_nothing_is_protected_it_does(worlds: dict[str, Figures]) -> None:
    tables = [table_files(worlds[f"{result}, known"]) for result in ("complete", "refused")]
    told = {name for name in tables[0] if tables[0][name] != tables[1][name]}
    assert told >= {"kabkota.csv", "provinsi.csv", "nasional.csv", "harian.csv", "perubahan.csv", "kedatangan.csv"}


def test_held_results_name_their_night_and_the_nation_is_what_is_told(worlds: dict[str, Figures]) -> None:
    figures = worlds["refused"]
    held = figures.region("1101")
    assert (held["disclosure_status"], held["results_night"]) == ("ditahan", made_up.NIGHT - timedelta(days=1))
    regions = figures.completion
    provinces = regions[regions["level"] == "provinsi"]
    for name in RESULTS:
        assert figures.region(NATION)[name] == provinces[name].sum(), name
    assert (figures.disclosed.held, figures.disclosed.regions) == (1, 34)
    assert regions.loc[regions["level"].isin(["kecamatan", "desa"]), list(RESULTS)].isna().all(axis=None)


def test_many_families_are_told_but_of_a_night_before_the_newest(
    grown: Figures, told: PreviouslyPublished, former: Figures
) -> None:
    of_night = replace(grown, changes=replace(grown.changes, before=told.regions))
    shown, again = (protected(of_night, replace(told, final=final), policy()) for final in (False, True))
    for code in ("1101", "11"):
        assert (shown.region(code)[list(RESULTS)] == grown.region(code)[list(RESULTS)]).all(), code
        assert (again.region(code)[list(RESULTS)] == former.region(code)[list(RESULTS)]).all(), code


def test_what_a_release_before_the_policy_told_is_of_its_night(
    worlds: dict[str, Figures], told: PreviouslyPublished
) -> None:
    marks = ["results_night", "disclosure_status"]
    older = replace(told, regions=told.regions.drop(columns=marks), night=made_up.FORMER)
    held = protected(worlds["refused, known"], older, policy()).region("1101")
    assert (held["disclosure_status"], held["results_night"]) == ("ditahan", made_up.FORMER)
