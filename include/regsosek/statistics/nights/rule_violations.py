"""Quality by rule: how many of the rows that were judged violate it, of every province and the nation.

A row is a family in ``keluarga``, a person in ``anggota``, a message in a stream. Rows are counted as they were judged,
in accepted deliveries of every instrument; a document that was corrected since stands with both its deliveries.
"""

import pandas as pd
from sqlalchemy import Connection, text

from regsosek.geography.regions import NATION
from regsosek.statistics.definitions.as_of import AS_OF, AsOf
from regsosek.statistics.definitions.shares import with_shares
from regsosek.warehouse.nights.as_of_night import STANDING

RULE_COUNTS = ("violating_tonight", "judged_tonight", "violating", "judged")
RULE_SHARES = ("violating_of_judged_tonight", "violating_of_judged")
_RULE = ["rule_dataset", "rule_id", "severity"]

# Every rule that judged a delivery has a result there, if only of zero violations: that is what its denominator is of.
_VIOLATIONS = f"""
WITH {AS_OF}, {STANDING},
counted AS (
    SELECT d.province, d.delivery_id, d.counted_night = :night AS tonight
    FROM standing_all d JOIN as_of a ON a.province = d.province AND d.counted_night <= a.last_night
    WHERE d.state = 'accepted'
)
SELECT c.province AS code, r.dataset AS rule_dataset, r.rule_id, r.severity,
       coalesce(sum(r.violations) FILTER (WHERE c.tonight), 0)::bigint AS violating_tonight,
       coalesce(sum(s.judged) FILTER (WHERE c.tonight), 0)::bigint AS judged_tonight,
       sum(r.violations)::bigint AS violating, sum(s.judged)::bigint AS judged
FROM counted c JOIN quality.rule_result r USING (province, delivery_id)
JOIN quality.error_share s USING (province, delivery_id, dataset)
GROUP BY 1, 2, 3, 4
"""


def rule_violations(connection: Connection, as_of: AsOf) -> pd.DataFrame:
    """One row per region (provinces, and the nation as 00) and rule that judged it, of rules that were ever violated.

    A province where nobody violates a rule that others violate stands with zeros: its rows belong to the denominator.

    Columns: ``code, rule_dataset, rule_id, severity`` (``critical`` or ``warning``), ``RULE_COUNTS`` in rows, of the
    release's night and to date, and ``RULE_SHARES`` in percent, missing where nothing was judged that night.
    """
    return with_zeros_and_nation(pd.read_sql_query(text(_VIOLATIONS), connection, params=as_of.parameters))


def with_zeros_and_nation(frame: pd.DataFrame) -> pd.DataFrame:
    """The counts of every province and rule as :func:`rule_violations` returns them."""
    whole = pd.concat([frame, frame.assign(code=NATION)]).groupby(["code", *_RULE], as_index=False).sum()
    violations = whole.groupby(_RULE)["violating"].transform("sum")
    violated = whole[violations > 0].astype(dict.fromkeys(RULE_COUNTS, "int64"))
    return with_shares(violated.reset_index(drop=True), RULE_SHARES)
