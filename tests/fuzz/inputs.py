"""Inputs worth trying: bytes of valid files hurt in several places, JSON by its grammar, cells that break readers."""

import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import first_version
from support.deliveries.families import WRITERS, Row, anggota_row, keluarga_row

FORMATS = tuple(WRITERS)
SECRET = "RAHASIA"
NIK = "9171030302840001"
# Bytes that mean something to one of the readers.
TELLING = (
    b"",
    b"\0",
    b"\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\r",
    b"\n",
    b"\r\n",
    b'"',
    b"'",
    b'""',
    b",",
    b";",
    b"\t",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"null",
    b"true",
    b"NaN",
    b"1e999",
    b"-0",
    b'"\\ud800"',
    b'"\\u0000"',
    b"PAR1",
    b"PARE",
    b"\x1f\x8b",
    b"\x1f\x8b\x08",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\xff" * 8,
)
ROWS: dict[str, list[Row]] = {
    "keluarga": [
        keluarga_row(r107_alamat=SECRET, r114_no_kk=NIK),
        keluarga_row(id_dokumen="D2", r110_no_keluarga="002"),
    ],
    "anggota": [anggota_row(n, r402_nama=SECRET, r403_nik=NIK) for n in (1, 2)],
}
SEEDS = {(dataset, format_): WRITERS[format_](dataset, rows) for dataset, rows in ROWS.items() for format_ in FORMATS}


def hurt(content: bytes, chance: random.Random) -> bytes:
    """``content`` with a few mutations: bits, bytes, chunks repeated, moved, cut out, telling bytes put in."""
    hurting = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        place, other = sorted(chance.randint(0, len(hurting)) for _ in range(2))
        match chance.choice((0, 0, 1, 1, 2, 2, 3, 4, 5, 6)):
            case 0 if hurting:
                hurting[place % len(hurting)] ^= 1 << chance.randrange(8)
            case 1 if hurting:
                hurting[place % len(hurting)] = chance.randrange(32, 127)
            case 2:
                hurting[place:place] = chance.choice(TELLING)
            case 3:
                hurting[place : place + chance.randrange(8)] = chance.choice(TELLING)
            case 4:
                del hurting[place : min(other, place + chance.choice((1, 1, 4, 64)))]
            case 5:
                hurting[place:place] = hurting[place:other] * chance.choice((1, 1, 1, 50))
            case 6:
                del hurting[place:]
    return bytes(hurting[: 1 << 20])


def delivered_bytes(format_: str, dataset: str, chance: random.Random) -> bytes:
    """Bytes for a file of ``format_``: hurt as a whole, hurt inside of sound gzip, or arbitrary."""
    seed = SEEDS[dataset, format_]
    kind = chance.randrange(10)
    if kind == 0:
        return chance.randbytes(chance.randrange(400))
    if format_ == "parquet":
        footer = len(seed) - int.from_bytes(seed[-8:-4], "little") - 8
        return hurt(seed[:footer], chance) + seed[footer:] if kind <= 5 else hurt(seed, chance)
    if kind <= 2:
        return hurt(seed, chance)
    head, tail = _parted(gzip.decompress(seed), format_)
    return gzip.compress(head + hurt(tail, chance) if kind <= 7 else hurt(head + tail, chance), 1, mtime=0)


def _parted(text: bytes, format_: str) -> tuple[bytes, bytes]:
    """What is hurt less often, and the rows: a CSV without its columns is refused before a row is read."""
    place = text.index(b"\n") + 1 if format_ == "csv.gz" else 0
    return text[:place], text[place:]


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [10**400, -1, 2**31, 2**63, "64", "2022-10-20", "../x", "keluarga-00001.csv.gz", "0" * 64, "\ud800"]
    )
)
anything = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
)


def sound_manifest() -> dict[str, Any]:
    """A manifest without fault, with values that must not come back in an error."""
    files = [
        {
            "name": f"{d}-{p:05d}.csv.gz",
            "dataset": d,
            "part": p,
            "format": "csv.gz",
            "rows": 2,
            "bytes": 9,
            "sha256": "a" * 64,
        }
        for p in (1, 2)
        for d in ("keluarga", "anggota")
    ]
    return {
        "contract_version": "1",
        "instrument": "REGSOSEK22.K",
        "instrument_version": "1",
        "province": "64",
        "delivery_id": "01GFWC1W80A0B1C2D3E4F5G6H7",
        "produced_at": "2022-10-20T20:15:00+08:00",
        "producer": "uji",
        "enumerated_from": "2022-10-15",
        "enumerated_to": "2022-10-20",
        "files": files,
        "totals": {"keluarga": 4, "anggota": 4},
        "supersedes": [],
    }


@st.composite
def manifests(draw: st.DrawFn) -> bytes:
    """A sound manifest with up to three values replaced, left out or added, anywhere in it; or its bytes hurt."""
    document = sound_manifest()
    for _ in range(draw(st.integers(0, 3))):
        totals = document.get("totals")
        places = [document, *([totals] if isinstance(totals, dict) else []), *_members(document.get("files"))]
        place: Any = draw(st.sampled_from(places))
        name = draw(st.sampled_from([*place, SECRET, "rows"]))
        if draw(st.booleans()):
            place[name] = draw(anything)
        else:
            place.pop(name, None)
    content = json.dumps(document).encode()
    return hurt(content, random.Random(draw(st.integers(0, 2**32)))) if draw(st.booleans()) else content


def _members(files: Any) -> list[dict[str, Any]]:
    return [each for each in files if isinstance(each, dict)] if isinstance(files, list) else []


# Numbers, dates and codes that nearly fit, and texts of all kinds.
_CELLS: Sequence[str] = json.loads(Path(__file__).with_name("cells.json").read_text(encoding="utf-8"))


def cell(chance: random.Random) -> str:
    """A cell worth trying; one in six is arbitrary text."""
    if chance.randrange(6):
        return chance.choice(_CELLS)
    letters = (
        chr(chance.choice((chance.randrange(1, 128), chance.randrange(1, 0x3000), chance.randrange(0x10000, 0x20000))))
        for _ in range(chance.randrange(12))
    )
    return "".join(letters)


def part(chance: random.Random, families: int) -> tuple[list[Row], list[Row]]:
    """Families with their members whose answers are replaced by anything, from none of them to all of them."""
    keluarga, anggota = [], []
    # Members whose family cannot be found reject the whole part: worth trying now and then.
    keep = () if chance.randrange(10) == 0 else ("id_dokumen", "versi")
    for number in range(1, families + 1):
        keys = {"id_dokumen": f"D{number}", "r110_no_keluarga": f"{number:03d}"}
        share = chance.choice((0.0, 0.02, 0.1, 0.5, 1.0))
        keluarga.append(_filled(keluarga_row(**keys, r107_alamat=SECRET), "keluarga", share, chance, keep))
        for member in range(1, chance.randint(1, 5)):
            row = anggota_row(member, **keys, r402_nama=SECRET, r403_nik=NIK)
            anggota.append(_filled(row, "anggota", share, chance, keep))
    return keluarga, anggota


def _filled(row: Row, dataset: str, share: float, chance: random.Random, keep: Sequence[str]) -> Row:
    names = [v.name for v in variables(dataset, first_version()) if v.name not in keep]
    return row | {name: cell(chance) for name in names if chance.random() < share}
