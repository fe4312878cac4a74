"""How the parts of a delivery are compared, staged, recognised and loaded: families of questionnaire K, or messages."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import duckdb
from sqlalchemy import Connection

from regsosek.contract.codebook import DATASETS
from regsosek.contract.manifest import Manifest
from regsosek.geography.calendar import PossibleDays
from regsosek.geography.provinces import clock_offset
from regsosek.staging.relations import stage
from regsosek.staging.repeats import clear_repeats, count_repeats, note_part
from regsosek.staging.stream_parts import clear_statements, count_statements, note_statements, stage_stream
from regsosek.warehouse.cases.loading import PartKey, load_part
from regsosek.warehouse.cases.recognition import fetch_known, recognise
from regsosek.warehouse.cases.stream_loading import load_messages, recognise_messages
from regsosek.warehouse.nights.ledger import Delivery


@dataclass(frozen=True)
class Given:
    """What is known of a delivery before its first part is read."""

    duck: duckdb.DuckDBPyConnection
    scratch: Path
    entry: Delivery
    manifest: Manifest
    days: PossibleDays
    supersedes: tuple[str, ...]

    @property
    def alone(self) -> bool:
        """The delivery has one part."""
        return len(self.manifest.parts) == 1

    @property
    def offset(self) -> timedelta:
        """Of the province's clock from UTC."""
        return clock_offset(self.entry.province, self.manifest.produced_at)

    def key(self, part: int) -> PartKey:
        """Names the rows of a part."""
        return PartKey(self.entry.province, self.entry.counted_night, self.entry.delivery_id, part)


class Parts(Protocol):
    """The steps of one part after the other; the part that was read last is the one that is meant."""

    def clear(self) -> None:
        """Forgets what was compared of the delivery before."""

    def note(self) -> None:
        """Notes what a part has to compare with the others."""

    def count(self) -> None:
        """Counts what repeats across the noted parts."""

    def stage(self, part: int) -> None:
        """Types it and adds the facts that rules ask for."""

    def recognise(self, connection: Connection, part: int) -> None:
        """Says what each judged row is to what the warehouse knows."""

    def load(self, connection: Connection, part: int) -> None:
        """Writes it into the warehouse, in place of what an interrupted try left."""


def parts_of(given: Given) -> Parts:
    """The steps that the delivery's instrument asks for."""
    return Families(given) if given.manifest.datasets == DATASETS else StreamParts(given)


@dataclass(frozen=True)
class Families:
    """Parts of questionnaire K: families with their members."""

    given: Given

    def clear(self) -> None:
        """See :class:`Parts`."""
        clear_repeats(self.given.duck)

    def note(self) -> None:
        """See :class:`Parts`."""
        note_part(self.given.duck)

    def count(self) -> None:
        """See :class:`Parts`."""
        count_repeats(self.given.duck)

    def stage(self, part: int) -> None:
        """See :class:`Parts`."""
        given = self.given
        stage(
            given.duck,
            part=part,
            province=given.entry.province,
            on=given.entry.delivered_on,
            version=given.manifest.instrument_version,
            days=given.days,
            alone=given.alone,
        )

    def recognise(self, connection: Connection, part: int) -> None:
        """See :class:`Parts`."""
        given, entry = self.given, self.given.entry
        own = {"province": entry.province, "delivery_id": entry.delivery_id}
        fetch_known(given.duck, connection, given.scratch, **own, part=part)
        recognise(given.duck, produced_at=given.manifest.produced_at, supersedes=given.supersedes)

    def load(self, connection: Connection, part: int) -> None:
        """See :class:`Parts`."""
        given = self.given
        load_part(given.duck, connection, given.scratch, given.key(part), default_day=given.entry.delivered_on)


@dataclass(frozen=True)
class StreamParts:
    """Parts of a stream: messages that stand alone."""

    given: Given

    @property
    def dataset(self) -> str:
        """The one dataset of the stream."""
        return self.given.manifest.datasets[0]

    def clear(self) -> None:
        """See :class:`Parts`."""
        clear_statements(self.given.duck)

    def note(self) -> None:
        """See :class:`Parts`."""
        note_statements(self.given.duck, self.dataset, self.given.manifest.instrument_version)

    def count(self) -> None:
        """See :class:`Parts`."""
        count_statements(self.given.duck)

    def stage(self, part: int) -> None:  # noqa: ARG002 - parts of a stream have nothing to be aligned with
        """See :class:`Parts`."""
        given = self.given
        stage_stream(
            given.duck,
            self.dataset,
            province=given.entry.province,
            on=given.entry.delivered_on,
            version=given.manifest.instrument_version,
            days=given.days,
            produced_at=given.manifest.produced_at,
            offset=given.offset,
            alone=given.alone,
        )

    def recognise(self, connection: Connection, part: int) -> None:
        """See :class:`Parts`."""
        given = self.given
        produced_at = given.manifest.produced_at
        recognise_messages(
            given.duck, connection, given.scratch, given.key(part), self.dataset, produced_at=produced_at
        )

    def load(self, connection: Connection, part: int) -> None:
        """See :class:`Parts`."""
        given = self.given
        load_messages(given.duck, connection, given.scratch, given.key(part), self.dataset)
