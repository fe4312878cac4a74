"""What stands under a condition of the whole province: which deliveries, which rules, when something came last."""

from collections.abc import Callable, Mapping, Sequence

from regsosek.alerts.conditions.condition import Kind
from regsosek.alerts.conditions.province_figures import CodeDesa, ProvinceFigures, RuleViolations, asked_again
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.alerts.sentences.context import Context
from regsosek.alerts.sentences.grouping import Line
from regsosek.alerts.sentences.locations import far_behind, in_words, largest_parts
from regsosek.alerts.sentences.texts import Words
from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.quality.hold_limits import REPLACED, RULED
from regsosek.statistics.streams.clocks import streams
from regsosek.warehouse.nights.holding import HeldDelivery


def details(kind: Kind, figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    """The lines under a condition of ``kind``; most kinds need none."""
    detail = _DETAILS.get(kind)
    return detail(figures, limits, context) if detail else []


def details_of_kabkota(line: Line, figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    """The lines under a kab/kota's condition: the rules to begin with (QUALITY), what other streams tell (NO_DATA)."""
    if line.kind is Kind.NO_DATA:
        return beside_of(line, figures, context.words)
    own = next((each for each in figures.kabkota if each.code == line.kabkota), None)
    if line.kind is not Kind.QUALITY or own is None:
        return []
    return _rules("rule_waiting", asked_again(own.rules), limits, context)


def _no_data(figures: ProvinceFigures, _limits: Thresholds, context: Context) -> list[str]:
    words, last = context.words, figures.last_arrival
    arrived = words.say("last_arrival", day=words.written.day(last)) if last else words.say("never_arrived")
    return [arrived, *_beside(figures.province, figures, words)]


def beside_of(line: Line, figures: ProvinceFigures, words: Words) -> list[str]:
    """What other streams tell of the kab/kota of a line that is about its silence; empty of any other line."""
    return _beside(line.kabkota, figures, words) if line.kind is Kind.NO_DATA and line.level == "kabkota" else []


def _beside(code: str, figures: ProvinceFigures, words: Words) -> list[str]:
    """The families that other streams tell of in a region without a document; as the region's page says it."""
    told = [
        words.say(
            "families_of_source", source=streams()[stream].name.of(words.language), families=words.number(families)
        )
        for stream, families in figures.beside.get(code, {}).items()
    ]
    return [words.say("other_sources", sources="; ".join(told))] if told else []


def _rejected(figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    words = context.words
    shown = figures.rejected[: limits.lengths.rejected]
    lines = [
        words.say(
            "rejected",
            delivery=each.delivery_id,
            day=words.written.day(each.delivered_on),
            stream=_stream(each.instrument),
            reason=words.rejection(each.reason),
        )
        for each in shown
    ]
    rest = len(figures.rejected) - len(shown)
    return [*lines, words.say("rejected_more", n=words.number(rest))] if rest else lines


def _held(figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    lines = [_waiting(each, context.words) for each in figures.held]
    return lines + _rules("rule", figures.held_rules, limits, context)


def _replaced(figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    """Which deliveries withdrew families of which; where a phone can open their list: no mail carries their keys."""
    words, told = context.words, []
    for each in sorted({each for line in figures.replaced if line.withdrawn for each in line.ids}):
        former = figures.superseded.get(each, ())
        shown = former[: limits.lengths.rejected]
        rest = len(former) - len(shown)
        listed = ", ".join([*shown, *[words.say("replaced_more", n=words.number(rest))] * bool(rest)])
        line = words.say("replaced", delivery=each, former=listed)
        told.append(
            words.say("replaced_at", line=line, address=f"{context.deliveries}{each}") if context.deliveries else line
        )
    return told


def _quality(figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    return [
        *_most_of(Kind.QUALITY, figures, limits, context),
        *_rules("rule_waiting", figures.asked_rules, limits, context),
    ]


def _code(figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    desa = [_desa(each, context) for each in figures.code_desa[: limits.lengths.rules]]
    return [*_most_of(Kind.CODE, figures, limits, context), *desa]


def _desa(desa: CodeDesa, context: Context) -> str:
    """A desa by code and name, as its page has it, and its families."""
    words = context.words
    name = f"{words.say('level.desa')} {desa.code} {desa.name}".strip()
    return words.say("where_part", name=name, n=words.number(desa.families))


def _behind(figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    """The largest arrears, and who is far behind: a small kab/kota may be that too."""
    words, far = context.words, far_behind(figures)
    told = [words.say("far_behind", places=in_words(far, words, limits.lengths.kabkota))] if far else []
    return [*_most_of(Kind.BEHIND, figures, limits, context), *told]


def _most_of(kind: Kind, figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    """The kab/kota that make most of it, whether or not they are told of by themselves."""
    parts = largest_parts(kind, figures)
    if not parts:
        return []
    return [context.words.say("most_of", places=in_words(parts, context.words, limits.lengths.rules))]


def _rules(form: str, rules: Sequence[RuleViolations], limits: Thresholds, context: Context) -> list[str]:
    words = context.words
    return [
        words.say(
            form,
            rule=each.rule_id,
            n=words.number(each.rows),
            text=context.rule_texts.get(each.rule_id, words.say("rule_unknown")),
        )
        for each in rules[: limits.lengths.rules]
    ]


def _stream(instrument: str) -> str:
    """Which stream a delivery is of; nothing is said of questionnaire K."""
    return "" if instrument == QUESTIONNAIRE else f", {instrument}"


def _waiting(held: HeldDelivery, words: Words) -> str:
    """One held delivery: which it is, and every share that is over its limit."""
    shares = [
        words.say(
            "held_replaced" if each.dataset == REPLACED else "held_share",
            in_error=words.number(each.in_error),
            judged=words.number(each.judged),
            rows=words.say(f"rows_of.{RULED[each.dataset]}"),
            share=words.written.percent_of(each.in_error, each.judged),
            limit=words.written.plain_percentage(float(each.limit_percent or 0)),
        )
        for each in held.exceeded
    ]
    day = words.written.day(held.delivered_on)
    told = "; ".join(shares)
    return words.say("held", delivery=held.delivery_id, day=day, stream=_stream(held.instrument), shares=told)


_DETAILS: Mapping[Kind, Callable[[ProvinceFigures, Thresholds, Context], list[str]]] = {
    Kind.NO_DATA: _no_data,
    Kind.REJECTED: _rejected,
    Kind.HELD: _held,
    Kind.REPLACED: _replaced,
    Kind.QUALITY: _quality,
    Kind.CODE: _code,
    Kind.BEHIND: _behind,
}
