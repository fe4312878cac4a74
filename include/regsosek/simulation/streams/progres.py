"""Daily counts: what each officer reports of a sub-SLS and a day, late at times and corrected at times."""

import numpy as np
import pyarrow as pa

from regsosek.simulation.answers.households import rosters
from regsosek.simulation.draws.living import living
from regsosek.simulation.draws.randomness import Draws, Flags, Integers, seeded
from regsosek.simulation.field.campaign import NEVER
from regsosek.simulation.field.gaps import UNREPORTED
from regsosek.simulation.streams.happenings import Field, lag

_SEND_FROM, _SEND_UNTIL = 17 * 60, 21 * 60 + 55
_DAYS = 1_000  # more than any window has
_CIVIL_SERVANTS = 0.012


def messages(field: Field, after: int, until: int) -> pa.Table:
    """The reports that came on the days over ``after`` up to ``until``: what is said last of each sub-SLS and day."""
    counted = field.reached & ~field.lost
    worked = field.row[counted] * _DAYS + field.visited[counted]
    met = np.flatnonzero(field.verified < NEVER)
    keys = np.union1d(worked, met * _DAYS + field.verified[met])
    row, day = keys // _DAYS, keys % _DAYS
    kept = field.gap[row] != UNREPORTED
    keys, row, day = keys[kept], row[kept], day[kept]
    draws = Draws(seeded(field.campaign.seed, "report", field.subsls.id_subsls[row] * _DAYS + day))
    families = _per_key(keys, worked, None)
    members = _per_key(keys, worked, _members(field)[counted])
    sent, corrected = _sent(field, draws, day, families)
    again = corrected & (sent + 1 > after) & (sent + 1 <= until)
    said = again | ((sent > after) & (sent <= until))
    too_few = (corrected & ~again).astype(np.int64)
    members = members * (families - too_few) // np.maximum(families, 1)
    arrival = np.where(again, sent + 1, sent)
    opens = np.datetime64(field.campaign.windows[field.province].opens)
    minute = draws.integer("minute", _SEND_FROM, _SEND_UNTIL)
    return pa.table(
        {
            "id_subsls": field.subsls.id_subsls[row],
            "tanggal": pa.array(opens + (day - 1)),
            "kode_petugas": field.subsls.ppl[row],
            "jumlah_kk_verifikasi": np.where(field.verified[row] == day, field.subsls.load[row], 0),
            "jumlah_kk_cacah": families - too_few,
            "jumlah_art": members,
            "jumlah_asn": np.floor(members * _CIVIL_SERVANTS + draws.uniform("asn")).astype(np.int64),
            "dikirim_pada": pa.array((opens + (arrival - 1)).astype("datetime64[s]") + minute * 60),
        }
    ).filter(pa.array(said))


def _sent(field: Field, draws: Draws, day: Integers, families: Integers) -> tuple[Integers, Flags]:
    """The day on which each report is sent first, and whether it is corrected the day after."""
    shape = field.campaign.behaviour.streams
    sent = day + lag(draws, "lag", shape.report_again, shape.report_days_at_most)
    return sent, draws.chance("corrected", shape.report_corrected) & (families > 0)


def _members(field: Field) -> Integers:
    """Rows of each family's roster; of those that did not respond, what the neighbours say."""
    key = field.piece.messages.key
    everybody = np.ones(len(key), dtype=np.bool_)
    roster = rosters(key, key, everybody, living()[field.province].members)
    return np.bincount(roster.family, minlength=len(key)).astype(np.int64)


def _per_key(keys: Integers, found: Integers, amount: Integers | None) -> Integers:
    place = np.searchsorted(keys, found)
    inside = place < len(keys)
    inside[inside] = keys[place[inside]] == found[inside]
    weights = None if amount is None else amount[inside]
    return np.bincount(place[inside], weights=weights, minlength=len(keys)).astype(np.int64)
