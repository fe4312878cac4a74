"""The rules of the streams, read in pandas from their texts: what each message says, and what its night knows."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from typing import Any

import pandas as pd

from pandas_reading.answers import Answers, read_answers
from pandas_reading.logic import between, certain, everywhere, known, one_of
from pandas_reading.part import Row, Surroundings
from pandas_reading.visit import day_numbers
from regsosek.contract.codebook import Variable, code_list, variables

# Kalimantan Timur keeps the time of Makassar.
CLOCK = timezone(timedelta(hours=8))
KEYS = {
    "progres": ("id_subsls", "kode_petugas", "tanggal"),
    "geotag": ("id_tag",),
    "rekap_vk": ("id_subsls", "id_subsls_baru"),
}
TOLD = {"progres": "tanggal", "geotag": "ditandai_pada", "rekap_vk": "dientri_pada"}
Truth = "pd.Series[bool]"


@dataclass(frozen=True)
class Messages:
    """All messages of one delivery of a stream."""

    dataset: str
    around: Surroundings
    produced_at: datetime
    answers: Answers
    texts: list[Row]

    @classmethod
    def read(cls, dataset: str, around: Surroundings, produced_at: datetime, texts: list[Row]) -> "Messages":
        """Reads delivered text; empty is missing."""
        return cls(dataset, around, produced_at, read_answers(dataset, texts), texts)

    def __getitem__(self, name: str) -> "pd.Series[Any]":
        return self.answers[name]

    def day(self, name: str) -> "pd.Series[int]":
        """The day of a date, or of a moment on the province's clock, as a number."""
        values = [None if value is pd.NaT else value for value in self.answers[name]]
        days = [v.astimezone(CLOCK).date() if isinstance(v, datetime) else v for v in values]
        return day_numbers(pd.Series(days, index=self.answers[name].index, dtype=object))

    def begins(self, name: str, digits: int) -> "pd.Series[str]":
        """The first digits of a code."""
        return self.answers[name].str[:digits]

    @cached_property
    def told(self) -> "pd.Series[int]":
        return self.day(TOLD[self.dataset])

    @cached_property
    def status(self) -> "pd.Series[Any]":
        """What the frame knows of each code: known, retired or unknown."""
        ever = set(self.around.frame) | {change.old for change in self.around.changes}
        found = []
        for code, day in zip(self["id_subsls"], self.told, strict=True):
            on = self.around.delivered if pd.isna(day) else type(self.around.delivered).fromordinal(day)
            if pd.isna(code):
                found.append(None)
            elif self.around.in_frame(code, on):
                found.append("known")
            else:
                found.append("retired" if code in ever else "unknown")
        return pd.Series(found, index=self["id_subsls"].index, dtype=pd.StringDtype("python"))

    @cached_property
    def contradicted(self) -> "pd.Series[bool]":
        """The delivery says different things of what this message speaks of."""
        needed = [name for name in KEYS[self.dataset] if name != "id_subsls_baru"]
        keys, said = {}, defaultdict(set)
        for row_no, text in enumerate(self.texts, start=1):
            own = self.answers.values.loc[row_no]
            if own[needed].notna().all():
                keys[row_no] = tuple(str(own[name]) for name in KEYS[self.dataset])
                said[keys[row_no]].add(tuple(value.strip(" ") for value in text.values()))
        index = self.answers.values.index
        return pd.Series([len(said[keys[n]]) > 1 if n in keys else False for n in index], index=index, dtype=bool)


Reading = Callable[[Messages], "pd.Series[bool]"]


def _place(letter: str) -> dict[str, Reading]:
    def elsewhere(m: Messages) -> "pd.Series[bool]":
        return certain(m.begins("id_subsls", 2) != m.around.province)

    def unknown(m: Messages) -> "pd.Series[bool]":
        return certain((m.status == "unknown") & (m.begins("id_subsls", 2) == m.around.province))

    return {
        f"{letter}01": elsewhere,
        f"{letter}02": unknown,
        f"{letter}02-retired": lambda m: certain(m.status == "retired"),
        f"{letter}04": lambda m: m.contradicted,
    }


def _out_of_window(m: Messages) -> "pd.Series[bool]":
    opens, closes, latest = (day.toordinal() for day in (m.around.opens, m.around.closes, m.around.latest))
    return certain((m.told < opens) | (m.told > min(closes, latest)))


def _out_of_time(m: Messages) -> "pd.Series[bool]":
    return certain((m.told < m.around.opens.toordinal()) | (m.told > m.around.latest.toordinal()))


def _later(name: str) -> Reading:
    def read(m: Messages) -> "pd.Series[bool]":
        limit = m.produced_at + timedelta(hours=1)
        moments = m[name]
        return pd.Series([isinstance(v, datetime) and v > limit for v in moments], index=moments.index, dtype=bool)

    return read


def _mean_members(m: Messages) -> "pd.Series[bool]":
    families, members = m["jumlah_kk_cacah"], m["jumlah_art"]
    return certain((families >= 5) & ((2 * members < 3 * families) | (members > 6 * families)))


def _abroad(m: Messages) -> "pd.Series[bool]":
    return certain(~between(m["lintang"], -11.5, 6.5) | ~between(m["bujur"], 94.5, 141.5))


def _photo_without_key(m: Messages) -> "pd.Series[bool]":
    has_key = m.answers.filled("kunci_foto")
    return certain(((m["ada_foto"] == 1) & m.answers.missing("kunci_foto")) | ((m["ada_foto"] == 0) & has_key))


def _poor_without_photo(m: Messages) -> "pd.Series[bool]":
    return certain(one_of(m["kelas_vk"], (1, 2)) & (m["ada_foto"] == 0) & (m["status_dokumen"] == 1))


