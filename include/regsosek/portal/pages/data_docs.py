"""Data Docs: Great Expectations' own result objects and renderers, on one small page without network or values.

Nothing is rendered before somebody asks: the ledger holds what the page shows, so the night writes no document, there
is none to prune, and the same night gives the same bytes. Great Expectations' page template fetches styles and scripts
from six networks; ``templates/data_docs.j2`` stands in its place, the renderers of every expectation stay theirs.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render import RenderedSectionContent, RenderedStringTemplateContent
from great_expectations.render.renderer.content_block import ValidationResultsTableContentBlockRenderer
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, PackageLoader

from regsosek.portal.views.validation import RuleOutcome, Validation
from regsosek.quality.engine import ExpectNoRowsWhere

MAX_BYTES = 300_000
BPS_SEVERITY = {"critical": "error", "warning": "warning"}
_NOT_RAISED = {"raised_exception": False, "exception_message": None, "exception_traceback": None}
# Importing our own expectation registers how it is rendered.
RENDERED_TOO = (ExpectNoRowsWhere,)


def suite_result(validation: Validation) -> ExpectationSuiteValidationResult:
    """The validation as Great Expectations' own result object, violated rules first, errors before warnings."""
    ordered = sorted(validation.outcomes, key=_rank)
    results = [_result(outcome, validation.rows) for outcome in ordered]
    passed = sum(result.success for result in results)
    return ExpectationSuiteValidationResult(
        success=passed == len(results),
        results=results,
        suite_name=validation.dataset,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100 * passed / len(results) if results else None,
        },
        meta={"run_id": {"run_name": f"{validation.province} {validation.night}", "run_time": str(validation.night)}},
    )


def _rank(outcome: RuleOutcome) -> tuple[bool, bool, int]:
    return (outcome.violations == 0, outcome.rule.severity != "critical", -outcome.violations)


def _result(outcome: RuleOutcome, rows: int) -> ExpectationValidationResult:
    rule, violations = outcome.rule, outcome.violations
    counts = {
        "element_count": rows,
        "unexpected_count": violations,
        "unexpected_percent": 100 * violations / rows if rows else 0.0,
        "observed_value": violations,
    }
    stated = rule.expectation()
    return ExpectationValidationResult(
        success=violations == 0,
        expectation_config=ExpectationConfiguration(
            type=stated["type"], kwargs=stated["kwargs"], meta=stated["meta"], severity=stated["severity"]
        ),
        result=counts,
        exception_info=_NOT_RAISED,
    )


class RuleTable(ValidationResultsTableContentBlockRenderer):
    """Great Expectations' table with a column for the rule, and its texts under the expectation."""

    @classmethod
    def _process_content_block(cls, content_block: Any, has_failed_evr: bool, render_object: Any = None) -> None:
        super()._process_content_block(content_block, has_failed_evr, render_object)
        content_block.header_row = ["Status", "Rule", "Expectation", "Rows"]

    @classmethod
    def _get_content_block_fn(cls, expectation_type: str, expectation_config: Any = None) -> Callable[..., Any]:
        theirs = super()._get_content_block_fn(expectation_type, expectation_config)

        def row(result: ExpectationValidationResult, **kwargs: Any) -> list[list[Any]]:
            [[status, expectation, observed]] = theirs(result=result, **kwargs)
            stated = expectation if isinstance(expectation, list) else [expectation]
            return [[status, _rule_cell(result), [*_texts(result), *stated], observed]]

        return row


def _rule_cell(result: ExpectationValidationResult) -> RenderedStringTemplateContent:
    config = result.expectation_config
    severity = BPS_SEVERITY[str(getattr(config.severity, "value", config.severity))]
    params = {"rule": config.meta["id"], "severity": severity}
    return _text("$rule $severity", params, {"rule": {"tag": "b"}, "severity": {"tag": "i", "classes": [severity]}})


def _texts(result: ExpectationValidationResult) -> list[RenderedStringTemplateContent]:
    """What the rule says, and for a violated one what the officer must ask again."""
    meta = result.expectation_config.meta
    said = [_text("$text", {"text": meta["text_en"]}, {"text": {"classes": ["said"]}})]
    indonesian = {"text": {"classes": ["said"], "attributes": {"lang": "id"}}}
    return said if result.success else [*said, _text("$text", {"text": meta["text_id"]}, indonesian)]


def _text(template: str, params: Mapping[str, str], styled: Mapping[str, Any]) -> RenderedStringTemplateContent:
    return RenderedStringTemplateContent(
        content_block_type="string_template",
        string_template={"template": template, "params": dict(params), "styling": {"params": dict(styled)}},
    )


class NightRenderer(ValidationResultsPageRenderer):
    """Great Expectations' page renderer, its sections by verdict instead of by column: what is violated comes first.

    Args:
        shown: at most so many results; the statistics count all.
    """

    def __init__(self, shown: int) -> None:
        super().__init__()
        self._shown = shown

    def _collect_rendered_document_content_sections(
        self,
        validation_results: ExpectationSuiteValidationResult,
        overview_content_blocks: Sequence[Any],
        collapse_content_blocks: Sequence[Any],  # noqa: ARG002 - signature of the base class
        columns: Mapping[str, Any],  # noqa: ARG002 - signature of the base class
    ) -> list[RenderedSectionContent]:
        # Of the overview only the statistics: what the page is about stands in its own header.
        blocks = list(overview_content_blocks[1:2])
        shown = validation_results.results[: self._shown]
        violated = [result for result in shown if not result.success]
        passed = [result for result in shown if result.success]
        statistics = RenderedSectionContent(section_name="Statistics", content_blocks=blocks)
        return [statistics, *_sections("Violated", violated), *_sections("Passed", passed)]


def _sections(name: str, results: list[ExpectationValidationResult]) -> Iterable[RenderedSectionContent]:
    if results:
        yield RenderedSectionContent(
            section_name=f"{name} ({len(results)})", content_blocks=[RuleTable.render(results)]
        )


class NightView(DefaultJinjaPageView):
    """Great Expectations' view with our template for the page around its content blocks."""

    _template = "data_docs.j2"

    def __init__(self) -> None:
        super().__init__()
        self.env.loader = ChoiceLoader([PackageLoader("regsosek.portal.pages", "templates"), self.env.loader])
        self.env.trim_blocks = self.env.lstrip_blocks = True


def render_sections(validation: Validation) -> str:
    """The validation as HTML of at most ``MAX_BYTES``, to be framed by a page; the same validation, the same bytes.

    Statistics come first, then violated rules, then passed ones. Should they not all fit, the last are counted instead.
    """
    result = suite_result(validation)
    shown = len(result.results)
    while (size := len((page := _render(result, shown)).encode())) > MAX_BYTES:
        shown = min(shown - 1, shown * MAX_BYTES // size)
    return page


def _render(result: ExpectationSuiteValidationResult, shown: int) -> str:
    document = NightRenderer(shown).render(result)
    page: str = NightView().render(document, omitted=len(result.results) - shown)
    return re.sub(r"\s*\n\s*", "\n", page)
