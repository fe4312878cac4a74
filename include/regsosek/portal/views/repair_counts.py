"""What reading mended in the deliveries of nights: kinds and amounts, never what was mended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from regsosek.contract.repairs import RepairKind, repair_kinds


@dataclass(frozen=True)
class Repaired:
    """How many files, columns or values of a delivery were mended in one way."""

    kind: RepairKind
    dataset: str
    amount: int


# Told under the delivery's own night, whatever night its rows count from.
_REPAIRS = """
SELECT d.province, d.delivery_id, r.dataset, r.kind, sum(r.amount)::bigint AS amount
FROM ledger.repair r JOIN ledger.delivery d ON d.province = r.province AND d.delivery_id = r.delivery_id
     AND d.reason IS DISTINCT FROM 'id_reused'
WHERE d.night = ANY(:nights) GROUP BY d.province, d.delivery_id, r.dataset, r.kind
ORDER BY d.province, d.delivery_id, r.dataset DESC, r.kind
"""


def repairs_of_nights(connection: Connection, nights: Sequence[date]) -> Mapping[tuple[str, str], list[Repaired]]:
    """What was mended in each delivery of ``nights``, by (province, delivery id), but for what the contract allows."""
    found: defaultdict[tuple[str, str], list[Repaired]] = defaultdict(list)
    for province, delivery_id, dataset, kind, amount in connection.execute(text(_REPAIRS), {"nights": list(nights)}):
        if repair_kinds()[kind].told:
            found[province, delivery_id].append(Repaired(repair_kinds()[kind], dataset, amount))
    return found
