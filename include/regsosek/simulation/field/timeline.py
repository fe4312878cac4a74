"""When each family is enumerated, when its document is synchronised, and whether it comes a second time."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers, Keys, mixed, name_key, seeded
from regsosek.simulation.field.campaign import NEVER, Campaign, SecondMessage
from regsosek.simulation.field.frame import ProvinceFrame, SubSls, place_in_group
from regsosek.simulation.field.frame_changes import retired_from
from regsosek.simulation.field.gaps import never_arriving
from regsosek.simulation.field.schedule import schedule

SUB_SLS_AT_ONCE = 2_000
FIRST, REVISED, REWRITTEN, MOVED, WITHDRAWN = range(5)


@dataclass(frozen=True)
class SentDocuments:
    """Documents as they are sent, one per family; columns of one length.

    ``subsls`` is the row in the frame, ``ordinal`` counts the families of the sub-SLS from 0, ``key`` is the source of
    the family's draws, ``message`` one of FIRST to WITHDRAWN; days are days of the province's window; ``faulty`` in
    [0, 1) chooses a planted defect, 1 means none.
    """

    subsls: Integers
    ordinal: Integers
    key: Keys
    message: Integers
    enumerated: Integers
    synchronised: Integers
    faulty: Floats

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: Integers | Flags | slice) -> Self:
        """The chosen rows."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """The rows of ``parts`` one after another."""
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})

    @property
    def versi(self) -> Integers:
        """The revision that each document says it is."""
        return np.where(np.isin(self.message, (REVISED, MOVED, WITHDRAWN)), 2, 1)

    @property
    def draft(self) -> Keys:
        """The source of those answers that a correction changes."""
        corrected = np.isin(self.message, (REVISED, REWRITTEN, MOVED))
        return np.where(corrected, mixed(self.key, name_key("corrected")), self.key)


def messages(
    campaign: Campaign, frame: ProvinceFrame, *, after: int, until: int, defect_share: float
) -> Iterator[SentDocuments]:
    """What was synchronised on the days over ``after`` up to ``until``, in the order of the frame, in pieces.

    Of a document that was sent twice in this time only the second message is among it: the sender knows no other.

    Args:
        campaign: seed and behaviour.
        frame: the province's sub-SLS.
        after: last day that was delivered before, 0 if none.
        until: day of this delivery.
        defect_share: share of the documents that are to bear a planted defect.
    """
    for start in range(0, len(frame.subsls), SUB_SLS_AT_ONCE):
        rows = np.arange(start, min(start + SUB_SLS_AT_ONCE, len(frame.subsls)))
        first = _first_messages(campaign, frame, rows, defect_share)
        if campaign.streams:
            first.synchronised[never_arriving(campaign, frame.subsls, first.subsls, first.key)] = NEVER
        yield _latest(campaign, first, after, until)


def visits(campaign: Campaign, frame: ProvinceFrame) -> Iterator[tuple[Integers, SentDocuments]]:
    """The rows of the frame in pieces, each with the first messages of all their families, as the field worked."""
    for start in range(0, len(frame.subsls), SUB_SLS_AT_ONCE):
        rows = np.arange(start, min(start + SUB_SLS_AT_ONCE, len(frame.subsls)))
        yield rows, _first_messages(campaign, frame, rows, 0)


def undated(campaign: Campaign, subsls: SubSls, row: Integers, ordinal: Integers, defect_share: float) -> SentDocuments:
    """First messages of families that nobody has enumerated yet: ``row`` in the frame, ``ordinal`` in the sub-SLS."""
    key = mixed(seeded(campaign.seed, "family", subsls.id_subsls[row]), ordinal.astype(np.uint64))
    chosen = Draws(key).uniform("defect") / max(defect_share, 1e-12)
    # A family in a sub-SLS that the frame does not know, or that is retired, is a finding already: one defect a case.
    lasting = subsls.in_frame[row] & (retired_from(campaign, subsls.take(row)) == NEVER)
    faulty = np.where(lasting, np.minimum(chosen, 1.0), 1.0)
    never = np.full(len(key), NEVER)
    return SentDocuments(row, ordinal, key, np.full(len(key), FIRST), never, never.copy(), faulty)


def _first_messages(campaign: Campaign, frame: ProvinceFrame, rows: Integers, defect_share: float) -> SentDocuments:
    load = frame.subsls.load[rows]
    found = undated(campaign, frame.subsls, np.repeat(rows, load), place_in_group(load), defect_share)
    draws = Draws(found.key)
    behaviour = campaign.behaviour.enumeration
    subsls = frame.subsls.take(found.subsls)
    officers = Draws(seeded(campaign.seed, "ppl", subsls.kabkota * 10_000 + subsls.ppl)).uniform("pace")
    work_done = (subsls.ppl_start + found.ordinal + draws.uniform("order")) / subsls.ppl_load
    pace = 1 + behaviour.officer_spread * (2 * officers - 1)
    found.enumerated[:] = _day_of_visit(campaign, frame.province, subsls.kabkota, work_done**pace)
    again = behaviour.sync_again_remote if frame.province in behaviour.remote_provinces else behaviour.sync_again
    lag = np.minimum(draws.geometric("lag", again), behaviour.sync_days_at_most)
    found.synchronised[:] = np.where(found.enumerated == NEVER, NEVER, found.enumerated + lag)
    return found


def _day_of_visit(campaign: Campaign, province: str, kabkota: Integers, work_done: Floats) -> Integers:
    """The day on which each family is enumerated, by the schedule of its kab/kota; NEVER where that does not reach it.

    Args:
        work_done: the share of the officer's work that lies before the family, at the pace of the kab/kota.
    """
    found = np.empty(len(work_done), dtype=np.int64)
    for code in np.unique(kabkota).tolist():
        own = kabkota == code
        days = schedule(campaign, province, str(code))
        day = np.searchsorted(days, work_done[own], side="right") + 1
        found[own] = np.where(day > len(days), NEVER, day)
    return found


def _latest(campaign: Campaign, first: SentDocuments, after: int, until: int) -> SentDocuments:
    """Of each document the latest message of the days over ``after`` up to ``until``, if there is one."""
    kind, second_day = second_messages(campaign, first)
    second = (second_day > after) & (second_day <= until)
    chosen = second | ((first.synchronised > after) & (first.synchronised <= until))
    sent = SentDocuments(
        subsls=first.subsls,
        ordinal=first.ordinal,
        key=first.key,
        message=np.where(second, kind, FIRST),
        enumerated=first.enumerated,
        synchronised=np.where(second, second_day, first.synchronised),
        # A correction mends what was wrong.
        faulty=np.where(second, 1.0, first.faulty),
    )
    return sent.take(chosen)


def second_messages(campaign: Campaign, first: SentDocuments) -> tuple[Integers, Integers]:
    """What the second message of each document is, FIRST if there is none, and the day on which it is synchronised."""
    share = campaign.behaviour.second_message
    draws = Draws(first.key)
    kind = _second_kind(draws, first.faulty < 1, share)
    return kind, np.where(kind == FIRST, NEVER, first.synchronised + 1 + draws.geometric("second", share.again))


def _second_kind(draws: Draws, faulty: Flags, share: SecondMessage) -> Integers:
    revised = np.where(faulty, share.revised_if_faulty, share.revised)
    steps = [share.rewritten, share.moved, share.withdrawn]
    limits = np.concatenate([[0.0], np.cumsum(steps)])
    chance = draws.uniform("second kind")
    kind = np.where(chance < limits[3] + revised, REVISED, FIRST)
    for code, low, high in zip((REWRITTEN, MOVED, WITHDRAWN), limits[:-1], limits[1:], strict=True):
        kind = np.where((chance >= low) & (chance < high), code, kind)
    return kind
