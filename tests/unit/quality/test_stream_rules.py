"""Rules of the streams: cases written by hand, of all four kinds for every rule."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from pandas_reading.streams import STREAM_READINGS
from regsosek.contract.codebook import STREAMS
from regsosek.quality.rules import Suite
from support.checks.matrix import sampled
from support.checks.parity import Station, open_station
from support.checks.rule_cases import RuleCase, written_cases
from support.deliveries.drawn_messages import compiled, staged
from support.deliveries.families import Row
from support.deliveries.stream_messages import CLEAN

KINDS = {"positive", "negative", "boundary", "missing"}
CASES = written_cases(Path(__file__).parent / "scenarios", STREAMS)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with open_station(tmp_path_factory.mktemp("streams")) as station:
        yield station


def case_rows(case: RuleCase) -> list[Row]:
    """The messages of a case: one, and a second where a step begins with ``again``."""
    first, second = CLEAN[case.dataset](), None
    for step in filter(None, map(str.strip, case.change.split(";"))):
        place, _, value = step.partition("=")
        row, column = first, place
        if place.startswith("again"):
            row = second = dict(first) if second is None else second
            column = place.removeprefix("again").removeprefix(".")
        assert not column or column in row, f"no column {column}"
        row.update({column: value} if column else {})
    return [first] if second is None else [first, second]


@pytest.mark.parametrize("case", sampled({f"{c.rule_id}-{c.case}-{n}": c for n, c in enumerate(CASES)}, 10))
def test_written_case(case: RuleCase, station: Station, all_suites: dict[str, Suite]) -> None:
    staged(station, case.dataset, case_rows(case))
    [rule] = [each for each in all_suites[case.dataset].rules if each.id == case.rule_id]
    rows = compiled(station.connection, Suite(case.dataset, (rule,)))[case.rule_id]
    assert (1 in rows) == case.fires, f"{case.change}: {case.note}"


@pytest.mark.parametrize("dataset", STREAMS)
def test_every_rule_by_hand_has_all_four_kinds_of_cases(dataset: str, all_suites: dict[str, Suite]) -> None:
    kinds = defaultdict(set)
    for case in CASES:
        kinds[case.dataset, case.rule_id].add(case.case)
    by_hand = [rule.id for rule in all_suites[dataset].rules if rule.id[1].isdigit()]
    assert by_hand
    assert {rule_id: KINDS - kinds[dataset, rule_id] for rule_id in by_hand if kinds[dataset, rule_id] != KINDS} == {}
    assert {rule_id for of, rule_id in kinds if of == dataset} == set(by_hand)


@pytest.mark.parametrize("dataset", STREAMS)
def test_a_clean_message_breaks_no_rule(dataset: str, station: Station, all_suites: dict[str, Suite]) -> None:
    staged(station, dataset, [CLEAN[dataset]()])
    assert {i for i, rows in compiled(station.connection, all_suites[dataset]).items() if rows} == set()


@pytest.mark.parametrize("dataset", STREAMS)
def test_every_rule_has_a_reading_and_every_reading_a_rule(dataset: str, all_suites: dict[str, Suite]) -> None:
    assert set(STREAM_READINGS[dataset]) == {rule.id for rule in all_suites[dataset].rules}
