"""One day of field work: every officer at work goes on through a stretch of the families in his load."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from regsosek.geography.provinces import provinces
from regsosek.simulation.draws.randomness import Draws, Flags, Integers, seeded
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.field.frame import ProvinceFrame, SubSls, apportioned, place_in_group
from regsosek.simulation.field.timeline import SUB_SLS_AT_ONCE, SentDocuments, undated

# With the nation at 2.7 to 2.9 million families a day this makes some ten families for each officer at work.
_AT_WORK = 0.8


@dataclass(frozen=True)
class _Stretch:
    """What is visited of each sub-SLS: ``count`` families from ``first`` on."""

    first: Integers
    count: Integers


def families_by_province(families: int) -> Mapping[str, int]:
    """Splits a national day over the provinces in the proportions of their targets; the sum is exact."""
    shares = apportioned(families, np.array([province.target for province in provinces()]))
    return {province.code: int(share) for province, share in zip(provinces(), shares, strict=True)}


def messages_of_one_day(
    campaign: Campaign, frame: ProvinceFrame, *, day: int, families: int, defect_share: float
) -> Iterator[SentDocuments]:
    """``families`` first messages that were all enumerated and synchronised on ``day``, in the order of the frame.

    Args:
        campaign: seed and behaviour.
        frame: the province's sub-SLS; their loads sum to ``families`` at least.
        day: of the province's window.
        families: how many.
        defect_share: share of the documents that are to bear a planted defect.
    """
    stretch = _stretches(campaign, frame.subsls, day, families)
    visited = np.flatnonzero(stretch.count)
    for start in range(0, len(visited), SUB_SLS_AT_ONCE):
        rows = visited[start : start + SUB_SLS_AT_ONCE]
        count = stretch.count[rows]
        ordinal = np.repeat(stretch.first[rows], count) + place_in_group(count)
        sent = undated(campaign, frame.subsls, np.repeat(rows, count), ordinal, defect_share)
        sent.enumerated[:] = sent.synchronised[:] = day
        yield sent


def _stretches(campaign: Campaign, subsls: SubSls, day: int, families: int) -> _Stretch:
    # Sub-SLS that the frame does not know are walks of their own.
    officer = np.where(subsls.in_frame, subsls.kabkota * 10_000 + subsls.ppl, subsls.id_subsls)
    walks, first_row, walk = np.unique(officer, return_index=True, return_inverse=True)
    draws, load = Draws(seeded(campaign.seed, f"day {day}", walks)), subsls.ppl_load[first_row]
    visits = apportioned(families, load * _at_work(draws, load, families))
    begin = draws.integer("begin", 0, load - visits)
    first = np.clip(begin[walk] - subsls.ppl_start, 0, subsls.load)
    until = np.clip((begin + visits)[walk] - subsls.ppl_start, 0, subsls.load)
    return _Stretch(first, until - first)


def _at_work(draws: Draws, load: Integers, families: int) -> Flags:
    """Who is at work; everybody if the others could not visit so many families."""
    chosen = draws.chance("at work", _AT_WORK)
    return chosen if int(load[chosen].sum()) >= families else np.ones(len(load), dtype=np.bool_)
