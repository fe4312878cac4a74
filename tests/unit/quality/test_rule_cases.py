"""Every rule has positive, negative, boundary and missing cases, written by hand or derived from the codebook."""

from collections import defaultdict
from pathlib import Path

import pytest

from regsosek.contract.codebook import DATASETS, variable, variables
from regsosek.contract.instruments import first_version
from regsosek.quality.generated import generated_suites, rules_of
from regsosek.quality.rules import Suite
from regsosek.quality.verdict import Judge
from support.checks.matrix import FULL
from support.checks.rule_cases import RuleCase, derived_cases, written_cases

HERE = Path(__file__).parent
KINDS = {"positive", "negative", "boundary", "missing"}
# Besides all rules by hand: what statisticians should be able to read, the printed skips and value rules.
READABLE = ("F01", "F06", "H01", "H02", "H03", "H04", "H05", "P03", "P04", "P10", "P12", "P14", "P15", "P17", "P18")
READABLE += ("P19", "P20", "P21", "P22", "V01", "V02")


def test_written_case(written: RuleCase, judged) -> None:
    assert judged.fires(written) == written.fires, f"{written.change}: {written.note}"


def test_derived_cases_of_rule(derived: list[RuleCase], judged) -> None:
    wrong = [case for case in derived if judged.fires(case) != case.fires]
    assert not wrong


def kinds_by_rule(cases: list[RuleCase]) -> dict[tuple[str, str], set[str]]:
    kinds = defaultdict(set)
    for case in cases:
        kinds[case.dataset, case.rule_id].add(case.case)
    return kinds


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_rule_has_all_four_kinds_of_cases(dataset: str, suites: dict[str, Suite]) -> None:
    kinds = kinds_by_rule([*written_cases(HERE / "scenarios"), *derived_cases(dataset)])
    lacking = {rule.id: KINDS - kinds[dataset, rule.id] for rule in suites[dataset].applying(first_version())}
    assert {rule_id: missing for rule_id, missing in lacking.items() if missing} == {}


@pytest.mark.parametrize("dataset", DATASETS)
def test_rules_by_hand_and_skips_have_written_cases(dataset: str, suites: dict[str, Suite]) -> None:
    kinds = kinds_by_rule(written_cases(HERE / "scenarios"))
    generated = {rule.id for v in variables(dataset, first_version()) for rule in rules_of(v, first_version())}
    readable = [
        r.id
        for r in suites[dataset].applying(first_version())
        if r.id not in generated or r.id.split("-")[0] in READABLE
    ]
    assert {rule_id for rule_id in readable if kinds[dataset, rule_id] != KINDS} == set()


def test_written_cases_name_existing_rules_and_say_what_they_mean(suites: dict[str, Suite]) -> None:
    known = {(dataset, rule.id) for dataset, suite in suites.items() for rule in suite.rules}
    for case in written_cases(HERE / "scenarios"):
        assert (case.dataset, case.rule_id) in known
        assert case.case in KINDS
        assert case.fires or case.case != "positive"
        assert not (case.fires and case.case in {"negative", "missing"})


@FULL
def test_great_expectations_agrees_on_every_case(judged, suites: dict[str, Suite]) -> None:
    counts = Judge(judged.connection, suites, first_version()).judge()
    assert {(c.dataset, c.rule_id) for c in counts} == {
        (d, r.id) for d, s in suites.items() for r in s.applying(first_version())
    }
    never = [c.rule_id for c in counts if c.violations == 0]
    assert never == []


def test_ready_made_families_are_clean(ready_made: RuleCase, judged) -> None:
    assert judged.fired[ready_made] == set()


def test_what_is_missing_or_unreadable_breaks_its_own_rules_only(judged) -> None:
    others = {}
    for case in judged.faulty:
        own = {rule.id for rule in rules_of(variable(case.dataset, case.rule_id, first_version()), first_version())}
        others[case.dataset, case.rule_id, case.case] = judged.fired[case] - own
    assert {case: rule_ids for case, rule_ids in others.items() if rule_ids} == {}


def test_rules_of_the_catalogue_name_it_as_their_source(suites: dict[str, Suite]) -> None:
    rules = {rule.id: rule for suite in suites.values() for rule in suite.rules}
    numbered = {id_: id_[:3] for id_ in rules if id_[0] in "GFHVPN" and id_[1:3].isdigit()}
    assert {"P02", "P12-413", "N04", "H01"} <= set(numbered)
    assert {id_ for id_, number in numbered.items() if f"domain 2.5 {number}" not in rules[id_].source} == set()


def test_the_generated_suites_are_not_stale() -> None:
    for path, text in generated_suites(HERE.parents[2] / "expectations").items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run `make fix`"
