"""What is counted of a family is data: a line, or a refusal that names the file."""

import pytest

from regsosek.errors import ConfigurationError
from regsosek.staging.case_facts import case_facts, read_facts
from regsosek.warehouse.tables import PROGRESS_MEASURES, kasus


def test_every_fact_has_its_column_and_is_counted() -> None:
    assert set(case_facts()) <= set(kasus.c.keys())
    assert PROGRESS_MEASURES[-len(case_facts()) :] == tuple(case_facts())


@pytest.mark.parametrize("line", ["persons,count(*)", "disabled,", "two words,count(*)"])
def test_a_line_that_is_no_fact_is_refused(line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"staging/case_facts\.csv: fact '"):
        read_facts(f"fact,of_members\npersons,count(*)\n{line}\n")
