"""The policy on drift is whole, says what the code can do, and every kind of repair that is counted is described."""

import re
from pathlib import Path
from typing import get_args

import pytest

from regsosek.contract.drift import Verdict, drift_policy, is_rejected
from regsosek.contract.repairs import repair_kinds

STAGING = Path(__file__).parents[3] / "include" / "regsosek" / "staging"


def test_every_kind_has_one_verdict_and_its_words() -> None:
    kinds = [drift.kind for drift in drift_policy()]
    assert len(kinds) == len(set(kinds))
    assert all(drift.verdict in get_args(Verdict) and drift.text.id and drift.text.en for drift in drift_policy())


# Nothing could stand in for what these take away.
@pytest.mark.parametrize("kind", ["column_missing", "column_twice", "retyped_inexactly"])
def test_what_nothing_could_replace_is_rejected(kind: str) -> None:
    assert is_rejected(kind)


def test_a_kind_that_the_policy_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError):
        is_rejected("columns_upside_down")


def test_every_kind_of_repair_that_is_made_is_described_and_no_other() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in STAGING.rglob("*.py"))
    named = set(re.findall(r'"([a-z_]+)"', source))
    assert set(repair_kinds()) <= named
    assert set(re.findall(r'Repair\([a-z_.]*dataset, "([a-z_]+)"', source)) <= set(repair_kinds())
    assert all(kind.unit in {"file", "column", "value"} for kind in repair_kinds().values())
    assert all(kind.text.id and kind.text.en for kind in repair_kinds().values())
