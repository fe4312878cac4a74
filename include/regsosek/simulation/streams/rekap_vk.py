"""The coordinators' recap of the verified lists: entered late, or never, with splits, merges and renames."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from regsosek.simulation.answers.keluarga import sls_names
from regsosek.simulation.draws.randomness import Draws, Integers, seeded
from regsosek.simulation.field.campaign import NEVER
from regsosek.simulation.field.frame import apportioned
from regsosek.simulation.field.frame_changes import heirs, retired_from
from regsosek.simulation.field.gaps import HEAD_NOT_MET, LIST_MISSING
from regsosek.simulation.streams.geotag import welfare_classes
from regsosek.simulation.streams.happenings import Field, lag

RENAMED = 3
_CLASSES = ("sangat_miskin", "miskin", "tidak_miskin")
_COUNTS = ("jumlah_keluarga_verifikasi", "nonrespon", *_CLASSES)
_NO_RESPONSE = 0.02
_ENTER_FROM, _ENTER_UNTIL = 9 * 60, 17 * 60

_SCHEMA = pa.schema(
    [
        ("id_subsls", pa.int64()), ("id_subsls_baru", pa.int64()), ("nama_sls_baru", pa.string()),
        ("status", pa.int64()), ("flag_tidak_ditemukan", pa.int64()), *((name, pa.int64()) for name in _COUNTS),
        ("dientri_pada", pa.timestamp("s")),
    ]
)  # fmt: skip
Row = dict[str, Any]


def messages(field: Field, after: int, until: int) -> pa.Table:
    """What was entered on the days over ``after`` up to ``until``, one row for each sub-SLS and what it became."""
    rows = [row for day, row in _entries(field) if after < day <= until]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def entered_from(field: Field) -> Integers:
    """The day on which the list of each sub-SLS is entered as it was found, NEVER if never."""
    shape = field.campaign.behaviour.streams
    draws = Draws(seeded(field.campaign.seed, "recap", field.subsls.id_subsls))
    wait = 1 + lag(draws, "lag", shape.recap_again, shape.recap_days_at_most)
    day = np.maximum(field.verified, shape.recap_first_day - 1) + wait
    never = (field.verified == NEVER) | (field.gap == LIST_MISSING)
    return np.where(never, NEVER, day)


def _entries(field: Field) -> Iterator[tuple[int, Row]]:
    """Every row that is ever entered, with its day."""
    draws = Draws(seeded(field.campaign.seed, "recap", field.subsls.id_subsls))
    days, counts = entered_from(field), _lists(field)
    retired = retired_from(field.campaign, field.subsls)
    blank = np.isin(field.gap, (LIST_MISSING, HEAD_NOT_MET)) & draws.chance("shown empty", 0.5)
    renamed = draws.chance("renamed", field.campaign.behaviour.streams.renamed)
    names = sls_names(field.subsls).to_pylist()
    minutes = draws.integer("minute", _ENTER_FROM, _ENTER_UNTIL)
    for i, code in enumerate(field.subsls.id_subsls.tolist()):
        day = int(days[i])
        moment = (field.campaign, field.province, int(minutes[i]))
        if blank[i]:
            shown = max(int(field.began[i]), field.campaign.behaviour.streams.recap_first_day)
            yield shown, _row(code, shown, moment, dict.fromkeys(_COUNTS))
        if day == NEVER:
            continue
        if day < retired[i]:
            change = {"id_subsls_baru": code, "nama_sls_baru": f"{names[i]} Baru", "status": RENAMED}
            yield day, _row(code, day, moment, counts[i], change if renamed[i] else {})
        if retired[i] < NEVER:
            day = max(day, int(retired[i]))
            yield from ((day, _row(code, day, moment, *parts)) for parts in _inherited(code, counts[i], names[i]))


def _lists(field: Field) -> list[Row]:
    """The counts of each list: everybody who lives there, by class; some will not respond."""
    classes = welfare_classes(field)
    silent = field.counted(field.piece.draws.chance("no response", _NO_RESPONSE))
    columns = [field.subsls.load, silent, *(field.counted(classes == number) for number in (1, 2, 3))]
    return [dict(zip(_COUNTS, row, strict=True)) for row in np.stack(columns, axis=1).tolist()]


def _inherited(code: int, counts: Row, name: str) -> Iterable[tuple[Row, Row]]:
    """The list of a retired sub-SLS as its heirs have it: the sums stay."""
    found = list(heirs(code, counts["jumlah_keluarga_verifikasi"]))
    weight = np.array([max(heir.load, 1) for heir in found])
    shares = {column: apportioned(counts[column], weight).tolist() for column in ("nonrespon", *_CLASSES[:2])}
    for place, heir in enumerate(found):
        own: Row = {column: shares[column][place] for column in shares}
        own["jumlah_keluarga_verifikasi"] = heir.load
        own["tidak_miskin"] = heir.load - own["sangat_miskin"] - own["miskin"]
        change = {"id_subsls_baru": heir.id_subsls, "nama_sls_baru": f"{name} {place + 1}", "status": heir.status}
        yield own, change


def _row(code: int, day: int, moment: tuple[Any, str, int], counts: Row, change: Row | None = None) -> Row:
    campaign, province, minute = moment
    entered = np.datetime64(campaign.date_of(province, day), "s") + minute * 60
    return {"id_subsls": code, "flag_tidak_ditemukan": 0, "dientri_pada": entered.item()} | counts | (change or {})
