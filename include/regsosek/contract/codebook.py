"""The codebook of questionnaire K and of the streams as data: variables, code lists and blocks, read from CSV files.

Types, DDL, staging SQL, the simulator, the generated rules and the documentation all derive from here; adding a
variable or a code is an edit in ``codebook/variables.csv`` or ``codebook/codes.csv`` alone. Each line says in ``since``
and ``until`` which versions of its instrument have it; whoever reads a file names its version, whoever stores or
shows all of them asks for all.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from regsosek.contract.instruments import (
    QUESTIONNAIRE,
    Span,
    codebook_text,
    datasets_of,
    first_version,
    instrument_of,
    instruments,
)

# ``instruments.csv`` lists the datasets. Those of questionnaire K come in aligned parts; a stream has one of its own.
DATASETS: Final = datasets_of(QUESTIONNAIRE, first_version())
ALL_DATASETS: Final = tuple(dict.fromkeys(dataset for each in instruments() for dataset in each.datasets))
STREAMS: Final = tuple(dataset for dataset in ALL_DATASETS if dataset not in DATASETS)
if TYPE_CHECKING:
    AnyDataset = str
    QuestionnaireDataset = str
else:  # known when the module is loaded; pydantic and FastAPI refuse any other name
    AnyDataset = Literal[ALL_DATASETS]
    QuestionnaireDataset = Literal[DATASETS]
CODEBOOK_FILES: Final = ("variables.csv", "codes.csv", "blocks.csv", "levels.csv", "instruments.csv")

Kind = Literal["key", "digits", "text", "integer", "choice", "bits", "date", "timestamp", "decimal"]
Required = Literal["yes", "no", "yes_outside_free"]
TEXT_KINDS: Final = frozenset({"key", "digits", "text"})


@dataclass(frozen=True)
class Code:
    """One answer of a code list."""

    code: int
    label_id: str
    label_en: str
    span: Span


@dataclass(frozen=True)
class Block:
    """A block of the questionnaire, and when its items are asked for.

    ``required_when`` and ``applies_when`` are SQL predicates over the rows that the rules see: inside
    ``required_when`` an item of the block must be given, inside ``applies_when`` its skips are checked at all
    (result 205 = 2, incomplete, relaxes completeness but not skips). Values of the block are judged only where
    ``asked_column`` holds one of ``asked_codes``; an empty column judges them everywhere.
    """

    dataset: str
    block: str
    title_id: str
    title_en: str
    severity: Literal["critical", "warning"]
    required_when: str
    applies_when: str
    asked_column: str
    asked_codes: tuple[int, ...]
    span: Span


@dataclass(frozen=True)
class Variable:
    """One column of a dataset, as the versions in ``span`` have it.

    Attributes:
        item: number on the form, empty for structural columns.
        width: digits of a number or code, greatest length of a text.
        codes: name of its code list, empty if it has none.
        universe: SQL predicate: who is asked; empty means everyone the block asks.
        required: inside the universe ``yes`` or ``no``; ``yes_outside_free`` also allows answers outside of it.
        pii: class of personal data, empty if none; any class keeps the column in schema ``restricted``.
        uncertain: the sources conflict or are weak: its rules warn, but for a skip with an id of its own.
        value_rule, universe_rule: ids of the generated rules where domain practice has one.
    """

    dataset: str
    block: str
    item: str
    name: str
    kind: Kind
    width: int | None
    minimum: int | None
    maximum: int | None
    codes: str
    universe: str
    required: Required
    pii: str
    uncertain: bool
    value_rule: str
    universe_rule: str
    label_id: str
    label_en: str
    span: Span

    @property
    def is_text(self) -> bool:
        """Stays text when typed, so nothing in it can be untypable."""
        return self.kind in TEXT_KINDS

    @property
    def is_shown_key(self) -> bool:
        """An id that people see in work lists: it must have one of the forms of ``key_forms.csv``."""
        return self.kind == "key" and not self.pii

    @property
    def is_shown_text(self) -> bool:
        """Free text that people see, as the name of an SLS: a person's number in it is kept back."""
        return self.kind == "text" and not self.pii

    @property
    def reference(self) -> str:
        """How people name it: the item number, else the column name."""
        return self.item or self.name


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def _integer(text: str) -> int | None:
    return int(text) if text else None


def _span(row: Mapping[str, str], dataset: str) -> Span:
    # Archived codebooks of the first nights lack these columns: the questionnaire had one version.
    return Span(row.get("since", ""), row.get("until", ""), instrument_of(dataset))


def _variable(row: dict[str, str]) -> Variable:
    return Variable(
        dataset=row["dataset"],
        block=row["block"],
        item=row["item"],
        name=row["name"],
        kind=row["type"],  # type: ignore[arg-type]  # the unit test of the codebook holds the file to the literals
        width=_integer(row["width"]),
        minimum=_integer(row["minimum"]),
        maximum=_integer(row["maximum"]),
        codes=row["codes"],
        universe=row["universe"],
        required=row["required"],  # type: ignore[arg-type]  # as above
        pii=row["pii"],
        uncertain=row["mark"] == "UNCERTAIN",
        value_rule=row["value_rule"],
        universe_rule=row["universe_rule"],
        label_id=row["label_id"],
        label_en=row["label_en"],
        span=_span(row, row["dataset"]),
    )


