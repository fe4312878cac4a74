"""Programs that write CSV wrongly, each in its own way; and what their text says, read by RFC 4180 and nothing else.

Rows are lists of cells, the header first. What a faulty writer means and what its text says may differ.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import first_version, instrument_of

Rows = Sequence[Sequence[str]]
Writer = Callable[[Rows, Random], str]
MIXED = "\",\t\r\n;' \\"
_NEEDS_QUOTES = frozenset('",\r\n')


def _lines(rows: Rows, cell: Callable[[str], str], end: str = "\r\n") -> str:
    return "".join(",".join(map(cell, row)) + end for row in rows)


def _sound(cell: str) -> str:
    return _quoted(cell) if _NEEDS_QUOTES & set(cell) else cell


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _when_comma(cell: str) -> str:
    return _quoted(cell) if "," in cell else cell


def _undoubled(cell: str) -> str:
    return f'"{cell}"' if _NEEDS_QUOTES & set(cell) else cell


def _doubled(cell: str) -> str:
    return cell.replace('"', '""')


def _backslash(cell: str) -> str:
    return '"' + cell.replace('"', '\\"') + '"' if _NEEDS_QUOTES & set(cell) else cell


def _single(cell: str) -> str:
    return "'" + cell.replace("'", "''") + "'" if _NEEDS_QUOTES & set(cell) else cell


def sound(rows: Rows, _: Random) -> str:
    """No fault."""
    return _lines(rows, _sound)


def unquoted(rows: Rows, _: Random) -> str:
    """Never a quote around a value."""
    return _lines(rows, str)


def quotes_when_comma(rows: Rows, _: Random) -> str:
    """Quotes around values with a comma, never around those with a quote or a line break."""
    return _lines(rows, _when_comma)


def undoubled(rows: Rows, _: Random) -> str:
    """Quotes within quoted values are not doubled."""
    return _lines(rows, _undoubled)


def doubled_bare(rows: Rows, _: Random) -> str:
    """Quotes are doubled, and none put around."""
    return _lines(rows, _doubled)


def backslash(rows: Rows, _: Random) -> str:
    """A backslash before quotes in place of a second one."""
    return _lines(rows, _backslash)


def single_quotes(rows: Rows, _: Random) -> str:
    """Apostrophes around values."""
    return _lines(rows, _single)


def comma_too_many(rows: Rows, chance: Random) -> str:
    """One comma too many, somewhere in a row."""
    place = chance.randrange(1, len(rows))
    cells = list(map(_sound, rows[place]))
    cells.insert(chance.randrange(len(cells) + 1), "")
    return _with_row(rows, place, cells, _sound)


def comma_too_many_beside_bare_quotes(rows: Rows, chance: Random) -> str:
    """The same, from a writer that quotes values with a comma alone."""
    place = chance.randrange(1, len(rows))
    cells = list(map(_when_comma, rows[place]))
    cells.insert(chance.randrange(len(cells) + 1), "")
    return _with_row(rows, place, cells, _when_comma)


def comma_missing(rows: Rows, chance: Random) -> str:
    """One comma left out, somewhere in a row; the values beside it run together."""
    place = chance.randrange(1, len(rows))
    cells = list(map(_when_comma, rows[place]))
    at = chance.randrange(len(cells) - 1)
    return _with_row(rows, place, [*cells[:at], cells[at] + cells[at + 1], *cells[at + 2 :]], _when_comma)


def trailing_commas(rows: Rows, chance: Random) -> str:
    """Commas at the end of some rows."""
    lines = [",".join(map(_sound, row)) + "," * chance.choice((0, 1, 1, 2)) for row in rows[1:]]
    return "\r\n".join([",".join(rows[0]), *lines, ""])


def blanks_before_quotes(rows: Rows, chance: Random) -> str:
    """Tabs or blanks before quoted values, and behind them."""

    def cell(value: str) -> str:
        return chance.choice(("\t", " ", "  ", " \t", "")) + _sound(value) + chance.choice(("", " ", "\t"))

    return _lines(rows, cell)


def line_ends_of_cr(rows: Rows, chance: Random) -> str:
    """CR alone ends lines; quoted as the one or the other writer does."""
    return _lines(rows, chance.choice((_sound, _when_comma, str)), "\r")


def line_ends_mixed(rows: Rows, chance: Random) -> str:
    """Every line ends in another way; quoted as the one or the other writer does."""
    cell = chance.choice((_sound, _when_comma, str))
    return "".join(",".join(map(cell, row)) + chance.choice(("\n", "\r\n", "\r")) for row in rows)


def _with_row(rows: Rows, place: int, cells: Sequence[str], cell: Callable[[str], str]) -> str:
    lines = [",".join(map(cell, row)) for row in rows]
    return "\r\n".join([*lines[:place], ",".join(cells), *lines[place + 1 :], ""])


WRITERS: dict[str, Writer] = {
    each.__name__: each
    for each in (
        sound, unquoted, quotes_when_comma, undoubled, doubled_bare, backslash, single_quotes, comma_too_many,
        comma_too_many_beside_bare_quotes, comma_missing, trailing_commas, blanks_before_quotes, line_ends_of_cr,
        line_ends_mixed,
    )
}  # fmt: skip


def mixed_rows(dataset: str, chance: Random, rows: int) -> list[list[str]]:
    """Header and rows of ``dataset``: each column's values bear its number, a few of them any mixture around it."""
    names = [v.name for v in variables(dataset, first_version(instrument_of(dataset)))]
    share = chance.choice((0.01, 0.2, 1.0))
    return [names, *(_mixed_row(len(names), chance, mixed=chance.random() < share) for _ in range(rows))]


