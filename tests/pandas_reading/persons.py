"""P02 to P16: what one member's answers, and those of the couple at the head of the family, say about each other."""

import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd

from pandas_reading.answers import Answers
from pandas_reading.logic import between, certain, one_of
from pandas_reading.part import Part
from pandas_reading.registry import reads
from pandas_reading.universes import YES, exists, visited

HEAD, SPOUSE, CHILD, GRANDCHILD, PARENT = 1, 2, 3, 5, 6
NEVER_MARRIED, MARRIED = 1, 2
KIA, KTP, LARGEST_IDENTITY = 2, 4, 7
EMPLOYER = 3
NAME_CHARACTERS = frozenset(" .',")
# Codes of 413 and 415: level, youngest pupil, youngest graduate.
SCHOOLS = (
    (range(1, 6), 1, 5, 11),
    (range(6, 11), 2, 11, 14),
    (range(11, 18), 3, 14, 16),
    (range(18, 19), 4, 16, 17),
    (range(19, 20), 5, 16, 19),
    (range(20, 22), 6, 19, 20),
    (range(22, 23), 7, 21, 23),
)
LEVELS = {code: level for codes, level, _, _ in SCHOOLS for code in codes}
YOUNGEST_PUPIL = {code: age for codes, _, age, _ in SCHOOLS for code in codes}
YOUNGEST_GRADUATE = {code: age for codes, _, _, age in SCHOOLS for code in codes} | {23: 0}
DIPLOMA_LEVELS = LEVELS | {23: 0}


def asked(members: Answers) -> "pd.Series[bool]":
    """Somebody of the family was interviewed, and the member lives there."""
    return visited(members) & exists(members)


def looked_up(values: "pd.Series[Any]", table: dict[int, int]) -> "pd.Series[int]":
    """What ``table`` says of each value; unknown where it says nothing."""
    return values.map(table).astype("Int64")


def head_of(part: Part, item: str) -> "pd.Series[int]":
    """For every member: the answer of the head of the family, if exactly one is named."""
    heads = part.members.values[certain(exists(part.members) & (part.members["r409_hubungan"] == HEAD))]
    lone = heads[~heads["keluarga_row"].duplicated(keep=False)]
    return part.members["keluarga_row"].map(lone.set_index("keluarga_row")[item]).astype("Int64")


def youngest_of_couple(part: Part) -> "pd.Series[int]":
    """For every member: the age of the younger of head and spouses, if all their ages are known."""
    couple = certain(exists(part.members) & one_of(part.members["r409_hubungan"], (HEAD, SPOUSE)))
    ages = part.members["r407_umur"][couple].groupby(part.members["keluarga_row"][couple])
    youngest = ages.min().where(ages.count() == ages.size())
    of_family = part.members["keluarga_row"].map(youngest).astype("Int64")
    return of_family.where(head_of(part, "r407_umur").notna())


@reads("P02")
def name_with_other_characters(part: Part) -> "pd.Series[bool]":
    name = part.members["r402_nama"]
    return pd.Series([not pd.isna(text) and not all(map(_fits_a_name, text)) for text in name], index=name.index)


def _fits_a_name(character: str) -> bool:
    return character in NAME_CHARACTERS or unicodedata.category(character)[0] in "LM"


@reads("P06")
def several_spouses(part: Part) -> "pd.Series[bool]":
    spouses = part.per_family(exists(part.members) & (part.members["r409_hubungan"] == SPOUSE))
    return certain(visited(part.families) & (spouses > 1))


@reads("P07-kepala")
def couple_under_ten(part: Part) -> "pd.Series[bool]":
    couple = one_of(part.members["r409_hubungan"], (HEAD, SPOUSE))
    return certain(asked(part.members) & couple & (part.members["r407_umur"] < 10))


@reads("P07-anak")
def child_as_old_as_the_head(part: Part) -> "pd.Series[bool]":
    members, head = part.members, head_of(part, "r407_umur")
    younger_by = head - members["r407_umur"]
    child = (members["r409_hubungan"] == CHILD) & (younger_by < 10)
    grandchild = (members["r409_hubungan"] == GRANDCHILD) & (younger_by < 20)
    return certain(asked(members) & (child | grandchild))


@reads("P07-orangtua")
def parent_as_young_as_the_couple(part: Part) -> "pd.Series[bool]":
    older_by = part.members["r407_umur"] - youngest_of_couple(part)
    return certain(asked(part.members) & (part.members["r409_hubungan"] == PARENT) & (older_by < 10))


