"""The codebook as a developer would edit it for a later form; no such form exists, its items are made up for tests."""

import csv
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from regsosek.contract.codebook import CODEBOOK_FILES
from regsosek.contract.instruments import codebook_text, first_version
from regsosek.contract.publication import published_text

Texts = dict[str, str]
Line = dict[str, str]

FIRST, SECOND = first_version(), "2"
ADDED, REMOVED, NEW_CODE = "r399_uji", "r301b_bukti_kepemilikan", "6"
_READERS = ("regsosek.contract.instruments", "regsosek.contract.codebook")


def shipped() -> Texts:
    """The files of the codebook as they are in the first version of every instrument, whatever was added later."""
    return {name: _first_forms(name) for name in CODEBOOK_FILES}


def _first_forms(name: str) -> str:
    known = lines(codebook_text(name))
    if name == "instruments.csv":
        return written(list({line["instrument"]: line for line in reversed(known)}.values())[::-1])
    if "since" not in known[0]:
        return codebook_text(name)
    first = {"", *(first_version(line["instrument"]) for line in lines(codebook_text("instruments.csv")))}
    return written([line | {"until": ""} for line in known if line["since"] in first])


def published() -> str:
    """What is fixed of the first version of every instrument."""
    known = lines(published_text())
    return written([line for line in known if line["version"] == first_version(line["instrument"])])


def lines(text: str) -> list[Line]:
    """The lines of one file."""
    return list(csv.DictReader(text.splitlines()))


def written(edited: list[Line]) -> str:
    """The file with ``edited`` in it."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(edited[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(edited)
    return text.getvalue()


def with_versions(texts: Mapping[str, str], *versions: str) -> Texts:
    """Adds later versions to the instruments."""
    known = lines(texts["instruments.csv"])
    later = [known[0] | {"version": version, "title_id": "Uji", "title_en": "Test"} for version in versions]
    return {**texts, "instruments.csv": written([*known, *later])}


def second_version(texts: Mapping[str, str]) -> Texts:
    """A second version: an item more for owners, the item on proof of ownership gone, a sixth code of power."""
    variables, codes = lines(texts["variables.csv"]), lines(texts["codes.csv"])
    place = next(n for n, line in enumerate(variables) if line["name"] == REMOVED)
    variables[place]["until"] = FIRST
    added = {"item": "399", "name": ADDED, "codes": "ya_tidak", "since": SECOND, "until": "", "universe_rule": ""}
    labels = {"label_id": "Uji", "label_en": "Test"}
    variables.insert(place + 1, variables[place] | added | labels)
    last = max(n for n, line in enumerate(codes) if line["codes"] == "daya")
    codes.insert(last + 1, {"codes": "daya", "code": NEW_CODE, **labels, "since": SECOND, "until": ""})
    return with_versions({**texts, "variables.csv": written(variables), "codes.csv": written(codes)}, SECOND)


@contextmanager
def codebook(texts: Mapping[str, str]) -> Iterator[None]:
    """Everything in this process reads ``texts`` instead of the codebook."""
    with ExitStack() as stack:
        for reader in _READERS:
            stack.enter_context(patch(f"{reader}.codebook_text", texts.__getitem__))
        stack.callback(_forget)
        _forget()
        yield


def _forget() -> None:
    """Empties every cache of what was read from the codebook."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("regsosek.contract", "regsosek.quality.generated", "regsosek.staging")):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
