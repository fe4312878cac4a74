"""The contents of cases by the archived files: a hash of all their columns, made again with code of its own.

A case is the row of its family and those of its members, whatever the format, the order of columns and members, and
the version of the questionnaire. Whoever reads one value into another column gets another hash.
"""

import hmac
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import pandas as pd

from regsosek.contract.codebook import all_variables, variables
from regsosek.contract.instruments import first_version, instrument_of
from regsosek.contract.key_forms import NUMBER_OF_A_PERSON, any_form

HASH_DIGITS = 32
_MISSING, _BETWEEN = "\x1e", "\x1f"
_KEY = ("id_subsls", "r109_no_bangunan", "r110_no_keluarga")


def contents(families: pd.DataFrame, members: pd.DataFrame, keys: Sequence[bytes]) -> list[str]:
    """The hash of each row of ``families`` with its ``members``, by the texts of one part as they were read.

    Args:
        keys: of the deployment, the oldest first: a plain hash would tell what a family answered to whoever tries all
            answers.
    """
    by_family = _rosters(families, members)
    rows = _row_hashes("keluarga", families)
    return [_hashed(row + "".join(sorted(by_family.get(place, ()))), keys) for place, row in enumerate(rows)]


def message_contents(dataset: str, texts: pd.DataFrame, keys: Sequence[bytes]) -> list[str]:
    """The hash of each message of a stream, which stands alone."""
    return [_on(row.encode(), keys) for row in _row_hashes(dataset, texts)]


def _hashed(text: str, keys: Sequence[bytes]) -> str:
    return _on(sha256(text.encode()).hexdigest()[:HASH_DIGITS].encode(), keys)


def _on(told: bytes, keys: Sequence[bytes]) -> str:
    for key in keys:
        told = hmac.digest(key, told, "sha256")[: HASH_DIGITS // 2]
    return told.hex()


def _row_hashes(dataset: str, texts: pd.DataFrame) -> Iterator[str]:
    """Columns of the first version at their places, later ones by name where they are answered."""
    first = {each.name for each in variables(dataset, first_version(instrument_of(dataset)))}
    names = [each.name for each in all_variables(dataset)]
    placed = [name for name in names if name in first]
    named = [name for name in names if name not in first and name in texts]
    absent = [_MISSING] * len(texts)
    columns: list[Sequence[str]] = [_filled(texts[name]) if name in texts else absent for name in placed]
    for place, cells in enumerate(zip(*columns, strict=True)):
        later = (f"{name}={texts[name].iat[place]}" for name in named if texts[name].iat[place])
        yield sha256(_BETWEEN.join((*cells, *later)).encode()).hexdigest()


def _filled(column: "pd.Series[str]") -> list[str]:
    return column.where(column != "", _MISSING).to_list()


def _rosters(families: pd.DataFrame, members: pd.DataFrame) -> Mapping[int, list[str]]:
    """Hashes of members by the place of their family."""
    found: dict[int, list[str]] = defaultdict(list)
    for place, row in zip(families_of(families, members), _row_hashes("anggota", members), strict=True):
        found[place].append(row)
    return found


def families_of(families: pd.DataFrame, members: pd.DataFrame) -> list[int]:
    """The place of each member's family: that of its document and revision, else of its key.

    Raises:
        KeyError: a member has none.
    """
    by_revision: dict[tuple[str, str] | None, int] = {}
    by_key: dict[str, int] = {}
    for place, (revision, key) in enumerate(_claims(families)):
        if revision:
            by_revision.setdefault(revision, place)
        by_key.setdefault(key, place)
    return [by_revision[revision] if revision in by_revision else by_key[key] for revision, key in _claims(members)]


def _claims(texts: pd.DataFrame) -> Iterator[tuple[tuple[str, str] | None, str]]:
    """What each row says of its case: document and revision, if both can be read, and family key."""
    document, revision = texts["id_dokumen"], texts["versi"]
    readable = document.map(_is_document).astype(bool) & revision.str.fullmatch("[0-9]{1,9}")
    keys = zip(*(_as_number(texts[name]) if name != "id_subsls" else texts[name] for name in _KEY), strict=True)
    for known, name, number, key in zip(readable, document, _as_number(revision), keys, strict=True):
        yield ((name, number) if known else None), _BETWEEN.join(key)


def unshown_documents(families: pd.DataFrame) -> list[str]:
    """What each family is known by before it is hashed, where its document has no id that may be shown; else nothing.

    Args:
        families: texts of the document's id and of the family key.
    """
    numbers = (_as_number(families[name]) for name in _KEY[1:])
    rows = zip(families["id_dokumen"], families[_KEY[0]], *numbers, strict=True)
    return [
        "" if _is_document(document) else sha256((_BETWEEN.join(key) + document).encode()).hexdigest()[:HASH_DIGITS]
        for document, *key in rows
    ]


def _is_document(text: str) -> bool:
    return bool(re.fullmatch(any_form(), text)) and not re.search(NUMBER_OF_A_PERSON, text)


def _as_number(column: "pd.Series[str]") -> list[str]:
    """Numbers without leading zeros; what is no number stays."""
    digits = column.str.lstrip("0")
    number = digits.where(digits != "", "0")
    return number.where(column.str.fullmatch("[0-9]{1,9}"), column).to_list()
