"""The digest of one province's night as an office reads it: subject and text, in Indonesian, without personal data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from regsosek.alerts.condition import Kind as KindOf
from regsosek.alerts.conditions import Condition, Kind, recovered_kinds
from regsosek.alerts.indonesian import day, harmless, moment, number, percent, points
from regsosek.alerts.kabkota_ranking import rank_kabkota
from regsosek.alerts.province_figures import ProvinceFigures, RowCounts, RuleViolations
from regsosek.alerts.rendering import Message, render
from regsosek.alerts.thresholds import Thresholds
from regsosek.alerts.wording import delivery_states, kind_texts, rejection_text, target_word, told_repairs, unit_word
from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.geography.calendar import NIGHT_ZONE
from regsosek.warehouse.holding import HeldDelivery


@dataclass(frozen=True, slots=True)
class Context:
    """What a digest says beside the figures.

    Attributes:
        office: name of the office.
        zone: of the province.
        rule_texts: Indonesian text by rule id.
        release: where the newest published release stands, and the night it is of; None before the first.
    """

    office: str
    zone: ZoneInfo
    rule_texts: Mapping[str, str]
    release: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One condition, worded."""

    todo: str
    title: str
    severity: str
    finding: str
    since: str
    details: Sequence[str]
    action: str
    who: str
    deadline: str


def compose_digest(
    figures: ProvinceFigures, conditions: Sequence[Condition], limits: Thresholds, context: Context
) -> Message:
    """Words one province's night; ``conditions`` stand most severe first, none of them is good news."""
    open_conditions = [each for each in conditions if each.kind != "RECOVERED"]
    gone = [kind for each in conditions if each.kind == "RECOVERED" for kind in recovered_kinds(each)]
    words = kind_texts()
    values = {
        "headline": conditions[0].severity if conditions else "AMAN",
        "office": harmless(context.office),
        "province": figures.province,
        "night": day(figures.night),
        "as_of": moment(as_of(figures, context.zone)),
        "kinds": [words[each.kind].short for each in open_conditions] + [f"pulih: {words[k].short}" for k in gone]
        or ["tidak ada yang perlu ditindaklanjuti"],
        "items": [_item(each, figures, limits, context) for each in open_conditions],
        "recovered": [words[kind].short for kind in gone],
        "kabkota": rank_kabkota(figures, [each.kind for each in open_conditions], limits),
        "scale": _scale(figures.scale) if figures.scale < 1 else "",
        "release": harmless(context.release) if context.release else None,
        **_arrived(figures),
        **_progress(figures),
    }
    return Message(render("subject.txt.j2", values).strip(), render("digest.txt.j2", values))


def as_of(figures: ProvinceFigures, zone: ZoneInfo) -> datetime:
    """The end of the night's last day of delivery, which is counted in WIB, on the clock of the province."""
    return datetime.combine(figures.night, time(23, 59), NIGHT_ZONE).astimezone(zone)


def _scale(scale: float) -> str:
    return f"{scale * 100:.4g} %".replace(".", ",")


def _item(condition: Condition, figures: ProvinceFigures, limits: Thresholds, context: Context) -> Item:
    words = kind_texts()[condition.kind]
    deadline = limits.deadline[KindOf(condition.kind)]
    until = datetime.combine(figures.night + timedelta(days=deadline.days), time(deadline.hour), context.zone)
    nights = (figures.night - condition.since).days + 1
    return Item(
        todo=_todo(words.todo, condition.kind, figures),
        title=words.title,
        severity=condition.severity,
        finding=_FINDINGS[condition.kind](figures, limits),
        since=f"sejak {day(condition.since)}, malam ke-{nights}" if nights > 1 else "baru malam ini",
        details=_details(condition.kind, figures, limits, context),
        action=words.action,
        who=words.who,
        deadline=moment(until),
    )


