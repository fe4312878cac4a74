"""Record of processing and impact assessment: what they name is there."""

import pytest

from regsosek.privacy.records.categories import categories
from regsosek.privacy.records.records_page import ALL, OF_ROLES, activities, lines
from regsosek.settings import PARTS, PROJECT_ROOT
from regsosek.warehouse.access.rights import role_lines


def test_every_activity_names_categories_roles_and_classes_that_there_are() -> None:
    known, classes = {each.category for each in categories()}, {line["class"] for line in lines("retention.csv")}
    roles = {line["role"] for line in role_lines()} | set(PARTS)
    for each in activities():
        assert each["data"] in (ALL, OF_ROLES) or set(each["data"]) <= known, each["id"]
        assert set(each["recipients"]) <= roles, each["id"]
        assert set(each["retention"]) <= classes, each["id"]
    assert classes == {kept for each in activities() for kept in each["retention"]}, "each class is of an activity"
    assert {line["role"] for line in role_lines()} <= {role for each in activities() for role in each["recipients"]}


@pytest.mark.parametrize("table", ["records/triggers.csv", "records/risks.csv"])
def test_what_lessens_a_risk_is_a_measure_with_its_proof(table: str) -> None:
    measures = {line["id"]: PROJECT_ROOT / line["proof"] for line in lines("records/measures.csv")}
    assert not [path for path in measures.values() if not path.exists()]
    named = [line["measures"].split() for line in lines(table)]
    assert {each for listed in named for each in listed} <= set(measures)
    assert all(named) or table == "records/triggers.csv"


def test_five_of_seven_triggers_fit_and_each_says_what_lessens_it() -> None:
    fits = [line for line in lines("records/triggers.csv") if line["fits"] == "yes"]
    assert (len(fits), len(lines("records/triggers.csv"))) == (5, 7)
    assert all(line["measures"] for line in fits)
