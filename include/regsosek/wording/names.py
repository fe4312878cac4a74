"""Words of persons' names: the simulator builds names of them, and a message that names somebody is found by them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


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