def _todo(todo: str, kind: Kind, figures: ProvinceFigures) -> str:
    concerned: Mapping[Kind, int] = {
        "REJECTED": sum(each.families for each in figures.rejected),
        "HELD": sum(each.families for each in figures.held),
        "QUALITY": figures.families.quarantined,
        "BEHIND": _missing(figures),
        "CODE": figures.off_frame,
    }
    families = concerned.get(kind, 0)
    return f"{todo}: {number(families)} keluarga" if families else todo


def _missing(figures: ProvinceFigures) -> int:
    return round(figures.plan_percent / 100 * figures.target) - figures.visited


def _no_data(figures: ProvinceFigures, _limits: Thresholds) -> str:
    last = f"Terakhir masuk: kiriman {day(figures.last_arrival)}." if figures.last_arrival else "Belum pernah ada."
    unfinished = (
        f" {number(figures.unfinished)} folder kiriman belum lengkap: manifest.json belum ada."
        if figures.unfinished
        else ""
    )
    nights = f"Sudah {number(figures.silent_nights)} malam tanpa data keluarga." if figures.silent_nights else ""
    return f"{nights} {last}{unfinished}".strip()


def _zero(figures: ProvinceFigures, _limits: Thresholds) -> str:
    active, silent = (sum(getattr(each, name) for each in figures.kabkota) for name in ("active", "silent"))
    if not figures.families.received:
        return "Kiriman datang, tetapi tanpa satu keluarga pun."
    return f"{_share(silent, active, 'SLS yang sedang dikerjakan')} sudah lama tidak mengirim."


def _appointment(figures: ProvinceFigures, _limits: Thresholds) -> str:
    return f"{number(len(figures.heads_not_met or ()))} SLS dikerjakan tanpa bertemu ketuanya."


def _rejected(figures: ProvinceFigures, _limits: Thresholds) -> str:
    families = sum(each.families for each in figures.rejected)
    size = f"{number(families)} keluarga" if families else "isinya"
    all_deliveries = sum(figures.deliveries.values()) + figures.stream_deliveries
    deliveries = f"{number(len(figures.rejected))} dari {number(all_deliveries)} kiriman"
    return f"{deliveries} ditolak; {size} belum dimuat."


def _held(figures: ProvinceFigures, _limits: Thresholds) -> str:
    families, persons = (sum(getattr(each, unit) for each in figures.held) for unit in ("families", "persons"))
    return (
        f"{number(len(figures.held))} kiriman ditahan karena bagian yang salah melebihi batas; "
        f"{number(families)} keluarga dan {number(persons)} anggota di dalamnya belum dihitung, "
        "angka provinsi tetap pada data terakhir yang diterima."
    )


def _quality(figures: ProvinceFigures, limits: Thresholds) -> str:
    share = _share(figures.families.quarantined, figures.families.judged, "keluarga malam ini")
    return f"{share} masuk karantina; batas {points(limits.quality.attention_percent)}. Aturan yang paling sering:"


def _behind(figures: ProvinceFigures, _limits: Thresholds) -> str:
    return (
        f"Dikunjungi {percent(figures.visited, figures.target)}, rencana {points(figures.plan_percent)} "
        f"({target_word(figures.target_source)} {number(figures.target)} keluarga): "
        f"kurang {number(_missing(figures))} keluarga dari rencana."
    )


def _code(figures: ProvinceFigures, _limits: Thresholds) -> str:
    share = _share(figures.off_frame, figures.families.judged, "keluarga malam ini")
    return (
        f"{share} tidak dapat ditempatkan pada SLS: {number(figures.in_known_desa)} di desa yang dikenal "
        f"(mungkin SLS baru), {number(figures.above_desa)} dengan kode desa yang salah."
    )


_FINDINGS: Mapping[Kind, Callable[[ProvinceFigures, Thresholds], str]] = {
    "NO_DATA": _no_data,
    "ZERO": _zero,
    "APPOINTMENT": _appointment,
    "REJECTED": _rejected,
    "HELD": _held,
    "QUALITY": _quality,
    "BEHIND": _behind,
    "CODE": _code,
}


