"""Every published number comes down to deliveries or named files, by its definition alone."""

from dataclasses import replace

import pytest

from regsosek.errors import ConfigurationError
from regsosek.geography.frame import DATASETS
from regsosek.statistics.definitions import origins
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.definitions.origins import bases, made_of, sources

# What names a row or a picture, and is no number: nothing has to be traced.
NAMED = {"night", "day", "arrival_night", "campaign_night", "figure_day", "code_valid_from"}
NUMBERS = [each.field for each in definitions().values() if each.unit != "teks" and each.field not in NAMED]


@pytest.mark.parametrize("field", NUMBERS)
def test_every_number_comes_down_to_a_source(field: str) -> None:
    found = bases(field)
    assert found
    assert {base.source.source for base in found} <= set(sources())
    own = [name for name in made_of(definitions()[field]) if name.startswith("@")]
    assert own == [base.source.source for base in found if base.field == field]


def test_words_are_no_numbers() -> None:
    assert [each.field for each in definitions().values() if each.unit == "teks" and made_of(each)] == []


def test_a_share_rests_on_numerator_and_denominator() -> None:
    assert bases("complete_of_target") == (*bases("complete"), *bases("target_families"))


def test_a_forecast_rests_on_documents_plan_and_window() -> None:
    told = {(base.field, base.source.source) for base in bases("final_share")}
    assert {("visited", "@cases"), ("target_families", "@target"), ("frame_families", "@frame")} <= told
    assert ("final_visited", "@calendar") in told


def test_every_source_says_where_it_lies() -> None:
    assert [each.source for each in sources().values() if each.counted == bool(each.where)] == []
    assert {name for each in sources().values() for name in each.datasets} <= set(DATASETS)


@pytest.mark.parametrize(
    ("made", "told"), [("visited_of_frame", "is made of itself"), ("@nowhere", "@nowhere is no source of sources.csv")]
)
def test_what_leads_nowhere_is_refused(made: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = definitions() | {"visited": replace(definitions()["visited"], made_of=made)}
    monkeypatch.setattr(origins, "definitions", lambda: edited)
    with pytest.raises(ConfigurationError, match=told):
        bases("visited_of_frame")
