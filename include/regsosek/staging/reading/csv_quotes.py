"""Where values of a CSV text are quoted, by the rules of the engine that reads it: else its commas cannot be counted.

A quote opens a value at its beginning alone, behind one blank at most; anywhere else it is a character like any other.
What the engine reads by rules of its own is refused: blanks before a quote, text behind a closing one. So is a bare
quote with a comma between it and another quote of its line: writer and reader may mean different values.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from regsosek.errors import ContractBreachError
from regsosek.staging.reading.unpacking import CHUNK_BYTES

LF, CR, QUOTE, COMMA, BLANK, TAB = b'\n\r", \t'
_ENDS = (COMMA, LF, CR)
_BLANKS = (BLANK, TAB)
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Spans:
    """The quoted stretches of a text: from each of ``opens`` to the place of the same number in ``closes``."""

    opens: Places
    closes: Places

    def mask(self, length: int) -> npt.NDArray[np.bool_]:
        """Which of ``length`` bytes are quoted."""
        steps = np.zeros(length + 1, dtype=np.int8)
        np.add.at(steps, self.opens, 1)
        np.subtract.at(steps, self.closes, 1)
        return np.cumsum(steps[:-1], dtype=np.int8) > 0


_NONE = Spans(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))


def count_separators(name: str, plain: Path) -> int:
    """How many commas part values in the text ``plain`` of the delivered file ``name``.

    Raises:
        ContractBreachError: ``file_malformed``: a quote may be read in more than one way, or is never closed.
    """
    with plain.open("rb") as source:
        return _separators(name, whole_lines(source))


def separators_in(name: str, lines: bytes) -> int:
    """How many commas part values in whole ``lines`` from the start of the file ``name``.

    Raises:
        ContractBreachError: ``file_malformed``, as above.
    """
    return _separators(name, [lines])


def _separators(name: str, pieces: Iterable[bytes]) -> int:
    quoting, separators = Quoting(name), 0
    for text in pieces:
        separators += text.count(b",") - _commas_within(text, quoting.spans(text))
    quoting.finish()
    return separators


def whole_lines(source: BinaryIO) -> Iterator[bytes]:
    """The text in pieces that end where a line ends, however lines end."""
    rest = b""
    while chunk := source.read(CHUNK_BYTES):
        text = rest + chunk
        # A CR at the very end may be half of a pair.
        end = max(text.rfind(b"\n"), text.rfind(b"\r", 0, len(text) - 1)) + 1
        rest = text[end:]
        if end:
            yield text[:end]
    if rest:
        yield rest


def _commas_within(text: bytes, spans: Spans) -> int:
    if not spans.opens.size:
        return 0
    commas = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == COMMA)
    return int((np.searchsorted(commas, spans.closes) - np.searchsorted(commas, spans.opens)).sum())


@dataclass(slots=True)
class Quoting:
    """Follows the quotes of the file ``name`` from one piece of whole lines to the next."""

    name: str
    inside: bool = False
    _lines: int = field(default=0)
    _opened: int = field(default=0)

    def spans(self, text: bytes) -> Spans:
        """The quoted stretches of ``text``, which follows what was given before.

        Raises:
            ContractBreachError: ``file_malformed``.
        """
        spans = _NONE
        if self.inside or b'"' in text:
            quotes = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == QUOTE)
            spans = self._alternating(text, quotes) or self._followed(text, quotes)
        self._lines += max(text.count(b"\n"), text.count(b"\r"))
        return spans

    def finish(self) -> None:
        """Checks that the text does not end inside of quotes: the engine drops such a last value or its whole line.

        Raises:
            ContractBreachError: ``file_malformed``.
        """
        if self.inside:
            self._refuse(self._opened, "a quote that is never closed")

    def _alternating(self, text: bytes, quotes: Places) -> Spans | None:
        """The stretches if quotes open and close values in turn, each where it may; a doubled one closes and opens."""
        opens, closes = quotes[self.inside :: 2], quotes[not self.inside :: 2]
        padded = np.frombuffer(b"\n\n" + text + b"\n", dtype=np.uint8)
        before, behind = padded[opens + 1], padded[closes + 3]
        blank = (before == BLANK) & (padded[opens] == COMMA)
        if not (np.isin(before, (*_ENDS, QUOTE)) | blank).all() or not np.isin(behind, (*_ENDS, QUOTE)).all():
            return None
        return self._closed(text, opens, closes)

    def _closed(self, text: bytes, opens: Places, closes: Places) -> Spans:
        """Spans of ``text``, of which the first may have opened before and the last may close later."""
        began = opens[~np.isin(opens, closes + 1)]
        opens = np.concatenate(([0], opens)) if self.inside else opens
        self.inside = len(opens) > len(closes)
        if self.inside and began.size:
            self._opened = self._line(text, int(began[-1]))
        closes = np.concatenate((closes, [len(text)])) if self.inside else closes
        return Spans(opens.astype(np.intp), closes.astype(np.intp))

    def _followed(self, text: bytes, quotes: Places) -> Spans:
        """The stretches, quote by quote: seldom needed, and slower."""
        opens, closes, bare, places = list[int](), list[int](), list[int](), iter(quotes.tolist())
        inside = self.inside
        for place in places:
            if not inside:
                inside = self._opens(text, place)
                (opens if inside else bare).append(place)
            elif text[place + 1 : place + 2] == b'"':
                next(places)
            else:
                self._check_behind(text, place)
                closes.append(place)
                inside = False
        self._check_bare(text, quotes, bare)
        return self._closed(text, np.array(opens, dtype=np.intp), np.array(closes, dtype=np.intp))

    def _opens(self, text: bytes, place: int) -> bool:
        """Whether a quote outside of quotes opens a value."""
        start = place
        while start and text[start - 1] in _BLANKS:
            start -= 1
        if start and text[start - 1] not in _ENDS:
            return False
        if start < place and text[max(place - 2, 0) : place] != b", ":
            self._refuse(self._line(text, place), "blanks or tabs before a quote")
        return True

    def _check_behind(self, text: bytes, place: int) -> None:
        end = place + 1
        while end < len(text) and text[end] == BLANK:
            end += 1
        if end < len(text) and text[end] not in _ENDS:
            self._refuse(self._line(text, place), "text behind a quoted value")

    def _check_bare(self, text: bytes, quotes: Places, bare: list[int]) -> None:
        """Refuses a bare quote that may pair with a neighbour, values between them."""
        for at in np.searchsorted(quotes, bare).tolist():
            for one, other in ((at - 1, at), (at, at + 1)):
                if one >= 0 and other < len(quotes):
                    between = text[quotes[one] : quotes[other]]
                    if b"," in between and b"\n" not in between and b"\r" not in between:
                        self._refuse(
                            self._line(text, int(quotes[at])), "a quote within a value that has none around it"
                        )

    def _line(self, text: bytes, place: int) -> int:
        return self._lines + max(text.count(b"\n", 0, place), text.count(b"\r", 0, place)) + 1

    def _refuse(self, line: int, what: str) -> None:
        raise ContractBreachError(
            "file_malformed", f"{self.name} is not CSV as in RFC 4180: line {line} has {what}; quote the whole value"
        )
