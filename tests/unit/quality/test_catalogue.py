"""The catalogue names every rule once, can be found through, shows true examples and no personal value."""

import re
import shutil
from pathlib import Path

import pytest

from regsosek.contract.codebook import ALL_DATASETS, DATASETS, variables
from regsosek.contract.stream_kinds import MESSAGES
from regsosek.errors import ConfigurationError
from regsosek.generated import SCENARIOS, stale_files
from regsosek.quality.catalogue import (
    CODEBOOK_RULES,
    QUESTIONNAIRE_DOMAINS,
    RULES,
    Catalogue,
    anchor,
    read_catalogue,
    rule_documents,
)
from regsosek.quality.examples import Examples, violating_value
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Suite, load_suite
from regsosek.staging.engine import open_engine
from support.checks.rule_cases import RuleCase
from support.deliveries.families import VERSION, reference_tables, stage_rows

ROOT = Path(__file__).parents[3]
LONG_NUMBER = re.compile(r"\d{12,}")
MADE_UP_PLACE = "640301"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(ROOT / "expectations", ROOT / SCENARIOS)


@pytest.fixture(scope="module")
def pages(catalogue: Catalogue) -> dict[str, str]:
    return {path.name: text for path, text in rule_documents(ROOT, catalogue).items()}


def test_no_generated_file_is_stale() -> None:
    assert list(stale_files(ROOT)) == [], "run `make fix`"


def test_the_catalogue_holds_every_rule_of_the_suites_once(
    catalogue: Catalogue, pages: dict[str, str], all_suites: dict[str, Suite]
) -> None:
    rules = [rule for dataset in ALL_DATASETS for rule in all_suites[dataset].rules]
    assert sorted(rule.id for rule in catalogue.rules) == sorted(rule.id for rule in rules)
    text = "".join(pages.values())
    assert [rule.id for rule in rules if text.count(f'<a id="{anchor(rule)}"></a>') != 1] == []
    for said in ("text_id", "text_en"):
        assert [rule.id for rule in rules if getattr(rule, said).replace("|", "\\|") not in text] == []


def test_a_dataset_without_a_file_of_rules_by_hand_is_refused_with_the_fix(tmp_path: Path) -> None:
    for path in (ROOT / "expectations").glob("*.json"):
        shutil.copy(path, tmp_path)
    (tmp_path / "rekap_vk.json").unlink()
    with pytest.raises(ConfigurationError, match=r"rekap_vk\.json cannot be read: .*; write its rules by hand"):
        read_catalogue(tmp_path, ROOT / SCENARIOS)
    (tmp_path / "rekap_vk.codebook.json").unlink()
    with pytest.raises(ConfigurationError, match=r"rekap_vk\.codebook\.json cannot be read: .*run `regsosek generate`"):
        load_suite(tmp_path, "rekap_vk")


def test_rules_of_streams_and_of_the_questionnaire_have_letters_of_their_own() -> None:
    assert not set(QUESTIONNAIRE_DOMAINS) & {kind.letter for kind in MESSAGES.values()}


def test_every_link_of_the_index_leads_to_an_anchor(pages: dict[str, str]) -> None:
    links = re.findall(r"\]\(([a-z-]+\.md)?#([^)]+)\)", pages[RULES.name])
    assert {page for page, _ in links} == {"", CODEBOOK_RULES.name}
    assert [name for page, name in links if f'<a id="{name}">' not in pages[page or RULES.name]] == []


def test_every_named_rule_stands_in_the_index(catalogue: Catalogue, pages: dict[str, str]) -> None:
    named = {rule.id for rule in catalogue.rules if rule.id[1].isdigit()}
    linked = set(re.findall(r"\[([^\]]+)\]\([^)]*#rule-\1(?:-[^)]*)?\)", pages[RULES.name]))
    assert named - linked == set()


def test_every_fact_that_a_universe_names_is_explained(catalogue: Catalogue, pages: dict[str, str]) -> None:
    columns = {v.name for dataset in ALL_DATASETS for v in variables(dataset, VERSION)}
    named = {name for rule in catalogue.rules for name in re.findall(r"\b[a-z]\w*_\w+", rule.universe)}
    assert {fact for fact in named - columns if f"`{fact}`" not in pages[RULES.name].split("## Index")[0]} == set()


def test_every_rule_by_hand_has_an_example_from_the_tables(catalogue: Catalogue) -> None:
    assert [rule.id for rule in catalogue.by_hand if not catalogue.examples.of(rule)] == []


def test_no_number_that_could_be_a_nik_is_shown(pages: dict[str, str]) -> None:
    shown = LONG_NUMBER.findall("".join(pages.values()))
    assert [len(number) for number in shown if not number.startswith(MADE_UP_PLACE + "0")] == []


def test_values_of_personal_columns_are_measured_not_shown(tmp_path: Path) -> None:
    header = "rule_id,case,dataset,change,violations,note\n"
    (tmp_path / "made-up.csv").write_text(f"{header}P03,positive,anggota,anggota2.r403_nik=6403015202840001,1,Note\n")
    assert list(Examples.read(tmp_path).by_rule.values()) == ["`anggota2.r403_nik` of 16 digits (Note)"]


def test_values_that_the_codebook_forbids_break_their_rules(
    catalogue: Catalogue, suites: dict[str, Suite], tmp_path: Path
) -> None:
    own = [each for each in catalogue.of_codebook if each.rule.dataset in DATASETS]
    judged = [each for each in own if each.rule.judges(VERSION)]
    shown = [each for each in judged if not catalogue.examples.of(each.rule)]
    cases = [
        RuleCase(
            e.rule.id,
            "example",
            e.rule.dataset,
            f"{e.variable.name}={_written(violating_value(e.variable, e.kind, e.version))}",
            True,
        )
        for e in shown
    ]
    made = [case.rows(number) for number, case in enumerate(cases, start=1)]
    broken: set[tuple[str, str, int]] = set()
    with open_engine(tmp_path, memory_limit="500MB", threads=2) as connection:
        reference_tables(connection)
        stage_rows(connection, tmp_path, [r for f, _ in made for r in f], [r for _, m in made for r in m])
        for dataset in DATASETS:
            explain(connection, dataset, suites[dataset].rules)
            rows = connection.execute(f"SELECT rule_id, row_no FROM {dataset}_reasons").fetchall()
            broken |= {(dataset, rule_id, row_no) for rule_id, row_no in rows}
    # One family and two members each; the second member is the one that is changed.
    own_row = {"keluarga": 1, "anggota": 2}
    found = [(c.dataset, c.rule_id, number * own_row[c.dataset]) in broken for number, c in enumerate(cases, start=1)]
    assert [case.rule_id for case, fires in zip(cases, found, strict=True) if not fires] == []


def _written(value: str) -> str:
    if value == "empty":
        return ""
    measured = re.fullmatch(r"of (\d+) (digits|characters)", value)
    if measured:
        return ("1" if measured[2] == "digits" else "a") * int(measured[1])
    written = value.removeprefix("= ")
    return {"a name with a phone behind it": "RT 01 0812 3456 7890"}.get(written, written.strip("`"))
