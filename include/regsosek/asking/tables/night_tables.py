"""Tables for the terminal and the work list as CSV: the night by province, the quarantine by case."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from regsosek.asking.last_night import LastNight
from regsosek.asking.night_history import ProvinceLine
from regsosek.asking.quarantine import QuarantinedCase
from regsosek.geography.calendar import NIGHT_ZONE, FieldWindow
from regsosek.geography.provinces import province as province_of
from regsosek.scratch import open_private
from regsosek.wording.nouns import counted
from regsosek.wording.spreadsheet import Spreadsheet

SHOWN_CASES = 50
WIDEST_NAME = 21
COUNTED = (
    "Recv.", "Clean", "Warn", "Quar.", "Other", "Rej.", "Mended", "Visited", "Target", "%", "Plan %",
)  # fmt: skip


def night_table(night: date, lines: Sequence[ProvinceLine], scale: float, windows: Mapping[str, FieldWindow]) -> Table:
    """One line per province: what arrived and became of it, and completion against target and plan."""
    note = f"; simulated, {scale:.3%} of the real targets" if scale < 1 else ""
    table = Table(
        title=f"Night {night}: families received, and completion as of then{note}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=0,
    )
    for column in ("Province", "Deliveries"):
        table.add_column(column, no_wrap=True)
    for column in COUNTED:
        table.add_column(column, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*_cells(line, windows[line.province].plan_share(night, night)))
    return table


def night_words(found: LastNight) -> list[str]:
    """The night beside its provinces, a line each: how it went, how long, what waits, who was told."""
    waiting, alerts = found.waiting, found.alerts
    return [
        f"Night {found.night}: {found.summary}.",
        f"Published {_moment(found.release.first_published_at)}. {_duration_words(found)}",
        f"Families in quarantine: {waiting.quarantined_families:,}; since this night: "
        f"{waiting.quarantined_of_the_night:,}. "
        f"Deliveries held: {waiting.held_deliveries} (families: {waiting.held_families:,}).",
        f"Alerts of the night: {alerts.sent} sent, {alerts.waiting} waiting.",
    ]


def _duration_words(found: LastNight) -> str:
    took = found.duration
    if took.seconds is None:
        return f"Begun {_moment(took.begun_at)}."
    nights = counted(took.usual_of_nights, "night", "nights")
    usual = f"usually {_span(took.usual_seconds)}, median of the {nights} before"
    return f"From the first seal: {_span(took.seconds)} ({usual if took.usual_of_nights else 'no night before'})."


def _span(seconds: float | None) -> str:
    return "–" if seconds is None else str(timedelta(seconds=round(seconds)))


def _moment(at: datetime | None) -> str:
    return "not at all" if at is None else f"{at.astimezone(NIGHT_ZONE):%Y-%m-%d %H:%M} WIB"


def _cells(line: ProvinceLine, plan: float) -> tuple[str, ...]:
    other = line.superseded + line.duplicate + line.withdrawn + line.held
    arrived = (line.received, line.clean, line.warned, line.quarantined, other, line.rejected, line.repairs)
    counts = (*arrived, line.visited, line.target)
    share = f"{100 * line.visited / line.target:.1f}" if line.target else "–"
    name = f"{line.province} {province_of(line.province).name}"
    return (name[:WIDEST_NAME], _state(line), *(f"{count:,}" for count in counts), share, f"{100 * plan:.0f}")


def _state(line: ProvinceLine) -> str:
    if not line.refreshed:
        return "[red]not processed"
    if line.held_deliveries:
        return f"[yellow]{line.held_deliveries} held"
    if line.rejected_deliveries:
        return f"[yellow]{line.rejected_deliveries} rejected"
    if not line.deliveries:
        return "[yellow]none: missing"
    return str(line.deliveries)


def quarantine_table(province: str, cases: Sequence[QuarantinedCase]) -> Table:
    """The first cases to correct."""
    more = f" (first {SHOWN_CASES}; --output writes all)" if len(cases) > SHOWN_CASES else ""
    counts = counted(len(cases), "case", "cases")
    table = Table(box=SIMPLE_HEAD, title=f"Province {province}: {counts} in quarantine{more}", title_justify="left")
    for column in ("Sub-SLS", "Building", "Family", "Document", "PPL", "State", "Since", "Rules"):
        table.add_column(column)
    for case in cases[:SHOWN_CASES]:
        keys = (case.id_subsls, case.building, case.family, case.case_id, case.ppl, case.state, case.night)
        table.add_row(*(str(key) if key is not None else "–" for key in keys), ", ".join(case.rules))
    return table


def write_quarantine(cases: Sequence[QuarantinedCase], path: Path) -> None:
    """Writes the work list as CSV."""
    with open_private(path) as file:
        writer = Spreadsheet(file)
        writer.writerow(field.name for field in fields(QuarantinedCase))
        for case in cases:
            writer.writerow([*(getattr(case, f.name) for f in fields(case)[:-1]), " ".join(case.rules)])
