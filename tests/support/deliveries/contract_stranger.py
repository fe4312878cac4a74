"""A producer who knows the machine-readable contract and nothing of the pipeline: writes a delivery from it alone.

What an enumerator knows (place, day, names, the answers of one family) is given; columns, codes, formats, file names,
folder and manifest come from the document.
"""

import csv
import gzip
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import jsonschema

PROVINCE, DAY, ID = "64", "2022-10-20", "01GFWC1W80A0B1C2D3E4F5G6H7"
SUBSLS = "6403010001000100"
Row = dict[str, str]

# What the enumerator saw; everything else is the first answer that the contract allows where it demands one.
SEEN: dict[str, Row] = {
    "keluarga": {
        "id_dokumen": "A-1", "versi": "1", "status_dokumen": "1", "id_subsls": SUBSLS, "r101_provinsi": "64",
        "r102_kabkota": "03", "r103_kecamatan": "010", "r104_desa": "001", "r105a_sls": "0001", "r105b_subsls": "00",
        "r109_no_bangunan": "1", "r110_no_keluarga": "1", "r112_jumlah_anggota": "1",
        "r201_tanggal_pencacahan": DAY, "r205_hasil": "1", "r302_luas_lantai": "48",
    },
    "anggota": {
        "id_dokumen": "A-1", "versi": "1", "id_subsls": SUBSLS, "r109_no_bangunan": "1", "r110_no_keluarga": "1",
        "r401_no_urut": "1", "r404_keberadaan": "1", "r405_jenis_kelamin": "1", "r406_tanggal_lahir": "1980-05-01",
        "r407_umur": "42", "r408_status_kawin": "1", "r409_hubungan": "1", "r412_sekolah": "1", "r416a_bekerja": "2",
    },
    "geotag": {"id_subsls": SUBSLS, "status_dokumen": "1", "ada_foto": "0", "lintang": "-0.5", "bujur": "117.1"},
}  # fmt: skip
SEEN_OF_STREAMS: Row = {"id_subsls": SUBSLS}


def named(owner: dict[str, Any]) -> dict[str, Any]:
    """The custom properties of a part of the document, by name."""
    return {each["property"]: each["value"] for each in owner.get("customProperties", [])}


class Stranger:
    """Reads one ODCS document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.said = named(document)

    def deliver(self, root: Path, instrument: str, format_: str) -> Path:
        """Writes a delivery of one family, or message, below ``root``; its folder."""
        versions = [each for each in self.document["schema"] if named(each)["instrument"] == instrument]
        version = named(versions[0])["instrumentVersion"]
        objects = [each for each in versions if named(each)["instrumentVersion"] == version]
        folder = root / self.said["folder"].format(province=PROVINCE, day=DAY, delivery_id=ID)
        folder.mkdir(parents=True)
        family: Row = {}
        files = []
        for each in objects:
            row = self._row(each, family)
            family = family or row
            files.append(self._file(folder, each, row, format_))
        (folder / self.said["manifestName"]).write_bytes(self._manifest(objects, instrument, files))
        return folder

    def _row(self, of: dict[str, Any], family: Row) -> Row:
        """One row: what was seen, and an answer wherever the document demands one."""
        row = {each["name"]: SEEN.get(of["name"], SEEN_OF_STREAMS).get(each["name"], "") for each in of["properties"]}
        for each in of["properties"]:
            if not row[each["name"]] and self._demanded(each, family | row, of):
                row[each["name"]] = _answer(each)
        return row

    def _demanded(self, column: dict[str, Any], row: Row, of: dict[str, Any]) -> bool:
        condition = named(column).get("requiredWhen")
        return column["required"] or (condition is not None and self._holds(condition, row))

    def _holds(self, condition: str, row: Row) -> bool:
        types = {each["name"]: each["logicalType"] for of in self.document["schema"] for each in of["properties"]}
        sql = {"integer": "INTEGER", "number": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMPTZ"}
        columns = ", ".join(f"CAST(NULLIF(?, '') AS {sql.get(types[name], 'VARCHAR')}) AS {name}" for name in row)
        query = f"SELECT count(*) FROM (SELECT {columns}) WHERE {condition}"
        [(found,)] = duckdb.execute(query, list(row.values())).fetchall()
        return bool(found)

    def _file(self, folder: Path, of: dict[str, Any], row: Row, format_: str) -> dict[str, Any]:
        name = f"{of['physicalName'].format(part='00001')}.{format_}"
        assert re.fullmatch(self.said["fileName"], name)
        content = gzip.compress(_csv(row) if format_ == "csv.gz" else (json.dumps(row) + "\n").encode())
        (folder / name).write_bytes(content)
        described = {"name": name, "dataset": of["name"], "part": 1, "format": format_, "rows": 1}
        return described | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def _manifest(self, objects: list[dict[str, Any]], instrument: str, files: list[dict[str, Any]]) -> bytes:
        manifest = {
            "contract_version": self.document["version"], "instrument": instrument,
            "instrument_version": named(objects[0])["instrumentVersion"], "province": PROVINCE, "delivery_id": ID,
            "produced_at": f"{DAY}T20:15:00+08:00", "producer": "stranger 1.0", "enumerated_from": DAY,
            "enumerated_to": DAY, "files": files, "totals": {file["dataset"]: 1 for file in files},
        }  # fmt: skip
        jsonschema.validate(manifest, self.said["manifestSchema"])
        return json.dumps(manifest).encode()


def _csv(row: Row) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().encode()


def _answer(column: dict[str, Any]) -> str:
    """The last code that a column allows (mostly: no, none, other), or the least value."""
    options = column.get("logicalTypeOptions", {})
    codes = column.get("enum") or named(column).get("sumOf")
    if codes:
        return str(codes[-1]["value"] if "enum" in column else codes[0]["value"])
    match column["logicalType"]:
        case "integer" | "number":
            return str(options.get("minimum", 0))
        case "date":
            return DAY
        case "timestamp":
            return f"{DAY}T10:00:00+08:00"
    return "1" * options["minLength"] if "minLength" in options else "X1"
