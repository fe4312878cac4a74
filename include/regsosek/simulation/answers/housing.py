"""Answers of blocks III and V: the dwelling, programmes and assets, made to agree with one another."""

from collections.abc import MutableMapping

import numpy as np

from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers

YES, NO = 1, 2
_NO_ELECTRICITY, _WATT_900, _LPG_3_KG = 4, 2, 4
Answers = MutableMapping[str, Integers]
_PROGRAMMES = "abcdefg"
_NEED_ELECTRICITY = ("r502b_kulkas", "r502c_ac", "r502d_pemanas_air", "r502f_tv_datar", "r502h_komputer")
_TOO_MUCH_FOR_450_WATT = ("r502c_ac", "r502d_pemanas_air", "r502k_mobil")
_FIRST_MONTH = 2021 * 12 + 9  # October 2021, counted in months
_MONTHS_BACK = 12
_LARGEST_PLAIN_AREA = 480


def reconcile_housing(answers: Answers, draws: Draws, corrected: Draws, welfare: Floats, members: Integers) -> None:
    """Sets what follows from other answers (rules H02, H06 to H10, V01); changes ``answers`` in place.

    Args:
        answers: candidates of the keluarga columns.
        draws: the families' draws.
        corrected: those of the answers that a second message changes.
        welfare: standard normal over all families.
        members: of each family.
    """
    answers["r302_luas_lantai"] = _floor_area(corrected, welfare, members)
    powerless = answers["r307a_penerangan"] == _NO_ELECTRICITY
    _forbid(answers, _NEED_ELECTRICITY, powerless)
    _forbid(answers, _TOO_MUCH_FOR_450_WATT, (answers["r307a_penerangan"] == 1) & (answers["r307b1_daya"] == 1))
    answers["r502a_tabung_gas"] = np.where(np.isin(answers["r308_bahan_bakar"], (2, 3)), YES, NO)
    small_meter = (answers["r307a_penerangan"] == 1) & (answers["r307b1_daya"] <= _WATT_900)
    _forbid(answers, ("r501d_subsidi_listrik",), ~small_meter)
    _forbid(answers, ("r501g_subsidi_lpg",), answers["r308_bahan_bakar"] != _LPG_3_KG)
    for letter in _PROGRAMMES:
        # The programmes' window ends with the month in which the field work begins.
        month = _FIRST_MONTH + draws.integer(f"month {letter}", 0, _MONTHS_BACK)
        answers[f"r501{letter}_bulan"], answers[f"r501{letter}_tahun"] = month % 12 + 1, month // 12


def keep_livestock_rural(answers: Answers, urban: Flags) -> None:
    """No herds in a kota."""
    for column in (name for name in answers if name.startswith("r504")):
        answers[column] = np.where(urban, 0, answers[column])


def _floor_area(draws: Draws, welfare: Floats, members: Integers) -> Integers:
    area = np.exp(4.05 + 0.3 * welfare + 0.3 * draws.normal("floor area"))
    return np.clip(np.rint(area), np.maximum(9, 2 * members), _LARGEST_PLAIN_AREA).astype(np.int64)


def _forbid(answers: Answers, columns: tuple[str, ...], where: Flags) -> None:
    for column in columns:
        answers[column] = np.where(where, NO, answers[column])
