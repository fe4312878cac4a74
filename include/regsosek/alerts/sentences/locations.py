"""Where a problem is, in the names of the kab/kota that make most of it: what an office must know first."""

from collections.abc import Callable, Mapping, Sequence

from regsosek.alerts.conditions.condition import Kind
from regsosek.alerts.conditions.province_figures import KabkotaFigures, ProvinceFigures
from regsosek.alerts.sentences.grouping import Line
from regsosek.alerts.sentences.texts import Words
from regsosek.statistics.measures.status import BEHIND

NAMED = 2  # in a line that is read on a phone
_LONG, _SHORT = "Kabupaten ", "Kab. "

Part = tuple[str, int]


def parts_of(kind: Kind, lines: Sequence[Line], figures: ProvinceFigures) -> list[Part]:
    """Names of kab/kota and their families, most first: of a whole province as far as figures say, else of its lines.

    What a delivery or the whole province is about has no parts.
    """
    if any(line.level in ("nasional", "provinsi") for line in lines):
        return largest_parts(kind, figures)
    names = {each.code: each.name for each in figures.kabkota}
    return _largest([(names.get(line.kabkota, line.kabkota), line.families) for line in lines if line.kabkota])


def largest_parts(kind: Kind, figures: ProvinceFigures) -> list[Part]:
    """The kab/kota of a whole province and their families, most first."""
    own = _OWN.get(kind)
    return _largest([(each.name, own(each, figures)) for each in figures.kabkota]) if own else []


def far_behind(figures: ProvinceFigures) -> list[Part]:
    """The kab/kota that the page calls far behind, however small, and the families that each is short, most first."""
    far = [each for each in figures.behind_below if figures.pace_of_kabkota(each).status == "far_behind"]
    return _most_first([(each.name, _short_of_plan(each, figures)) for each in far])


def _largest(parts: Sequence[Part]) -> list[Part]:
    return [part for part in _most_first(parts) if part[1] > 0]


def _most_first(parts: Sequence[Part]) -> list[Part]:
    return [(short(name), families) for name, families in sorted(parts, key=lambda part: -part[1])]


def in_words(parts: Sequence[Part], words: Words, most: int = NAMED) -> str:
    """The first ``most`` of ``parts`` with their families, and how many more there are."""
    named = [words.say("where_part", name=name, n=words.number(n)) for name, n in parts[:most]]
    rest = len(parts) - len(named)
    return ", ".join(named + ([words.say("where_rest", n=words.number(rest))] if rest else []))


def short(name: str) -> str:
    """``Kab. Berau``: a name as a phone has room for it."""
    return _SHORT + name.removeprefix(_LONG) if name.startswith(_LONG) else name


def _short_of_plan(each: KabkotaFigures, figures: ProvinceFigures) -> int:
    """Families short of the plan where the page calls the kab/kota behind: on plan nobody is to be asked why."""
    pace = figures.pace_of_kabkota(each)
    return -(pace.gap_families or 0) if pace.status in BEHIND else 0


def _withdrawn(each: KabkotaFigures, figures: ProvinceFigures) -> int:
    return sum(line.withdrawn for line in figures.replaced if line.code == each.code)


_OWN: Mapping[Kind, Callable[[KabkotaFigures, ProvinceFigures], int]] = {
    Kind.QUALITY: lambda each, _: each.waiting.asked_again.families,
    Kind.CODE: lambda each, _: each.waiting.code,
    Kind.BEHIND: _short_of_plan,
    Kind.REPLACED: _withdrawn,
}
