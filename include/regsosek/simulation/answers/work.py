"""Answers 416 to 426: work and business."""

from statistics import NormalDist

import numpy as np

from regsosek.simulation.answers.households import FEMALE
from regsosek.simulation.answers.housing import NO, YES, Answers
from regsosek.simulation.answers.schooling import ATTENDING
from regsosek.simulation.draws.living import URBAN_NATION
from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers

_YOUNGEST_WORKER, _YOUNGEST_OWNER = 10, 16
_EMPLOYED = ([10, 14, 15, 19, 24, 30, 50, 60, 70, 85], [0.01, 0.02, 0.17, 0.54, 0.83, 0.965, 0.96, 0.87, 0.62, 0.2])
_AGRICULTURE, _GOVERNMENT, _EDUCATION, _HEALTH = 6, 20, 21, 22
_TRADE = 12
_EMPLOYER = 3
# Fields from those of the poor and unschooled to those of the rich and schooled, with their shares.
_FIELDS = {
    6: 0.5, 1: 13.3, 4: 1.8, 3: 6.9, 2: 3.4, 5: 2.7, 25: 1.9, 7: 1.1, 10: 0.4, 11: 6.3, 8: 14.2, 19: 1.7,
    24: 3.3, 13: 4.4, 12: 19.4, 14: 7.1, 23: 0.4, 17: 0.4, 9: 0.2, 15: 0.8, 21: 4.8, 22: 1.6,
    20: 3.6, 16: 1.2, 18: 0.4, 26: 0.01,
}  # fmt: skip
# How the scores that choose a field are spread over those who work.
_SCORES = NormalDist(0.07, 1.05)
_STATUS_AGRICULTURE = {1: 24.0, 2: 31.0, 3: 2.5, 4: 7.0, 6: 11.5, 8: 24.0}
_STATUS_SERVICE = {4: 62.0, 5: 38.0}
_STATUS_OTHER = {1: 22.0, 2: 10.0, 3: 3.5, 4: 48.0, 7: 7.0, 8: 9.5}


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
    share = share * np.where(answers["r405_jenis_kelamin"] == FEMALE, 0.645, 1.0)
    share = share * np.where(answers["r412_sekolah"] == ATTENDING, 0.12, 1.0)
    return (age >= _YOUNGEST_WORKER) & draws.chance("work", share)


def _field(draws: Draws, welfare: Floats, stage: Integers, urban: Flags) -> Integers:
    score = 0.3 * welfare + 0.25 * (stage - 2) + 1.1 * (urban - URBAN_NATION) + 0.6 * draws.normal("field")
    limits = [_SCORES.inv_cdf(share) for share in np.cumsum(list(_FIELDS.values()))[:-1] / sum(_FIELDS.values())]
    return np.asarray(np.array(list(_FIELDS))[np.searchsorted(limits, score)], dtype=np.int64)


def _status(draws: Draws, field: Integers) -> Integers:
    in_service = np.isin(field, (_EDUCATION, _HEALTH))
    by_field = np.select(
        [field <= _AGRICULTURE, field == _GOVERNMENT, in_service],
        [draws.among("status", _STATUS_AGRICULTURE), 5, draws.among("status", _STATUS_SERVICE)],
        draws.among("status", _STATUS_OTHER),
    )
    return np.asarray(by_field, dtype=np.int64)
