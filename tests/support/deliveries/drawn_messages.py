"""Messages of the streams drawn full of defects, and the rows that break each rule by SQL and by pandas."""

import random

import duckdb

from pandas_reading.streams import KEYS, STREAM_READINGS, Messages
from regsosek.contract.codebook import Variable, code_list, variables
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Suite
from support.checks.parity import Station
from support.checks.rule_cases import ALMOST, UNREADABLE
from support.deliveries.families import DESA, SUBSLS, Row
from support.deliveries.stream_messages import CLEAN, PRODUCED, stage_messages

ROWS, HURT = 600, 0.15
# What matters besides the bounds of the codebook: places of ``families``, days and moments around every bound.
PLACES = (SUBSLS, *(DESA + code for code in ("000300", "000301", "000400", "000699", "000999")), "65", "64", "6503" * 4)
MOMENTS = (
    "2022-10-14T15:59:59Z", "2022-10-14T16:00:00Z", "2022-10-17T23:59:59+08:00", "2022-10-18T00:00:00+08:00",
    "2022-10-19T15:59:59Z", "2022-10-19T16:00:00Z", "2022-10-21T13:00:00Z", "2022-10-21T13:00:01Z",
    "2022-10-21T16:00:00Z", "2022-11-25T10:00:00+08:00",
)  # fmt: skip
MATTERING: dict[str, tuple[str, ...]] = {
    "id_subsls": PLACES,
    "id_subsls_baru": (*PLACES, "6403010002000100"),
    "tanggal": ("2022-10-14", "2022-10-15", "2022-10-17", "2022-10-18", "2022-10-21", "2022-10-22", "2022-11-25"),
    "kode_petugas": ("0000", "0001"),
    "jumlah_kk_verifikasi": ("250", "251"),
    "jumlah_kk_cacah": ("0", "1", "4", "5", "10", "13", "14", "40", "41"),
    "jumlah_art": ("0", "14", "15", "24", "25", "30", "31", "120"),
    "jumlah_asn": ("0", "12", "13", "14"),
    "lintang": ("-11.5", "-11.51", "6.5", "6.51", "116.8"),
    "bujur": ("94.5", "94.49", "141.5", "141.51", "-1.2"),
    "akurasi_m": ("50", "50.1", "20"),
    "jumlah_keluarga_verifikasi": ("0", "1", "58", "59", "60", "61"),
    "nonrespon": ("0", "1", "2", "60", "61"),
    "sangat_miskin": ("0", "4", "5", "6", "60", "61"),
    "miskin": ("8", "9", "10", "11", "60", "61"),
    "tidak_miskin": ("43", "44", "45", "46", "60", "61"),
    "nama_sls_baru": ("RT 07", "RT 07 0812.7770.0995", "R" * 100, "R" * 101),
} | dict.fromkeys(("dikirim_pada", "ditandai_pada", "dientri_pada"), MOMENTS)

# Values that matter together, each as good a beginning as the clean message.
TOGETHER: dict[str, tuple[Row, ...]] = {
    "progres": tuple(
        {"jumlah_kk_cacah": families, "jumlah_art": members}
        for families, members in (("10", "15"), ("10", "14"), ("5", "30"), ("5", "31"), ("4", "30"), ("6", "9"))
    ),
}


def near(variable: Variable) -> list[str]:
    """Values at and beyond every bound of a variable, missing and unreadable ones."""
    values = ["", UNREADABLE, ALMOST.get(variable.kind, ""), *MATTERING.get(variable.name, ())]
    if variable.codes:
        codes = [code.code for code in code_list(variable.codes, "1")]
        values += [str(code) for code in (*codes, max(codes) + 1)]
    if variable.minimum is not None and variable.maximum is not None:
        values += [str(n) for b in (variable.minimum, variable.maximum) for n in (b - 1, b, b + 1)]
    if variable.is_text and variable.width:
        values += ["1" * n for n in (variable.width - 1, variable.width, variable.width + 1)]
    return values


def draw(dataset: str, seed: int, rows: int = ROWS, hurt: float = HURT) -> list[Row]:
    """Messages, clean at first: values hurt column by column, some said twice, some contradicted."""
    chance = random.Random(seed)
    pools = {v.name: near(v) for v in variables(dataset, "1")}
    drawn: list[Row] = []
    for number in range(rows):
        again = bool(drawn) and chance.random() < hurt
        clean = CLEAN[dataset]() | chance.choice([{}, *TOGETHER.get(dataset, ())])
        row = dict(chance.choice(drawn)) if again else clean
        if not again and dataset == "progres":
            row["kode_petugas"] = f"{number + 10:04d}"
        if not again and dataset == "geotag":
            row["id_tag"] = f"T{number}"
        if not again or chance.random() < 0.5:
            for name, pool in pools.items():
                if chance.random() < hurt and not (again and name in KEYS[dataset]):
                    row[name] = chance.choice(pool)
        drawn.append(row)
    return drawn


def staged(station: Station, dataset: str, rows: list[Row]) -> Messages:
    stage_messages(station.connection, station.scratch, dataset, rows)
    return Messages.read(dataset, station.around, PRODUCED, rows)


def compiled(connection: duckdb.DuckDBPyConnection, suite: Suite) -> dict[str, frozenset[int]]:
    """By rule id, the rows that violate it as the compiled SQL says."""
    explain(connection, suite.dataset, suite.rules)
    found: dict[str, set[int]] = {rule.id: set() for rule in suite.rules}
    for rule_id, row_no in connection.execute(f"SELECT rule_id, row_no FROM {suite.dataset}_reasons").fetchall():
        found[rule_id].add(row_no)
    return {rule_id: frozenset(rows) for rule_id, rows in found.items()}


def read(messages: Messages) -> dict[str, frozenset[int]]:
    """The same as pandas reads the texts."""
    readings = STREAM_READINGS[messages.dataset]
    violated = {rule_id: reading(messages) for rule_id, reading in readings.items()}
    return {rule_id: frozenset(rows.index[rows]) for rule_id, rows in violated.items()}
