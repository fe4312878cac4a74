"""Which forms are published and therefore fixed: a fingerprint of every element of each published version.

``codebook/published.csv`` is written by ``regsosek generate --publish`` alone. An element is what a producer's files
rest on: a variable, a code list, a block, the columns' order. Translations, severities and rule ids are not printed.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from regsosek.contract.codebook import Block, Variable, block_lines, code_list, variables
from regsosek.contract.instruments import Instrument, instruments
from regsosek.errors import ConfigurationError

PUBLISHED: Final = Path("include/regsosek/contract/codebook/published.csv")
_COLUMNS: Final = ("instrument", "version", "published_on", "element", "sha256")

Form = Mapping[str, str]
Published = dict[tuple[str, str], dict[str, str]]


def published_text() -> str:
    """The committed fingerprints."""
    return resources.files(__package__).joinpath("codebook", PUBLISHED.name).read_text(encoding="utf-8")


def published_forms(text: str) -> Published:
    """Fingerprints by element, of every published version."""
    forms: Published = {}
    for row in csv.DictReader(text.splitlines()):
        forms.setdefault((row["instrument"], row["version"]), {})[row["element"]] = row["sha256"]
    return forms


def fingerprints(form: Instrument) -> dict[str, str]:
    """The fingerprint of each element of one version as the codebook has it now."""
    return {name: hashlib.sha256(printed.encode()).hexdigest()[:16] for name, printed in _elements(form)}


def publication_faults(text: str) -> list[str]:
    """What differs from the published forms that ``text`` holds, each with its fix."""
    known = {(each.instrument, each.version): each for each in instruments()}
    found: list[str] = []
    for key, fixed in published_forms(text).items():
        if key not in known:
            found.append(f"{_name(key)} is published; put its line back into instruments.csv")
        else:
            found += [f"{_name(key)} is published and fixed: {each}" for each in _changes(fixed, known[key])]
    return found


def unpublished(text: str) -> list[str]:
    """The versions of ``instruments.csv`` that nobody has published yet."""
    fixed = published_forms(text)
    return [_name(key) for key in ((i.instrument, i.version) for i in instruments()) if key not in fixed]


def publish(text: str, name: str) -> str:
    """Adds the fingerprints of ``name`` (``INSTRUMENT/VERSION``) to ``text``.

    Raises:
        ConfigurationError: the version is unknown or published already, or a published one was changed.
    """
    form = {_name((each.instrument, each.version)): each for each in instruments()}.get(name)
    if form is None:
        raise ConfigurationError(f"{name} is no version of instruments.csv; add its line first, then publish it")
    if (form.instrument, form.version) in published_forms(text):
        raise ConfigurationError(f"{name} is published already; a later form takes a new line in instruments.csv")
    if faults := publication_faults(text):
        raise ConfigurationError("; ".join(faults))
    written = io.StringIO(newline="")
    rows = [(form.instrument, form.version, form.known_since, *each) for each in fingerprints(form).items()]
    csv.writer(written, lineterminator="\n").writerows(rows)
    return (text or ",".join(_COLUMNS) + "\n") + written.getvalue()


def _name(key: tuple[str, str]) -> str:
    return "/".join(key)


def _changes(fixed: Form, form: Instrument) -> Iterator[str]:
    now = fingerprints(form)
    for name in sorted(now.keys() - fixed.keys()):
        yield f"{name} is not on it; write `since` with a later version of instruments.csv on its line"
    for name in sorted(fixed.keys() - now.keys()):
        yield f"{name} is missing; put its line back, with `until` = {form.version} if later versions drop it"
    for name in sorted(fixed.keys() & now.keys()):
        if fixed[name] == now[name] or (name.startswith("columns ") and fixed.keys() != now.keys()):
            continue
        yield f"{name} was changed; {_fix(name, form)}"


def _fix(name: str, form: Instrument) -> str:
    if name == "instrument":
        return "write day, datasets and title in instruments.csv as they were"
    if name.startswith("columns "):
        return "put its lines back into their order"
    return f"restore its lines, close them with `until` = {form.version}, and write the changed copy with `since` below"


def _elements(form: Instrument) -> Iterator[tuple[str, str]]:
    """Name and printed form of each element."""
    yield "instrument", _printed(form.known_since, *form.datasets, form.title_id)
    lists: dict[str, None] = {}
    for dataset in form.datasets:
        asked = variables(dataset, form.version)
        # The digest of a case takes the answers in this order: another order would make every case new content.
        yield f"columns {dataset}", _printed(*(each.name for each in asked))
        yield from ((f"{dataset}.{each.name}", _variable(each)) for each in asked)
        blocks = (each for each in block_lines(dataset) if form.version in each.span.versions)
        yield from ((f"block {dataset}.{each.block}", _block(each)) for each in blocks)
        lists |= dict.fromkeys(each.codes for each in asked if each.codes)
    for name in lists:
        codes = code_list(name, form.version)
        yield f"codes {name}", _printed(*(f"{each.code}={each.label_id}" for each in codes))


def _variable(each: Variable) -> str:
    place = (each.block, each.item, each.label_id)
    values = (each.kind, each.width, each.minimum, each.maximum, each.codes, each.pii)
    return _printed(*place, *values, each.universe, each.required)


def _block(each: Block) -> str:
    asked = (each.required_when, each.applies_when, each.asked_column, *each.asked_codes)
    return _printed(each.title_id, *asked)


def _printed(*values: object) -> str:
    return "\x1f".join("" if value is None else str(value) for value in values)
