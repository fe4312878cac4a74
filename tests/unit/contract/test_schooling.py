"""The table of school levels covers the two code lists, and its ages rise with the level."""

from itertools import pairwise

import pytest

from regsosek.contract.codebook import CODEBOOK_FILES, code_list
from regsosek.contract.instruments import instrument_versions
from regsosek.contract.schooling import school_levels


def test_every_code_of_413_and_415_has_one_level() -> None:
    newest = instrument_versions()[-1]
    codes = [each.code for each in school_levels()]
    assert codes == [code.code for code in code_list("ijazah", newest)]
    assert [each.code for each in school_levels() if each.youngest_pupil] == [
        c.code for c in code_list("jenjang", newest)
    ]


def test_codes_of_one_level_have_one_pair_of_ages() -> None:
    ages = {(each.level, each.youngest_pupil, each.youngest_graduate) for each in school_levels()}
    assert sorted(level for level, *_ in ages) == list(range(8))


def test_ages_rise_with_the_level_and_nobody_graduates_before_entering() -> None:
    ladder = sorted({(each.level, each.youngest_pupil or 0, each.youngest_graduate) for each in school_levels()})
    for (_, pupil, graduate), (_, next_pupil, next_graduate) in pairwise(ladder):
        assert pupil <= next_pupil and graduate < next_graduate
    assert all(pupil < graduate for level, pupil, graduate in ladder if level)


@pytest.mark.parametrize("track", [(1, 2, 3, 4, 5), (6, 7, 8, 9, 10), range(11, 18)])
def test_kinds_of_school_that_run_side_by_side_share_a_level(track: range) -> None:
    assert len({each.level for each in school_levels() if each.code in track}) == 1


def test_the_table_is_archived_with_the_codebook_that_judged_a_night() -> None:
    assert "levels.csv" in CODEBOOK_FILES
