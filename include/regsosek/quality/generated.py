"""Rules that follow from the codebook alone: type, width, range, code list and universe of every variable.

A rule that is the same in all versions of the questionnaire stands once; where versions differ it stands once for each
of its forms, under one id, and names the versions.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from regsosek.contract.codebook import (
    ALL_DATASETS,
    STREAMS,
    Block,
    Variable,
    all_variables,
    bit_mask,
    block,
    code_list,
    lone_codes,
    variables,
)
from regsosek.contract.instruments import instrument_of, instrument_versions
from regsosek.quality.rules import EXPECT_NO_ROWS_WHERE, Rule, Severity, row_condition
from regsosek.staging.reading.typing_sql import can_be_untyped, untyped_column

GX_VERSION = "1.24.1"
CATALOGUE_ID = re.compile(r"[A-Z]\d\d")  # as domain practice numbers its rules: H04, P12

KIND_ID = {
    "key": "huruf, angka, dan tanda hubung",
    "digits": "angka saja",
    "integer": "bilangan bulat",
    "choice": "kode angka",
    "bits": "jumlah kode",
    "date": "tanggal TTTT-BB-HH",
    "timestamp": "waktu TTTT-BB-HHTjj:mm:dd dengan selisih UTC",
    "decimal": "bilangan desimal dengan titik",
}
KIND_EN = {
    "key": "letters, digits and hyphens",
    "digits": "digits only",
    "integer": "a whole number",
    "choice": "a numeric code",
    "bits": "a sum of codes",
    "date": "a date YYYY-MM-DD",
    "timestamp": "a time YYYY-MM-DDThh:mm:ss with UTC offset",
    "decimal": "a decimal number with a point",
}


def reference(variable: Variable) -> str:
    """How rule ids name a variable: its item number, its name where several share the item, marked if also in K.

    A variable of a stream is named with its dataset: streams share names with each other and with K.

    A variable that comes with a later version is named beside those before it and never renames them: ids stay.
    """
    if variable.dataset in STREAMS:
        return f"{variable.dataset}-{variable.name}"
    name = variable.name if variable.reference in _shared(variable.dataset, _first(variable)) else variable.reference
    structural = variable.dataset == "anggota" and variable.name in _family_names(_first(variable))
    return f"anggota-{name}" if structural else name


@cache
def _first(variable: Variable) -> str:
    """The version that brought the variable, whatever its later forms."""
    versions = _versions(variable.dataset)
    return next(v for v in versions if variable.name in {x.name for x in variables(variable.dataset, v)})


def _versions(dataset: str) -> tuple[str, ...]:
    return instrument_versions(instrument_of(dataset))


@cache
def _known_by(dataset: str, version: str) -> tuple[Variable, ...]:
    """The variables that ``version`` and those before it have."""
    versions = _versions(dataset)
    known = versions[: versions.index(version) + 1]
    return tuple(v for v in all_variables(dataset) if _first(v) in known)


@cache
def _shared(dataset: str, version: str) -> frozenset[str]:
    counts = Counter(v.reference for v in _known_by(dataset, version))
    return frozenset(reference for reference, n in counts.items() if n > 1)


@cache
def _family_names(version: str) -> frozenset[str]:
    return frozenset(v.name for v in _known_by("keluarga", version))


def rule_id(variable: Variable, letter: str) -> str:
    """The id of the generated rule of kind ``letter`` (T type, W width, R range, C code list, U universe)."""
    named = {"T": "", "U": variable.universe_rule}.get(letter, variable.value_rule)
    return named or f"{letter}-{reference(variable)}"


def rules_of(variable: Variable, version: str) -> Iterator[Rule]:
    """The generated rules of one variable as ``version`` of the questionnaire has it."""
    yield from rules_by_kind(variable, version).values()


def rules_by_kind(variable: Variable, version: str) -> dict[str, Rule]:
    """The generated rules of one variable in ``version`` by the letter of their kind, see :func:`rule_id`."""
    asked = block(variable.dataset, variable.block, version)
    built = {
        "T": _type_rule(variable, asked),
        "W": _width_rule(variable, asked),
        "R": _range_rule(variable, asked),
        "C": _code_rule(variable, asked, version),
        "U": _universe_rule(variable, asked, version),
    }
    return {letter: rule for letter, rule in built.items() if rule is not None}


def _rule(
    variable: Variable, asked: Block, letter: str, type_: str, kwargs: dict[str, Any], text_id: str, text_en: str
) -> Rule:
    # Where only the codes of an item are uncertain, the skip that domain practice names is not (H03).
    uncertain = variable.uncertain and not (letter == "U" and variable.universe_rule)
    # A name of a place that holds a person's number says nothing against the family's answers.
    kept_back = letter == "T" and variable.is_shown_text
    severity: Severity = "warning" if uncertain or kept_back else asked.severity
    named = (
        f"Rincian {variable.item} ({variable.label_id})" if variable.item else f"{variable.label_id} ({variable.name})"
    )
    named_en = (
        f"Item {variable.item} ({variable.label_en})" if variable.item else f"{variable.label_en} ({variable.name})"
    )
    return Rule(
        id=rule_id(variable, letter),
        dataset=variable.dataset,
        severity=severity,
        type=type_,
        kwargs=kwargs,
        universe=_asked_where(variable, asked) if letter == "U" else asked.applies_when,
        source=_source(rule_id(variable, letter)) + (", UNCERTAIN" if uncertain else ""),
        text_id=f"{named}: {text_id}",
        text_en=f"{named_en}: {text_en}",
    )


def _asked_where(variable: Variable, asked: Block) -> str:
    by_block = asked.applies_when if variable.required == "no" else asked.required_when
    parts = [part for part in (by_block, variable.universe) if part not in {"", "TRUE"}]
    return parts[0] if len(parts) == 1 else " AND ".join(f"({part})" for part in parts) or "TRUE"


def _source(id_: str) -> str:
    in_catalogue = CATALOGUE_ID.match(id_)
    return f"codebook; domain 2.5 {in_catalogue.group()}" if in_catalogue else "codebook"


def _judged(asked: Block) -> dict[str, Any]:
    return {"row_condition": row_condition(asked.asked_column, asked.asked_codes)} if asked.asked_column else {}


def _type_rule(variable: Variable, asked: Block) -> Rule | None:
    if not can_be_untyped(variable):
        return None
    judged = f"{asked.asked_column} IN ({_codes(asked.asked_codes)}) AND " if asked.asked_column else ""
    return _rule(
        variable,
        asked,
        "T",
        # A predicate instead of Great Expectations' own null check: a quarter of its cost, over 140 rules.
        EXPECT_NO_ROWS_WHERE,
        {"condition": f"{judged}{untyped_column(variable.name)} IS NOT NULL"},
        *_type_text(variable),
    )


def _type_text(variable: Variable) -> tuple[str, str]:
    if variable.is_shown_key:
        return (
            "bentuknya tidak menurut kontrak (UUID, ULID, atau nomor urut), sehingga mungkin memuat NIK, nomor KK, "
            "nomor telepon, atau nama orang. Beri nomor yang tidak dibuat dari data pribadi.",
            "the id has none of the contract's forms (UUID, ULID, serial number), so it may hold a NIK, a KK number, a "
            "phone number or a name.",
        )
    if variable.is_shown_text:
        return (
            "memuat nomor yang mungkin nomor telepon, NIK, atau letak rumah, atau tanda yang tidak terlihat, sehingga "
            "tidak ditampilkan. Tulis namanya saja.",
            "holds what may be a phone, a NIK or a position, or characters that are not seen, so it is kept back.",
        )
    return (
        f"isian tidak terbaca, seharusnya {KIND_ID[variable.kind]}. Perbaiki isian sesuai jawaban responden.",
        f"the value cannot be read as {KIND_EN[variable.kind]}.",
    )


def _codes(codes: Iterable[int]) -> str:
    return ", ".join(map(str, codes))


def _width_rule(variable: Variable, asked: Block) -> Rule | None:
    if not variable.is_text or variable.width is None or variable.is_shown_key:  # no form of an id is longer
        return None
    low = variable.width if variable.kind == "digits" else 1
    kwargs = {"column": variable.name, "min_value": low, "max_value": variable.width, **_judged(asked)}
    exact = variable.kind == "digits"
    return _rule(
        variable,
        asked,
        "W",
        "expect_column_value_lengths_to_be_between",
        kwargs,
        f"harus tepat {variable.width} digit. Periksa kembali."
        if exact
        else f"paling banyak {variable.width} karakter.",
        f"must be exactly {variable.width} digits." if exact else f"must be at most {variable.width} characters.",
    )


def _range_rule(variable: Variable, asked: Block) -> Rule | None:
    if variable.minimum is None or variable.maximum is None:
        return None
    kwargs = {"column": variable.name, "min_value": variable.minimum, "max_value": variable.maximum, **_judged(asked)}
    return _rule(
        variable,
        asked,
        "R",
        "expect_column_values_to_be_between",
        kwargs,
        f"harus antara {variable.minimum} dan {variable.maximum}. Tanyakan kembali.",
        f"must lie between {variable.minimum} and {variable.maximum}.",
    )


def _code_rule(variable: Variable, asked: Block, version: str) -> Rule | None:
    if not variable.codes:
        return None
    codes = [code.code for code in code_list(variable.codes, version)]
    if variable.kind == "bits":
        return _bits_rule(variable, asked, version)
    return _rule(
        variable,
        asked,
        "C",
        "expect_column_values_to_be_in_set",
        {"column": variable.name, "value_set": codes, **_judged(asked)},
        f"kode di luar daftar ({_shown(codes)}). Pilih kode yang sesuai dengan jawaban.",
        f"the code is not in the list ({_shown(codes)}).",
    )


def _bits_rule(variable: Variable, asked: Block, version: str) -> Rule:
    mask, lone = bit_mask(variable.codes, version), lone_codes(variable.codes, version)
    alone = f" AND {variable.name} NOT IN ({_codes(lone)})" if lone else ""
    largest = f"{mask}, atau {_codes(lone)}" if lone else str(mask)
    largest_en = f"{mask}, or {_codes(lone)}" if lone else str(mask)
    condition = f"({asked.applies_when}) AND {variable.name} & ~{mask} <> 0{alone}"
    return _rule(
        variable,
        asked,
        "C",
        EXPECT_NO_ROWS_WHERE,
        {"condition": condition},
        f"bukan jumlah kode yang sah (paling besar {largest}). Jumlahkan kembali.",
        f"is not a sum of the listed codes (at most {largest_en}).",
    )


def _shown(codes: list[int] | tuple[int, ...]) -> str:
    run = list(codes) == list(range(codes[0], codes[0] + len(codes))) and len(codes) > 2  # noqa: PLR2004 - two codes are no run
    return f"{codes[0]}-{codes[-1]}" if run else _codes(codes)


def _universe_rule(variable: Variable, asked: Block, version: str) -> Rule | None:
    conditions = [c for c in (_missing(variable, asked), _filled_outside(variable, asked, version)) if c]
    if not conditions:
        return None
    text_id, text_en = _universe_text(variable)
    return _rule(variable, asked, "U", EXPECT_NO_ROWS_WHERE, {"condition": " OR ".join(conditions)}, text_id, text_en)


def _missing(variable: Variable, asked: Block) -> str:
    if variable.required == "no":
        return ""
    inside = [f"({part})" for part in (asked.required_when, variable.universe) if part not in {"", "TRUE"}]
    untyped = f" AND {untyped_column(variable.name)} IS NULL" if can_be_untyped(variable) else ""
    return f"({' AND '.join([*inside, f'{variable.name} IS NULL{untyped}'])})"


def _filled_outside(variable: Variable, asked: Block, version: str) -> str:
    # An item of block I asked only for complete results is optional otherwise, not forbidden.
    if not variable.universe or variable.required == "yes_outside_free" or asked.applies_when == "TRUE":
        return ""
    universe = _known_universe(variable, version)
    return f"(({asked.applies_when}) AND NOT ({universe}) AND {variable.name} IS NOT NULL)"


def _known_universe(variable: Variable, version: str) -> str:
    """A universe that asks whether another item is given can't tell when that item is unreadable: then it is NULL."""
    universe = variable.universe
    for other in variables(variable.dataset, version):
        given = f"{other.name} IS NOT NULL"
        if given in universe:
            universe = universe.replace(given, f"CASE WHEN {untyped_column(other.name)} IS NULL THEN {given} END")
    return universe


