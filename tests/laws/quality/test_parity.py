"""Three counts of every rule agree: Great Expectations', the compiled SQL's, and a plain pandas reading of its text.

Parts are big and full of defects rather than many and small: one run of Great Expectations over all rules costs some
four CPU-seconds whatever the size of the part. ``docs/reliability.md`` states what was tried.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from great_expectations.expectations import UnexpectedRowsExpectation, core
from great_expectations.expectations.registry import get_expectation_impl
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from pandas_reading.readings import READINGS
from regsosek.contract.codebook import DATASETS
from regsosek.quality.engine import ExpectNoRowsWhere, Validator
from regsosek.quality.generated import generated_rules
from regsosek.quality.rules import EXPECT_NO_ROWS_WHERE, Suite, violation
from support.checks.matrix import FULL, examples
from support.checks.parity import Rows, Station, differences, open_station, read_in_pandas, with_rules
from support.checks.rule_mutants import mutants
from support.deliveries.defective_parts import Damage
from support.deliveries.families import VERSION

THOROUGH = (Damage(1, 1000, 0.2, 0.5), Damage(2, 1000, 0.08, 0.5))
# Of all slightly wrong rules: some differ from the right one by nothing that can be delivered.
NOTICED_MUTANTS = 0.99

# An example here is a whole part.
SQL_EXAMPLES = examples(6)
GX_EXAMPLES = examples(1)

damages = st.builds(
    Damage,
    seed=st.integers(0, 2**32 - 1),
    families=st.integers(1, 600),
    answers=st.integers(0, 50).map(lambda percent: percent / 100),
    structure=st.integers(0, 100).map(lambda percent: percent / 100),
)


@pytest.fixture(scope="module")
def suites(suites: dict[str, Suite]) -> dict[str, Suite]:
    """The rules of the version of the questionnaire that the parts are drawn in."""
    return {dataset: replace(suite, rules=suite.applying(VERSION)) for dataset, suite in suites.items()}


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with open_station(tmp_path_factory.mktemp("parity")) as station:
        yield station


@pytest.fixture(scope="module")
def validators(station: Station, suites: dict[str, Suite]) -> dict[str, Validator]:
    station.stage(Damage(0, 1, 0, 0))
    return {dataset: Validator(station.connection, dataset, suites[dataset].rules) for dataset in DATASETS}


@pytest.fixture(scope="module")
def thorough(station: Station, suites: dict[str, Suite]) -> dict[Damage, Rows]:
    """The rows that violate each rule of each thorough part, read in pandas."""
    return {damage: read_in_pandas(station.stage(damage), _ids(suites)) for damage in THOROUGH}


def _ids(suites: dict[str, Suite]) -> list[str]:
    return [rule.id for suite in suites.values() for rule in suite.rules]


def test_every_rule_has_a_reading_and_every_reading_a_rule(all_suites: dict[str, Suite]) -> None:
    of_every_version = {rule.id for dataset in DATASETS for rule in all_suites[dataset].rules}
    generated_later = {rule.id for dataset in DATASETS for rule in generated_rules(dataset) if not rule.judges(VERSION)}
    assert set(READINGS) | generated_later == of_every_version


@FULL
@pytest.mark.parametrize("damage", THOROUGH, ids=str)
def test_of_a_thorough_part_they_name_the_same_rows(station: Station, suites: dict[str, Suite], damage: Damage) -> None:
    same_rows(station, suites, damage)


@settings(max_examples=SQL_EXAMPLES, deadline=None)
@given(damage=damages)
def test_sql_and_pandas_name_the_same_rows(station: Station, suites: dict[str, Suite], damage: Damage) -> None:
    same_rows(station, suites, damage)


def same_rows(station: Station, suites: dict[str, Suite], damage: Damage) -> None:
    part = station.stage(damage)
    compiled = station.compiled(suites)
    assert differences(compiled, read_in_pandas(part, compiled)) == {}


@FULL
# No shrinking: what differs from pandas here and not above is Great Expectations' own, at seconds an example.
@example(THOROUGH[0])
@settings(max_examples=GX_EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(damage=damages)
def test_great_expectations_counts_what_pandas_reads(
    station: Station, suites: dict[str, Suite], validators: dict[str, Validator], damage: Damage
) -> None:
    read = read_in_pandas(station.stage(damage), _ids(suites))
    counts = {rule_id: n for validator in validators.values() for rule_id, n in validator.counts().items()}
    assert set(counts) == set(read)
    assert {i: f"Great Expectations {n}, pandas {len(read[i])}" for i, n in counts.items() if n != len(read[i])} == {}


@FULL
def test_no_rule_is_proved_on_nothing(station: Station, suites: dict[str, Suite], thorough: dict[Damage, Rows]) -> None:
    violated = {rule_id: sum(len(rows[rule_id]) for rows in thorough.values()) for rule_id in _ids(suites)}
    judged = dict.fromkeys(DATASETS, 0)
    for damage in THOROUGH:
        station.stage(damage)
        judged = {dataset: judged[dataset] + n for dataset, n in station.judged().items()}
    never = [rule_id for rule_id, n in violated.items() if n == 0]
    always = [rule.id for d, suite in suites.items() for rule in suite.rules if violated[rule.id] == judged[d]]
    assert (never, always) == ([], [])


@FULL
def test_a_rule_slightly_wrong_is_found_out(
    station: Station, suites: dict[str, Suite], thorough: dict[Damage, Rows]
) -> None:
    rules = [rule for suite in suites.values() for rule in suite.rules]
    wrong = with_rules(suites, [next(mutants(rule)) for rule in rules])
    found: set[str] = set()
    for damage, read in thorough.items():
        station.stage(damage)
        found |= differences(station.compiled(wrong), read).keys()
    assert [rule.id for rule in rules if rule.id not in found] == []


@FULL
def test_hardly_any_wrong_rule_escapes(station: Station, suites: dict[str, Suite]) -> None:
    pairs = {d: [(violation(r), violation(m)) for r in s.rules for m in mutants(r)] for d, s in suites.items()}
    noticed = {dataset: [False] * len(of_dataset) for dataset, of_dataset in pairs.items()}
    for damage in THOROUGH:
        station.stage(damage)
        for dataset, of_dataset in pairs.items():
            differ = ", ".join(
                f"bool_or(coalesce({right}, FALSE) <> coalesce({wrong}, FALSE))" for right, wrong in of_dataset
            )
            row = station.connection.execute(f"SELECT {differ} FROM {dataset}").fetchone()
            noticed[dataset] = [was or now for was, now in zip(noticed[dataset], row or (), strict=True)]
    all_noticed = [each for of_dataset in noticed.values() for each in of_dataset]
    assert sum(all_noticed) >= NOTICED_MUTANTS * len(all_noticed)


def test_a_difference_is_told_by_rule_and_row_numbers_alone() -> None:
    told = differences({"H01": frozenset({3}), "H02": frozenset({1})}, {"H01": frozenset(range(4, 20)), "H02": {1}})
    assert told == {"H01": "SQL alone: rows 3; pandas alone: rows 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 6 more"}


def test_every_rule_goes_through_great_expectations(suites: dict[str, Suite]) -> None:
    """What has no expectation of Great Expectations' own is its custom SQL expectation, never a query beside it."""
    for suite in suites.values():
        for rule in suite.rules:
            implementation = get_expectation_impl(rule.type)
            if rule.type == EXPECT_NO_ROWS_WHERE:
                assert implementation is ExpectNoRowsWhere
            else:
                assert implementation.__module__.startswith(core.__name__), rule.id
    assert issubclass(ExpectNoRowsWhere, UnexpectedRowsExpectation)
