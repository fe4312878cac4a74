"""What Great Expectations found in a province's night, taken from the ledger: counts by rule, never a row or a value.

Reception keeps, for every judged delivery, how many rows break each rule: a count on which Great Expectations and the
compiled SQL agreed. The rules themselves are those that the delivery was judged by, from the archive.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, text

from regsosek.landing.archive import fetch_archived
from regsosek.landing.store import Store
from regsosek.quality.rules import Rule, suite_from

# What a delivery was judged as: the hash of its suite, and the version of the questionnaire that it follows.
Form = tuple[str, str]


@dataclass(frozen=True)
class RuleOutcome:
    """How many rows of a night break one rule."""

    rule: Rule
    violations: int


@dataclass(frozen=True)
class Validation:
    """One dataset of one province and night: all its judged deliveries together.

    Attributes:
        rows: rows received in those deliveries; withdrawn documents among them are not judged.
        outcomes: every rule that judged any of them, in the order of the suite.
    """

    province: str
    night: date
    dataset: str
    deliveries: int
    rows: int
    outcomes: tuple[RuleOutcome, ...]


_JUDGED = """
WITH judged AS (
    SELECT d.province, d.delivery_id, d.delivered_on, d.versions ->> :suite AS suite,
           coalesce(d.instrument_version, '') AS instrument_version
    FROM ledger.delivery d
    WHERE d.province = :province AND d.night = :night AND d.reason IS DISTINCT FROM 'id_reused'
      AND EXISTS (SELECT 1 FROM quality.rule_result r
                  WHERE r.province = d.province AND r.delivery_id = d.delivery_id AND r.dataset = :dataset)
)
"""
_TOTALS = f"""{_JUDGED}
SELECT count(*) AS deliveries, coalesce(sum(c.received), 0)::bigint AS rows
FROM judged j LEFT JOIN ledger.delivery_count c
     ON c.province = j.province AND c.delivery_id = j.delivery_id AND c.delivered_on = j.delivered_on
     AND c.dataset = :dataset
"""
_VIOLATIONS = f"""{_JUDGED}
SELECT j.suite, j.instrument_version, r.rule_id, sum(r.violations)::bigint AS violations
FROM judged j JOIN quality.rule_result r ON r.province = j.province AND r.delivery_id = j.delivery_id
WHERE r.dataset = :dataset GROUP BY 1, 2, 3 ORDER BY 2, 1
"""


def read_validation(
    connection: Connection, store: Store, archive_bucket: str, *, province: str, night: date, dataset: str
) -> Validation | None:
    """What Great Expectations found; ``None`` where nothing of that night was judged.

    Raises:
        ObjectStoreError: the archive lacks a suite that a delivery was judged by.
    """
    asked = {"province": province, "night": night, "dataset": dataset, "suite": f"suite_{dataset}"}
    deliveries, rows = connection.execute(text(_TOTALS), asked).one()
    counted: dict[Form, Counter[str]] = {}
    for suite, version, rule_id, violations in connection.execute(text(_VIOLATIONS), asked):
        counted.setdefault((suite, version), Counter())[rule_id] += violations
    if not counted:
        return None
    rules = {form: archived_rules(store, archive_bucket, *form) for form in counted}
    return Validation(province, night, dataset, deliveries, rows, outcomes(counted, rules))


def outcomes(counted: Mapping[Form, Counter[str]], rules: Mapping[Form, Iterable[Rule]]) -> tuple[RuleOutcome, ...]:
    """Adds up what was counted under each form; a rule that stands in several is shown as the first states it."""
    known: dict[str, Rule] = {}
    total: Counter[str] = Counter()
    for form, counts in counted.items():
        known = {rule.id: rule for rule in rules[form] if rule.id in counts} | known
        total += counts
    return tuple(RuleOutcome(rule, total[rule_id]) for rule_id, rule in known.items())


def archived_rules(store: Store, archive_bucket: str, suite_sha256: str, instrument_version: str) -> tuple[Rule, ...]:
    """The rules of the suite with that hash that judge deliveries of a version of the questionnaire."""
    with TemporaryDirectory(prefix="suite-") as directory:
        path = fetch_archived(store, archive_bucket, suite_sha256, Path(directory) / "suite.json")
        return suite_from(path.read_bytes()).applying(instrument_version)
