"""The simulated campaign from end to end: which province delivers what on which night, and what was planted."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from regsosek.errors import ConfigurationError
from regsosek.geography.provinces import province as province_of_code
from regsosek.geography.provinces import provinces as all_provinces
from regsosek.simulation.draws.randomness import Draws
from regsosek.simulation.field.campaign import Campaign, DeliveryIncident
from regsosek.simulation.field.field_day import messages_of_one_day
from regsosek.simulation.field.frame import ProvinceFrame, province_frame
from regsosek.simulation.field.gaps import GAP_LABEL_COLUMNS, GapLabel
from regsosek.simulation.field.timeline import SentDocuments, messages
from regsosek.simulation.output.delivery import SimulatedDelivery, deliver, envelope
from regsosek.simulation.output.parts import PartWriter
from regsosek.simulation.output.reference_files import write_reference_files
from regsosek.simulation.output.sinks import Sink
from regsosek.simulation.planted.defects import DefectTable, default_defects
from regsosek.simulation.planted.planting import LABEL_COLUMNS, Label
from regsosek.simulation.streams.labels import planted_gaps
from regsosek.simulation.streams.stream_deliveries import StreamDelivered, deliver_streams

_LEFT_OUT_SHARE = 0.03  # of the cases of a delivery that is superseded, the new one misses so many
_DUCKDB: dict[str, str | bool | int | float | list[str]] = {"threads": 2, "memory_limit": "600MB"}


@dataclass(frozen=True)
class SimulationReport:
    """What a simulation delivered. Every figure is at ``scale``.

    ``targets`` in families by province; ``silent`` are the provinces and nights that delivered nothing; ``streams`` and
    the ``gaps`` that must be found between them and K are empty unless the campaign has streams.
    """

    seed: int
    scale: float
    targets: dict[str, int]
    deliveries: tuple[SimulatedDelivery, ...]
    silent: tuple[tuple[str, date], ...]
    streams: tuple[StreamDelivered, ...] = ()
    gaps: tuple[GapLabel, ...] = ()

    @property
    def families(self) -> int:
        """Rows of keluarga in all deliveries, copies and broken ones included."""
        return sum(delivery.families for delivery in self.deliveries)

    @property
    def persons(self) -> int:
        """Rows of anggota in all deliveries, copies and broken ones included."""
        return sum(delivery.persons for delivery in self.deliveries)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The defects that quality must find."""
        return tuple(label for delivery in self.deliveries for label in delivery.labels)


def simulate(
    campaign: Campaign,
    sink: Sink,
    *,
    nights: Sequence[date],
    provinces: Sequence[str] | None = None,
    progress: Callable[[SimulatedDelivery], None] = lambda _: None,
    defects: DefectTable | None = None,
) -> SimulationReport:
    """Writes the reference files and the deliveries of ``nights``.

    Args:
        campaign: what is simulated.
        sink: takes ``reference/...`` and ``landing/...``; labels never go there.
        nights: in any order; the campaign's first delivery carries what was synchronised before.
        provinces: their codes; none means all.
        progress: called after each delivery.
        defects: what is planted; none means what the project carries.

    Raises:
        ConfigurationError: a night lies before the first delivery.
        ReferenceDataError: a province is unknown.
    """
    early = [night.isoformat() for night in nights if night < campaign.first_delivery]
    if early:
        raise ConfigurationError(f"nights {', '.join(early)} lie before the first delivery, {campaign.first_delivery}")
    codes = [province_of_code(code).code for code in provinces or [p.code for p in all_provinces()]]
    delivered: list[SimulatedDelivery] = []
    silent: list[tuple[str, date]] = []
    streams: list[StreamDelivered] = []
    gaps: list[GapLabel] = []
    with workshop(sink, defects or default_defects()) as (writer, table, scratch):
        # A version is whole or nobody can load it, whichever provinces deliver.
        targets = write_reference_files(campaign, sink, [p.code for p in all_provinces()], scratch)
        for province in codes:
            frame = province_frame(campaign, province)
            for night in sorted(nights):
                made = list(_night(campaign, frame, night, writer, table.share_of_documents, sink))
                silent += [] if made else [(province, night)]
                for delivery in made:
                    progress(delivery)
                delivered += made
                if campaign.streams:
                    streams += deliver_streams(campaign, frame, night, writer.connection, scratch, sink)
            if campaign.streams:
                gaps += planted_gaps(campaign, frame)
    made_of_k = (campaign.seed, campaign.scale, targets, tuple(delivered), tuple(silent))
    return SimulationReport(*made_of_k, tuple(streams), tuple(gaps))


