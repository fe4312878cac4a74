"""Answers 416 to 426: work and business."""

import numpy as np

from regsosek.simulation.households import FEMALE
from regsosek.simulation.housing import NO, YES, Answers
from regsosek.simulation.randomness import Draws, Flags, Floats, Integers
from regsosek.simulation.schooling import ATTENDING

_YOUNGEST_WORKER, _YOUNGEST_OWNER = 10, 16
_EMPLOYED = ([10, 14, 15, 19, 24, 30, 50, 60, 70, 85], [0.01, 0.02, 0.15, 0.42, 0.76, 0.95, 0.95, 0.8, 0.5, 0.12])
_AGRICULTURE, _GOVERNMENT, _EDUCATION, _HEALTH = 6, 20, 21, 22
_TRADE = 12
_EMPLOYER = 3
# Fields from those of the poor and unschooled to those of the rich and schooled, with their shares.
_FIELDS = {
    6: 1.0, 1: 17.0, 4: 4.0, 3: 8.0, 2: 5.0, 5: 3.0, 25: 3.0, 7: 1.5, 10: 0.6, 11: 8.0, 8: 13.0, 19: 2.0,
    24: 4.0, 13: 5.0, 12: 15.0, 14: 5.0, 23: 0.5, 17: 0.3, 9: 0.3, 15: 0.9, 21: 4.0, 22: 1.8,
    20: 4.5, 16: 1.5, 18: 1.1, 26: 0.02,
}  # fmt: skip
_STATUS_AGRICULTURE = {1: 30.0, 2: 24.0, 3: 2.0, 4: 5.0, 6: 19.0, 8: 20.0}
_STATUS_SERVICE = {4: 55.0, 5: 45.0}
_STATUS_OTHER = {1: 26.0, 2: 8.0, 3: 4.0, 4: 48.0, 7: 10.0, 8: 4.0}


def put_work(
    answers: Answers, draws: Draws, corrected: Draws, welfare: Floats, stage: Integers, age: Integers, urban: Flags
) -> None:
    """Sets 416 to 418 and what follows from them for 420 to 422 (rules P15, P16); changes ``answers`` in place."""
    working = _working(draws, answers, age)
    field = _field(draws, welfare, stage, urban)
    status = np.where(working, _status(draws, field), 0)
    answers["r416a_bekerja"] = np.where(working, YES, NO)
    answers["r416b_jam_kerja"] = np.clip(np.rint(39 + 13 * corrected.normal("hours")), 3, 90).astype(np.int64)
    answers["r417_lapangan_usaha"] = field
    answers["r418_status_pekerjaan"] = np.maximum(status, 1)
    side_business = (age >= _YOUNGEST_OWNER) & draws.chance("side business", 0.04)
    answers["r420a_usaha"] = np.where(np.isin(status, (1, 2, 3)) | side_business, YES, NO)
    answers["r421_lapangan_usaha_utama"] = np.where(np.isin(status, (1, 2, 3)), field, _TRADE)
    paid = answers["r422_pekerja_dibayar"]
    answers["r422_pekerja_dibayar"] = np.where(status == _EMPLOYER, np.maximum(paid, 1), paid)


def _working(draws: Draws, answers: Answers, age: Integers) -> Flags:
    share = np.interp(age, *_EMPLOYED)
    share = share * np.where(answers["r405_jenis_kelamin"] == FEMALE, 0.62, 1.0)
    share = share * np.where(answers["r412_sekolah"] == ATTENDING, 0.12, 1.0)
    return (age >= _YOUNGEST_WORKER) & draws.chance("work", share)


def _field(draws: Draws, welfare: Floats, stage: Integers, urban: Flags) -> Integers:
    score = 0.35 * welfare + 0.35 * (stage - 2) + 0.6 * urban + 0.75 * draws.normal("field")
    limits = np.cumsum(list(_FIELDS.values())) / sum(_FIELDS.values())
    share = 1 / (1 + np.exp(-1.7 * score))  # the logistic curve stands in for the normal distribution
    return np.asarray(np.array(list(_FIELDS))[np.searchsorted(limits[:-1], share)], dtype=np.int64)


def _status(draws: Draws, field: Integers) -> Integers:
    in_service = np.isin(field, (_EDUCATION, _HEALTH))
    by_field = np.select(
        [field <= _AGRICULTURE, field == _GOVERNMENT, in_service],
        [draws.among("status", _STATUS_AGRICULTURE), 5, draws.among("status", _STATUS_SERVICE)],
        draws.among("status", _STATUS_OTHER),
    )
    return np.asarray(by_field, dtype=np.int64)
