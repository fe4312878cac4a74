"""Rules of the streams: three counts of every rule agree over messages full of defects, and wrong rules are noticed."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import STREAMS
from regsosek.contract.instruments import instrument_of
from regsosek.quality.rules import Suite
from regsosek.quality.verdict import Judge, error_shares
from support.checks.matrix import FULL, examples
from support.checks.parity import Station, differences, open_station
from support.checks.rule_mutants import mutants
from support.deliveries.drawn_messages import ROWS, compiled, draw, read, staged

# Of all slightly wrong rules: some differ from the right one by nothing that can be delivered.
NOTICED_MUTANTS = 0.95


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with open_station(tmp_path_factory.mktemp("streams")) as station:
        yield station


@pytest.mark.parametrize("dataset", STREAMS)
@example(seed=1)
@settings(max_examples=examples(5), deadline=None, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**32 - 1))
def test_sql_and_pandas_name_the_same_rows(
    dataset: str, station: Station, all_suites: dict[str, Suite], seed: int
) -> None:
    messages = staged(station, dataset, draw(dataset, seed))
    assert differences(compiled(station.connection, all_suites[dataset]), read(messages)) == {}


@FULL
@pytest.mark.parametrize("dataset", STREAMS)
def test_great_expectations_counts_what_pandas_reads(
    dataset: str, station: Station, all_suites: dict[str, Suite]
) -> None:
    messages = staged(station, dataset, draw(dataset, 2))
    counted = Judge(station.connection, all_suites, "1", instrument_of(dataset)).judge()
    rows = read(messages)
    assert {c.rule_id: c.violations for c in counted} == {rule_id: len(found) for rule_id, found in rows.items()}
    assert [i for i, found in rows.items() if not found] == []
    critical = {c.rule_id for c in counted if c.severity == "critical"}
    in_error = frozenset().union(*(found for rule_id, found in rows.items() if rule_id in critical))
    [share] = error_shares(station.connection, (dataset,))
    assert (share.dataset, share.judged, share.in_error) == (dataset, ROWS, len(in_error))


@FULL
@pytest.mark.parametrize("dataset", STREAMS)
def test_hardly_any_wrong_rule_escapes(dataset: str, station: Station, all_suites: dict[str, Suite]) -> None:
    messages = staged(station, dataset, draw(dataset, 3, rows=2000))
    right = read(messages)
    rules = {rule.id: rule for rule in all_suites[dataset].rules}
    # In one pass: hundreds of queries over as many rows would take half a minute.
    wrong = {f"{id_} {n}": replace(m, id=f"{id_} {n}") for id_ in rules for n, m in enumerate(mutants(rules[id_]))}
    found = compiled(station.connection, Suite(dataset, tuple(wrong.values())))
    escaped = [(id_, wrong[id_].kwargs) for id_, rows in found.items() if rows == right[id_.rpartition(" ")[0]]]
    assert len(escaped) <= (1 - NOTICED_MUTANTS) * len(wrong), escaped
