"""Each stream's own clock: until when it has data, and through which day of work it must have told everything.

A message may be sent days after the work it tells of: ``grace_days`` in ``contract/streams.csv``. A day is *reported*
by a stream once its last delivery is that many days later; before, what it does not say is not yet reported, never
missing.
A delivery that is held may hold anything of the days before it, so a stream's clock stands still at it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from sqlalchemy import Connection, text

from regsosek.contract.instruments import QUESTIONNAIRE, instrument_of
from regsosek.contract.stream_kinds import DOCUMENTS, stream_lines, stream_words
from regsosek.statistics.definitions.as_of import AS_OF, AsOf
from regsosek.warehouse.nights.as_of_night import stood
from regsosek.wording import Text


@dataclass(frozen=True)
class Stream:
    """One source of completion figures; ``grace_days`` after a day of work it has told all about it."""

    stream: str
    instrument: str
    grace_days: int
    name: Text


@dataclass(frozen=True)
class Clock:
    """What a stream of a province had delivered as of a night.

    Attributes:
        first: night of its first accepted delivery that held anything.
        last: night of its last accepted one, before any that is held.
        grace_days: of the stream.
    """

    first: date
    last: date
    grace_days: int

    @property
    def through(self) -> date:
        """The last day of work that it has told everything about."""
        return self.last - timedelta(days=self.grace_days)

    def complete_through(self, opens: date) -> date | None:
        """The last day of field work that it has told everything about; none before that day has come."""
        return self.through if self.through >= opens else None

    def lag(self, night: date) -> int:
        """Days from its last delivery to ``night``."""
        return (night - self.last).days


Clocks = Mapping[str, Clock]


@cache
def streams() -> dict[str, Stream]:
    """All streams by name, K first.

    Raises:
        ConfigurationError: a number of days is none.
    """
    return {
        stream: Stream(
            stream, QUESTIONNAIRE if stream == DOCUMENTS else instrument_of(stream), words.grace_days, words.name
        )
        for stream, words in stream_words(stream_lines()).items()
    }


def reported_through(clocks: Clocks, names: Iterable[str]) -> date | None:
    """The last day that all of ``names`` have told everything about; none if one of them never delivered."""
    found = [clocks.get(name) for name in names]
    known = [clock.through for clock in found if clock]
    return min(known) if known and len(known) == len(found) else None


_CLOCKS = f"""
WITH {AS_OF},
standing AS (
    SELECT d.province, coalesce(d.instrument, '{QUESTIONNAIRE}') AS instrument,
           coalesce(({stood("f.state", "a.last_night")}), d.state) AS state,
           coalesce(({stood("coalesce(f.decided_night, d.night)", "a.last_night")}), d.decided_night, d.night) AS night,
           EXISTS (SELECT 1 FROM ledger.delivery_count c
                   WHERE (c.province, c.delivery_id, c.delivered_on) = (d.province, d.delivery_id, d.delivered_on)
                         AND c.received > 0) AS filled
    FROM ledger.delivery d JOIN as_of a ON a.province = d.province AND d.night <= a.last_night
)
SELECT province, instrument, min(night) FILTER (WHERE state = 'accepted' AND filled) AS first,
       max(night) FILTER (WHERE state = 'accepted') AS last, min(night) FILTER (WHERE state = 'held') AS held
FROM standing GROUP BY province, instrument
"""


def clocks_as_of(connection: Connection, as_of: AsOf) -> dict[str, dict[str, Clock]]:
    """The clocks by province and stream; streams that delivered nothing yet have none."""
    by_instrument = {stream.instrument: stream for stream in streams().values()}
    found: dict[str, dict[str, Clock]] = {code: {} for code in as_of.nights}
    for row in connection.execute(text(_CLOCKS), as_of.parameters):
        stream = by_instrument.get(row.instrument)
        if stream and row.first:
            last = min(row.last, row.held - timedelta(days=1)) if row.held else row.last
            found[row.province][stream.stream] = Clock(row.first, last, stream.grace_days)
    return found
