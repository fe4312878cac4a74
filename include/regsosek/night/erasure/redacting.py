"""One part of a delivery written anew without the answers of some families, and proved to be the same but for them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pandas as pd

from regsosek.contract.codebook import DATASETS, variables
from regsosek.contract.manifest import DeliveredFile, Manifest
from regsosek.errors import ObjectStoreError
from regsosek.geography.provinces import clock_offset
from regsosek.landing.intake import FetchedFile
from regsosek.privacy.erasure.redaction import DOCUMENT, KEPT, MARKED, Change, kept_pattern, rewrite
from regsosek.privacy.erasure.tombstones import new_mark
from regsosek.release.rereading.archived_text import UNREADABLE, read_columns
from regsosek.release.rereading.contents import contents, families_of, message_contents, unshown_documents
from regsosek.staging.pseudonyms import HashKeys

Texts = Mapping[str, pd.DataFrame]
CARD, NIK = "r114_no_kk", "r403_nik"
TAGS = "geotag"
_MOST_DRAWS = 2000
_OF_TAG = ("id_tag", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", MARKED[TAGS])
_OF_DOCUMENT = (DOCUMENT, "id_subsls", "r109_no_bangunan", "r110_no_keluarga")
# What tells a family's members, and the numbers that families may have in common.
_NUMBERED = (DOCUMENT, "versi", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", CARD, NIK)


@dataclass(frozen=True)
class Numbers:
    """Numbers of families and persons, for comparing alone."""

    cards: frozenset[str] = field(default=frozenset(), repr=False)
    niks: frozenset[str] = field(default=frozenset(), repr=False)

    def __or__(self, other: "Numbers") -> "Numbers":
        """Those of both."""
        return Numbers(self.cards | other.cards, self.niks | other.niks)


@dataclass(frozen=True)
class Emptied:
    """A family row that is to be emptied.

    Attributes:
        row_no: from 1.
        document: the id that it has from now on.
        mark: the text that tells it from other erased contents.
        placeless: its sub-SLS is none, so that its digits may be somebody's number.
        between: the content hash, in hex, must come to lie from the first to before the second: of two statements that
            are else equal the one with the greater hash speaks, and that is to stay so. Then another mark is drawn
            until it does.
    """

    row_no: int
    document: str
    mark: str
    placeless: bool
    between: tuple[str, str] | None = None


@dataclass(frozen=True)
class RedactedPart:
    """A part as it is now.

    Attributes:
        hashes: the content hash of each emptied family row, by its number.
        marks: of each emptied row, by its number.
        numbers: that stood in the emptied rows; they are kept nowhere.
    """

    files: tuple[FetchedFile, ...]
    hashes: Mapping[int, str]
    marks: Mapping[int, str]
    numbers: Numbers


def redact_part(
    manifest: Manifest, files: Sequence[FetchedFile], emptied: Sequence[Emptied], keys: HashKeys, scratch: Path
) -> RedactedPart:
    """Empties the rows of some families and of their members.

    Raises:
        ObjectStoreError: what was written is not the same but for them, or the files cannot be read; nothing was kept.
    """
    try:
        given = {str(file.delivered.dataset): _texts(manifest, file) for file in files}
        places = families_of(given["keluarga"], given["anggota"])
        emptied = _all_fit(emptied, given, places, keys)
        written = tuple(_rewritten(file, given, places, emptied, scratch) for file in files)
        now = {str(file.delivered.dataset): _texts(manifest, file) for file in written}
        hashes = _proved(given, now, places, emptied, keys)
    except (*UNREADABLE, KeyError) as error:
        raise _cannot(manifest, files[0].delivered.part, error) from None
    marks = {each.row_no: each.mark for each in emptied}
    return RedactedPart(written, hashes, marks, _numbers(given, places, {each.row_no - 1 for each in emptied}))


def read_documents(manifest: Manifest, file: FetchedFile) -> list[tuple[str, str]]:
    """The id of each family row as it was delivered, and what is hashed in place of one that may not be shown."""
    rows = _read(manifest, file.delivered, file.path, _OF_DOCUMENT)
    return list(zip(rows[DOCUMENT], unshown_documents(rows), strict=True))


@dataclass(frozen=True)
class RedactedTags:
    """A file of tags as it is now, and the content hash of each emptied row by its number."""

    file: FetchedFile
    hashes: Mapping[int, str]


def redact_tags(
    manifest: Manifest, file: FetchedFile, marks: Mapping[int, str], keys: HashKeys, scratch: Path
) -> RedactedTags:
    """Empties tags of houses: rows by number, each with what tells it from others.

    Raises:
        ObjectStoreError: as :func:`redact_part` does.
    """
    try:
        given = _texts(manifest, file)
        emptied = {row: Emptied(row, "", mark, placeless=False) for row, mark in marks.items()}
        changes = {row: _change(TAGS, given.iloc[row - 1], each) for row, each in emptied.items()}
        written = FetchedFile(file.delivered, scratch / f"emptied-{file.delivered.name}")
        rewrite(file.path, written.path, file.delivered.format, changes)
        now = _texts(manifest, written)
        others = [row + 1 not in marks for row in range(len(given))]
        if not given[others].equals(now[others]):
            raise ValueError("another tag changed")
        _require_empty(TAGS, now[[not other for other in others]])
        hashes = message_contents(TAGS, now, keys)
    except (*UNREADABLE, KeyError) as error:
        raise _cannot(manifest, file.delivered.part, error) from None
    return RedactedTags(written, {row: hashes[row - 1] for row in marks})


def read_tags(manifest: Manifest, file: FetchedFile) -> list[tuple[str, ...]]:
    """The id of each tag, its number of building and family, and what may be its mark, as it was delivered."""
    rows = _read(manifest, file.delivered, file.path, _OF_TAG)
    return list(zip(*(rows[name].to_list() for name in _OF_TAG), strict=True))


def _cannot(manifest: Manifest, part: int, error: Exception) -> ObjectStoreError:
    # The kind of error is enough: its text may quote a value.
    return ObjectStoreError(
        f"delivery {manifest.delivery_id}: part {part} cannot be written anew ({type(error).__name__}); "
        "nothing of it was changed"
    )


def _require_empty(dataset: str, rows: pd.DataFrame) -> None:
    answers = rows.drop(columns=[DOCUMENT, *MARKED.values(), *KEPT[dataset]], errors="ignore")
    if (answers != "").any(axis=None):
        raise ValueError("an answer was left")


def _texts(manifest: Manifest, file: FetchedFile) -> pd.DataFrame:
    names = [each.name for each in variables(file.delivered.dataset, manifest.instrument_version)]
    return _read(manifest, file.delivered, file.path, names)


def _read(manifest: Manifest, file: DeliveredFile, path: Path, names: Sequence[str]) -> pd.DataFrame:
    expected = [v for v in variables(file.dataset, manifest.instrument_version) if v.name in names]
    offset: timedelta = clock_offset(manifest.province, manifest.produced_at)
    return read_columns(path, file.format, expected, offset)


def _rewritten(
    file: FetchedFile, given: Texts, places: Sequence[int], emptied: Sequence[Emptied], scratch: Path
) -> FetchedFile:
    dataset = file.delivered.dataset
    by_place = {each.row_no - 1: each for each in emptied}
    changes = {
        row + 1: _change(dataset, given[dataset].iloc[row], by_place[place])
        for row, place in enumerate(range(len(given[dataset])) if dataset == "keluarga" else places)
        if place in by_place
    }
    if not changes:
        return file
    target = scratch / f"emptied-{file.delivered.name}"
    rewrite(file.path, target, file.delivered.format, changes)
    return FetchedFile(file.delivered, target)


def _all_fit(emptied: Sequence[Emptied], given: Texts, places: Sequence[int], keys: HashKeys) -> list[Emptied]:
    """Each with a mark that fits; rows that came with one mark, having equal contents, leave with one."""
    drawn: dict[str, str] = {}
    for each in emptied:
        if each.mark not in drawn:
            drawn[each.mark] = _fit(each, given, places, keys).mark
    return [replace(each, mark=drawn[each.mark]) for each in emptied]


def _fit(emptied: Emptied, given: Texts, places: Sequence[int], keys: HashKeys) -> Emptied:
    """With a mark that lets the content hash come to lie where it must."""
    if emptied.between is None:
        return emptied
    low, high = emptied.between
    place = emptied.row_no - 1
    own = {"keluarga": [place], "anggota": [row for row, of_family in enumerate(places) if of_family == place]}
    rows = {dataset: given[dataset].iloc[numbers] for dataset, numbers in own.items()}
    for _ in range(_MOST_DRAWS):
        now = {dataset: _emptied_rows(dataset, each, emptied) for dataset, each in rows.items()}
        if low <= contents(now["keluarga"], now["anggota"], keys)[0] < high:
            return emptied
        emptied = replace(emptied, mark=new_mark())
    raise ValueError("no mark was found that keeps the order of statements")


def _emptied_rows(dataset: str, rows: pd.DataFrame, emptied: Emptied) -> pd.DataFrame:
    found = []
    for _, row in rows.iterrows():
        change = _change(dataset, row, emptied)
        found.append([row[name] if (text := change.get(name, "")) is None else text for name in rows.columns])
    return pd.DataFrame(found, columns=rows.columns, dtype=str)


def _change(dataset: str, row: "pd.Series[str]", emptied: Emptied) -> Change:
    change: dict[str, str | None] = {
        column: None
        for column in KEPT[dataset]
        if column in row.index and re.fullmatch(kept_pattern(dataset, column), row[column])
    }
    if emptied.placeless:
        change.pop("id_subsls", None)
    if dataset in DATASETS:
        change[DOCUMENT] = emptied.document
    return change | ({MARKED[dataset]: emptied.mark} if dataset in MARKED else {})


def _proved(
    given: Texts, now: Texts, places: Sequence[int], emptied: Sequence[Emptied], keys: HashKeys
) -> dict[int, str]:
    """The new hashes of emptied rows, once all others are found to be what they were.

    Raises:
        ValueError: a row that was not to be emptied is another one, or an answer stands in one that was.
    """
    gone = {each.row_no - 1 for each in emptied}
    for dataset in DATASETS:
        of_row = range(len(given[dataset])) if dataset == "keluarga" else places
        others = [place not in gone for place in of_row]
        if not given[dataset][others].equals(now[dataset][others]):
            raise ValueError("a row of another family changed")
        _require_empty(dataset, now[dataset][[not other for other in others]])
    hashed = contents(now["keluarga"], now["anggota"], keys)
    return {each.row_no: hashed[each.row_no - 1] for each in emptied}


def families_sharing(
    manifest: Manifest, files: Sequence[FetchedFile], numbers: Numbers, emptied: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """Family rows of a part that have a number in common with an emptied one, with the rows of their members."""
    given = {str(file.delivered.dataset): _read(manifest, file.delivered, file.path, _NUMBERED) for file in files}
    families, members = given["keluarga"], given["anggota"]
    places = families_of(families, members)
    sharing = {place for place, card in enumerate(families[CARD]) if card in numbers.cards}
    sharing |= {places[row] for row, nik in enumerate(members[NIK]) if nik in numbers.niks}
    rosters: dict[int, list[int]] = {place: [] for place in sharing if place + 1 not in emptied}
    for row, place in enumerate(places):
        if place in rosters:
            rosters[place].append(row + 1)
    return {place + 1: tuple(rows) for place, rows in rosters.items()}


def _numbers(given: Texts, places: Sequence[int], gone: Collection[int]) -> Numbers:
    families, members = given["keluarga"], given["anggota"]
    niks = {str(nik) for row, nik in enumerate(members[NIK]) if places[row] in gone}
    return Numbers(frozenset({str(families[CARD].iat[place]) for place in gone} - {""}), frozenset(niks - {""}))
