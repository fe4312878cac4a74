"""Rules as the suites in ``expectations/`` state them, read into one type that Great Expectations and SQL share.

A rule stands once, in JSON. Great Expectations evaluates the expectation; :func:`violation` compiles the same
expectation to the SQL predicate that is true for the rows violating it. Nothing here parses SQL.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from regsosek.contract.codebook import ALL_DATASETS
from regsosek.contract.instruments import instrument_of, instrument_versions
from regsosek.errors import ConfigurationError

Severity = Literal["critical", "warning"]
EXPECT_NO_ROWS_WHERE = "expect_no_rows_where"


@dataclass(frozen=True)
class Rule:
    """One expectation of a suite.

    Attributes:
        id: stable id (``H01``, ``C-301a``), unique over all suites within one version of the questionnaire.
        severity: ``critical`` is the *error* of BPS and quarantines the case; ``warning`` loads and is reported.
        universe, source: for the catalogue.
        text_id, text_en: what the officer must ask again, what the rule says.
        instrument_versions: the versions of the questionnaire that it judges; empty means all.
    """

    id: str
    dataset: str
    severity: Severity
    type: str
    kwargs: Mapping[str, Any]
    universe: str
    source: str
    text_id: str
    text_en: str
    instrument_versions: tuple[str, ...] = ()

    def judges(self, version: str) -> bool:
        """Whether deliveries of ``version`` are judged by this rule."""
        return not self.instrument_versions or version in self.instrument_versions

    def expectation(self) -> dict[str, Any]:
        """The expectation as the suite file writes it."""
        meta = {name: getattr(self, name) for name in ("id", "universe", "source", "text_id", "text_en")}
        if self.instrument_versions:
            meta["instrument_versions"] = list(self.instrument_versions)
        return {"type": self.type, "kwargs": dict(self.kwargs), "severity": self.severity, "meta": meta}


def rule_from(dataset: str, expectation: Mapping[str, Any]) -> Rule:
    """Reads one expectation of the suite of ``dataset``.

    Raises:
        ConfigurationError: the expectation lacks a part of its meta, or compiles to no predicate.
    """
    meta = expectation.get("meta", {})
    try:
        rule = Rule(
            id=meta["id"],
            dataset=dataset,
            severity=expectation.get("severity", "critical"),
            type=expectation["type"],
            kwargs=expectation["kwargs"],
            universe=meta["universe"],
            source=meta["source"],
            text_id=meta["text_id"],
            text_en=meta["text_en"],
            instrument_versions=tuple(meta.get("instrument_versions", ())),
        )
    except KeyError as missing:
        raise ConfigurationError(f"suite {dataset}: expectation {meta.get('id', '?')} lacks {missing}") from None
    violation(rule)
    return rule


@dataclass(frozen=True)
class Suite:
    """All rules of one dataset, for every version of the questionnaire; ids are unique within a version."""

    dataset: str
    rules: tuple[Rule, ...]

    def applying(self, version: str) -> tuple[Rule, ...]:
        """The rules that judge deliveries of ``version``."""
        return tuple(rule for rule in self.rules if rule.judges(version))

    @property
    def document(self) -> bytes:
        """The suite in one spelling, for the archive of what a night was judged by; see :func:`suite_from`."""
        expectations = [rule.expectation() for rule in self.rules]
        content = {"dataset": self.dataset, "expectations": expectations}
        return (json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n").encode()

    @property
    def version(self) -> str:
        """SHA-256 of the suite's document."""
        return hashlib.sha256(self.document).hexdigest()


def suite_from(document: bytes) -> Suite:
    """Reads back what :attr:`Suite.document` wrote."""
    content = json.loads(document)
    dataset = content["dataset"]
    return Suite(dataset, tuple(rule_from(dataset, each) for each in content["expectations"]))


