"""The rank of a province by its gap to the plan, and how many places it moved since the release before."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.release.figures.changes import gaps_told
from regsosek.release.figures.figures import Figures
from regsosek.release.site.pages import site
from regsosek.release.site.ranks import ranks
from regsosek.release.site.sections import ranking
from support.checks.site_outline import Outline
from support.figures import made_up
from support.figures.site_parts import context, of_provinces, said

NATION_PAGES = {"index.html": "Peringkat", "en/index.html": "Rank"}
LOWER_PAGES = ("provinsi/11.html", "kabkota/1101.html")
# Bengkulu is judged for the first time, and nobody can judge Riau any more.
GAPS = {"11": 4.0, "12": 3.0, "13": 2.0, "14": None, "15": 2.0, "16": -1.004, "17": -1.001}
BEFORE = {"11": 1.0, "12": 2.0, "13": 3.0, "14": 4.0, "15": -5.0, "16": 3.0}
TOLD = {
    "Aceh": ("1 (naik 4)", "1 (up 4)"),
    "Sumatera Utara": ("2 (naik 2)", "2 (up 2)"),
    "Sumatera Barat": ("3 (turun 1)", "3 (down 1)"),
    "Riau": ("–", "–"),
    "Jambi": ("3 (naik 3)", "3 (up 3)"),
    "Sumatera Selatan": ("5 (turun 3)", "5 (down 3)"),
    "Bengkulu": ("5", "5"),
    "Indonesia": ("–", "–"),
}


@pytest.fixture(scope="module")
def figures() -> Figures:
    own = made_up.figures()
    gap = own.completion["gap_points"].mask(own.completion["level"] == "provinsi")
    gap = own.completion["code"].map(GAPS).astype("Float64").fillna(gap)
    told = replace(own, completion=own.completion.assign(gap_points=gap))
    return of_provinces(replace(told, changes=replace(own.changes, gaps_before=BEFORE)), GAPS)


@pytest.fixture(scope="module")
def pages(figures: Figures) -> dict[str, Outline]:
    written = site(figures)
    return {name: Outline(written[name].decode()) for name in (*NATION_PAGES, *LOWER_PAGES)}


def test_the_nation_ranks_its_provinces_and_tells_how_they_moved(pages: dict[str, Outline]) -> None:
    for place, (name, head) in enumerate(NATION_PAGES.items()):
        [heads, *rows] = pages[name].tables["t-urutan"]
        told = {row[0]: row[heads.index(head)] for row in rows}
        assert {each: told[each] for each in TOLD} == {each: words[place] for each, words in TOLD.items()}


def test_the_caption_says_among_how_many_then_and_now(pages: dict[str, Outline]) -> None:
    told = said(pages["index.html"])
    assert "tertinggi dari 6 provinsi yang dapat dinilai" in told
    assert "sejak rilis malam tanggal 22 Oktober 2022, yang menilai 6 provinsi." in told


def test_only_provinces_are_ranked(pages: dict[str, Outline]) -> None:
    for name in LOWER_PAGES:
        assert "Peringkat" not in pages[name].tables["t-urutan"][0], name


def test_the_first_release_tells_ranks_and_no_change(figures: Figures) -> None:
    first = replace(figures.changes, former_id=None, former_night=None, gaps_before={})
    at = context(replace(figures, changes=first))
    table = ranking(at, at.atlas.region("00"))
    assert {line.cells[0].text for line in table.lines} == {"1", "2", "3", "5", "–"}
    assert "change of rank since" not in table.caption


def test_the_former_gaps_are_those_that_were_published() -> None:
    published = pd.DataFrame({"gap_points": [1.5, 2.25, float("nan"), 9.0]}, index=["00", "11", "94", "1101"])
    assert gaps_told(published) == {"11": 2.25}
    assert gaps_told(published[[]]) == {}, "an older release told no gap"


@given(st.dictionaries(st.sampled_from([str(n) for n in range(11, 45)]), st.none() | st.floats(-100, 100)))
def test_a_rank_is_one_more_than_the_number_of_those_ahead(gaps: dict[str, float | None]) -> None:
    found = ranks(gaps)
    assert set(found) == {code for code, gap in gaps.items() if gap is not None}
    told = {code: round(gap, 2) for code, gap in gaps.items() if gap is not None}
    for code, rank in found.items():
        assert rank == 1 + len([other for other in told.values() if other > told[code]])
