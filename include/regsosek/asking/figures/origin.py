"""A published number taken back to what it is made of: deliveries, added up, and files of reference with their hashes.

What a number is made of stands with its definition (``statistics.origins``). Counts add up to what was published.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, text

from regsosek.asking.figures.counted_deliveries import (
    arrivals_by_delivery,
    found_by_delivery,
    held_by_delivery,
    judged_by_delivery,
    lists_by_delivery,
    messages_by_delivery,
)
from regsosek.asking.figures.published_figure import asked_figure, province_of
from regsosek.asking.figures.published_number import AskedNumber
from regsosek.asking.figures.traced import Trace, provinces_traced, traced_deliveries
from regsosek.asking.figures.tracing import Enter, trace, write_cases
from regsosek.errors import UnknownFigureError
from regsosek.landing.encrypted import object_key
from regsosek.landing.store import Store
from regsosek.release.figures.previous_release import FormerRelease, former_release, published_table
from regsosek.release.figures.words import severities
from regsosek.settings import Settings
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.definitions.origins import Base, Source, bases, sources
from regsosek.statistics.streams.clocks import streams

CASES, TAGS, LISTS, ARRIVALS = "@cases", "@tags", "@lists", "@arrivals"
_QUESTIONNAIRE = "k"
_LOADED = "SELECT dataset, version, manifest_sha256 FROM reference.version WHERE dataset = ANY(:datasets)"


@dataclass(frozen=True)
class NamedSource:
    """Something that a number rests on besides deliveries.

    Attributes:
        version: that the release was counted by; empty where it has none.
        stored: where exactly these bytes lie, by dataset: the key of the manifest in the archive bucket, or None
            if another version was loaded since.
    """

    source: Source
    where: str
    version: str = ""
    stored: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Origin:
    """What a number is made of: counts with their deliveries, and what else it rests on."""

    asked: AskedNumber
    traces: tuple[Trace, ...]
    named: tuple[NamedSource, ...]


def origin(connection: Connection, store: Store, settings: Settings, asked: AskedNumber) -> Origin:
    """Takes a published number back to its deliveries and files.

    Raises:
        UnknownFigureError: it is told of another measure, which has to be asked for itself.
        ObjectStoreError: a delivery's receipt is not in the archive, or names another manifest.
    """
    found = based_on(asked)
    counted = _Counted(connection, store, settings, asked)
    traces = tuple(counted.traced(base) for base in found if base.source.counted)
    others = dict.fromkeys(base.source for base in found if not base.source.counted)
    return Origin(asked, traces, tuple(_named(connection, asked, source) for source in others))


def based_on(asked: AskedNumber) -> tuple[Base, ...]:
    """The counts and sources of a number, in its own row.

    Raises:
        UnknownFigureError: its row does not say of what.
    """
    return tuple(dict.fromkeys(each for base in bases(asked.measure.field) for each in _in_row(asked, base)))


def _in_row(asked: AskedNumber, base: Base) -> Iterator[Base]:
    """What a source means in a row: documents that arrived in a night, or the stream that the row is of."""
    match base.source.source:
        case "@arrivals" | "@found" | "@judged" if not asked.row:
            raise UnknownFigureError(f"{asked.file} has no row of {asked.code} {asked.name}: nothing came from there")
        case "@cases" if "arrival_night" in asked.row:
            yield Base(base.field, sources()[ARRIVALS])
        case "@stream":
            yield from _of_stream(asked, base)
        case _:
            yield base


def _of_stream(asked: AskedNumber, base: Base) -> Iterator[Base]:
    if "stream" not in asked.row:
        raise UnknownFigureError(f"{asked.file} has no row of {asked.code} {asked.name}: no stream came from there")
    stream = _stream_of(asked)
    if stream == _QUESTIONNAIRE:
        yield from bases("visited")
    else:
        yield Base(base.field, sources()[LISTS] if stream == "rekap_vk" else base.source)


def _stream_of(asked: AskedNumber) -> str:
    """The stream that a row is of, which the tables name in words."""
    return next(key for key, stream in streams().items() if stream.name.id == asked.row["stream"])


@dataclass(frozen=True)
class _Counted:
    """Traces the counts of one number."""

    connection: Connection
    store: Store
    settings: Settings
    asked: AskedNumber

    def traced(self, base: Base) -> Trace:
        if base.source.source == CASES:
            return self._cases(base.field)
        parts = {
            (province, delivery_id): {base.field: counted}
            for province, night in self._provinces().items()
            for delivery_id, counted in self._parts(base, province, night).items()
        }
        archive = self.settings.archive_bucket
        deliveries = traced_deliveries(self.connection, self.store, archive, parts)
        return Trace(definitions()[base.field], self._published(base.field), deliveries)

    def _cases(self, field: str) -> Trace:
        asked, bucket = self.asked, self.settings.release_bucket
        figure = asked_figure(self.connection, self.store, bucket, asked.code, field, asked.night, asked.day)
        return trace(self.connection, self.store, self.settings.archive_bucket, figure)

    def _provinces(self) -> dict[str, date]:
        """Each province that the number is counted of, with the night that the release had of it."""
        nights = self.asked.release.as_of.nights
        own = province_of(self.connection, self.asked.code) or ""
        return {province: nights[province] for province in provinces_traced(nights, self.asked.level, own)}

    def _parts(self, base: Base, province: str, night: date) -> dict[str, int]:
        connection, asked = self.connection, self.asked
        match base.source.source:
            case "@arrivals":
                return arrivals_by_delivery(connection, base.field, province, self._night_of_row(), night)
            case "@found":
                return found_by_delivery(connection, base.field, province, self._night_of_row(), asked.night)
            case "@judged":
                return judged_by_delivery(connection, base.field, self._rule(), province, asked.night, night)
            case "@lists":
                return lists_by_delivery(connection, base.field, province, asked.code, night, asked.night)
            case "@held":
                return held_by_delivery(connection, province, asked.night)
            case _:
                stream = "geotag" if base.source.source == TAGS else _stream_of(asked)
                return messages_by_delivery(connection, base.field, stream, province, asked.code, night)

    def _night_of_row(self) -> date:
        row = self.asked.row
        return date.fromisoformat(row.get("arrival_night") or row["campaign_night"])

    def _rule(self) -> dict[str, str]:
        row, words = self.asked.row, severities()
        [severity] = [key for key, each in words.items() if each.id == row["severity"]]
        return {"dataset": row["rule_dataset"], "rule_id": row["rule_id"], "severity": severity}

    def _published(self, field: str) -> int | None:
        """What the number's own table says of a count that it is made of, in the same row."""
        table = published_table(self.store, self.settings.release_bucket, self.asked.release, self.asked.file)
        rows = table[table["code"] == self.asked.code]
        for name, value in self.asked.row.items():
            rows = rows[rows[name].astype("str") == value]
        values = set(rows[field].dropna()) if field in rows else set()
        return int(values.pop()) if len(values) == 1 else None


