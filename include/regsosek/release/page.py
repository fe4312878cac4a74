"""The release as one self-contained page in Indonesian: readable without JavaScript, on a phone and on paper."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from regsosek.contract.reasons import rejection_reasons
from regsosek.geography.regions import NATION
from regsosek.release import indonesian
from regsosek.release.changelog import nation_changes
from regsosek.release.curve import daily_bars, progress_curve
from regsosek.release.figures import Figures, nation
from regsosek.release.wording import night_states
from regsosek.statistics.definitions import definitions

FURTHEST_BEHIND = 5
SOURCES = {"published": "angka yang diumumkan", "estimated": "perkiraan, bukan angka resmi"}
MIXED_SOURCES = "jumlah angka yang diumumkan dan perkiraan"
# The definitions that a reader of the page needs; definisi.csv has all.
EXPLAINED = (
    "visited", "complete", "quarantined", "pending", "unmapped", "target_families", "frame_families", "plan_percent",
    "gap_points", "conflicting",
)  # fmt: skip
FILES = (
    ("provinsi.csv", "34 provinsi, semua ukuran"),
    ("kabkota.csv", "kabupaten/kota, semua ukuran"),
    ("kecamatan.csv", "kecamatan: dikunjungi terhadap kerangka dan rencana"),
    ("desa.csv", "desa/kelurahan: dikunjungi terhadap kerangka"),
    ("nasional.csv", "Indonesia"),
    ("lantai.csv", "bagian terendah, kuartil dan bagian di bawah rencana di samping rata-rata"),
    ("prakiraan.csv", "kapan selesai, cakupan akhir dan hari petugas yang diperlukan, provinsi dan kabupaten/kota"),
    ("andaian.csv", "apa yang berubah dengan tambahan hari atau petugas"),
    ("aliran.csv", "dokumen, laporan harian, penandaan rumah dan daftar verifikasi berdampingan"),
    ("foto.csv", "cakupan foto rumah keluarga miskin dan sangat miskin"),
    ("harian.csv", "menurut tanggal pencacahan"),
    ("kedatangan.csv", "menurut malam kedatangan"),
    ("kalender.csv", "apa yang terjadi dengan kiriman setiap provinsi pada setiap malam"),
    ("mutu.csv", "pelanggaran setiap aturan, provinsi dan Indonesia"),
    ("revisi.csv", "angka yang direvisi malam ini"),
    ("perubahan.csv", "perubahan terhadap rilis sebelumnya menurut sebab, setiap wilayah"),
    ("perubahan.md", "perubahan dalam kata-kata"),
    ("changes.md", "perubahan dalam bahasa Inggris"),
    ("definisi.csv", "arti setiap kolom"),
    ("rilis.xlsx", "buku kerja: tabel sampai kecamatan dan glosarium"),
    ("provinsi.parquet", "Parquet; setiap tabel CSV di atas juga tersedia dengan akhiran .parquet"),
    ("datapackage.json", "keterangan tabel CSV untuk mesin (Frictionless)"),
    ("harian.sdmx.csv", "tabel harian sebagai SDMX-CSV"),
    ("struktur.sdmx.xml", "struktur SDMX-nya"),
    ("progres.json", "ringkasan untuk aplikasi"),
    ("manifest.json", "daftar berkas, sidik jari sha256, versi"),
)


@dataclass(frozen=True)
class ProvinceLine:
    """One line of the table of provinces; None where there is no figure."""

    code: str
    name: str
    figures: Mapping[str, Any]
    bar: float
    plan_mark: float
    state: str
    state_label: str
    behind: bool


def page(figures: Figures) -> bytes:
    """``index.html``."""
    whole = nation(figures)
    context = {
        "night": figures.night,
        "nation": _values(whole),
        "target_source": SOURCES.get(str(whole["target_source"]), MIXED_SOURCES),
        "curve": progress_curve(figures),
        "bars": daily_bars(figures),
        "provinces": list(_province_lines(figures)),
        "furthest_behind": _furthest_behind(figures),
        "missing": figures.missing,
        "states": night_states(),
        "breaches": {reason.id: reason.text_id for reason in rejection_reasons().values()},
        "restated": _restated_days(figures),
        "visited_change": next(iter(nation_changes(figures)), None),
        "named": lambda field: definitions()[field].name.lower(),
        "scale": figures.scale,
        "notes": figures.notes,
        "plan_words": _plan_words(figures),
        "explained": [definitions()[field] for field in EXPLAINED],
        "files": FILES,
    }
    return _environment().get_template("page.html.j2").render(context).encode()


def _plan_words(figures: Figures) -> str:
    """How the plan runs: told if all provinces have the same."""
    words = {window.plan.words for window in figures.windows.values()}
    return words.pop() if len(words) == 1 else "menurut rencana tiap provinsi"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("regsosek.release", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for written in ("number", "signed", "decimal", "percentage", "points", "share", "long_date", "short_date"):
        environment.filters[written] = getattr(indonesian, written)
    return environment


def _values(row: "pd.Series[Any]") -> dict[str, Any]:
    """The row with None for whatever is missing."""
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def _province_lines(figures: Figures) -> Iterable[ProvinceLine]:
    states = figures.provinces.set_index("province")
    rows = figures.completion[figures.completion["level"] == "provinsi"]
    widest = max(100.0, float(rows["visited_of_target"].max(skipna=True) if rows["visited_of_target"].any() else 0))
    for _, row in rows.iterrows():
        values, night = _values(row), _values(states.loc[row["code"]])
        yield ProvinceLine(
            code=row["code"],
            name=row["name"],
            figures=values | {"last_night": night["last_night"]},
            bar=round((values["visited_of_target"] or 0) * 100 / widest, 1),
            plan_mark=round((values["plan_percent"] or 0) * 100 / widest, 1),
            state=night["state"],
            state_label=night_states()[night["state"]].label,
            behind=(values["gap_points"] or 0) < 0,
        )


def _furthest_behind(figures: Figures) -> list[tuple[str, float]]:
    rows = figures.completion[figures.completion["level"] == "provinsi"]
    behind = rows[rows["gap_points"].fillna(0) < 0].sort_values(["gap_points", "code"]).head(FURTHEST_BEHIND)
    return [(str(name), float(gap)) for name, gap in zip(behind["name"], behind["gap_points"], strict=True)]


def _restated_days(figures: Figures) -> list[dict[str, Any]]:
    """By day the nation's figures before and now, and in how many provinces the day changed."""
    changed = figures.restated
    provinces = changed[changed["code"] != NATION].groupby("day").size()
    return [
        {**_values(row), "provinces": int(provinces.get(row["day"], 0))}
        for _, row in changed[changed["code"] == NATION].sort_values("day").iterrows()
    ]
