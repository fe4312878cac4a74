"""The columns of keluarga: keys, place, officers, housing, programmes, notes and paradata of each family."""

import csv
from functools import cache
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import first_version
from regsosek.simulation.answers import identity
from regsosek.simulation.answers.households import heads
from regsosek.simulation.answers.housing import Answers, keep_livestock_rural, reconcile_housing
from regsosek.simulation.answers.piece import Piece
from regsosek.simulation.draws.columns import Columns, numbers
from regsosek.simulation.draws.living import living
from regsosek.simulation.draws.margins import NOT_GIVEN, candidate, margins
from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers, seeded
from regsosek.simulation.field.frame import SubSls
from regsosek.simulation.field.timeline import MOVED

VALID, WITHDRAWN_STATUS = 1, 9
MOVED_BY = 500  # no sub-SLS has so many families: the new number is free
_FAMILIES_TO_SHARE = 12  # every so many families two live in one building
_VISITS_A_DAY, _MINUTES_APART, _FIRST_VISIT = 16, 43, 8 * 60
_UPLOAD_FROM, _UPLOAD_UNTIL = 20 * 60 + 30, 21 * 60 + 55
_POOR = 2  # classes 1 and 2 of item 111: their houses are photographed


def keluarga_columns(piece: Piece, result: Integers, rows: Integers) -> Columns:
    """Candidates of every column of keluarga; ``result`` is item 205, ``rows`` the size of each family's roster."""
    answers = _drawn_answers(piece)
    reconcile_housing(answers, piece.draws, piece.corrected, piece.welfare, rows)
    keep_livestock_rural(answers, piece.place.urban)
    answers.update(_keys(piece))
    answers.update(_place_answers(piece))
    answers["r205_hasil"] = result
    # Item 112 counts all rows of the roster: then neither 401 nor the number of those who live here exceeds it.
    answers["r112_jumlah_anggota"] = np.maximum(rows, 1)
    poor = answers["r111_status_keluarga"] <= _POOR
    columns: Columns = {name: numbers(values) for name, values in answers.items()}
    return columns | _texts(piece, result) | _visit(piece) | _position(piece) | _photo(piece, poor)


def answer(draws: Draws, column: str, welfare: Floats) -> Integers:
    """The answers of a column of keluarga, by a margin that holds for the whole nation."""
    return margins()["keluarga", column, ""].answers(draws, column, welfare)


