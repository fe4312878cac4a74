"""All cases of all rules staged as one part and judged once: Great Expectations costs seconds per evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from regsosek.contract.codebook import DATASETS, variables
from regsosek.contract.instruments import first_version
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Suite, load_suites
from regsosek.staging.engine import open_engine
from regsosek.staging.reading.typing_sql import can_be_untyped
from support.checks.rule_cases import PROFILES, RuleCase, derived_cases, unreadable, written_cases
from support.deliveries.families import Row, reference_tables, stage_rows

EXPECTATIONS = Path(__file__).parents[3] / "expectations"
WRITTEN = written_cases(Path(__file__).parent / "scenarios")
DERIVED = [case for dataset in DATASETS for case in derived_cases(dataset)]
READY_MADE = [RuleCase("", "clean", dataset, profile, False) for dataset in DATASETS for profile in PROFILES[dataset]]
# Every column once missing and, unless it is free text, once unreadable; rule_id holds the column here.
FAULTY = [
    RuleCase(v.name, kind, dataset, f"{v.name}={value}", False)
    for dataset in DATASETS
    for v in variables(dataset, first_version())
    for kind, value in (("missing", ""), ("unreadable", unreadable(v)))
    if kind == "missing" or can_be_untyped(v)
]
Fired = dict[RuleCase, set[str]]


@dataclass(frozen=True)
class Judged:
    """The rules that the compiled SQL found broken in every case, and the database that holds them all."""

    connection: duckdb.DuckDBPyConnection
    fired: Fired
    faulty: tuple[RuleCase, ...] = tuple(FAULTY)

    def fires(self, case: RuleCase) -> bool:
        return case.rule_id in self.fired[case]


@pytest.fixture(scope="session")
def all_suites() -> dict[str, Suite]:
    return load_suites(EXPECTATIONS)


@pytest.fixture(scope="session")
def suites(all_suites: dict[str, Suite]) -> dict[str, Suite]:
    """Those of questionnaire K."""
    return {dataset: all_suites[dataset] for dataset in DATASETS}


@pytest.fixture(scope="session")
def judged(suites: dict[str, Suite], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    scratch = tmp_path_factory.mktemp("cases")
    with open_engine(scratch, memory_limit="500MB", threads=2) as connection:
        reference_tables(connection)
        yield Judged(connection, _fired(connection, scratch, suites))


def _fired(connection: duckdb.DuckDBPyConnection, scratch: Path, suites: dict[str, Suite]) -> Fired:
    """The rules that each case breaks; a case of a rule that the first version lacks is staged in its own version."""
    versions = {
        (dataset, rule.id): rule.instrument_versions[0]
        for dataset, suite in suites.items()
        for rule in reversed(suite.rules)
        if not rule.judges(first_version())
    }
    later = {case: versions[case.dataset, case.rule_id] for case in WRITTEN if (case.dataset, case.rule_id) in versions}
    first = [case for case in WRITTEN if case not in later]
    fired: Fired = {}
    for version in sorted(set(later.values())):
        own = [case for case in later if later[case] == version]
        fired |= _fired_in(connection, scratch, suites, own, version)
    return fired | _fired_in(connection, scratch, suites, [*first, *DERIVED, *READY_MADE, *FAULTY], first_version())


def _fired_in(
    connection: duckdb.DuckDBPyConnection,
    scratch: Path,
    suites: dict[str, Suite],
    cases: list[RuleCase],
    version: str,
) -> Fired:
    rows: dict[str, list[Row]] = {dataset: [] for dataset in DATASETS}
    spans: dict[RuleCase, dict[str, range]] = {}
    for number, case in enumerate(cases, start=1):
        new = dict(zip(DATASETS, case.rows(number), strict=True))
        spans[case] = {d: range(len(rows[d]) + 1, len(rows[d]) + 1 + len(new[d])) for d in DATASETS}
        for dataset in DATASETS:
            asked = [v.name for v in variables(dataset, version)]
            rows[dataset] += [{name: row.get(name, "") for name in asked} for row in new[dataset]]
    stage_rows(connection, scratch, rows["keluarga"], rows["anggota"], version)
    reasons = {dataset: _reasons(connection, suites[dataset], version) for dataset in DATASETS}
    return {
        case: {rule_id for dataset in DATASETS for n in span[dataset] for rule_id in reasons[dataset].get(n, ())}
        for case, span in spans.items()
    }


def _reasons(connection: duckdb.DuckDBPyConnection, suite: Suite, version: str) -> dict[int, set[str]]:
    explain(connection, suite.dataset, suite.applying(version))
    found: dict[int, set[str]] = {}
    for row_no, rule_id in connection.execute(f"SELECT row_no, rule_id FROM {suite.dataset}_reasons").fetchall():
        found.setdefault(row_no, set()).add(rule_id)
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hands every case to the tests that ask for its kind; the derived ones by rule."""
    if "written" in metafunc.fixturenames:
        metafunc.parametrize("written", WRITTEN, ids=[f"{c.rule_id}-{c.case}-{n}" for n, c in enumerate(WRITTEN)])
    if "ready_made" in metafunc.fixturenames:
        metafunc.parametrize("ready_made", READY_MADE, ids=[c.change for c in READY_MADE])
    if "derived" in metafunc.fixturenames:
        by_rule: dict[str, list[RuleCase]] = {}
        for case in DERIVED:
            by_rule.setdefault(case.rule_id, []).append(case)
        metafunc.parametrize("derived", by_rule.values(), ids=by_rule)
