"""What people read about the contract, made from what the code reads: column tables, code lists, schema, reasons.

``docs/landing-contract.md`` is written by hand but for regions marked ``<!-- generated: NAME -->``, which
:func:`documents` fills; a test holds the committed files to it.
"""

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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

CONTRACT: Final = Path("docs/landing-contract.md")
SCHEMA: Final = Path("docs/landing-contract/manifest.schema.json")
EXAMPLE: Final = Path("docs/landing-contract/example")
_REGION = re.compile(r"(?s)(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)")

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


def documents(root: Path, more: Mapping[str, Callable[[], str]]) -> dict[Path, str]:
    """The text that each generated document below ``root``, the project's directory, must have.

    Args:
        more: what fills regions of the contract that speak of rooms above this one.

    Raises:
        KeyError: ``docs/landing-contract.md`` marks a region that nothing fills.
    """
    contract = filled((root / CONTRACT).read_text(encoding="utf-8"), _regions(root / EXAMPLE) | dict(more))
    return {root / CONTRACT: contract, root / SCHEMA: manifest_schema()}


def filled(page: str, regions: Mapping[str, Callable[[], str]]) -> str:
    """``page`` with what lies between its marks replaced by what ``regions`` say, by name.

    Raises:
        KeyError: it marks a region that is not among them.
    """
    return _REGION.sub(lambda found: f"{found[1]}{regions[found['name']]()}\n{found[3]}", page)


def _regions(example: Path) -> dict[str, Callable[[], str]]:
    return {
        "kinds": kinds_table,
        "manifest": lambda: fields_table(Manifest),
        "files": lambda: fields_table(DeliveredFile),
        "instruments": instruments_table,
        "keluarga": lambda: columns_table("keluarga"),
        "anggota": lambda: columns_table("anggota"),
        "streams": streams_tables,
        "codes": codes_table,
        "reasons": reasons_table,
        "drift": drift_table,
        "repairs": repairs_table,
        "key-forms": key_forms_table,
        "example-manifest": lambda: _fenced("json", _found(example, "manifest.json").read_text(encoding="utf-8")),
        "example-keluarga": lambda: delivered_rows(_found(example, "keluarga-00001.csv.gz")),
        "example-anggota": lambda: delivered_rows(_found(example, "anggota-00001.csv.gz")),
    }


def manifest_schema() -> str:
    """The JSON Schema of a manifest, as its file has it."""
    return json.dumps(manifest_schema_document(), indent=2) + "\n"


def manifest_schema_document() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a manifest."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Manifest.model_json_schema()


def fields_table(model: type[Manifest] | type[DeliveredFile]) -> str:
    """The fields of a manifest or of one of its files, as a Markdown table."""
    schema = model.model_json_schema()
    needed = set(schema["required"])
    rows = [
        (f"`{name}`", _json_type(field), "yes" if name in needed else "no", field["description"])
        for name, field in schema["properties"].items()
    ]
    return table(("Field", "Type", "Required", "Meaning"), rows)


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


def kinds_table() -> str:
    """How values are written, by type, as a Markdown table."""
    return table(("Type", "Written as"), ((f"`{kind}`", text) for kind, text in WRITTEN.items()))


def instruments_table() -> str:
    """The known instruments and their versions, as a Markdown table."""
    rows = (
        (
            f"`{i.instrument}`",
            f"`{i.version}`",
            i.known_since.isoformat(),
            ", ".join(f"`{dataset}`" for dataset in i.datasets),
            f"{i.title_en} ({i.title_id})",
        )
        for i in instruments()
    )
    return table(("Instrument", "Version", "Known since", "Datasets", "What it is"), rows)


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


def columns_table(dataset: str) -> str:
    """The columns of ``dataset`` block by block, as Markdown tables; what differs between versions says so."""
    return "\n\n".join(_block_table(dataset, name) for name in dict.fromkeys(b.block for b in block_lines(dataset)))


