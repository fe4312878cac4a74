"""What was sent leaves a trace in the archive: a warehouse restored from a dump learns from it what not to send again.

Each run that sent something writes one object below ``sending/`` with a line for each delivery; addresses stand in it
as hashes. The warehouse knows the traces that it left. One that it does not know was left after the dump that the
warehouse came from. A store that does not answer keeps no message back.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cached_property
from secrets import token_hex

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.dialects import postgresql

from regsosek.alerts.outbox.dispatches import settle
from regsosek.errors import ObjectStoreError
from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.landing.store import StoredObject
from regsosek.settings import Settings
from regsosek.warehouse.tables import delivery_of_message as delivery
from regsosek.warehouse.tables import outbox, sending_trace, sent_before

log = logging.getLogger(__name__)

PREFIX = "sending/"
_DAY = re.compile(PREFIX + r"([0-9]{4}-[0-9]{2}-[0-9]{2})/")
MOST_BYTES = 64 * 1024 * 1024
MOST_LINES = 10_000  # of one trace; after an upgrade everything ever sent has none, and a statement takes 65,535 values
MOST_DAYS = 10  # listed one by one; a warehouse that is further behind reads the names of all traces
BRIEF = RetryPolicy(connect_timeout=5, read_timeout=20, request_attempts=2, operation_attempts=1)


class Sent(BaseModel):
    """One delivery that a server took, by what stays the same when its message is composed again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipient_group: str
    night: date
    kind: str
    language: str
    channel: str
    address_sha256: str
    sent_at: AwareDatetime


class SentTrace(BaseModel):
    """What one run sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sent: tuple[Sent, ...]


class SentBefore:
    """What the archive knows of messages that were sent, for one run."""

    def __init__(self, engine: Engine, settings: Settings, now: datetime) -> None:
        self._engine, self._settings, self._now = engine, settings, now

    def mark(self) -> int:
        """As :meth:`learn`; a store that does not answer keeps no message back."""
        with _although_the_store_fails("what was sent before a restore is not known"):
            return self.learn()
        return _mark(self._engine)

    def learn(self) -> int:
        """Marks what waits although it was sent after the dump of this warehouse; returns how many deliveries.

        Raises:
            ObjectStoreError: the archive cannot be read.
        """
        bucket = self._settings.archive_bucket
        with self._engine.begin() as connection:
            known = set(connection.execute(select(sending_trace.c.key)).scalars())
        prefixes = _prefixes(known, self._now.date())
        found = [each for prefix in prefixes for each in self._store.list_objects(bucket, prefix)]
        for each in found:
            if each.key not in known:
                self._read(each)
        return _mark(self._engine)

    def leave_trace(self) -> None:
        """Writes down in the archive what was sent and is not written there yet."""
        with self._engine.begin() as connection:
            sent = _untraced(connection)
        if not sent:
            return
        key = f"{PREFIX}{self._now:%Y-%m-%d}/{self._now:%H%M%S}-{token_hex(8)}.json"
        content = SentTrace(sent=tuple(line for _, line in sent)).model_dump_json().encode()
        with _although_the_store_fails("what was sent leaves no trace yet; the next run writes it"):
            # Known first: a trace of our own that is found unknown would keep back what an operator sends once more.
            with self._engine.begin() as connection:
                _know(connection, [key])
            self._store.put_bytes(self._settings.archive_bucket, key, content)
            with self._engine.begin() as connection:
                ids = [delivery_id for delivery_id, _ in sent]
                connection.execute(update(delivery).where(delivery.c.id.in_(ids)).values(traced=True))

    def _read(self, listed: StoredObject) -> None:
        bucket = self._settings.archive_bucket
        content = self._store.get_bytes(bucket, listed.key, max_bytes=MOST_BYTES, listed=listed)
        if not content:
            log.warning("archive/%s is empty or gone; the next run looks again", listed.key)
            return
        with self._engine.begin() as connection:
            _remember(connection, listed.key, content)

    @cached_property
    def _store(self) -> ObjectStore:
        return ObjectStore.connect(self._settings, BRIEF)


def _mark(engine: Engine) -> int:
    with engine.begin() as connection:
        marked = list(connection.execute(text(_MARK)).scalars())
        connection.execute(text(_FORGET))
        for outbox_id in sorted(set(marked)):
            settle(connection, outbox_id)
    if marked:
        log.warning("%d deliveries were made before the warehouse was restored; they are not made again", len(marked))
    return len(marked)


def _prefixes(known: Iterable[str], today: date) -> Sequence[str]:
    """Below which names traces may lie that the warehouse does not know."""
    # A name of the future tells nothing of how far the warehouse has come.
    left = max((day for day in map(_day, known) if day is not None and day <= today), default=None)
    if left is None or (today - left).days > MOST_DAYS - 3:
        return [PREFIX]
    first = left - timedelta(days=1)  # several senders write at once
    return [f"{PREFIX}{first + timedelta(days=n)}/" for n in range((today - first).days + 2)]


def _day(key: str) -> date | None:
    """The day in the name of a trace; none in a name that is no trace's."""
    named = _DAY.match(key)
    try:
        return date.fromisoformat(named[1]) if named else None
    except ValueError:
        return None


