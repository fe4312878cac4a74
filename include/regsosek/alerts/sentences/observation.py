"""What was observed and what was expected, in the sentences of ``texts.toml`` for which the figures are known."""

from collections.abc import Mapping

from regsosek.alerts.conditions.province_figures import KabkotaFigures, ProvinceFigures
from regsosek.alerts.sentences.grouping import Line
from regsosek.alerts.sentences.texts import Words, filled, names_in


def finding(line: Line, figures: ProvinceFigures, words: Words) -> str:
    """The finding of one line; at least how many families are concerned, if nothing else is known.

    The figures a condition was decided on come first; those of the night fill in what it does not say.
    """
    known = {**_of_the_night(line, figures), **line.figures, "families": line.families}
    told = [filled(each, _written(known, each, words)) for each in words.kind(line.kind).finding if _told(each, known)]
    if not told and {"observed", "expected"} <= set(known):
        observed, expected = (words.number(known[name]) for name in ("observed", "expected"))
        told = [words.say("observed", observed=observed, expected=expected)]
    if not told and line.families:
        told = [words.say("concerned", families=words.number(line.families))]
    return " ".join(told)


def _told(form: str, known: Mapping[str, float]) -> bool:
    names = [part for name in names_in(form) for part in name.split("/")]
    if not all(name in known for name in names):
        return False
    return len(names) != 1 or bool(known[names[0]])


def _written(known: Mapping[str, float], form: str, words: Words) -> dict[str, str]:
    return {name: _figure(known, name, words) for name in names_in(form)}


def _figure(known: Mapping[str, float], name: str, words: Words) -> str:
    if "/" in name:
        part, whole = name.split("/")
        return str(words.written.percent_of(known[part], known[whole]))
    if name.endswith("_percent"):
        return str(words.written.plain_percentage(known[name]))
    return words.number(known[name])


def _of_the_night(line: Line, figures: ProvinceFigures) -> dict[str, float]:
    if line.level == "provinsi":
        return _of_province(figures)
    place = next((each for each in figures.kabkota if each.code == line.kabkota), None)
    return _of_kabkota(place, figures) if place and line.level == "kabkota" else {}


def _of_province(figures: ProvinceFigures) -> dict[str, float]:
    return {
        "code_alone": figures.waiting.code_alone,
        "visited": figures.visited,
        "target": figures.target,
        "plan_percent": figures.plan_percent,
        "silent_nights": figures.silent_nights,
        "unfinished": figures.unfinished,
        "all_deliveries": sum(figures.deliveries.values()) + sum(figures.stream_deliveries.values()),
        "rejected_deliveries": len(figures.rejected),
        "rejected_families": sum(each.families for each in figures.rejected),
        "held_deliveries": len(figures.held),
        "held_families": sum(each.families for each in figures.held),
        "held_persons": sum(each.persons for each in figures.held),
    }


def _of_kabkota(place: KabkotaFigures, figures: ProvinceFigures) -> dict[str, float]:
    plan = figures.pace_of_kabkota(place).plan_percent or 0.0
    return {
        "code_alone": place.waiting.code_alone,
        "visited": place.visited,
        "target": place.plan_base,
        "plan_percent": plan,
    }
