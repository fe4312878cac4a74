"""One delivery of a province: its messages cut into parts, the manifest written last."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel
from ulid import ULID

from regsosek.contract.codebook import DATASETS
from regsosek.contract.instruments import first_version
from regsosek.contract.manifest import CONTRACT_VERSION, MANIFEST_NAME, DeliveredFile, Manifest
from regsosek.geography.provinces import province as province_of_code
from regsosek.simulation.answers.piece import Piece
from regsosek.simulation.draws.randomness import seeded
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.field.frame import ProvinceFrame
from regsosek.simulation.field.timeline import SentDocuments
from regsosek.simulation.output.parts import Envelope, PartWriter
from regsosek.simulation.output.sinks import Sink
from regsosek.simulation.planted.planting import Label

PRODUCER = "regsosek-simulation"
_PRODUCED_FROM, _PRODUCED_WITHIN = time(22, 0), 90 * 60 * 1000  # local time, milliseconds
_RANDOM_BITS = 80
_LATER_ORDINAL = timedelta(minutes=10)


@dataclass(frozen=True)
class SimulatedDelivery:
    """What came of one delivery; rows of keluarga and anggota, labels of its planted defects."""

    envelope: Envelope
    kind: str
    families: int
    persons: int
    labels: tuple[Label, ...]


def envelope(
    campaign: Campaign, province: str, night: date, ordinal: int = 0, supersedes: tuple[str, ...] = ()
) -> Envelope:
    """The envelope of the ``ordinal``-th delivery of a province's night, from 0; its id follows from all three."""
    zone = ZoneInfo(province_of_code(province).timezone)
    number = np.array([(night.toordinal() * 100 + int(province)) * 10 + ordinal])
    high, low = (int(seeded(campaign.seed, name, number)[0]) for name in ("ulid high", "ulid low"))
    random = (high << 64 | low) % (1 << _RANDOM_BITS)
    late = timedelta(milliseconds=high % _PRODUCED_WITHIN) + ordinal * _LATER_ORDINAL
    produced = datetime.combine(night, _PRODUCED_FROM, zone) + late
    milliseconds = int(produced.timestamp() * 1000)
    delivery_id = str(ULID.from_int(milliseconds << _RANDOM_BITS | random))
    return Envelope(province, night, delivery_id, produced, supersedes)


def deliver(
    campaign: Campaign,
    frame: ProvinceFrame,
    messages: Iterable[SentDocuments],
    outside: Envelope,
    writer: PartWriter,
    sink: Sink,
    *,
    kind: str = "regular",
) -> SimulatedDelivery:
    """Writes the delivery; of a ``broken`` one the last file of keluarga is altered after it was described."""
    files: list[DeliveredFile] = []
    labels: list[Label] = []
    days: set[int] = set()
    pieces = _with_last(cut(messages, campaign.families_per_part))
    for part, (piece, last) in enumerate(pieces, start=1):
        whole = Piece.of(campaign, frame, piece, frame.subsls.id_subsls[piece.subsls])
        written, planted = writer.write(whole, outside, part, altered=last and kind == "broken")
        files += written
        labels += planted
        days |= set(np.unique(piece.enumerated).tolist())
    dates = [campaign.date_of(frame.province, day) for day in sorted(days)] or [outside.night]
    manifest = _manifest(outside, files, dates)
    sink.put_bytes(f"{outside.folder}/{MANIFEST_NAME}", manifest_bytes(manifest))
    # Nobody can find what lies in a rejected delivery, and a copy counts as duplicate before anything else.
    found = () if kind in {"broken", "resent"} else tuple(labels)
    return SimulatedDelivery(outside, kind, manifest.totals["keluarga"], manifest.totals["anggota"], found)


def cut(messages: Iterable[SentDocuments], size: int) -> Iterator[SentDocuments]:
    """Joins and cuts messages into pieces of ``size``, the last one smaller; at least one piece, which may be empty."""
    waiting: list[SentDocuments] = []
    count, any_cut = 0, False
    for piece in messages:
        waiting.append(piece)
        count += len(piece)
        while count >= size:
            joined = SentDocuments.joined(waiting)
            yield joined.take(slice(0, size))
            waiting, count, any_cut = [joined.take(slice(size, None))], count - size, True
    if count or not any_cut:
        yield SentDocuments.joined(waiting)


def manifest_bytes(manifest: BaseModel) -> bytes:
    """A manifest as it is written."""
    return (json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n").encode()


def _manifest(outside: Envelope, files: list[DeliveredFile], dates: list[date]) -> Manifest:
    return Manifest(
        contract_version=CONTRACT_VERSION,
        instrument="REGSOSEK22.K",
        instrument_version=first_version(),
        province=outside.province,
        delivery_id=outside.delivery_id,
        produced_at=outside.produced_at,
        producer=PRODUCER,
        enumerated_from=dates[0],
        enumerated_to=dates[-1],
        files=tuple(files),
        totals={dataset: sum(file.rows for file in files if file.dataset == dataset) for dataset in DATASETS},
        supersedes=outside.supersedes,
    )


def _with_last(pieces: Iterator[SentDocuments]) -> Iterator[tuple[SentDocuments, bool]]:
    """Each piece, and whether it is the last one."""
    waiting = next(pieces)
    for piece in pieces:
        yield waiting, False
        waiting = piece
    yield waiting, True
