"""What a page says and how it writes numbers: one language, from the texts of ``texts.csv`` and of the definitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from regsosek.contract.reasons import rejection_reasons
from regsosek.release.figures.schema import kind_of
from regsosek.release.figures.words import calendar_states, severities
from regsosek.statistics.definitions.definitions import PERCENT, definitions
from regsosek.statistics.forecast.table import FORECAST_WORDS, forecast_words
from regsosek.statistics.measures.status import status_words
from regsosek.statistics.streams.clocks import streams
from regsosek.wording import Language as Code
from regsosek.wording import Text, english, indonesian
from regsosek.wording.nouns import with_nouns
from regsosek.wording.number_form import NOTHING
from regsosek.wording.texts import read_texts

_TEXTS = Path(__file__).parent / "texts.csv"
_SIGNED = "poin persen"
_OF_VERSIONS = ("version_each_opening", "version_opening", "base_kerangka")
_STATUS_FIELDS = ("status", "floor_status")


@dataclass(frozen=True)
class Language:
    """One of the two languages of the site."""

    code: Code

    @property
    def written(self) -> Any:
        """The module that writes numbers and dates of this language."""
        return indonesian if self.code == "id" else english

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """All texts by key."""
        return {key: text.of(self.code) for key, text in _texts().items()}

    def t(self, key: str, **values: object) -> Markup:
        """The text ``key`` with ``values`` in their places; the text may hold markup, the values are escaped."""
        form = with_nouns(self.texts[key], values)
        return Markup(form).format(**values)  # noqa: S704 - our own texts; format escapes the values

    def say(self, key: str, **values: object) -> str:
        """The plain text ``key`` with ``values`` in their places."""
        return with_nouns(self.texts[key], values).format(**values)

    def name(self, field: str) -> str:
        """What a figure is called."""
        return definitions()[field].name.of(self.code)

    def definition(self, field: str) -> str:
        """What a figure means."""
        return definitions()[field].definition.of(self.code)

    def state(self, state: str) -> str:
        """What became of a province's night."""
        return calendar_states()[state].label.of(self.code)

    def state_explained(self, state: str) -> str:
        """The same in a sentence."""
        return calendar_states()[state].explanation.of(self.code)

    def status(self, status: str) -> str:
        """How a region stands against its plan."""
        return status_words()[status].label.of(self.code)

    def reason(self, reason: str) -> str:
        """Why a delivery was rejected."""
        known = rejection_reasons().get(reason)
        return reason if known is None else known.text.of(self.code)

    def forecast_word(self, key: str) -> str:
        """A status, reason or method of a forecast."""
        return forecast_words()[key].of(self.code)

    def severity(self, severity: str) -> str:
        """How bad it is to violate a rule."""
        return severities()[severity].of(self.code)

    def stream(self, stream: str) -> str:
        """What a stream is called."""
        return streams()[stream].name.of(self.code)

    def figure(self, field: str, value: Any) -> str:
        """A value of ``field`` as this language writes it; a dash, or why, where there is none."""
        if value is None or pd.isna(value):
            return self.texts.get(f"none_{field}", NOTHING)
        kind = kind_of(definitions()[field])
        if kind == "text":
            return self._word(field, str(value))
        if kind == "date":
            return str(self.written.short_date(value))
        return self._number(definitions()[field].unit, kind, value)

    def _number(self, unit: str, kind: str, value: Any) -> str:
        if kind == "count" or isinstance(value, int):
            return str(self.written.number(int(value)))
        if unit == PERCENT:
            return str(self.written.percentage(float(value)))
        write = self.written.points if unit == _SIGNED else self.written.decimal
        return str(write(float(value)))

    def version(self, version: str) -> str:
        """A version of a denominator; the tables write its words in Indonesian."""
        for key in _OF_VERSIONS:
            version = version.replace(_texts()[key].id, self.texts[key])
        return version

    def _word(self, field: str, value: str) -> str:
        if field.endswith("_version"):
            return self.version(value)
        if field in _STATUS_FIELDS:
            return self.status(value)
        if field in FORECAST_WORDS:
            return self.forecast_word(value)
        if field == "plan_base":
            return self.texts[f"base_{value}"]
        return {"state": self.state, "stream": self.stream, "severity": self.severity}.get(field, str)(value)

    def listed(self, names: list[str], most: int) -> str:
        """``A, B, C``; beyond ``most`` the rest is counted."""
        rest = len(names) - most
        told = ", ".join(names[:most])
        return told if rest <= 0 else f"{told} {self.say('and_more', count=rest)}"

    def dated(self, day: date) -> str:
        """A date with its day of the week."""
        return str(self.written.full_date(day))


LANGUAGES = (Language("id"), Language("en"))


@cache
def _texts() -> dict[str, Text]:
    return read_texts(_TEXTS)
