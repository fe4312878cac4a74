"""The contract for machines: valid by the standard, whole by the codebook, and enough to write a delivery from."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from hostile.draft import NIGHT
from regsosek.contract.codebook import ALL_DATASETS, code_list, variables
from regsosek.contract.instruments import instrument_versions, instruments
from regsosek.contract.pages.documentation import manifest_schema
from regsosek.errors import ConfigurationError
from regsosek.night.checking import contract_check
from regsosek.night.checking.contract_check import Asked, check_delivery
from regsosek.quality.odcs import ODCS, odcs_document
from regsosek.quality.rules import load_suites
from regsosek.settings import PROJECT_ROOT
from support.checks.matrix import FULL
from support.deliveries.checked_folder import no_services
from support.deliveries.contract_stranger import Stranger, named
from support.deliveries.edited_codebook import codebook, lines, shipped, written
from support.deliveries.reference_folder import frame_row, write_reference
from support.worlds.field_world import CompiledJudge

TEXT = (PROJECT_ROOT / ODCS).read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
OBJECTS = {each["name"]: each for each in DOCUMENT["schema"]}
VERSION = instrument_versions()[-1]


def test_the_document_is_valid_by_the_schema_of_the_standard() -> None:
    schema = json.loads(OpenDataContractStandard.json_schema())
    assert DOCUMENT["apiVersion"] in schema["properties"]["apiVersion"]["enum"]
    jsonschema.Draft201909Validator(schema).validate(DOCUMENT)


@FULL
def test_the_model_of_the_standard_reads_it() -> None:
    contract = OpenDataContractStandard.from_string(TEXT)
    assert [each.name for each in contract.schema_ or []] == [each["name"] for each in DOCUMENT["schema"]]


def test_a_fault_would_be_seen() -> None:
    schema = json.loads(OpenDataContractStandard.json_schema())
    faulty = {**DOCUMENT, "schema": [{**DOCUMENT["schema"][0], "rows": 1}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft201909Validator(schema).validate(faulty)


def test_it_has_every_dataset_of_every_instrument() -> None:
    assert set(OBJECTS) == set(ALL_DATASETS)
    held = {(named(each)["instrument"], named(each)["instrumentVersion"]) for each in DOCUMENT["schema"]}
    assert held == {(each.instrument, each.version) for each in instruments()}


def test_a_dataset_whose_key_nobody_said_is_refused_with_the_place_to_say_it() -> None:
    known = lines(shipped()["instruments.csv"])
    form, rest = known[0] | {"datasets": "keluarga anggota usaha"}, known[1:]
    asked = lines(shipped()["variables.csv"])
    more = [line | {"dataset": "usaha"} for line in asked if line["dataset"] == "rekap_vk"]
    texts = {"instruments.csv": written([form, *rest]), "variables.csv": written([*asked, *more])}
    with codebook({**shipped(), **texts}), pytest.raises(ConfigurationError, match=r"dataset usaha .*quality/odcs\.py"):
        odcs_document([])


@pytest.mark.parametrize("dataset", ALL_DATASETS)
def test_it_has_every_column_with_its_codes(dataset: str) -> None:
    version = named(OBJECTS[dataset])["instrumentVersion"]
    asked = variables(dataset, version)
    found = {each["name"]: each for each in OBJECTS[dataset]["properties"]}
    assert list(found) == [each.name for each in asked]
    for each in asked:
        listed = found[each.name].get("enum") or named(found[each.name]).get("sumOf", [])
        codes = [code.code for code in code_list(each.codes, version)] if each.codes else []
        assert [code["value"] for code in listed] == codes, each.name
        assert (found[each.name].get("classification") == "restricted") == bool(each.pii)


def test_it_has_every_rule_by_its_id() -> None:
    for dataset, suite in load_suites(PROJECT_ROOT / "expectations").items():
        version = named(OBJECTS[dataset])["instrumentVersion"]
        told = {each["id"]: each["severity"] for each in OBJECTS[dataset]["quality"]}
        words = {"critical": "error", "warning": "warning"}
        assert told == {rule.id: words[rule.severity] for rule in suite.applying(version)}


def test_it_has_the_schema_of_a_manifest() -> None:
    assert named(DOCUMENT)["manifestSchema"] == json.loads(manifest_schema())


@FULL
@pytest.mark.parametrize("format_", ["csv.gz", "jsonl.gz"])
@pytest.mark.parametrize("instrument", sorted({each.instrument for each in instruments()}))
def test_what_is_written_from_the_document_alone_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instrument: str, format_: str
) -> None:
    monkeypatch.setattr(contract_check, "Judge", CompiledJudge)
    folder = Stranger(DOCUMENT).deliver(tmp_path, instrument, format_)
    reference = write_reference(tmp_path / "frame", [frame_row()])
    suites = load_suites(PROJECT_ROOT / "expectations")
    asked = Asked(folder, no_services(tmp_path / "work"), suites, NIGHT, reference=reference)
    checked = check_delivery(asked)
    broken = {rule for (_, rule, severity), n in checked.violations.items() if n and severity == "critical"}
    assert (checked.verdict, checked.findings, broken) == ("accepted", [], set())
    assert [(each.judged, each.in_error) for each in checked.shares] == [(1, 0)] * len(checked.shares)
