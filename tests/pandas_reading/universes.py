"""Who is asked which item of questionnaire K, read off the printed form (domain reference, 2.3) item by item."""

from collections.abc import Callable

import pandas as pd

from pandas_reading.answers import Answers
from pandas_reading.logic import between, everywhere, one_of

Universe = Callable[[Answers], "pd.Series[bool]"]
YES = 1


def visited(rows: Answers) -> "pd.Series[bool]":
    """Somebody answered, if not everything: 205 is 1 or 2."""
    return one_of(rows["r205_hasil"], (1, 2))


def complete(rows: Answers) -> "pd.Series[bool]":
    return rows["r205_hasil"] == 1


def exists(members: Answers) -> "pd.Series[bool]":
    """Lives with the family or is new in it: 404 is 1 or 5."""
    return one_of(members["r404_keberadaan"], (1, 5))


def aged(low: int, high: int = 999) -> Universe:
    """Members from age ``low`` to age ``high``."""
    return lambda members: between(members["r407_umur"], low, high)


def answered(item: str, *codes: int) -> Universe:
    """Rows whose answer to ``item`` is one of ``codes``."""
    return lambda rows: one_of(rows[item], codes)


def both(*universes: Universe) -> Universe:
    """Rows in all of ``universes``."""

    def universe(rows: Answers) -> "pd.Series[bool]":
        inside = everywhere(rows.values.iloc[:, 0])
        for each in universes:
            inside &= each(rows)
        return inside

    return universe


def second_meter(families: Answers) -> "pd.Series[bool]":
    """Where the power of a second meter is stated. Unreadable says neither yes nor no."""
    name = "r307b2_daya"
    return families.filled(name).astype("boolean").mask(families.unreadable[name])


def needs_carer(members: Answers) -> "pd.Series[bool]":
    """From 60 on, or with a difficulty of degree 1 or 2 that was asked for at that age."""
    needs = aged(60)(members)
    for item in EARLY_DIFFICULTIES:
        needs |= aged(2)(members) & one_of(members[item], (1, 2))
    for item in LATER_DIFFICULTIES:
        needs |= aged(5)(members) & one_of(members[item], (1, 2))
    return needs


EARLY_DIFFICULTIES = (
    "r428a_melihat", "r428b_mendengar", "r428c_berjalan", "r428d_tangan", "r428e_belajar", "r428f_perilaku",
)  # fmt: skip
LATER_DIFFICULTIES = ("r428g_berbicara", "r428h_mengurus_diri", "r428i_mengingat", "r428j_depresi")
_metered = answered("r307a_penerangan", 1)
_toilet = answered("r309a_fasilitas_bab", 1, 2, 3)
_at_school = both(aged(5), answered("r412_sekolah", 2, 3))
_works = both(aged(5), answered("r416a_bekerja", YES))
_has_business = both(aged(5), answered("r420a_usaha", YES))
_ever_married_woman = both(answered("r405_jenis_kelamin", 2), aged(10, 54), answered("r408_status_kawin", 2, 3, 4))

PROGRAMMES = {
    "a": "r501a_sembako", "b": "r501b_pkh", "c": "r501c_blt_desa", "d": "r501d_subsidi_listrik",
    "e": "r501e_bantuan_pemda", "f": "r501f_subsidi_pupuk", "g": "r501g_subsidi_lpg",
}  # fmt: skip

KELUARGA: dict[str, Universe] = {
    "r112_jumlah_anggota": complete,
    "r301b_bukti_kepemilikan": answered("r301a_status_bangunan", 1),
    "r306b_jarak_limbah": answered("r306a_air_minum", 4, 5, 6, 7, 8),
    "r307b1_daya": _metered,
    "r307b2_daya": _metered,
    "r307b3_daya": both(_metered, second_meter),
    "r309b_kloset": _toilet,
    "r310_pembuangan_tinja": _toilet,
} | {
    f"r501{letter}_{when}": answered(programme, YES)
    for letter, programme in PROGRAMMES.items()
    for when in ("bulan", "tahun")
}  # fmt: skip

ANGGOTA: dict[str, Universe] = (
    {
        "r410_hamil": _ever_married_woman,
        "r412_sekolah": aged(5),
        "r416a_bekerja": aged(5),
        "r420a_usaha": aged(5),
        "r427_gizi": aged(0, 4),
        "r429_pengasuh": needs_carer,
        "r431b_prakerja": aged(5),
        "r431c_kur": aged(5),
        "r431d_umi": aged(5),
        "r431e_pip": aged(5, 30),
        "r431f_jaminan_ketenagakerjaan": aged(15),
    }
    | dict.fromkeys(("r413_jenjang", "r414_kelas", "r415_ijazah"), _at_school)
    | dict.fromkeys(("r416b_jam_kerja", "r417_lapangan_usaha", "r418_status_pekerjaan"), _works)
    | dict.fromkeys(("r420b_jumlah_usaha", "r421_lapangan_usaha_utama", "r422_pekerja_dibayar"), _has_business)
    | dict.fromkeys(("r423_pekerja_tidak_dibayar", "r424_izin_usaha", "r425_omzet"), _has_business)
    | {"r426_internet_usaha": _has_business}
    | dict.fromkeys(EARLY_DIFFICULTIES, aged(2))
    | dict.fromkeys(LATER_DIFFICULTIES, aged(5))
)

UNIVERSES = {"keluarga": KELUARGA, "anggota": ANGGOTA}
