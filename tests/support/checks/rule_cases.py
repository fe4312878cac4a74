"""Cases that show a rule at work: a small change to a clean family, and whether the rule then fires.

Some are written down as CSV for statisticians to read (``tests/unit/quality/scenarios``), the others are derived from
the codebook, so that every rule has positive, negative, boundary and missing cases.
"""

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from regsosek.contract.codebook import (
    DATASETS,
    Variable,
    all_variables,
    bit_mask,
    block,
    code_list,
    lone_codes,
    variables,
)
from regsosek.contract.instruments import first_version
from regsosek.quality.generated import rule_id
from regsosek.staging.reading.typing_sql import can_be_untyped, given, typed, untyped_column
from support.deliveries.families import Row, anggota_row, keluarga_row

UNREADABLE = "x!"
PERSONAL = "RT 7 (0812-7770-0995)"
VERSION = first_version()
# What a later version of the questionnaire asks, and the first does not.
LATER = {v.name for dataset in DATASETS for v in all_variables(dataset)} - {
    v.name for dataset in DATASETS for v in variables(dataset, VERSION)
}
Change = dict[str, str]

# Ready-made families and members, each clean. A member case changes member 2, the wife of 38.
KELUARGA: dict[str, Change] = {
    "owner": {},
    "tenant": {"r301a_status_bangunan": "2", "r301b_bukti_kepemilikan": ""},
    "well": {"r306a_air_minum": "05", "r306b_jarak_limbah": "2"},
    "two_meters": {"r307b2_daya": "1"},
    "no_electricity": {"r307a_penerangan": "4", "r307b1_daya": ""},
    "no_toilet": {"r309a_fasilitas_bab": "6", "r309b_kloset": "", "r310_pembuangan_tinja": ""},
    "all_programmes": {v.name: "1" for v in variables("keluarga", VERSION) if re.fullmatch("501[a-g]", v.item)}
    | {v.name: "9" for v in variables("keluarga", VERSION) if v.name.endswith("_bulan")}
    | {v.name: "2022" for v in variables("keluarga", VERSION) if v.name.endswith("_tahun")},
    "incomplete": {"r205_hasil": "2", "r112_jumlah_anggota": "", "r600_catatan": "Responden pergi"},
    "refused": {v.name: "" for v in variables("keluarga", VERSION) if v.block in {"III", "V"}}
    | {"r205_hasil": "4", "r112_jumlah_anggota": "", "r600_catatan": "Menolak"},
}
ABSENT = {"refused": ("anggota1", "anggota2")}
_NO_SCHOOL = dict.fromkeys(("r413_jenjang", "r414_kelas", "r415_ijazah"), "")
_FROM_FIVE = {
    v.name: "" for v in variables("anggota", VERSION) if v.universe.startswith(("r407_umur >= 5", "r407_umur >= 15"))
}
_CHILD = {"r406_tanggal_lahir": "", "r408_status_kawin": "1", "r409_hubungan": "3", "r410_hamil": ""}
_CHILD |= {"r411_identitas": "1"}
_TODDLER = _CHILD | _FROM_FIVE | {"r407_umur": "3", "r427_gizi": "3"}
_WORK = {"r416a_bekerja": "1", "r416b_jam_kerja": "40", "r417_lapangan_usaha": "12", "r418_status_pekerjaan": "4"}
ANGGOTA: dict[str, Change] = {
    "wife": {},
    "man": {"r405_jenis_kelamin": "1", "r409_hubungan": "8", "r410_hamil": ""},
    "toddler": _TODDLER,
    "baby": _TODDLER
    | {"r407_umur": "1"}
    | {v.name: "" for v in variables("anggota", VERSION) if v.item.startswith("428")},
    "pupil": _CHILD
    | {"r407_umur": "10", "r412_sekolah": "2", "r413_jenjang": "3", "r414_kelas": "4", "r415_ijazah": "23"}
    | {"r431e_pip": "2", "r431f_jaminan_ketenagakerjaan": ""},
    "never_at_school": {"r412_sekolah": "1"} | _NO_SCHOOL,
    "worker": _WORK,
    "entrepreneur": _WORK
    | {"r418_status_pekerjaan": "1"}
    | {"r420a_usaha": "1", "r420b_jumlah_usaha": "1", "r421_lapangan_usaha_utama": "12", "r422_pekerja_dibayar": "0"}
    | {"r423_pekerja_tidak_dibayar": "1", "r424_izin_usaha": "11", "r425_omzet": "1", "r426_internet_usaha": "0"},
    "elder": {"r406_tanggal_lahir": "", "r407_umur": "65", "r410_hamil": "", "r429_pengasuh": "1"},
}
PROFILES = {"keluarga": KELUARGA, "anggota": ANGGOTA}


