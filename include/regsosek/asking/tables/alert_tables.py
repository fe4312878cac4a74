"""Conditions and the journal of acts as tables for the terminal."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from sqlalchemy import Connection

from regsosek.alerts.conditions.condition import Condition
from regsosek.alerts.conditions.lifecycle import TOLD_LEVELS
from regsosek.alerts.conditions.operator_actions import Act, name_of
from regsosek.alerts.persistence.condition_store import OURS, acts_of
from regsosek.alerts.persistence.operating import newest_night, standing_now

SHOWN_ACTS = 20


def conditions_table(connection: Connection, provinces: Sequence[str], *, parts: bool, ours: bool) -> Table:
    """What stands after the newest night of each province; ``parts``: places below kab/kota too; ``ours``: faults."""
    table = Table(box=SIMPLE_HEAD, title="Conditions", title_justify="left")
    for column in ("id", "place", "severity", "state", "since", "as of"):
        table.add_column(column)
    table.add_column("families", justify="right")
    for province in (*([OURS] if ours else []), *provinces):
        night = newest_night(connection, province)
        if night is None:
            continue
        for each in sorted(standing_now(connection, province, night), key=_order):
            if parts or each.place.level in TOLD_LEVELS:
                until = f" to {each.until}" if each.until else ""
                state = f"{each.state}{until}" + (f", known: {each.event}" if each.event else "")
                shown = (name_of(province, each), each.place.name, each.severity, state, str(each.since), str(night))
                table.add_row(*shown, f"{each.families:,}")
    return table


def acts_table(connection: Connection, provinces: Sequence[str], *, ours: bool) -> Table:
    """The last acts, the newest first."""
    table = Table(box=SIMPLE_HEAD, title="Last acts", title_justify="left")
    for column in ("at (UTC)", "id", "act", "until", "by", "reason"):
        table.add_column(column)
    found = sorted(_acts(connection, provinces, ours=ours), key=lambda one: one[1].at, reverse=True)
    for name, act in found[:SHOWN_ACTS]:
        table.add_row(f"{act.at:%Y-%m-%d %H:%M}", name, act.verb, str(act.until or ""), act.by, act.reason)
    return table


def _acts(connection: Connection, provinces: Sequence[str], *, ours: bool) -> Iterator[tuple[str, Act]]:
    for province in (*([OURS] if ours else []), *provinces):
        for act in acts_of(connection, province):
            yield name_of(province, act), act


def _order(condition: Condition) -> tuple[bool, str, str]:
    return condition.severity != "KRITIS", condition.kind, condition.place.code
