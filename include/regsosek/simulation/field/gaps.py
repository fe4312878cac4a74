"""Planted gaps between the streams and K: where they lie, and their labels."""

from dataclasses import astuple, dataclass

import numpy as np

from regsosek.simulation.draws.randomness import Draws, Flags, Integers, Keys, seeded
from regsosek.simulation.field.campaign import NEVER, Campaign
from regsosek.simulation.field.frame import SubSls
from regsosek.simulation.field.frame_changes import retired_from

NO_GAP, REPORTED_ONLY, UNREPORTED, LIST_MISSING, HEAD_NOT_MET = range(5)


@dataclass(frozen=True)
class GapLabel:
    """One planted gap: from the work of ``day`` (of the window) on, of so many ``families``; ``kind`` as found."""

    province: str
    id_subsls: str
    kind: str
    day: int
    families: int

    def row(self) -> tuple[str | int, ...]:
        """The values in the order of GAP_LABEL_COLUMNS."""
        return astuple(self)


GAP_LABEL_COLUMNS = tuple(GapLabel.__dataclass_fields__)


def gaps(campaign: Campaign, subsls: SubSls) -> Integers:
    """What is planted in each sub-SLS: NO_GAP to HEAD_NOT_MET; nothing where a code is unknown or changes."""
    share = campaign.behaviour.streams.planted
    limits = np.cumsum([share.reported_only, share.unreported, share.list_missing, share.head_not_met])
    draws = Draws(seeded(campaign.seed, "gap", subsls.id_subsls))
    place = np.searchsorted(limits, draws.uniform("gap"), side="right")
    found = np.array([REPORTED_ONLY, UNREPORTED, LIST_MISSING, HEAD_NOT_MET, NO_GAP])[place]
    return np.where(_lasting(campaign, subsls), found, NO_GAP)


def lost_documents(campaign: Campaign, subsls: SubSls, row: Integers, key: Keys) -> Flags:
    """Families whose document never arrives though their house is tagged; ``row`` is theirs in ``subsls``."""
    lost = Draws(key).chance("lost document", campaign.behaviour.streams.planted.lost_document)
    free = (gaps(campaign, subsls) == NO_GAP) & _lasting(campaign, subsls)
    return np.asarray(lost & free[row], dtype=np.bool_)


def never_arriving(campaign: Campaign, subsls: SubSls, row: Integers, key: Keys) -> Flags:
    """Families whose document K never has: lost ones, and those of places that are only reported."""
    only_reported = (gaps(campaign, subsls) == REPORTED_ONLY)[row]
    return np.asarray(only_reported | lost_documents(campaign, subsls, row, key), dtype=np.bool_)


def _lasting(campaign: Campaign, subsls: SubSls) -> Flags:
    return np.asarray(subsls.in_frame & (retired_from(campaign, subsls) == NEVER), dtype=np.bool_)
