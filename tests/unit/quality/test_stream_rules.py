"""Rules of the streams: cases written by hand, and three counts of every rule over messages full of defects."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from delivered import DESA, SUBSLS, Row
from pandas_reading.streams import KEYS, STREAM_READINGS, Messages
from parity import Station, differences, open_station
from regsosek.contract.codebook import STREAMS, Variable, code_list, variables
from regsosek.contract.instruments import instrument_of
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Suite
from regsosek.quality.verdict import Judge, error_shares
from rule_cases import ALMOST, UNREADABLE, RuleCase, written_cases
from rule_mutants import mutants
from stream_messages import CLEAN, PRODUCED, stage_messages

KINDS = {"positive", "negative", "boundary", "missing"}
CASES = written_cases(Path(__file__).parent / "scenarios", STREAMS)
ROWS, HURT = 600, 0.15
# Of all slightly wrong rules: some differ from the right one by nothing that can be delivered.
NOTICED_MUTANTS = 0.95
# What matters besides the bounds of the codebook: places of tests/delivered.py, days and moments around every bound.
PLACES = (SUBSLS, *(DESA + code for code in ("000300", "000301", "000400", "000699", "000999")), "65", "64", "6503" * 4)
MOMENTS = (
    "2022-10-14T15:59:59Z", "2022-10-14T16:00:00Z", "2022-10-17T23:59:59+08:00", "2022-10-18T00:00:00+08:00",
    "2022-10-19T15:59:59Z", "2022-10-19T16:00:00Z", "2022-10-21T13:00:00Z", "2022-10-21T13:00:01Z",
    "2022-10-21T16:00:00Z", "2022-11-25T10:00:00+08:00",
)  # fmt: skip
MATTERING: dict[str, tuple[str, ...]] = {
    "id_subsls": PLACES,
    "id_subsls_baru": (*PLACES, "6403010002000100"),
    "tanggal": ("2022-10-14", "2022-10-15", "2022-10-17", "2022-10-18", "2022-10-21", "2022-10-22", "2022-11-25"),
    "kode_petugas": ("0000", "0001"),
    "jumlah_kk_verifikasi": ("250", "251"),
    "jumlah_kk_cacah": ("0", "1", "4", "5", "10", "13", "14", "40", "41"),
    "jumlah_art": ("0", "14", "15", "24", "25", "30", "31", "120"),
    "jumlah_asn": ("0", "12", "13", "14"),
    "lintang": ("-11.5", "-11.51", "6.5", "6.51", "116.8"),
    "bujur": ("94.5", "94.49", "141.5", "141.51", "-1.2"),
    "akurasi_m": ("50", "50.1", "20"),
    "jumlah_keluarga_verifikasi": ("0", "1", "58", "59", "60", "61"),
    "nonrespon": ("0", "1", "2", "60", "61"),
    "sangat_miskin": ("0", "4", "5", "6", "60", "61"),
    "miskin": ("8", "9", "10", "11", "60", "61"),
    "tidak_miskin": ("43", "44", "45", "46", "60", "61"),
    "nama_sls_baru": ("RT 07", "RT 07 0812.7770.0995", "R" * 100, "R" * 101),
} | dict.fromkeys(("dikirim_pada", "ditandai_pada", "dientri_pada"), MOMENTS)

# Values that matter together, each as good a beginning as the clean message.
TOGETHER: dict[str, tuple[Row, ...]] = {
    "progres": tuple(
        {"jumlah_kk_cacah": families, "jumlah_art": members}
        for families, members in (("10", "15"), ("10", "14"), ("5", "30"), ("5", "31"), ("4", "30"), ("6", "9"))
    ),
}


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with open_station(tmp_path_factory.mktemp("streams")) as station:
        yield station


def near(variable: Variable) -> list[str]:
    """Values at and beyond every bound of a variable, missing and unreadable ones."""
    values = ["", UNREADABLE, ALMOST.get(variable.kind, ""), *MATTERING.get(variable.name, ())]
    if variable.codes:
        codes = [code.code for code in code_list(variable.codes, "1")]
        values += [str(code) for code in (*codes, max(codes) + 1)]
    if variable.minimum is not None and variable.maximum is not None:
        values += [str(n) for b in (variable.minimum, variable.maximum) for n in (b - 1, b, b + 1)]
    if variable.is_text and variable.width:
        values += ["1" * n for n in (variable.width - 1, variable.width, variable.width + 1)]
    return values


def draw(dataset: str, seed: int, rows: int = ROWS, hurt: float = HURT) -> list[Row]:
    """Messages, clean at first: values hurt column by column, some said twice, some contradicted."""
    chance = random.Random(seed)
    pools = {v.name: near(v) for v in variables(dataset, "1")}
    drawn: list[Row] = []
    for number in range(rows):
        again = bool(drawn) and chance.random() < hurt
        clean = CLEAN[dataset]() | chance.choice([{}, *TOGETHER.get(dataset, ())])
        row = dict(chance.choice(drawn)) if again else clean
        if not again and dataset == "progres":
            row["kode_petugas"] = f"{number + 10:04d}"
        if not again and dataset == "geotag":
            row["id_tag"] = f"T{number}"
        if not again or chance.random() < 0.5:
            for name, pool in pools.items():
                if chance.random() < hurt and not (again and name in KEYS[dataset]):
                    row[name] = chance.choice(pool)
        drawn.append(row)
    return drawn


def staged(station: Station, dataset: str, rows: list[Row]) -> Messages:
    stage_messages(station.connection, station.scratch, dataset, rows)
    return Messages.read(dataset, station.around, PRODUCED, rows)


def compiled(connection: duckdb.DuckDBPyConnection, suite: Suite) -> dict[str, frozenset[int]]:
    """By rule id, the rows that violate it as the compiled SQL says."""
    explain(connection, suite.dataset, suite.rules)
    found: dict[str, set[int]] = {rule.id: set() for rule in suite.rules}
    for rule_id, row_no in connection.execute(f"SELECT rule_id, row_no FROM {suite.dataset}_reasons").fetchall():
        found[rule_id].add(row_no)
    return {rule_id: frozenset(rows) for rule_id, rows in found.items()}


def read(messages: Messages) -> dict[str, frozenset[int]]:
    """The same as pandas reads the texts."""
    readings = STREAM_READINGS[messages.dataset]
    violated = {rule_id: reading(messages) for rule_id, reading in readings.items()}
    return {rule_id: frozenset(rows.index[rows]) for rule_id, rows in violated.items()}


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


@pytest.mark.parametrize("case", CASES, ids=[f"{c.rule_id}-{c.case}-{n}" for n, c in enumerate(CASES)])
def test_written_case(case: RuleCase, station: Station, all_suites: dict[str, Suite]) -> None:
    staged(station, case.dataset, case_rows(case))
    rows = compiled(station.connection, all_suites[case.dataset])[case.rule_id]
    assert (1 in rows) == case.fires, f"{case.change}: {case.note}"


@pytest.mark.parametrize("dataset", STREAMS)
def test_every_rule_by_hand_has_all_four_kinds_of_cases(dataset: str, all_suites: dict[str, Suite]) -> None:
    kinds = defaultdict(set)
    for case in CASES:
        kinds[case.dataset, case.rule_id].add(case.case)
    by_hand = [rule.id for rule in all_suites[dataset].rules if rule.id[1].isdigit()]
    assert len(by_hand) > 10
    assert {rule_id: KINDS - kinds[dataset, rule_id] for rule_id in by_hand if kinds[dataset, rule_id] != KINDS} == {}
    assert {rule_id for of, rule_id in kinds if of == dataset} == set(by_hand)


@pytest.mark.parametrize("dataset", STREAMS)
def test_a_clean_message_breaks_no_rule(dataset: str, station: Station, all_suites: dict[str, Suite]) -> None:
    staged(station, dataset, [CLEAN[dataset]()])
    assert {i for i, rows in compiled(station.connection, all_suites[dataset]).items() if rows} == set()


@pytest.mark.parametrize("dataset", STREAMS)
def test_every_rule_has_a_reading_and_every_reading_a_rule(dataset: str, all_suites: dict[str, Suite]) -> None:
    assert set(STREAM_READINGS[dataset]) == {rule.id for rule in all_suites[dataset].rules}


@pytest.mark.parametrize("dataset", STREAMS)
@example(seed=1)
@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**32 - 1))
def test_sql_and_pandas_name_the_same_rows(
    dataset: str, station: Station, all_suites: dict[str, Suite], seed: int
) -> None:
    messages = staged(station, dataset, draw(dataset, seed))
    assert differences(compiled(station.connection, all_suites[dataset]), read(messages)) == {}


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


@pytest.mark.parametrize("dataset", STREAMS)
def test_hardly_any_wrong_rule_escapes(dataset: str, station: Station, all_suites: dict[str, Suite]) -> None:
    messages = staged(station, dataset, draw(dataset, 3, rows=2000))
    right = read(messages)
    escaped, tried = [], 0
    for rule in all_suites[dataset].rules:
        for mutant in mutants(rule):
            tried += 1
            if compiled(station.connection, Suite(dataset, (mutant,)))[rule.id] == right[rule.id]:
                escaped.append((rule.id, mutant.kwargs))
    assert len(escaped) <= (1 - NOTICED_MUTANTS) * tried, escaped
