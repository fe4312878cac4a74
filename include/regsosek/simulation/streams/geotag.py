"""Geotags: one for each house that was visited, late at times, a few of them withdrawn; poor houses photographed."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regsosek.simulation.answers import identity
from regsosek.simulation.answers.keluarga import (
    MOVED_BY,
    VALID,
    WITHDRAWN_STATUS,
    answer,
    building_numbers,
    family_numbers,
    positions,
)
from regsosek.simulation.draws.randomness import Draws, Flags, Integers, mixed, name_key
from regsosek.simulation.field.gaps import REPORTED_ONLY
from regsosek.simulation.field.timeline import MOVED, second_messages
from regsosek.simulation.streams.happenings import Field, lag

NOT_POOR = 3
_TAG_FROM, _TAG_UNTIL = 8 * 60, 18 * 60


def messages(field: Field, after: int, until: int) -> pa.Table:
    """The tags that came on the days over ``after`` up to ``until``; of one that came twice, what was said last.

    A tag moves with its document: where that comes again under another family key, the tag does on the same day.
    """
    piece, shape = field.piece, field.campaign.behaviour.streams
    draws = Draws(mixed(piece.messages.key, name_key("tag")))
    sent = field.visited + lag(draws, "lag", shape.tag_again, shape.tag_days_at_most)
    withdrawn_on = sent + 1 + lag(draws, "withdrawn later", shape.tag_again, shape.tag_days_at_most)
    tagged = field.reached & (field.gap != REPORTED_ONLY)[field.row]
    # A tag that stands for a lost document stays: its label says that it can be found.
    withdrawn = draws.chance("withdrawn", shape.tag_withdrawn) & ~field.lost
    withdrawn &= (withdrawn_on > after) & (withdrawn_on <= until)
    kind, moved_on = second_messages(field.campaign, piece.messages)
    moved = (kind == MOVED) & (moved_on <= until)
    moved_now = moved & (np.maximum(moved_on, sent) > after) & (sent <= until)
    said = tagged & (withdrawn | moved_now | ((sent > after) & (sent <= until)))
    photo = photographed(field, draws)
    minute = draws.integer("minute", _TAG_FROM, _TAG_UNTIL)
    ids = identity.document_ids(draws.keys)
    return pa.table(
        {
            "id_tag": pc.replace_substring(ids, "dok", "tag"),
            "versi": 1 + withdrawn.astype(np.int64) + moved,
            "status_dokumen": np.where(withdrawn, WITHDRAWN_STATUS, VALID),
            "id_subsls": piece.id_subsls,
            "r109_no_bangunan": building_numbers(piece.messages.ordinal) + MOVED_BY * moved,
            "r110_no_keluarga": family_numbers(piece.messages.ordinal) + MOVED_BY * moved,
            "ditandai_pada": pa.array(piece.enumerated.astype("datetime64[s]") + minute * 60),
            "kode_petugas": piece.place.ppl,
            "kelas_vk": welfare_classes(field),
            "ada_foto": photo.astype(np.int64),
            **positions(piece),
            "kunci_foto": pc.if_else(pa.array(photo), pc.binary_join_element_wise("foto", ids, "/"), None),
        }
    ).filter(pa.array(said))


def welfare_classes(field: Field) -> Integers:
    """What the verification says of each family: 1 very poor, 2 poor, 3 not poor; item 111 of its document agrees."""
    answers = answer(field.piece.draws, "r111_status_keluarga", field.piece.welfare)
    return np.clip(answers, 1, NOT_POOR)


def photographed(field: Field, draws: Draws) -> Flags:
    """Houses of which a photo was taken; those of the poor must be, and not all are."""
    shape = field.campaign.behaviour.streams
    share = np.where(welfare_classes(field) < NOT_POOR, shape.photo_if_poor, shape.photo_otherwise)
    return draws.chance("photo", share)
