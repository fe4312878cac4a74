"""Whole parts of a delivery full of defects, drawn from a seed: valid families, then answers hurt column by column.

What is hurt stays near what matters: codes and bounds at both ends, ages where the questionnaire branches, days around
the window, missing and unreadable answers, numbers that several persons or families share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd

from regsosek.contract.codebook import Variable, bit_mask, code_list, variables
from support.checks.rule_cases import PERSONAL, PROFILES, UNREADABLE
from support.deliveries.families import DESA, SUBSLS, VERSION, Row, anggota_row, keluarga_row

KEY_COLUMNS = ("id_subsls", "r109_no_bangunan", "r110_no_keluarga")
LINK_COLUMNS = ("id_dokumen", "versi", *KEY_COLUMNS)
# Hurt more rarely: where these are wrong, little else is judged.
GATES = frozenset(
    {"status_dokumen", "r205_hasil", "r404_keberadaan", "r201_tanggal_pencacahan", "r409_hubungan", "r401_no_urut"}
    | {"r101_provinsi", "r102_kabkota", "r103_kecamatan", "r104_desa", "r105a_sls", "r105b_subsls", *LINK_COLUMNS}
)
GATE_SHARE = 0.2
# The ages of head and spouse less ten and less twenty are among them.
AGES = (
    0, 1, 2, 2, 3, 4, 5, 5, 6, 9, 10, 11, 14, 15, 16, 17, 18, 19, 27, 28, 29, 30, 31, 47, 48, 49, 54, 55, 59, 60, 61,
    97, 98, 99, 130, 131,
)  # fmt: skip
# The window of the made-up province and its ends, fourteen days before delivery, leap days, a day that is none.
DAYS = (
    "2022-10-14", "2022-10-15", "2022-10-20", "2022-10-21", "2022-10-22", "2022-11-14", "2022-11-15", "2022-11-20",
    "2022-11-21", "2022-11-30", "2022-12-01", "2021-12-31", "2022-10-07", "2022-10-06", "2022-01-01",
    "2020-02-29", "2022-02-29", "2000-02-29",
)  # fmt: skip
# In the frame of ``families``: valid, split, merged, renamed twice, retired into nothing known, never heard of.
PLACES = (SUBSLS,) * 5 + tuple(DESA + code for code in ("000300", "000301", "000400", "000500", "000600", "000700"))
PLACES += (DESA + "000200", DESA + "000101", "6403010999000100")
AREAS = (*map(str, range(1, 14)), "36", "36", "48", "499", "500", "501", "997")
DIFFICULTIES = tuple(v.name for v in variables("anggota", VERSION) if v.item.startswith("428"))
GOODS = {"501d", "501g", "502b", "502c", "502d", "502f", "502h", "502k"}
PERIODS = (
    "9/2021", "10/2021", "11/2021", "1/2022", "9/2022", "10/2022", "11/2022", "12/2022", "1/2023", "12/2000", "1/2099",
)  # fmt: skip
# Letters of several scripts, a combining accent, a curly quote; lengths at the bound.
NAMES = (
    "C", "CONTOH", "CONTOH KEDUA", "O'CONTOH, S.H.", "C0NTOH", "CONTOH-", "C\tONTOH", "ÇONTÖH", "C\u0308ONTOH",
    "C\u2019ONTOH", "\u0639\u0644\u064a", "C½", "C" * 100, "C" * 101,
)  # fmt: skip
TIMES = (
    "2022-10-20T09:00:00+08:00", "2022-10-20T08:59:59+08:00", "2022-10-20T23:59:59+08:00", "2022-10-21T00:00:00+08:00",
    "2022-10-20T01:40:00Z", "2022-10-20T24:00:00+08:00", "2022-10-20T09:00:00",
)  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """How a part is drawn.

    Attributes:
        seed: of everything drawn.
        families: how many families before some are repeated.
        answers: share of the answers that are hurt, in 0..1.
        structure: share of the families whose links, numbers or order are hurt, in 0..1.
    """

    seed: int
    families: int
    answers: float
    structure: float


@dataclass
class Drawn:
    """The delivered rows of a part."""

    keluarga: list[Row]
    anggota: list[Row]


def draw(damage: Damage) -> Drawn:
    """The part that ``damage`` describes: always the same for the same values."""
    random = np.random.default_rng(damage.seed)
    families = [_family(random, number) for number in range(damage.families)]
    keluarga = _hurt(random, "keluarga", [row for row, _ in families], damage.answers)
    members = [member for _, roster in families for member in roster]
    owners = [number for number, (_, roster) in enumerate(families) for _ in roster]
    anggota = _hurt(random, "anggota", members, damage.answers)
    for owner, member in zip(owners, anggota, strict=True):
        member |= {name: keluarga[owner][name] for name in LINK_COLUMNS}
    drawn = Drawn(keluarga, anggota)
    _repeat(random, drawn, damage.structure)
    _unlink(random, drawn, damage.structure)
    return drawn


def _pick(random: np.random.Generator, values: Sequence[str]) -> str:
    return values[int(random.integers(len(values)))]


def _family(random: np.random.Generator, number: int) -> tuple[Row, list[Row]]:
    keys = {"id_dokumen": f"D{number}", "r109_no_bangunan": str(number // 3 + 1), "r110_no_keluarga": str(number + 1)}
    row = keluarga_row(**keys) | PROFILES["keluarga"][_pick(random, list(PROFILES["keluarga"]))] | _place(random)
    if row["r205_hasil"] == "1" and random.random() < 0.2:
        row |= {"r205_hasil": "2", "r600_catatan": "Responden pergi"}
    if row["r205_hasil"] in {"1", "2"}:
        row |= _dwelling(random) | _programmes(random)
    row |= {"r203_tanggal_pemeriksaan": _pick(random, ("", *DAYS[2:5]))}
    row |= {"r114_no_kk": _family_card(random), "r115_kode_kk": _pick(random, ("", "0", "1", "2"))}
    row["r201_tanggal_pencacahan"] = _pick(random, (*DAYS[:6], "2022-09-30"))
    size = int(random.integers(1, 7)) if row["r205_hasil"] in {"1", "2"} else 0
    roster = [_member(random, n, row) for n in range(1, size + 1)]
    row["r112_jumlah_anggota"] = str(size) if row["r205_hasil"] == "1" else ""
    return row, roster


def _place(random: np.random.Generator) -> Row:
    code = _pick(random, PLACES)
    items = ("r101_provinsi", "r102_kabkota", "r103_kecamatan", "r104_desa", "r105a_sls", "r105b_subsls")
    ends = (0, 2, 4, 7, 10, 14, 16)
    return {"id_subsls": code} | {item: code[ends[n] : ends[n + 1]] for n, item in enumerate(items)}


def _dwelling(random: np.random.Generator) -> Row:
    """Light, meters, fuel and goods that bear on each other."""
    power = ("", "1", "1", "2", "3", "4", "5")
    drawn = {name: _pick(random, power) for name in ("r307b1_daya", "r307b2_daya", "r307b3_daya")}
    drawn |= {"r307a_penerangan": _pick(random, ("1", "1", "1", "2", "3", "4"))}
    drawn |= {"r308_bahan_bakar": str(random.integers(13)), "r502a_tabung_gas": _pick(random, ("1", "2"))}
    drawn |= {v.name: _pick(random, ("1", "2", "2", "2")) for v in variables("keluarga", VERSION) if v.item in GOODS}
    return drawn | {"r302_luas_lantai": _pick(random, AREAS)}


def _programmes(random: np.random.Generator) -> Row:
    """Aid last received about the ends of the period, or not received."""
    drawn = {}
    for letter in "abcdefg":
        [name] = [v.name for v in variables("keluarga", VERSION) if v.item == f"501{letter}" and v.codes]
        month, year = _pick(random, PERIODS).split("/") if random.random() < 0.7 else ("", "")
        drawn |= {name: "1" if month else "2", f"r501{letter}_bulan": month, f"r501{letter}_tahun": year}
    return drawn


def _family_card(random: np.random.Generator) -> str:
    few, many = int(random.integers(1, 40)), int(random.integers(1000, 10_000))
    return _pick(random, ("", f"640301201022{few:04d}", f"640301201022{many:04d}"))


def _member(random: np.random.Generator, number: int, family: Row) -> Row:
    row = anggota_row(number)
    if number > 1:
        row |= PROFILES["anggota"][_pick(random, list(PROFILES["anggota"]))]
    row["r404_keberadaan"] = _pick(random, ("1",) * 10 + ("5",) * 4 + ("2", "3", "4", "6"))
    if number > 2:
        row["r409_hubungan"] = str(random.integers(2, 9))
    if random.random() < 0.5:
        row["r407_umur"] = str(AGES[int(random.integers(len(AGES)))])
    row["r411_identitas"] = str(random.integers(8))
    if row["r420a_usaha"] == "1":
        row |= {"r418_status_pekerjaan": _pick(random, ("1", "3", "4")), "r422_pekerja_dibayar": _pick(random, "012")}
    if random.random() < 0.3:
        row[_pick(random, DIFFICULTIES)] = _pick(random, "123")
    row["r406_tanggal_lahir"] = _born(random, row, family["r201_tanggal_pencacahan"])
    row["r403_nik"] = _nik(random, row)
    return row


def _born(random: np.random.Generator, row: Row, visited: str) -> str:
    """A birthday that fits the age, mostly; often one that lies on the day of the visit or beside it."""
    on = date.fromisoformat(visited)
    age = min(int(row["r407_umur"]) + int(random.choice((0, 0, 0, 0, 1, -1, 2))), 130)
    birthday = on.replace(year=on.year - max(age, 0))
    return str(birthday - timedelta(days=int(random.choice((0, 0, 1, -1, 364, 200, 31)))))


def _nik(random: np.random.Generator, row: Row) -> str:
    """A number that fits sex and birthday, mostly; few serial numbers, so that some are shared."""
    born = row["r406_tanggal_lahir"]
    woman = (row["r405_jenis_kelamin"] == "2") != (random.random() < 0.1)
    day, month, year = int(born[8:]), born[5:7], born[2:4]
    if random.random() < 0.1:
        day, month = int(random.choice((0, 1, 31, 32))), _pick(random, ("00", "13", "12"))
    return f"640301{day + 40 * woman:02d}{month}{year}{int(random.choice((0, 1, 2, 9999))):04d}"


def _hurt(random: np.random.Generator, dataset: str, rows: list[Row], share: float) -> list[Row]:
    frame = pd.DataFrame(rows, columns=[v.name for v in variables(dataset, VERSION)], dtype=object)
    for variable in variables(dataset, VERSION):
        rate = share * (GATE_SHARE if variable.name in GATES else 1)
        hit = random.random(len(frame)) < rate
        frame.loc[hit, variable.name] = random.choice(np.array(pool(variable), dtype=object), int(hit.sum()))
    return frame.to_dict("records")


@cache
def pool(variable: Variable) -> tuple[str, ...]:
    """Values of ``variable`` that are worth trying, right and wrong ones."""
    special = {"r407_umur": tuple(map(str, AGES)), "r402_nama": NAMES}
    values = special.get(variable.name) or _of_kind(variable)
    return (*values, "", "", "  ", UNREADABLE, *([PERSONAL] if variable.is_shown_text else []))


def _of_kind(variable: Variable) -> tuple[str, ...]:
    if variable.codes:
        return _codes(variable)
    if variable.minimum is not None and variable.maximum is not None:
        return _numbers(variable.minimum, variable.maximum, variable.kind)
    width = variable.width or 1
    samples = {"date": DAYS, "timestamp": TIMES}
    sign = "1" if variable.kind == "digits" else "a"
    return samples.get(variable.kind) or tuple(sign * n for n in (1, width - 1, width, width + 1) if n)


def _codes(variable: Variable) -> tuple[str, ...]:
    codes = [code.code for code in code_list(variable.codes, VERSION)]
    if variable.kind == "bits":
        codes += [*range(bit_mask(variable.codes, VERSION) + 2), max(codes) - 1]
    codes += [min(codes) - 1] if min(codes) else []
    return (*map(str, [*codes, max(codes) + 1]), f"0{codes[0]}", f"{codes[0]}.0")


def _numbers(low: int, high: int, kind: str) -> tuple[str, ...]:
    near = {low - 1, low, low + 1, high - 1, high, high + 1}
    if high >= 2099:
        near |= {2020, 2021, 2022, 2023}
    elif high - low > 30:
        near |= {low + n for n in (2, 3, 4, 5, 9, 10, 20)}
    fraction = {f"{high}.5", f"{low}.000001", "1,5"} if kind == "decimal" else {"1.0"}
    return (*(str(n) for n in sorted(near) if n >= 0 or kind == "decimal"), *sorted(fraction))


def _repeat(random: np.random.Generator, drawn: Drawn, share: float) -> None:
    """Some families come again: the same document, another revision, or without a document under the same key."""
    for row in list(drawn.keluarga):
        if random.random() < share / 4:
            change: tuple[Row, ...] = (
                {},
                {"versi": "2"},
                {"id_dokumen": ""},
                {"id_dokumen": f"{row['id_dokumen'][:6]}-7"},
            )
            drawn.keluarga.append(row | change[int(random.integers(4))])


def _unlink(random: np.random.Generator, drawn: Drawn, share: float) -> None:
    """Some members carry another document, revision or key than their family, but never both: that is no delivery."""
    for member in drawn.anggota:
        linked = member["id_dokumen"].startswith("D") and member["versi"].isdigit()
        if random.random() < share / 8:
            member.update(({"id_dokumen": "D-999"}, {"versi": "7"}, {"id_dokumen": ""})[int(random.integers(3))])
        elif linked and random.random() < share / 8:
            member.update({"r110_no_keluarga": "998"} if random.random() < 0.5 else {"id_subsls": ""})
