"""``docs/glossary.md``: what every published figure means, in both languages, written from the same definitions."""

from pathlib import Path

from regsosek.geography.plan import WHOLE
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.definitions.origins import MARK, made_of, sources
from regsosek.statistics.measures.status import StatusRule, status_rules, status_words
from regsosek.wording import markdown

PAGE = Path("docs/glossary.md")
_LEVELS = {
    "nasional": "nation",
    "provinsi": "province",
    "kabkota": "kab/kota",
    "kecamatan": "kecamatan",
    "desa": "desa",
}
_CONDITIONS = {
    "no_figures": ("no figures, or no denominator", "tidak ada angka atau penyebut"),
    "nothing_visited": ("nothing visited", "belum ada yang dikunjungi"),
}


def documents(root: Path) -> dict[Path, str]:
    """The generated page by its path below ``root``."""
    return {root / PAGE: _page()}


def _page() -> str:
    values = {
        "definitions": definitions(),
        "levels": _LEVELS,
        "column": _column,
        "parts": lambda each: map(_part, made_of(each)),
        "sources": sources(),
        "status_rules": status_rules(),
        "status_words": status_words(),
        "time": _time,
        "when": _when,
    }
    return markdown.page(__file__, values)


def _part(name: str) -> str:
    """A field that a number is made of by its column, or a source by its name."""
    return sources()[name].name.en if name.startswith(MARK) else _column(name)


def _column(field: str) -> str:
    return f"`{definitions()[field].column}`"


def _when(rule: StatusRule) -> str:
    """The conditions of a rule, in both languages."""
    asked = [" / ".join(_CONDITIONS[rule.only_when])] if rule.only_when else []
    asked += [f"≥ {rule.percent_from:g} %"] if rule.percent_from is not None else []
    asked += [f"gap / selisih < {rule.gap_below_points:g}"] if rule.gap_below_points is not None else []
    share = rule.below_percent_of_plan
    asked += [f"< {share:g} % of the plan / dari rencana"] if share is not None else []
    return " and ".join(asked) or "else / selain itu"


def _time(rule: StatusRule) -> str:
    """The part of the window that a rule is of."""
    above, to = rule.above_window_percent, rule.to_window_percent
    if above is None and to is None:
        return f"days {rule.from_day} to {rule.to_day}" if rule.to_day is not None else "all"
    if to is None:
        return "after its end" if above == WHOLE else f"after {above:g} % of it"
    return f"to {to:g} % of it" if above is None else f"after {above:g} to {to:g} % of it"
