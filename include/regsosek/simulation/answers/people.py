"""Answers of block IV for every member of a roster: candidates, not yet skipped."""

from dataclasses import dataclass

import numpy as np

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import first_version
from regsosek.simulation.answers.households import FEMALE, MARRIED, NEVER_MARRIED, Roster, frailty
from regsosek.simulation.answers.housing import NO, YES, Answers
from regsosek.simulation.answers.schooling import ATTENDING, put_schooling
from regsosek.simulation.answers.work import put_work
from regsosek.simulation.draws.living import Building
from regsosek.simulation.draws.margins import candidate
from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers

_DIFFICULTIES = (
    "r428a_melihat",
    "r428b_mendengar",
    "r428c_berjalan",
    "r428d_tangan",
    "r428e_belajar",
    "r428f_perilaku",
    "r428g_berbicara",
    "r428h_mengurus_diri",
    "r428i_mengingat",
    "r428j_depresi",
)
_DIFFICULTY_LIMITS = [0.0, 1.3, 2.1]  # none, little, much, cannot at all
_NO_DISEASE = 1
_DISEASES = {
    2: 35.0, 3: 12.0, 4: 9.0, 5: 6.0, 6: 14.0, 7: 3.0, 8: 4.0, 9: 2.0, 10: 2.0, 11: 0.1, 12: 0.3, 13: 7.0, 14: 0.3,
    15: 0.1, 16: 0.1, 17: 0.3, 18: 5.0,
}  # fmt: skip
_BIRTH_ACT, _CHILD_CARD, _IDENTITY_CARD = 1, 2, 4
_NO_TAX_NUMBER = 3
_OF_AGE, _IDENTITY_CARD_FROM = 18, 17
_CARER_A_MEMBER, _CARER_NO_MEMBER, _LIVES_ALONE = 1, 2, 3


@dataclass(frozen=True)
class FamilyTraits:
    """What a member shares with the family, one value per member; ``building`` is that of the province."""

    welfare: Floats
    urban: Flags
    family_size: Integers
    building: Building


def member_answers(roster: Roster, around: FamilyTraits) -> Answers:
    """Candidates of all coded columns of anggota that a person gives; items 401, 403 and 406 are not among them."""
    draws, corrected = Draws(roster.key), Draws(roster.draft)
    welfare = 0.85 * around.welfare + 0.527 * draws.normal("own welfare")
    answers: Answers = {
        "r404_keberadaan": roster.existence,
        "r405_jenis_kelamin": roster.sex,
        "r407_umur": roster.age,
        "r408_status_kawin": roster.marital,
        "r409_hubungan": roster.relation,
    }
    for variable in variables("anggota", first_version()):
        drawn = (
            None
            if variable.block == "0" or variable.name in answers
            else candidate(variable, draws, welfare, around.building)
        )
        if drawn is not None:
            answers[variable.name] = drawn
    stage = put_schooling(answers, draws, welfare, roster.age)
    put_work(answers, draws, corrected, welfare, stage, roster.age, around.urban)
    _put_health(answers, draws, roster.age, around.family_size)
    answers["r410_hamil"] = np.where(_expecting(draws, roster), YES, NO)
    answers["r411_identitas"] = _documents(draws, roster)
    _bar_others(answers, roster.age)
    return answers


def _put_health(answers: Answers, draws: Draws, age: Integers, family_size: Integers) -> None:
    frail = frailty(draws, age)
    for column in _DIFFICULTIES:
        answers[column] = 4 - np.searchsorted(_DIFFICULTY_LIMITS, frail + 0.6 * draws.normal(column))
    ill = draws.chance("ill", np.clip(1 / (1 + np.exp(-1.4 * (frail + 0.2))), 0.005, 0.7))
    answers["r430_penyakit_kronis"] = np.where(ill, draws.among("disease", _DISEASES), _NO_DISEASE)
    carer = np.where(draws.chance("carer", 0.93), _CARER_A_MEMBER, _CARER_NO_MEMBER)
    answers["r429_pengasuh"] = np.where(family_size == 1, _LIVES_ALONE, carer)


def _expecting(draws: Draws, roster: Roster) -> Flags:
    fertile = (roster.sex == FEMALE) & (roster.marital == MARRIED)
    share = np.interp(roster.age, [18, 25, 32, 40, 46], [0.13, 0.137, 0.088, 0.022, 0.0])
    return np.asarray(fertile & draws.chance("expecting", share), dtype=np.bool_)


def _documents(draws: Draws, roster: Roster) -> Integers:
    adult = (roster.age >= _IDENTITY_CARD_FROM) | (roster.marital != NEVER_MARRIED)
    act = _BIRTH_ACT * draws.chance("birth act", np.interp(roster.age, [0, 2, 20, 60], [0.7, 0.9, 0.85, 0.3]))
    card = np.where(
        adult,
        _IDENTITY_CARD * draws.chance("identity card", 0.97),
        _CHILD_CARD * draws.chance("child card", 0.4),
    )
    return np.asarray(act + card, dtype=np.int64)


def _bar_others(answers: Answers, age: Integers) -> None:
    for column in ("r431b_prakerja", "r431c_kur", "r431d_umi"):
        answers[column] = np.where(age < _OF_AGE, NO, answers[column])
    answers["r419_npwp"] = np.where(age < _OF_AGE, _NO_TAX_NUMBER, answers["r419_npwp"])
    answers["r431e_pip"] = np.where(answers["r412_sekolah"] == ATTENDING, answers["r431e_pip"], NO)
    work_insurance = answers["r431f_jaminan_ketenagakerjaan"]
    answers["r431f_jaminan_ketenagakerjaan"] = np.where(answers["r416a_bekerja"] == YES, work_insurance, 0)
