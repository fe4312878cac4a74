"""What a province's night came to as measures, recorded when it is decided."""

from collections import Counter
from collections.abc import Iterable

from regsosek.quality.hold_limits import REPLACED
from regsosek.telemetry.measures import delivery_decided, error_share
from regsosek.warehouse.nights.delivery_outcome import DeliveryOutcome
from regsosek.warehouse.tables import ROW_STATES

UNKNOWN = "unknown"  # the instrument of a delivery whose manifest could not be read


def measure_decided(outcome: DeliveryOutcome) -> None:
    """Counts a delivery that was accepted, held or rejected, and its rows by what became of them."""
    rows = {dataset: {state: counts[state] for state in ROW_STATES} for dataset, counts in outcome.rows.items()}
    delivery_decided(outcome.entry.province, outcome.instrument or UNKNOWN, outcome.state, rows)


def measure_error_shares(province: str, outcomes: Iterable[DeliveryOutcome]) -> None:
    """Records the error share of each dataset over all deliveries of a night, its own and those decided for it."""
    judged, in_error = Counter[str](), Counter[str]()
    for share in (share for outcome in outcomes for share in outcome.shares if share.dataset != REPLACED):
        judged[share.dataset] += share.judged
        in_error[share.dataset] += share.in_error
    for dataset, amount in judged.items():
        error_share(province, dataset, amount, in_error[dataset])
