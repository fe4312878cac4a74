"""How a region's name is written: the master's capitals mended and put into title case."""

import re

_KEPT_UPPER = frozenset({"DKI", "UPT", "SP", "PT"})
# Only I, V and X: the longer numerals cannot be told from words such as DIM or MIL.
_ROMAN = re.compile(r"X{0,3}(IX|IV|V?I{0,3})")
_WORD = re.compile(r"[^\W\d_]+(?:['`][^\W\d_]+)*")
# "SOATALOARA ll": a Roman numeral typed with small L.
_NUMERAL_IN_SMALL_L = re.compile(r"\bl+\b")
# "KOTA B A T A M": short names spread out to fill a printed column. Two single letters may be initials.
_SPREAD_LETTERS = re.compile(r"^(KABUPATEN |KOTA |)([A-Z](?: [A-Z]\b){2,})")


def tidy_spaces(name: str) -> str:
    """The name without outer and doubled spaces."""
    return " ".join(name.split())


def gather_letters(name: str) -> str:
    """The name with its first word whole again if it was spread out letter by letter."""
    return _SPREAD_LETTERS.sub(lambda match: match[1] + match[2].replace(" ", ""), name)


def has_lower_case(name: str) -> bool:
    """Whether a name of the master, which is written in capitals, has small letters."""
    return name != name.upper()


def written_name(name: str) -> str:
    """The name in title case: ``KABUPATEN SIMEULUE`` to ``Kabupaten Simeulue``; numerals, abbreviations stay upper."""
    mended = _NUMERAL_IN_SMALL_L.sub(lambda match: "I" * len(match[0]), tidy_spaces(gather_letters(name))).upper()
    titled = _WORD.sub(lambda match: _written_word(match[0]), mended)
    # DI is "Daerah Istimewa" in front of Yogyakarta; elsewhere it is the word "di".
    return re.sub(r"^Di (?=Yogyakarta$)", "DI ", titled)


def _written_word(word: str) -> str:
    return word if word in _KEPT_UPPER or _ROMAN.fullmatch(word) else word.capitalize()
