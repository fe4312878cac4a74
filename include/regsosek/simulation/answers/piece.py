"""A piece of the campaign: the documents of one file with what all their columns share."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from regsosek.simulation.answers.identity import Dates
from regsosek.simulation.draws.living import city_bonus, living
from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers, seeded
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.field.frame import ProvinceFrame, SubSls
from regsosek.simulation.field.timeline import WITHDRAWN, SentDocuments


@dataclass(frozen=True)
class Piece:
    """Documents of one province, one row each.

    ``id_subsls`` are the codes as they are written, ``place`` the sub-SLS where the families really live; ``welfare``
    is about standard normal over the nation; ``corrected`` draws the answers that a second message changes.
    """

    campaign: Campaign
    province: str
    messages: SentDocuments
    place: SubSls
    id_subsls: Integers
    draws: Draws
    corrected: Draws
    welfare: Floats
    enumerated: Dates
    synchronised: Dates

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def withdrawn(self) -> Flags:
        """Documents that only take back what was sent."""
        return np.asarray(self.messages.message == WITHDRAWN, dtype=np.bool_)

    @classmethod
    def of(cls, campaign: Campaign, frame: ProvinceFrame, messages: SentDocuments, id_subsls: Integers) -> Self:
        """The piece that ``messages`` make."""
        place, draws = frame.subsls.take(messages.subsls), Draws(messages.key)
        neighbours = Draws(seeded(campaign.seed, "neighbourhood", place.id_subsls)).normal("welfare")
        opens = np.datetime64(campaign.windows[frame.province].opens)
        return cls(
            campaign=campaign,
            province=frame.province,
            messages=messages,
            place=place,
            id_subsls=id_subsls,
            draws=draws,
            corrected=Draws(messages.draft),
            welfare=0.45 * neighbours + 0.85 * draws.normal("welfare") + _of_the_place(frame.province, place.urban),
            enumerated=opens + (messages.enumerated - 1),
            synchronised=opens + (messages.synchronised - 1),
        )


def _of_the_place(province: str, urban: Flags) -> Floats:
    return living()[province].welfare + np.where(urban, city_bonus(1), city_bonus(0))
