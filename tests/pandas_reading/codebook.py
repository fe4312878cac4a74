"""The rules of the codebook: what type, width, range, code list and universe of a variable mean, for any variable.

Codes, widths and ranges are the codebook's own; who is asked is read off the form (:mod:`pandas_reading.universes`).
"""

from functools import partial
from itertools import combinations
from typing import Any

import pandas as pd

from pandas_reading import universes
from pandas_reading.answers import Answers
from pandas_reading.logic import certain, everywhere, known
from pandas_reading.part import Part
from pandas_reading.registry import READINGS
from regsosek.contract.codebook import DATASETS, Variable, code_list, variables
from regsosek.quality.generated import rule_id
from support.deliveries.families import VERSION

ALWAYS_JUDGED = ("0", "I", "II", "VI", "P", "IV-A")
# An answer of 0 means "none"; any other code that is no power of two stands alone.
LONE_CODES = {"jaminan_kesehatan": (99,), "jaminan_ketenagakerjaan": (99,)}


def rows_of(part: Part, dataset: str) -> Answers:
    """The judged rows of ``dataset``."""
    return part.families if dataset == "keluarga" else part.members


def judged(variable: Variable, rows: Answers) -> "pd.Series[bool]":
    """Where answers to ``variable`` are looked at: in families that were interviewed, of whoever lives there."""
    if variable.block in ALWAYS_JUDGED:
        return everywhere(rows.values.iloc[:, 0])
    interviewed = universes.visited(rows)
    return interviewed & universes.exists(rows) if variable.dataset == "anggota" else interviewed


def type_rule(variable: Variable, part: Part) -> "pd.Series[bool]":
    """Something stands there that cannot be read."""
    rows = rows_of(part, variable.dataset)
    return certain(judged(variable, rows) & rows.unreadable[variable.name])


def width_rule(variable: Variable, part: Part) -> "pd.Series[bool]":
    """Digits: exactly so many. Other text: at most so many characters."""
    rows = rows_of(part, variable.dataset)
    length = rows[variable.name].str.len()
    wrong = length != variable.width if variable.kind == "digits" else length > variable.width
    return certain(judged(variable, rows) & wrong)


def range_rule(variable: Variable, part: Part) -> "pd.Series[bool]":
    """Smaller than the smallest, or greater than the greatest."""
    rows = rows_of(part, variable.dataset)
    value = rows[variable.name]
    return certain(judged(variable, rows) & ((value < variable.minimum) | (value > variable.maximum)))


def code_rule(variable: Variable, part: Part) -> "pd.Series[bool]":
    """Neither a code of the list nor, for bits, a sum of some of its codes."""
    rows = rows_of(part, variable.dataset)
    value = rows[variable.name]
    return certain(judged(variable, rows) & known(value, ~value.isin(allowed_codes(variable))))


def allowed_codes(variable: Variable) -> set[int]:
    """All answers that the code list of ``variable`` allows."""
    codes = [code.code for code in code_list(variable.codes, VERSION)]
    if variable.kind != "bits":
        return set(codes)
    lone = LONE_CODES.get(variable.codes, ())
    bits = [code for code in codes if code not in lone]
    return {sum(chosen) for n in range(len(bits) + 1) for chosen in combinations(bits, n)} | set(lone)


def universe_rule(variable: Variable, part: Part) -> "pd.Series[bool]":
    """Missing where it must be given, or filled where it is not asked."""
    rows = rows_of(part, variable.dataset)
    asked = universes.UNIVERSES[variable.dataset].get(variable.name)
    inside = asked(rows) if asked else everywhere(rows[variable.name])
    violated = certain(_required(variable, rows) & inside & rows.missing(variable.name))
    if asked and variable.block in {"III", "IV-B", "V"} and variable.required != "yes_outside_free":
        violated |= certain(judged(variable, rows) & ~inside & rows.filled(variable.name))
    return violated


def _required(variable: Variable, rows: Answers) -> "pd.Series[bool]":
    if variable.required == "no":
        return ~everywhere(rows[variable.name])
    if variable.block in ALWAYS_JUDGED:
        return everywhere(rows[variable.name])
    return universes.complete(rows) & judged(variable, rows)


def has_universe_rule(variable: Variable) -> bool:
    """It must be given somewhere, or must not be given somewhere."""
    return variable.required != "no" or variable.name in universes.UNIVERSES[variable.dataset]


def _register(variable: Variable) -> None:
    kinds: dict[str, tuple[Any, bool]] = {
        "T": (type_rule, variable.kind != "text" or not variable.pii),
        "W": (width_rule, variable.kind in {"digits", "text"} or bool(variable.kind == "key" and variable.pii)),
        "R": (range_rule, variable.maximum is not None),
        "C": (code_rule, bool(variable.codes)),
        "U": (universe_rule, has_universe_rule(variable)),
    }
    for letter, (reading, applies) in kinds.items():
        if applies:
            READINGS[rule_id(variable, letter)] = partial(reading, variable)


for _dataset in DATASETS:
    for _variable in variables(_dataset, VERSION):
        _register(_variable)
