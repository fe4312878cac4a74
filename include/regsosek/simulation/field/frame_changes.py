"""Sub-SLS that are split or merged while the field work runs; enumerators go on writing the code of their map."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from regsosek.simulation.draws.randomness import Draws, Integers, seeded
from regsosek.simulation.field.campaign import NEVER, Campaign
from regsosek.simulation.field.frame import SubSls

SPLIT, MERGED = 1, 2
# Merged SLS get a number of their own, above those of the frame and below those that it does not know.
_MERGED_NUMBER = 6_000 * 100


@dataclass(frozen=True)
class Heir:
    """What a retired sub-SLS became, with its share of the families; ``status`` as PSLS has it."""

    id_subsls: int
    load: int
    status: int


def retired_from(campaign: Campaign, subsls: SubSls) -> Integers:
    """The first day of the window on which the code of each sub-SLS holds no more, NEVER for nearly all."""
    shape = campaign.behaviour.frame
    draws = Draws(seeded(campaign.seed, "psls", subsls.id_subsls))
    undivided = subsls.in_frame & (subsls.half == 0)
    retired = undivided & draws.chance("retired", shape.retired_share)
    return np.where(retired, draws.integer("day", *shape.retired_days), NEVER)


def formed_from(campaign: Campaign, subsls: SubSls) -> Integers:
    """The day of the window on which each sub-SLS came into the frame, 0 for those that were planned."""
    shape = campaign.behaviour.frame
    draws = Draws(seeded(campaign.seed, "formed", subsls.id_subsls))
    formed = (subsls.half == 0) & draws.chance("formed", shape.formed_share)
    return np.where(formed & (retired_from(campaign, subsls) == NEVER), draws.integer("day", *shape.formed_days), 0)


def heirs(id_subsls: int, load: int) -> Iterator[Heir]:
    """What a retired sub-SLS became: every other one is split into two, the rest are merged."""
    if id_subsls // 100 % 2:
        yield Heir(id_subsls + 1, load - load // 2, SPLIT)
        yield Heir(id_subsls + 2, load // 2, SPLIT)
    else:
        yield Heir(id_subsls + _MERGED_NUMBER, load, MERGED)
