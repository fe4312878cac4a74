"""What must be found: every planted gap by sub-SLS and day of work, and the lists that are larger than what arrives."""

from collections.abc import Iterator

import numpy as np

from regsosek.simulation.draws.randomness import Flags, Integers
from regsosek.simulation.field.campaign import NEVER, Campaign
from regsosek.simulation.field.frame import ProvinceFrame
from regsosek.simulation.field.gaps import HEAD_NOT_MET, LIST_MISSING, REPORTED_ONLY, UNREPORTED, GapLabel
from regsosek.simulation.streams.happenings import Field, fields
from regsosek.simulation.streams.rekap_vk import entered_from

REPORTED_NOT_RECEIVED, RECEIVED_NOT_REPORTED = "reported_not_received", "received_not_reported"
TAGGED_NOT_RECEIVED, LIST_NOT_ENTERED, LIST_LARGER = "tagged_not_received", "list_not_entered", "list_larger"
HEAD_NOT_MET_YET = "head_not_met"


def planted_gaps(campaign: Campaign, frame: ProvinceFrame) -> Iterator[GapLabel]:
    """The labels of a province."""
    for field in fields(campaign, frame):
        yield from _gaps(field)


def _gaps(field: Field) -> Iterator[GapLabel]:
    yield from _by_day(field, REPORTED_NOT_RECEIVED, field.reached & _in(field, REPORTED_ONLY))
    yield from _by_day(field, RECEIVED_NOT_REPORTED, field.reached & _in(field, UNREPORTED))
    yield from _by_day(field, TAGGED_NOT_RECEIVED, field.reached & field.lost)
    begun = field.began < NEVER
    without_list = begun & np.isin(field.gap, (LIST_MISSING, HEAD_NOT_MET))
    yield from _of_places(field, LIST_NOT_ENTERED, without_list, field.began, np.zeros_like(field.began))
    away = begun & (field.gap == HEAD_NOT_MET)
    yield from _of_places(field, HEAD_NOT_MET_YET, away, field.began, np.zeros_like(field.began))
    beyond = field.subsls.load - field.counted(field.arriving)
    larger = (beyond > 0) & (entered_from(field) < NEVER)
    yield from _of_places(field, LIST_LARGER, larger, np.full_like(beyond, field.length), beyond)


def _in(field: Field, gap: int) -> Flags:
    return np.asarray((field.gap == gap)[field.row], dtype=np.bool_)


def _by_day(field: Field, kind: str, families: Flags) -> Iterator[GapLabel]:
    pairs = np.stack([field.row[families], field.visited[families]])
    found, count = np.unique(pairs, axis=1, return_counts=True)
    for row, day, number in zip(*found.tolist(), count.tolist(), strict=True):
        yield GapLabel(field.province, _code(field, row), kind, day, number)


def _of_places(field: Field, kind: str, places: Flags, day: Integers, families: Integers) -> Iterator[GapLabel]:
    for row in np.flatnonzero(places).tolist():
        yield GapLabel(field.province, _code(field, row), kind, int(day[row]), int(families[row]))


def _code(field: Field, row: int) -> str:
    return f"{field.subsls.id_subsls[row]:016d}"
