"""What a check of a delivery found, as a producer reads it: Indonesian or English text, one JSON document, or CSV."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from regsosek.contract.reasons import rejection_reasons
from regsosek.contract.repairs import repair_kinds
from regsosek.night.checking.contract_check import NOT_FOUND, CaseReason, CaseSink, Checked
from regsosek.quality.hold_limits import ErrorShare
from regsosek.quality.rules import Suite
from regsosek.scratch import open_private
from regsosek.wording import english, indonesian
from regsosek.wording.nouns import with_nouns
from regsosek.wording.spreadsheet import Spreadsheet

Language = Literal["id", "en"]
CASE_COLUMNS = ("part", "dataset", "row", "document", "rule", "severity", "text")
_NUMBERS = {"id": indonesian, "en": english}
_WORST_FIRST = {"critical": 0, "warning": 1}


@cache
def _words(language: Language) -> Mapping[str, str]:
    text = resources.files(__package__).joinpath("check_words.toml").read_text(encoding="utf-8")
    words: dict[Language, dict[str, str]] = tomllib.loads(text)  # type: ignore[assignment]
    return words[language]


def as_json(checked: Checked, suites: Mapping[str, Suite], language: Language) -> dict[str, Any]:
    """Everything that was found, with its words."""
    return {
        "verdict": checked.verdict,
        "delivery": _delivery(checked),
        "findings": [
            {"reason": each.reason, "meaning": _meaning(each.reason, language), "detail": each.detail}
            for each in checked.findings
        ],
        "files_besides": checked.besides,
        "repairs": [
            {"dataset": dataset, "repair": kind, "column": column, "count": n, "meaning": _repair(kind, language)}
            for (dataset, kind, column), n in checked.repairs.items()
        ],
        "rules": list(_broken(checked, suites, language)),
        "error_shares": [_share(checked, each) for each in checked.shares],
        "rules_not_judged": list(checked.unjudged),
        "parts": len(checked.manifest.parts) if checked.manifest else 0,
        "parts_judged": checked.judged_parts,
    }


def as_text(checked: Checked, suites: Mapping[str, Suite], language: Language) -> RenderableType:
    """The same for the terminal: the verdict first."""
    words = _words(language)
    colour = "green" if checked.verdict == "accepted" else "red"
    lines: list[RenderableType] = [f"[{colour}]{words[checked.verdict]}"]
    if checked.findings:
        lines.append(_findings_table(checked, language))
    if checked.besides:
        lines.append(_said("besides", language, count=_NUMBERS[language].number(checked.besides)))
    if any(repair_kinds()[kind].told for _, kind, _ in checked.repairs):
        lines.append(_repairs_table(checked, language))
    if broken := list(_broken(checked, suites, language)):
        lines.append(_rules_table(broken, language))
    return Group(*lines, *_closing(checked, language))


def _said(key: str, language: Language, **values: object) -> str:
    return with_nouns(_words(language)[key], values).format(**values)


def _closing(checked: Checked, language: Language) -> Iterator[str]:
    """Shares and limits, and what was not checked."""
    words, numbers = _words(language), _NUMBERS[language]
    for share in checked.shares:
        yield _share_line(checked, share, language)
    if checked.manifest and checked.judged_parts < len(checked.manifest.parts):
        counts = {"judged": checked.judged_parts, "all": len(checked.manifest.parts)}
        yield _said("parts", language, **{name: numbers.number(n) for name, n in counts.items()})
    if checked.unjudged:
        yield _said("unjudged", language, rules=", ".join(checked.unjudged))
    yield words["unknown"]


@contextmanager
def written_cases(path: Path, suites: Mapping[str, Suite], language: Language) -> Iterator[CaseSink]:
    """Writes every row that breaks a rule to a CSV at ``path``: keys and rules, no answers."""
    texts = _rule_texts(suites, language)
    with open_private(path) as file:
        writer = Spreadsheet(file)
        writer.writerow(CASE_COLUMNS)

        def write(reasons: Iterator[CaseReason]) -> None:
            for each in reasons:
                place = (each.part, each.dataset, each.row, each.document, each.rule_id, each.severity)
                writer.writerow((*place, texts[each.dataset, each.rule_id]))

        yield write


def _delivery(checked: Checked) -> dict[str, str] | None:
    if checked.manifest is None or checked.folder is None:
        return None
    manifest, folder = checked.manifest, checked.folder
    return {
        "province": folder.province,
        "delivery_id": folder.delivery_id,
        "day": folder.delivered_on.isoformat(),
        "instrument": manifest.instrument,
        "instrument_version": manifest.instrument_version,
    }


def _meaning(reason: str, language: Language) -> str:
    if reason in NOT_FOUND:
        return _words(language)[reason]
    return rejection_reasons()[reason].text.of(language)


def _repair(kind: str, language: Language) -> str:
    return repair_kinds()[kind].text.of(language)


def _rule_texts(suites: Mapping[str, Suite], language: Language) -> dict[tuple[str, str], str]:
    return {
        (dataset, rule.id): rule.text_id if language == "id" else rule.text_en
        for dataset, suite in suites.items()
        for rule in suite.rules
    }


def _broken(checked: Checked, suites: Mapping[str, Suite], language: Language) -> Iterator[dict[str, Any]]:
    """The rules that rows break: errors first, each by its violations."""
    texts = _rule_texts(suites, language)
    order = sorted(checked.violations.items(), key=lambda each: (_WORST_FIRST[each[0][2]], -each[1], each[0]))
    for (dataset, rule_id, severity), violations in order:
        if violations:
            told = {"dataset": dataset, "rule": rule_id, "severity": severity, "violations": violations}
            yield told | {"meaning": texts[dataset, rule_id]}


def _share(checked: Checked, share: ErrorShare) -> dict[str, Any]:
    limit = checked.limits.get(share.dataset)
    return {
        "dataset": share.dataset,
        "judged": share.judged,
        "in_error": share.in_error,
        "limit_percent": float(limit.percent) if limit else None,
        "least_rows": limit.least_rows if limit else None,
        "exceeded": share in checked.exceeded,
    }


def _share_line(checked: Checked, share: ErrorShare, language: Language) -> str:
    numbers, limit = _NUMBERS[language], checked.limits.get(share.dataset)
    known = {
        "dataset": share.dataset,
        "in_error": numbers.number(share.in_error),
        "judged": numbers.number(share.judged),
        "percent": numbers.percent_of(share.in_error, share.judged),
    }
    if limit is None:
        return _said("share_without_limit", language, **known)
    least = numbers.number(limit.least_rows)
    limit_percent = numbers.plain_percentage(float(limit.percent))
    return _said("share", language, **known, limit=limit_percent, least=least)


def _table(title: str, columns: tuple[str, ...], language: Language) -> Table:
    words = _words(language)
    table = Table(title=words[title], title_justify="left")
    for column in columns:
        count = column == "column_count"
        table.add_column(words[column], justify="right" if count else "left", overflow="fold")
    return table


def _findings_table(checked: Checked, language: Language) -> Table:
    table = _table("findings", ("column_reason", "column_meaning", "column_detail"), language)
    for each in checked.findings:
        table.add_row(each.reason, escape(_meaning(each.reason, language)), escape(each.detail))
    return table


def _repairs_table(checked: Checked, language: Language) -> Table:
    heads = ("column_dataset", "column_variable", "column_count", "column_meaning")
    table = _table("repairs", heads, language)
    told = {key: n for key, n in checked.repairs.items() if repair_kinds()[key[1]].told}
    for (dataset, kind, column), n in told.items():
        table.add_row(dataset, column, _NUMBERS[language].number(n), escape(_repair(kind, language)))
    return table


def _rules_table(broken: list[dict[str, Any]], language: Language) -> Table:
    words: Callable[[str], str] = _words(language).__getitem__
    heads = ("column_rule", "column_dataset", "column_severity", "column_count", "column_meaning")
    table = _table("rules", heads, language)
    for each in broken:
        severity = words("error" if each["severity"] == "critical" else "warning")
        violations = _NUMBERS[language].number(each["violations"])
        table.add_row(each["rule"], each["dataset"], severity, violations, escape(each["meaning"]))
    return table