def _mixed_row(width: int, chance: Random, *, mixed: bool) -> list[str]:
    row = [f"k{place}" if chance.random() < 0.6 else "" for place in range(width)]
    for place in chance.choices(range(width), k=mixed * chance.choice((1, 1, 2, 3))):
        row[place] = _mixture(chance, place)
    row[0] = row[0] or "k0"
    row[-1] *= chance.random() < 0.3  # a reader may drop what is surplus and empty
    return row


def _mixture(chance: Random, place: int) -> str:
    """Half of them begin with a letter, as most values do: a quote is no opening one then."""
    pieces = [*MIXED, '"', ",", ", ", f"k{place}", '5"', '"A, B"', "\r\n", "\n"]
    start = f"k{place}" if chance.random() < 0.5 else ""
    return start + "".join(chance.choice(pieces) for _ in range(chance.choice((1, 1, 2, 3, 7))))


@dataclass(frozen=True)
class SaidRow:
    """A row that a text spells out, and whether it is flawless as RFC 4180 wants it."""

    cells: list[str]
    flawless: bool


def said(text: str) -> list[SaidRow] | None:
    """Reads ``text`` letter by letter; ``None`` where a quoted value is followed by text, or never closes.

    A quote within a bare value is a letter. Lines without anything are none.
    """
    rows, cells, at, flawless = list[SaidRow](), list[str](), 0, True
    while at < len(text):
        value = _quoted_value(text, at) or _bare_value(text, at)
        if value is None:
            return None
        cell, at, sound_ = value
        cells, flawless = [*cells, cell], flawless and sound_
        if text[at : at + 1] == ",":
            at += 1
            if at < len(text):
                continue
            cells.append("")
        rows.append(SaidRow(cells, flawless))
        cells, flawless, at = [], True, at + (2 if text[at : at + 2] == "\r\n" else 1)
    return [row for row in rows if row.cells != [""]]


def _bare_value(text: str, at: int) -> tuple[str, int, bool] | None:
    if text[at : at + 1] == '"':
        return None
    end = at
    while end < len(text) and text[end] not in ",\r\n":
        end += 1
    return text[at:end], end, '"' not in text[at:end]


def _quoted_value(text: str, at: int) -> tuple[str, int, bool] | None:
    start = at + 1 if text[at - 1 : at + 2] == ', "' else at
    if text[start : start + 1] != '"':
        return None
    end, cell = start + 1, ""
    while (close := text.find('"', end)) >= 0:
        cell += text[end:close]
        if text[close + 1 : close + 2] != '"':
            behind = close + 1
            while text[behind : behind + 1] == " ":
                behind += 1
            ends = behind == len(text) or text[behind] in ",\r\n"
            return (cell, behind, start == at and behind == close + 1) if ends else None
        cell, end = cell + '"', close + 2
    return None


def letters(cell: str) -> str:
    """A value without anything that quoting may add, take away or lose: what tells one column's from another's."""
    return "".join(letter for letter in cell if letter not in "\"'\\ \t\r\n")


def python_reads(text: str) -> list[list[str]]:
    """The rows as the standard library's strict reader has them, for a text without flaw."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
