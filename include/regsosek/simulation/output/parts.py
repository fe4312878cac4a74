"""Writes the two files of one part of a delivery: UTF-8, RFC 4180, gzip, the same bytes every time."""

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from shutil import copyfileobj

import duckdb
import pyarrow as pa

from regsosek.contract.codebook import DATASETS
from regsosek.contract.manifest import DeliveredFile
from regsosek.simulation.answers.documents import candidates
from regsosek.simulation.answers.piece import Piece
from regsosek.simulation.answers.projection import projection
from regsosek.simulation.output.sinks import Sink
from regsosek.simulation.planted.defects import DefectKind
from regsosek.simulation.planted.planting import Label, labels, overrides, plant_answers, plant_keys

# Level 4 takes a third of the time of the usual 6 and gives files a tenth larger.
_COMPRESSION = 4
_COPIED_AT_ONCE = 1024 * 1024


@dataclass(frozen=True)
class Envelope:
    """What a delivery is called and says of itself; ``produced_at`` is local time of the province."""

    province: str
    night: date
    delivery_id: str
    produced_at: datetime
    supersedes: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Where it lies in the bucket."""
        return f"landing/prov={self.province}/tanggal={self.night.isoformat()}/{self.delivery_id}"

    @property
    def utc_offset(self) -> str:
        """As timestamps end: ``+07:00``."""
        return self.produced_at.isoformat()[-6:]


class PartWriter:
    """Turns pieces of the campaign into files, in a scratch directory, and puts them into a sink."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, kinds: Sequence[DefectKind], scratch: Path, sink: Sink
    ) -> None:
        self.connection, self._kinds, self._scratch, self._sink = connection, kinds, scratch, sink
        self._columns = {dataset: projection(dataset, overrides(kinds, dataset)) for dataset in DATASETS}

    def write(
        self, piece: Piece, envelope: Envelope, part: int, *, altered: bool
    ) -> tuple[list[DeliveredFile], list[Label]]:
        """Writes part ``part``; if ``altered``, keluarga is put otherwise than it is described."""
        self.connection.execute(f"SET VARIABLE utc_offset = '{envelope.utc_offset}'")
        codes, of_keys = plant_keys(self.connection, self._kinds, piece.messages, piece.id_subsls)
        piece = replace(piece, id_subsls=codes)
        tables, of_answers = plant_answers(self.connection, self._kinds, piece, candidates(piece), of_keys)
        files = [
            self._put("keluarga", tables.keluarga, envelope, part, altered),
            self._put("anggota", tables.anggota, envelope, part, altered=False),
        ]
        return files, list(labels(self._kinds, piece, tables, (of_keys, of_answers), envelope.delivery_id))

    def _put(self, dataset: str, table: pa.Table, envelope: Envelope, part: int, altered: bool) -> DeliveredFile:
        name = f"{dataset}-{part:05d}.csv.gz"
        plain, packed = self._scratch / f"{dataset}.csv", self._scratch / name
        self.connection.register("candidates", table)
        query = f"SELECT {self._columns[dataset]} FROM candidates"
        self.connection.execute(f"COPY ({query}) TO '{plain}' (FORMAT csv, HEADER)")
        self.connection.unregister("candidates")
        pack(plain, packed)
        file = described(packed, dataset, part, table.num_rows)
        if altered:
            _alter(packed)
        self._sink.put_file(f"{envelope.folder}/{name}", packed)
        plain.unlink()
        packed.unlink()
        return file


def pack(plain: Path, packed: Path) -> None:
    """Compresses a file; neither its name nor the time gets into the bytes."""
    with (
        plain.open("rb") as source,
        packed.open("wb") as target,
        gzip.GzipFile(filename="", mode="wb", fileobj=target, compresslevel=_COMPRESSION, mtime=0) as archive,
    ):
        copyfileobj(source, archive, _COPIED_AT_ONCE)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def described(path: Path, dataset: str, part: int, rows: int) -> DeliveredFile:
    """What the manifest says of a packed file."""
    return DeliveredFile(
        name=path.name,
        dataset=dataset,
        part=part,
        format="csv.gz",
        rows=rows,
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )


def _alter(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
