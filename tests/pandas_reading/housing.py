"""H: the dwelling, and what in it does not go together."""

import pandas as pd

from pandas_reading.answers import Answers
from pandas_reading.logic import between, certain, everywhere, one_of
from pandas_reading.part import Part
from pandas_reading.registry import reads
from pandas_reading.roster import present
from pandas_reading.universes import YES, visited

NO = 2
NO_ELECTRICITY, METERED = 4, 1
LARGE_LPG, SMALL_LPG = (2, 3), (4,)
COOKING_FUELS = range(12)
LOW_POWER, OVER_900_WATT = (1,), (3, 4, 5)
OTHER_METERS = ("r307b2_daya", "r307b3_daya")
ELECTRIC = ("r502b_kulkas", "r502c_ac", "r502d_pemanas_air", "r502f_tv_datar", "r502h_komputer")
LUXURY = ("r502c_ac", "r502d_pemanas_air", "r502k_mobil")


def owns_any(families: Answers, goods: tuple[str, ...]) -> "pd.Series[bool]":
    """Answered yes for one of ``goods`` at least."""
    owned = ~everywhere(families["r205_hasil"])
    for item in goods:
        owned |= certain(families[item] == YES)
    return owned


def meters_are(families: Answers, powers: tuple[int, ...]) -> "pd.Series[bool]":
    """The first meter has one of ``powers``, and so have the others where there are any."""
    fits = certain(one_of(families["r307b1_daya"], powers))
    for meter in OTHER_METERS:
        fits &= families.missing(meter) | certain(one_of(families[meter], powers))
    return fits


@reads("H02-floor")
def strange_floor_area(part: Part) -> "pd.Series[bool]":
    area = part.families["r302_luas_lantai"]
    strange = (area > 500) | (area < 2 * present(part))
    return certain(visited(part.families) & between(area, 1, 997) & strange)


@reads("H06")
def electric_goods_without_electricity(part: Part) -> "pd.Series[bool]":
    dark = part.families["r307a_penerangan"] == NO_ELECTRICITY
    return certain(visited(part.families) & dark & owns_any(part.families, ELECTRIC))


@reads("H07")
def large_lpg_without_cylinder(part: Part) -> "pd.Series[bool]":
    cooks = one_of(part.families["r308_bahan_bakar"], LARGE_LPG)
    return certain(visited(part.families) & cooks & (part.families["r502a_tabung_gas"] == NO))


def _cooks_otherwise(part: Part, fuels: tuple[int, ...]) -> "pd.Series[bool]":
    fuel = part.families["r308_bahan_bakar"]
    return one_of(fuel, COOKING_FUELS) & ~one_of(fuel, fuels)


@reads("H07-reverse")
def cylinder_without_large_lpg(part: Part) -> "pd.Series[bool]":
    owns = part.families["r502a_tabung_gas"] == YES
    return certain(visited(part.families) & owns & _cooks_otherwise(part, LARGE_LPG))


@reads("H08")
def subsidy_for_high_power(part: Part) -> "pd.Series[bool]":
    light = part.families["r307a_penerangan"]
    unsubsidised = one_of(light, (2, 3, 4)) | ((light == METERED) & meters_are(part.families, OVER_900_WATT))
    return certain(visited(part.families) & (part.families["r501d_subsidi_listrik"] == YES) & unsubsidised)


@reads("H09")
def lpg_subsidy_for_other_fuel(part: Part) -> "pd.Series[bool]":
    receives = part.families["r501g_subsidi_lpg"] == YES
    return certain(visited(part.families) & receives & _cooks_otherwise(part, SMALL_LPG))


@reads("H10")
def luxury_on_low_power(part: Part) -> "pd.Series[bool]":
    low = (part.families["r307a_penerangan"] == METERED) & meters_are(part.families, LOW_POWER)
    return certain(visited(part.families) & low & owns_any(part.families, LUXURY))