def _remember(connection: Connection, key: str, content: bytes) -> None:
    try:
        lines = [line.model_dump() for line in SentTrace.model_validate_json(content).sent]
    except ValidationError:
        log.error("archive/%s is no trace of sending; it is passed over", key)  # noqa: TRY400 - its values stay unsaid
        lines = []
    if lines:
        connection.execute(postgresql.insert(sent_before).on_conflict_do_nothing(), lines)
    _know(connection, [key])


def _know(connection: Connection, keys: Sequence[str]) -> None:
    rows = [{"key": key} for key in keys]
    connection.execute(postgresql.insert(sending_trace).on_conflict_do_nothing(), rows)


def _untraced(connection: Connection) -> list[tuple[int, Sent]]:
    columns = (delivery.c.id, outbox.c.recipient_group, outbox.c.night, outbox.c.kind, outbox.c.language,
               delivery.c.channel, delivery.c.address, delivery.c.sent_at)  # fmt: skip
    query = (
        select(*columns)
        .join(outbox, delivery.c.outbox_id == outbox.c.id)
        .where(delivery.c.sent_at.is_not(None), ~delivery.c.traced)
        .order_by(delivery.c.id)
        .limit(MOST_LINES)
    )
    return [(row.id, _line(row._asdict())) for row in connection.execute(query)]


def _line(values: dict[str, object]) -> Sent:
    del values["id"]
    address = hashlib.sha256(str(values.pop("address")).encode()).hexdigest()
    return Sent.model_validate(values | {"address_sha256": address})


@contextmanager
def _although_the_store_fails(then: str) -> Iterator[None]:
    try:
        yield
    except (ObjectStoreError, OSError, ValueError) as error:
        log.warning("%s: %s", then, type(error).__name__)


_SAME = """
s.recipient_group = o.recipient_group AND s.night = o.night AND s.kind = o.kind AND s.language = o.language
AND s.channel = d.channel AND s.address_sha256 = encode(sha256(convert_to(d.address, 'UTF8')), 'hex')
"""
_MARK = f"""
UPDATE alert.delivery d SET state = 'sent', sent_at = s.sent_at, next_try_at = NULL, last_error = NULL, traced = true
FROM alert.outbox o, alert.sent_before s
WHERE d.outbox_id = o.id AND d.state IN ('waiting', 'standby') AND {_SAME}
RETURNING d.outbox_id
"""
# Heeded once: what an operator lets go again afterwards goes.
_FORGET = f"""
DELETE FROM alert.sent_before s USING alert.outbox o, alert.delivery d WHERE d.outbox_id = o.id AND {_SAME}
"""