def sls_names(place: SubSls) -> pa.Array:
    """Names of the SLS: RT and RW numbers, made of the SLS number."""
    rt = pc.utf8_lpad(pa.array((place.number - 1) % 8 + 1).cast(pa.string()), 3, "0")
    rw = pc.utf8_lpad(pa.array((place.number - 1) // 8 + 1).cast(pa.string()), 3, "0")
    return pc.binary_join_element_wise("RT", rt, "RW", rw, " ")


def building_numbers(ordinal: Integers) -> Integers:
    """Item 109 of the families of a sub-SLS: every so many, two share a building."""
    return 1 + ordinal - ordinal // _FAMILIES_TO_SHARE


def family_numbers(ordinal: Integers) -> Integers:
    """Item 110 of the families of a sub-SLS."""
    return 1 + ordinal


def _drawn_answers(piece: Piece) -> Answers:
    answers: Answers = {}
    for item in (item for item in variables("keluarga", first_version()) if item.block not in {"0", "I"}):
        drawn = candidate(item, piece.draws, piece.welfare, living()[piece.province].building)
        if drawn is not None:
            answers[item.name] = drawn
    answers["r506_rekening"] = answer(piece.corrected, "r506_rekening", piece.welfare)
    return answers


def _keys(piece: Piece) -> Answers:
    ordinal, code = piece.messages.ordinal, piece.id_subsls
    moved = np.where(piece.messages.message == MOVED, MOVED_BY, 0)
    return {
        "versi": piece.messages.versi,
        "status_dokumen": np.where(piece.withdrawn, WITHDRAWN_STATUS, VALID),
        "id_subsls": code,
        "r101_provinsi": code // 10**14,
        "r102_kabkota": code // 10**12 % 100,
        "r103_kecamatan": code // 10**9 % 1_000,
        "r104_desa": code // 10**6 % 1_000,
        "r105a_sls": code // 100 % 10_000,
        "r105b_subsls": code % 100,
        "r109_no_bangunan": building_numbers(ordinal) + moved,
        "r110_no_keluarga": family_numbers(ordinal) + moved,
    }


def _place_answers(piece: Piece) -> Answers:
    district = identity.districts(piece.place.kabkota, piece.place.kecamatan_rank)
    card = identity.card_numbers(district, piece.place.first_family + piece.messages.ordinal)
    landmark = piece.draws.integer("landmark", 1, 999_999)
    return {
        "r111_status_keluarga": answer(piece.draws, "r111_status_keluarga", piece.welfare),
        "r113_id_landmark": np.where(piece.draws.chance("no landmark", 0.5), NOT_GIVEN, landmark),
        "r114_no_kk": np.where(piece.draws.chance("no card", 0.02), NOT_GIVEN, card),
        "r115_kode_kk": answer(piece.draws, "r115_kode_kk", piece.welfare),
        "r202_kode_ppl": piece.place.ppl,
        "r204_kode_pml": piece.place.pml,
    }


def _texts(piece: Piece, result: Integers) -> Columns:
    head_key, head_sex = heads(piece.messages.key)
    ppl, pml = (_officers(piece, role) for role in ("ppl", "pml"))
    return {
        "id_dokumen": identity.document_ids(piece.messages.key),
        "r106_nama_sls": sls_names(piece.place),
        "r107_alamat": identity.addresses(piece.draws),
        "r108_nama_kepala": identity.person_names(Draws(head_key), head_sex),
        "r202_nama_ppl": identity.person_names(ppl, ppl.integer("sex", 1, 2)),
        "r204_nama_pml": identity.person_names(pml, pml.integer("sex", 1, 2)),
        "nama_responden": identity.person_names(piece.draws, piece.draws.integer("respondent", 1, 2)),
        "telepon_responden": identity.phones(piece.draws),
        "r600_catatan": identity.notes(piece.draws, result),
    }


def _officers(piece: Piece, role: str) -> Draws:
    code = piece.place.ppl if role == "ppl" else piece.place.pml
    return Draws(seeded(piece.campaign.seed, f"{role} in person", piece.place.kabkota * 10_000 + code))


def _visit(piece: Piece) -> Columns:
    """Days and local times: an officer's visits one after another, upload in the evening."""
    draws, enumerated = piece.draws, piece.enumerated
    visit = (piece.place.ppl_start + piece.messages.ordinal) % _VISITS_A_DAY
    begin = _FIRST_VISIT + visit * _MINUTES_APART + draws.integer("begin", 0, 12)
    end = begin + draws.integer("duration", 18, 30)
    upload = draws.integer("upload", _UPLOAD_FROM, _UPLOAD_UNTIL)
    checked = np.minimum(enumerated + draws.integer("checked", 0, 2), piece.synchronised)
    seconds = draws.integer("second", 0, 59)
    return {
        "r201_tanggal_pencacahan": pa.array(enumerated),
        "r203_tanggal_pemeriksaan": pa.array(checked),
        "wawancara_mulai": _moment(enumerated, begin, seconds),
        "wawancara_selesai": _moment(enumerated, end, seconds),
        "waktu_sinkron": _moment(piece.synchronised, upload, seconds),
    }


def _moment(day: identity.Dates, minute: Integers, second: Integers) -> pa.Array:
    return pa.array(day.astype("datetime64[s]") + (minute * 60 + second))


def _position(piece: Piece) -> Columns:
    """Around the middle of the province, by kab/kota, sub-SLS and house; seldom less sure than 20 m."""
    known = piece.draws.chance("position known", 0.96)
    return {name: pa.array(values, mask=~known) for name, values in positions(piece).items()}


def positions(piece: Piece) -> dict[str, Floats]:
    """``lintang, bujur, akurasi_m`` of every house, whether the questionnaire has them or not."""
    kabkota = Draws(seeded(piece.campaign.seed, "kabkota", piece.place.kabkota))
    subsls = Draws(seeded(piece.campaign.seed, "subsls", piece.place.id_subsls))
    columns: dict[str, Floats] = {}
    for column, middle in zip(("lintang", "bujur"), _province_points()[piece.province], strict=True):
        spread = (
            0.3 * kabkota.uniform(column) + 0.08 * subsls.uniform(column) + 0.004 * piece.draws.uniform(column)
        ) - 0.19
        columns[column] = np.asarray(np.round(middle + spread, 6), dtype=np.float64)
    accuracy = 3 + 14 * piece.draws.uniform("accuracy") ** 2 + 25 * piece.draws.chance("poor signal", 0.03)
    return columns | {"akurasi_m": np.asarray(np.round(accuracy, 1), dtype=np.float64)}


def _photo(piece: Piece, poor: Flags) -> Columns:
    taken = poor | piece.draws.chance("photo", 0.2)
    keys = pc.binary_join_element_wise("foto", identity.document_ids(piece.messages.key), "/")
    return {"kunci_foto": pc.if_else(pa.array(taken), keys, pa.scalar(None, pa.string()))}


@cache
def _province_points() -> dict[str, tuple[float, float]]:
    text = resources.files("regsosek.simulation").joinpath("data", "province_points.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["province"]: (float(row["latitude"]), float(row["longitude"])) for row in rows}