def _details(kind: Kind, figures: ProvinceFigures, limits: Thresholds, context: Context) -> list[str]:
    if kind == "REJECTED":
        shown = figures.rejected[: limits.lengths.rejected]
        lines = [
            f"{each.delivery_id} ({day(each.delivered_on)}{_stream(each.instrument)}): {rejection_text(each.reason)}"
            for each in shown
        ]
        more = len(figures.rejected) - len(shown)
        lines += [f"dan {number(more)} kiriman lain"] if more else []
    elif kind == "HELD":
        lines = [_waiting(each) for each in figures.held] + _rule_lines(figures.held_rules, limits, context)
    elif kind == "QUALITY":
        lines = _rule_lines(figures.rules, limits, context)
    else:
        lines = []
    return [harmless(line) for line in lines]


def _stream(instrument: str) -> str:
    """Which stream a delivery is of; nothing is said of questionnaire K."""
    return "" if instrument == QUESTIONNAIRE else f", {instrument}"


def _waiting(held: HeldDelivery) -> str:
    """One held delivery: which it is, and every share that is over its limit."""
    shares = [
        f"{_share(each.in_error, each.judged, each.dataset)} salah, batas {points(float(each.limit_percent or 0))}"
        for each in held.exceeded
    ]
    return f"{held.delivery_id} ({day(held.delivered_on)}{_stream(held.instrument)}): {'; '.join(shares)}"


def _rule_lines(rules: Sequence[RuleViolations], limits: Thresholds, context: Context) -> list[str]:
    return [
        f"{each.rule_id}, {number(each.rows)} kali: {context.rule_texts.get(each.rule_id, 'lihat katalog aturan')}"
        for each in rules[: limits.lengths.rules]
    ]


def _arrived(figures: ProvinceFigures) -> dict[str, str]:
    states = [
        f"{number(figures.deliveries[state])} {word}"
        for state, word in delivery_states().items()
        if figures.deliveries.get(state)
    ]
    unfinished = f"; {number(figures.unfinished)} folder belum lengkap" if figures.unfinished else ""
    return {
        "deliveries": (", ".join(states) or "tidak ada") + unfinished,
        "families": _rows(figures.families),
        "persons": _rows(figures.persons),
        "repairs": _repairs(figures.repairs),
    }


def _repairs(repairs: Mapping[str, int]) -> str:
    """What was mended without asking, so that the office can mend its export; empty if nothing was."""
    told = [(kind, repairs.get(kind.kind, 0)) for kind in told_repairs()]
    return "; ".join(f"{number(n)} {unit_word(kind.unit)}: {kind.text_id}" for kind, n in told if n)


def _rows(rows: RowCounts) -> str:
    parts = {
        "dimuat": rows.loaded,
        "karantina": rows.quarantined,
        "ditahan": rows.held,
        "ditolak": rows.rejected,
        "ganda/digantikan/ditarik": rows.other,
    }
    told = " + ".join(f"{number(n)} {word}" for word, n in parts.items() if n)
    return f"{number(rows.received)} masuk" + (f" = {told}" if told else "")


def _progress(figures: ProvinceFigures) -> dict[str, str]:
    denominator = f"{target_word(figures.target_source)} {number(figures.target)} keluarga"
    window = figures.window
    counted = f"hari ke-{window.day_of_window(figures.night)}, {window.plan.words}"
    closing = "" if window.is_open(figures.night) else f"; masa lapangan selesai {day(window.closing(figures.night))}"
    gained = f"{figures.visited - figures.visited_before:+,d}".replace(",", ".")
    return {
        "plan_percent": points(figures.plan_percent),
        "progress": f"{number(figures.visited)} keluarga dikunjungi = "
        f"{percent(figures.visited, figures.target)} dari {denominator}; malam ini {gained}",
        "plan": f"{points(figures.plan_percent)} ({counted}{closing})",
    }


def _share(part: int, whole: int, unit: str) -> str:
    return f"{number(part)} dari {number(whole)} {unit} ({percent(part, whole)})"
