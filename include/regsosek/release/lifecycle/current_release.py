"""The release that readers see, in a line for operators: revision, signature, rollbacks, and its forecast."""

import csv
import io
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, select

from regsosek.landing.store import Store
from regsosek.release.lifecycle.pointer import Position, seen
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.forecast.table import forecast_words
from regsosek.warehouse.tables import published_release

FORECAST_FILE = "prakiraan.csv"
_PROVINCE = "provinsi"
_OUTCOMES = ("done", "in time", "not certain", "late", "cannot be forecast")
_OF_ANSWERS = {"yes": "in time", "uncertain": "not certain", "no": "late"}


@dataclass(frozen=True)
class StandingRelease:
    """What readers see.

    Attributes:
        signed_by: id of the public key; None of a release that is not signed, or that this warehouse does not know.
        forecast: provinces by what is forecast of them, in the order of ``done, in time, not certain, late, cannot
            be forecast``; empty where the release has no forecast.
    """

    position: Position
    signed_by: str | None
    forecast: tuple[tuple[str, int], ...]

    @property
    def release_words(self) -> str:
        """Which release it is, whether it is signed, and what readers were led back from."""
        signed = f"signed by {self.signed_by}" if self.signed_by else "NOT SIGNED"
        back = self.position.rolled_back
        rolled_back = f"; rolled back: {', '.join(back)}" if back else "; nothing rolled back"
        return (
            f"Readers see release {self.position.release_id} (night {self.position.night}, revision "
            f"{self.position.revision}), {signed}{rolled_back}."
        )

    @property
    def forecast_words(self) -> str:
        """How many provinces are forecast to reach the plan's denominator, and when."""
        told = ", ".join(f"{count} {outcome}" for outcome, count in self.forecast)
        return f"Forecast of the provinces: {told}." if told else "The release has no forecast."


def standing_release(connection: Connection, store: Store, bucket: str) -> StandingRelease | None:
    """What readers see now; ``None`` while nothing is published."""
    position = seen(store, bucket)
    if position is None:
        return None
    manifest = published_release.c.manifest
    query = select(manifest["signed_by"].astext, manifest["files"])
    known = connection.execute(query.where(published_release.c.release_id == position.release_id)).first()
    sizes = {file["name"]: file["bytes"] for file in known[1]} if known else {}
    table = None
    if FORECAST_FILE in sizes:
        table = store.get_bytes(bucket, position.prefix + FORECAST_FILE, max_bytes=sizes[FORECAST_FILE])
    return StandingRelease(position, known[0] if known else None, _forecast(table) if table else ())


def _forecast(table: bytes) -> tuple[tuple[str, int], ...]:
    columns = {field: definitions()[field].column for field in ("region_level", "forecast_status", "in_time")}
    found: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(table.decode(), newline="")):
        if row[columns["region_level"]] == _PROVINCE:
            found[_outcome(row[columns["forecast_status"]], row.get(columns["in_time"], ""))] += 1
    return tuple((outcome, found[outcome]) for outcome in _OUTCOMES if found[outcome])


def _outcome(status: str, in_time: str) -> str:
    """A release of a version that did not say how sure it was is told as not certain."""
    if status == forecast_words()["done"].id:
        return "done"
    if status != forecast_words()["forecast"].id:
        return "cannot be forecast"
    answers = {forecast_words()[word].id: outcome for word, outcome in _OF_ANSWERS.items()}
    return answers.get(in_time, "not certain")
