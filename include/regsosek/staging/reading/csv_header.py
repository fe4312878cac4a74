"""The first line of a delivered CSV file: the names of its columns, or a reason that names what stands there."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from regsosek.contract.codebook import Variable
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.csv_quotes import separators_in

MAX_HEADER_BYTES = 65_536
LOOKED_THROUGH = 20
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_COMMENTS = ("#", "//", "--", "%")


def read_header(file: DeliveredFile, plain: Path, expected: Sequence[Variable]) -> list[str]:
    """The names in the first line of the unpacked CSV ``plain``.

    Raises:
        ContractBreachError: ``header_preceded``, ``separator_unsupported`` or ``file_malformed``.
    """
    with plain.open("rb") as stream:
        start = stream.read(MAX_HEADER_BYTES).decode("utf-8", errors="ignore")
    names, header = _names(file, start)
    known = {variable.name for variable in expected}
    if start and known.isdisjoint(map(_plain, names)):
        _refuse_first_line(file, start, known)
    if names and separators_in(file.name, header.encode()) != len(names) - 1:
        _refuse_header(file)
    return names


def _names(file: DeliveredFile, text: str) -> tuple[list[str], str]:
    """The names, and as much of ``text`` as holds them."""
    # The engine overlooks one blank before an opening quote. Within quotes, leaving it out moves no separator.
    lines = io.StringIO(text.replace(', "', ',"'), newline="")
    try:
        names = next(csv.reader(lines), [])
    except csv.Error:
        _refuse_header(file)
    return names, lines.getvalue()[: lines.tell()]


def _refuse_header(file: DeliveredFile) -> NoReturn:
    raise ContractBreachError("file_malformed", f"{file.name} has no header that can be read as CSV")


def _plain(name: str) -> str:
    return name.strip().lower()


def _refuse_first_line(file: DeliveredFile, start: str, known: set[str]) -> None:
    """Names what stands before the header, or between its names; any other line is told by its columns."""
    lines = start.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:LOOKED_THROUGH]
    place = next((place for place, line in enumerate(lines) if _separator(line, known)), 0)
    if what := _forerunner(lines[0]) or ("another line" if place else ""):
        where = f"; they stand in line {place + 1}" if place else ""
        raise ContractBreachError(
            "header_preceded", f"{file.name} begins with {what}; its first line must name the columns{where}"
        )
    if other := _OTHER_SEPARATORS.get(_separator(lines[0], known)):
        raise ContractBreachError("separator_unsupported", f"{file.name} has {other} between values; write commas")


def _separator(line: str, known: set[str]) -> str:
    """What parts the names of columns in ``line``; empty if it names none."""
    for separator in (",", *_OTHER_SEPARATORS):
        names = [_plain(name.strip().strip('"')) for name in line.split(separator)]
        if len(known.intersection(names)) * 2 > len(known):
            return separator
    return ""


def _forerunner(line: str) -> str:
    plain = _plain(line).removeprefix('"')
    if plain.startswith("sep="):
        return "the line 'sep=' of a spreadsheet"
    if plain.startswith(_COMMENTS):
        return "a comment"
    return "an empty line" if not plain.strip(',;"\t ') else ""