def load_suite(directory: Path, dataset: str) -> Suite:
    """Loads ``<dataset>.codebook.json`` (generated) and ``<dataset>.json`` (by hand) from ``directory``.

    Raises:
        ConfigurationError: a file is missing or not JSON, a rule names an unknown version of the questionnaire, or an
            id stands twice in one.
    """
    parts = [expectations_of(directory / f"{dataset}{kind}.json") for kind in (".codebook", "")]
    suite = Suite(dataset, tuple(rule_from(dataset, each) for part in parts for each in part))
    known = instrument_versions(instrument_of(dataset))
    for version in known:
        ids = Counter(rule.id for rule in suite.applying(version))
        if twice := [rule_id for rule_id, n in ids.items() if n > 1]:
            raise ConfigurationError(
                f"suite {dataset}: rule ids stand twice in version {version}: {', '.join(twice)}; "
                "give each its own instrument_versions"
            )
    unknown = [rule.id for rule in suite.rules if not set(rule.instrument_versions) <= set(known)]
    if unknown:
        raise ConfigurationError(
            f"suite {dataset}: instrument_versions unknown to instruments.csv: {', '.join(unknown)}"
        )
    return suite


def load_suites(directory: Path) -> dict[str, Suite]:
    """The suites of all datasets, by dataset: those of questionnaire K, then those of the streams."""
    return {dataset: load_suite(directory, dataset) for dataset in ALL_DATASETS}


def expectations_of(path: Path) -> list[dict[str, Any]]:
    """The expectations of one file of a suite.

    Raises:
        ConfigurationError: the file is missing or not JSON, or has no list of expectations.
    """
    try:
        expectations: list[dict[str, Any]] = json.loads(path.read_bytes())["expectations"]
    except (OSError, ValueError, KeyError) as error:
        generated = path.name.endswith(".codebook.json")
        fix = "run `regsosek generate`" if generated else 'write its rules by hand, or `"expectations": []` for none'
        raise ConfigurationError(f"suite {path.name} cannot be read: {type(error).__name__} {error}; {fix}") from None
    return expectations


def violation(rule: Rule) -> str:
    """SQL predicate: true for the rows that violate ``rule``; NULL (a missing operand) counts as no violation.

    Raises:
        ConfigurationError: the expectation is of a kind that has no row predicate.
    """
    kwargs = rule.kwargs
    column = f'"{kwargs["column"]}"' if "column" in kwargs else ""
    match rule.type:
        case "expect_no_rows_where":
            return str(kwargs["condition"])
        case "expect_column_values_to_be_null":
            predicate = f"{column} IS NOT NULL"
        case "expect_column_values_to_be_in_set":
            predicate = f"{column} NOT IN ({', '.join(map(_literal, kwargs['value_set']))})"
        case "expect_column_values_to_be_between":
            predicate = _outside(column, kwargs)
        case "expect_column_value_lengths_to_be_between":
            predicate = _outside(f"length({column})", kwargs)
        case _:
            raise ConfigurationError(
                f"rule {rule.id}: {rule.type} has no row predicate; write it as {EXPECT_NO_ROWS_WHERE}"
            )
    domain = kwargs.get("row_condition")
    return f"({_domain(rule.id, domain)}) AND {predicate}" if domain else predicate


def _outside(value: str, kwargs: Mapping[str, Any]) -> str:
    bounds = [f"{value} < {kwargs['min_value']}"] if kwargs.get("min_value") is not None else []
    bounds += [f"{value} > {kwargs['max_value']}"] if kwargs.get("max_value") is not None else []
    return f"({' OR '.join(bounds)})"


def _domain(rule_id: str, condition: Mapping[str, Any]) -> str:
    if condition.get("type") != "comparison" or condition.get("operator") != "IN":
        raise ConfigurationError(f"rule {rule_id}: only IN comparisons are compiled from row_condition")
    return f'"{condition["column"]["name"]}" IN ({", ".join(map(_literal, condition["parameter"]))})'


def _literal(value: int | str) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def row_condition(column: str, codes: Sequence[int]) -> dict[str, Any]:
    """The structured form in which Great Expectations writes ``column IN codes``."""
    return {"type": "comparison", "column": {"name": column}, "operator": "IN", "parameter": list(codes)}
