"""What the warehouse holds of the last nights: one short transaction that changes nothing."""

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from tenacity import retry, retry_if_not_result, stop_after_attempt, wait_fixed

from regsosek.errors import ConfigurationError
from regsosek.geography.calendar import default_night
from regsosek.release.lifecycle.agreement import known_releases
from regsosek.settings import Settings
from regsosek.warehouse.database import connect
from regsosek.warehouse.locks import provinces_at_work
from regsosek.watchdog.observing.limits import Limits
from regsosek.watchdog.observing.observed import SeenNight, SeenWarehouse, Unreachable

PATIENCE_SECONDS = 10
TRIES, BETWEEN_SECONDS = 2, 5  # a server that restarts is no news

_NIGHTS = text("""
SELECT night, 'sealed' AS what, province FROM ledger.seal WHERE night >= :since
UNION SELECT night, 'processed', province FROM mart.refreshed WHERE night >= :since
UNION SELECT night, 'told', '' FROM alert.condition WHERE night >= :since
UNION SELECT night, 'told', '' FROM alert.outbox WHERE night >= :since
""")
_PUBLISHED = text("SELECT night, min(first_published_at) FROM release.release WHERE night >= :since GROUP BY night")
_DELIVERED = text("SELECT province, max(delivered_on) FROM ledger.delivery WHERE night >= :since GROUP BY province")
_SEALED = text("SELECT province, night, archived_bytes FROM ledger.seal")
# What waits for the end of quiet hours is not due; what was tried is due since it was composed.
_WAITING = text("""
SELECT count(*), min(due), (array_agg(last_error ORDER BY due) FILTER (WHERE last_error <> ''))[1]
FROM (
    SELECT last_error, CASE WHEN attempts = 0 THEN coalesce(next_try_at, composed_at) ELSE composed_at END AS due
    FROM alert.outbox WHERE state = 'waiting'
) waiting
WHERE due < :before
""")


def see_warehouse(settings: Settings, now: datetime, rules: Limits) -> SeenWarehouse | Unreachable:
    """Reads the warehouse, or says by kind and SQLSTATE why it could not; tries twice."""
    again = retry(
        stop=stop_after_attempt(TRIES),
        wait=wait_fixed(BETWEEN_SECONDS),
        retry=retry_if_not_result(lambda seen: isinstance(seen, SeenWarehouse)),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else Unreachable("not tried"),
    )
    seen: SeenWarehouse | Unreachable = again(_once)(settings, now, rules)
    return seen


def _once(settings: Settings, now: datetime, rules: Limits) -> SeenWarehouse | Unreachable:
    try:
        engine = connect(settings, "watchdog", patience_seconds=PATIENCE_SECONDS)
        try:
            with engine.connect().execution_options(postgresql_readonly=True) as connection:
                return _read(connection, now, rules)
        finally:
            engine.dispose()
    except ConfigurationError as error:
        return Unreachable(str(error))
    except SQLAlchemyError as error:
        return Unreachable(fault_of(error))


def fault_of(error: SQLAlchemyError) -> str:
    """Kind and code alone: the server's own words may quote an address or a value."""
    driver = getattr(error, "orig", None) or error
    code = getattr(driver, "sqlstate", None)
    hint = "; run regsosek migrate" if code in {"42P01", "42703", "3F000"} else ""  # a table, column, schema is missing
    return type(driver).__name__ + (f" (SQLSTATE {code})" if code else "") + hint


def _read(connection: Connection, now: datetime, rules: Limits) -> SeenWarehouse:
    newest = default_night(now)
    lately = {"since": newest - timedelta(days=rules.waiting.forgotten_days)}
    period = {"since": newest - timedelta(days=rules.objective.nights)}
    before = now - timedelta(minutes=rules.waiting.alert_minutes)
    waiting, since, error = connection.execute(_WAITING, {"before": before}).one()
    return SeenWarehouse(
        nights=_nights(connection, lately["since"]),
        published=dict(map(tuple, connection.execute(_PUBLISHED, period))),
        releases=known_releases(connection),
        delivered=dict(map(tuple, connection.execute(_DELIVERED, lately))),
        waiting=waiting,
        waiting_since=since,
        waiting_error=error or "",
        sealed={(row.province, row.night): row.archived_bytes for row in connection.execute(_SEALED)},
        at_work=provinces_at_work(connection),
    )


def _nights(connection: Connection, since: date) -> dict[date, SeenNight]:
    found: dict[date, dict[str, set[str]]] = {}
    for night, what, province in connection.execute(_NIGHTS, {"since": since}):
        found.setdefault(night, {}).setdefault(what, set()).add(province)
    return {
        night: SeenNight(frozenset(seen.get("sealed", ())), frozenset(seen.get("processed", ())), "told" in seen)
        for night, seen in found.items()
    }
