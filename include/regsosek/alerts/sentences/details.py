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
from regsosek.warehouse.nights.holding import HeldDelivery


def details(kind: Kind, figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    """The lines under a condition of ``kind``; most kinds need none."""
    detail = _DETAILS.get(kind)
    return detail(figures, limits, context) if detail else []


def details_of_kabkota(line: Line, figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    """The lines under a kab/kota's condition: of QUALITY the rules to begin with."""
    own = next((each for each in figures.kabkota if each.code == line.kabkota), None)
    if line.kind is not Kind.QUALITY or own is None:
        return []
    return _rules("rule_waiting", asked_again(own.rules), limits, context)


def _no_data(figures: ProvinceFigures, _limits: Thresholds, context: Context) -> list[str]:
    words, last = context.words, figures.last_arrival
    return [words.say("last_arrival", day=words.written.day(last)) if last else words.say("never_arrived")]


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


def _replaced(figures: ProvinceFigures, _limits: Thresholds, context: Context) -> list[str]:
    """Which deliveries withdrew families, and where a phone can open their list: no mail carries their keys."""
    ids = sorted({each for line in figures.replaced if line.withdrawn for each in line.deliveries.split(",")})
    if not context.deliveries:
        return [context.words.say("replaced", delivery=each) for each in ids]
    return [context.words.say("replaced_at", delivery=each, address=f"{context.deliveries}{each}") for each in ids]


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