def _universe_text(variable: Variable) -> tuple[str, str]:
    if not variable.universe:
        return "belum terisi. Tanyakan dan isi.", "is missing."
    if variable.required == "no":
        return (
            "terisi padahal tidak ditanyakan. Kosongkan, atau perbaiki rincian yang mendahuluinya.",
            f"is filled outside its universe ({variable.universe}).",
        )
    return (
        "kosong padahal harus terisi, atau terisi padahal tidak ditanyakan. "
        "Tanyakan kembali, atau perbaiki rincian yang mendahuluinya.",
        f"is missing inside its universe or filled outside ({variable.universe}).",
    )


@dataclass(frozen=True)
class CodebookRule:
    """A generated rule, the letter of its kind, and the variable that it follows from as ``version`` has it."""

    kind: str
    rule: Rule
    variable: Variable
    version: str


def codebook_rules(dataset: str) -> Iterator[CodebookRule]:
    """The generated rules of ``dataset``, all forms of all versions, in the order of the variables."""
    for newest in all_variables(dataset):
        forms = defaultdict[str, list[CodebookRule]](list)
        for version in _versions(dataset):
            for variable in (v for v in variables(dataset, version) if v.name == newest.name):
                for kind, rule in rules_by_kind(variable, version).items():
                    forms[rule.id].append(CodebookRule(kind, rule, variable, version))
        for same_id in forms.values():
            yield from _once_per_form(same_id)


