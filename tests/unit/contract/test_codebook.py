"""The codebook hangs together: its kinds, code lists and universes are what everything else derives from."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import duckdb
import pytest

from regsosek.contract.codebook import (
    ALL_DATASETS,
    DATASETS,
    STREAMS,
    Kind,
    Required,
    Variable,
    bit_mask,
    block,
    block_lines,
    code_lines,
    codebook_document,
    codebook_version,
    lone_codes,
    variable,
    variable_lines,
    variables,
)
from regsosek.contract.codebook_check import codebook_faults
from regsosek.contract.instruments import (
    QUESTIONNAIRE,
    first_version,
    instrument_of,
    instrument_versions,
    instruments,
)
from regsosek.quality.generated import generated_rules, rule_id, rules_of
from regsosek.quality.rules import load_suites
from regsosek.staging.reading.typing_sql import SQL_TYPES, can_be_untyped, untyped_column

EXPECTATIONS = Path(__file__).parents[3] / "expectations"
FIRST = first_version()
ALL = [v for dataset in ALL_DATASETS for v in variable_lines(dataset)]
PII = {"", "address", "name", "location", "identity", "officer", "phone", "note"}
KEYS = ("id_dokumen", "versi", "id_subsls", "r109_no_bangunan", "r110_no_keluarga")


def failing(holds: Callable[[Variable], object]) -> list[str]:
    return [f"{v.dataset}.{v.name}" for v in ALL if not holds(v)]


def test_variables_are_typed_and_labelled() -> None:
    assert failing(lambda v: v.kind in get_args(Kind) and v.required in get_args(Required)) == []
    assert failing(lambda v: v.label_id and v.label_en) == []
    assert failing(lambda v: v.pii in PII) == []


def test_names_are_built_from_item_and_meaning() -> None:
    assert failing(lambda v: re.fullmatch(r"[a-z][a-z0-9_]*", v.name)) == []
    assert failing(lambda v: not v.item or v.name.startswith(f"r{v.item}")) == []


def test_width_range_and_codes_fit_the_kind() -> None:
    assert failing(lambda v: (v.width is None) == (v.kind == "decimal")) == []
    assert failing(lambda v: (v.minimum is None) == (v.maximum is None) == (v.kind not in {"integer", "decimal"})) == []
    assert failing(lambda v: bool(v.codes) == (v.kind in {"choice", "bits"})) == []
    assert failing(lambda v: all(len(str(c.code)) <= (v.width or 0) for c in code_lines(v.codes))) == []
    assert failing(lambda v: v.width is None or len(str(v.maximum or "")) <= v.width) == []


@pytest.mark.parametrize("version", instrument_versions())
def test_uncertain_variables_only_warn_and_the_others_are_as_severe_as_their_block(version: str) -> None:
    asked = [v for dataset in DATASETS for v in variables(dataset, version)]
    assert any(v.uncertain for v in asked)
    for v in asked:
        severity = "warning" if v.uncertain else block(v.dataset, v.block, version).severity
        # Who is asked for 306b is printed on the form (H03); only its codes are uncertain. A name of a place that is
        # kept back says nothing against the answers.
        others = {"H03", rule_id(v, "T")} if v.is_shown_text else {"H03"}
        assert {rule.severity for rule in rules_of(v, version) if rule.id not in others} <= {severity}, v.name


def test_everything_that_names_a_person_or_a_place_has_its_class() -> None:
    telling = re.compile("nama_|_nama|nik|no_kk|alamat|telepon_res|lintang|bujur|foto|catatan|tanggal_lahir")
    unclassed = failing(lambda v: v.pii or not telling.search(v.name))
    named = ["keluarga.r106_nama_sls", "geotag.ada_foto", "rekap_vk.nama_sls_baru"]
    assert unclassed == named, "the name of an SLS is that of a neighbourhood, and no photo is found by knowing of it"


def test_the_codebook_does_not_contradict_itself() -> None:
    assert codebook_faults() == []


def test_questionnaire_and_streams_are_the_instruments() -> None:
    held = {(each.instrument, each.datasets) for each in instruments()}
    assert held == {(QUESTIONNAIRE, DATASETS), *((instrument_of(dataset), (dataset,)) for dataset in STREAMS)}


@pytest.mark.parametrize("version", instrument_versions())
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_version_has_the_shared_keys(dataset: str, version: str) -> None:
    assert set(KEYS) <= {v.name for v in variables(dataset, version)}


@pytest.mark.parametrize("name", KEYS)
def test_a_shared_key_is_the_same_in_both_datasets(name: str) -> None:
    family, member = variable("keluarga", name, FIRST), variable("anggota", name, FIRST)
    assert (family.kind, family.width, family.required) == (member.kind, member.width, member.required)


def test_code_lists_are_used_and_labelled() -> None:
    names = {line.split(",")[0] for line in _codes_file()[1:]}
    assert names == {v.codes for v in ALL if v.codes}
    for name in names:
        assert all(code.label_id and code.label_en for code in code_lines(name))


def _codes_file() -> list[str]:
    document = codebook_document().decode()
    return document.split("# codes.csv\n")[1].split("# blocks.csv\n")[0].strip().splitlines()


def test_bit_lists_add_up() -> None:
    assert (bit_mask("identitas", FIRST), lone_codes("identitas", FIRST)) == (7, ())
    assert (bit_mask("internet_usaha", FIRST), lone_codes("internet_usaha", FIRST)) == (63, ())
    assert (bit_mask("jaminan_ketenagakerjaan", FIRST), lone_codes("jaminan_ketenagakerjaan", FIRST)) == (31, (99,))


@pytest.mark.parametrize("version", instrument_versions())
@pytest.mark.parametrize("dataset", DATASETS)
def test_universes_and_blocks_are_predicates_over_existing_columns(dataset: str, version: str) -> None:
    columns = [f"{v.name} {SQL_TYPES[v.kind]}" for v in variables(dataset, version)]
    columns += [f"{untyped_column(v.name)} VARCHAR" for v in variables(dataset, version) if can_be_untyped(v)]
    columns += ["r205_hasil SMALLINT"] if dataset == "anggota" else []
    blocks = [b for b in block_lines(dataset) if version in b.span.versions]
    predicates = [v.universe for v in variables(dataset, version) if v.universe]
    predicates += [p for b in blocks for p in (b.required_when, b.applies_when)]
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(columns)})")
        for predicate in predicates:
            described = connection.execute(f"SELECT ({predicate}) AS p FROM t").description
            assert [str(kind) for _, kind, *_ in described] == ["BOOLEAN"], predicate


@pytest.mark.parametrize("version", instrument_versions())
def test_rule_ids_are_unique_over_all_suites(version: str) -> None:
    ids = [rule.id for suite in load_suites(EXPECTATIONS).values() for rule in suite.applying(version)]
    assert [each for each, n in Counter(ids).items() if n > 1] == []


def test_named_rules_of_domain_practice_are_generated() -> None:
    ids = {rule.id for dataset in DATASETS for rule in generated_rules(dataset)}
    assert {"H01", "H02", "H03", "P03", "P04", "P10", "P17", "P19", "P20", "F01-205", "F06-114"} <= ids


def test_the_version_is_that_of_the_document() -> None:
    assert len(codebook_version()) == 64
    assert codebook_document().startswith(b"# variables.csv\ndataset,block,item,")
