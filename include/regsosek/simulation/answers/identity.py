"""Numbers and texts that look like those of a person, an address or an officer, and belong to nobody."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regsosek.simulation.answers.households import FEMALE
from regsosek.simulation.draws.randomness import Draws, Integers, Keys
from regsosek.wording.names import name_words

Dates = NDArray[np.datetime64]
NO_NUMBER = -1
_SERIALS = 9_999
_CARD_DAYS = 4_000
_FIRST_CARD = np.datetime64("2010-01-01")
_WOMEN_LATER = 40  # the day of birth of a woman is written 40 higher
# Prime to the number of cards, so that families of a kecamatan walk through all of them without meeting.
_CARD_STEP = 7_919 * 104_729


@cache
def words() -> dict[str, Any]:
    """The word lists of ``data/words.toml``."""
    text = resources.files("regsosek.simulation").joinpath("data", "words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def birth_dates(draws: Draws, age: Integers, enumerated: Dates) -> Dates:
    """Dates of birth that make exactly ``age`` completed years on the day of enumeration."""
    month = enumerated.astype("datetime64[M]")
    day = (enumerated - month.astype("datetime64[D]")).astype(np.int64)
    birthday = (month - 12 * age).astype("datetime64[D]") + day
    return np.asarray(birthday - draws.integer("birthday", 0, 364))


def niks(draws: Draws, district: Integers, birth: Dates, sex: Integers, serial: Integers) -> Integers:
    """NIKs: six digits of a district of registration, day (+40 for women), month and year of birth, four of a serial.

    Args:
        draws: the members' draws; some have no NIK to show and get NO_NUMBER.
        district: six digits.
        birth: dates of birth.
        sex: as in 405.
        serial: any number; neighbouring numbers within a family keep its members apart.
    """
    year, month, day = _date_parts(birth)
    written_day = day + np.where(sex == FEMALE, _WOMEN_LATER, 0)
    number = district * 10**10 + written_day * 10**8 + month * 10**6 + year % 100 * 10**4 + serial % _SERIALS + 1
    return np.where(draws.chance("no nik", 0.03), NO_NUMBER, number)


def card_numbers(district: Integers, family: Integers) -> Integers:
    """KK numbers: six digits of a district, day, month and year of issue, four of a serial; no two families share one.

    Args:
        district: six digits, another for every kecamatan.
        family: number of the family within its kecamatan, below 40 million.
    """
    turn = family * _CARD_STEP % (_SERIALS * _CARD_DAYS)
    year, month, day = _date_parts(_FIRST_CARD + turn // _SERIALS)
    return district * 10**10 + day * 10**8 + month * 10**6 + year % 100 * 10**4 + turn % _SERIALS + 1


def districts(kabkota: Integers, kecamatan_rank: Integers) -> Integers:
    """Six digits for each kecamatan, in the manner of the population registry; they are not its codes."""
    return kabkota * 100 + kecamatan_rank


def person_names(draws: Draws, sex: Integers) -> pa.Array:
    """Names of letters, spaces, points and apostrophes."""
    names = name_words()
    women, men = (_picked(draws, "first name", list(each)) for each in (names.women, names.men))
    second = _picked(draws, "second name", list(names.second))
    return pc.utf8_rtrim_whitespace(
        pc.binary_join_element_wise(pc.if_else(pa.array(sex == FEMALE), women, men), second, " ")
    )


def document_ids(keys: Keys) -> pa.Array:
    """Ids of documents, stable because they come from the family's key alone.

    One key in two thousand has decimal digits alone, as a NIK has: a letter stands for the first of them.
    """
    hexadecimal = np.frombuffer(keys.astype(">u8").tobytes().hex().encode(), dtype="S16")
    unlike_nik = pc.replace_substring_regex(pa.array(hexadecimal.astype("U16")), "^[0-9]([0-9]{15})$", r"a\1")
    return pc.binary_join_element_wise("dok", unlike_nik, "-")


def addresses(draws: Draws) -> pa.Array:
    """Street and number, with the comma that makes a CSV quote it."""
    number = pa.array(draws.integer("house number", 1, 199)).cast(pa.string())
    street = _picked(draws, "street", words()["streets"])
    return pc.binary_join_element_wise(street, pc.binary_join_element_wise("No.", number, " "), ", ")


def phones(draws: Draws) -> pa.Array:
    """Mobile numbers of a prefix that no operator has."""
    number = pa.array(draws.integer("phone", 10_000_000, 99_999_999)).cast(pa.string())
    given = pa.array(draws.chance("has phone", 0.8))
    return pc.if_else(given, pc.binary_join_element_wise("0800", number, ""), pa.scalar(None, pa.string()))


def notes(draws: Draws, result: Integers) -> pa.Array:
    """A note wherever 205 demands one, seldom elsewhere."""
    by_result = [_picked(draws, "note", words()["notes"][str(code)]) for code in range(1, 6)]
    noted = (result > 1) | draws.chance("noted", 0.02)
    return pc.choose(pa.array(result - 1, mask=~noted), *by_result)


def _picked(draws: Draws, name: str, options: list[str]) -> pa.Array:
    index = draws.integer(name, 0, len(options) - 1).astype(np.int32)
    return pa.DictionaryArray.from_arrays(index, pa.array(options)).cast(pa.string())


def _date_parts(dates: Dates) -> tuple[Integers, Integers, Integers]:
    months = dates.astype("datetime64[M]")
    count = months.astype(np.int64)
    day = (dates.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1
    return 1970 + count // 12, count % 12 + 1, day
