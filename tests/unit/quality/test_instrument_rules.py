"""Rules by version of the questionnaire: earlier forms keep theirs, each delivery is judged by its own."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import DATASETS
from regsosek.contract.instruments import instrument_versions
from regsosek.errors import ConfigurationError
from regsosek.generated import check_rules
from regsosek.quality.fit import unfit_rules
from regsosek.quality.generated import generated_rules
from regsosek.quality.reasons import explain
from regsosek.quality.rules import EXPECT_NO_ROWS_WHERE, Rule, Suite, load_suite
from regsosek.quality.verdict import Judge
from regsosek.staging.engine import open_engine
from support.checks.matrix import FULL, examples
from support.deliveries.edited_codebook import (
    ADDED,
    FIRST,
    NEW_CODE,
    REMOVED,
    SECOND,
    codebook,
    lines,
    second_version,
    shipped,
    with_versions,
    written,
)
from support.deliveries.families import Row, anggota_row, keluarga_row, reference_tables, stage_rows

with codebook(shipped()):
    SHIPPED = {dataset: list(generated_rules(dataset)) for dataset in DATASETS}
LINES = lines(shipped()["variables.csv"])
CODE_LISTS = sorted({line["codes"] for line in LINES if line["codes"]})


def of_version(dataset: str, version: str) -> list[Rule]:
    """The generated rules of one version, without the versions that they name."""
    rules = (rule for rule in generated_rules(dataset) if rule.judges(version))
    return [replace(rule, instrument_versions=()) for rule in rules]


@st.composite
def later_forms(draw: st.DrawFn) -> dict[str, str]:
    """A second version with any items gone, any items doubled under a new name, and codes more."""
    texts = with_versions(shipped(), SECOND)
    places = st.sets(st.integers(0, len(LINES) - 1), max_size=5)
    gone, doubled, edited = draw(places), draw(places), []
    for place, line in enumerate(LINES):
        edited.append(line | {"until": FIRST if place in gone else ""})
        if place in doubled:
            edited.append(
                line | {"name": f"{line['name']}_baru", "since": SECOND, "value_rule": "", "universe_rule": ""}
            )
    more = [
        {"codes": name, "code": "64", "label_id": "Uji", "label_en": "Test", "since": SECOND, "until": ""}
        for name in draw(st.sets(st.sampled_from(CODE_LISTS), max_size=5))
    ]
    return {
        **texts,
        "variables.csv": written(edited),
        "codes.csv": written([*lines(texts["codes.csv"]), *more]),
    }


@settings(max_examples=examples(20), deadline=None)
@given(later_forms())
def test_whatever_comes_later_the_first_version_keeps_its_rules(texts: dict[str, str]) -> None:
    with codebook(texts):
        for dataset in DATASETS:
            assert of_version(dataset, FIRST) == SHIPPED[dataset]
        for version in instrument_versions():
            ids = Counter(rule.id for dataset in DATASETS for rule in of_version(dataset, version))
            assert [rule_id for rule_id, count in ids.items() if count > 1] == []


def test_a_rule_stands_once_for_each_of_its_forms() -> None:
    with codebook(second_version(shipped())):
        rules = list(generated_rules("keluarga"))
        versions = {(rule.id, rule.instrument_versions) for rule in rules if rule.instrument_versions}
        gone, power = {"T-301b", "C-301b", "H01"}, {"C-307b1", "C-307b2", "C-307b3"}
        assert versions == {(rule_id, (FIRST,)) for rule_id in gone | power} | {
            (rule_id, (SECOND,)) for rule_id in {"T-399", "C-399", "U-399"} | power
        }
        codes = {rule.instrument_versions: rule.kwargs["value_set"] for rule in rules if rule.id == "C-307b1"}
        assert codes[SECOND,] == [*codes[FIRST,], int(NEW_CODE)]


def test_a_rule_by_hand_that_reads_what_is_gone_must_say_its_versions() -> None:
    rule = Rule(
        "X01", "keluarga", "critical", EXPECT_NO_ROWS_WHERE, {"condition": f"{REMOVED} = 7"}, "", "", "", ""
    )  # fmt: skip
    with codebook(second_version(shipped())):
        [fault] = unfit_rules({"keluarga": Suite("keluarga", (rule,))})
        assert fault.startswith(f"keluarga, rule X01 reads {REMOVED}, which version 2 does not have")
        bound = replace(rule, instrument_versions=(FIRST,))
        assert unfit_rules({"keluarga": Suite("keluarga", (bound,))}) == []


def test_the_shipped_rules_fit_every_version() -> None:
    check_rules()


def suite_files(directory: Path, *versions: list[str]) -> Path:
    """A suite of one rule id that stands once for each of ``versions``."""
    rule = SHIPPED["keluarga"][0].expectation()
    forms = [rule | {"meta": rule["meta"] | {"instrument_versions": known}} for known in versions]
    for kind, content in ((".codebook", []), ("", forms)):
        (directory / f"keluarga{kind}.json").write_text(json.dumps({"expectations": content}), encoding="utf-8")
    return directory


def test_one_id_may_stand_once_in_each_version(tmp_path: Path) -> None:
    with codebook(with_versions(shipped(), SECOND)):
        suite = load_suite(suite_files(tmp_path, [FIRST], [SECOND]), "keluarga")
        assert [len(suite.applying(version)) for version in (FIRST, SECOND)] == [1, 1]
        with pytest.raises(ConfigurationError, match="stand twice in version 2"):
            load_suite(suite_files(tmp_path, [FIRST, SECOND], [SECOND]), "keluarga")


def test_a_rule_for_an_unknown_version_is_refused(tmp_path: Path) -> None:
    with codebook(shipped()), pytest.raises(ConfigurationError, match=r"unknown to instruments\.csv"):
        load_suite(suite_files(tmp_path, [SECOND]), "keluarga")


def second_row(**changes: str) -> Row:
    """A clean family as the second version asks it."""
    return {**{name: value for name, value in keluarga_row().items() if name != REMOVED}, ADDED: "1", **changes}


def broken_rules(connection: duckdb.DuckDBPyConnection, directory: Path, row: Row, version: str) -> set[str]:
    """Stages a family of one row and two members; the generated rules that it breaks, by the rules of ``version``."""
    stage_rows(connection, directory, [row], [anggota_row(1), anggota_row(2)], version)
    counts = explain(connection, "keluarga", [r for r in generated_rules("keluarga") if r.judges(version)])
    return {rule_id for rule_id, n in counts.items() if n}


@FULL
def test_each_version_is_judged_by_its_own_rules(tmp_path: Path) -> None:
    with codebook(second_version(shipped())), open_engine(tmp_path, memory_limit="300MB", threads=1) as connection:
        reference_tables(connection)
        for row, version, broken in (
            (keluarga_row(), FIRST, set()),
            (second_row(), SECOND, set()),
            (keluarga_row(r307b1_daya=NEW_CODE), FIRST, {"C-307b1"}),
            (second_row(r307b1_daya=NEW_CODE), SECOND, set()),
            (keluarga_row(**{REMOVED: ""}), FIRST, {"H01"}),
            (second_row(**{ADDED: ""}), SECOND, {"U-399"}),
            (second_row(**{ADDED: "x"}), SECOND, {"T-399"}),
        ):
            assert broken_rules(connection, tmp_path, row, version) == broken, (version, broken)


def test_great_expectations_judges_a_later_version_as_sql_does(tmp_path: Path) -> None:
    with codebook(second_version(shipped())), open_engine(tmp_path, memory_limit="300MB", threads=1) as connection:
        reference_tables(connection)
        rules = tuple(r for r in generated_rules("keluarga") if r.id in {"H01", "U-399", "C-399", "C-307b1", "T-399"})
        suites = {"keluarga": Suite("keluarga", rules), "anggota": Suite("anggota", ())}
        stage_rows(connection, tmp_path, [second_row(**{ADDED: "7"})], [], SECOND)
        counts = Judge(connection, suites, SECOND).judge()
        assert {c.rule_id: c.violations for c in counts} == {"U-399": 0, "C-399": 1, "C-307b1": 0, "T-399": 0}
