"""Data Docs: Great Expectations' own objects and renderers, bounded, repeatable, and without values or network."""

from collections import Counter
from datetime import date

import great_expectations as gx
import pytest

from regsosek.portal.pages import data_docs, pages
from regsosek.portal.pages.data_docs import MAX_BYTES, render_sections, suite_result
from regsosek.portal.views.validation import RuleOutcome, Validation, outcomes
from regsosek.quality.rules import Rule, load_suites
from regsosek.settings import PROJECT_ROOT
from support.figures.outline import Outline
from support.figures.portal_world import NIGHT, frame

SUITES = load_suites(PROJECT_ROOT / "expectations")
ROWS = 1000


def rule(rule_id: str, severity: str = "critical", **changes: object) -> Rule:
    stated = {"type": "expect_no_rows_where", "kwargs": {"condition": "r407_umur < 0"}} | changes
    return Rule(
        rule_id, "anggota", severity, stated["type"], stated["kwargs"], "TRUE", "test", "teks", f"text {rule_id}"
    )


def validation(*counted: tuple[Rule, int]) -> Validation:
    return Validation("64", NIGHT, "anggota", 2, ROWS, tuple(RuleOutcome(*each) for each in counted))


def whole_suite(dataset: str, violations: int) -> Validation:
    rules = SUITES[dataset].rules
    return Validation("64", NIGHT, dataset, 1, ROWS, tuple(RuleOutcome(each, violations) for each in rules))


def page(of: Validation) -> str:
    return pages.data_docs_page(frame(), of, render_sections(of))


def test_the_result_is_great_expectations_own_and_counts_as_it_does() -> None:
    result = suite_result(validation((rule("A1"), 0), (rule("A2"), 250)))
    assert isinstance(result, gx.core.ExpectationSuiteValidationResult)
    assert result.statistics == {
        "evaluated_expectations": 2,
        "successful_expectations": 1,
        "unsuccessful_expectations": 1,
        "success_percent": 50.0,
    }
    worst = result.results[0]
    assert not worst.success
    assert worst.result["unexpected_count"] == 250
    assert worst.result["unexpected_percent"] == 25.0
    assert result.to_json_dict()["suite_name"] == "anggota"


def test_violated_rules_come_first_errors_before_warnings_many_before_few() -> None:
    of = validation((rule("ok"), 0), (rule("w", "warning"), 90), (rule("few"), 1), (rule("many"), 9))
    assert [r.expectation_config.meta["id"] for r in suite_result(of).results] == ["many", "few", "w", "ok"]
    text = Outline(page(of)).text
    assert text.index("Violated (3)") < text.index("text many") < text.index("text w") < text.index("Passed (1)")


def test_a_rule_of_ours_states_its_condition_texts_severity_and_counts() -> None:
    text = Outline(page(validation((rule("N03", "warning"), 250)))).text
    for told in ("N03", "warning", "r407_umur < 0", "text N03", "teks", "250", "25"):
        assert told in text
    assert "None" not in text


@pytest.mark.parametrize("dataset", SUITES)
@pytest.mark.parametrize("violations", [0, 7])
def test_pages_of_the_real_suites_are_whole_fetch_nothing_and_stay_small(dataset: str, violations: int) -> None:
    html = page(whole_suite(dataset, violations))
    assert Outline(html).is_whole_and_fetches_nothing()
    assert "http:" not in html
    assert "https:" not in html
    assert len(html.encode()) < MAX_BYTES + 20_000  # sections, and the frame around them
    for each in SUITES[dataset].rules:
        assert f">{each.id}</b>" in html


def test_the_same_night_gives_the_same_bytes() -> None:
    of = whole_suite("keluarga", 3)
    assert render_sections(of) == render_sections(of)


def test_a_page_that_would_grow_too_large_counts_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_docs, "MAX_BYTES", 40_000)
    sections = render_sections(whole_suite("keluarga", 3))
    total = len(SUITES["keluarga"].rules)
    shown = sections.count("<b >")
    assert 10 < shown < total
    assert len(sections.encode()) <= 40_000
    assert f"{total - shown} of the rules" in sections
    assert f"<td>{total}</td>" in sections


def test_texts_of_rules_are_escaped() -> None:
    hostile = Rule("<b>X", "anggota", "critical", "expect_no_rows_where", {"condition": "a < 1 AND '<i>' <> b"},
                   "TRUE", "test", "<script>id</script>", "$text <script>en</script>")  # fmt: skip
    html = page(validation((hostile, 1)))
    assert Outline(html).is_whole_and_fetches_nothing()
    assert "<script>en</script>" in Outline(html).text


def test_a_rule_that_stands_in_two_forms_is_counted_once_and_shown_as_the_first_states_it() -> None:
    first, second = ("suite", "1"), ("suite", "2")
    counted = {first: Counter(A=2, B=0), second: Counter(A=3, C=1)}
    rules = {first: [rule("A"), rule("B")], second: [rule("A", condition="another"), rule("C"), rule("D")]}
    added = outcomes(counted, rules)
    assert {each.rule.id: each.violations for each in added} == {"A": 5, "B": 0, "C": 1}
    assert next(each.rule for each in added if each.rule.id == "A") == rule("A")


def test_an_empty_night_renders() -> None:
    assert "Evaluated" in render_sections(Validation("64", date(2022, 10, 21), "anggota", 1, 0, ()))