def _parts_without_sum(m: Messages) -> "pd.Series[bool]":
    parts = [m.answers.filled(name) for name in ("nonrespon", "sangat_miskin", "miskin", "tidak_miskin")]
    return certain(m.answers.missing("jumlah_keluarga_verifikasi") & pd.concat(parts, axis=1).any(axis=1))


def _does_not_add_up(m: Messages) -> "pd.Series[bool]":
    verified, classes = m["jumlah_keluarga_verifikasi"], m["sangat_miskin"] + m["miskin"] + m["tidak_miskin"]
    return certain((classes != verified) & (classes + m["nonrespon"] != verified))


def _part_above_sum(m: Messages) -> "pd.Series[bool]":
    verified = m["jumlah_keluarga_verifikasi"]
    above = [certain(m[name] > verified) for name in ("nonrespon", "sangat_miskin", "miskin", "tidak_miskin")]
    return pd.concat(above, axis=1).any(axis=1)


def _unsaid_change(m: Messages) -> "pd.Series[bool]":
    return certain(m.answers.missing("status") & (m["id_subsls_baru"] != m["id_subsls"]))


def _nowhere(m: Messages) -> "pd.Series[bool]":
    ever = set(m.around.frame) | {change.old for change in m.around.changes}
    beside = m.begins("id_subsls_baru", 10) == m.begins("id_subsls", 10).where(m.status.isin(["known", "retired"]))
    unknown = ~m["id_subsls_baru"].isin(ever) & ~m.begins("id_subsls_baru", 10).isin(m.around.desa) & ~certain(beside)
    return certain(unknown & (m.begins("id_subsls_baru", 2) == m.around.province))


def _other_desa(m: Messages) -> "pd.Series[bool]":
    same_province = m.begins("id_subsls_baru", 2) == m.around.province
    return certain(same_province & (m.begins("id_subsls_baru", 10) != m.begins("id_subsls", 10)))


def _type(variable: Variable, m: Messages) -> "pd.Series[bool]":
    return m.answers.unreadable[variable.name]


def _width(variable: Variable, m: Messages) -> "pd.Series[bool]":
    length = m[variable.name].str.len()
    return certain(length != variable.width if variable.kind == "digits" else length > variable.width)


def _range(variable: Variable, m: Messages) -> "pd.Series[bool]":
    return certain((m[variable.name] < variable.minimum) | (m[variable.name] > variable.maximum))


def _code(variable: Variable, m: Messages) -> "pd.Series[bool]":
    codes = [code.code for code in code_list(variable.codes, "1")]
    return certain(known(m[variable.name], ~m[variable.name].isin(codes)))


def _universe(variable: Variable, m: Messages) -> "pd.Series[bool]":
    return certain(everywhere(m[variable.name]) & m.answers.missing(variable.name))


def _of_codebook(dataset: str) -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    for variable in variables(dataset, "1"):
        applies: Mapping[str, tuple[Callable[[Variable, Messages], Any], bool]] = {
            "T": (_type, variable.kind != "text" or not variable.pii),
            "W": (_width, variable.kind in {"digits", "text"} or bool(variable.kind == "key" and variable.pii)),
            "R": (_range, variable.maximum is not None),
            "C": (_code, bool(variable.codes)),
            "U": (_universe, variable.required == "yes"),
        }
        for letter, (reading, does) in applies.items():
            if does:
                found[f"{letter}-{dataset}-{variable.name}"] = partial(reading, variable)
    return found


STREAM_READINGS: dict[str, dict[str, Reading]] = {
    "progres": _of_codebook("progres")
    | _place("L")
    | {
        "L03": _out_of_window,
        "L05": lambda m: certain(m["kode_petugas"] == "0000"),
        "L06": lambda m: certain(m["jumlah_art"] < m["jumlah_kk_cacah"]),
        "L07": lambda m: certain((m["jumlah_kk_cacah"] == 0) & (m["jumlah_art"] > 0)),
        "L08": lambda m: certain(m["jumlah_asn"] > m["jumlah_art"]),
        "L09": lambda m: certain(m.day("dikirim_pada") < m.day("tanggal")),
        "L10": lambda m: certain((m["jumlah_kk_cacah"] > 40) | (m["jumlah_kk_verifikasi"] > 250)),
        "L11": _mean_members,
        "L12": _later("dikirim_pada"),
    },
    "geotag": _of_codebook("geotag")
    | _place("T")
    | {
        "T03": _out_of_window,
        "T05": lambda m: certain(m["kode_petugas"] == "0000"),
        "T06": _abroad,
        "T07": lambda m: certain(m["akurasi_m"] > 50),
        "T08": _photo_without_key,
        "T09": _poor_without_photo,
        "T10": _later("ditandai_pada"),
    },
    "rekap_vk": _of_codebook("rekap_vk")
    | _place("R")
    | {
        "R03": _out_of_time,
        "R05": lambda m: certain(one_of(m["status"], (1, 2)) & m.answers.missing("id_subsls_baru")),
        "R06": lambda m: certain((m["status"] == 3) & m.answers.missing("nama_sls_baru")),
        "R07": _unsaid_change,
        "R08": lambda m: certain(m.begins("id_subsls_baru", 2) != m.around.province),
        "R09": _other_desa,
        "R10": lambda m: certain((m["flag_tidak_ditemukan"] == 1) & (m["jumlah_keluarga_verifikasi"] > 0)),
        "R11": _parts_without_sum,
        "R12": _does_not_add_up,
        "R13": _part_above_sum,
        "R14": _nowhere,
    },
}