def write_counted_cases(
    connection: Connection, store: Store, settings: Settings, asked: AskedNumber, path: Path, enter: Enter
) -> int:
    """Writes the keys of the cases of the first count of cases that a number is made of; returns their sum.

    Args:
        enter: enters the cases of a province in the trail of access; called before they are written.

    Raises:
        UnknownFigureError: it is made of no cases of questionnaire K.
    """
    fields = [base.field for base in based_on(asked) if base.source.source == CASES]
    if not fields:
        raise UnknownFigureError(f"{asked.measure.field} is not counted from cases of questionnaire K; omit --cases")
    figure = asked_figure(connection, store, settings.release_bucket, asked.code, fields[0], asked.night, asked.day)
    return write_cases(connection, figure, path, enter)


def _named(connection: Connection, asked: AskedNumber, source: Source) -> NamedSource:
    if source.source == "@measure":
        raise UnknownFigureError(f"{asked.measure.column} is told of the measure of its row: trace {source.where}")
    if source.source == "@former":
        former = former_release(connection, asked.night)
        told = f"{source.where}: --night {former.as_of.night}" if former else "there was none"
        return NamedSource(source, told, former.release_id if former else "")
    versions = {name: asked.release.reference[name] for name in source.datasets if name in asked.release.reference}
    if not versions:
        return NamedSource(source, source.where, _version_of_file(asked.release, source))
    loaded = connection.execute(text(_LOADED), {"datasets": list(versions)})
    stored = {row.dataset: object_key(row.manifest_sha256) for row in loaded if row.version == versions[row.dataset]}
    version = ", ".join(f"{name} {version}" for name, version in versions.items())
    return NamedSource(source, source.where, version, {name: stored.get(name) for name in versions})


def _version_of_file(release: FormerRelease, source: Source) -> str:
    """Of a file that a deployment supplies, as the release's manifest names it; of the calendar by its hash."""
    versions, name = release.manifest["versions"], source.source.removeprefix("@")
    return str(versions.get(name, "")) or ", ".join(versions["judged_by"].get(name, []))
