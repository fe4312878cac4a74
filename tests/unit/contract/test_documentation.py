"""The published contract says what the code does: nothing stale, an example that is true, every reason named."""

import hashlib
import json
import re
from pathlib import Path

import jsonschema
import pytest

from regsosek.contract.codebook import ALL_DATASETS, DATASETS, Kind, all_variables
from regsosek.contract.manifest import Manifest, parse_manifest
from regsosek.contract.pages.documentation import (
    CONTRACT,
    EXAMPLE,
    SCHEMA,
    WRITTEN,
    documents,
    regions,
)
from regsosek.contract.reasons import Reason, rejection_reasons
from regsosek.landing.discovery import LANDING
from regsosek.quality.hold_limits import hold_limits
from regsosek.quality.hold_limits import regions as limit_regions
from regsosek.quality.reasons import explain
from regsosek.quality.rules import load_suites
from regsosek.settings import Settings
from regsosek.staging.engine import open_engine
from regsosek.staging.reading.files import read_part
from regsosek.staging.relations import stage
from support.deliveries.families import reference_tables

ROOT = Path(__file__).parents[3]
REGIONS = regions(ROOT)
CONTRACT_TEXT = (ROOT / CONTRACT).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "text"), documents(ROOT, limit_regions()).items(), ids=lambda value: getattr(value, "name", "")
)
def test_no_document_is_stale(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run `make fix`"


def test_a_region_that_nothing_fills_is_an_error(tmp_path: Path) -> None:
    (tmp_path / CONTRACT).parent.mkdir(parents=True)
    (tmp_path / CONTRACT).write_text("<!-- generated: nothing -->\n<!-- end -->\n")
    with pytest.raises(KeyError, match="nothing"):
        documents(tmp_path, {})


def test_what_lies_between_the_marks_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / CONTRACT).parent.mkdir(parents=True)
    (tmp_path / CONTRACT).write_text("before\n<!-- generated: kinds -->\nold\n<!-- end -->\nafter\n")
    text = documents(tmp_path, {})[tmp_path / CONTRACT]
    assert text.startswith("before\n<!-- generated: kinds -->\n| Type | Written as |")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "old" not in text


def test_the_contract_says_what_holds_a_delivery() -> None:
    for dataset, limit in hold_limits("64").items():
        assert f"| all | `{dataset}` | {limit.percent} % | {limit.least_rows} |" in CONTRACT_TEXT


def test_the_contract_names_bucket_and_prefixes() -> None:
    where = CONTRACT_TEXT.partition("## Where to")[2].partition("\n## ")[0]
    for name in (Settings.model_fields["landing_bucket"].default, LANDING, "reference/"):
        assert f"`{name}`" in where
    assert "key pair" in where


@pytest.mark.parametrize("dataset", ALL_DATASETS)
def test_every_column_is_documented_once(dataset: str) -> None:
    text = REGIONS["columns"](dataset)
    assert [v.name for v in all_variables(dataset) if text.count(f" | `{v.name}` | ") != 1] == []
    assert text.count("**UNCERTAIN**") == sum(v.uncertain for v in all_variables(dataset))


def test_every_kind_is_explained_and_every_code_list_has_its_anchor() -> None:
    assert {v.kind for dataset in DATASETS for v in all_variables(dataset)} == set(WRITTEN)
    assert set(WRITTEN) == set(Kind.__args__)
    targets = set(re.findall(r"\(#codes-(\w+)\)", CONTRACT_TEXT))
    assert targets == set(re.findall(r'id="codes-(\w+)"', CONTRACT_TEXT))


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", CONTRACT_TEXT):
        assert link.startswith("https://") or (ROOT / CONTRACT.parent / link).exists(), link


def test_every_reason_that_is_raised_is_documented_and_no_other() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "include").rglob("*.py"))
    raised = set(re.findall(r'(?:ContractBreachError\(\s*|reason=)"([a-z0-9_]+)"', source))
    documented = set(rejection_reasons())
    assert raised <= documented
    assert all(reason.text.id and reason.text.en for reason in rejection_reasons().values())


# What a checksum, an operator and the like are called among ourselves.
OURS = re.compile(r"sha-?256|hash|checksum|operator|parse|upload|file\b|header|error|row", re.IGNORECASE)


@pytest.mark.parametrize("reason", rejection_reasons().values(), ids=lambda reason: reason.id)
def test_every_reason_says_what_the_office_must_do_and_in_its_own_language(reason: Reason) -> None:
    """A mail shows it as it stands: what is wrong, a semicolon, what to do."""
    for text in (reason.text.id, reason.text.en):
        wrong, _, fix = text.partition("; ")
        assert wrong and fix, text
    assert not OURS.search(reason.text.id)


@pytest.fixture(scope="module")
def example() -> Path:
    return next((ROOT / EXAMPLE).rglob("manifest.json")).parent


def manifest_of(folder: Path) -> Manifest:
    province, delivery_id = folder.parts[-3].removeprefix("prov="), folder.name
    return parse_manifest((folder / "manifest.json").read_bytes(), province=province, delivery_id=delivery_id)


def test_the_manifest_of_the_example_is_true(example: Path) -> None:
    for file in manifest_of(example).files:
        content = (example / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)


def test_the_schema_accepts_the_example_and_refuses_what_the_code_refuses(example: Path) -> None:
    schema = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    content = json.loads((example / "manifest.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, schema)
    foreign = ({"instrument": "REGSOSEK22.GEOTAG"}, {"files": content["files"][:1]}, {"totals": {"keluarga": 1}})
    for change in ({"province": 64}, {"contract_version": "2"}, {"more": 1}, {"files": []}, *foreign):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content | change, schema)


def test_the_example_is_a_clean_family(example: Path, tmp_path: Path) -> None:
    manifest = manifest_of(example)
    suites = load_suites(ROOT / "expectations")
    with open_engine(tmp_path, memory_limit="200MB", threads=1) as connection:
        reference_tables(connection)
        for file in manifest.files:
            read_part(connection, file, example / file.name, version=manifest.instrument_version)
        version = manifest.instrument_version
        stage(connection, part=1, province=manifest.province, on=manifest.enumerated_to, version=version)
        for dataset in DATASETS:
            counts = explain(connection, dataset, suites[dataset].applying(version))
            assert {rule_id: n for rule_id, n in counts.items() if n} == {}
