"""The metadata forms of Satu Data Indonesia: the activity (MS-Keg), its variables (MS-Var) and its indicators (MS-Ind).

Written from imprint, codebook, rules and definitions, so that nobody keeps the same words twice. One line is one entry
of the form; what the forms ask for and nobody knows here is left empty.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from regsosek.contract.codebook import ALL_DATASETS, Variable, all_variables, block_lines, code_lines
from regsosek.geography.calendar import field_windows
from regsosek.geography.provinces import provinces
from regsosek.quality.rules import Rule
from regsosek.release.figures.imprint import limits, read_imprint
from regsosek.release.files.code_lists import code_lists
from regsosek.statistics.definitions.definitions import Definition, definitions
from regsosek.statistics.definitions.origins import MARK, made_of, sources

FOLDER = Path("docs/satu-data")
KEG, VAR, IND = "ms-keg.csv", "ms-var.csv", "ms-ind.csv"
_KEG_COLUMNS = ("rincian", "isi")
_VAR_COLUMNS = (
    "nama_variabel", "alias", "konsep", "definisi", "referensi_pemilihan", "referensi_waktu", "tipe_data",
    "klasifikasi_isian", "aturan_validasi", "kalimat_pertanyaan", "dapat_diakses_umum",
)  # fmt: skip
_IND_COLUMNS = (
    "nama_indikator", "kolom", "konsep", "definisi", "interpretasi", "rumus", "ukuran", "satuan",
    "klasifikasi_penyajian", "variabel_pembangun", "level_estimasi", "kode_kegiatan", "dapat_diakses_umum",
)  # fmt: skip
_TYPES: Mapping[str, str] = {
    "key": "teks", "digits": "teks", "text": "teks", "integer": "bilangan bulat", "choice": "kode",
    "bits": "jumlah kode", "date": "tanggal", "timestamp": "tanggal dan jam", "decimal": "bilangan desimal",
}  # fmt: skip
_NOT_PUBLIC = "tidak; hanya agregat"
_NO_INDICATORS = ("tanggal", "teks", "menurut ukuran")


def documents(root: Path, rules: Sequence[Rule]) -> dict[Path, str]:
    """The three forms by their path below ``root``."""
    return {
        root / FOLDER / KEG: _written(_KEG_COLUMNS, _activity()),
        root / FOLDER / VAR: _written(_VAR_COLUMNS, _variables(rules)),
        root / FOLDER / IND: _written(_IND_COLUMNS, map(_indicator, _indicators())),
    }


def _activity() -> Iterator[tuple[str, str]]:
    own, windows = read_imprint(None), field_windows().values()
    opens, closes = min(each.opens for each in windows), max(each.closes for each in windows)
    yield "Judul kegiatan", own.activity
    yield "Kode kegiatan", own.activity_code
    yield "Instansi penyelenggara", own.publisher
    yield "Unit penanggung jawab", own.unit
    yield "Kontak", f"{own.contact}, {own.homepage}"
    yield "Jenis kegiatan", "pendataan lengkap (sensus)"
    yield "Periode pelaksanaan", f"{opens} s.d. {closes}"
    yield (
        "Wilayah",
        f"{len(provinces())} provinsi dalam kerangka 2022, {sum(p.kabkota for p in provinces())} kabupaten/kota",
    )
    yield "Unit pendataan", "keluarga dan anggota keluarga"
    yield "Cara pengumpulan", "wawancara; kuesioner K, laporan harian petugas, penandaan rumah, rekap verifikasi"
    yield "Kerangka", "daftar sub-SLS dengan muatan keluarga"
    yield "Pemeriksaan mutu", "aturan pada docs/rules.md: kesalahan dikarantina, peringatan dihitung"
    yield "Penyajian", "nasional, provinsi, kabupaten/kota; di bawahnya hanya keluarga yang dikunjungi"
    yield "Frekuensi penerbitan", "setiap malam selama pendataan"
    yield "Lisensi", f"{own.licence}: {own.licence_url}"
    yield from (("Batasan", each.id) for each in limits())


def _variables(rules: Sequence[Rule]) -> Iterator[tuple[str, ...]]:
    for dataset in ALL_DATASETS:
        blocks = {each.block: each.title_id for each in block_lines(dataset)}
        own = sorted((rule.id, _read_by(rule)) for rule in rules if rule.dataset == dataset)
        for each in all_variables(dataset):
            validated = " ".join(rule for rule, read in own if each.name in read)
            yield _variable(each, blocks.get(each.block, ""), validated)


def _variable(each: Variable, block: str, validated: str) -> tuple[str, ...]:
    codes = "; ".join(f"{code.code} = {code.label_id}" for code in code_lines(each.codes)) if each.codes else ""
    asked = f"Rincian {each.item}: {each.label_id}" if each.item else ""
    return (
        each.label_id, f"{each.dataset}.{each.name}", block, each.label_id, each.span.instrument, "saat pencacahan",
        _TYPES[each.kind], codes, validated, asked, _NOT_PUBLIC,
    )  # fmt: skip


def _read_by(rule: Rule) -> frozenset[str]:
    """The names that a rule reads."""
    return frozenset(re.findall(r"\w+", f"{rule.kwargs} {rule.universe}"))


def _indicators() -> list[Definition]:
    """The numbers among the columns: what is a day, a key or a word is no indicator."""
    return [each for each in definitions().values() if made_of(each) and each.unit not in _NO_INDICATORS]


def _indicator(each: Definition) -> tuple[str, ...]:
    numerator, denominator = (definitions()[field] if field else None for field in (each.numerator, each.denominator))
    formula = f"{numerator.column} / {denominator.column}" if numerator and denominator else ""
    if formula and each.unit == "persen":
        formula += " x 100"
    built = ", ".join(map(_part, made_of(each)))
    kind = "persentase" if each.unit == "persen" else "rasio" if each.is_share else "jumlah"
    return (
        each.name.id, each.column, each.name.id, each.definition.id, "", formula, kind, each.unit,
        ", ".join(code_lists().get(each.column, ())), built, each.lowest_level, read_imprint(None).activity_code, "ya",
    )  # fmt: skip


def _part(name: str) -> str:
    return sources()[name].name.id if name.startswith(MARK) else definitions()[name].column


def _written(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
