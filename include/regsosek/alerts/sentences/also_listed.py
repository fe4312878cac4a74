"""The places that a mail counts without telling of them by themselves: they stand in its work list all the same."""

from collections.abc import Sequence

from regsosek.alerts.conditions.condition import WAITING, Condition, Kind, Notification
from regsosek.alerts.conditions.detect_below import behind_plan
from regsosek.alerts.conditions.detect_waiting import desa_conditions, remaining_conditions
from regsosek.alerts.conditions.province_figures import ProvinceFigures


def also_listed(opened: Sequence[Notification], figures: ProvinceFigures) -> tuple[Condition, ...]:
    """The parts of what is told of the whole province, and every kab/kota behind: each mail counts them."""
    conditions = [each.condition for each in opened]
    whole = {each.kind for each in conditions if each.place.level == "provinsi"}
    keys = {(kind, "kabkota", each.code, "") for kind in WAITING & whole for each in figures.kabkota}
    parts = [*remaining_conditions(figures, keys), *(desa_conditions(figures) if Kind.CODE in whole else ())]
    parts += [behind_plan(each, figures) for each in figures.behind_below]
    told = {each.key for each in conditions}
    return tuple(each for each in parts if each.key not in told)
