"""What people read about the contract, made from what the code reads: column tables, code lists, schema, reasons.

``docs/landing-contract.md`` is written by hand but for its marked regions, which :func:`documents` fills; a test holds
the committed files to it.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from regsosek.contract.codebook import (
    ALL_DATASETS,
    STREAMS,
    Block,
    Code,
    Kind,
    Variable,
    block_lines,
    code_lines,
    variable_lines,
)
from regsosek.contract.drift import drift_policy
from regsosek.contract.instruments import Span, instrument_versions, instruments
from regsosek.contract.key_forms import key_forms
from regsosek.contract.manifest import DeliveredFile, Manifest
from regsosek.contract.reasons import rejection_reasons
from regsosek.contract.repairs import repair_kinds
from regsosek.wording import markdown

CONTRACT: Final = Path("docs/landing-contract.md")
SCHEMA: Final = Path("docs/landing-contract/manifest.schema.json")
EXAMPLE: Final = Path("docs/landing-contract/example")

# How a value of each kind is written, shorter than the patterns of staging and held to them by a test.
WRITTEN: Final[dict[Kind, str]] = {
    "key": "letters, digits, `. _ / -`; begins with a letter or digit",
    "digits": "exactly so many digits; leading zeros count",
    "text": "any text",
    "integer": "whole number without sign",
    "choice": "one code of the list",
    "bits": "sum of codes of the list",
    "date": "`YYYY-MM-DD`, years 1800 to 2099",
    "timestamp": "`YYYY-MM-DDThh:mm:ss`, up to 6 decimals, then `Z` or an offset up to 14 hours; years 1900 to 2099",
    "decimal": "decimal number with a point; no exponent",
}


def documents(root: Path, more: markdown.Regions) -> dict[Path, str]:
    """The text that each generated document below ``root``, the project's directory, must have.

    Args:
        more: what fills regions of the contract that speak of rooms above this one.

    Raises:
        KeyError: ``docs/landing-contract.md`` marks a region that nothing fills.
    """
    text = (root / CONTRACT).read_text(encoding="utf-8")
    return {root / CONTRACT: markdown.filled(text, {**regions(root), **more}), root / SCHEMA: manifest_schema()}


def regions(root: Path) -> markdown.Regions:
    """The regions of the contract that speak of this room, the example's from below ``root``."""
    example = root / EXAMPLE
    values = {
        "models": {"manifest": Manifest.model_json_schema(), "file": DeliveredFile.model_json_schema()},
        "json_type": _json_type,
        "written": WRITTEN,
        "known_instruments": instruments,
        "datasets_of_streams": STREAMS,
        "blocks": _blocks,
        "values_of": _values,
        "marked": _marked,
        "code_lists": _code_lists,
        "rejection_reasons": rejection_reasons,
        "drift_policy": drift_policy,
        "repair_kinds": repair_kinds,
        "known_key_forms": key_forms,
        "example": lambda name: _found(example, name).read_text(encoding="utf-8"),
        "example_rows": lambda dataset: _delivered_rows(_found(example, f"{dataset}-00001.csv.gz")),
    }
    return markdown.regions(__file__, values)


def manifest_schema() -> str:
    """The JSON Schema of a manifest, as its file has it."""
    return json.dumps(manifest_schema_document(), indent=2) + "\n"


def manifest_schema_document() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a manifest."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Manifest.model_json_schema()


def _json_type(field: dict[str, Any]) -> str:
    match field["type"]:
        case "string":
            return _json_text(field)
        case "integer":
            return f"whole number, {field['minimum']} to {field['maximum']}"
        case "object":
            return "object with the datasets of the instrument as names, whole numbers as values"
    if "minItems" in field:
        return f"list of {field['minItems']} to {field['maxItems']} objects, see below"
    return "list of ULIDs"


_FORMATS: Final = {
    "date": "text, `YYYY-MM-DD`, years 2000 to 2099",
    "date-time": "text, ISO 8601 with offset, same years",
}


def _json_text(field: dict[str, Any]) -> str:
    allowed = [field["const"]] if "const" in field else field.get("enum", [])
    if allowed:
        return " or ".join(f'`"{value}"`' for value in allowed)
    if "pattern" in field:
        return f"text like `{field['pattern']}`"
    return _FORMATS.get(field.get("format", ""), f"text, at most {field.get('maxLength')} characters")


def _marked(span: Span) -> str:
    """Which versions have something, where not all of them do."""
    if span.always:
        return ""
    first, last = span.versions[0], span.versions[-1]
    known = instrument_versions(span.instrument)
    if last == known[-1]:
        return f" **from version {first}**"
    if first == known[0]:
        return f" **until version {last}**"
    return f" **versions {first} to {last}**"


def _blocks(dataset: str) -> Iterator[tuple[list[Block], list[Variable]]]:
    """Each block of ``dataset``: its lines, one for each form that it has had, and its variables."""
    for name in dict.fromkeys(line.block for line in block_lines(dataset)):
        lines = [line for line in block_lines(dataset) if line.block == name]
        yield lines, [each for each in variable_lines(dataset) if each.block == name]


def _values(variable: Variable) -> str:
    if variable.codes:
        return f"[{variable.codes}](#codes-{variable.codes})"
    return "" if variable.minimum is None else f"{variable.minimum} to {variable.maximum}"


def _code_lists() -> list[tuple[str, Sequence[Code]]]:
    """All code lists in the order in which the columns use them."""
    used = dict.fromkeys(v.codes for dataset in ALL_DATASETS for v in variable_lines(dataset) if v.codes)
    return [(name, code_lines(name)) for name in used]


def _delivered_rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _found(example: Path, name: str) -> Path:
    return next(example.rglob(name))