def simulate_day(
    campaign: Campaign,
    sink: Sink,
    *,
    province: str,
    night: date,
    families: int,
    defects: DefectTable | None = None,
) -> SimulationReport:
    """One delivery of ``families`` families, all enumerated on ``night``, and its reference files: to measure with.

    Raises:
        ConfigurationError: the province has fewer families at the campaign's scale.
    """
    with workshop(sink, defects or default_defects()) as (writer, table, scratch):
        frame = province_frame(campaign, province)
        targets = write_reference_files(campaign, sink, [province], scratch)
        delivered = deliver_day(campaign, frame, writer, sink, night, families, table.share_of_documents)
    return SimulationReport(campaign.seed, campaign.scale, targets, (delivered,), ())


def deliver_day(
    campaign: Campaign,
    frame: ProvinceFrame,
    writer: PartWriter,
    sink: Sink,
    night: date,
    families: int,
    defect_share: float,
) -> SimulatedDelivery:
    """Delivers ``families`` families of one province, all enumerated on ``night``.

    Raises:
        ConfigurationError: the province has fewer families at the campaign's scale.
    """
    available = int(frame.subsls.load.sum())
    if families > available:
        raise ConfigurationError(
            f"province {frame.province} has {available} families at scale {campaign.scale_text}; raise it"
        )
    day = campaign.day(frame.province, night)
    sent = messages_of_one_day(campaign, frame, day=day, families=families, defect_share=defect_share)
    return deliver(campaign, frame, sent, envelope(campaign, frame.province, night), writer, sink)


def write_gap_labels(gaps: Iterable[GapLabel], path: Path) -> None:
    """Writes the planted gaps as CSV; keep it apart from what is delivered."""
    _write_csv(path, GAP_LABEL_COLUMNS, (gap.row() for gap in gaps))


def write_labels(labels: Iterable[Label], path: Path) -> None:
    """Writes the planted defects as CSV; keep it apart from what is delivered."""
    _write_csv(path, LABEL_COLUMNS, (label.row() for label in labels))


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


@contextmanager
def workshop(sink: Sink, table: DefectTable) -> Iterator[tuple[PartWriter, DefectTable, Path]]:
    """A writer of parts into ``sink`` that plants the defects of ``table``, and its scratch directory."""
    with TemporaryDirectory(prefix="regsosek-simulation-") as scratch, duckdb.connect(config=_DUCKDB) as connection:
        connection.execute("SET enable_progress_bar = false")  # it would print on stdout, even when captured
        place = Path(scratch)
        yield PartWriter(connection, table.kind, place, sink), table, place


def _night(
    campaign: Campaign, frame: ProvinceFrame, night: date, writer: PartWriter, defect_share: float, sink: Sink
) -> Iterator[SimulatedDelivery]:
    """The deliveries of one province and night; none if it is silent."""
    day = campaign.day(frame.province, night)
    wrong = campaign.incident(frame.province, day)
    kind = wrong.kind if wrong else "regular"
    if kind == "silent":
        return
    outside = envelope(campaign, frame.province, night)
    sent = _sent(campaign, frame, day, defect_share)
    yield deliver(campaign, frame, sent, outside, writer, sink, kind="broken" if kind == "broken" else "regular")
    if wrong and wrong.of is not None:
        yield _again(campaign, frame, night, wrong, writer, defect_share, sink)


def _again(
    campaign: Campaign,
    frame: ProvinceFrame,
    night: date,
    wrong: DeliveryIncident,
    writer: PartWriter,
    defect_share: float,
    sink: Sink,
) -> SimulatedDelivery:
    """The second delivery of a night: an earlier one once more, or in a corrected form that replaces it."""
    assert wrong.of is not None
    sent = _sent(campaign, frame, wrong.of, defect_share)
    first = envelope(campaign, frame.province, campaign.date_of(frame.province, wrong.of))
    if wrong.kind == "resent":
        outside = envelope(campaign, frame.province, night, ordinal=1)
    else:
        outside = envelope(campaign, frame.province, night, ordinal=1, supersedes=(first.delivery_id,))
        sent = (piece.take(~Draws(piece.key).chance("left out", _LEFT_OUT_SHARE)) for piece in sent)
    return deliver(campaign, frame, sent, outside, writer, sink, kind=wrong.kind)


def _sent(campaign: Campaign, frame: ProvinceFrame, day: int, defect_share: float) -> Iterator[SentDocuments]:
    """What the regular delivery of ``day`` holds: everything since the last day that delivered."""
    first = campaign.day(frame.province, campaign.first_delivery)
    after = day - 1
    while after >= first and _is_silent(campaign, frame.province, after):
        after -= 1
    return messages(campaign, frame, after=after if after >= first else 0, until=day, defect_share=defect_share)


def _is_silent(campaign: Campaign, province: str, day: int) -> bool:
    wrong = campaign.incident(province, day)
    return wrong is not None and wrong.kind == "silent"
