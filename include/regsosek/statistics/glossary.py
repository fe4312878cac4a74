"""``docs/glossary.md``: what every published figure means, in both languages, written from the same definitions."""

from collections.abc import Iterator
from pathlib import Path

from regsosek.geography.plan import WHOLE
from regsosek.statistics.definitions import Definition, definitions
from regsosek.statistics.origins import MARK, Source, made_of, sources
from regsosek.statistics.status import StatusRule, status_rules, status_words

PAGE = Path("docs/glossary.md")
_HEAD = """# Glossary / Glosarium

Written by `make fix` from `include/regsosek/statistics/` (`definitions.csv`, `sources.csv`, `statuses.csv`,
`status_rules.csv`); do not edit. The same lines compute the shares, choose the columns of the published tables and
stand in each release's `definisi.csv`. A share is never cut off at 100, and is empty where its denominator is zero or
unknown.

*Ditulis oleh `make fix` dari berkas definisi yang juga menghitung angkanya. Persen tidak dipotong pada 100, dan kosong
bila penyebutnya nol atau tidak diketahui.*
"""
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
    return {root / PAGE: "\n".join(_page()) + "\n"}


def _page() -> Iterator[str]:
    yield _HEAD
    yield "## Shares / Persen dan rasio\n"
    yield "| column | figure | numerator / denominator | version; coverage | public down to | meaning |"
    yield "|---|---|---|---|---|---|"
    yield from (_share(each) for each in definitions().values() if each.is_share)
    yield "\n## Counts and words / Banyaknya dan keterangan\n"
    yield "| column | figure | unit | made of | public down to | meaning |"
    yield "|---|---|---|---|---|---|"
    yield from (_figure(each) for each in definitions().values() if not each.is_share)
    yield "\n## Sources / Sumber\n"
    yield "What numbers are made of in the end; `regsosek trace` leads there. *Asal setiap angka.*\n"
    yield "| source | counted from deliveries | where else |"
    yield "|---|---|---|"
    yield from map(_source, sources().values())
    yield "\n## Status\n"
    yield "The first rule that fits holds. *Aturan pertama yang cocok berlaku.*\n"
    yield "| status | part of the window | when | source |"
    yield "|---|---|---|---|"
    yield from map(_rule, status_rules())
    yield "\n| status | meaning |"
    yield "|---|---|"
    for words in status_words().values():
        yield f"| {words.label} / {words.label_en} | {words.meaning} / *{words.meaning_en}* |"


def _share(each: Definition) -> str:
    of = definitions()[each.denominator]
    beside = "; ".join(_column(field) for field in (of.version, of.coverage) if field)
    return (
        f"| `{each.column}` | {each.name} / *{each.name_en}* | {_column(each.numerator)} / {_column(each.denominator)} "
        f"| {beside} | {_LEVELS[each.lowest_level]} | {each.definition} / *{each.definition_en}* |"
    )


def _figure(each: Definition) -> str:
    return (
        f"| `{each.column}` | {each.name} / *{each.name_en}* | {each.unit} | {', '.join(map(_part, made_of(each)))} "
        f"| {_LEVELS[each.lowest_level]} | {each.definition} / *{each.definition_en}* |"
    )


def _part(name: str) -> str:
    """A field that a number is made of by its column, or a source by its name."""
    return sources()[name].name_en if name.startswith(MARK) else _column(name)


def _source(each: Source) -> str:
    return f"| {each.name_en} / *{each.name}* | {'yes / ya' if each.counted else ''} | {each.where} |"


def _column(field: str) -> str:
    return f"`{definitions()[field].column}`"


def _rule(rule: StatusRule) -> str:
    words = status_words()[rule.status]
    asked = [" / ".join(_CONDITIONS[rule.only_when])] if rule.only_when else []
    asked += [f"≥ {rule.percent_from:g} %"] if rule.percent_from is not None else []
    asked += [f"gap / selisih < {rule.gap_below_points:g}"] if rule.gap_below_points is not None else []
    share = rule.below_percent_of_plan
    asked += [f"< {share:g} % of the plan / dari rencana"] if share is not None else []
    when = " and ".join(asked) or "else / selain itu"
    return f"| {words.label} / {words.label_en} | {_time(rule)} | {when} | {rule.source} |"


def _time(rule: StatusRule) -> str:
    """The part of the window that a rule is of."""
    above, to = rule.above_window_percent, rule.to_window_percent
    if above is None and to is None:
        return f"days {rule.from_day} to {rule.to_day}" if rule.to_day is not None else "all"
    if to is None:
        return "after its end" if above == WHOLE else f"after {above:g} % of it"
    return f"to {to:g} % of it" if above is None else f"after {above:g} to {to:g} % of it"
