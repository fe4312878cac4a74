"""What happened in the field, of some sub-SLS at once, and what each stream will say of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from regsosek.simulation.answers.piece import Piece
from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers, seeded
from regsosek.simulation.field.campaign import NEVER, Campaign
from regsosek.simulation.field.frame import ProvinceFrame, SubSls
from regsosek.simulation.field.gaps import HEAD_NOT_MET, REPORTED_ONLY, gaps, lost_documents
from regsosek.simulation.field.timeline import visits

_SATURDAY = 5


@dataclass(frozen=True)
class Field:
    """Some sub-SLS of a province and all their families.

    Attributes:
        subsls: the sub-SLS, those that the frame does not know left out: bot and app know none but the frame's.
        gap: what is planted in each (``simulation.gaps``).
        began: the day of the first visit in each, NEVER if nobody was there.
        verified: the day on which its list was verified with the head of the SLS, NEVER if never.
        piece: the families; ``row`` says in which of ``subsls`` each lives.
        visited: the day of each family's visit, over ``length`` if nobody came.
        lost: whose document never arrives though the house is tagged.
        length: days of the window.
    """

    campaign: Campaign
    province: str
    subsls: SubSls
    gap: Integers
    began: Integers
    verified: Integers
    piece: Piece
    row: Integers
    visited: Integers
    lost: Flags
    length: int

    @property
    def reached(self) -> Flags:
        """Families that an officer visited."""
        return np.asarray(self.visited <= self.length, dtype=np.bool_)

    @property
    def arriving(self) -> Flags:
        """Families whose document arrives sooner or later."""
        somebody_came = (self.gap != REPORTED_ONLY)[self.row]
        return np.asarray(self.reached & ~self.lost & somebody_came, dtype=np.bool_)

    def counted(self, families: Flags) -> Integers:
        """How many of ``families`` live in each of the sub-SLS."""
        return np.bincount(self.row[families], minlength=len(self.subsls)).astype(np.int64)


def fields(campaign: Campaign, frame: ProvinceFrame) -> Iterator[Field]:
    """The field work of a province, some sub-SLS at once, in the order of the frame."""
    window = campaign.windows[frame.province]
    length = (window.closes - window.opens).days + 1
    for all_rows, first in visits(campaign, frame):
        rows = all_rows[frame.subsls.in_frame[all_rows]]
        found = first.take(frame.subsls.in_frame[first.subsls])
        place = frame.subsls.take(rows)
        row = np.searchsorted(rows, found.subsls)
        began = np.full(len(rows), NEVER)
        np.minimum.at(began, row, found.enumerated)
        began[began > length] = NEVER
        gap = gaps(campaign, place)
        yield Field(
            campaign=campaign,
            province=frame.province,
            subsls=place,
            gap=gap,
            began=began,
            verified=_verified(campaign, frame.province, place, gap, began, length),
            piece=Piece.of(campaign, frame, found, place.id_subsls[row]),
            row=row,
            visited=found.enumerated,
            lost=lost_documents(campaign, place, row, found.key),
            length=length,
        )


def lag(draws: Draws, name: str, again: Floats | float, at_most: int) -> Integers:
    """Days that something waits before it is sent."""
    return np.minimum(draws.geometric(name, again), at_most)


def _verified(
    campaign: Campaign, province: str, place: SubSls, gap: Integers, began: Integers, length: int
) -> Integers:
    """Soon after the first visit, or at the next weekend (or last day) where the head is at work on weekdays."""
    draws, shape = Draws(seeded(campaign.seed, "head of sls", place.id_subsls)), campaign.behaviour.streams
    asked = began + draws.integer("asked", 0, shape.verified_within)
    weekday = (campaign.windows[province].opens + timedelta(days=-1)).weekday() + asked
    until_saturday = np.maximum(_SATURDAY - weekday % 7, 0)
    later = draws.chance("at weekends", shape.head_at_weekends)
    day = np.minimum(asked + np.where(later, until_saturday, 0), length)
    return np.where((gap == HEAD_NOT_MET) | (began == NEVER), NEVER, day)
