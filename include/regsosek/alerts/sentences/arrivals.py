"""What arrived in a province's night and how far the province is, in words; every share with its denominator."""

from collections.abc import Mapping

from regsosek.alerts.conditions.province_figures import ProvinceFigures, RowCounts, Waiting
from regsosek.alerts.sentences.endings import status_told
from regsosek.alerts.sentences.locations import far_behind, in_words
from regsosek.alerts.sentences.texts import Words, told_repairs

_DELIVERY_STATES = ("accepted", "rejected", "held", "registered")
_ROW_STATES = ("loaded", "quarantined", "held", "rejected", "other")


def arrived(figures: ProvinceFigures, words: Words) -> list[tuple[str, str]]:
    """Label and text: deliveries, families, members, repairs if any, who waits in quarantine, progress, plan."""
    lines = {
        "deliveries": _deliveries(figures, words),
        "families": _rows(figures.families, "families", words),
        "persons": _rows(figures.persons, "persons", words),
        "repairs": _repairs(figures.repairs, words),
        "waiting": _waiting(figures.waiting, words),
        "progress": _progress(figures, words),
        "plan": _plan(figures, words),
    }
    return [(words.say(label), text) for label, text in lines.items() if text]


def _deliveries(figures: ProvinceFigures, words: Words) -> str:
    told = _by_state(figures.deliveries, words) or words.say("delivery.none")
    if streams := _by_state(figures.stream_deliveries, words):
        told = f"{told}; {words.say('delivery.streams', states=streams)}"
    return f"{told}; {words.say('unfinished', n=words.number(figures.unfinished))}" if figures.unfinished else told


def _by_state(deliveries: Mapping[str, int], words: Words) -> str:
    return ", ".join(
        f"{words.number(deliveries[state])} {words.say(f'delivery.{state}')}"
        for state in _DELIVERY_STATES
        if deliveries.get(state)
    )


def _waiting(waiting: Waiting, words: Words) -> str:
    """How many families wait in quarantine, whenever they arrived; empty if none does."""
    if waiting.since is None:
        return ""
    return words.say("waiting_line", families=words.number(waiting.families), since=words.written.day(waiting.since))


def _rows(rows: RowCounts, of: str, words: Words) -> str:
    parts = [
        f"{words.number(getattr(rows, state))} {words.say(f'row.{state}')}"
        for state in _ROW_STATES
        if getattr(rows, state)
    ]
    received = words.say(f"rows.{of}", received=words.number(rows.received))
    return f"{received} = {' + '.join(parts)}" if parts else received


def _repairs(repairs: Mapping[str, int], words: Words) -> str:
    """What was mended without asking, so that the office can mend its export; empty if nothing was."""
    return "; ".join(
        words.say("repair", amount=words.say(f"unit.{kind.unit}", n=words.number(n)), text=words.repair(kind))
        for kind in told_repairs()
        if (n := repairs.get(kind.kind, 0))
    )


def _progress(figures: ProvinceFigures, words: Words) -> str:
    target = words.say(f"target.{figures.target_source}")
    return words.say(
        "progress_line",
        visited=words.number(figures.visited),
        share=words.written.percent_of(figures.visited, figures.target),
        denominator=words.say("denominator", target=target, families=words.number(figures.target)),
        gained=words.written.signed(figures.visited - figures.visited_before),
    )


def _plan(figures: ProvinceFigures, words: Words) -> str:
    window, night = figures.window, figures.night
    return words.say(
        "plan_line" if window.is_open(night) else "plan_closed",
        plan=words.written.plain_percentage(figures.plan_percent),
        day=window.day_of_window(night),
        curve=words.plan(window.plan.name),
        closing=words.written.day(window.closing(night)),
        stands=_stands(figures, words),
    )


def _stands(figures: ProvinceFigures, words: Words) -> str:
    """The page's status, and each of its kab/kota that the page calls far behind, whatever else is told of."""
    gap, status, far = figures.pace.gap_families, status_told(figures, words), far_behind(figures)
    if far:
        status = words.say("status_far", status=status, places=in_words(far, words, len(far)))
    return status if gap is None else words.say("plan_gap", gap=words.written.signed(gap), status=status)
