"""How numbers are written for readers of a language: CLDR's marks, a true minus sign, a dash for what is not known.

Babel's ``format_decimal`` takes ten times as long, and the pages of a release are full of numbers: only the marks are
Babel's.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from babel import Locale

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_ALL, _NEARLY_ALL = 100, 99.9
_LEAST = Decimal("0.001")


@dataclass(frozen=True)
class NumberForm:
    """Numbers with the marks of ``locale`` between thousands and before decimals; ``percent`` ends a percentage."""

    locale: Locale
    percent: str

    @property
    def thousands(self) -> str:
        """What stands between thousands."""
        return str(self.locale.number_symbols["latn"]["group"])

    @property
    def mark(self) -> str:
        """What stands before decimals."""
        return str(self.locale.number_symbols["latn"]["decimal"])

    def number(self, value: int | None) -> str:
        """A whole number; a dash for None."""
        return NOTHING if value is None else self._marked(f"{value:,}").replace("-", MINUS)

    def signed(self, value: int | None) -> str:
        """A change with its sign; a dash for None."""
        return f"+{self.number(value)}" if value is not None and value > 0 else self.number(value)

    def decimal(self, value: float | None, places: int = 1) -> str:
        """Halves are rounded away from zero; a dash for None."""
        if value is None:
            return NOTHING
        rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        return (MINUS if rounded < 0 else "") + self._marked(f"{abs(rounded):,f}")

    def percentage(self, value: float | None) -> str:
        """With one decimal, and never the whole for what is short of it; a dash for None."""
        if value is None:
            return NOTHING
        return f"{self.decimal(_NEARLY_ALL if _NEARLY_ALL < value < _ALL else value)}{self.percent}"

    def percent_of(self, part: float, whole: float) -> str:
        """``part`` of ``whole`` with one decimal, never clipped at 100; a dash if there is no whole."""
        return self.percentage(part * 100 / whole if whole else None)

    def plain_percentage(self, value: float) -> str:
        """A percentage that is itself the figure, such as a plan or a limit: with a decimal only if it needs one."""
        return f"{self.plain_decimal(value)}{self.percent}"

    def plain_decimal(self, value: float) -> str:
        """A number that is itself the figure, with a decimal only if it needs one."""
        rounded = round(float(value), 1)
        return self.decimal(rounded, 0 if rounded.is_integer() else 1)

    def told_apart(self, value: float, limit: float) -> tuple[str, str]:
        """A figure and its limit; with two decimals where one would show both alike."""
        shown, bound = self.decimal(value), self.plain_decimal(limit)
        if shown != self.decimal(limit):
            return shown, bound
        return self.decimal(value, 2), self.decimal(limit, 2)

    def points(self, value: float | None) -> str:
        """A difference of percentages with its sign; a dash for None."""
        written = self.decimal(value)
        unsigned = value is None or written.startswith(MINUS) or written == self.decimal(0)
        return written if unsigned else f"+{written}"

    def share(self, value: float) -> str:
        """A share of one in percent, to three digits and no more than three decimals: with four it reads as a place."""
        exact = Decimal(f"{value * 100:.3g}")
        shown = exact.quantize(_LEAST, ROUND_HALF_UP) if exact < 1 else exact
        if exact and not shown:
            return f"<{self._marked(str(_LEAST))}{self.percent}"
        written = f"{shown:f}"
        trimmed = written.rstrip("0").rstrip(".") if "." in written else written
        return f"{self._marked(trimmed)}{self.percent}"

    def _marked(self, written: str) -> str:
        return written.translate(self._marks)

    @cached_property
    def _marks(self) -> dict[int, str]:
        return {ord(","): self.thousands, ord("."): self.mark}
