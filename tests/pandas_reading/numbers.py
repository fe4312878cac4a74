"""N: what the digits of a NIK say, and who else bears it."""

from typing import Any

import pandas as pd

from pandas_reading.answers import Answers
from pandas_reading.logic import certain, known
from pandas_reading.part import Part
from pandas_reading.persons import asked
from pandas_reading.registry import reads
from pandas_reading.repeats import newest, sixteen_digits
from pandas_reading.universes import exists

MAN, WOMAN = 1, 2
WOMEN_ADD = 40


def nik(members: Answers) -> "pd.Series[Any]":
    """The NIK of sixteen digits; others are not judged."""
    return sixteen_digits(members["r403_nik"])


def comparable(members: Answers) -> "pd.Series[Any]":
    """The NIK, but for sixteen equal digits: a way to say that there is none."""
    numbers = nik(members)
    equal = [not pd.isna(number) and len(set(number)) == 1 for number in numbers]
    return numbers.mask(pd.Series(equal, index=numbers.index))


def _number(digits: "pd.Series[Any]") -> "pd.Series[int]":
    return pd.Series([None if pd.isna(d) else int(d) for d in digits], index=digits.index, dtype="Int64")


@reads("N01-kelamin")
def sex_differs(part: Part) -> "pd.Series[bool]":
    day, sex = _number(nik(part.members).str[6:8]), part.members["r405_jenis_kelamin"]
    not_a_man = (sex == MAN) & ~((day >= 1) & (day <= 31))
    not_a_woman = (sex == WOMAN) & ~((day >= 1 + WOMEN_ADD) & (day <= 31 + WOMEN_ADD))
    return certain(asked(part.members) & (not_a_man | not_a_woman))


@reads("N01-tanggal")
def birth_differs(part: Part) -> "pd.Series[bool]":
    numbers = nik(part.members)
    fits = [
        None if pd.isna(number) or pd.isna(born) else number[6:12] in (born.strftime("%d%m%y"), _womans(born))
        for number, born in zip(numbers, part.members["r406_tanggal_lahir"], strict=True)
    ]
    return certain(asked(part.members) & ~pd.Series(fits, index=numbers.index, dtype="boolean"))


def _womans(born: Any) -> str:
    return f"{born.day + WOMEN_ADD:02d}{born:%m%y}"


@reads("N03")
def serial_zero(part: Part) -> "pd.Series[bool]":
    serial = nik(part.members).str[12:]
    return certain(asked(part.members) & known(serial, serial == "0000"))


@reads("N04")
def twice_in_the_family(part: Part) -> "pd.Series[bool]":
    numbers = comparable(part.members).where(certain(exists(part.members)))
    same = numbers.groupby([part.members["keluarga_row"], numbers]).transform("size")
    return certain(asked(part.members) & (same.reindex(numbers.index).fillna(0) > 1))


@reads("N04-keluarga-lain")
def in_another_document(part: Part) -> "pd.Series[bool]":
    counted = newest(part)
    latest = set(zip(counted["id_dokumen"], counted["versi"].fillna(0), strict=True))
    everyone = part.delivered_members
    there = certain(exists(everyone) & everyone.filled("id_dokumen"))
    revisions = zip(everyone["id_dokumen"], everyone["versi"].fillna(0), strict=True)
    current = pd.Series([revision in latest for revision in revisions], index=there.index) & there
    documents = everyone["id_dokumen"][current].groupby(comparable(everyone)[current]).nunique()
    several = comparable(part.members).map(documents).fillna(0) > 1
    return certain(asked(part.members) & part.members.filled("id_dokumen") & several)
