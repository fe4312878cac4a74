"""Deliveries of the streams by the landing contract: one for each stream and night, in parts, manifest last."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from regsosek.contract.codebook import Variable, variables
from regsosek.contract.instruments import first_version, instrument_of
from regsosek.contract.manifest import CONTRACT_VERSION, MANIFEST_NAME, DeliveredFile, Manifest
from regsosek.contract.stream_kinds import MESSAGES
from regsosek.simulation.answers.projection import as_text
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.field.frame import ProvinceFrame
from regsosek.simulation.output.delivery import PRODUCER, envelope, manifest_bytes
from regsosek.simulation.output.parts import Envelope, described, pack
from regsosek.simulation.output.sinks import Sink
from regsosek.simulation.streams.happenings import Field, fields

Said = Callable[[Field, int, int], pa.Table]


@dataclass(frozen=True)
class _Stream:
    """What a stream delivers, under which ordinal of the night, and the column that says the day it is about."""

    dataset: str
    ordinal: int
    said: Said
    day: str


def _simulated() -> Iterator[_Stream]:
    """The streams of which a module here, named as its dataset, says the messages; K has the first two ordinals."""
    for ordinal, (dataset, kind) in enumerate(MESSAGES.items(), start=2):
        if find_spec(f"{__package__}.{dataset}"):
            yield _Stream(dataset, ordinal, import_module(f"{__package__}.{dataset}").messages, kind.told)


_STREAMS = tuple(_simulated())
STREAMS = tuple(stream.dataset for stream in _STREAMS)


@dataclass(frozen=True)
class StreamDelivered:
    """What came of one delivery of a stream."""

    envelope: Envelope
    dataset: str
    rows: int


def deliver_streams(
    campaign: Campaign,
    frame: ProvinceFrame,
    night: date,
    connection: duckdb.DuckDBPyConnection,
    place: Path,
    sink: Sink,
) -> Iterator[StreamDelivered]:
    """Delivers what the streams of a province say on ``night``; the first delivery holds all that was said before.

    Args:
        place: a scratch directory.
    """
    until = campaign.day(frame.province, night)
    after = until - 1 if night > campaign.first_delivery else 0
    for stream in _STREAMS:
        outside = envelope(campaign, frame.province, night, ordinal=stream.ordinal)
        pieces = (stream.said(field, after, until) for field in fields(campaign, frame))
        writer = _Writer(connection, stream.dataset, outside, place, sink)
        days: list[date] = []
        for table in _cut(pieces, campaign.families_per_part):
            days += _span(table, stream.day)
            writer.put(table)
        writer.close(min(days, default=night), max(days, default=night))
        yield StreamDelivered(outside, stream.dataset, writer.rows)


@dataclass
class _Writer:
    """The files of one delivery, put one by one; the manifest closes it."""

    connection: duckdb.DuckDBPyConnection
    dataset: str
    outside: Envelope
    place: Path
    sink: Sink

    def __post_init__(self) -> None:
        self.files: list[DeliveredFile] = []

    @property
    def rows(self) -> int:
        """Rows that were put."""
        return sum(file.rows for file in self.files)

    def put(self, table: pa.Table) -> None:
        """Puts the next part."""
        part = len(self.files) + 1
        name = f"{self.dataset}-{part:05d}.csv.gz"
        plain, packed = self.place / f"{self.dataset}.csv", self.place / name
        columns = ", ".join(f"{as_text(item)} AS {item.name}" for item in _columns(self.dataset))
        self.connection.execute(f"SET VARIABLE utc_offset = '{self.outside.utc_offset}'")
        self.connection.register("said", table)
        self.connection.execute(f"COPY (SELECT {columns} FROM said) TO '{plain}' (FORMAT csv, HEADER)")
        self.connection.unregister("said")
        pack(plain, packed)
        self.files.append(described(packed, self.dataset, part, table.num_rows))
        self.sink.put_file(f"{self.outside.folder}/{name}", packed)
        plain.unlink()
        packed.unlink()

    def close(self, first: date, last: date) -> None:
        """Writes the manifest: with it the delivery exists."""
        instrument = instrument_of(self.dataset)
        manifest = Manifest(
            contract_version=CONTRACT_VERSION,
            instrument=instrument,
            instrument_version=first_version(instrument),
            province=self.outside.province,
            delivery_id=self.outside.delivery_id,
            produced_at=self.outside.produced_at,
            producer=PRODUCER,
            enumerated_from=first,
            enumerated_to=last,
            files=tuple(self.files),
            totals={self.dataset: self.rows},
        )
        self.sink.put_bytes(f"{self.outside.folder}/{MANIFEST_NAME}", manifest_bytes(manifest))


def _columns(dataset: str) -> Sequence[Variable]:
    return variables(dataset, first_version(instrument_of(dataset)))


def _cut(tables: Iterator[pa.Table], size: int) -> Iterator[pa.Table]:
    """Parts of at least ``size`` rows, the last one smaller; at least one, which may be empty."""
    waiting: list[pa.Table] = []
    any_cut = False
    for table in tables:
        waiting.append(table)
        if sum(each.num_rows for each in waiting) >= size:
            yield pa.concat_tables(waiting)
            waiting, any_cut = [], True
    if waiting or not any_cut:
        yield pa.concat_tables(waiting)


def _span(table: pa.Table, column: str) -> list[date]:
    """The first and the last day that the rows are about."""
    if not table.num_rows:
        return []
    bounds = pc.min_max(table[column].cast(pa.date32())).as_py()
    return [bounds["min"], bounds["max"]]
