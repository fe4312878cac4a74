"""Answers 412 to 415: who goes or went to which school, and with which diploma."""

import numpy as np

from regsosek.simulation.answers.housing import Answers
from regsosek.simulation.draws.randomness import Draws, Floats, Integers

NEVER, ATTENDING, NO_LONGER = 1, 2, 3
NO_DIPLOMA, FINISHED = 23, 8
# Stages of the ladder: 0 none, 1 primary, 2 junior, 3 senior secondary, 4 diploma, 5 bachelor, 6 master, 7 doctorate.
_YOUNGEST_GRADUATE = np.array([0, 12, 15, 18, 21, 22, 25, 29])
_CODES = (
    {NO_DIPLOMA: 1.0},
    {3: 0.84, 4: 0.13, 1: 0.02, 5: 0.01},
    {8: 0.78, 9: 0.18, 6: 0.03, 10: 0.01},
    {13: 0.5, 15: 0.32, 14: 0.13, 11: 0.04, 17: 0.01},
    {18: 1.0},
    {19: 0.97, 20: 0.03},
    {21: 1.0},
    {22: 1.0},
)
_ASKED_FROM, _SCHOOL_AGE = 5, 7
_PRIMARY, _SENIOR, _BACHELOR = 1, 3, 5
_ADULT_LIMITS = [-1.4, -0.43, 0.1, 1.17, 1.31, 2.15, 3.05]
_CLASSES = np.array([1, 6, 3, 3, 3, 4, 2, 3])
_AT_SCHOOL = (
    [5, 6, 7, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26],
    [0.05, 0.7, 0.99, 0.992, 0.975, 0.945, 0.82, 0.74, 0.64, 0.42, 0.36, 0.30, 0.22, 0.15, 0.11, 0.0],
)


def put_schooling(answers: Answers, draws: Draws, welfare: Floats, age: Integers) -> Integers:
    """Sets 412 to 415 in ``answers`` and returns the stage of the diploma held, 0 to 7."""
    attending = draws.chance("at school", np.interp(age, *_AT_SCHOOL)) & (age >= _ASKED_FROM)
    stage = np.where(attending, _stage_of_age(draws, welfare, age), _stage_left(draws, welfare, age))
    finished = ~attending & (age >= _YOUNGEST_GRADUATE[stage]) & draws.chance("finished", 0.88)
    held = np.where(finished, stage, np.maximum(stage - 1, 0))
    answers["r412_sekolah"] = np.where(attending, ATTENDING, np.where(stage == 0, NEVER, NO_LONGER))
    answers["r413_jenjang"] = _code(draws, np.maximum(stage, _PRIMARY))
    answers["r414_kelas"] = np.where(finished, FINISHED, _class(draws, stage, attending, age))
    diploma = _code(draws, _secondary_first(held, finished))
    answers["r415_ijazah"] = diploma
    return np.where(stage == 0, 0, held)


def _stage_of_age(draws: Draws, welfare: Floats, age: Integers) -> Integers:
    stage = np.searchsorted([13, 16, 19], age, side="right") + _PRIMARY
    university = np.where(draws.normal("university") + welfare + 0.8 > 0, _BACHELOR, _BACHELOR - 1)
    return np.where(stage > _SENIOR, university, stage)


def _stage_left(draws: Draws, welfare: Floats, age: Integers) -> Integers:
    cohort = np.interp(age, [18, 30, 50, 70, 97], [0.45, 0.35, -0.1, -0.9, -1.5])
    score = 0.6 * welfare + 0.8 * draws.normal("schooling") + cohort
    ladder = np.searchsorted(_ADULT_LIMITS, score)
    highest = np.searchsorted(_YOUNGEST_GRADUATE, age, side="right") - 1
    return np.where(age < _SCHOOL_AGE, 0, np.minimum(ladder, np.maximum(highest, 0)))


def _secondary_first(held: Integers, finished: np.ndarray) -> Integers:
    # Who left a bachelor's course has no three-year diploma for it, but the school-leaving certificate.
    return np.where(~finished & (held == _BACHELOR - 1), _SENIOR, held)


def _class(draws: Draws, stage: Integers, attending: np.ndarray, age: Integers) -> Integers:
    begins = np.array([0, 6, 13, 16, 19, 19, 22, 25])[stage]
    by_age = np.clip(age - begins + 1, 1, _CLASSES[stage])
    return np.where(attending, by_age, draws.integer("class", 1, _CLASSES[stage]))


def _code(draws: Draws, stage: Integers) -> Integers:
    options = np.stack([draws.among("kind of school", shares) for shares in _CODES])
    return np.asarray(options[stage, np.arange(len(stage))], dtype=np.int64)