def _once_per_form(forms: list[CodebookRule]) -> Iterator[CodebookRule]:
    """Equal rules of several versions as one; it names its versions unless it has them all."""
    while forms:
        first = forms[0]
        versions = tuple(each.version for each in forms if each.rule == first.rule)
        forms = [each for each in forms if each.rule != first.rule]
        always = versions == _versions(first.variable.dataset)
        yield first if always else replace(first, rule=replace(first.rule, instrument_versions=versions))


def generated_rules(dataset: str) -> Iterator[Rule]:
    """The rules of :func:`codebook_rules` alone."""
    for each in codebook_rules(dataset):
        yield each.rule


def suite_document(dataset: str) -> str:
    """The text of ``expectations/<dataset>.codebook.json``."""
    expectations = [rule.expectation() for rule in generated_rules(dataset)]
    suite = {
        "name": f"{dataset}.codebook",
        "notes": "Generated from include/regsosek/contract/codebook by `make fix`; do not edit.",
        "meta": {"great_expectations_version": GX_VERSION},
        "expectations": expectations,
    }
    return json.dumps(suite, ensure_ascii=False, indent=1) + "\n"


def generated_suites(directory: Path) -> dict[Path, str]:
    """The text that each generated suite in ``directory`` must have."""
    return {directory / f"{dataset}.codebook.json": suite_document(dataset) for dataset in ALL_DATASETS}
