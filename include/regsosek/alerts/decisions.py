"""The digests that follow a decision on a held delivery: one for each, whichever run carries it out."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Engine, text

from regsosek.alerts.nightly import DIGEST, alert_provinces
from regsosek.geography.provinces import provinces as all_provinces
from regsosek.settings import Settings
from regsosek.warehouse.nights.holding import RETRIED, SUPERSEDED
from regsosek.warehouse.nights.ledger import ID_REUSED


def alert_decisions(
    engine: Engine, settings: Settings, night: date, provinces: Sequence[str] | None = None
) -> dict[str, str]:
    """Composes, for decisions on held deliveries that a run has carried out, the digests that were not composed yet.

    A decision that was taken and carried out in one go told its province itself; old ones are no news.

    Returns:
        Why digests could not be composed, by group and decision.
    """
    asked = {
        "night": night,
        "provinces": [each.code for each in all_provinces()] if provinces is None else list(provinces),
    }
    with engine.begin() as connection:
        carried_out = list(connection.execute(_CARRIED_OUT, asked))
    untold: dict[str, str] = {}
    for each in carried_out:
        composed = alert_provinces(engine, settings, each.night, provinces=[each.province], kind=each.kind)
        untold |= {f"{group}, {each.kind}": fault for group, fault in composed.failed.items()}
    return untold


_CARRIED_OUT = text(f"""
SELECT d.province, e.night, k.kind FROM ledger.delivery d
JOIN ledger.event e ON e.province = d.province AND e.delivery_id = d.delivery_id
CROSS JOIN LATERAL (SELECT '{DIGEST} after ' || d.delivery_id || coalesce('@' || (e.detail ->> 'retry'), '')) k (kind)
WHERE d.province = ANY(:provinces) AND d.decided_night <= :night
  AND d.state IN ('accepted', 'rejected', CASE WHEN e.kind = '{RETRIED}' THEN 'held' END)
  AND d.reason IS DISTINCT FROM '{ID_REUSED}'
  AND e.kind IN ('freed', 'rejected', '{RETRIED}') AND e.detail ->> 'reason' <> '{SUPERSEDED}'
  AND e.at > now() - interval '3 days'
  AND NOT EXISTS (
      SELECT 1 FROM alert.outbox o WHERE o.recipient_group = 'prov' || d.province AND o.kind = k.kind)
ORDER BY d.province, e.at
""")


def kind_after(delivery_id: str, retry: int = 0) -> str:
    """Under which the digest goes into the outbox that tells a province of a decision, or of the n-th retry."""
    return f"{DIGEST} after {delivery_id}" + (f"@{retry}" if retry else "")
