"""Words of persons' names: the simulator builds names of them, and a message that names somebody is found by them."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

_HONORIFIC = r"(?:Bapak|Ibu|Bpk|Pak|Bu|Sdri?|Tn\.|Ny\.|Hj?\.)\.?\s+[A-Z]\w+"


@dataclass(frozen=True, slots=True)
class NameWords:
    """First names of men and of women, and what may follow them; an empty word is a person of one name."""

    men: tuple[str, ...]
    women: tuple[str, ...]
    second: tuple[str, ...]


@cache
def name_words() -> NameWords:
    """The words of ``names.toml``."""
    text = resources.files(__package__).joinpath("names.toml").read_text(encoding="utf-8")
    return NameWords(**{group: tuple(words) for group, words in tomllib.loads(text).items()})


@cache
def person_names() -> re.Pattern[str]:
    """A first name with others after it, each with a capital; or somebody addressed."""
    words = name_words()
    first = _any([*words.men, *words.women])
    second = _any([*words.second, *words.men, *words.women])
    return re.compile(rf"(?<!\w)(?:{first}(?:\s+{second})+|{_HONORIFIC})(?!\w)")


def _any(words: Iterable[str]) -> str:
    forms = {form for word in words if word for form in (word, word.upper())}
    return "(?:" + "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)) + ")"
