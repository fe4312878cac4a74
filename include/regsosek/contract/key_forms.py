"""The forms that an id of a document or tag may have: ``key_forms.csv``.

Ids travel to work lists, pages and mails, where no NIK, KK number, phone or name may stand. What those are cannot be
told for sure, so an id must show that it is none of them: it has one of a few forms that leave no room for one.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from regsosek.wording import Text
from regsosek.wording.texts import text_in

# In none of the forms do so many decimal digits stand in a row: they would be room for a NIK or KK number.
NUMBER_OF_A_PERSON: Final = "[0-9]{16}"


@dataclass(frozen=True, slots=True)
class KeyForm:
    """A line of ``key_forms.csv``.

    Attributes:
        pattern: what the whole id looks like, as the engine's and Python's regular expressions both read it.
    """

    form: str
    pattern: str
    example: str
    text: Text


@cache
def key_forms() -> tuple[KeyForm, ...]:
    """All forms in the order of the landing contract."""
    text = resources.files(__package__).joinpath("key_forms.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(KeyForm(row["form"], row["pattern"], row["example"], text_in(row, "text")) for row in rows)


@cache
def any_form() -> str:
    """The pattern of an id in any of the forms."""
    return "|".join(f"({each.pattern})" for each in key_forms())