@reads("P08-kawin")
def spouse_not_married(part: Part) -> "pd.Series[bool]":
    spouse = part.members["r409_hubungan"] == SPOUSE
    return certain(asked(part.members) & spouse & (part.members["r408_status_kawin"] != MARRIED))


@reads("P08-kelamin")
def spouse_of_the_same_sex(part: Part) -> "pd.Series[bool]":
    spouse = part.members["r409_hubungan"] == SPOUSE
    same = part.members["r405_jenis_kelamin"] == head_of(part, "r405_jenis_kelamin")
    return certain(asked(part.members) & spouse & same)


def completed_years(born: date, on: date) -> int:
    """Birthdays reached; who was born on 29 February reaches one on 1 March of a common year."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _by_dates(part: Part, fact: Callable[[date, date], int]) -> "pd.Series[int]":
    born = part.members["r406_tanggal_lahir"]
    visits = part.members["keluarga_row"].map(part.families["r201_tanggal_pencacahan"])
    known = [not (pd.isna(b) or pd.isna(v)) for b, v in zip(born, visits, strict=True)]
    found = [fact(b, v) if ok else None for b, v, ok in zip(born, visits, known, strict=True)]
    return pd.Series(found, index=born.index, dtype="Int64")


def _years_off(part: Part) -> "pd.Series[int]":
    return (part.members["r407_umur"] - _by_dates(part, completed_years)).abs()


def _born_later(part: Part) -> "pd.Series[bool]":
    return _by_dates(part, lambda born, visit: int(born > visit)) == 1


@reads("P09")
def age_off(part: Part) -> "pd.Series[bool]":
    age_given = part.members["r407_umur"].notna()
    return certain(asked(part.members) & ((_years_off(part) >= 2) | (_born_later(part) & age_given)))


@reads("P09-setahun")
def age_off_by_one(part: Part) -> "pd.Series[bool]":
    return certain(asked(part.members) & (_years_off(part) == 1) & ~_born_later(part))


def _holds(part: Part, document: int) -> "pd.Series[bool]":
    documents = part.members["r411_identitas"]
    return (documents <= LARGEST_IDENTITY) & (documents // document % 2 == 1)


@reads("P11-ktp")
def child_with_ktp(part: Part) -> "pd.Series[bool]":
    young = (part.members["r407_umur"] < 17) & (part.members["r408_status_kawin"] == NEVER_MARRIED)
    return certain(asked(part.members) & _holds(part, KTP) & young)


@reads("P11-kia")
def adult_with_kia(part: Part) -> "pd.Series[bool]":
    age, marital = part.members["r407_umur"], part.members["r408_status_kawin"]
    grown = (age >= 17) | one_of(marital, (2, 3, 4))
    return certain(asked(part.members) & age.notna() & marital.notna() & _holds(part, KIA) & grown)


def _schooled(part: Part) -> "pd.Series[bool]":
    return asked(part.members) & (part.members["r407_umur"] >= 5) & one_of(part.members["r412_sekolah"], (2, 3))


@reads("P13-jenjang")
def diploma_above_school(part: Part) -> "pd.Series[bool]":
    diploma = looked_up(part.members["r415_ijazah"], DIPLOMA_LEVELS)
    return certain(_schooled(part) & (diploma > looked_up(part.members["r413_jenjang"], LEVELS)))


@reads("P13-umur")
def too_young_for_school_or_diploma(part: Part) -> "pd.Series[bool]":
    age = part.members["r407_umur"]
    pupil = age < looked_up(part.members["r413_jenjang"], YOUNGEST_PUPIL)
    graduate = age < looked_up(part.members["r415_ijazah"], YOUNGEST_GRADUATE)
    return certain(_schooled(part) & (pupil | graduate))


@reads("P15-usaha")
def own_account_without_business(part: Part) -> "pd.Series[bool]":
    members = part.members
    own = (members["r416a_bekerja"] == YES) & between(members["r418_status_pekerjaan"], 1, 3)
    return certain(asked(members) & own & (members["r420a_usaha"] == 2))


@reads("P16")
def employer_of_nobody(part: Part) -> "pd.Series[bool]":
    members = part.members
    employer = (members["r416a_bekerja"] == YES) & (members["r418_status_pekerjaan"] == EMPLOYER)
    nobody = (members["r420a_usaha"] == YES) & (members["r422_pekerja_dibayar"] < 1)
    return certain(asked(members) & employer & nobody)
