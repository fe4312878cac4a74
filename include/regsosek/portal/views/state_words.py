"""How states are shown and told to operators: one mark, one tone and one English sentence for each."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from regsosek.alerts.conditions.kinds import kind_traits
from regsosek.alerts.sentences.texts import words_of
from regsosek.geography.reference_table import read_table

_STATES, _MEASURES = Path(__file__).with_name("states.csv"), Path(__file__).with_name("measures.csv")
JAKARTA = ZoneInfo("Asia/Jakarta")
_ACTED = {"ack": "acknowledged", "snooze": "snoozed", "wake": "woken"}
_LEVELS = {"kabkota": "kab/kota", "subsls": "sub-SLS"}


@dataclass(frozen=True)
class StateMark:
    """A state as the page shows it; ``mark`` tells it apart where colours do not."""

    state: str
    tone: str
    mark: str
    label: str
    explanation: str


@cache
def _words(kind: str) -> dict[str, StateMark]:
    rows = read_table(_STATES, ("kind", "state", "tone", "mark", "label", "explanation"))
    return {
        row["state"]: StateMark(row["state"], row["tone"], row["mark"], row["label"], row["explanation"])
        for row in rows
        if row["kind"] == kind
    }


def night_words() -> dict[str, StateMark]:
    """The words for every state of a province's night, in the order of the legend."""
    return _words("night")


def delivery_words() -> dict[str, StateMark]:
    """The words for every state of a delivery."""
    return _words("delivery")


def condition_words() -> dict[str, StateMark]:
    """The words for every kind of condition that a province is told of."""
    return {kind.value: StateMark(kind.value, **each.portal.model_dump()) for kind, each in kind_traits().items()}


def event_words() -> dict[str, StateMark]:
    """The words for the lines of the journal."""
    return _words("event")


def number(value: float | None) -> str:
    """A whole number with thousands apart; a dash for none."""
    return "–" if value is None else f"{value:,.0f}"


def measured(name: str, value: float) -> tuple[str, str]:
    """What a number that a condition was decided on is called, and how it is written."""
    label, form = _measures().get(name, (name.replace("_", " "), "count"))
    written = {"percent": f"{value:.1f}%", "flag": "yes" if value else "no"}
    return label, written.get(form, number(value))


@cache
def _measures() -> dict[str, tuple[str, str]]:
    rows = read_table(_MEASURES, ("measure", "label", "form"))
    return {row["measure"]: (row["label"], row["form"]) for row in rows}


def signed(value: float) -> str:
    """A difference: with its sign, and a dash for none."""
    return "–" if not value else f"{value:+,.0f}".replace("-", "−")


def duration(seconds: float | None) -> str:
    """Tenths of seconds below a minute, then minutes and seconds; a dash for none."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    return f"{seconds:.1f} s" if seconds < 60 else f"{minutes} min {rest:02d} s"  # noqa: PLR2004 - a minute


def memory(value: int | None) -> str:
    """Bytes as mebibytes; a dash where they were not measured."""
    return f"{value / 2**20:,.0f} MiB" if value else "–"


def share(value: float | None) -> str:
    """A fraction as a percentage: two decimals below one percent, one above; a dash for none."""
    if value is None:
        return "–"
    percent = 100 * value
    return f"{percent:.2f}%" if 0 < percent < 1 else f"{percent:.1f}%"


def severity(key: str) -> str:
    """The word of a severity, as messages have it in English."""
    return words_of("en").say(f"headline.{key}").lower()


def acted(verb: str) -> str:
    """What somebody did about a condition."""
    return _ACTED[verb]


def level(key: str) -> str:
    """What a level of regions is called."""
    return _LEVELS.get(key, key)


def long_day(day: date) -> str:
    """``Friday 21 October 2022``."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def short_day(day: date) -> str:
    """``Fri 21``."""
    return f"{day:%a} {day.day}"


def moment(value: datetime | None) -> str:
    """A moment on the clocks of Jakarta; a dash for none."""
    return "–" if value is None else f"{value.astimezone(JAKARTA):%Y-%m-%d %H:%M} WIB"


def sentence(words: str) -> str:
    """``words`` with a capital at the beginning and the rest as it is."""
    return words[:1].upper() + words[1:]