def streams_tables() -> str:
    """The columns of every stream, each under a heading of its own."""
    return "\n\n".join(f"### Columns of `{dataset}`\n{columns_table(dataset)}" for dataset in STREAMS)


def _block_table(dataset: str, name: str) -> str:
    heads = (_block_head(asked) for asked in block_lines(dataset) if asked.block == name)
    rows = (_column(v) for v in variable_lines(dataset) if v.block == name)
    return "\n\n".join([*heads, table(_COLUMN_HEADS, rows)])


def _block_head(asked: Block) -> str:
    head = f"**Block {asked.block}: {asked.title_en}** ({asked.title_id}){_marked(asked.span)}"
    if asked.required_when != "TRUE":
        head += f". Asked where `{asked.applies_when}`; required where `{asked.required_when}`"
    return head


_COLUMN_HEADS: Final = ("Item", "Column", "Type", "Width", "Values", "Required", "Universe", "Class", "Meaning")


def _column(variable: Variable) -> tuple[str, ...]:
    return (
        variable.item,
        f"`{variable.name}`",
        f"`{variable.kind}`",
        "" if variable.width is None else str(variable.width),
        _values(variable),
        variable.required.replace("_", " "),
        f"`{variable.universe}`" if variable.universe else "",
        variable.pii,
        f"{variable.label_en} ({variable.label_id})"
        + (" **UNCERTAIN**" if variable.uncertain else "")
        + _marked(variable.span),
    )


def _values(variable: Variable) -> str:
    if variable.codes:
        return f"[{variable.codes}](#codes-{variable.codes})"
    return "" if variable.minimum is None else f"{variable.minimum} to {variable.maximum}"


def codes_table() -> str:
    """All code lists in the order in which the columns use them, each with an anchor of its own."""
    used = dict.fromkeys(v.codes for dataset in ALL_DATASETS for v in variable_lines(dataset) if v.codes)
    return "\n\n".join(_codes(name, code_lines(name)) for name in used)


def _codes(name: str, codes: Sequence[Code]) -> str:
    listed = "; ".join(f"`{c.code}` {c.label_en} ({c.label_id}){_marked(c.span)}" for c in codes)
    return f'<a id="codes-{name}"></a>**{name}**: {listed}'


def reasons_table() -> str:
    """The reasons for a rejection, as a Markdown table."""
    rows = ((f"`{reason.id}`", reason.text_en, reason.text_id) for reason in rejection_reasons().values())
    return table(("Reason", "Meaning", "As the province reads it"), rows)


def drift_table() -> str:
    """What a file may do to the columns of its dataset, as a Markdown table."""
    rows = ((f"`{d.dataset}`", f"`{d.kind}`", d.verdict, d.text_en, d.text_id) for d in drift_policy())
    return table(("Dataset", "Drift", "Verdict", "Meaning", "As the province reads it"), rows)


def repairs_table() -> str:
    """What reading repairs or leaves out, and counts, as a Markdown table."""
    rows = (
        (f"`{kind.kind}`", f"{kind.unit}s", "yes" if kind.told else "no", kind.text_en, kind.text_id)
        for kind in repair_kinds().values()
    )
    return table(("Repair", "Counted in", "Told", "Meaning", "As the province reads it"), rows)


def key_forms_table() -> str:
    """The forms that ids of documents and tags may have, as a Markdown table."""
    rows = ((f"`{each.pattern}`", f"`{each.example}`", each.text_en, each.text_id) for each in key_forms())
    return table(("Pattern", "Example", "Form", "As the province reads it"), rows)


def delivered_rows(path: Path) -> str:
    """The rows of a small delivered file turned on their side, columns that are empty throughout left out."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    heads = ("Column", *(f"Row {number}" for number in range(1, len(rows) + 1)))
    return table(heads, ((f"`{name}`", *(_shown(row[name]) for row in rows)) for name in names))


def _shown(value: str) -> str:
    return f"`{value}`" if value else ""


def _found(example: Path, name: str) -> Path:
    return next(example.rglob(name))


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