def _block(row: dict[str, str]) -> Block:
    return Block(
        dataset=row["dataset"],
        block=row["block"],
        title_id=row["title_id"],
        title_en=row["title_en"],
        severity=row["severity"],  # type: ignore[arg-type]  # as above
        required_when=row["required_when"],
        applies_when=row["applies_when"],
        asked_column=row["asked_column"],
        asked_codes=tuple(int(code) for code in row["asked_codes"].split()),
        span=_span(row, row["dataset"]),
    )


def _code(row: dict[str, str], dataset: str) -> Code:
    return Code(int(row["code"]), row["label_id"], row["label_en"], _span(row, dataset))


def _in_version(lines: Iterable[Variable], version: str) -> tuple[Variable, ...]:
    return tuple(line for line in lines if version in line.span.versions)


@cache
def variable_lines(dataset: str) -> tuple[Variable, ...]:
    """Every line of ``dataset`` in ``variables.csv``: a variable that changed has one for each of its forms."""
    return tuple(_variable(row) for row in _rows(codebook_text("variables.csv")) if row["dataset"] == dataset)


@cache
def variables(dataset: str, version: str) -> tuple[Variable, ...]:
    """The variables of ``dataset`` in ``version`` of the questionnaire, in the order of its files' columns."""
    return _in_version(variable_lines(dataset), version)


@cache
def all_variables(dataset: str) -> tuple[Variable, ...]:
    """Every variable that any version of ``dataset`` has, once and in its newest form: what the warehouse holds."""
    newest = {line.name: line for line in variable_lines(dataset)}
    return tuple(newest.values())


@cache
def variable(dataset: str, name: str, version: str) -> Variable:
    """The variable ``name`` of ``dataset`` in ``version``.

    Raises:
        KeyError: no such variable.
    """
    return {v.name: v for v in variables(dataset, version)}[name]


@cache
def block_lines(dataset: str) -> tuple[Block, ...]:
    """Every line of ``dataset`` in ``blocks.csv``; of a stream without any, the block that is its whole form."""
    lines = tuple(_block(row) for row in _rows(codebook_text("blocks.csv")) if row["dataset"] == dataset)
    return lines if lines or dataset in DATASETS else _whole_forms(dataset)


def _whole_forms(stream: str) -> tuple[Block, ...]:
    titles = {each.instrument: each for each in instruments()}[instrument_of(stream)]
    return tuple(
        Block(stream, name, titles.title_id, titles.title_en, "critical", "TRUE", "TRUE", "", (), _span({}, stream))
        for name in dict.fromkeys(variable.block for variable in variable_lines(stream))
    )


@cache
def block(dataset: str, name: str, version: str) -> Block:
    """The block ``name`` of ``dataset`` in ``version``."""
    return {b.block: b for b in block_lines(dataset) if version in b.span.versions}[name]


@cache
def code_lines(name: str) -> tuple[Code, ...]:
    """Every line of list ``name`` in ``codes.csv``; its versions are those of the instrument that uses it."""
    dataset = next((d for d in ALL_DATASETS if name in {v.codes for v in variable_lines(d)}), DATASETS[0])
    return tuple(_code(row, dataset) for row in _rows(codebook_text("codes.csv")) if row["codes"] == name)


@cache
def code_list(name: str, version: str) -> tuple[Code, ...]:
    """The codes of list ``name`` in ``version``, in their printed order."""
    return tuple(code for code in code_lines(name) if version in code.span.versions)


def bit_mask(name: str, version: str) -> int:
    """The sum of all bits of the bit list ``name``."""
    return sum(code.code for code in code_list(name, version) if _is_bit(code.code))


def lone_codes(name: str, version: str) -> tuple[int, ...]:
    """Codes of the bit list ``name`` that stand alone and never add up, such as 99 (does not know)."""
    return tuple(code.code for code in code_list(name, version) if code.code and not _is_bit(code.code))


def _is_bit(code: int) -> bool:
    return code > 0 and code & (code - 1) == 0


@cache
def codebook_document() -> bytes:
    """The codebook's files as one document, for the archive of what a night was judged by."""
    return "".join(f"# {name}\n{codebook_text(name)}" for name in CODEBOOK_FILES).encode()


@cache
def codebook_version() -> str:
    """SHA-256 of the codebook document."""
    return hashlib.sha256(codebook_document()).hexdigest()


def columns_of(document: bytes, instrument: str, version: str) -> tuple[tuple[str, str, Kind, str], ...]:
    """What reading and storing files of ``version`` of ``instrument`` rests on, by an archived codebook ``document``.

    Returns:
        dataset, name, type and class of personal data of every variable, in the order of the files' columns.
    """
    text = document.decode().removeprefix("# variables.csv\n").partition("# codes.csv\n")[0]
    own = datasets_of(instrument, version)
    lines = _in_version((_variable(row) for row in _rows(text) if row["dataset"] in own), version)
    return tuple((line.dataset, line.name, line.kind, line.pii) for line in lines)
