"""A number stands beside the right form of its noun, in every English text that readers see."""

import csv
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from regsosek.settings import PROJECT_ROOT
from regsosek.wording.nouns import bare, counted, with_nouns

ROOM = PROJECT_ROOT / "include" / "regsosek"
FORM = "{n|family is|families are} late, {n}"
PLURALS = (
    "families|members|provinces|deliveries|messages|files|folders|columns|values|rows|times|days|nights|officers|"
    "officer-days|conditions|groups|places|rules|regions|faults|attempts|parts|cases|releases|tries"
)
BESIDE = re.compile(rf"\}}\}}?(?:</\w+>)? (?:\w+ )?(?:{PLURALS})\b")
# There are 34 provinces; the limits of a setting are no count; a tag of a template is no number.
ALLOWED = re.compile(r"of \{(?:all|count)\} provinces|\{% \w+ %\}")
NOUN = re.compile(r"\{\w+\|([^{}|]+)\|([^{}|]+)\}")


def english(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """English texts of messages by their place."""
    if isinstance(tree, dict) and set(tree) == {"id", "en"}:
        yield path, tree["en"]
    elif isinstance(tree, dict):
        for key, each in tree.items():
            yield from english(each, f"{path}.{key}")
    else:
        for n, each in enumerate(tree):
            yield from english(each, f"{path}[{n}]")


def texts() -> dict[str, str]:
    messages = tomllib.loads((ROOM / "alerts" / "sentences" / "texts.toml").read_text(encoding="utf-8"))
    with (ROOM / "release" / "site" / "texts.csv").open(encoding="utf-8", newline="") as file:
        pages = {f"page.{row['key']}": row["en"] for row in csv.DictReader(file)}
    check = tomllib.loads((ROOM / "night" / "checking" / "check_words.toml").read_text(encoding="utf-8"))["en"]
    return dict(english(messages)) | pages | {f"check.{key}": text for key, text in check.items()}


@pytest.mark.parametrize(
    ("n", "told"),
    [(0, "0 families are late, 0"), (1, "1 family is late, 1"), (2, "2 families are late, 2"),
     ("1", "1 family is late, 1"), ("1,001", "1,001 families are late, 1,001"), ("−1", "−1 family is late, −1")],
)  # fmt: skip
def test_a_number_chooses_its_noun(n: object, told: str) -> None:
    assert with_nouns(FORM, {"n": n}).format(n=n) == told
    assert bare(FORM) == "{n} late, {n}"
    assert counted(n, "day", "days") == f"{n} day{'' if 'family' in told else 's'}"


def plural_beside_number(text: str) -> list[str]:
    return BESIDE.findall(ALLOWED.sub("", re.sub(r"%\}", "%", text)))


def test_no_english_text_writes_a_plural_beside_a_number_that_may_be_one() -> None:
    assert plural_beside_number("{n} late families") and plural_beside_number("<b>{{ n | number }}</b> days")
    found = {place: plural_beside_number(text) for place, text in texts().items()}
    templates = [
        *ROOM.glob("alerts/messages/templates/*.j2"),
        *ROOM.glob("portal/pages/templates/*"),
        *ROOM.glob("release/files/*.en.md.j2"),
    ]
    found |= {each.name: plural_beside_number(each.read_text(encoding="utf-8")) for each in templates}
    assert len(found) > 300
    assert {place: wrong for place, wrong in found.items() if wrong} == {}


def test_every_noun_of_the_texts_reads_with_none_one_and_two() -> None:
    forms = {place: text for place, text in texts().items() if NOUN.search(text)}
    assert len(forms) > 30
    for place, text in forms.items():
        for one, many in NOUN.findall(text):
            assert one != many, place
        names = set(re.findall(r"\{(\w+)\|", text))
        told = [with_nouns(text, dict.fromkeys(names, n)) for n in (0, 1, 2)]
        assert told[0] == told[2] != told[1], place
