"""The digests that follow a decision on a held delivery: one for each, whichever run carries it out."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Engine, text

from regsosek.alerts.nightly import DIGEST, alert_provinces
from regsosek.geography.provinces import provinces as all_provinces
from regsosek.settings import Settings
from regsosek.warehouse.holding import SUPERSEDED


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
        kind = kind_after(each.delivery_id)
        composed = alert_provinces(engine, settings, each.decided_night, provinces=[each.province], kind=kind)
        untold |= {f"{group}, {kind}": fault for group, fault in composed.failed.items()}
    return untold


_CARRIED_OUT = text(f"""
SELECT d.province, d.delivery_id, d.decided_night FROM ledger.delivery d
WHERE d.province = ANY(:provinces) AND d.decided_night <= :night AND d.state IN ('accepted', 'rejected')
  AND EXISTS (
      SELECT 1 FROM ledger.event e WHERE e.province = d.province AND e.delivery_id = d.delivery_id
      AND e.kind IN ('freed', 'rejected') AND e.detail ->> 'reason' <> '{SUPERSEDED}'
      AND e.at > now() - interval '3 days')
  AND NOT EXISTS (
      SELECT 1 FROM alert.outbox o WHERE o.recipient_group = 'prov' || d.province
      AND o.kind = '{DIGEST} after ' || d.delivery_id)
ORDER BY d.province, d.decided_at
""")


def kind_after(delivery_id: str) -> str:
    """Under which the digest goes into the outbox that tells a province of a decision."""
    return f"{DIGEST} after {delivery_id}"