@dataclass(frozen=True)
class RuleCase:
    """One case: ``change`` is written as ``[row.]column=value; ...``, a profile, or ``row=absent|present|twice``."""

    rule_id: str
    case: str
    dataset: str
    change: str
    fires: bool
    note: str = ""

    def rows(self, number: int) -> tuple[list[Row], list[Row]]:
        """The family rows and member rows of this case, under a document and key of their own."""
        # Away from the ends of the ranges: no case may move into the house of another.
        key = {"r109_no_bangunan": str(number // 100 + 100), "r110_no_keluarga": str(number % 100 + 100)}
        key["id_dokumen"] = f"C{number:05d}"
        rows = {"keluarga": keluarga_row(**key), "anggota1": anggota_row(1, **key), "anggota2": anggota_row(2, **key)}
        for step in filter(None, map(str.strip, self.change.split(";"))):
            _apply(step, rows, "keluarga" if self.dataset == "keluarga" else "anggota2", key)
        families = [row for name, row in rows.items() if name.startswith("keluarga")]
        return families, [row for name, row in rows.items() if name.startswith("anggota")]


def _apply(step: str, rows: dict[str, Row], default: str, key: Change) -> None:
    if "=" not in step:
        rows[default] |= PROFILES[default.rstrip("2")][step]
        for name in ABSENT.get(step, ()):
            del rows[name]
        return
    place, value = step.split("=", 1)
    row, _, column = place.rpartition(".")
    match value:
        case "absent":
            del rows[place]
        case "present":
            rows[place] = anggota_row(int(place.removeprefix("anggota")), **key) | {"r409_hubungan": "3"}
        case "twice":
            rows[f"{place}_again"] = rows[place] | {}
        case _:
            target = rows[row or default]
            assert column in target or column in LATER, f"no column {column}"
            target[column] = value


def written_cases(directory: Path, datasets: Collection[str] = DATASETS) -> list[RuleCase]:
    """The cases of ``datasets`` in the CSV files of ``directory``, each of a rule."""
    return [case for case in scenarios(directory, tuple(datasets)) if case.rule_id]


@cache
def scenarios(directory: Path, datasets: tuple[str, ...]) -> list[RuleCase]:
    """All lines of ``datasets`` in the CSV files of ``directory``; that of a clean message is of no rule."""
    cases = []
    for path in sorted(directory.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            cases += [
                RuleCase(r["rule_id"], r["case"], r["dataset"], r["change"], r["violations"] == "1", r["note"])
                for r in csv.DictReader(file)
                if r["dataset"] in datasets
            ]
    return cases


def derived_cases(dataset: str) -> Iterator[RuleCase]:
    """The cases of every generated rule of ``dataset``, from the codebook alone."""
    for variable in variables(dataset, VERSION):
        yield from _type_cases(variable)
        yield from _width_cases(variable)
        yield from _range_cases(variable)
        yield from _code_cases(variable)
        yield from _universe_cases(variable)


def _cases(
    variable: Variable, letter: str, *described: tuple[str, str | None, bool], start: str = ""
) -> list[RuleCase]:
    """Cases ``(kind, value of the variable, fires)``; ``start`` is a profile to begin with."""
    return [
        RuleCase(rule_id(variable, letter), kind, variable.dataset, f"{start};{variable.name}={value}", fires)
        for kind, value, fires in described
        if value is not None
    ]


ALMOST = {
    "key": "a b", "digits": "12a", "integer": "1.0", "choice": "1.0", "bits": "1.0", "date": "2022-02-29",
    "timestamp": "2022-10-20T24:00:00+08:00", "decimal": "1.",
    "text": "RT 1 -1.2468",
}  # fmt: skip


def unreadable(variable: Variable) -> str:
    """A value that no reader takes for one of ``variable``."""
    return PERSONAL if variable.kind == "text" else UNREADABLE


def valid(variable: Variable) -> str:
    """A value that breaks no rule of ``variable`` where it is asked."""
    if variable.codes:
        return str(code_list(variable.codes, VERSION)[0].code)
    if variable.minimum is not None:
        return str(variable.minimum)
    samples = {"date": "2022-10-20", "timestamp": "2022-10-20T09:00:00+08:00", "digits": "1" * (variable.width or 1)}
    return samples.get(variable.kind, "a")


def _type_cases(variable: Variable) -> list[RuleCase]:
    if not can_be_untyped(variable):
        return []
    return _cases(
        variable,
        "T",
        ("positive", unreadable(variable), True),
        ("negative", valid(variable), False),
        ("boundary", ALMOST[variable.kind], True),
        ("missing", "", False),
    )


def _width_cases(variable: Variable) -> list[RuleCase]:
    if not variable.is_text or variable.width is None or variable.is_shown_key:
        return []
    letter, exact = ("1", True) if variable.kind == "digits" else ("a", False)
    return _cases(
        variable,
        "W",
        ("positive", letter * (variable.width + 1), True),
        ("negative", valid(variable), False),
        ("boundary", letter * variable.width, False),
        ("boundary", letter * (variable.width - 1) if exact else None, True),
        ("missing", "", False),
    )


def _range_cases(variable: Variable) -> list[RuleCase]:
    if variable.minimum is None or variable.maximum is None:
        return []
    below = variable.minimum - 1
    return _cases(
        variable,
        "R",
        ("positive", str(variable.maximum + 1), True),
        ("negative", valid(variable), False),
        ("boundary", str(variable.minimum), False),
        ("boundary", str(variable.maximum), False),
        ("boundary", str(below) if below >= 0 or variable.kind == "decimal" else None, True),
        ("missing", "", False),
    )


def _code_cases(variable: Variable) -> list[RuleCase]:
    if not variable.codes:
        return []
    codes = [code.code for code in code_list(variable.codes, VERSION)]
    low, high = min(codes), max(codes)
    if variable.kind == "bits":
        high = bit_mask(variable.codes, VERSION)
    ends = [("boundary", str(code), False) for code in (low, high, *lone_codes(variable.codes, VERSION))]
    return _cases(
        variable,
        "C",
        ("positive", str(high + 1), True),
        ("negative", valid(variable), False),
        *ends,
        ("boundary", str(low - 1) if low else None, True),
        ("missing", "", False),
    )


def _universe_cases(variable: Variable) -> list[RuleCase]:
    asked = block(variable.dataset, variable.block, VERSION)
    if variable.universe:
        return _skip_cases(variable, forbidden=asked.applies_when != "TRUE")
    if variable.required == "no":
        return []
    relaxed = "keluarga.r205_hasil=2" if asked.required_when != "TRUE" else ""
    return _cases(
        variable,
        "U",
        ("positive", "", True),
        ("negative", valid(variable), False),
        ("boundary", "   ", True),
        # Nothing else is asked of: what can't be read is the business of the type rule alone.
        ("missing", UNREADABLE, False),
    ) + (_cases(variable, "U", ("boundary", "", False), start=relaxed) if relaxed else [])


def _skip_cases(variable: Variable, *, forbidden: bool) -> list[RuleCase]:
    inside, outside = _profiles(variable)
    must, value = variable.required != "no", valid(variable)
    operand = next(name for name in re.findall(r"r\w+", variable.universe) if name in _names(variable.dataset))
    unknown = f"{inside};{operand}="
    return [
        *_cases(variable, "U", ("positive", "", True) if must else ("boundary", "", False), start=inside),
        *_cases(variable, "U", ("negative", value, False), start=inside),
        *_cases(variable, "U", _filled_outside(variable, forbidden, must), ("negative", "", False), start=outside),
        *_cases(variable, "U", ("missing", value, False), ("missing", "", False), start=unknown),
    ]


def _filled_outside(variable: Variable, forbidden: bool, must: bool) -> tuple[str, str, bool]:
    fires = forbidden and variable.required != "yes_outside_free"
    return ("boundary" if must else "positive", valid(variable), fires)


def _names(dataset: str) -> set[str]:
    return {v.name for v in variables(dataset, VERSION)} | {"r205_hasil"}


def _profiles(variable: Variable) -> tuple[str, str]:
    """A profile inside the universe of ``variable`` and one outside of it."""
    answers = _universes(variable.dataset)[variable.name]
    return tuple(next(profile for profile, inside in answers.items() if inside is wanted) for wanted in (True, False))  # type: ignore[return-value]


@cache
def _universes(dataset: str) -> dict[str, dict[str, bool | None]]:
    """For every variable with a universe and every profile: is it inside?"""
    base = keluarga_row() if dataset == "keluarga" else anggota_row(2)
    asking = [v for v in variables(dataset, VERSION) if v.universe]
    found: dict[str, dict[str, bool | None]] = {v.name: {} for v in asking}
    with duckdb.connect(":memory:") as connection:
        for profile, change in PROFILES[dataset].items():
            connection.execute(typed_row_sql(dataset), base | change)
            row = connection.execute(f"SELECT {', '.join(f'({v.universe})' for v in asking)} FROM one").fetchone()
            for variable, inside in zip(asking, row or (), strict=True):
                found[variable.name][profile] = inside
    return found


def typed_row_sql(dataset: str) -> str:
    """SQL that makes table ``one`` of one row given as named parameters, typed as staging types it."""
    columns = [
        f"{typed(v, given(f'${v.name}::VARCHAR'))} AS {v.name}, NULL::VARCHAR AS {untyped_column(v.name)}"
        for v in variables(dataset, VERSION)
    ]
    return f"CREATE OR REPLACE TABLE one AS SELECT {', '.join(columns)}"
